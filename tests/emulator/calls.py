"""What a request asks: service, operation, region and whose it is, read as AWS reads them."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote

from .s3.operations import operation as s3_operation

CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/([^/]+)/([^/]+)/aws4_request")
CBOR_PATH = re.compile(r"^/service/([^/]+)/operation/([^/]+)$")
# What a JSON request's key is: the thing that it is about.
KEYS = (b"TrainingJobName", b"logStreamName", b"logStreamNamePrefix")
KEY = re.compile(rb'"(?:%s)"\s*:\s*"([^"]*)"' % b"|".join(KEYS))


@dataclass
class Call:
    service: str
    operation: str
    region: str
    access_key: str
    session_token: str
    # A bucket and object, a job, a log stream: what the call is about.
    key: str


def read(request):
    """The call that a request makes, or None for a request that is not signed."""
    access_key, region, service = credential(request)
    if access_key is None:
        return None
    token = request.headers.get("x-amz-security-token") or request.query.get("X-Amz-Security-Token", "")
    return Call(service, operation(service, request), region, access_key, token, key(service, request))


def credential(request):
    found = CREDENTIAL.search(request.headers.get("authorization", ""))
    if not found and "X-Amz-Credential" in request.query:
        found = CREDENTIAL.search("Credential=" + request.query["X-Amz-Credential"])
    return found.groups() if found else (None, None, None)


def operation(service, request):
    if service == "s3":
        return s3_operation(request)
    target = request.headers.get("x-amz-target")
    if target:
        return target.rpartition(".")[2]
    cbor = CBOR_PATH.match(request.path)
    if cbor:
        return cbor.group(2)
    return parse_qs(request.body.decode("utf-8", "replace")).get("Action", [""])[0]


def key(service, request):
    if service == "s3":
        return unquote(request.path).lstrip("/")
    found = KEY.search(request.body)
    return found.group(1).decode("utf-8", "replace") if found else ""
