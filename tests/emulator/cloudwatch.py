"""CloudWatch over RPC v2 CBOR, translated to the JSON that moto speaks; and metrics put in process.

moto keeps every value. The service keeps the values of a minute for 15 days, those of five minutes for 63 days and those of
an hour for 455 days, and lists a metric for two weeks after its last value (CloudWatch user guide, "Metrics retention").
"""

import datetime
import functools
import json
import time

import botocore.session

from . import cbor, moto_backend
from .calls import CBOR_PATH
from .errors import cbor_error, request_id
from .web import Request, Response

DAY = 24 * 3600
# The longest age of a value by the period that is asked for, in seconds.
RETENTION = ((300, 15 * DAY), (3600, 63 * DAY), (float("inf"), 455 * DAY))
LISTED = 14 * DAY


def answer(tenant, call, request):
    if not CBOR_PATH.match(request.path):
        return moto_backend.call("monitoring", tenant.account, call.region, request)
    body = json.dumps(cbor.decode(request.body), default=lambda moment: moment.timestamp()).encode()
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "x-amz-target": "GraniteServiceVersion20100801." + call.operation,
        "content-length": str(len(body)),
        "authorization": request.headers["authorization"],
    }
    json_request = Request("POST", "/", headers, body)
    response = moto_backend.call("monitoring", tenant.account, call.region, json_request)
    content = json.loads(response.body or b"{}")
    if response.status < 300 and call.operation in FORGET:
        FORGET[call.operation](tenant, call.region, json.loads(body), content)
    return to_cbor(call.operation, response, content)


def forget_values(tenant, region, request, content):
    """Leaves out the values that are too old for the period that is asked for."""
    periods = {query["Id"]: query["MetricStat"]["Period"] for query in request["MetricDataQueries"]}
    for result in content["MetricDataResults"]:
        kept = next(kept for below, kept in RETENTION if periods[result["Id"]] < below)
        points = zip(result["Timestamps"], result["Values"], strict=True)
        points = [(moment, value) for moment, value in points if float(moment) >= time.time() - kept]
        result["Timestamps"], result["Values"] = [point[0] for point in points], [point[1] for point in points]


def forget_metrics(tenant, region, request, content):
    """Leaves out the metrics that have had no value for two weeks."""
    with moto_backend.LOCK:
        data = moto_backend.backend("monitoring", tenant.account, region).metric_data
        oldest = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None) - datetime.timedelta(seconds=LISTED)
        recent = {key_of(datum) for datum in data if datum.timestamp.replace(tzinfo=None) >= oldest}
    content["Metrics"] = [metric for metric in content["Metrics"] if key_of_listed(metric) in recent]


def key_of(datum):
    return datum.name, frozenset((dimension.name, dimension.value) for dimension in datum.dimensions)


def key_of_listed(metric):
    return metric["MetricName"], frozenset((entry["Name"], entry["Value"]) for entry in metric["Dimensions"])


FORGET = {"GetMetricData": forget_values, "ListMetrics": forget_metrics}


def to_cbor(operation, response, content):
    if response.status >= 300:
        code = content.get("__type", "InternalFailure").rpartition("#")[2]
        return cbor_error(response.status, code, content.get("message") or content.get("Message") or "")
    shape = model().operation_model(operation).output_shape
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": request_id()}
    return Response(200, cbor.encode(typed(shape, content) if shape else {}), headers)


def typed(shape, value):
    """JSON has one kind of number: CBOR has them as the service's model says."""
    if value is None:
        return None
    if shape.type_name == "structure":
        members = {name: member for name, member in shape.members.items() if value.get(name) is not None}
        return {name: typed(member, value[name]) for name, member in members.items()}
    if shape.type_name == "list":
        return [typed(shape.member, item) for item in value]
    if shape.type_name == "timestamp":
        return datetime.datetime.fromtimestamp(float(value), datetime.timezone.utc)
    return float(value) if shape.type_name in ("double", "float") else value


@functools.cache
def model():
    return botocore.session.Session().get_service_model("cloudwatch")


def put(account, region, dimensions, metrics):
    """Adds metrics, as (name, value, seconds), under the dimensions."""
    dimensions = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    data = [
        {
            "MetricName": name,
            "Value": value,
            # Without a zone, as moto compares them.
            "Timestamp": datetime.datetime.fromtimestamp(moment, datetime.timezone.utc).replace(tzinfo=None),
            "Dimensions": dimensions,
        }
        for name, value, moment in metrics
    ]
    with moto_backend.LOCK:
        moto_backend.backend("monitoring", account, region).put_metric_data("/aws/sagemaker/TrainingJobs", data)
