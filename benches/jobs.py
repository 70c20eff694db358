#!/usr/bin/env python3
"""What local jobs cost: a list of 10,000 of them, and a log of 10 million lines.

cargo build --release && python3 benches/jobs.py [--jobs 10000] [--lines 10000000] [--runs 5]
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from measure import SMTRAIN, compare

SCRIPT = """import sys
for start in range(0, {lines}, 1000):
    sys.stdout.write("".join(f"step {{n}} loss=0.{{n % 1000:03}}\\n" for n in range(start, start + 1000)))
"""
SPEC = """[framework]
name = "sklearn"
version = "1.4-2"
[source]
entry_point = "train.py"
[resources]
instance_type = "local"
[metrics]
"""


def submit(folder, script, metrics=""):
    (folder / "train.py").write_text(script)
    (folder / "job.toml").write_text(SPEC + metrics)
    return f"{SMTRAIN} --quiet submit --wait {folder / 'job.toml'}"


def multiply(home, count):
    """One job's folder, `count` times under other names and times."""
    jobs = home / "jobs"
    (first,) = (entry for entry in jobs.iterdir() if not entry.name.startswith("."))
    state = json.loads((first / "job.json").read_text())
    for number in range(count - 1):
        hours, rest = divmod(number, 3600)
        name = f"many-2026-01-{1 + hours // 24:02}-{hours % 24:02}-{rest // 60:02}-{rest % 60:02}-000"
        (jobs / name).mkdir()
        created = f"2026-01-{1 + hours // 24:02}T{hours % 24:02}:{rest // 60:02}:{rest % 60:02}Z"
        (jobs / name / "job.json").write_text(
            json.dumps({**state, "TrainingJobName": name, "CreationTime": created}, indent=2)
        )
        shutil.copy(first / "request.json", jobs / name)


def history(folder, count, runs):
    home = folder / "history"
    os.environ["SMTRAIN_HOME"] = str(home)
    subprocess.run(submit(folder, "print('loss=1')"), shell=True, check=True, stdout=subprocess.DEVNULL)
    multiply(home, count)
    lists = ["history", "history --all", "history --all --status Failed", "history --all -o json", "describe -"]
    compare(f"{count} jobs", {name: (SMTRAIN, f"exec {SMTRAIN} --local {name}") for name in lists}, runs)


def log(folder, lines, runs):
    os.environ["SMTRAIN_HOME"] = str(folder / "log")
    command = submit(folder, SCRIPT.format(lines=lines), "loss = 'loss=([0-9.]+)'\n")
    once = {"the script alone": ("python3", f"python3 {folder / 'train.py'} | cat"), "as a job": (SMTRAIN, command)}
    compare(f"{lines} lines", once, 1)
    reads = ["logs -", "logs - --tail 5", "logs - --grep 'step 77777$'", "logs -f -"]
    compare(f"{lines} lines", {name: (SMTRAIN, f"exec {SMTRAIN} --quiet {name}") for name in reads}, runs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if not pathlib.Path(SMTRAIN).exists():
        sys.exit("there is no release build: cargo build --release")
    with tempfile.TemporaryDirectory() as folder:
        history(pathlib.Path(folder), options.jobs, options.runs)
        log(pathlib.Path(folder), options.lines, options.runs)


if __name__ == "__main__":
    main()
