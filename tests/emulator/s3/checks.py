"""What S3 checks of a request before it is carried out: owner, region, and the checksum of what was sent."""

from .. import chunked, moto_backend
from ..errors import s3_error
from . import sums
from .operations import split

# These answer from any region.
ANYWHERE = {"CreateBucket", "GetBucketLocation", "ListBuckets"}


def refusal(call, account, request):
    """The error that S3 answers with, or None."""
    bucket = split(request.path)[0]
    owner = owner_of(bucket)
    if owner is None:
        return None
    expected = request.headers.get("x-amz-expected-bucket-owner")
    if call.operation != "CreateBucket" and (owner != account or expected not in (None, owner)):
        return s3_error(request, 403, "AccessDenied", "Access Denied")
    region = region_of(bucket, owner)
    if call.region != region and call.operation not in ANYWHERE:
        return wrong_region(request, bucket, region)
    return bad_checksum(request)


def wrong_region(request, bucket, region):
    message = "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint."
    answer = s3_error(
        request, 301, "PermanentRedirect", message, Bucket=bucket, Endpoint="s3.%s.amazonaws.com" % region
    )
    answer.headers["x-amz-bucket-region"] = region
    return answer


def owner_of(bucket):
    found = moto_backend.registry("s3").bucket_accounts.get(bucket)
    return found[1] if found else None


def region_of(bucket, owner):
    with moto_backend.LOCK:
        return moto_backend.backend("s3", owner).get_bucket(bucket).region_name


def bad_checksum(request):
    for name in sums.ALGORITHMS:
        told = request.headers.get("x-amz-checksum-" + name.lower())
        if told and request.method == "PUT" and sums.encoded(name, request.body) != told:
            message = "The %s you specified did not match the calculated checksum." % name
            return s3_error(request, 400, "BadDigest", message)
    return None


def unwrap(request):
    """Takes an aws-chunked body apart: its content becomes the body, its trailing checksum a header."""
    if not request.headers.get("x-amz-content-sha256", "").startswith("STREAMING-"):
        return
    request.body, trailing = chunked.decode_aws(request.body)
    if len(request.body) != int(request.headers.get("x-amz-decoded-content-length", len(request.body))):
        raise ConnectionError("the content is not as long as was said")
    for name in ("transfer-encoding", "x-amz-trailer", "x-amz-decoded-content-length"):
        request.headers.pop(name, None)
    request.headers.update({name: value for name, value in trailing.items() if name.startswith("x-amz-checksum-")})
    request.headers.update({"x-amz-content-sha256": "UNSIGNED-PAYLOAD", "content-length": str(len(request.body))})
    encodings = [part.strip() for part in request.headers.pop("content-encoding", "").split(",")]
    kept = ",".join(part for part in encodings if part not in ("", "aws-chunked"))
    if kept:
        request.headers["content-encoding"] = kept
