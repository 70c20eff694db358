#!/usr/bin/env python3
"""How `smtrain logs` reads and follows a job's log, beside the tools that people use for it, on the same server.

    cargo build --release && python3 benches/logs.py [--peers] [--only throughput,first,quiet,live] [--runs 5]

benches/log_server.py plays SageMaker and CloudWatch Logs on the loopback, one server for each tool. Measured are
  throughput  lines a second to a pipe and memory, of an ended job of 64 nodes, with 5,000 and with 20,000 lines a node;
  first       the first line of a running job: seconds, and how many answers it waits for, one after the other: what half a
              second more before each answer adds;
  quiet       calls a second that following a job costs which prints nothing;
  live        jobs that print, 5 % of their lines readable up to 20 s late: lines lost and doubled, delay, and calls.

With --peers, awslogs and the SageMaker Python SDK are installed from PyPI under target/bench-peers. `aws logs tail` is in
version 2 of the AWS command line only, which PyPI does not have: it is measured where such an `aws` is on PATH (Debian's
package awscli), or at --aws. A peer's reading is cut off after --patience seconds, and its rate is that of the lines until then.
The SDK lists a job's streams without end where there are more than one page of 50: it is given no job of more nodes.
"""

import argparse
import bisect
import collections
import contextlib
import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from log_server import GROUP, LATEST, Job, Plan
from measure import SMTRAIN, STARTER

PEERS = ["awslogs==0.15.0", "sagemaker==2.257.7"]
FOLDER = pathlib.Path("target/bench-peers").absolute()
SERVER = pathlib.Path(__file__).parent / "log_server.py"
SDK = """import sys, boto3, sagemaker
session = sagemaker.Session(boto3.Session(), default_bucket="bench")
session.logs_for_job(sys.argv[1], wait=len(sys.argv) > 2)"""
LATENCIES = (0.0, 0.060, 0.5)
# In every line once; a tool can print others of its own.
MARK = b" line "
LINE = re.compile(rb"node (\d+) line (\d+)")
# Seconds: what a follower may take until it follows; for how long the job has printed then (awslogs refuses one that has not);
# until a follower that doesn't see the job's end is stopped; for one that does.
WARM_UP = 15
HEAD_START = 3
GRACE = 15
DRAIN = 120
QUIET = 60


@dataclasses.dataclass
class Tool:
    name: str
    program: str
    read: list
    follow: list
    is_peer: bool = True
    sees_end: bool = False
    most_nodes: int = 1_000_000

    def can_read(self, nodes):
        return bool(shutil.which(self.program or "/none")) and nodes <= self.most_nodes


def install_peers():
    if not FOLDER.exists():
        subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    subprocess.run([FOLDER / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS], check=True)


def tools(aws):
    """What there is to measure, smtrain first. Its arguments' {url} and {job} are filled in for each run."""
    python, awslogs = str(FOLDER / "bin" / "python"), str(FOLDER / "bin" / "awslogs")
    smtrain = [SMTRAIN, "logs", "{job}"]
    tail = [
        aws,
        "--endpoint-url",
        "{url}",
        "logs",
        "tail",
        GROUP,
        "--log-stream-name-prefix",
        "{job}/",
        "--since",
        "1d",
    ]
    get = [awslogs, "get", GROUP, "{job}/.*", "--start", "1d"]
    sdk = [python, "-W", "ignore", "-c", SDK, "{job}"]
    return [
        Tool("`smtrain logs`", SMTRAIN, smtrain, [*smtrain, "-f"], is_peer=False, sees_end=True),
        Tool("`aws logs tail` (2)", aws, tail, [*tail, "--follow"]),
        Tool("`awslogs get`", awslogs, get, [*get, "--watch"]),
        Tool(
            "SDK, `logs_for_job` (2.257)",
            python if has_sdk(python) else "",
            sdk,
            [*sdk, "wait"],
            sees_end=True,
            most_nodes=50,
        ),
    ]


def ways():
    """Other ways to read an ended job's log with smtrain."""
    for way in (["-o", "json"], ["--timestamps"], ["-f"]):
        yield Tool(f"`smtrain logs {' '.join(way)}`", SMTRAIN, [SMTRAIN, "logs", "{job}", *way], [], is_peer=False)


def has_sdk(python):
    """Looked for without an import, which takes seconds."""
    code = "import importlib.util, sys; sys.exit(importlib.util.find_spec('sagemaker') is None)"
    return bool(shutil.which(python)) and subprocess.run([python, "-c", code], check=False).returncode == 0


def find_aws():
    """The first `aws` of version 2 on PATH."""
    for folder in os.environ["PATH"].split(os.pathsep):
        aws = shutil.which("aws", path=folder)
        if aws and b"aws-cli/2" in subprocess.run([aws, "--version"], capture_output=True, check=False).stdout:
            return aws
    return ""


@contextlib.contextmanager
def served(plan):
    """The URL of a new server."""
    command = [sys.executable, SERVER, *plan.arguments()]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process.stdout.readline().strip()
        process.stdin.close()


def calls(url):
    """When each operation was called."""
    with urllib.request.urlopen(f"{url}/calls") as answer:
        return json.load(answer)


class Run:
    """A tool at work, its stdout a pipe. It has a session of its own: what ends this program has to end it, too."""

    all = []

    def __init__(self, command, url, job, home):
        self.start = time.time()
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 - read when the command has ended
        self.was_stopped = False
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "example",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "AWS_ENDPOINT_URL": url,
        }
        if "-f" in command or "--follow" in command or "--watch" in command or "wait" in command:
            # Some of the peers would keep their lines to themselves while they follow.
            environment["PYTHONUNBUFFERED"] = "1"
        command = [text.format(url=url, job=job) if "{" in text else text for text in command]
        self.report, write = os.pipe()
        starter = [sys.executable, "-I", "-S", "-c", STARTER, str(write), *command]
        self.process = subprocess.Popen(
            starter,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env=environment,
            pass_fds=[write],
            start_new_session=True,
        )
        os.close(write)
        self.out = self.process.stdout.fileno()
        self.timers = []
        self.all.append(self)

    def stop_after(self, seconds):
        """Asks it to end, and the second time makes it."""
        self.timers = [threading.Timer(seconds, self.kill, [signal.SIGTERM]), threading.Timer(seconds + 5, self.kill)]
        for timer in self.timers:
            timer.daemon = True
            timer.start()

    def kill(self, number=signal.SIGKILL):
        """The tool, whatever it has started, and its starter."""
        if self.process.returncode is not None:
            return
        self.was_stopped = True
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def wait(self):
        """Wall and CPU seconds and MB; none where it had to be killed."""
        with open(self.report) as report:
            numbers = [float(number) for number in report.read().split()]
        for timer in self.timers:
            timer.cancel()
        self.process.wait()
        self.end = time.time()
        self.process.stdout.close()
        return (numbers[0], numbers[1], numbers[2] / (1e6 if sys.platform == "darwin" else 1e3)) if numbers else None

    def complaint(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace").strip().rpartition("\n")[2][:130]


def table(title, columns):
    print(f"\n| {title} | {' | '.join(columns)} |\n|{'---|' * (len(columns) + 1)}", flush=True)


def row(name, *cells):
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def present(all_tools, columns, nodes=1):
    """The tools that are there and can read so many nodes; of the others it is said why not."""
    for tool in all_tools:
        if tool.can_read(nodes):
            yield tool
        else:
            why = f"never ends over {tool.most_nodes} nodes" if tool.can_read(1) else "not installed"
            row(tool.name, why, *[""] * (columns - 1))


# Throughput


def read_all(tool, url, options, home):
    """Lines, wall and CPU seconds, MB; whether it was cut off."""
    run = Run(tool.read, url, "bench", home)
    run.stop_after(options.patience)
    lines, rest = 0, b""
    while chunk := os.read(run.out, 1 << 20):
        lines += (rest + chunk).count(MARK)
        rest = chunk[1 - len(MARK) :]
    usage = run.wait()
    if lines == 0 or usage is None:
        sys.exit(f"failed: {tool.name}: {run.complaint()}")
    return (lines, *usage, run.was_stopped)


def throughput(options, home):
    columns = ["lines a second", "ratio", "CPU s a million lines", "max MB", "lines missing"]
    for events in options.lengths:
        table(f"{options.nodes} nodes, {events:,} lines each", columns)
        first = None
        for tool in present([options.tools[0], *ways(), *options.tools[1:]], len(columns)):
            plan = Plan(nodes=min(options.nodes, tool.most_nodes), events=events)
            with served(plan) as url:
                samples = [read_all(tool, url, options, home) for _ in range(1 if tool.is_peer else options.runs)]
            first = show_throughput(tool, samples, plan, first)


def show_throughput(tool, samples, plan, first):
    rate = statistics.median(lines / wall for lines, wall, *_ in samples)
    cpu = statistics.median(cpu / lines * 1e6 for lines, _, cpu, *_ in samples)
    memory = max(sample[3] for sample in samples)
    lines, wall, _, _, is_cut = samples[-1]
    missing = f"(cut off after {wall:.0f} s, {lines:,} lines)" if is_cut else f"{plan.nodes * plan.events - lines:,}"
    first = first or rate
    name = tool.name if plan.nodes < tool.most_nodes else f"{tool.name}, {plan.nodes} nodes"
    row(name, f"{rate:,.0f}", f"{first / rate:.1f}", f"{cpu:.2f}", f"{memory:.0f}", missing)
    return first


# The first line


def first_line(tool, url, home):
    """Seconds from the start of the process to the first line of the log on stdout."""
    run = Run(tool.follow, url, "bench", home)
    run.stop_after(60)
    text = b""
    while MARK not in text and (chunk := os.read(run.out, 1 << 16)):
        text += chunk
    seconds = time.time() - run.start
    run.kill()
    run.wait()
    return seconds if MARK in text else None


def first(options, home):
    columns = [
        "s",
        *[f"s, {latency * 1000:.0f} ms before each answer" for latency in LATENCIES[1:]],
        "answers waited for",
    ]
    for nodes in (8, 64):
        table(f"first line of a running job, {nodes} nodes", columns)
        with contextlib.ExitStack() as stack:
            plans = [Plan(nodes=nodes, events=100, in_progress=True, latency=latency) for latency in LATENCIES]
            urls = [stack.enter_context(served(plan)) for plan in plans]
            for tool in present(options.tools, len(columns), nodes):
                show_first(tool, [[first_line(tool, url, home) for url in urls] for _ in range(options.runs)])


def show_first(tool, samples):
    if any(None in sample for sample in samples):
        return row(tool.name, "none within 60 s", *[""] * len(LATENCIES))
    medians = [statistics.median(column) for column in zip(*samples)]
    answers = (medians[-1] - medians[0]) / LATENCIES[-1]
    return row(tool.name, *[f"{seconds:.3f}" for seconds in medians], f"{answers:.1f}")


# Following


class Followed:
    """What a follower printed, and when."""

    def __init__(self, tool, plan, home):
        self.tool, self.plan, self.home = tool, plan, home
        self.text, self.offsets, self.times, self.calls = bytearray(), [], [], {}

    def follow(self, url, until):
        """Returns when the tool has ended or, where it does not by itself, was stopped at a time."""
        self.run = Run(self.tool.follow, url, "bench", self.home)
        self.run.stop_after(until - self.run.start)
        while chunk := os.read(self.run.out, 1 << 20):
            self.text += chunk
            self.offsets.append(len(self.text))
            self.times.append(time.time())
        self.run.wait()
        # The servers are gone where the measuring was stopped.
        with contextlib.suppress(OSError):
            self.calls = calls(url)

    def lines(self):
        """Node, number and time of arrival of each line that was printed."""
        for match in LINE.finditer(self.text):
            yield int(match[1]), int(match[2]), self.times[bisect.bisect_right(self.offsets, match.start())]

    def rates(self, start, end):
        """Calls a second of each operation."""
        counted = {name: sum(start <= at < end for at in times) for name, times in self.calls.items()}
        return {name: count / (end - start) for name, count in counted.items() if count}


def follow_all(options, plan, home, until):
    """All the tools at the same time, each with a server of its own."""
    followed = [Followed(tool, plan, home) for tool in options.tools if tool.can_read(plan.nodes)]
    with contextlib.ExitStack() as stack:
        urls = [stack.enter_context(served(plan)) for _ in followed]
        time.sleep(max(0, plan.start + HEAD_START - time.time()) if plan.start else 0)
        threads = [threading.Thread(target=one.follow, args=(url, until(one.tool))) for one, url in zip(followed, urls)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return {one.tool.name: one for one in followed}


def told(rates):
    return f"{sum(rates.values()):.2f}", ", ".join(f"{name} {rate:.2f}" for name, rate in sorted(rates.items()))


def quiet(options, home):
    columns = ["calls a second", "of them"]
    for nodes in (1, 8, 64):
        plan = Plan(nodes=nodes, events=100, in_progress=True)
        start = time.time()
        followed = follow_all(options, plan, home, lambda _, start=start: start + WARM_UP + QUIET)
        table(f"a quiet job of {nodes} node{'s' if nodes > 1 else ''}", columns)
        for tool in present(options.tools, len(columns), nodes):
            one = followed[tool.name]
            row(tool.name, *told(one.rates(start + WARM_UP, start + WARM_UP + QUIET)))


def live(options, home):
    columns = ["lost", "doubled", "delay s: median", "95 %", "longest", "calls a second", "of them", "ended after s"]
    for nodes, rate, stagger in [(8, 2, 0.5), (64, 2, 0.1), (500, 1, 0.02)]:
        plan = Plan(
            nodes=nodes, events=int(rate * options.seconds), rate=rate, late=0.05, stagger=stagger, start=time.time()
        )
        end = Job(plan).end / 1000
        followed = follow_all(
            options, plan, home, lambda tool, end=end: end + (DRAIN if tool.sees_end else LATEST / 1000 + GRACE)
        )
        table(
            f"{nodes} nodes, {rate} line{'s' if rate > 1 else ''} a second each, {options.seconds} s, 5 % late", columns
        )
        for tool in present(options.tools, len(columns), nodes):
            show_live(followed[tool.name], plan, end)


def show_live(one, plan, end):
    expected = {line[1:3]: line[3] / 1000 for lines in Job(plan).by_node for line in lines.all}
    arrived = collections.defaultdict(list)
    for node, number, at in one.lines():
        arrived[node, number].append(at)
    doubled = sum(len(times) - 1 for times in arrived.values())
    warm = one.run.start + WARM_UP
    delays = sorted(arrived[line][0] - at for line, at in expected.items() if at >= warm and line in arrived)
    lost = f"{len(expected.keys() - arrived.keys()):,} of {len(expected):,}"
    if not arrived:
        return row(one.tool.name, lost, "", *[""] * 5, one.run.complaint())
    spread = [delays[int(part * (len(delays) - 1))] for part in (0.5, 0.95, 1)] if delays else []
    cells = [f"{delay:.2f}" for delay in spread] or ["", "", ""]
    ended = f"{one.run.end - end:.0f}" if not one.run.was_stopped else "never"
    return row(one.tool.name, lost, f"{doubled:,}", *cells, *told(one.rates(warm, end)), ended)


MODES = {"throughput": throughput, "first": first, "quiet": quiet, "live": live}


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", action="store_true", help="install what PyPI has of them")
    parser.add_argument("--aws", help="an `aws` of version 2")
    parser.add_argument("--without-peers", action="store_true", help="smtrain alone")
    parser.add_argument("--only", default=",".join(MODES), help="what to measure, comma-separated")
    parser.add_argument("--nodes", type=int, default=64, help="of the ended job")
    parser.add_argument("--lengths", type=lambda text: [int(part) for part in text.split(",")], default=[5000, 20_000])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--patience", type=float, default=60)
    parser.add_argument("--seconds", type=int, default=60, help="how long a live job prints")
    return parser.parse_args()


def main():
    options = parse()
    if options.peers:
        install_peers()
    options.tools = tools(options.aws or find_aws())
    options.tools = options.tools[:1] if options.without_peers else options.tools
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    try:
        with tempfile.TemporaryDirectory() as home:
            for mode in options.only.split(","):
                MODES[mode](options, home)
    finally:
        for run in Run.all:
            run.kill()


if __name__ == "__main__":
    main()
