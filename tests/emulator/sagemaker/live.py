"""Jobs that only seem to run: their phases pass and their lines arrive in real time, as a plan has them."""

import math
import threading
import time
from collections import defaultdict

from .. import logs
from . import api, synthetic
from .job import ENDED, Job, now
from .plan import PHASES, Plan

TICK_SECONDS = 0.05
MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
}


def start(tenant, region, wanted):
    plan = Plan(time.time(), **wanted)
    resources = {"InstanceType": "ml.m5.large", "InstanceCount": plan.nodes, "VolumeSizeInGB": 30}
    request = {**synthetic.request_of(tenant, region, plan.name), "ResourceConfig": resources, **plan.request}
    job = Job(request, api.job_arn(tenant, region, plan.name), round(plan.start, 3))
    tenant.stores[region].add(job)
    live = tenant.live[plan.name] = Live(tenant, region, job, plan)
    live.enter_due(0)
    threading.Thread(target=live.run, daemon=True).start()


class Live:
    def __init__(self, tenant, region, job, plan):
        self.tenant, self.region, self.job, self.plan = tenant, region, job, plan
        self.entered = self.delivered = 0
        # When it was stopped, in seconds after its start: nothing is printed after that.
        self.stopped = math.inf
        self.lock = threading.Lock()
        # Each with its stream, its time and that of its arrival in milliseconds, and its text.
        self.injected = []
        self.is_done = False

    def told(self):
        """How much has arrived in the log, and all of it when no more will come."""
        with self.lock:
            events = list(self.injected) if self.is_done else None
            return {"done": self.is_done, "count": len(self.injected), "events": events}

    def run(self):
        while not self.is_over():
            # As long as there's something to see, and to stop.
            time.sleep(TICK_SECONDS)
            passed = time.time() - self.plan.start
            if self.job.stopping.is_set() and self.stopped == math.inf:
                self.stopped = passed
            self.deliver_due(passed)
            self.enter_due(passed)
        with self.lock:
            self.is_done = True

    def is_over(self):
        return self.delivered == len(self.plan.arrivals) and self.job.describe()["TrainingJobStatus"] in ENDED

    def deliver_due(self, passed):
        arrivals, due = self.plan.arrivals, defaultdict(list)
        while self.delivered < len(arrivals) and arrivals[self.delivered].arrives <= passed:
            line = arrivals[self.delivered]
            self.delivered += 1
            if line.time < self.stopped:
                due[line.stream].append((int((self.plan.start + line.time) * 1000), line.text))
        with self.lock:
            for stream, events in due.items():
                arrived = int(time.time() * 1000)
                logs.put(self.tenant, self.region, stream, events)
                self.injected += [
                    {"stream": stream, "time": moment, "text": text, "arrived": arrived} for moment, text in events
                ]

    def enter_due(self, passed):
        if self.job.describe()["TrainingJobStatus"] in ENDED:
            return
        if self.stopped < math.inf:
            self.end("Stopped")
            return
        while self.entered < len(PHASES) and self.plan.moments[self.entered] <= passed:
            phase = PHASES[self.entered]
            self.entered += 1
            fields = {"TrainingStartTime": now()} if phase == "Downloading" else {}
            self.job.enter(phase, MESSAGES[phase], **fields)
        if passed >= self.plan.ends:
            self.end(self.plan.end)

    def end(self, status):
        fields = {"FailureReason": self.plan.reason or "AlgorithmError: , exit code: 1"} if status == "Failed" else {}
        if status == "Completed":
            output = self.job.request["OutputDataConfig"]["S3OutputPath"].rstrip("/")
            model = "%s/%s/output/model.tar.gz" % (output, self.job.name)
            fields["ModelArtifacts"] = {"S3ModelArtifacts": model}
        started = self.job.describe().get("TrainingStartTime")
        if started is not None:
            seconds = max(1, math.ceil(now() - started))
            fields.update({"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds})
        self.job.end(status, status, MESSAGES[status], **fields)
