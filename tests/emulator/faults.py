"""The failure injector: rules that make some of a tenant's calls fail, each in the form of the service that was called."""

import datetime
import random
import threading
from urllib.parse import parse_qs

from . import repeats
from .errors import error
from .s3 import checks, objects
from .s3.operations import split
from .web import FLOOD, RESET, RESET_MIDDLE, SLOW, SMALL_PIECE, TRUNCATED, Response

QUERY_SERVICES = ("sts", "iam")
# The action that a policy names, where it is not the operation.
ACTIONS = {
    "HeadObject": "GetObject",
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
}


class Rule:
    """A fault, and the calls that meet it. Without `count` and `probability`: every call."""

    FIELDS = {
        "fault": None,
        # The service's signing name: s3, sagemaker, logs, monitoring, sts, iam.
        "service": None,
        "operation": None,
        # Part of the bucket/object, job or stream that the call is about.
        "key": None,
        # Only the next calls, after `skip` that are spared.
        "count": None,
        "skip": 0,
        "probability": 1.0,
        "seed": 0,
        # Until a call comes with another session token or access key than the first that met the rule.
        "until_new_credentials": False,
        # slow_body: bytes a second, of each body, and how many at once. replace: the bucket/object whose content comes to stand there.
        "rate": None,
        "piece": SMALL_PIECE,
        "by": None,
        # wrong_region: where the bucket is said to be. error: what is answered. access_denied: in place of IAM's message,
        # as S3 has `Access Denied` for callers of other accounts.
        "region": "us-west-2",
        "status": 400,
        "code": None,
        "message": "",
        # flood: of the whole body, in bytes, and whether the head tells it.
        "size": None,
        "is_told": True,
        # wrong_clock: by how much the service's clock is ahead.
        "seconds": 0,
        # Whether it rejects signatures with its own time, too, as behind a gateway that changes the header Date.
        "is_stubborn": False,
        # answer: the body as it is sent, and headers beside it.
        "body": "",
        "headers": {},
    }

    def __init__(self, **fields):
        unknown = set(fields) - set(self.FIELDS)
        if unknown or fields.get("fault") not in FAULTS:
            raise ValueError("no such rule: %s" % fields)
        for name, default in self.FIELDS.items():
            setattr(self, name, fields.get(name, default))
        self.random = random.Random(self.seed)
        self.credentials = None

    def meets(self, call):
        """Whether this call fails. A call that fits uses the rule up."""
        if not self.fits(call):
            return False
        if self.until_new_credentials:
            credentials = (call.access_key, call.session_token)
            self.credentials = self.credentials or credentials
            return credentials == self.credentials
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.count == 0 or self.random.random() >= self.probability:
            return False
        self.count = None if self.count is None else self.count - 1
        return True

    def fits(self, call):
        same = self.service in (None, call.service) and self.operation in (None, call.operation)
        return same and (self.key is None or self.key in call.key)


class Rules:
    """A tenant's rules, the first that meets a call first."""

    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []

    def add(self, fields):
        with self.lock:
            self.rules.append(Rule(**fields))

    def clear(self):
        with self.lock:
            self.rules.clear()

    def take(self, call):
        with self.lock:
            return next((rule for rule in self.rules if rule.meets(call)), None)


def apply(rule, tenant, call, request, carry_out):
    """The response under the rule; `carry_out` is what happens without it."""
    return FAULTS[rule.fault](rule, tenant, call, request, carry_out)


def throttle(rule, tenant, call, request, carry_out):
    if call.service == "s3":
        return error("s3", request, 503, "SlowDown", "Please reduce your request rate.")
    code = "Throttling" if call.service in QUERY_SERVICES else "ThrottlingException"
    return error(call.service, request, 400, code, "Rate exceeded")


def internal_error(rule, tenant, call, request, carry_out):
    code = "InternalError" if call.service == "s3" else "InternalFailure"
    return error(call.service, request, 500, code, "We encountered an internal error. Please try again.")


def reset_before(rule, tenant, call, request, carry_out):
    return Response(0, delivery=RESET)


def reset_after(rule, tenant, call, request, carry_out):
    """The reply is lost: what was asked for is done all the same."""
    return Response(carry_out().status, delivery=RESET)


def slow_body(rule, tenant, call, request, carry_out):
    response = delivered(carry_out(), SLOW)
    response.rate, response.piece = rule.rate, rule.piece
    return response


def truncated_body(rule, tenant, call, request, carry_out):
    return delivered(carry_out(), TRUNCATED)


def reset_middle(rule, tenant, call, request, carry_out):
    return delivered(carry_out(), RESET_MIDDLE)


def flood(rule, tenant, call, request, carry_out):
    """The body is followed by zeros."""
    response = delivered(carry_out(), FLOOD)
    response.size, response.is_told = rule.size, rule.is_told
    return response


def repeat_token(rule, tenant, call, request, carry_out):
    """The first page comes again and again, and each time there is said to be more."""
    return repeats.answer(call, request, carry_out)


def delivered(response, delivery):
    response.delivery = delivery
    return response


def expired_token(rule, tenant, call, request, carry_out):
    if call.service == "s3":
        return error("s3", request, 400, "ExpiredToken", "The provided token has expired.")
    message = "The security token included in the request is expired"
    if call.service in QUERY_SERVICES:
        return error(call.service, request, 403, "ExpiredToken", message)
    return error(call.service, request, 400, "ExpiredTokenException", message)


def access_denied(rule, tenant, call, request, carry_out):
    service = {"monitoring": "cloudwatch"}.get(call.service, call.service)
    action = "%s:%s" % (service, ACTIONS.get(call.operation, call.operation))
    message = "User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action"
    message %= (tenant.caller_arn(), action, resource(tenant, call, request), action)
    message = rule.message or message
    if call.service == "s3" or call.service in QUERY_SERVICES:
        return error(call.service, request, 403, "AccessDenied", message)
    return error(call.service, request, 400, "AccessDeniedException", message)


def resource(tenant, call, request):
    if call.service == "s3":
        bucket_actions = ("ListObjects", "ListObjectsV2", "HeadBucket", "CreateBucket", "PutPublicAccessBlock")
        return '"arn:aws:s3:::%s"' % (call.key.partition("/")[0] if call.operation in bucket_actions else call.key)
    if call.service == "sagemaker":
        kind = "training-job/%s" % (call.key or "*")
        return "arn:aws:sagemaker:%s:%s:%s" % (call.region, tenant.account, kind)
    if call.service == "logs":
        group = "log-group:/aws/sagemaker/TrainingJobs:log-stream:%s" % call.key
        return "arn:aws:logs:%s:%s:%s" % (call.region, tenant.account, group)
    if call.service == "iam":
        return "role %s" % parse_qs(request.body.decode()).get("RoleName", ["*"])[0]
    return "*"


def wrong_region(rule, tenant, call, request, carry_out):
    return checks.wrong_region(request, call.key.partition("/")[0], rule.region)


def replace(rule, tenant, call, request, carry_out):
    """Somebody stores something else there, just before the call."""
    objects.put(tenant.account, *split(call.key), objects.get(tenant.account, *split(rule.by)))
    return carry_out()


def delete(rule, tenant, call, request, carry_out):
    objects.delete(tenant.account, *split(call.key))
    return carry_out()


def wrong_clock(rule, tenant, call, request, carry_out):
    """The service's clock is ahead of the caller's: each service says so in its own words."""
    now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=rule.seconds)
    signed, limit = request.headers.get("x-amz-date", ""), datetime.timedelta(minutes=5)
    time = datetime.datetime.strptime(signed, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    is_wrong = rule.is_stubborn or abs(now - time) > limit
    answer = clock_error(rule, call, request, signed, now, limit) if is_wrong else carry_out()
    answer.headers["date"] = now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return answer


def clock_error(rule, call, request, signed, now, limit):
    if call.service == "s3":
        message = "The difference between the request time and the current time is too large."
        more = {"RequestTime": signed, "ServerTime": "%sZ" % now.isoformat(), "MaxAllowedSkewMilliseconds": "900000"}
        return error("s3", request, 403, "RequestTimeTooSkewed", message, **more)
    form = "%Y%m%dT%H%M%SZ"
    if rule.seconds > 0:
        message = "Signature expired: %s is now earlier than %s (%s - 5 min.)"
        message %= (signed, (now - limit).strftime(form), now.strftime(form))
    else:
        message = "Signature not yet current: %s is still later than %s (%s + 5 min.)"
        message %= (signed, (now + limit).strftime(form), now.strftime(form))
    if call.service in QUERY_SERVICES:
        return error(call.service, request, 403, "SignatureDoesNotMatch", message)
    return error(call.service, request, 400, "InvalidSignatureException", message)


def any_error(rule, tenant, call, request, carry_out):
    """An error by its code: ResourceLimitExceeded, CapacityError, ..."""
    return error(call.service, request, rule.status, rule.code, rule.message)


def any_answer(rule, tenant, call, request, carry_out):
    """What no service answers: a login page of a proxy, a redirect."""
    return Response(rule.status, rule.body.encode(), dict(rule.headers))


FAULTS = {
    "throttle": throttle,
    "internal_error": internal_error,
    "reset_before": reset_before,
    "reset_after": reset_after,
    "slow_body": slow_body,
    "truncated_body": truncated_body,
    "reset_middle": reset_middle,
    "flood": flood,
    "repeat_token": repeat_token,
    "replace": replace,
    "delete": delete,
    "expired_token": expired_token,
    "access_denied": access_denied,
    "wrong_region": wrong_region,
    "wrong_clock": wrong_clock,
    "error": any_error,
    "answer": any_answer,
}
