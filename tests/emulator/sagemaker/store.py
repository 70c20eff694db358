"""The training jobs of one account and region, by name."""

import threading

from ..errors import ServiceError


class Store:
    def __init__(self):
        self.lock = threading.Lock()
        self.jobs = {}

    def add(self, job):
        """Takes the job's name: of two requests with one name, the first has it."""
        with self.lock:
            standing = self.jobs.setdefault(job.name, job)
        if standing is not job:
            message = "Training job names must be unique within an AWS account and region, and a training job with this name already exists (%s)"
            raise ServiceError("ResourceInUse", message % standing.arn)

    def add_all(self, jobs):
        with self.lock:
            self.jobs.update({job.name: job for job in jobs})

    def get(self, name):
        with self.lock:
            job = self.jobs.get(name)
        if job is None:
            raise ServiceError("ValidationException", "Requested resource not found.")
        return job

    def delete(self, name):
        with self.lock:
            self.jobs.pop(name, None)

    def all(self):
        with self.lock:
            return list(self.jobs.values())
