"""Requests and responses as values, and the threaded HTTP/1.1 server that reads the ones and writes the others."""

import os
import socket
import struct
import time
from dataclasses import dataclass, field
from http.client import responses as REASONS
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

from . import chunked


@dataclass
class Request:
    method: str
    # As it was sent: percent-encoded.
    target: str
    # Names in lower case.
    headers: dict
    body: bytes

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass
class Response:
    status: int
    body: bytes = b""
    headers: dict = field(default_factory=dict)
    # How it is delivered: None, or one of the ways below.
    delivery: str = None
    # Of a slow body, in bytes a second.
    rate: float = None
    piece: int = None
    # Of a flood, in bytes, and whether the head tells it.
    size: int = None
    is_told: bool = True
    # Of the call's record, which counts what is sent.
    entry: dict = field(default_factory=lambda: {"sent": 0})


# The connection is reset and nothing is sent.
RESET = "reset"
# Content-Length tells of more than is sent.
TRUNCATED = "truncated"
# The connection is reset in the middle of the body.
RESET_MIDDLE = "reset_middle"
# The body comes in small pieces with pauses.
SLOW = "slow"

# The body is followed by zeros, as many as make it `size` bytes long.
FLOOD = "flood"

PIECE = 256 * 1024
SLOW_PIECES = 10
SLOW_PAUSE_SECONDS = 0.2
# Of a body with a rate: so small that little is on its way when the client goes away.
SMALL_PIECE = 2 * 1024


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Hundreds of clients connect at once.
    request_queue_size = 1024

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer

    def handle_error(self, request, client_address):
        """A client that went away is its own business: tests kill clients."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Headers go out with the body, in one segment.
    wbufsize = -1

    def answer(self):
        try:
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, self.read_body(headers))
            self.write(request, self.server.answer(request))
        except ConnectionError:
            self.close_connection = True

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do_OPTIONS = answer

    def handle_expect_100(self):
        """The client waits for this word before it sends the body."""
        self.send_response_only(100)
        self.end_headers()
        self.wfile.flush()
        return True

    def read_body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return chunked.read_transfer(self.rfile)
        length = int(headers.get("content-length") or 0)
        body = self.rfile.read(length)
        if len(body) < length:
            raise ConnectionError("the client sent less than it said")
        return body

    def write(self, request, response):
        if response.delivery == RESET:
            self.reset()
            return
        body = b"" if request.method == "HEAD" else response.body
        self.write_head(request, response)
        if response.delivery == FLOOD:
            self.flood(body, response)
            return
        if response.delivery in (TRUNCATED, RESET_MIDDLE):
            self.send([body[: len(body) // 2]], response)
            self.reset(with_data=response.delivery == TRUNCATED)
            return
        self.send(slow_pieces(body, response) if response.delivery == SLOW else pieces(body, PIECE), response)

    def send(self, body, response):
        for piece in body:
            self.wfile.write(piece)
            self.wfile.flush()
            response.entry["sent"] += len(piece)

    def flood(self, body, response):
        self.close_connection = True
        self.send(pieces(body, PIECE), response)
        zeros = bytes(PIECE)
        while response.entry["sent"] < response.size:
            self.send([zeros[: response.size - response.entry["sent"]]], response)

    def write_head(self, request, response):
        lines = ["HTTP/1.1 %d %s" % (response.status, REASONS.get(response.status, ""))]
        headers = {name.lower(): str(value) for name, value in response.headers.items()}
        # The answer to HEAD tells the object's length.
        if request.method != "HEAD" or "content-length" not in headers:
            headers["content-length"] = str(response.size or len(response.body))
        if not response.is_told:
            # The body ends with the connection.
            headers["connection"] = headers.pop("content-length") and "close"
        headers.setdefault("date", self.date_time_string())
        lines += ["%s: %s" % header for header in headers.items()]
        self.wfile.write(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8"))

    def reset(self, with_data=False):
        """Ends the connection so that the client sees a reset, or with what was sent and no more."""
        self.close_connection = True
        if with_data:
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # Closing the descriptor itself: the server's own way would say goodbye first.
        os.close(self.connection.detach())

    def log_message(self, *_):
        """Calls are recorded, not printed."""


def pieces(body, size):
    """One at least: with an empty body the head goes out, too."""
    for start in range(0, max(1, len(body)), size):
        yield body[start : start + size]


def slow_pieces(body, response):
    rate = response.rate
    size = response.piece if rate else max(1, -(-len(body) // SLOW_PIECES))
    start = time.monotonic()
    for number, piece in enumerate(pieces(body, size), 1):
        yield piece
        due = start + number * (size / rate if rate else SLOW_PAUSE_SECONDS)
        time.sleep(max(0, due - time.monotonic()))
