#!/usr/bin/env python3
"""One synthetic training job and its log, served on the loopback as SageMaker and CloudWatch Logs would: for benches/logs.py.

    python3 benches/log_server.py --nodes 64 --events 20000           # an ended job, its whole log there
    python3 benches/log_server.py --nodes 8 --events 60 --rate 2      # a live one: 2 lines a second a node, late ones among them
    python3 benches/log_server.py --nodes 8 --events 100 --in-progress  # a running one that has gone quiet

Prints its URL and serves until stdin is closed. `GET /calls` tells when which operation was called.

A line has a time, and a moment from which on it can be read, which for late lines is up to 20 s after. Tokens are positions in
the log sorted by time: what becomes readable behind a token's position does not come on a later page. That is the stricter
reading of what the service leaves open. Pages hold up to 10,000 events; those of a log that is complete are made beforehand.
"""

import argparse
import bisect
import dataclasses
import http.server
import json
import random
import socketserver
import sys
import threading
import time

GROUP = "/aws/sagemaker/TrainingJobs"
PAGE = 10_000
STREAMS_PAGE = 50
LATEST = 20_000
ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/bench:1"


@dataclasses.dataclass
class Plan:
    """What job there is. Seconds, and lines a second a node."""

    nodes: int = 64
    events: int = 20_000
    rate: float = 0.0
    late: float = 0.0
    stagger: float = 0.0
    start: float = 0.0
    in_progress: bool = False
    latency: float = 0.0
    name: str = "bench"

    def arguments(self):
        """The command line that makes this plan."""
        names = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        progress = ["--in-progress"] if names.pop("in_progress") else []
        return progress + [text for name, value in names.items() for text in (f"--{name}", str(value))]


class Job:
    """Every line of the job: (time, node, number, readable from), times in milliseconds."""

    def __init__(self, plan):
        self.plan = plan
        step = 1000 / plan.rate if plan.rate else 10
        span = int(plan.events * step + plan.stagger * 1000 * plan.nodes)
        start = plan.start or time.time() - (0 if plan.rate else span / 1000 + 60)
        self.start = int(start * 1000)
        self.end = self.start + span
        self.streams = {f"{plan.name}/algo-{node + 1}-{self.start // 1000}": node for node in range(plan.nodes)}
        self.names = list(self.streams)
        self.by_node = [Lines(self.node_lines(node, step)) for node in range(plan.nodes)]

    def node_lines(self, node, step):
        chance = random.Random(node)
        first = self.start + int(node * self.plan.stagger * 1000)
        for number in range(self.plan.events):
            at = first + int(number * step)
            is_late = self.plan.late and chance.random() < self.plan.late
            yield at, node, number, at + (chance.randint(1000, LATEST) if is_late else 0)

    def ended(self, now):
        return not self.plan.in_progress and now >= self.end

    def lines_of(self, nodes):
        """The lines of several nodes, interleaved by time."""
        return Lines(sorted(line for node in nodes for line in self.by_node[node].all))


class Lines:
    """Lines in the order of their times, and the pages made of them."""

    def __init__(self, lines):
        self.all = list(lines)
        self.times = [line[0] for line in self.all]
        self.there_at = min((line[3] for line in self.all), default=float("inf"))
        self.complete_at = max((line[3] for line in self.all), default=0)
        self.pages = {}

    def first_at(self, at):
        return bisect.bisect_left(self.times, at)

    def forward(self, first, end, limit, now):
        """Positions and lines that can be read, from a position on."""
        until = bisect.bisect_right(self.times, now) if end is None else self.first_at(min(end, now + 1))
        found = []
        for position in range(first, until):
            if self.all[position][3] <= now:
                found.append((position, self.all[position]))
                if len(found) == limit:
                    break
        return found

    def backward(self, before, start, limit, now):
        found = []
        for position in range(before - 1, self.first_at(start) - 1, -1):
            if self.all[position][3] <= now:
                found.append((position, self.all[position]))
                if len(found) == limit:
                    break
        return found[::-1]


def message(node, number):
    """About 100 bytes; every tenth has a character that JSON escapes. Which line it is can be read out of it."""
    text = f"node {node:03} line {number:07} epoch 3 loss=0.{number % 997:06} accuracy=0.9{node:03} lr=1.0e-04"
    return text + ("\\tcheckpoint written, 412 MB" if number % 10 == 0 else " throughput=1834.2 samples/s")


def stream_event(line):
    at, node, number, readable = line
    return f'{{"timestamp":{at},"message":"{message(node, number)}","ingestionTime":{readable}}}'


class Service:
    """The operations: a parsed request to the bytes of the answer, or None where it names what isn't there."""

    def __init__(self, job):
        self.job = job
        self.calls = {}
        self.interleaved = {}
        self.lock = threading.Lock()

    def prepare(self):
        """Makes the pages of a complete log."""
        now = now_ms()
        logs = [*zip(self.job.by_node, self.job.names), (self.selected({}), None)]
        for lines, stream in logs:
            for first in range(0, len(lines.all) if lines.complete_at <= now else 0, PAGE):
                self.page(lines, first, None, PAGE, now, stream)

    def count(self, operation):
        with self.lock:
            self.calls.setdefault(operation, []).append(time.time())

    def answer(self, operation, request):
        return getattr(self, operation)(request, now_ms())

    def DescribeTrainingJob(self, request, now):
        return as_json(self.description(now)) if request["TrainingJobName"] == self.job.plan.name else None

    def ListTrainingJobs(self, request, now):
        found = request.get("NameContains", "") in self.job.plan.name
        whole = self.description(now)
        names = ["TrainingJobName", "TrainingJobArn", "CreationTime", "LastModifiedTime", "TrainingJobStatus"]
        return as_json({"TrainingJobSummaries": [{name: whole[name] for name in names}] if found else []})

    def Search(self, _request, now):
        return as_json({"Results": [{"TrainingJob": self.description(now)}]})

    def description(self, now):
        job, ended = self.job, self.job.ended(now)
        start, end = job.start / 1000, job.end / 1000
        phases = [("Starting", start - 120, start - 60), ("Downloading", start - 60, start), ("Training", start, end)]
        if ended:
            phases += [("Uploading", end, end), ("Completed", end, end)]
        last = len(phases) - 1
        return {
            "TrainingJobName": job.plan.name,
            "TrainingJobArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:training-job/{job.plan.name}",
            "TrainingJobStatus": "Completed" if ended else "InProgress",
            "SecondaryStatus": "Completed" if ended else "Training",
            "CreationTime": start - 120,
            "TrainingStartTime": start - 60,
            "LastModifiedTime": end if ended else start,
            **({"TrainingEndTime": end, "BillableTimeInSeconds": int(end - start + 60)} if ended else {}),
            "TrainingTimeInSeconds": int(min(now / 1000, end) - start + 60),
            "SecondaryStatusTransitions": [
                transition(number < last or ended, phase) for number, phase in enumerate(phases)
            ],
            "AlgorithmSpecification": {"TrainingInputMode": "File", "TrainingImage": IMAGE},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": job.plan.nodes, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
            "OutputDataConfig": {"S3OutputPath": "s3://bench/out"},
            "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/bench",
        }

    def DescribeLogStreams(self, request, now):
        prefix = request.get("logStreamNamePrefix", "")
        there = [
            name for name, node in self.job.streams.items() if name.startswith(prefix) and self.is_there(node, now)
        ]
        there.sort()
        first, size = int(request.get("nextToken", 0)), min(request.get("limit", STREAMS_PAGE), STREAMS_PAGE)
        answer = {"logStreams": [self.stream(name, now) for name in there[first : first + size]]}
        if first + size < len(there):
            answer["nextToken"] = str(first + size)
        return as_json(answer)

    def is_there(self, node, now):
        return self.job.by_node[node].there_at <= now

    def stream(self, name, now):
        lines = self.job.by_node[self.job.streams[name]]
        first, last = lines.times[0], lines.times[max(0, bisect.bisect_right(lines.times, now) - 1)]
        times = {
            "creationTime": first,
            "firstEventTimestamp": first,
            "lastEventTimestamp": last,
            "lastIngestionTime": last,
        }
        arn = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:{GROUP}:log-stream:{name}"
        return {"logStreamName": name, **times, "arn": arn, "storedBytes": 0}

    def GetLogEvents(self, request, now):
        node = self.job.streams.get(request["logStreamName"])
        if node is None or not self.is_there(node, now):
            return None
        lines, limit, token = (
            self.job.by_node[node],
            min(request.get("limit", PAGE), PAGE),
            request.get("nextToken", ""),
        )
        start, end = request.get("startTime", 0), request.get("endTime")
        if token.startswith("f/") or (not token and request.get("startFromHead")):
            first = int(token[2:]) if token else lines.first_at(start)
            return self.page(lines, first, end, limit, now, request["logStreamName"])
        last = bisect.bisect_right(lines.times, now) if end is None else lines.first_at(end)
        before = int(token[2:]) if token else last
        found = lines.backward(before, start, limit, now)
        return page_of_stream(found, before, before)

    def FilterLogEvents(self, request, now):
        lines = self.selected(request)
        token, start = request.get("nextToken"), request.get("startTime", 0)
        end = request["endTime"] + 1 if "endTime" in request else None
        first = int(token) if token else lines.first_at(start)
        return self.page(lines, first, end, min(request.get("limit", PAGE), PAGE), now, None)

    def selected(self, request):
        """The interleaved lines of the streams that a request names."""
        names = request.get("logStreamNames")
        prefix = request.get("logStreamNamePrefix", "")
        nodes = tuple(
            node for name, node in self.job.streams.items() if (name in names if names else name.startswith(prefix))
        )
        with self.lock:
            if nodes not in self.interleaved:
                self.interleaved[nodes] = self.job.lines_of(nodes)
            return self.interleaved[nodes]

    def page(self, lines, first, end, limit, now, stream):
        """A page forwards of one stream, or of interleaved ones; kept where it can't change any more."""
        is_kept = lines.complete_at <= now and end is None and limit == PAGE
        if is_kept and first in lines.pages:
            return lines.pages[first]
        found = lines.forward(first, end, limit, now)
        if stream is None:
            more = len(found) == limit and found[-1][0] + 1 < len(lines.all)
            page = page_of_streams(found, found[-1][0] + 1 if more else None, self.job.names)
        else:
            page = page_of_stream(found, first, first)
        if is_kept:
            lines.pages[first] = page
        return page


def transition(has_ended, phase):
    status, start, end = phase
    times = {"StartTime": start, **({"EndTime": end} if has_ended else {})}
    return {"Status": status, **times, "StatusMessage": f"{status} the job"}


def page_of_stream(found, backward, forward):
    """Without an event, both tokens stay where they are."""
    if found:
        backward, forward = found[0][0], found[-1][0] + 1
    events = ",".join(stream_event(line) for _, line in found)
    return f'{{"events":[{events}],"nextForwardToken":"f/{forward}","nextBackwardToken":"b/{backward}"}}'.encode()


def page_of_streams(found, following, names):
    events = ",".join(
        f'{{"logStreamName":"{names[line[1]]}",{stream_event(line)[1:-1]},"eventId":"{line[0]:020}{line[1]:012}{line[2]:024}"}}'
        for _, line in found
    )
    token = f',"nextToken":"{following}"' if following is not None else ""
    return f'{{"events":[{events}],"searchedLogStreams":[]{token}}}'.encode()


def as_json(answer):
    return json.dumps(answer).encode()


def now_ms():
    return int(time.time() * 1000)


IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::{ACCOUNT}:user/bench</Arn><UserId>AIDAEXAMPLE</UserId><Account>{ACCOUNT}</Account>
</GetCallerIdentityResult><ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>""".encode()
JSON = "application/x-amz-json-1.1"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    service = None

    def do_GET(self):
        self.send(200, JSON, as_json(self.service.calls))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        time.sleep(self.service.job.plan.latency)
        operation = self.headers.get("x-amz-target", "").split(".")[-1]
        self.service.count(operation or "GetCallerIdentity")
        if not operation:
            return self.send(200, "text/xml", IDENTITY)
        if not hasattr(Service, operation):
            return self.send(400, JSON, b'{"__type":"UnknownOperationException","message":"unknown"}')
        answer = self.service.answer(operation, json.loads(body))
        if answer is not None:
            return self.send(200, JSON, answer)
        kind = "ResourceNotFoundException" if "Log" in operation else "ValidationException"
        return self.send(400, JSON, as_json({"__type": kind, "message": "Requested resource not found."}))

    def send(self, status, kind, body):
        """Head and body in one write: a page is one long send."""
        status = "200 OK" if status == 200 else "400 Bad Request"
        head = (
            f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\nx-amzn-requestid: 1\r\n\r\n"
        )
        self.wfile.write(head.encode() + body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request, client_address):
        """A client that is stopped in the middle of a page is part of the benchmark."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nodes", type=int, default=Plan.nodes)
    parser.add_argument("--events", type=int, default=Plan.events, help="lines a node")
    parser.add_argument("--rate", type=float, default=Plan.rate, help="lines a second a node; 0: all are there")
    parser.add_argument("--late", type=float, default=Plan.late, help="the part of the lines that come up to 20 s late")
    parser.add_argument(
        "--stagger", type=float, default=Plan.stagger, help="seconds from a node's first line to the next's"
    )
    parser.add_argument(
        "--start", type=float, default=Plan.start, help="when the job starts to log, in seconds since 1970"
    )
    parser.add_argument("--in-progress", action="store_true", help="the job does not end")
    parser.add_argument("--latency", type=float, default=Plan.latency, help="seconds before each answer")
    parser.add_argument("--name", default=Plan.name)
    return Plan(**vars(parser.parse_args()))


def main():
    service = Service(Job(parse()))
    service.prepare()
    Handler.service = service
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
