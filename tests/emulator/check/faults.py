"""Every kind of fault, as boto3 sees it."""

import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ConnectionError, HTTPClientError

from .support import REGION, Case, admin, calls, rule


class Faults(Case):
    def names(self):
        return self.sagemaker.list_training_jobs()

    def head(self):
        return self.s3.head_bucket(Bucket=self.bucket)

    def put_x(self):
        return self.s3.put_object(Bucket=self.bucket, Key="x", Body=b"x")

    def test_throttling(self):
        rule(fault="throttle", service="sagemaker", count=2)
        self.assertEqual(self.refused("ThrottlingException", self.names), "Rate exceeded")
        self.refused("ThrottlingException", self.names)
        self.names()
        rule(fault="throttle", service="s3", operation="PutObject", count=1)
        self.refused("SlowDown", self.put_x)
        rule(fault="throttle", service="sts", count=1)
        self.refused("Throttling", self.sts.get_caller_identity)
        rule(fault="throttle", service="monitoring", count=1)
        self.refused("ThrottlingException", self.cloudwatch.list_metrics)

    def test_a_part_of_all_calls(self):
        admin("DELETE", "calls")
        rule(fault="throttle", probability=0.3, seed=7)
        patient = boto3.client("sagemaker", region_name=REGION, config=Config(retries={"total_max_attempts": 9}))
        for _ in range(3):
            patient.list_training_jobs()
        statuses = [call["status"] for call in calls("ListTrainingJobs")]
        self.assertEqual(statuses.count(200), 3)
        self.assertIn(400, statuses)

    def test_errors_of_the_service(self):
        rule(fault="internal_error", service="sagemaker", count=1)
        self.refused("InternalFailure", self.names)
        rule(fault="internal_error", service="s3", count=1)
        self.refused("InternalError", self.put_x)
        limit = "The account-level service limit 'ml.m5.large for training job usage' is 0 Instances"
        rule(fault="error", operation="CreateTrainingJob", code="ResourceLimitExceeded", message=limit, count=1)
        self.assertEqual(self.refused("ResourceLimitExceeded", self.shell, "limited", "true"), limit)
        rule(fault="error", operation="CreateTrainingJob", code="CapacityError", message="none left", count=1)
        self.refused("CapacityError", self.shell, "limited", "true")

    def test_a_reset_before_the_call_is_handled(self):
        rule(fault="reset_before", operation="CreateTrainingJob", count=1)
        with self.assertRaises((ConnectionClosedError, ConnectionError)):
            self.shell("never", "true")
        self.refused("ValidationException", self.describe, "never")

    def test_a_lost_reply(self):
        rule(fault="reset_after", operation="CreateTrainingJob", count=1)
        with self.assertRaises((ConnectionClosedError, ConnectionError)):
            self.shell("lost", "true")
        self.assertEqual(self.describe("lost")["TrainingJobName"], "lost")

    def test_bodies(self):
        body = bytes(range(256)) * 100
        self.put("body", body)

        def get():
            return self.s3.get_object(Bucket=self.bucket, Key="body")["Body"].read()

        rule(fault="truncated_body", operation="GetObject", count=1)
        with self.assertRaises(HTTPClientError):
            get()
        rule(fault="reset_middle", operation="GetObject", count=1)
        with self.assertRaises((HTTPClientError, ConnectionError)):
            get()
        for rate in (None, 200_000):
            rule(fault="slow_body", operation="GetObject", rate=rate, count=1)
            self.assertEqual(get(), body)

    def test_what_is_sent_is_counted(self):
        self.put("body", b"x" * 1000)
        admin("DELETE", "calls")

        def get():
            return self.s3.get_object(Bucket=self.bucket, Key="body")["Body"].read()

        get()
        rule(fault="truncated_body", operation="GetObject", count=1)
        with self.assertRaises(HTTPClientError):
            get()
        self.assertEqual([call["sent"] for call in calls("GetObject")], [1000, 500])

    def test_objects_that_change(self):
        for key in ("body", "other"):
            self.put(key, key.encode())
        rule(fault="replace", operation="GetObject", by=self.bucket + "/other", count=1)
        self.assertEqual(self.get("s3://%s/body" % self.bucket), b"other")
        rule(fault="delete", operation="GetObject", count=1)
        self.refused("NoSuchKey", self.s3.get_object, Bucket=self.bucket, Key="body")

    def test_expired_credentials(self):
        rule(fault="expired_token", until_new_credentials=True)
        self.refused("ExpiredTokenException", self.names)
        self.refused("ExpiredToken", self.put_x)
        self.refused("ExpiredToken", self.sts.get_caller_identity)
        boto3.client("sagemaker", region_name=REGION, aws_session_token="new", **keys()).list_training_jobs()

    def test_access_denied(self):
        rule(fault="access_denied", operation="Search", count=1)
        message = self.refused("AccessDeniedException", self.sagemaker.search, Resource="TrainingJob")
        self.assertRegex(
            message, r"^User: arn:aws:sts::\d{12}:\S+ is not authorized to perform: sagemaker:Search on resource: "
        )
        rule(fault="access_denied", operation="PutObject", count=1)
        message = self.refused("AccessDenied", self.put_x)
        self.assertIn('perform: s3:PutObject on resource: "arn:aws:s3:::%s/x"' % self.bucket, message)
        rule(fault="access_denied", operation="ListObjectsV2", count=1)
        message = self.refused("AccessDenied", self.s3.list_objects_v2, Bucket=self.bucket, Prefix="x")
        self.assertIn('perform: s3:ListBucket on resource: "arn:aws:s3:::%s"' % self.bucket, message)
        rule(fault="access_denied", operation="PutObject", message="Access Denied", count=1)
        self.assertEqual(self.refused("AccessDenied", self.put_x), "Access Denied")

    def test_the_wrong_region(self):
        rule(fault="wrong_region", operation="HeadBucket", region="ap-south-1")
        with self.assertRaises(ClientError) as raised:
            self.head()
        headers = raised.exception.response["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(headers["x-amz-bucket-region"], "ap-south-1")

    def test_calls_are_recorded(self):
        admin("DELETE", "calls")
        self.put_x()
        self.refused("ValidationException", self.describe, "nothing-here")
        made = [(call["service"], call["operation"], call["key"], call["status"]) for call in admin("GET", "calls")]
        put, describe = (
            ("s3", "PutObject", self.bucket + "/x", 200),
            (
                "sagemaker",
                "DescribeTrainingJob",
                "nothing-here",
                400,
            ),
        )
        self.assertEqual(made, [put, describe])


def keys():
    return {name.lower(): os.environ[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
