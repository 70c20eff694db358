#!/usr/bin/env python3
"""Every benchmark, one after the other; each is a script of its own with --help.

cargo build --release && python3 benches/run.py
"""

import pathlib
import subprocess
import sys

BENCHMARKS = [
    ("startup.py", ["--peers"]),
    ("first_request.py", []),
    ("pack.py", []),
    ("jobs.py", []),
    ("logs.py", ["--peers"]),
    ("download.py", ["--peers"]),
    ("upload.py", ["--peers"]),
]

for script, arguments in BENCHMARKS:
    subprocess.run([sys.executable, pathlib.Path(__file__).parent / script, *arguments], check=True)
