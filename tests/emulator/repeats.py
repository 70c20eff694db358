"""Lists that never end: whatever page is asked for, the first one comes, with two tokens in turn.

GetLogEvents ends where it answers with the token that it was given: two tokens in turn never end it."""

import itertools
import json
import re

from . import cbor

TOKENS = ("more-1", "more-2")
TOKEN_IN_QUERY = re.compile(r"(?<=[?&])continuation-token=[^&]*&?")
TRUNCATED = re.compile(rb"<IsTruncated>[a-z]*</IsTruncated>")
# By service: the field of a request and of its answer.
FIELDS = {"sagemaker": "NextToken", "logs": "nextToken", "monitoring": "NextToken"}
# By operation: the fields of an answer, where they are others.
ANSWERED = {"GetLogEvents": ("nextForwardToken", "nextBackwardToken")}
NUMBERS = itertools.count()


def answer(call, request, carry_out):
    token = TOKENS[next(NUMBERS) % len(TOKENS)]
    return of_s3(token, request, carry_out) if call.service == "s3" else of_json(token, call, request, carry_out)


def of_s3(token, request, carry_out):
    request.target = TOKEN_IN_QUERY.sub("", request.target)
    response = carry_out()
    told = b"<IsTruncated>true</IsTruncated><NextContinuationToken>%s</NextContinuationToken>" % token.encode()
    response.body = TRUNCATED.sub(told, response.body, count=1)
    return response


def of_json(token, call, request, carry_out):
    decode, encode = (cbor.decode, cbor.encode) if call.service == "monitoring" else (json.loads, to_json)
    asked = decode(request.body)
    asked.pop(FIELDS[call.service], None)
    request.body = encode(asked)
    response = carry_out()
    fields = ANSWERED.get(call.operation, (FIELDS[call.service],))
    response.body = encode({**decode(response.body), **dict.fromkeys(fields, token)})
    response.headers.pop("content-length", None)
    return response


def to_json(content):
    return json.dumps(content).encode()
