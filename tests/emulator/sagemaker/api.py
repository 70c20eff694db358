"""SageMaker's operations on training jobs."""

import json

from .. import moto_backend
from ..errors import ServiceError, json_error, request_id
from ..s3 import checks, objects
from ..web import Response
from . import listing, run, search, shapes
from .job import ENDED, Job

PARTITIONS = {"cn": "aws-cn", "us-gov": "aws-us-gov"}


def answer(server, tenant, call, request):
    operation = OPERATIONS.get(call.operation)
    try:
        if operation is None:
            raise ServiceError("UnknownOperationException", "The emulator has no %s" % call.operation)
        parameters = json.loads(request.body or b"{}")
        shapes.check(call.operation, parameters)
        content = operation(server, tenant, call.region, parameters)
    except ServiceError as error:
        return json_error(error.status, error.code, error.message)
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": request_id()}
    return Response(200, json.dumps(content or {}).encode(), headers)


def create(server, tenant, region, request):
    store = tenant.stores[region]
    check_role(tenant, request["RoleArn"])
    check_output(tenant, region, request["OutputDataConfig"]["S3OutputPath"])
    check_resources(request["ResourceConfig"])
    job = Job(request, job_arn(tenant, region, request["TrainingJobName"]))
    store.add(job)
    run.start(server, tenant, region, job)
    return {"TrainingJobArn": job.arn}


def describe(server, tenant, region, request):
    return tenant.stores[region].get(request["TrainingJobName"]).describe()


def list_jobs(server, tenant, region, request):
    return listing.page(tenant.stores[region].all(), request)


def stop(server, tenant, region, request):
    job = tenant.stores[region].get(request["TrainingJobName"])
    job.stop("Stopped")
    status = job.describe()["TrainingJobStatus"]
    if status in ENDED:
        message = "The request was rejected because the training job is in status %s."
        raise ServiceError("ValidationException", message % status)


def search_jobs(server, tenant, region, request):
    return search.page(tenant.stores[region].all(), tenant.settings, tenant.random, request)


def add_tags(server, tenant, region, request):
    job = by_arn(tenant, region, request["ResourceArn"])
    with job.lock:
        job.tags.update({tag["Key"]: tag["Value"] for tag in request["Tags"]})
    return list_tags(server, tenant, region, request)


def list_tags(server, tenant, region, request):
    job = by_arn(tenant, region, request["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in job.tags.items()]}


OPERATIONS = {
    "CreateTrainingJob": create,
    "DescribeTrainingJob": describe,
    "ListTrainingJobs": list_jobs,
    "StopTrainingJob": stop,
    "Search": search_jobs,
    "AddTags": add_tags,
    "ListTags": list_tags,
}


def job_arn(tenant, region, name):
    return "arn:%s:sagemaker:%s:%s:training-job/%s" % (partition(region), region, tenant.account, name.lower())


def partition(region):
    return next((name for prefix, name in PARTITIONS.items() if region.startswith(prefix)), "aws")


def by_arn(tenant, region, arn):
    # An ARN has the name in lower case.
    for job in tenant.stores[region].all():
        if job.arn == arn:
            return job
    raise ServiceError("ValidationException", "Requested resource not found.")


def check_role(tenant, arn):
    account, name = arn.split(":")[4], arn.rpartition("/")[2]
    if account != tenant.account:
        raise ServiceError("ValidationException", "RoleArn: Cross-account pass role is not allowed.")
    with moto_backend.LOCK:
        roles = moto_backend.backend("iam", account).roles.values()
        known = any(role.name == name and role.arn == arn for role in roles)
    if not known:
        message = "Could not assume role %s. Please ensure that the role exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
        raise ServiceError("ValidationException", message % arn)


def check_output(tenant, region, uri):
    bucket = objects.parse(uri)[0]
    owner = checks.owner_of(bucket)
    if owner is None:
        raise ServiceError("ValidationException", "Could not find S3 bucket %s" % bucket)
    there = checks.region_of(bucket, owner)
    if there != region:
        message = "The S3 bucket '%s' of OutputDataConfig is in %s, and the training job in %s"
        raise ServiceError("ValidationException", message % (bucket, there, region))


def check_resources(resources):
    several = "InstanceGroups" in resources or "InstancePreferences" in resources
    if several == ("InstanceType" in resources):
        message = "ResourceConfig must have either InstanceType and InstanceCount, or InstanceGroups"
        raise ServiceError("ValidationException", message)
