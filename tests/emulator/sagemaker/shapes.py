"""A request held against botocore's model of the service: types, limits, patterns, enums, in the service's words."""

import functools
import re

import botocore.session

from ..errors import ServiceError

# Java's classes of characters, in Python's words: nearly the same.
CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\d", r"\p{Z}": r"\s", r"\p{Alnum}": "a-zA-Z0-9"}


@functools.cache
def service_model():
    return botocore.session.Session().get_service_model("sagemaker")


def shape_of(name):
    return service_model().shape_for(name)


def check(operation, request):
    """Raises the ValidationException that the service would answer with."""
    problems = list(problems_of(service_model().operation_model(operation).input_shape, request, ""))
    if problems:
        plural = "s" if len(problems) > 1 else ""
        message = "%d validation error%s detected: %s" % (len(problems), plural, "; ".join(problems))
        raise ServiceError("ValidationException", message)


def problems_of(shape, value, path):
    if shape.type_name == "structure":
        yield from structure(shape, value, path)
    elif shape.type_name == "list":
        expect(value, list, "a list", path)
        yield from limits(shape, value, path, len(value), "length")
        for index, item in enumerate(value):
            yield from problems_of(shape.member, item, "%s.%d.member" % (path, index + 1))
    elif shape.type_name == "map":
        yield from mapping(shape, value, path)
    else:
        yield from scalar(shape, value, path)


def structure(shape, value, path):
    expect(value, dict, "a structure", path)
    for name in shape.required_members:
        if value.get(name) is None:
            yield failed("null", join(path, name), "Member must not be null")
    for name, item in value.items():
        if name not in shape.members:
            raise ServiceError("SerializationException", "Unknown field %s" % join(path, name))
        if item is not None:
            yield from problems_of(shape.members[name], item, join(path, name))


def mapping(shape, value, path):
    expect(value, dict, "a map", path)
    yield from limits(shape, value, path, len(value), "length")
    for key, item in value.items():
        # The service tells of a map's entries as a whole.
        if any(problems_of(shape.key, key, path)) or any(problems_of(shape.value, item, path)):
            yield failed(
                value_text(value), path, "Map entries must satisfy constraint: %s" % constraint(shape, key, item)
            )


def constraint(shape, key, item):
    found = list(problems_of(shape.key, key, "key")) + list(problems_of(shape.value, item, "value"))
    return "[%s]" % ", ".join(text.partition("failed to satisfy constraint: ")[2] for text in found)


def scalar(shape, value, path):
    if shape.type_name == "string":
        expect(value, str, "a string", path)
        yield from limits(shape, value, path, len(value), "length")
        yield from text(shape, value, path)
    elif shape.type_name in ("integer", "long"):
        expect(value, int, "an integer", path)
        yield from limits(shape, value, path, value, "value")
    elif shape.type_name == "boolean":
        if not isinstance(value, bool):
            raise unfit(value, "a boolean", path)
    elif shape.type_name in ("float", "double", "timestamp"):
        expect(value, (int, float), "a number", path)


def text(shape, value, path):
    pattern, enum = shape.metadata.get("pattern"), shape.metadata.get("enum")
    if pattern and not compiled(pattern).fullmatch(value):
        yield failed(value, path, "Member must satisfy regular expression pattern: " + pattern)
    if enum and value not in enum:
        yield failed(value, path, "Member must satisfy enum value set: [%s]" % ", ".join(enum))


@functools.cache
def compiled(pattern):
    for java, python in CLASSES.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern, re.DOTALL)


def limits(shape, value, path, size, what):
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield failed(value_text(value), path, "Member must have %s greater than or equal to %s" % (what, low))
    if high is not None and size > high:
        yield failed(value_text(value), path, "Member must have %s less than or equal to %s" % (what, high))


def failed(value, path, wanted):
    return "Value '%s' at '%s' failed to satisfy constraint: %s" % (value, path, wanted)


def expect(value, kind, name, path):
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not dict and kind is not list):
        raise unfit(value, name, path)


def unfit(value, name, path):
    return ServiceError(
        "SerializationException", "%s can not be converted to %s (%s)" % (type(value).__name__, name, path)
    )


def join(path, name):
    name = name[0].lower() + name[1:]
    return path + "." + name if path else name


def value_text(value):
    if isinstance(value, dict):
        return "{%s}" % ", ".join("%s=%s" % item for item in value.items())
    return "[%s]" % ", ".join(map(str, value)) if isinstance(value, list) else value
