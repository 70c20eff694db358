"""Errors in the forms in which the services answer them."""

import json
import uuid
from xml.sax.saxutils import escape

from . import cbor
from .web import Response


class ServiceError(Exception):
    """An error of a JSON service, to be answered."""

    def __init__(self, code, message, status=400):
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


def request_id():
    return str(uuid.uuid4())


def s3_error(request, status, code, message, **more):
    fields = {"Code": code, "Message": message, **more, "RequestId": request_id(), "HostId": "emulator"}
    text = "".join("<%s>%s</%s>" % (name, escape(value), name) for name, value in fields.items())
    body = b'<?xml version="1.0" encoding="UTF-8"?>\n<Error>' + text.encode() + b"</Error>"
    headers = {"content-type": "application/xml", "x-amz-request-id": fields["RequestId"]}
    return Response(status, b"" if request.method == "HEAD" else body, headers)


def json_error(status, code, message):
    body = json.dumps({"__type": code, "message": message}).encode()
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": request_id(), "x-amzn-errortype": code}
    return Response(status, body, headers)


def query_error(status, code, message):
    kind = "Sender" if status < 500 else "Receiver"
    text = "<ErrorResponse><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>"
    body = text % (kind, escape(code), escape(message), request_id())
    return Response(status, body.encode(), {"content-type": "text/xml"})


def cbor_error(status, code, message):
    body = cbor.encode({"__type": "com.amazonaws.cloudwatch#" + code, "message": message})
    headers = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor", "x-amzn-requestid": request_id()}
    return Response(status, body, headers)


def error(service, request, status, code, message, **more):
    """The error in the form of the service that was asked."""
    if service == "s3":
        return s3_error(request, status, code, message, **more)
    if service in ("sts", "iam"):
        return query_error(status, code, message)
    if "smithy-protocol" in request.headers:
        return cbor_error(status, code, message)
    return json_error(status, code, message)
