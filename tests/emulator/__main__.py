"""Starts the emulator: prints one JSON line with its port, and ends, with all its jobs, when stdin does.

    cd tests && PYTHON -m emulator --toolkit-python TOOLKIT_PYTHON

PYTHON has requirements.txt installed, and TOOLKIT_PYTHON ../toolkit/requirements.txt. Give clients
AWS_ENDPOINT_URL=http://127.0.0.1:PORT and any access key of 20 characters: its last 13 make the account.
"""

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import threading

from .dispatch import Dispatcher
from .web import Server

# Containers that run at once: more would only wait for the processor.
SLOTS = 4 * (os.cpu_count() or 1)


class Emulator:
    """What jobs need to know of the server."""

    def __init__(self, toolkit_python):
        self.toolkit_python = toolkit_python
        self.work = tempfile.mkdtemp(prefix="smtrain-emulator-")
        self.slots = threading.BoundedSemaphore(SLOTS)
        self.http = Server(Dispatcher(self).answer)
        self.url = "http://127.0.0.1:%d" % self.http.server_port


def main():
    parser = argparse.ArgumentParser(description="AWS on this computer, for tests")
    parser.add_argument("--toolkit-python", default=sys.executable)
    # Ctrl-C ends the test, and stdin with it. Jobs don't inherit a handler.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    emulator = Emulator(parser.parse_args().toolkit_python)
    threading.Thread(target=emulator.http.serve_forever, daemon=True).start()
    print(json.dumps({"port": emulator.http.server_port}), flush=True)
    try:
        while sys.stdin.buffer.read(4096):
            pass
    finally:
        # The launchers' stdin ends with this process: each ends its container.
        remove(emulator.work)
        os._exit(0)


def remove(folder):
    """Jobs may still be writing: what they add is met on the next round."""
    for _ in range(10):
        shutil.rmtree(folder, ignore_errors=True)
        if not os.path.exists(folder):
            return


if __name__ == "__main__":
    main()
