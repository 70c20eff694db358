"""S3's checksums: of what is sent, of objects, and of objects that came in parts (user guide, "Checking object integrity")."""

import base64
import hashlib
import zlib

from awscrt import checksums

ALGORITHMS = {
    "CRC32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "CRC32C": lambda body: checksums.crc32c(body).to_bytes(4, "big"),
    "CRC64NVME": lambda body: checksums.crc64nvme(body).to_bytes(8, "big"),
    "SHA1": lambda body: hashlib.sha1(body).digest(),
    "SHA256": lambda body: hashlib.sha256(body).digest(),
}
# What S3 computes itself where the client told none.
DEFAULT = "CRC64NVME"


def encoded(algorithm, body):
    return base64.b64encode(ALGORITHMS[algorithm](body)).decode()


def of_key(key):
    """The headers that tell of an object's checksum: computed once, unless a test has told them."""
    if not hasattr(key, "told_sum"):
        algorithm = key.checksum_algorithm or DEFAULT
        parts = part_sizes(key) if is_of_parts(key, algorithm) else None
        key.told_sum = headers(algorithm, key.value, parts)
    return key.told_sum


def is_of_parts(key, algorithm):
    """Of an upload in parts, all but CRC64NVME are, where nothing else was asked for."""
    if key.multipart is None or algorithm == "CRC64NVME":
        return False
    return key.multipart.metadata.get("x-amz-checksum-type", "COMPOSITE") == "COMPOSITE"


def part_sizes(key):
    """None for an object that came whole."""
    if key.multipart is not None:
        return [key.multipart.parts[number].size for number in key.multipart.partlist]
    return getattr(key, "told_parts", None)


def tell(key, algorithm, part_size, wrong, parts=None, is_counted=True, kind=None, is_typed=True, is_whole=False):
    """What a test wants to be told of an object: no checksum at all, one of parts of one size or of these sizes, with
    their number behind it or without, of the whole of an object in parts, of another kind than it is or of none, a wrong
    one. The ETag of parts ends in their number, as in S3."""
    if part_size is not None:
        parts = [min(part_size, key.size - start) for start in range(0, key.size, part_size)]
    if parts is not None:
        key.told_parts = parts
        key._etag = "%s-%d" % (key.etag.strip('"').split("-")[0], len(parts))
    told = headers(algorithm, key.value, None if is_whole else part_sizes(key), wrong) if algorithm else {}
    if not is_counted:
        told = {name: value.split("-")[0] if name != "x-amz-checksum-type" else value for name, value in told.items()}
    if not is_typed:
        told.pop("x-amz-checksum-type", None)
    key.told_sum = {**told, "x-amz-checksum-type": kind} if kind else told


def headers(algorithm, body, parts, wrong=False):
    digest, suffix = ALGORITHMS[algorithm], ""
    if parts is not None:
        starts = [sum(parts[:number]) for number in range(len(parts))]
        body = b"".join(digest(body[start : start + size]) for start, size in zip(starts, parts, strict=True))
        suffix = "-%d" % len(parts)
    value = digest(body)
    if wrong:
        value = bytes([value[0] ^ 1]) + value[1:]
    kind = "FULL_OBJECT" if parts is None else "COMPOSITE"
    return {
        "x-amz-checksum-" + algorithm.lower(): base64.b64encode(value).decode() + suffix,
        "x-amz-checksum-type": kind,
    }
