#!/usr/bin/env python3
"""Serves a folder as S3 does objects from afar: a wait before each answer, and connections that carry so much and no more.

    python3 benches/shaped_server.py FOLDER [--latency 0.06] [--rate 30e6]

Knows HEAD, GET, Range and If-Match; what is put, whole or in parts, is counted and forgotten. Prints its URL and serves until
stdin is closed. `GET /counts` tells how many requests came, how many connections were open at once at most, the bytes that
came of each object, and how many bytes of objects were handed to the kernel to send: of a client that is killed, what it was
sent at most.
"""

import argparse
import collections
import http.server
import json
import os
import pathlib
import re
import socket
import socketserver
import sys
import threading
import time

from storage import BEGUN, COMPLETED, LIST

# How much goes in one sendfile, in seconds: 16 connections are 1,800 a second.
SLICE = 0.009
# What is under way in the kernel is not paced, and counts as sent: it stays small.
BUFFER = 256 * 1024


class Counts:
    def __init__(self):
        self.lock = threading.Lock()
        self.sent = self.requests = self.open = self.most_open = 0
        self.came = collections.Counter()

    def add(self, sent=0, requests=0, connections=0):
        with self.lock:
            self.sent += sent
            self.requests += requests
            self.open += connections
            self.most_open = max(self.most_open, self.open)

    def told(self):
        return {"sent": self.sent, "requests": self.requests, "most_open": self.most_open, "came": self.came}

    def add_object(self, path, length):
        with self.lock:
            self.came[path] += length


class Pace:
    """When the next slice of a connection is due."""

    def __init__(self, rate):
        self.rate, self.due = rate, 0.0
        self.slice = max(1, int(rate * SLICE))

    def wait(self, length):
        """What a connection was late with it catches up on, up to a slice."""
        now = time.monotonic()
        self.due = max(self.due, now - SLICE) + length / self.rate
        if self.due > now:
            time.sleep(self.due - now)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    folder = latency = rate = counts = None

    def setup(self):
        super().setup()
        for buffer in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            self.connection.setsockopt(socket.SOL_SOCKET, buffer, BUFFER)
        self.pace = Pace(self.rate)
        self.counts.add(connections=1)

    def finish(self):
        self.counts.add(connections=-1)
        super().finish()

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/counts":
            return self.whole(json.dumps(self.counts.told()).encode())
        self.counts.add(requests=1)
        time.sleep(self.latency)
        if "list-type=2" in query:
            return self.whole(LIST.encode())
        try:
            with open(self.folder / path.lstrip("/"), "rb") as file:
                self.serve(file)
        except (FileNotFoundError, IsADirectoryError):
            self.head("404 Not Found", 0)

    def serve(self, file):
        found = os.fstat(file.fileno())
        tag = f'"{found.st_mtime_ns:x}-{found.st_size:x}"'
        if self.headers.get("if-match", tag) not in (tag, "*"):
            self.head("412 Precondition Failed", 0)
            return
        start, end = self.range(found.st_size)
        if start >= end:
            self.head("416 Range Not Satisfiable", 0, f"content-range: bytes */{found.st_size}")
            return
        common = [f"etag: {tag}", "accept-ranges: bytes", f"last-modified: {self.date_time_string(found.st_mtime)}"]
        if "range" in self.headers:
            self.head(
                "206 Partial Content", end - start, *common, f"content-range: bytes {start}-{end - 1}/{found.st_size}"
            )
        else:
            self.head("200 OK", end - start, *common)
        if self.command == "GET":
            self.send(file, start, end)

    def range(self, size):
        """The first byte that is asked for, and the one after the last."""
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("range", ""))
        if not asked or asked[0] == "bytes=-":
            return 0, size
        if not asked[1]:
            return max(0, size - int(asked[2])), size
        return int(asked[1]), min(size, int(asked[2]) + 1 if asked[2] else size)

    def send(self, file, start, end):
        while start < end:
            length = min(self.pace.slice, end - start)
            self.pace.wait(length)
            sent = os.sendfile(self.connection.fileno(), file.fileno(), start, length)
            self.counts.add(sent=sent)
            start += sent

    def do_PUT(self):
        """An object or a part of it."""
        self.counts.add(requests=1)
        length = self.receive()
        time.sleep(self.latency)
        self.counts.add_object(
            self.path.partition("?")[0], int(self.headers.get("x-amz-decoded-content-length", length))
        )
        self.head("200 OK", 0, 'etag: "1"')

    def do_POST(self):
        """The beginning or the end of an upload in parts."""
        self.counts.add(requests=1)
        self.receive()
        time.sleep(self.latency)
        self.whole((COMPLETED if "uploadId=" in self.path else BEGUN).encode())

    def receive(self):
        left = length = int(self.headers.get("content-length", 0))
        while left > 0:
            came = len(self.rfile.read(min(self.pace.slice, left)))
            if came == 0:
                raise ConnectionResetError
            self.pace.wait(came)
            left -= came
        return length

    def whole(self, body):
        self.head("200 OK", len(body))
        self.wfile.write(body)

    def head(self, status, length, *lines):
        kept = [f"HTTP/1.1 {status}", f"content-length: {length}", "x-amz-request-id: 1", *lines]
        self.wfile.write(("\r\n".join(kept) + "\r\n\r\n").encode())

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """A client that is killed in the middle of an object is part of the benchmark."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--latency", type=float, default=0.06, help="seconds before an answer")
    parser.add_argument("--rate", type=float, default=30e6, help="bytes a second of a connection")
    return parser.parse_args()


def main():
    options = parse()
    Handler.folder, Handler.latency, Handler.rate, Handler.counts = (
        options.folder,
        options.latency,
        options.rate,
        Counts(),
    )
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
