"""Encryption at rest: what S3 makes of a request's key and of a bucket's default (user guide, "Using server-side
encryption with AWS KMS keys"; API reference, PutObject and PutBucketEncryption)."""

import re
import uuid

from .. import moto_backend
from ..errors import s3_error
from . import checks
from .operations import split

OPERATIONS = ("PutObject", "CreateMultipartUpload", "CopyObject")
ALGORITHM = "x-amz-server-side-encryption"
KEY = ALGORITHM + "-aws-kms-key-id"
# A key's id, also of one that is in several regions.
KEY_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32}")
# The key that is used where none is named.
MANAGED = "alias/aws/s3"


class NoSuchKey(Exception):
    """KMS has no key of that name."""


def resolve(tenant, call, request):
    """Puts into a request what it will be stored with, a key by its ARN; or returns the error that S3 answers with."""
    if call.operation not in OPERATIONS:
        return None
    bucket = split(request.path)[0]
    algorithm, key = request.headers.get(ALGORITHM), request.headers.get(KEY)
    if algorithm is None:
        algorithm, key = default_of(tenant.account, bucket)
    if algorithm is None:
        return None
    request.headers[ALGORITHM] = algorithm
    request.headers.pop(KEY, None)
    if algorithm.startswith("aws:kms"):
        try:
            request.headers[KEY] = arn(tenant, checks.region_of(bucket, tenant.account), key or MANAGED)
        except NoSuchKey:
            return s3_error(request, 400, "KMS.NotFoundException", "Invalid keyId '%s'" % key)
    return None


def default_of(account, bucket):
    with moto_backend.LOCK:
        default = moto_backend.backend("s3", account).get_bucket(bucket).encryption
    rule = default["Rule"]["ApplyServerSideEncryptionByDefault"] if default else {}
    return rule.get("SSEAlgorithm"), rule.get("KMSMasterKeyID")


def set_default(account, bucket, key=None):
    """With keys of S3's own, as in any new bucket, or with a key of KMS."""
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    with moto_backend.LOCK:
        rule = {"Rule": {"ApplyServerSideEncryptionByDefault": default}}
        moto_backend.backend("s3", account).put_bucket_encryption(bucket, rule)


def arn(tenant, region, key):
    """The ARN of the key that an id, an ARN or an alias means. Every id is one; an alias means one that `kms_aliases`
    tells, or one that follows from its name."""
    name = key.split(":")[-1]
    if name.startswith("key/"):
        return key
    if name.startswith("alias/"):
        found = tenant.kms_aliases.get(name) or str(uuid.uuid5(uuid.NAMESPACE_URL, tenant.account + name))
    elif KEY_ID.fullmatch(name):
        found = name
    else:
        raise NoSuchKey
    return "arn:aws:kms:%s:%s:key/%s" % (region, tenant.account, found)


def storage_of(key):
    """How an object is stored, for a test."""
    return {"algorithm": key.encryption, "key": key.kms_key_id, "class": key.storage_class}
