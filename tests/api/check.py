"""Holds CreateTrainingJob requests against botocore's model of the service: is each valid, and which fields does none set?

    cd tests && PYTHON -m api.check REQUEST.json ...

PYTHON has emulator/requirements.txt installed. Prints one JSON object: what is wrong, by file; and the fields that are in the
model and in no request, as paths such as `InputDataConfig[].ChannelName`.
"""

import json
import pathlib
import sys

from emulator.errors import ServiceError
from emulator.sagemaker import shapes

OPERATION = "CreateTrainingJob"


def problem(request):
    try:
        shapes.check(OPERATION, request)
    except ServiceError as error:
        return error.message
    return None


def fields(shape, path):
    """The paths of all values that aren't structures or lists."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            yield from fields(member, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        yield from fields(shape.member, path + "[]")
    else:
        yield path


def set_in(shape, value, path):
    """Those of them that a request sets."""
    if shape.type_name == "structure":
        for name, item in value.items():
            yield from set_in(shape.members[name], item, f"{path}.{name}" if path else name)
    elif shape.type_name == "list":
        for item in value:
            yield from set_in(shape.member, item, path + "[]")
    else:
        yield path


def main(files):
    shape = shapes.service_model().operation_model(OPERATION).input_shape
    invalid, found = {}, set()
    for file in files:
        request = json.loads(pathlib.Path(file).read_text())
        wrong = problem(request)
        if wrong:
            invalid[file] = wrong
        else:
            found.update(set_in(shape, request, ""))
    missing = [path for path in fields(shape, "") if path not in found]
    print(json.dumps({"invalid": invalid, "missing": missing}))


main(sys.argv[1:])
