"""The log groups of one account and region: their streams, whose events are kept by time and, within a time, by arrival.

A place in such an order is a boundary, (milliseconds, arrival): what is not less than it stands behind it.
"""

import heapq
import threading
import time
from bisect import bisect_left
from typing import NamedTuple

# A page's limits: events, and bytes of which each event takes some more than its text.
LARGEST_PAGE = 10_000
LARGEST_PAGE_BYTES = 1_048_576
OVERHEAD_BYTES = 26
# Behind every time there is.
END_OF_TIME = 1 << 62


class Event(NamedTuple):
    timestamp: int
    # Counts all events of the account and region: no two have the same.
    arrival: int
    ingested: int
    size: int
    message: str
    stream: str

    def before(self):
        return (self.timestamp, self.arrival)

    def after(self):
        return (self.timestamp, self.arrival + 1)

    def id(self):
        return "%020d%036d" % self.before()


class Stream:
    def __init__(self, name):
        self.name, self.created = name, milliseconds()
        self.events = []
        # What DescribeLogStreams knows of it: the service is up to an hour behind, and so this is the first batch.
        self.first = self.last = self.last_ingested = None

    def add(self, events):
        events.sort()
        if self.first is None:
            self.first, self.last = events[0].timestamp, events[-1].timestamp
            self.last_ingested = events[0].ingested
        late = self.events and events[0] < self.events[-1]
        self.events += events
        if late:
            self.events.sort()

    def span(self, start, end):
        """The indices of the events from one boundary to the other."""
        return bisect_left(self.events, start), bisect_left(self.events, end)


class LogStore:
    """Use what it holds under its lock."""

    def __init__(self):
        self.lock = threading.RLock()
        # Streams by name, by group.
        self.groups = {}
        self.arrived = 0

    def put(self, group, stream, events, lag=None):
        """Adds events, as (milliseconds, text), that arrive now, or seem to have `lag` milliseconds after their times.

        Group and stream are made when they are missing.
        """
        with self.lock:
            streams = self.groups.setdefault(group, {})
            kept = streams.get(stream) or streams.setdefault(stream, Stream(stream))
            if events:
                kept.add(self.arrive(stream, events, lag))

    def arrive(self, stream, events, lag):
        ingested, first = milliseconds(), self.arrived
        self.arrived += len(events)
        return [
            Event(moment, first + index, ingested if lag is None else moment + lag, size(text), text, stream)
            for index, (moment, text) in enumerate(events)
        ]


def forwards(streams, start, end, limit):
    """The first events between two boundaries that make a page, and whether there are more."""
    parts = []
    for stream in streams:
        low, high = stream.span(start, end)
        # No stream can give more than the whole page, and the one that tells of more.
        parts.append(stream.events[low : min(high, low + limit + 1)])
    return page(heapq.merge(*parts), limit)


def backwards(streams, start, end, limit):
    """The last events, the newest first, and whether there are more before them."""
    parts = []
    for stream in streams:
        low, high = stream.span(start, end)
        parts.append(stream.events[max(low, high - limit - 1) : high][::-1])
    return page(heapq.merge(*parts, reverse=True), limit)


def page(events, limit):
    cut, total = [], 0
    for event in events:
        total += event.size + OVERHEAD_BYTES
        if len(cut) == limit or (cut and total > LARGEST_PAGE_BYTES):
            return cut, True
        cut.append(event)
    return cut, False


def size(text):
    return len(text) if text.isascii() else len(text.encode("utf-8", "replace"))


def milliseconds():
    return int(time.time() * 1000)
