"""The Uploading phase: model.tar.gz, output.tar.gz and checkpoints, put where SageMaker puts them."""

import io
import os
import tarfile

from ..s3 import objects
from . import inputs


def upload(run, nodes):
    """Stores what the nodes left and returns the model's URI. A failed job has no model."""
    output = run.request["OutputDataConfig"]
    bucket, prefix = objects.parse(output["S3OutputPath"].rstrip("/"))
    base = "/".join(part for part in (prefix, run.job.name, "output") if part)
    failed = any(node.code for node in nodes) and not run.job.stop_reason
    model = store(run, nodes, "model", bucket, base, output.get("CompressionType")) if not failed else None
    if any(os.listdir(os.path.join(node.ml, "output/data")) for node in nodes):
        # It comes as an archive whatever the model does.
        store(run, nodes, "output/data", bucket, base, "GZIP")
    if run.request.get("CheckpointConfig"):
        save_checkpoints(run, nodes)
    return model


def store(run, nodes, below, bucket, base, compression):
    name = below.partition("/")[0]
    folders = [os.path.join(node.ml, below) for node in nodes]
    if compression == "NONE":
        for folder in folders:
            put_files(run, folder, bucket, "%s/%s/" % (base, name))
        return "s3://%s/%s/%s/" % (bucket, base, name)
    key = "%s/%s.tar.gz" % (base, name)
    objects.put(run.tenant.account, bucket, key, packed(folders))
    return "s3://%s/%s" % (bucket, key)


def packed(folders):
    """All nodes' files in one archive, by their paths below the folder."""
    buffer, seen = io.BytesIO(), set()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for folder in folders:
            for name in sorted(os.listdir(folder)):
                if name not in seen:
                    seen.add(name)
                    archive.add(os.path.join(folder, name), name)
    return buffer.getvalue()


def save_checkpoints(run, nodes):
    bucket, prefix = objects.parse(run.request["CheckpointConfig"]["S3Uri"].rstrip("/") + "/")
    for node in nodes:
        folder = inputs.checkpoints(run, node)
        if folder != node.folder:
            put_files(run, folder, bucket, prefix)


def put_files(run, folder, bucket, prefix):
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                objects.put(run.tenant.account, bucket, prefix + os.path.relpath(path, folder), file.read())
