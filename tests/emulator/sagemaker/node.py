"""One node of a job: its folder, its process in a /opt/ml of its own, and the lines that it prints."""

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time

from .. import log_store, logs
from . import container

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launcher.py")
# The longest text of output/failure that comes into FailureReason.
LONGEST_FAILURE = 980
CONTROL = re.compile("[\x00-\x1f\x7f]")


class Node:
    def __init__(self, run, index):
        self.run, self.index = run, index
        self.host = container.hosts(run.request)[index]
        self.folder = os.path.join(run.folder, self.host["name"])
        self.ml = os.path.join(self.folder, "ml")
        os.makedirs(self.ml)
        container.write_config(run.request, self)
        self.process = self.reader = self.code = self.ended = None
        self.refusal = None

    def start(self, arguments, environment, started):
        stream = "%s/%s-%d" % (self.run.job.name, self.host["name"], started)
        names = [host["name"] for host in container.hosts(self.run.request)]
        wanted = {"ml": self.ml, "hosts": names, "arguments": arguments, "environment": environment}
        path = os.path.join(self.folder, "launch.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(wanted, file)
        self.process = subprocess.Popen(
            [sys.executable, "-I", LAUNCHER, path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.reader = threading.Thread(target=Lines(self.run, stream).read, args=[self.process.stdout], daemon=True)
        self.reader.start()

    def runs(self):
        if self.process is None:
            return False
        code = self.process.poll()
        if code is not None and self.ended is None:
            self.code, self.ended = code, time.monotonic()
        return code is None

    def wait_a_moment(self):
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(0.02)

    def terminate(self):
        """SIGTERM to the container's first process."""
        self.tell(b"t")

    def kill(self):
        self.tell(b"k")

    def tell(self, what):
        # It may have ended by itself.
        with contextlib.suppress(OSError):
            os.write(self.process.stdin.fileno(), what)

    def finish(self):
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()

    def refuse(self, why):
        self.code, self.ended, self.refusal = 1, time.monotonic(), why

    def failure_text(self):
        try:
            with open(os.path.join(self.ml, "output/failure"), encoding="utf-8", errors="replace") as file:
                return file.read(LONGEST_FAILURE).strip()
        except OSError:
            return self.refusal or ""


def escaped(text):
    """A line as CloudWatch has it: control characters as rsyslog writes them, `#` and three octal digits."""
    return CONTROL.sub(lambda found: "#%03o" % ord(found.group()), text)


class Lines:
    """What a node prints, sent to its log stream line by line."""

    # How long a line may wait for others to be sent with it.
    BATCH_SECONDS = 0.1

    def __init__(self, run, stream):
        self.run, self.stream = run, stream
        self.lock = threading.Lock()
        self.waiting = []

    def read(self, pipe):
        ended = threading.Event()
        sender = threading.Thread(target=self.send_until, args=[ended], daemon=True)
        sender.start()
        for line in iter(pipe.readline, b""):
            text = escaped(line.decode("utf-8", "replace").rstrip("\n"))
            # CloudWatch takes no event without text.
            if text:
                with self.lock:
                    self.waiting.append((log_store.milliseconds(), text))
        ended.set()
        sender.join()

    def send_until(self, ended):
        while not ended.wait(self.BATCH_SECONDS):
            self.send()
        self.send()

    def send(self):
        with self.lock:
            events, self.waiting = self.waiting, []
        if events:
            logs.put(self.run.tenant, self.run.region, self.stream, events)
            self.run.metrics.read(events)
