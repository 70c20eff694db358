"""Jobs that never ran, made in bulk for histories."""

from . import api
from .job import Job

REQUEST = {
    "AlgorithmSpecification": {
        "TrainingImage": "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
        "TrainingInputMode": "File",
    },
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
    "StoppingCondition": {"MaxRuntimeInSeconds": 86400},
}


def add(tenant, region, jobs):
    """Adds jobs, each a table: `name`, `created` in seconds, and what else DescribeTrainingJob is to tell of it (`state`)."""
    tenant.stores[region].add_all([made(tenant, region, job) for job in jobs])


def request_of(tenant, region, name):
    """A request such as most are."""
    output = {"S3OutputPath": "s3://sagemaker-%s-%s" % (region, tenant.account)}
    return {**REQUEST, "TrainingJobName": name, "RoleArn": tenant.role_arn, "OutputDataConfig": output}


def made(tenant, region, wanted):
    state = wanted.get("state", {})
    request = {**request_of(tenant, region, wanted["name"]), "Tags": wanted.get("tags", [])}
    job = Job(request, api.job_arn(tenant, region, wanted["name"]), wanted["created"])
    status = state.get("TrainingJobStatus", "Completed")
    end = wanted["created"] + 120
    job.state.update({"TrainingJobStatus": status, "SecondaryStatus": "Training" if status == "InProgress" else status})
    job.state.update({"TrainingStartTime": wanted["created"] + 60, "LastModifiedTime": end})
    if status in ("Completed", "Failed", "Stopped"):
        job.state.update({"TrainingEndTime": end, "TrainingTimeInSeconds": 60, "BillableTimeInSeconds": 60})
    job.state.update(state)
    # Found by Search whatever its delay.
    job.past.append((0, job.state))
    return job
