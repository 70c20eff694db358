"""Lists a bucket of so many small objects, hands out none, and runs a download of them: prints its peak of memory in bytes.

Arguments: the number of objects, then the command.
"""

import os
import resource
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

COUNT = int(sys.argv[1])
PAGE = 1000
TAG = "&quot;9dd4e461268c8034f5c8564e155c67a6&quot;"
ROW = "<Contents><Key>model/a-part-of-the-model-%08d.bin</Key><ETag>" + TAG + "</ETag><Size>8</Size></Contents>"
LIST = "<ListBucketResult><IsTruncated>%s</IsTruncated>%s%s</ListBucketResult>"
NEXT = "<NextContinuationToken>%d</NextContinuationToken>"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        if "list-type" in query:
            self.reply(200, page(int(query.get("continuation-token", ["0"])[0])))
        else:
            self.reply(403, "")

    def reply(self, status, text):
        self.send_response(status)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def page(start):
    end = min(start + PAGE, COUNT)
    rows = "".join(ROW % number for number in range(start, end))
    more = end < COUNT
    return LIST % ("true" if more else "false", NEXT % end if more else "", rows)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = "http://127.0.0.1:%d" % server.server_address[1]
ran = subprocess.run(
    sys.argv[2:], check=False, env={**os.environ, "AWS_ENDPOINT_URL": endpoint}, stderr=subprocess.PIPE, text=True
)
server.shutdown()
assert ran.returncode == 1 and "access denied" in ran.stderr, ran
# Linux counts in KiB, macOS in bytes.
unit = 1 if sys.platform == "darwin" else 1024
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit)
