"""CloudWatch over RPC v2 CBOR, translated to the JSON that moto speaks; and metrics put in process."""

import datetime
import functools
import json

import botocore.session

from . import cbor, moto_backend
from .calls import CBOR_PATH
from .errors import cbor_error, request_id
from .web import Request, Response


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
    return to_cbor(call.operation, moto_backend.call("monitoring", tenant.account, call.region, json_request))


def to_cbor(operation, response):
    content = json.loads(response.body or b"{}")
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
