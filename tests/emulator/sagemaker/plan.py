"""What a live job is going to do, fixed before it starts by its table and its seed: phases, and which line arrives when."""

import math
import random
from typing import NamedTuple

PHASES = ("Starting", "Downloading", "Training", "Uploading")
# The shares of `seconds` that the phases take.
SHARES = (0.1, 0.1, 0.7, 0.1)
# In a burst lines come as fast as this.
BURST_SECONDS = 0.2
BURSTS = 3
# How long a line that counts as late is under way at least.
LATE_AT_LEAST = 0.5


class Line(NamedTuple):
    # Seconds after the job's start.
    arrives: float
    time: float
    stream: str
    text: str


class Plan:
    FIELDS = {
        "name": None,
        "seed": 0,
        "nodes": 1,
        # Seconds from the job's creation to its end, and its phases' own where those matter.
        "seconds": 10.0,
        "phases": None,
        # Lines of each node: `algo-3 0000000`, `algo-3 0000001`, ...
        "events": 100,
        # steady or burst.
        "rate": "steady",
        # How often a node sends its lines: a line waits for it.
        "batch_seconds": 0.5,
        # Streams appear during this share of the training.
        "appear": 0.3,
        # The numbers of nodes that are restarted: half of their lines are in a second stream.
        "restarted": (),
        # The numbers of nodes that print all they have in the first fifth of their time.
        "silent": (),
        # This share of the lines arrives up to so many seconds late, though not later than that after the job's end.
        "late_share": 0.0,
        "late_seconds": 20.0,
        "after_end": 3.0,
        # Further lines: {"node": 1, "at": seconds after the job's start, "text"}.
        "lines": (),
        "end": "Completed",
        "reason": None,
        # Further fields of the request: EnableManagedSpotTraining, ...
        "request": {},
    }

    def __init__(self, start, **wanted):
        unknown = set(wanted) - set(self.FIELDS)
        if unknown or "name" not in wanted:
            raise ValueError("no such live job: %s" % wanted)
        for field, default in self.FIELDS.items():
            setattr(self, field, wanted.get(field, default))
        self.start, self.random = start, random.Random(self.seed)
        self.phases = self.phases or [share * self.seconds for share in SHARES]
        # When each phase begins, and the job ends.
        self.moments = [sum(self.phases[:count]) for count in range(len(PHASES) + 1)]
        self.ends = self.moments[-1]
        lines = [line for node in range(1, self.nodes + 1) for line in self.node(node)]
        # Those of a node that arrive together stay in their order.
        self.arrivals = sorted(lines, key=lambda line: line.arrives)

    def node(self, node):
        train, upload = self.moments[2:4]
        appears = train + self.random.random() * self.appear * (upload - train)
        phase = self.random.random() * self.batch_seconds
        streams = self.streams(node, appears, (appears + upload) / 2)
        times = self.times(appears, appears + (upload - appears) / (5 if node in self.silent else 1))
        printed = [(time, "algo-%d %07d" % (node, number)) for number, time in enumerate(times)]
        printed += [(line["at"], line["text"]) for line in self.lines if line["node"] == node]
        printed.sort(key=lambda line: line[0])
        for number, (time, text) in enumerate(printed):
            stream = streams[number * len(streams) // len(printed)]
            yield Line(self.arrival(time, phase), time, stream, text)

    def streams(self, node, appears, restarts):
        epochs = [int(self.start + appears)]
        if node in self.restarted:
            # Another second, however short the job is.
            epochs.append(max(int(self.start + restarts), epochs[0] + 1))
        return ["%s/algo-%d-%d" % (self.name, node, epoch) for epoch in epochs]

    def times(self, start, end):
        if self.rate == "burst":
            bursts = [start + (end - start - BURST_SECONDS) * number / BURSTS for number in range(BURSTS)]
            return sorted(
                bursts[number % BURSTS] + self.random.random() * BURST_SECONDS for number in range(self.events)
            )
        length = (end - start) / max(1, self.events)
        return [start + (number + self.random.random()) * length for number in range(self.events)]

    def arrival(self, time, phase):
        if self.random.random() >= self.late_share:
            return phase + math.ceil((time - phase) / self.batch_seconds) * self.batch_seconds
        latest = max(LATE_AT_LEAST, min(self.late_seconds, self.ends + self.after_end - time))
        return time + self.random.uniform(LATE_AT_LEAST, latest)
