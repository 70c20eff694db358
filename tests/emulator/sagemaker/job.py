"""A training job: its request, its state as DescribeTrainingJob tells it, and how the state changes."""

import threading
import time

ENDED = ("Completed", "Failed", "Stopped")
DEFAULTS = {
    "EnableNetworkIsolation": False,
    "EnableInterContainerTrafficEncryption": False,
    "EnableManagedSpotTraining": False,
    "ProfilingStatus": "Disabled",
}
# Fields of the request that DescribeTrainingJob doesn't give back.
NOT_DESCRIBED = ("Tags",)


class Failure(Exception):
    """The job's end, with its FailureReason."""


class Job:
    def __init__(self, request, arn, created=None):
        created = now() if created is None else created
        self.lock = threading.Lock()
        self.name, self.arn, self.request = request["TrainingJobName"], arn, request
        self.tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", [])}
        # Set when StopTrainingJob was called, or when the job has run for too long.
        self.stopping = threading.Event()
        self.stop_reason = None
        described = {key: value for key, value in request.items() if key not in NOT_DESCRIBED}
        self.state = {**DEFAULTS, **described, "TrainingJobArn": arn, "CreationTime": created}
        self.state.update(
            {"TrainingJobStatus": "InProgress", "SecondaryStatus": "Starting", "LastModifiedTime": created}
        )
        self.state["SecondaryStatusTransitions"] = []
        # The states there were, with the time from which each held: what Search finds late.
        self.past = []

    def describe(self):
        """The state, which is never changed: a change makes another."""
        return self.state

    def as_of(self, moment):
        """The state at an earlier time, or None when the job did not exist yet."""
        return next((state for since, state in reversed(self.past) if since <= moment), None)

    def change(self, **fields):
        with self.lock:
            self.put(fields)

    def enter(self, status, message, **fields):
        """Begins a phase: SecondaryStatus, with its line among the transitions."""
        with self.lock:
            moment = now()
            transitions = self.closed(moment)
            transitions.append({"Status": status, "StartTime": moment, "StatusMessage": message})
            self.put({"SecondaryStatus": status, "SecondaryStatusTransitions": transitions, **fields})

    def end(self, job_status, secondary, message, **fields):
        with self.lock:
            moment = now()
            transitions = self.closed(moment)
            transitions.append({"Status": secondary, "StartTime": moment, "EndTime": moment, "StatusMessage": message})
            fields.setdefault("TrainingEndTime", moment)
            self.put(
                {
                    "TrainingJobStatus": job_status,
                    "SecondaryStatus": secondary,
                    "SecondaryStatusTransitions": transitions,
                    **fields,
                }
            )

    def closed(self, moment):
        transitions = [dict(transition) for transition in self.state["SecondaryStatusTransitions"]]
        if transitions:
            transitions[-1].setdefault("EndTime", moment)
        return transitions

    def put(self, fields):
        moment = now()
        # A new dictionary: the old one may be on its way out, or be what Search knows.
        self.state = {**self.state, "LastModifiedTime": moment, **fields}
        self.past.append((moment, self.state))

    def stop(self, reason):
        """Asks the job to end. One that is ending or has ended is left alone."""
        with self.lock:
            if self.state["TrainingJobStatus"] == "InProgress" and not self.stopping.is_set():
                self.stop_reason = reason
                self.put({"TrainingJobStatus": "Stopping"})
                self.stopping.set()


def now():
    """Milliseconds, as the service has its times."""
    return round(time.time(), 3)
