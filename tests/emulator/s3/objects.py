"""Objects read and written in process: what a training job's platform does, and what tests look at."""

from .. import moto_backend
from . import checks, encryption, sums


def parse(uri):
    """The bucket and key of an s3:// URI."""
    bucket, _, key = uri[len("s3://") :].partition("/")
    return bucket, key


def make_bucket(account, bucket, region, versioned):
    with moto_backend.LOCK:
        backend = moto_backend.backend("s3", account)
        backend.create_bucket(bucket, region)
        if versioned:
            backend.put_bucket_versioning(bucket, "Enabled")
        encryption.set_default(account, bucket)


def put(account, bucket, key, body):
    with moto_backend.LOCK:
        moto_backend.backend("s3", account).put_object(bucket, key, body)


def storage(account, bucket, key, storage_class=None):
    """How an object is stored; from now on in a storage class, if one is told."""
    with moto_backend.LOCK:
        found = moto_backend.backend("s3", account).get_object(bucket, key)
        if storage_class:
            found._storage_class = storage_class
        return encryption.storage_of(found)


def delete(account, bucket, key):
    with moto_backend.LOCK:
        moto_backend.backend("s3", account).delete_object(bucket, key)


def tell_checksum(account, bucket, key, algorithm, part_size=None, wrong=False, **more):
    """What S3 is to say of an object's checksum from now on."""
    with moto_backend.LOCK:
        sums.tell(moto_backend.backend("s3", account).get_object(bucket, key), algorithm, part_size, wrong, **more)


def get(account, bucket, key):
    """The object's bytes, or None."""
    with moto_backend.LOCK:
        if checks.owner_of(bucket) != account:
            return None
        found = moto_backend.backend("s3", account).get_object(bucket, key)
        return found.value if found is not None else None


def keys(account, bucket, prefix=""):
    """Every key below the prefix, sorted."""
    with moto_backend.LOCK:
        if checks.owner_of(bucket) != account:
            return []
        return sorted(
            key for key in moto_backend.backend("s3", account).get_bucket(bucket).keys if key.startswith(prefix)
        )


def buckets(account):
    with moto_backend.LOCK:
        return sorted(moto_backend.backend("s3", account).buckets)
