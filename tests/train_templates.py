#!/usr/bin/env python3
"""Trains the job templates on this computer, those whose libraries are too large for `cargo test` too.

    cargo build && python3 tests/train_templates.py             # all that run without an image
    python3 tests/train_templates.py pytorch tensorflow         # these

Each is written by `smtrain init`, run as it is by `smtrain submit --local`, and has to leave a model and all its
metrics; some are also run by hand, as several processes. The libraries come from PyPI into environments that are removed
at the end: some 9 GB on Linux, most of it CUDA, which PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu spares.
With --keep FOLDER environments, jobs and models stay there, and the environments are used again.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TORCH = "torch", ("torch>=2.9,<2.11", "transformers>=5.3,<5.4", "accelerate")
# What a template's Python has to have. The versions are about those of the templates' images; templates that are not
# named here bring a requirements.txt or need nothing.
NEEDS = {
    "heterogeneous": TORCH,
    "huggingface": TORCH,
    "mxnet": ("mxnet", ("mxnet==1.9.1", "numpy<1.24")),
    "pytorch": TORCH,
    "pytorch-distributed": TORCH,
    "spot-with-checkpoints": TORCH,
    "tensorflow": ("tensorflow", ("tensorflow-cpu>=2.19,<2.22",)),
}
IMAGE = "needs its image"
LIMIT = 1800  # seconds that one command may take


class Trial:
    """One template, in a folder of its own."""

    def __init__(self, smtrain: Path, work: Path, name: str) -> None:
        self.smtrain, self.work, self.name = smtrain, work, name
        self.folder = work / "templates" / name
        # Not this computer's settings, nor its jobs; no AWS.
        kept = {name: os.environ[name] for name in os.environ if not name.startswith(("AWS_", "SMTRAIN_", "SM_"))}
        home = {"SMTRAIN_HOME": str(work / "home"), "XDG_CONFIG_HOME": str(work), "PYTHONDONTWRITEBYTECODE": "1"}
        self.variables = {**kept, **home}

    def run(self, *command: str, **variables: str) -> str:
        """Runs a command in the template's folder to its success, and returns its stdout."""
        return self.end(self.start(*command, **variables))

    def start(self, *command: str, **variables: str) -> subprocess.Popen:
        pipe, environment = subprocess.PIPE, {**self.variables, **variables}
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=pipe, stderr=pipe, text=True)

    def end(self, process: subprocess.Popen) -> str:
        try:
            stdout, stderr = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Failure(f"{process.args} did not end") from None
        if process.returncode:
            raise Failure(f"{process.args} ended with {process.returncode}:\n{stdout}{stderr}")
        return stdout

    def submit(self, *more: str) -> str:
        """Submits it as a local job, and returns the job's name."""
        return self.run(str(self.smtrain), "submit", "job.toml", "--local", *more).strip()

    def prepare(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.run(str(self.smtrain), "init", "-q", "-t", self.name)
        if self.name in NEEDS:
            programs = environment(self.work, *NEEDS[self.name])
            self.variables["PATH"] = f"{programs}{os.pathsep}{self.variables['PATH']}"

    def train(self) -> str:
        """As a local job. Returns what its metrics were in the end."""
        job = self.submit("--wait", "--download", "models")
        if not any((self.folder / "models" / job / "model").iterdir()):
            raise Failure("there is no model")
        described = json.loads(self.run(str(self.smtrain), "describe", job, "-o", "json"))["job"]
        values = {metric["MetricName"]: metric["Value"] for metric in described.get("FinalMetricDataList", [])}
        for metric in described["AlgorithmSpecification"].get("MetricDefinitions", []):
            if metric["Name"] not in values:
                raise Failure(f"the metric {metric['Name']} was not found in the log")
        return ", ".join(f"{name} {value:.4g}" for name, value in values.items())


class Failure(Exception):
    pass


def environment(work: Path, name: str, packages: tuple[str, ...]) -> Path:
    """The folder of the programs of an environment with these packages, made when it is missing."""
    folder = work / "environments" / name
    if not (folder / "complete").exists():
        print(f"installing {', '.join(packages)}", flush=True)
        venv.create(folder, clear=True, with_pip=True)
        install = [folder / "bin" / "python", "-m", "pip", "install", "-q", "--no-cache-dir", *packages]
        done = subprocess.run(install, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Failure(f"{', '.join(packages)} could not be installed:\n{done.stdout}")
        (folder / "complete").touch()
    return folder / "bin"


def as_two_processes(trial: Trial) -> str:
    trial.run("torchrun", "--standalone", "--nproc-per-node", "2", "train.py", "--epochs", "3", SM_MODEL_DIR="two")
    if not (trial.folder / "two" / "model.pt").exists():
        raise Failure("two processes left no model")
    return "with two processes too"


def interrupted(trial: Trial) -> str:
    """A job that is stopped and goes on as another one has the model of a job that was left alone."""
    place = ("--set", "checkpoints.s3_uri=s3://tests/interrupted")
    first = trial.submit("-H", "epoch-seconds=0.2", *place)
    deadline = time.monotonic() + LIMIT
    while "epoch=3 " not in trial.run(str(trial.smtrain), "logs", first):
        if time.monotonic() > deadline:
            raise Failure(f"{first} came to no third epoch")
        time.sleep(0.2)
    trial.run(str(trial.smtrain), "stop", first)
    subprocess.run([trial.smtrain, "wait", first], env=trial.variables, capture_output=True, timeout=LIMIT, check=False)
    jobs = [trial.submit("--wait", "--download", "models", *more) for more in (place, ())]
    if "goes on after epoch" not in trial.run(str(trial.smtrain), "logs", jobs[0]):
        raise Failure(f"{jobs[0]} did not go on with the work of {first}")
    models = [(trial.folder / "models" / job / "model" / "model.pt").read_bytes() for job in jobs]
    if models[0] != models[1]:
        raise Failure("the interruption changed the model")
    return "interrupted: the same model"


def as_three_hosts(trial: Trial) -> str:
    groups = json.dumps({"data": {"hosts": ["127.0.0.1", "127.0.0.2"]}, "training": {"hosts": ["127.0.0.3"]}})
    processes = [
        trial.start(
            "python",
            "train.py",
            SM_CURRENT_HOST=f"127.0.0.{n}",
            SM_INSTANCE_GROUPS_DICT=groups,
            SM_MODEL_DIR=f"host-{n}",
        )
        for n in (1, 2, 3)
    ]
    said = [trial.end(process) for process in reversed(processes)]
    if not all("batches were sent" in text for text in said[1:]):
        raise Failure(f"not every data host sent batches: {said}")
    if not (trial.folder / "host-3" / "model.pt").exists():
        raise Failure("the training host left no model")
    return "as three hosts too"


def by_hand(trial: Trial) -> str:
    trial.run("python3", "train.py", SM_MODEL_DIR="by-hand")
    if not any((trial.folder / "by-hand").iterdir()):
        raise Failure("the script left no model")
    return f"{IMAGE}; the script was run by hand"


MORE = {
    "heterogeneous": as_three_hosts,
    "pytorch-distributed": as_two_processes,
    "spot-with-checkpoints": interrupted,
}


def attempt(trial: Trial) -> str:
    trial.prepare()
    if "\n[framework]\n" not in (trial.folder / "job.toml").read_text(encoding="utf-8"):
        return by_hand(trial) if (trial.folder / "train.py").exists() else IMAGE
    said = [trial.train()]
    if trial.name in MORE:
        said.append(MORE[trial.name](trial))
    return "; ".join(said)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("templates", nargs="*", metavar="TEMPLATE")
    parser.add_argument("--smtrain", type=Path, default=ROOT / "target" / "debug" / "smtrain")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    args = parser.parse_args()
    smtrain = args.smtrain.resolve()
    listed = subprocess.run([smtrain, "init", "--list", "-o", "json"], check=True, stdout=subprocess.PIPE, text=True)
    names = args.templates or [json.loads(line)["name"] for line in listed.stdout.splitlines()]
    work = args.keep.resolve() if args.keep else Path(tempfile.mkdtemp(prefix="smtrain-templates-"))
    failed = 0
    try:
        for name in names:
            start = time.monotonic()
            try:
                outcome = f"ok    {name}: {attempt(Trial(smtrain, work, name))}"
            except Failure as failure:
                outcome, failed = f"FAIL  {name}: {failure}", failed + 1
            print(f"{outcome} ({time.monotonic() - start:.0f} s)", flush=True)
    finally:
        if not args.keep:
            shutil.rmtree(work)
    sys.exit(failed != 0)


if __name__ == "__main__":
    main()
