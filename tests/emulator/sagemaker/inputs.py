"""The Downloading phase: each channel's objects become a node's files."""

import json
import os

from ..s3 import objects
from . import container
from .job import Failure

NOTHING = (
    'ClientError: Data download failed:No S3 objects found under S3 URL "%s" given in input data source. Please ensure that the '
    'bucket exists in the selected region (%s), that objects exist under that S3 prefix, and that the role "%s" has '
    '"s3:ListBucket" permissions on bucket "%s".'
)


def download(run, node):
    for channel in container.channels(run.request):
        folder = os.path.join(node.ml, "input/data", channel["ChannelName"])
        os.makedirs(folder, exist_ok=True)
        source = channel["DataSource"].get("S3DataSource")
        if source and is_for(source, node):
            fetch(run, node, source, folder)
    restore_checkpoints(run, node)


def is_for(source, node):
    groups = source.get("InstanceGroupNames")
    return not groups or node.host["group"] in groups


def fetch(run, node, source, folder):
    account, uri = run.tenant.account, source["S3Uri"]
    files = named_files(account, source)
    if not files:
        raise Failure(NOTHING % (uri, run.region, run.request["RoleArn"], objects.parse(uri)[0]))
    if source.get("S3DataDistributionType") == "ShardedByS3Key":
        files = files[node.index :: len(container.hosts(run.request))]
    for bucket, key, name in files:
        write(os.path.join(folder, name), objects.get(account, bucket, key))


def named_files(account, source):
    """(bucket, key, file name) of all that a data source names."""
    if source["S3DataType"] == "S3Prefix":
        return under_prefix(account, source["S3Uri"])
    bucket, key = objects.parse(source["S3Uri"])
    manifest = objects.get(account, bucket, key)
    if manifest is None:
        return []
    if source["S3DataType"] == "AugmentedManifestFile":
        return [(bucket, key, os.path.basename(key))]
    entries = json.loads(manifest)
    bucket, prefix = objects.parse(entries[0]["prefix"])
    return [(bucket, key, os.path.basename(key)), *((bucket, prefix + entry, entry) for entry in entries[1:])]


def under_prefix(account, uri):
    bucket, prefix = objects.parse(uri)
    keys = [key for key in objects.keys(account, bucket, prefix) if not key.endswith("/")]
    return [(bucket, key, relative(key, prefix)) for key in keys]


def relative(key, prefix):
    """The file's name: below the prefix where that is a folder, else from the prefix's last part on."""
    if prefix and not prefix.endswith("/") and key.startswith(prefix + "/"):
        return key[len(prefix) + 1 :]
    return key[prefix.rfind("/") + 1 :]


def restore_checkpoints(run, node):
    config = run.request.get("CheckpointConfig")
    if not config:
        return
    for bucket, key, name in under_prefix(run.tenant.account, config["S3Uri"].rstrip("/") + "/"):
        write(os.path.join(checkpoints(run, node), name), objects.get(run.tenant.account, bucket, key))


def checkpoints(run, node):
    """The checkpoints' folder; one outside /opt/ml is not synchronised."""
    path = run.request["CheckpointConfig"].get("LocalPath", "/opt/ml/checkpoints").rstrip("/")
    return os.path.join(node.ml, os.path.relpath(path, "/opt/ml")) if path.startswith("/opt/ml/") else node.folder


def write(path, body):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(body)
