"""CloudWatch Logs: what jobs print, put into moto's store; and its operations, by moto."""

import json
import time

from . import moto_backend

GROUP = "/aws/sagemaker/TrainingJobs"


def answer(tenant, call, request):
    parameters = json.loads(request.body or b"{}")
    if call.operation == "GetLogEvents" and "endTime" in parameters:
        # The service leaves out an event of that very time; moto gives it.
        parameters["endTime"] -= 1
        request.body = json.dumps(parameters).encode()
        request.headers["content-length"] = str(len(request.body))
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
