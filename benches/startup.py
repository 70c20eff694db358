#!/usr/bin/env python3
"""How long smtrain takes to start, beside the tools that do the same job.

    cargo build --release && python3 benches/startup.py [--runs 20] [--peers]

With --peers the AWS command line and the SageMaker Python SDK are installed from PyPI under target/bench-peers and measured
in the same run; without, those that are installed already are.
"""

import argparse
import os
import pathlib
import subprocess
import sys

from measure import SMTRAIN, compare

PEERS = ["awscli==1.46.3", "sagemaker==2.257.7"]
SPEC = "job-templates/quickstart/job.toml"


def install_peers(folder):
    if not folder.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check", *PEERS], check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    peers = pathlib.Path("target/bench-peers").absolute()
    if options.peers:
        install_peers(peers)
    os.environ["PATH"] = f"{peers / 'bin'}:{os.environ['PATH']}"
    python = str(peers / "bin" / "python") if peers.exists() else "python3"
    commands = {
        "smtrain --version": (SMTRAIN, f"exec {SMTRAIN} --version"),
        "smtrain --help": (SMTRAIN, f"exec {SMTRAIN} --help"),
        "smtrain validate": (SMTRAIN, f"exec {SMTRAIN} --quiet validate {SPEC}"),
        "python3 -c pass": (python, f"exec {python} -c pass"),
        "aws --version": ("aws", "exec aws --version"),
    }
    if subprocess.run([python, "-c", "import sagemaker"], capture_output=True, check=False).returncode == 0:
        commands["import sagemaker"] = (python, f"exec {python} -c 'import sagemaker' 2>/dev/null")
    compare("start", commands, options.runs)


if __name__ == "__main__":
    main()
