"""CloudWatch over RPC v2 CBOR, as the Rust SDK speaks it: with botocore's own serializer and parser."""

import datetime
import os
import time
import urllib.error
import urllib.request

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from .support import REGION, Case, admin, rule

PROTOCOL = "smithy-rpc-v2-cbor"
NAMESPACE = "/aws/sagemaker/TrainingJobs"


class Metrics(Case):
    def call(self, operation, **parameters):
        session = botocore.session.get_session()
        model = session.get_service_model("cloudwatch").operation_model(operation)
        made = create_serializer(PROTOCOL, include_validation=False).serialize_to_request(parameters, model)
        url = os.environ["AWS_ENDPOINT_URL"] + made["url_path"]
        request = AWSRequest(made["method"], url, dict(made["headers"]), made["body"])
        SigV4Auth(session.get_credentials(), "monitoring", REGION).add_auth(request)
        try:
            answer = urllib.request.urlopen(urllib.request.Request(url, request.body, dict(request.headers)))
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            found = {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.read()}
        return create_parser(PROTOCOL).parse(found, model.output_shape)

    def query(self, **more):
        name = {"Namespace": NAMESPACE, "MetricName": "loss", "Dimensions": [{"Name": "TrainingJobName", "Value": "m"}]}
        now = datetime.datetime.now(datetime.timezone.utc)
        hour = datetime.timedelta(hours=1)
        queries = [{"Id": "q", "MetricStat": {"Metric": name, "Period": 3600, "Stat": "Maximum"}}]
        return self.call("GetMetricData", MetricDataQueries=queries, StartTime=now - hour, EndTime=now + hour, **more)

    def test_metrics_of_a_job(self):
        definitions = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
        self.shell("m", "echo loss=2; echo loss=1.5", algorithm={"MetricDefinitions": definitions})
        self.ended("m")
        (result,) = self.query()["MetricDataResults"]
        self.assertEqual(result["Values"], [2.0])
        self.assertIsInstance(result["Timestamps"][0], datetime.datetime)
        dimension = {"Name": "TrainingJobName", "Value": "m"}
        names = self.call("ListMetrics", Namespace=NAMESPACE, Dimensions=[dimension])["Metrics"]
        self.assertEqual([metric["MetricName"] for metric in names], ["loss"])

    def kept(self, period, days):
        """How many values of some days ago are told by a period."""
        name = {"Namespace": NAMESPACE, "MetricName": "old", "Dimensions": [{"Name": "TrainingJobName", "Value": "k"}]}
        moment = int(time.time()) // 3600 * 3600 - days * 24 * 3600
        admin("POST", "metrics", {"region": REGION, "job": "k", "values": [["old", 1.0, moment]]})
        query = {"Id": "q", "MetricStat": {"Metric": name, "Period": period, "Stat": "Average"}}
        start = datetime.datetime.fromtimestamp(moment, datetime.timezone.utc)
        end = start + datetime.timedelta(hours=1)
        answer = self.call("GetMetricData", MetricDataQueries=[query], StartTime=start, EndTime=end)
        return len(answer["MetricDataResults"][0]["Values"])

    def test_old_values_are_kept_by_longer_periods_only(self):
        kept = [[self.kept(period, days) for period in (60, 300, 3600)] for days in (1, 20, 80, 500)]
        self.assertEqual(kept, [[1, 1, 1], [0, 1, 1], [0, 0, 1], [0, 0, 0]])

    def test_a_metric_is_listed_for_two_weeks(self):
        now = int(time.time())
        values = [["new", 1.0, now - 13 * 24 * 3600], ["old", 1.0, now - 15 * 24 * 3600]]
        admin("POST", "metrics", {"region": REGION, "job": "l", "values": values})
        dimension = {"Name": "TrainingJobName", "Value": "l"}
        names = self.call("ListMetrics", Namespace=NAMESPACE, Dimensions=[dimension])["Metrics"]
        self.assertEqual([metric["MetricName"] for metric in names], ["new"])

    def test_errors(self):
        rule(fault="throttle", service="monitoring", operation="GetMetricData", count=1)
        self.assertEqual(self.query()["Error"], {"Code": "ThrottlingException", "Message": "Rate exceeded"})
