"""The tests' own door, below /_emulator/{access key}/: rules, calls, settings, jobs and objects made or looked at."""

import json
from urllib.parse import unquote

from . import cloudwatch, logs
from .s3 import encryption, objects
from .sagemaker import live, synthetic
from .web import Response

ROOT = "/_emulator/"


def answer(tenants, request):
    key, _, rest = unquote(request.path[len(ROOT) :]).partition("/")
    what, _, name = rest.partition("/")
    tenant = tenants.of_key(key)
    if what == "s3":
        return raw_s3(tenant, request, name)
    handler = HANDLERS.get((request.method, what))
    if handler is None:
        return reply({"error": "nothing at %s %s" % (request.method, request.path)}, 404)
    try:
        return reply(handler(tenant, json.loads(request.body) if request.body else name))
    except (KeyError, TypeError, ValueError) as error:
        return reply({"error": repr(error)}, 400)


def reply(content, status=200):
    return Response(status, json.dumps(content).encode(), {"content-type": "application/json"})


def about(tenant, _):
    return {"account": tenant.account, "role_arn": tenant.role_arn, "caller_arn": tenant.caller_arn()}


def add_rules(tenant, rules):
    for rule in rules:
        tenant.rules.add(rule)


def clear_rules(tenant, _):
    tenant.rules.clear()


def calls(tenant, _):
    return tenant.calls.all()


def clear_calls(tenant, _):
    tenant.calls.clear()


def change_settings(tenant, changes):
    tenant.settings.change(**changes)


def add_jobs(tenant, wanted):
    synthetic.add(tenant, wanted["region"], wanted["jobs"])


def add_live_job(tenant, wanted):
    """{"region", "job": what live.Plan has}"""
    live.start(tenant, wanted["region"], wanted["job"])


def live_job(tenant, name):
    return tenant.live[name].told()


def delete_job(tenant, name):
    """The job, but not its log: as the service has it when somebody deletes it."""
    for store in list(tenant.stores.values()):
        store.delete(name)


def tell_checksum(tenant, wanted):
    """{"bucket", "key", "algorithm": null for none, "part_size": of one of parts, "wrong": true}"""
    objects.tell_checksum(tenant.account, **wanted)


def storage(tenant, wanted):
    """{"bucket", "key", "storage_class": "GLACIER"}: how an object is stored."""
    return objects.storage(tenant.account, **wanted)


def encrypt_bucket(tenant, wanted):
    """{"bucket", "key"}: a bucket's default encryption from now on; without a key, that of a new bucket."""
    encryption.set_default(tenant.account, **wanted)


def point_alias(tenant, wanted):
    """{"alias/name": "id of a key"}"""
    tenant.kms_aliases.update(wanted)


def add_log_events(tenant, wanted):
    """{"region", "stream", "events": [[milliseconds, text], ...]}: of the past, a second after their times."""
    logs.put(tenant, wanted["region"], wanted["stream"], wanted["events"], 1000)


def add_metrics(tenant, wanted):
    """{"region", "job", "values": [[name, value, seconds], ...]}: of a job's training metrics, of any time."""
    dimensions = {"TrainingJobName": wanted["job"]}
    cloudwatch.put(tenant.account, wanted["region"], dimensions, wanted["values"])


HANDLERS = {
    ("GET", ""): about,
    ("POST", "rules"): add_rules,
    ("DELETE", "rules"): clear_rules,
    ("GET", "calls"): calls,
    ("DELETE", "calls"): clear_calls,
    ("PUT", "settings"): change_settings,
    ("POST", "jobs"): add_jobs,
    ("DELETE", "jobs"): delete_job,
    ("POST", "live-jobs"): add_live_job,
    ("GET", "live-jobs"): live_job,
    ("POST", "log-events"): add_log_events,
    ("POST", "metrics"): add_metrics,
    ("POST", "checksums"): tell_checksum,
    ("POST", "storage"): storage,
    ("POST", "bucket-encryption"): encrypt_bucket,
    ("POST", "kms-aliases"): point_alias,
}


def raw_s3(tenant, request, name):
    """s3: the buckets. s3/BUCKET?prefix=P: its keys; made by PUT s3/BUCKET?region=R&versioned. s3/BUCKET/KEY: an object."""
    bucket, _, key = name.partition("/")
    if not bucket:
        return reply(objects.buckets(tenant.account))
    if not key and request.method == "PUT":
        region, versioned = request.query.get("region", "eu-west-1"), "versioned" in request.query
        return reply(objects.make_bucket(tenant.account, bucket, region, versioned))
    if not key:
        return reply(objects.keys(tenant.account, bucket, request.query.get("prefix", "")))
    if request.method == "PUT":
        objects.put(tenant.account, bucket, key, request.body)
        return reply(None)
    if request.method == "DELETE":
        return reply(objects.delete(tenant.account, bucket, key))
    body = objects.get(tenant.account, bucket, key)
    return Response(404) if body is None else Response(200, body)
