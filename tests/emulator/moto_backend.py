"""moto, called in process: one request in, one response out, for the account and region that it is told."""

import importlib
import re
import threading

from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import HTTPException
from moto.core.request import Request as MotoRequest

from .web import Response

HOSTS = {
    "s3": "s3.{region}.amazonaws.com",
    "sts": "sts.{region}.amazonaws.com",
    "iam": "iam.amazonaws.com",
    "logs": "logs.{region}.amazonaws.com",
    "monitoring": "monitoring.{region}.amazonaws.com",
}
MODULES = {"monitoring": "cloudwatch"}

# moto's backends are not made for several threads.
LOCK = threading.RLock()


def backend(service, account, region="us-east-1"):
    """moto's own store of an account. Use it under LOCK."""
    backends = registry(service)[account]
    # S3 and IAM have one store a partition.
    return backends[region] if service in ("logs", "monitoring") else backends["aws"]


def registry(service):
    name = MODULES.get(service, service)
    return getattr(importlib.import_module("moto.%s.models" % name), name + "_backends")


def call(service, account, region, request):
    host = HOSTS[service].format(region=region)
    headers = dict(request.headers, host=host)
    headers["x-moto-account-id"] = account
    # The URL tells the region; the client's name could tell another.
    headers.pop("user-agent", None)
    moto_request = MotoRequest.from_primitives(
        request.method, "https://" + host + request.target, headers, request.body
    )
    # The path as it was sent: an encoded slash is no slash.
    moto_request.environ["RAW_URI"] = request.target
    url = moto_request.raw_url
    with LOCK:
        status, answer_headers, body = handle(handler(service, url.partition("?")[0]), moto_request, url)
    body = body.encode("utf-8") if isinstance(body, str) else bytes(body or b"")
    return Response(int(status), body, {str(name): str(value) for name, value in answer_headers.items()})


def handle(method, request, url):
    try:
        return method(request, url, request.headers)
    except HTTPException as error:
        return error.code, dict(error.get_headers()), error.get_body()


def handler(service, url):
    for pattern, method in patterns(service):
        if pattern.match(url):
            return method
    raise LookupError("moto has nothing at " + url)


PATTERNS = {}


def patterns(service):
    if service not in PATTERNS:
        backends = registry(service)[DEFAULT_ACCOUNT_ID]
        some = backends["us-east-1"] if "us-east-1" in backends else backends["aws"]
        PATTERNS[service] = [(re.compile(url), method) for url, method in some.urls.items()]
    return PATTERNS[service]
