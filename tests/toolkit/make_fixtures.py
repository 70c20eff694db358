"""Regenerates fixtures/: what scripts see under the real toolkit, for each request in cases.json.

    python -m venv VENV && VENV/bin/pip install -r requirements.txt && VENV/bin/python make_fixtures.py

Paths of this machine are replaced: the job's folder by /opt/ml, the interpreter by `python`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
HOST = "algo-1"


def main():
    with open(os.path.join(HERE, "cases.json"), encoding="utf-8") as file:
        cases = json.load(file)
    for name, case in cases.items():
        fixture = {"case": case, **run(case)}
        with open(os.path.join(HERE, "fixtures", name + ".json"), "w", encoding="utf-8", newline="\n") as file:
            json.dump(fixture, file, indent=1)
            file.write("\n")


def run(case):
    with tempfile.TemporaryDirectory() as folder:
        base = os.path.join(os.path.realpath(folder), "opt-ml")
        lay_out(base, case)
        toolkit = subprocess.run(
            [sys.executable, os.path.join(HERE, "run_toolkit.py"), base],
            env=environment(case, base),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        seen = read(os.path.join(base, "model", "seen.json"))
        failure = read(os.path.join(base, "output", "failure"))
        if seen is None and failure is None:
            sys.exit(toolkit.stdout.decode())
        return {
            "exit_code": toolkit.returncode,
            "seen": seen and without_sys_path(json.loads(portable(seen, base))),
            "failure": failure and portable(failure, base),
        }


def lay_out(base, case):
    code, config = os.path.join(base, "code"), os.path.join(base, "input", "config")
    os.makedirs(code)
    os.makedirs(config)
    for name in ("dump.py", "dump.sh"):
        shutil.copy(os.path.join(HERE, name), code)
    for name, text in case.get("files", {}).items():
        path = os.path.join(code, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    # Stands for torchrun: writes down what it sees in the script's place.
    torchrun = os.path.join(base, "bin", "torchrun")
    os.makedirs(os.path.dirname(torchrun))
    with open(os.path.join(HERE, "dump.py"), encoding="utf-8") as dump, open(torchrun, "w", encoding="utf-8") as file:
        file.write(f"#!{sys.executable}\n{dump.read()}")
    os.chmod(torchrun, 0o755)
    for name, content in config_files(case).items():
        with open(os.path.join(config, name), "w", encoding="utf-8") as file:
            json.dump(content, file)


def config_files(case):
    """The service's files, made here on their own so that smtrain's can be held against them."""
    host, request = case["host"], case["request"]
    groups = request.get("ResourceConfig", {}).get("InstanceGroups")
    group = groups[0]["InstanceGroupName"] if groups else "homogeneousCluster"
    instances = {"instance_group_name": group, "instance_type": host["instance_type"], "hosts": [HOST]}
    return {
        "hyperparameters.json": request.get("HyperParameters", {}),
        "inputdataconfig.json": {c["ChannelName"]: channel(c, request) for c in request.get("InputDataConfig", [])},
        # One host alone, unless the case has its own: only the driver is held against those.
        "resourceconfig.json": case.get("resource_config")
        or {
            "current_host": HOST,
            "current_instance_type": host["instance_type"],
            "current_group_name": group,
            "hosts": [HOST],
            "instance_groups": [instances],
            "network_interface_name": host["network_interface"],
        },
    }


def channel(channel, request):
    config = {}
    if "ContentType" in channel:
        config["ContentType"] = channel["ContentType"]
    config["TrainingInputMode"] = channel.get("InputMode", request["AlgorithmSpecification"]["TrainingInputMode"])
    s3 = channel["DataSource"].get("S3DataSource")
    if s3:
        config["S3DistributionType"] = s3.get("S3DataDistributionType", "FullyReplicated")
    config["RecordWrapperType"] = channel.get("RecordWrapperType", "None")
    return config


def environment(case, base):
    programs = [os.path.join(base, "bin"), os.path.dirname(sys.executable)]
    request = case["request"]
    return {
        "PATH": os.pathsep.join([*programs, "/usr/bin", "/bin"]),
        "TRAINING_JOB_NAME": request["TrainingJobName"],
        "TRAINING_JOB_ARN": case["job_arn"],
        # The script must not leave its byte code in the interpreter's own folder.
        "PYTHONDONTWRITEBYTECODE": "1",
        **request.get("Environment", {}),
    }


def without_sys_path(seen):
    """The toolkit puts its interpreter's whole sys.path into PYTHONPATH: only what stands under /opt is the contract's."""
    environment = seen["environment"]
    paths = environment["PYTHONPATH"].split(":")
    environment["PYTHONPATH"] = ":".join(path for path in paths if path.startswith("/opt/"))
    return seen


def portable(text, base):
    return text.replace(base, "/opt/ml").replace(sys.executable, "python")


def read(path):
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return file.read()


if __name__ == "__main__":
    main()
