"""A tenant: all that belongs to one access key. Each test has one, so that tests can share the server."""

import hashlib
import random
import threading
import time
from collections import defaultdict

from . import moto_backend
from .faults import Rules
from .log_store import LogStore
from .sagemaker.store import Store

# The role that each account has, with a path as the console's own roles have it.
ROLE_PATH, ROLE_NAME = "/service-role/", "SageMakerRole"
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sagemaker.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)
# What the access keys of jobs start with.
JOB_KEY = "ASIAJOB"


class Tenant:
    def __init__(self, account, access_key):
        self.account = account
        self.access_key = access_key
        self.rules = Rules()
        self.calls = Calls()
        self.settings = Settings()
        # Training jobs, by region.
        self.stores = defaultdict(Store)
        # Log groups, by region; jobs that only seem to run, by name; what decides about empty pages.
        self.logs = {}
        self.live = {}
        self.random = random.Random(0)
        # Ids of the keys that aliases of KMS mean, where a test has said so.
        self.kms_aliases = {}
        with moto_backend.LOCK:
            iam = moto_backend.backend("iam", account)
            iam.create_role(ROLE_NAME, TRUST, ROLE_PATH, None, "", [], 3600)

    def log_store(self, region):
        # Of two that are made at once, all have the same.
        return self.logs.get(region) or self.logs.setdefault(region, LogStore())

    @property
    def role_arn(self):
        return "arn:aws:iam::%s:role%s%s" % (self.account, ROLE_PATH, ROLE_NAME)

    def caller_arn(self):
        return "arn:aws:sts::%s:user/moto" % self.account

    def job_key(self):
        """The access key that the tenant's jobs are given: of the same account, but not the client."""
        return JOB_KEY + self.access_key[len(JOB_KEY) :]


class Settings:
    """What a test can change: numbers, and of time seconds."""

    def __init__(self):
        # How long Starting, Downloading and Uploading take at least, each.
        self.phase_seconds = 0.1
        # How far Search lags behind.
        self.search_lag = 1.0
        # From SIGTERM to SIGKILL after a stop.
        self.stop_grace = 120.0
        # The share of CloudWatch Logs' and of Search's pages that are empty although there is more; at most 0.9, so that
        # reading ends.
        self.empty_pages = 0.0
        # 1: at a log stream's end GetLogEvents' forward token changes for ever, as was seen where no endTime is asked for.
        self.restless_tokens = 0.0

    def change(self, **changes):
        for name, value in changes.items():
            if name not in vars(self):
                raise ValueError("no setting %s" % name)
            setattr(self, name, float(value))


class Calls:
    """Every call that the tenant's client made, in the order in which they were answered."""

    def __init__(self):
        self.lock = threading.Lock()
        self.made = []

    def record(self, call, response, fault):
        entry = {
            "service": call.service,
            "operation": call.operation,
            "key": call.key,
            "status": response.status,
            "fault": fault,
            "time": time.time(),
            # Bytes of the body that have gone out so far.
            "sent": 0,
        }
        response.entry = entry
        with self.lock:
            self.made.append(entry)

    def all(self):
        with self.lock:
            return list(self.made)

    def clear(self):
        with self.lock:
            self.made.clear()


class Tenants:
    """All tenants. A key never seen before is a new one."""

    def __init__(self):
        self.lock = threading.Lock()
        self.by_account = {}
        # Keys that STS gave out, and whose account they are of.
        self.issued = {}

    def of_key(self, access_key):
        account = self.issued.get(access_key) or account_of(access_key)
        return self.of_account(account, access_key)

    def of_account(self, account, access_key=""):
        with self.lock:
            if account not in self.by_account:
                self.by_account[account] = Tenant(account, access_key)
            return self.by_account[account]

    def issue(self, access_key, account):
        self.issued[access_key] = account


def account_of(access_key):
    """Twelve digits that follow from the key's end alone, so that a job's key is of its client's account."""
    digest = hashlib.sha256(access_key[len(JOB_KEY) :].encode()).hexdigest()
    return "%012d" % (int(digest, 16) % 10**12)


def is_job_key(access_key):
    return access_key.startswith(JOB_KEY)
