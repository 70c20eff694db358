"""What the tests share: clients, a bucket, code uploaded, jobs created and awaited."""

import contextlib
import io
import json
import os
import tarfile
import time
import unittest
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import WaiterError

REGION = os.environ["AWS_REGION"]
GROUP = "/aws/sagemaker/TrainingJobs"
SKLEARN = "683313688378.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
PATIENCE_SECONDS = 60


class Case(unittest.TestCase):
    """A tenant with its default bucket and the clients that talk to it."""

    maxDiff = None

    @classmethod
    def setUpClass(cls):
        # What fails is seen once, not hidden by a second try.
        once = Config(retries={"total_max_attempts": 1})

        def client(service):
            return boto3.client(service, region_name=REGION, config=once)

        cls.s3, cls.sagemaker, cls.logs = client("s3"), client("sagemaker"), client("logs")
        cls.sts, cls.iam, cls.cloudwatch = client("sts"), client("iam"), client("cloudwatch")
        cls.account = cls.sts.get_caller_identity()["Account"]
        cls.bucket = "sagemaker-%s-%s" % (REGION, cls.account)
        if cls.bucket not in admin("GET", "s3/"):
            cls.s3.create_bucket(Bucket=cls.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        cls.role = cls.iam.get_role(RoleName="SageMakerRole")["Role"]["Arn"]

    def tearDown(self):
        admin("DELETE", "rules")

    def put(self, key, body):
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return "s3://%s/%s" % (self.bucket, key)

    def get(self, uri):
        bucket, _, key = uri[len("s3://") :].partition("/")
        return self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()

    def script(self, name, text):
        """The hyperparameters of script mode for a job that runs `text`."""
        uri = self.put("code/%s/sourcedir.tar.gz" % name, packed({"train.py": text}))
        values = {
            "sagemaker_submit_directory": uri,
            "sagemaker_program": "train.py",
            "sagemaker_container_log_level": 20,
        }
        return {key: json.dumps(value) for key, value in values.items()}

    def request(self, name, **more):
        request = {
            "TrainingJobName": name,
            "RoleArn": self.role,
            "AlgorithmSpecification": {"TrainingImage": SKLEARN, "TrainingInputMode": "File"},
            "OutputDataConfig": {"S3OutputPath": "s3://%s/jobs" % self.bucket},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30},
            "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        }
        return {**request, **more}

    def create(self, name, **more):
        return self.sagemaker.create_training_job(**self.request(name, **more))

    def shell(self, name, command, **more):
        """Creates a job that runs a shell's command in an image of its own."""
        algorithm = {
            "TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1",
            "TrainingInputMode": "File",
            "ContainerEntrypoint": ["/bin/sh", "-c"],
            "ContainerArguments": [command],
            **more.pop("algorithm", {}),
        }
        return self.create(name, AlgorithmSpecification=algorithm, **more)

    def describe(self, name):
        return self.sagemaker.describe_training_job(TrainingJobName=name)

    def ended(self, name):
        waiter = self.sagemaker.get_waiter("training_job_completed_or_stopped")
        waiter.config.delay = 0.05
        # The waiter raises for a job that has failed.
        with contextlib.suppress(WaiterError):
            waiter.wait(TrainingJobName=name, WaiterConfig={"MaxAttempts": int(PATIENCE_SECONDS / 0.05)})
        job = self.describe(name)
        self.assertNotIn(job["TrainingJobStatus"], ("InProgress", "Stopping"))
        return job

    def lines(self, name):
        """Every line of the job, by stream."""
        found = {}
        prefix = {"logGroupName": GROUP, "logStreamNamePrefix": name + "/"}
        for description in self.logs.describe_log_streams(**prefix)["logStreams"]:
            stream = description["logStreamName"]
            events = self.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True)["events"]
            found[stream] = [event["message"] for event in events]
        return found

    def wait_for_line(self, name, line):
        self.poll(lambda: any(line in lines for lines in self.some_lines(name).values()), line)

    def some_lines(self, name):
        try:
            return self.lines(name)
        except self.logs.exceptions.ResourceNotFoundException:
            return {}

    def poll(self, ask, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not ask():
            self.assertLess(time.monotonic(), deadline, "waited in vain: %s" % what)
            time.sleep(0.02)

    def refused(self, code, call, *args, **more):
        """The message of the error that the call ends with."""
        with self.assertRaises(Exception) as raised:
            call(*args, **more)
        response = getattr(raised.exception, "response", None)
        self.assertIsNotNone(response, raised.exception)
        self.assertEqual(response["Error"]["Code"], code, response)
        return response["Error"].get("Message", "")


def packed(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def unpacked(archive):
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        return {member.name: files.extractfile(member).read() for member in files if member.isfile()}


def admin(method, path, content=None):
    url = "%s/_emulator/%s/%s" % (os.environ["AWS_ENDPOINT_URL"], os.environ["AWS_ACCESS_KEY_ID"], path)
    body = None if content is None else json.dumps(content).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, method=method)) as answer:
        return json.loads(answer.read())


def rule(**fields):
    admin("POST", "rules", [fields])


def calls(operation):
    return [call for call in admin("GET", "calls") if call["operation"] == operation]
