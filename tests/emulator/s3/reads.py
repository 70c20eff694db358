"""GetObject and HeadObject: of moto are the words; stretches, parts and checksums are told here as S3 tells them."""

import re

from .. import moto_backend
from ..errors import s3_error
from ..web import Request, Response
from . import sums

OPERATIONS = ("GetObject", "HeadObject")
RANGE = re.compile(r"bytes=(\d*)-(\d*)")
PART = re.compile(r"(?<=[?&])partNumber=[^&]*&?")


class Unsatisfiable(Exception):
    """Nothing of the object lies in the stretch."""


def answer(account, call, request):
    with moto_backend.LOCK:
        told = moto_backend.call("s3", account, call.region, plain(request, "HEAD"))
        if told.status != 200:
            # What S3 says of a GET has a body.
            return moto_backend.call("s3", account, call.region, plain(request, request.method))
        bucket, _, name = call.key.partition("/")
        key = moto_backend.backend("s3", account).get_object(bucket, name, request.query.get("versionId"))
        try:
            return found(key, {name.lower(): value for name, value in told.headers.items()}, request)
        except Unsatisfiable:
            size = str(key.size)
            asked = {"RangeRequested": request.headers.get("range", ""), "ActualObjectSize": size}
            return s3_error(request, 416, "InvalidRange", "The requested range is not satisfiable", **asked)


def plain(request, method):
    """The request for the whole object."""
    headers = {name: value for name, value in request.headers.items() if name not in ("range", "x-amz-checksum-mode")}
    return Request(method, PART.sub("", request.target), headers, b"")


def found(key, headers, request):
    start, end, is_part = stretch(key, request)
    headers["content-length"] = str(end - start)
    if is_part:
        headers["content-range"] = "bytes %d-%d/%d" % (start, end - 1, key.size)
    elif request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers.update(sums.of_key(key))
    if "partNumber" in request.query and sums.part_sizes(key):
        headers["x-amz-mp-parts-count"] = str(len(sums.part_sizes(key)))
    body = read(key, start, end) if request.method == "GET" else b""
    return Response(206 if is_part else 200, body, headers)


def stretch(key, request):
    """Where what is asked for starts and ends, and whether it was a stretch that was asked for."""
    if "partNumber" in request.query:
        sizes, number = sums.part_sizes(key) or [key.size], int(request.query["partNumber"])
        if not 1 <= number <= len(sizes):
            raise Unsatisfiable
        start = sum(sizes[: number - 1])
        return start, start + sizes[number - 1], True
    asked = RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    first, last = asked.groups() if asked else ("", "")
    if (not first and not last) or (first and last and int(first) > int(last)):
        # What can't be read says nothing.
        return 0, key.size, False
    start = int(first) if first else max(0, key.size - int(last))
    end = min(int(last) + 1, key.size) if first and last else key.size
    if start >= end:
        raise Unsatisfiable
    return start, end, True


def read(key, start, end):
    """Without the rest, which moto's own way would copy."""
    with key.lock:
        key._value_buffer.seek(start)
        return key._value_buffer.read(end - start)
