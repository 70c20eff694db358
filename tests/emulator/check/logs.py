"""CloudWatch Logs: pages, tokens, late events; and jobs that only seem to run, whose log is known in full."""

import collections
import itertools
import time

from .support import GROUP, REGION, Case, admin

# What boto3 takes for it is most of it.
LARGE = 100_000


class Logs(Case):
    def tearDown(self):
        super().tearDown()
        admin("PUT", "settings", {"empty_pages": 0, "restless_tokens": 0})

    def add(self, stream, *events):
        admin("POST", "log-events", {"region": REGION, "stream": stream, "events": events})

    def get(self, stream, **more):
        return self.logs.get_log_events(logGroupName=GROUP, logStreamName=stream, **more)

    def filter(self, **more):
        return self.logs.filter_log_events(logGroupName=GROUP, **more)

    def forwards(self, stream, **more):
        """All pages' messages, until the token repeats."""
        pages, token = [], None
        while True:
            page = self.get(stream, startFromHead=True, **more)
            pages.append(texts(page))
            if page["nextForwardToken"] == token:
                return pages
            token = more["nextToken"] = page["nextForwardToken"]

    def filtered(self, **more):
        pages = self.logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **more)
        return [page["events"] for page in pages]

    def test_a_stream_forwards_and_backwards(self):
        self.add("pages/algo-1-1", *[[1000 + number, str(number)] for number in range(25)])
        whole = [str(number) for number in range(25)]
        pages = self.forwards("pages/algo-1-1", limit=10)
        self.assertEqual(pages, [whole[:10], whole[10:20], whole[20:], []])
        newest = self.get("pages/algo-1-1", limit=10)
        self.assertEqual(texts(newest), whole[15:])
        before = self.get("pages/algo-1-1", limit=20, nextToken=newest["nextBackwardToken"])
        self.assertEqual(texts(before), whole[:15])
        first = self.get("pages/algo-1-1", nextToken=before["nextBackwardToken"])
        self.assertEqual((first["events"], first["nextBackwardToken"]), ([], before["nextBackwardToken"]))
        after = self.get("pages/algo-1-1", startFromHead=True, nextToken=newest["nextForwardToken"])
        self.assertEqual((after["events"], after["nextForwardToken"]), ([], newest["nextForwardToken"]))
        self.refused("InvalidParameterException", self.get, "pages/algo-1-1", nextToken=newest["nextForwardToken"])
        self.refused("InvalidParameterException", self.get, "pages/algo-1-1", nextToken="f/none")
        self.refused("InvalidParameterException", self.get, "pages/algo-1-1", limit=10_001)

    def test_times(self):
        self.add("times/algo-1-1", [1000, "a"], [2000, "b"], [2000, "b"], [3000, "c"])
        for times, found in [((1000, 2000), "a"), ((1000, 2001), "abb"), ((2000, 9000), "bbc"), ((3001, 9000), "")]:
            span = {"startTime": times[0], "endTime": times[1]}
            self.assertEqual("".join(texts(self.get("times/algo-1-1", **span))), found, times)
            self.assertEqual("".join(self.forwards("times/algo-1-1", limit=2, **span)[0]), found[:2], times)
        # The end belongs to the span here, and not there.
        found = self.filter(logStreamNamePrefix="times/", startTime=1000, endTime=2000)["events"]
        self.assertEqual([event["message"] for event in found], ["a", "b", "b"])

    def test_what_arrives_behind_a_token(self):
        self.add("late/algo-1-1", [1000, "a"], [3000, "c"])
        token = self.get("late/algo-1-1", startFromHead=True)["nextForwardToken"]
        self.add("late/algo-1-1", [2000, "late"], [3000, "as late"], [3001, "d"])
        self.assertEqual(texts(self.get("late/algo-1-1", startFromHead=True, nextToken=token)), ["d"])
        self.assertEqual(texts(self.get("late/algo-1-1", startTime=2000, endTime=3001)), ["late", "c", "as late"])
        self.assertEqual(texts(self.get("late/algo-1-1")), ["a", "late", "c", "as late", "d"])

    def test_streams_interleaved_by_time(self):
        for node in range(1, 4):
            events = [[1000 + 10 * number + node, "%d-%d" % (node, number)] for number in range(10)]
            self.add("mix/algo-%d-1" % node, *events)
        self.add("mix2/algo-1-1", [1000, "another job's"])
        pages = self.filtered(logStreamNamePrefix="mix/", limit=7)
        self.assertEqual([len(page) for page in pages], [7, 7, 7, 7, 2])
        events = flat(pages)
        expected = ["%d-%d" % (node, number) for number in range(10) for node in range(1, 4)]
        self.assertEqual([event["message"] for event in events], expected)
        again = flat(self.filtered(logStreamNames=["mix/algo-2-1", "mix/algo-1-1"]))
        self.assertEqual([event["message"] for event in again], [text for text in expected if text[0] != "3"])
        ids = {event["message"]: event["eventId"] for event in events}
        self.assertEqual(len(set(ids.values())), 30)
        self.assertTrue(all(ids[event["message"]] == event["eventId"] for event in again))
        newest = self.filtered(logStreamNamePrefix="mix/", limit=7, startFromHead=False)
        self.assertEqual([event["message"] for event in flat(newest)], expected[::-1])
        both = {"logStreamNames": ["mix/algo-1-1"], "logStreamNamePrefix": "mix/"}
        self.refused("InvalidParameterException", self.filter, **both)
        self.refused("ResourceNotFoundException", self.filter, logStreamNames=["mix/algo-9-1"])
        self.assertEqual(self.filter(logStreamNamePrefix="nothing/")["events"], [])

    def test_two_identical_lines_are_two(self):
        self.add("twice/algo-1-1", [1000, "same"], [1000, "same"])
        events = self.filter(logStreamNamePrefix="twice/")["events"]
        self.assertEqual([event["message"] for event in events], ["same", "same"])
        self.assertEqual(len({event["eventId"] for event in events}), 2)
        self.assertEqual(events[0]["ingestionTime"], 2000)

    def test_empty_pages_in_the_middle(self):
        self.add("empty/algo-1-1", *[[1000 + number, str(number)] for number in range(50)])
        admin("PUT", "settings", {"empty_pages": 0.5})
        pages = self.forwards("empty/algo-1-1", limit=5)
        self.assertEqual(flat(pages), [str(number) for number in range(50)])
        self.assertIn([], pages[:-1])
        pages = self.filtered(logStreamNamePrefix="empty/", limit=5)
        self.assertEqual([event["message"] for event in flat(pages)], [str(number) for number in range(50)])
        self.assertIn([], pages)
        found, more = [], {}
        while len(found) < 50:
            page = self.get("empty/algo-1-1", limit=5, **more)
            found, more = texts(page) + found, {"nextToken": page["nextBackwardToken"]}
        self.assertEqual(found, [str(number) for number in range(50)])

    def test_a_token_that_never_repeats(self):
        self.add("restless/algo-1-1", [1000, "a"])
        admin("PUT", "settings", {"restless_tokens": 1})
        page, tokens = self.get("restless/algo-1-1", startFromHead=True), set()
        for _ in range(5):
            tokens.add(page["nextForwardToken"])
            page = self.get("restless/algo-1-1", startFromHead=True, nextToken=page["nextForwardToken"])
            self.assertEqual(page["events"], [])
        self.assertEqual(len(tokens), 5)
        self.add("restless/algo-1-1", [2000, "b"])
        page = self.get("restless/algo-1-1", startFromHead=True, nextToken=page["nextForwardToken"])
        self.assertEqual(texts(page), ["b"])
        self.assertEqual(self.forwards("restless/algo-1-1", endTime=5000), [["a", "b"], []])

    def test_a_page_is_a_megabyte_at_most(self):
        self.add("large/algo-1-1", *[[1000 + number, "ä" * 131_072] for number in range(10)])
        pages = self.forwards("large/algo-1-1")
        self.assertEqual([len(page) for page in pages], [3, 3, 3, 1, 0])
        self.assertEqual([len(page) for page in self.filtered(logStreamNamePrefix="large/")], [3, 3, 3, 1])

    def test_streams_are_listed_in_pages(self):
        for node in range(1, 121):
            self.add("many/algo-%d-1" % node, [1000, "x"])
        self.add("many2/algo-1-1", [1000, "x"])
        pager = self.logs.get_paginator("describe_log_streams")
        pages = [page["logStreams"] for page in pager.paginate(logGroupName=GROUP, logStreamNamePrefix="many/")]
        self.assertEqual([len(page) for page in pages], [50, 50, 20])
        names = [stream["logStreamName"] for page in pages for stream in page]
        self.assertEqual(names, sorted("many/algo-%d-1" % node for node in range(1, 121)))
        self.assertEqual(pages[0][0]["lastEventTimestamp"], 1000)
        refused = {"logGroupName": GROUP, "logStreamNamePrefix": "many/", "orderBy": "LastEventTime"}
        self.refused("InvalidParameterException", self.logs.describe_log_streams, **refused)

    def test_a_group_of_ones_own(self):
        name = {"logGroupName": "own"}
        self.refused("ResourceNotFoundException", self.logs.describe_log_streams, **name)
        self.refused("ResourceNotFoundException", self.logs.filter_log_events, **name)
        self.logs.create_log_group(**name)
        self.refused("ResourceAlreadyExistsException", self.logs.create_log_group, **name)
        self.refused("ResourceNotFoundException", self.logs.get_log_events, **name, logStreamName="s")
        self.logs.create_log_stream(**name, logStreamName="s")
        self.assertEqual(self.logs.get_log_events(**name, logStreamName="s")["events"], [])
        events = [{"timestamp": 1000, "message": "a"}, {"timestamp": 2000, "message": "\x00\ufffd"}]

        def put(events):
            return self.logs.put_log_events(**name, logStreamName="s", logEvents=events)

        put(events)
        self.refused("InvalidParameterException", put, events[::-1])
        identifier = self.logs.describe_log_groups(logGroupNamePrefix="ow")["logGroups"][0]["logGroupArn"]
        found = self.logs.get_log_events(logGroupIdentifier=identifier, logStreamName="s")
        self.assertEqual(texts(found), ["a", "\x00\ufffd"])

    def test_many_events_are_read_quickly(self):
        for start in range(0, LARGE, LARGE // 4):
            self.add(
                "bulk/algo-1-1", *[[1000 + number, "line %d" % number] for number in range(start, start + LARGE // 4)]
            )
        started = time.monotonic()
        self.assertEqual(sum(len(page) for page in self.forwards("bulk/algo-1-1")), LARGE)
        self.assertEqual(sum(len(page) for page in self.filtered(logStreamNamePrefix="bulk/")), LARGE)
        self.assertLess(time.monotonic() - started, 30)


class Live(Case):
    def start(self, name, **more):
        admin("POST", "live-jobs", {"region": REGION, "job": {"name": name, **more}})

    def injected(self, name):
        self.poll(lambda: admin("GET", "live-jobs/" + name)["done"], "all lines of " + name)
        return admin("GET", "live-jobs/" + name)["events"]

    def told(self, events):
        return sorted((event["stream"], event["time"], event["text"]) for event in events)

    def stored(self, name):
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=GROUP, logStreamNamePrefix=name + "/"
        )
        events = [event for page in pages for event in page["events"]]
        return sorted((event["logStreamName"], event["timestamp"], event["message"]) for event in events)

    def test_a_job_passes_through_its_phases(self):
        self.start("calm", nodes=2, seconds=2, events=50)
        self.assertEqual(self.describe("calm")["SecondaryStatus"], "Starting")
        injected, job = self.injected("calm"), self.describe("calm")
        names = [phase["Status"] for phase in job["SecondaryStatusTransitions"]]
        self.assertEqual(names, ["Starting", "Downloading", "Training", "Uploading", "Completed"])
        self.assertEqual((job["TrainingJobStatus"], job["ResourceConfig"]["InstanceCount"]), ("Completed", 2))
        self.assertTrue(1 < (job["TrainingEndTime"] - job["CreationTime"]).total_seconds() < 4)
        printed = sorted(event["text"] for event in injected)
        self.assertEqual(printed, ["algo-%d %07d" % (node, number) for node in (1, 2) for number in range(50)])
        self.assertEqual(self.told(injected), self.stored("calm"))

    def test_lines_that_are_late_and_nodes_that_are_restarted(self):
        plan = {"nodes": 4, "seconds": 2, "events": 100, "restarted": [2], "late_share": 0.2, "late_seconds": 2}
        self.start("late", **plan, after_end=1, rate="burst", seed=5)
        events = self.injected("late")
        streams = collections.Counter(event["stream"] for event in events)
        numbers = [
            [count for name, count in streams.items() if name.startswith("late/algo-%d-" % node)] for node in (1, 2)
        ]
        self.assertEqual((numbers, len(streams)), ([[100], [50, 50]], 5))
        behind = [event["arrived"] - event["time"] for event in events]
        self.assertTrue(40 < sum(delay > 600 for delay in behind) < 160, sorted(behind))
        self.assertTrue(min(behind) >= 0 and max(behind) < 2500, sorted(behind))
        end = self.describe("late")["TrainingEndTime"].timestamp() * 1000
        self.assertGreater(max(event["arrived"] for event in events), end)
        self.assertEqual(self.told(events), self.stored("late"))

    def test_ends(self):
        lines = [{"node": 1, "at": 0.5, "text": "Traceback"}]
        self.start("fails", seconds=1, events=0, lines=lines, end="Failed", reason="AlgorithmError: no")
        self.start("stopped", seconds=600, events=1000, phases=[0.1, 0.1, 600, 0.1], appear=0)
        self.assertEqual([event["text"] for event in self.injected("fails")], ["Traceback"])
        self.assertEqual(self.describe("fails")["FailureReason"], "AlgorithmError: no")
        self.poll(lambda: admin("GET", "live-jobs/stopped")["count"], "a line")
        self.sagemaker.stop_training_job(TrainingJobName="stopped")
        self.assertEqual(self.ended("stopped")["TrainingJobStatus"], "Stopped")
        admin("DELETE", "jobs/stopped")
        self.refused("ValidationException", self.describe, "stopped")


def texts(page):
    return [event["message"] for event in page["events"]]


def flat(pages):
    return list(itertools.chain.from_iterable(pages))
