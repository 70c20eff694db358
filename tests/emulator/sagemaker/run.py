"""A training job's life: from Starting to its end, in a thread of its own, in real time."""

import math
import re
import shutil
import tempfile
import threading
import traceback

from .. import cloudwatch
from . import artifacts, container, inputs
from .job import Failure, now
from .node import Node

# The Environment variable of a job that sets its own pauses.
PHASE_SECONDS = "EMULATOR_PHASE_SECONDS"
# FailureReason's limit in the API.
LONGEST_REASON = 1024


def start(server, tenant, region, job):
    job.enter("Starting", "Preparing the instances for training")
    threading.Thread(target=Run(server, tenant, region, job).run, daemon=True).start()


class Run:
    def __init__(self, server, tenant, region, job):
        self.server, self.tenant, self.region, self.job = server, tenant, region, job
        self.request = job.request
        self.metrics = Metrics(self)
        self.folder = None

    def run(self):
        try:
            self.live()
        except Failure as failure:
            self.fail(str(failure))
        except Exception:  # noqa: BLE001 - an emulator that is wrong says so where the test looks
            self.fail("InternalServerError: " + traceback.format_exc()[-900:])
        finally:
            if self.folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    def live(self):
        if self.pause():
            self.end_stopped()
            return
        self.job.enter("Downloading", "Downloading input data", TrainingStartTime=now())
        self.folder = tempfile.mkdtemp(prefix="job-", dir=self.server.work)
        nodes = [Node(self, index) for index in range(len(container.hosts(self.request)))]
        for node in nodes:
            inputs.download(self, node)
        if self.pause():
            self.end_stopped()
            return
        with self.server.slots:
            self.train(nodes)
        self.job.enter("Uploading", "Uploading generated training model", **self.metrics.final())
        model = artifacts.upload(self, nodes)
        # A stop that comes now changes nothing.
        self.job.stopping.wait(0 if self.job.stopping.is_set() else self.phase_seconds())
        self.finish(nodes, model)

    def phase_seconds(self):
        own = self.request.get("Environment", {}).get(PHASE_SECONDS)
        return float(own) if own is not None else self.tenant.settings.phase_seconds

    def pause(self):
        """A phase's time; True when the job is to stop."""
        return self.job.stopping.wait(self.phase_seconds())

    def train(self, nodes):
        if self.job.stopping.is_set():
            return
        self.job.enter("Training", "Training image download completed. Training in progress.")
        limit = self.request["StoppingCondition"].get("MaxRuntimeInSeconds", 86400)
        timer = threading.Timer(limit, self.job.stop, ["MaxRuntimeExceeded"])
        timer.daemon = True
        timer.start()
        try:
            container.run(self, nodes)
        finally:
            timer.cancel()

    def finish(self, nodes, model):
        reason = container.failure(nodes)
        if self.job.stop_reason:
            self.end_stopped(ModelArtifacts={"S3ModelArtifacts": model})
        elif reason is not None:
            raise Failure(reason)
        else:
            times = self.times()
            self.job.end(
                "Completed", "Completed", "Training job completed", ModelArtifacts={"S3ModelArtifacts": model}, **times
            )

    def end_stopped(self, **fields):
        secondary = self.job.stop_reason
        messages = {"MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided"}
        message = messages.get(secondary, "Training job stopped")
        self.job.end("Stopped", secondary, message, **self.times(), **fields)

    def fail(self, reason):
        self.job.end("Failed", "Failed", "Training job failed", FailureReason=reason[:LONGEST_REASON], **self.times())

    def times(self):
        started, end = self.job.describe().get("TrainingStartTime"), now()
        if started is None:
            return {"TrainingEndTime": end}
        seconds = max(1, math.ceil(end - started))
        # Spot costs less by time, not by price.
        billed = math.ceil(seconds * 0.3) if self.request.get("EnableManagedSpotTraining") else seconds
        return {"TrainingEndTime": end, "TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": billed}


class Metrics:
    """MetricDefinitions' expressions, looked for in every line."""

    def __init__(self, run):
        self.run, self.lock, self.last = run, threading.Lock(), {}
        definitions = run.request["AlgorithmSpecification"].get("MetricDefinitions", [])
        self.expressions = [(definition["Name"], re.compile(definition["Regex"])) for definition in definitions]

    def read(self, events):
        found = [value for moment, line in events for value in self.values(line, moment / 1000)]
        if not found:
            return
        with self.lock:
            for name, value, moment in found:
                self.last[name] = {"MetricName": name, "Value": value, "Timestamp": math.floor(moment)}
        dimensions = {"TrainingJobName": self.run.job.name}
        cloudwatch.put(self.run.tenant.account, self.run.region, dimensions, found)

    def values(self, line, moment):
        for name, expression in self.expressions:
            for match in expression.finditer(line):
                try:
                    yield name, float(match.group(1)), moment
                except (IndexError, TypeError, ValueError):
                    continue

    def final(self):
        with self.lock:
            return {"FinalMetricDataList": list(self.last.values())} if self.last else {}
