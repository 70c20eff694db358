"""Regenerates requests.json: what the SageMaker Python SDK asks of CreateTrainingJob for each estimator in cases/.

    python -m venv VENV && VENV/bin/pip install -r requirements.txt
    SAGEMAKER_SUPPRESS_V2_WARNING=1 VENV/bin/python make_requests.py

No AWS account is needed. The client is botocore's, which checks every request against the API's model, but what it
would send is kept here; S3 is a mock. In requests.json each field of a request has a line.
"""

import json
import logging
from pathlib import Path
from unittest.mock import MagicMock

import botocore.session
import sagemaker

import cases

HERE = Path(__file__).parent
# Stands for the job's name wherever it comes up.
JOB = "JOB"
# In place of the settings of whoever runs this; nobody is told of the run.
CONFIG = {"SchemaVersion": "1.0", "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}}}


class Account:
    """An AWS account that has one algorithm, and keeps the requests for jobs."""

    def __init__(self):
        self.requests = []

    def session(self, region):
        client = botocore.session.Session().create_client(
            "sagemaker", region, aws_access_key_id="none", aws_secret_access_key="none"
        )
        client.meta.events.register("provide-client-params.sagemaker.CreateTrainingJob", self.keep)
        client.meta.events.register("before-call.sagemaker", self.answer)
        boto_session = MagicMock(region_name=region)
        return sagemaker.Session(boto_session, client, MagicMock(), default_bucket="bucket", sagemaker_config=CONFIG)

    def keep(self, params, **_):
        self.requests.append(params)

    def answer(self, model, **_):
        answers = {"CreateTrainingJob": {}, "DescribeAlgorithm": cases.ALGORITHM}
        return MagicMock(status_code=200), answers[model.name]


def request_of(account, estimator, **fit):
    """`fit` alone starts the job: what it is given beside the name goes to it unchanged."""
    account.requests.clear()
    estimator.fit(job_name=JOB, wait=False, **fit)
    (request,) = account.requests
    return sorted_collections(request)


def sorted_collections(request):
    """The SDK keeps the debugger's collections in a set, whose order changes from run to run."""
    request.get("DebugHookConfig", {}).get("CollectionConfigurations", []).sort(key=lambda it: it["CollectionName"])
    return request


def shown(request):
    fields = [f"  {json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in sorted(request.items())]
    return "{\n" + ",\n".join(fields) + "\n }"


def main():
    logging.disable(logging.WARNING)
    account, requests = Account(), {}
    for name, estimator, fit in cases.all_of(account.session):
        assert name not in requests, name
        requests[name] = shown(request_of(account, estimator, **fit))
    lines = [f" {json.dumps(name)}: {requests[name]}" for name in sorted(requests)]
    (HERE / "requests.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
