"""S3 as a client sees it: S3's own checks around moto."""

from .. import moto_backend
from ..errors import request_id
from . import checks, encryption, reads


def answer(tenant, call, request):
    checks.unwrap(request)
    refused = checks.refusal(call, tenant.account, request) or encryption.resolve(tenant, call, request)
    if refused is not None:
        return refused
    if call.operation in reads.OPERATIONS:
        response = reads.answer(tenant.account, call, request)
    else:
        response = moto_backend.call("s3", tenant.account, call.region, request)
    if call.operation == "CreateBucket" and response.status == 200:
        # S3 encrypts what is in a new bucket with keys of its own.
        encryption.set_default(tenant.account, call.key.rstrip("/"))
    response.headers.setdefault("x-amz-request-id", request_id())
    return response
