"""An entry point that writes down what it sees, as JSON, to SM_MODEL_DIR/seen.json."""

import json
import os
import sys

TOOLKIT = ("SM_", "SAGEMAKER_", "TRAINING_JOB_")
OTHERS = ("AWS_REGION", "CURRENT_HOST", "NCCL_PROTO", "NCCL_SOCKET_IFNAME", "PYTHONPATH")


def command_line():
    with open("/proc/self/cmdline", "rb") as file:
        return [part.decode("utf-8", "surrogateescape") for part in file.read().split(b"\0")[:-1]]


def variables():
    return {name: value for name, value in sorted(os.environ.items()) if name.startswith(TOOLKIT) or name in OTHERS}


seen = {
    "argv": sys.argv,
    "command_line": command_line(),
    "cwd": os.getcwd(),
    "environment": variables(),
    "import_path": sys.path[:2],
}
with open(os.path.join(os.environ["SM_MODEL_DIR"], "seen.json"), "w", encoding="utf-8") as file:
    json.dump(seen, file, indent=1)
