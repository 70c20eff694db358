"""S3 as a client sees it: S3's own checks around moto."""

from .. import moto_backend
from ..errors import request_id
from . import checks


def answer(tenant, call, request):
    checks.unwrap(request)
    refused = checks.refusal(call, tenant.account, request)
    if refused is not None:
        return refused
    response = moto_backend.call("s3", tenant.account, call.region, request)
    response.headers.setdefault("x-amz-request-id", request_id())
    return response
