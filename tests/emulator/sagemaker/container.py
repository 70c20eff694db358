"""The container contract: hosts, configuration, environment and what is run, as SageMaker gives them to an image."""

import json
import os
import re
import time

# Repositories of AWS's framework images, whose entry point is the toolkit.
FRAMEWORKS = re.compile(
    r"^[^/]+\.dkr\.ecr\.[^/]+/(sagemaker-(scikit-learn|xgboost|tensorflow|mxnet|pytorch|chainer).*|.*-training.*)$"
)
TOOLKIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "toolkit", "run_toolkit.py")
# What decides about the way to package indexes.
KEPT = ("PIP_", "SSL_", "REQUESTS_CA_BUNDLE")
FOLDERS = ("model", "input/config", "input/data", "output/data", "checkpoints")


def hosts(request):
    """Every host with its group and instance type, in order."""
    resources = request["ResourceConfig"]
    groups = resources.get("InstanceGroups") or [
        {
            "InstanceGroupName": "homogeneousCluster",
            "InstanceType": resources.get("InstanceType", "ml.m5.large"),
            "InstanceCount": resources.get("InstanceCount", 1),
        }
    ]
    found = []
    for group in groups:
        for _ in range(group["InstanceCount"]):
            name = "algo-%d" % (len(found) + 1)
            found.append({"name": name, "group": group["InstanceGroupName"], "type": group["InstanceType"]})
    return found


def write_config(request, node):
    for folder in FOLDERS:
        os.makedirs(os.path.join(node.ml, folder), exist_ok=True)
    files = {
        "hyperparameters": request.get("HyperParameters", {}),
        "inputdataconfig": {channel["ChannelName"]: channel_config(request, channel) for channel in channels(request)},
        "resourceconfig": resource_config(request, node),
    }
    for name, content in files.items():
        with open(os.path.join(node.ml, "input/config", name + ".json"), "w", encoding="utf-8") as file:
            json.dump(content, file)


def channels(request):
    return request.get("InputDataConfig", [])


def channel_config(request, channel):
    config = {"ContentType": channel["ContentType"]} if "ContentType" in channel else {}
    config["TrainingInputMode"] = channel.get("InputMode", request["AlgorithmSpecification"]["TrainingInputMode"])
    s3 = channel["DataSource"].get("S3DataSource")
    if s3:
        config["S3DistributionType"] = s3.get("S3DataDistributionType", "FullyReplicated")
    config["RecordWrapperType"] = channel.get("RecordWrapperType", "None")
    return config


def resource_config(request, node):
    every = hosts(request)
    groups = {host["group"]: host["type"] for host in every}
    return {
        "current_host": node.host["name"],
        "current_instance_type": node.host["type"],
        "current_group_name": node.host["group"],
        "hosts": [host["name"] for host in every],
        "instance_groups": [
            {
                "instance_group_name": group,
                "instance_type": kind,
                "hosts": [host["name"] for host in every if host["group"] == group],
            }
            for group, kind in groups.items()
        ],
        "network_interface_name": network_interface(),
    }


def network_interface():
    names = sorted(name for name in os.listdir("/sys/class/net") if name != "lo") or ["lo"]
    return "eth0" if "eth0" in names else names[0]


def command(server, request):
    """The program and its arguments; None for an image whose own entry point isn't known here."""
    algorithm = request["AlgorithmSpecification"]
    if algorithm.get("ContainerEntrypoint"):
        return algorithm["ContainerEntrypoint"] + algorithm.get("ContainerArguments", [])
    image = algorithm.get("TrainingImage", "")
    if FRAMEWORKS.match(image) or "sagemaker_program" in request.get("HyperParameters", {}):
        return [server.toolkit_python, os.path.abspath(TOOLKIT), "/opt/ml"]
    return None


def environment(run, node):
    server, job = run.server, run.job
    packages = packages_folder(node)
    kept = {
        name: value for name, value in os.environ.items() if name.startswith(KEPT) or name.lower().endswith("_proxy")
    }
    variables = {
        "PATH": os.path.dirname(server.toolkit_python) + ":/usr/local/bin:/usr/bin:/bin",
        "HOME": os.environ.get("HOME", node.folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "TRUE",
        # A container's packages are its own: what a job installs doesn't stay.
        "PIP_TARGET": packages,
        "PYTHONPATH": packages,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        "AWS_REGION": run.region,
        **kept,
    }
    if not run.request.get("EnableNetworkIsolation"):
        variables.update(credentials(run))
    return {**variables, **run.request.get("Environment", {})}


def packages_folder(node):
    """Where the container's own Python packages go, with what makes its Pythons print line by line.

    AWS's framework images set PYTHONUNBUFFERED, by which the toolkit can take a line apart: now and then, which no test
    could rest on.
    """
    folder = os.path.join(node.folder, "packages")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "sitecustomize.py"), "w", encoding="utf-8") as file:
        file.write("import sys\nif sys.stdout: sys.stdout.reconfigure(line_buffering=True)\n")
    return folder


def credentials(run):
    return {
        "AWS_ACCESS_KEY_ID": run.tenant.job_key(),
        "AWS_SECRET_ACCESS_KEY": "job",
        "AWS_ENDPOINT_URL": run.server.url,
    }


def run(run, nodes):
    """Runs every node to its end, and ends them all when one fails or the job is stopped."""
    started = int(time.time())
    arguments = command(run.server, run.request)
    if arguments is None:
        nodes[0].refuse("the emulator doesn't know the entry point of this image")
        return
    for node in nodes:
        node.start(arguments, environment(run, node), started)
    watch(run, nodes)
    for node in nodes:
        node.finish()


def watch(run, nodes):
    kill_at = None
    while any(node.runs() for node in nodes):
        if any(node.code for node in nodes if not node.runs()):
            for node in nodes:
                node.kill()
        if run.job.stopping.is_set() and kill_at is None:
            kill_at = time.monotonic() + run.tenant.settings.stop_grace
            run.job.enter("Stopping", "Stopping the training job")
            for node in nodes:
                node.terminate()
        if kill_at is not None and time.monotonic() > kill_at:
            for node in nodes:
                node.kill()
        nodes[0].wait_a_moment()


def failure(nodes):
    """The job's FailureReason, or None when every node has ended well."""
    failed = [node for node in nodes if node.code]
    if not failed:
        return None
    first = min(failed, key=lambda node: node.ended)
    return "AlgorithmError: %s, exit code: %d" % (first.failure_text(), first.code)
