"""CloudWatch Logs: what jobs print, put into moto's store; and its operations, by moto."""

import time

from . import moto_backend

GROUP = "/aws/sagemaker/TrainingJobs"


def answer(tenant, call, request):
    return moto_backend.call("logs", tenant.account, call.region, request)


def put(account, region, stream, events):
    """Adds events, as (milliseconds, text), to a stream that is made when it is missing."""
    events = [{"timestamp": moment, "message": text} for moment, text in events]
    with moto_backend.LOCK:
        store = moto_backend.backend("logs", account, region)
        store.ensure_log_group(GROUP)
        store.ensure_log_stream(GROUP, stream)
        if events:
            store.groups[GROUP].streams[stream].put_log_events(events)


def milliseconds():
    return int(time.time() * 1000)
