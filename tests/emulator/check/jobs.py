"""Training jobs run from their request to their end."""

import datetime
import itertools
import time

from .support import GROUP, Case, admin, unpacked

SCRIPT = """
import os, sys
print(f"arguments {sys.argv[1:]}")
print(f"inputs {sorted(os.listdir(os.environ['SM_CHANNEL_TRAIN']))}")
print("loss=0.5")
print("loss=0.25")
with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.bin"), "wb") as file:
    file.write(bytes(range(256)))
with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "report"), "w") as file:
    file.write("done")
"""


class Jobs(Case):
    def channel(self, name="train", prefix="data/train"):
        source = {"S3DataType": "S3Prefix", "S3Uri": "s3://%s/%s" % (self.bucket, prefix)}
        return {"ChannelName": name, "DataSource": {"S3DataSource": source}}

    def test_a_script_runs_under_the_toolkit(self):
        for name in ("data/train/a.csv", "data/train/b.csv"):
            self.put(name, b"1,2\n")
        request = self.request("script", HyperParameters={**self.script("script", SCRIPT), "epochs": "3"})
        request["InputDataConfig"] = [self.channel()]
        request["AlgorithmSpecification"]["MetricDefinitions"] = [{"Name": "loss", "Regex": "loss=([0-9.]+)"}]
        request.update({"Environment": {"MODE": "x"}, "Tags": [{"Key": "team", "Value": "growth"}]})
        arn = self.sagemaker.create_training_job(**request)["TrainingJobArn"]
        job = self.ended("script")
        self.assertEqual(job["TrainingJobStatus"], "Completed", job.get("FailureReason"))
        self.assertEqual(job["Environment"], {"MODE": "x"})
        self.assertEqual(self.sagemaker.list_tags(ResourceArn=arn)["Tags"], request["Tags"])
        self.check_phases(job)
        self.check_lines("script", ["arguments ['--epochs', '3']", "inputs ['a.csv', 'b.csv']", "loss=0.25"])
        self.check_artifacts(job)
        self.check_metrics(job)

    def check_phases(self, job):
        phases = job["SecondaryStatusTransitions"]
        names = ["Starting", "Downloading", "Training", "Uploading", "Completed"]
        self.assertEqual([phase["Status"] for phase in phases], names)
        for phase, following in itertools.pairwise(phases):
            self.assertEqual(phase["EndTime"], following["StartTime"])
        self.assertGreaterEqual(job["BillableTimeInSeconds"], 1)
        self.assertGreaterEqual(job["TrainingEndTime"], job["TrainingStartTime"])

    def check_lines(self, name, wanted):
        streams = self.lines(name)
        self.assertEqual(len(streams), 1)
        ((stream, lines),) = streams.items()
        self.assertRegex(stream, r"^%s/algo-1-\d{10}$" % name)
        self.assertEqual([line for line in lines if line in wanted], wanted)

    def check_artifacts(self, job):
        model = job["ModelArtifacts"]["S3ModelArtifacts"]
        self.assertEqual(model, "s3://%s/jobs/script/output/model.tar.gz" % self.bucket)
        self.assertEqual(unpacked(self.get(model)), {"model.bin": bytes(range(256))})
        self.assertEqual(unpacked(self.get(model.replace("model", "output"))), {"report": b"done"})

    def check_metrics(self, job):
        (metric,) = job["FinalMetricDataList"]
        self.assertEqual((metric["MetricName"], metric["Value"]), ("loss", 0.25))
        name = {"Namespace": "/aws/sagemaker/TrainingJobs", "MetricName": "loss"}
        name["Dimensions"] = [{"Name": "TrainingJobName", "Value": "script"}]
        query = {"Id": "q", "MetricStat": {"Metric": name, "Period": 3600, "Stat": "Minimum"}}
        hour = datetime.timedelta(hours=1)
        found = self.cloudwatch.get_metric_data(
            MetricDataQueries=[query], StartTime=job["CreationTime"] - hour, EndTime=job["CreationTime"] + hour
        )
        self.assertEqual(found["MetricDataResults"][0]["Values"], [0.25])

    def test_a_script_that_fails(self):
        self.create("fails", HyperParameters=self.script("fails", "print('before')\nraise ValueError('no data')"))
        job = self.ended("fails")
        self.assertEqual(job["TrainingJobStatus"], "Failed")
        self.assertRegex(job["FailureReason"], r"(?s)^AlgorithmError: .*ValueError: no data.*, exit code: 1$")
        self.assertNotIn("ModelArtifacts", job)
        self.assertIn("before", itertools.chain.from_iterable(self.lines("fails").values()))

    def test_an_image_of_ones_own(self):
        command = 'cat "$0" && echo kept > /opt/ml/model/m && echo bad > /opt/ml/output/failure && exit 3'
        file = "/opt/ml/input/data/odd-name/f"
        self.put("odd/f", b"the channel's file\n")
        arguments = {"ContainerArguments": [command, file]}
        self.shell("own", "", algorithm=arguments, InputDataConfig=[self.channel("odd-name", "odd/f")])
        job = self.ended("own")
        self.assertEqual(job["FailureReason"], "AlgorithmError: bad, exit code: 3")
        self.check_lines("own", ["the channel's file"])

    def test_an_image_that_is_not_known(self):
        image = {"TrainingImage": "111122223333.dkr.ecr.eu-west-1.amazonaws.com/mine:1", "TrainingInputMode": "File"}
        self.create("unknown", AlgorithmSpecification=image)
        self.assertRegex(self.ended("unknown")["FailureReason"], "^AlgorithmError: ")

    def test_several_nodes(self):
        resources = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 30}
        command = 'grep -o \'"current_host": "[^"]*"\' /opt/ml/input/config/resourceconfig.json; getent hosts algo-2'
        self.shell("nodes", command, ResourceConfig=resources)
        self.assertEqual(self.ended("nodes")["TrainingJobStatus"], "Completed")
        found = {stream.split("/")[1][:6]: lines[0] for stream, lines in self.lines("nodes").items()}
        self.assertEqual(found, {"algo-1": '"current_host": "algo-1"', "algo-2": '"current_host": "algo-2"'})

    def test_a_stop_lets_the_script_save(self):
        trap = "trap 'echo saved > /opt/ml/model/m; exit 0' TERM; echo ready; while :; do sleep 0.05; done"
        self.shell("stopped", trap)
        self.wait_for_line("stopped", "ready")
        self.sagemaker.stop_training_job(TrainingJobName="stopped")
        self.assertIn(self.describe("stopped")["TrainingJobStatus"], ("Stopping", "Stopped"))
        job = self.ended("stopped")
        self.assertEqual((job["TrainingJobStatus"], job["SecondaryStatus"]), ("Stopped", "Stopped"))
        self.assertEqual(unpacked(self.get(job["ModelArtifacts"]["S3ModelArtifacts"])), {"m": b"saved\n"})
        self.assertIn("status Stopped", self.refused("ValidationException", self.stop, "stopped"))

    def stop(self, name):
        self.sagemaker.stop_training_job(TrainingJobName=name)

    def test_what_does_not_hear_is_killed(self):
        admin("PUT", "settings", {"stop_grace": 0.2})
        self.shell("deaf", "trap '' TERM; echo ready; while :; do sleep 0.05; done")
        self.wait_for_line("deaf", "ready")
        self.stop("deaf")
        self.assertEqual(self.ended("deaf")["TrainingJobStatus"], "Stopped")
        admin("PUT", "settings", {"stop_grace": 120})

    def test_a_job_that_runs_too_long(self):
        self.shell("long", "exec sleep 600", StoppingCondition={"MaxRuntimeInSeconds": 1})
        job = self.ended("long")
        self.assertEqual((job["TrainingJobStatus"], job["SecondaryStatus"]), ("Stopped", "MaxRuntimeExceeded"))

    def test_no_input(self):
        self.shell("empty", "true", InputDataConfig=[self.channel(prefix="nothing/here")])
        self.assertRegex(self.ended("empty")["FailureReason"], "^ClientError: .*No S3 objects found under S3 URL")

    def test_phases_last_as_long_as_they_are_told(self):
        self.shell("slow", "true", Environment={"EMULATOR_PHASE_SECONDS": "600"})
        self.assertEqual(self.describe("slow")["SecondaryStatus"], "Starting")
        self.stop("slow")
        self.assertEqual(self.ended("slow")["TrainingJobStatus"], "Stopped")

    def test_checkpoints_and_files_as_they_are(self):
        self.put("checkpoints/old", b"1")
        command = (
            "cp /opt/ml/checkpoints/old /opt/ml/model/ && mkdir -p /opt/ml/model/d && echo 2 > /opt/ml/model/d/new"
        )
        output = {"S3OutputPath": "s3://%s/jobs" % self.bucket, "CompressionType": "NONE"}
        checkpoints = {"S3Uri": "s3://%s/checkpoints" % self.bucket}
        self.shell("plain", command, OutputDataConfig=output, CheckpointConfig=checkpoints)
        model = self.ended("plain")["ModelArtifacts"]["S3ModelArtifacts"]
        self.assertEqual(self.get(model + "old"), b"1")
        self.assertEqual(self.get(model + "d/new"), b"2\n")

    def test_lines_come_as_they_are_printed(self):
        self.shell("live", "echo first; while [ ! -e /opt/ml/model/go ]; do sleep 0.05; done")
        self.wait_for_line("live", "first")
        self.assertEqual(self.describe("live")["TrainingJobStatus"], "InProgress")
        self.stop("live")
        self.ended("live")


class Requests(Case):
    def test_requests_are_validated(self):
        long = "x" * 64
        message = self.refused("ValidationException", self.shell, "under_score", "true")
        self.assertIn(
            "at 'trainingJobName' failed to satisfy constraint: Member must satisfy regular expression", message
        )
        message = self.refused("ValidationException", self.shell, long, "true")
        self.assertRegex(message, "^2 validation errors detected: .*length less than or equal to 63")
        resources = {"InstanceType": "ml.none.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
        message = self.refused("ValidationException", self.shell, "a", "true", ResourceConfig=resources)
        self.assertIn("Member must satisfy enum value set: [ml.", message)
        message = self.refused("ValidationException", self.shell, "a", "true", HyperParameters={"k": "v" * 2501})
        self.assertIn("length less than or equal to 2500", message)
        tags = [{"Key": "k", "Value": "é ok"}]
        self.shell("tagged", "true", Tags=tags)

    def test_a_name_is_taken_once(self):
        self.shell("once", "true")
        self.assertIn("must be unique", self.refused("ResourceInUse", self.shell, "once", "true"))

    def test_what_is_not_there(self):
        self.assertEqual(self.refused("ValidationException", self.describe, "none"), "Requested resource not found.")
        message = self.refused("ValidationException", self.create, "a", RoleArn=self.role + "x")
        self.assertIn("Could not assume role", message)
        output = {"S3OutputPath": "s3://no-such-bucket-here/jobs"}
        self.refused("ValidationException", self.create, "a", OutputDataConfig=output)


class Histories(Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.start = int(time.time()) - 100_000
        jobs = [
            {"name": "old-%03d" % number, "created": cls.start + number, "state": {"TrainingJobStatus": status(number)}}
            for number in range(250)
        ]
        admin("POST", "jobs", {"region": "eu-west-1", "jobs": jobs})

    def pages(self, **more):
        pages = self.sagemaker.get_paginator("list_training_jobs").paginate(NameContains="old-", **more)
        return [[job["TrainingJobName"] for job in page["TrainingJobSummaries"]] for page in pages]

    def test_pages_are_cut_before_the_status_is_looked_at(self):
        sort = {"SortBy": "CreationTime", "SortOrder": "Descending"}
        self.assertEqual(self.pages(**sort, MaxResults=100)[0][0], "old-249")
        pages = self.pages(**sort, MaxResults=100, StatusEquals="Failed")
        self.assertEqual([len(page) for page in pages], [10, 10, 5])

    def test_times(self):
        def moment(seconds):
            return datetime.datetime.fromtimestamp(self.start + seconds, datetime.timezone.utc)

        (page,) = self.pages(CreationTimeAfter=moment(9), CreationTimeBefore=moment(13))
        self.assertEqual(page, ["old-010", "old-011", "old-012"])

    def test_search_gives_whole_jobs(self):
        filters = [
            {"Name": "TrainingJobName", "Operator": "Contains", "Value": "old-"},
            {"Name": "TrainingJobStatus", "Operator": "Equals", "Value": "Failed"},
            {"Name": "CreationTime", "Operator": "GreaterThanOrEqualTo", "Value": "%d" % (self.start + 100)},
        ]
        request = {"Resource": "TrainingJob", "SearchExpression": {"Filters": filters}, "SortBy": "CreationTime"}
        pages = self.sagemaker.get_paginator("search").paginate(**request, PaginationConfig={"PageSize": 10})
        found = [result["TrainingJob"] for page in pages for result in page["Results"]]
        self.assertEqual([job["TrainingJobName"] for job in found][:2], ["old-240", "old-230"])
        self.assertEqual(len(found), 15)
        self.assertIn("AlgorithmSpecification", found[0])

    def test_search_by_tag(self):
        def job(name, created, **tags):
            return {"name": name, "created": created, "tags": [{"Key": k, "Value": v} for k, v in tags.items()]}

        jobs = [job("t-1", 10, by="x"), job("t-2", 20, by="x", **{"a:b.c/d": "=@"}), job("t-3", 30, by="X")]
        admin("POST", "jobs", {"region": "eu-west-1", "jobs": [*jobs, job("t-4", 40)]})

        def search(name, **condition):
            expression = {"Filters": [{"Name": name, **condition}]}
            request = {"Resource": "TrainingJob", "SearchExpression": expression, "SortBy": "CreationTime"}
            pages = self.sagemaker.get_paginator("search").paginate(**request, PaginationConfig={"PageSize": 1})
            found = [result["TrainingJob"] for page in pages for result in page["Results"]]
            return [job["TrainingJobName"] for job in found if job["TrainingJobName"].startswith("t-")]

        admin("PUT", "settings", {"empty_pages": 0.5})
        self.assertEqual(search("Tags.by", Operator="Equals", Value="x"), ["t-2", "t-1"])
        admin("PUT", "settings", {"empty_pages": 0})
        self.assertEqual(search("Tags.by", Value="x"), ["t-2", "t-1"])
        self.assertEqual(search("Tags.a:b.c/d", Operator="Equals", Value="=@"), ["t-2"])
        self.assertEqual(search("Tags.by", Operator="Exists"), ["t-3", "t-2", "t-1"])
        self.assertEqual(search("Tags.none", Operator="Equals", Value="x"), [])
        for name in ("Tags", "Tags.", "tags.by", "Nothing", "ResourceConfig", "ResourceConfig.None"):
            self.refused("ValidationException", search, name, Operator="Equals", Value="x")

    def test_search_lags_behind(self):
        admin("PUT", "settings", {"search_lag": 3600})
        self.shell("fresh", "true")
        found = self.sagemaker.list_training_jobs(NameContains="fresh")["TrainingJobSummaries"]
        self.assertEqual(len(found), 1)
        filters = [{"Name": "TrainingJobName", "Operator": "Equals", "Value": "fresh"}]

        def search():
            return self.sagemaker.search(Resource="TrainingJob", SearchExpression={"Filters": filters})["Results"]

        self.assertEqual(search(), [])
        admin("PUT", "settings", {"search_lag": 0})
        self.poll(search, "the job in Search")

    def test_log_events_of_a_time(self):
        admin(
            "POST", "log-events", {"region": "eu-west-1", "stream": "s/algo-1-1", "events": [[1000, "a"], [2000, "b"]]}
        )

        def get(**times):
            return self.logs.get_log_events(logGroupName=GROUP, logStreamName="s/algo-1-1", **times)["events"]

        self.assertEqual([event["message"] for event in get(startTime=1000, endTime=2000)], ["a"])
        self.assertEqual([event["message"] for event in get(startTime=1000, endTime=2001)], ["a", "b"])


def status(number):
    return "Failed" if number % 10 == 0 else "Completed"
