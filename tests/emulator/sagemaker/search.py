"""Search for training jobs: whole ones, as they were a while ago."""

import datetime

from ..errors import ServiceError
from . import listing, shapes
from .job import now

OPERATORS = {
    "Equals": lambda found, wanted: found == wanted,
    "NotEquals": lambda found, wanted: found != wanted,
    "GreaterThan": lambda found, wanted: found is not None and found > wanted,
    "GreaterThanOrEqualTo": lambda found, wanted: found is not None and found >= wanted,
    "LessThan": lambda found, wanted: found is not None and found < wanted,
    "LessThanOrEqualTo": lambda found, wanted: found is not None and found <= wanted,
    "Contains": lambda found, wanted: found is not None and str(wanted).lower() in str(found).lower(),
    "Exists": lambda found, wanted: found is not None,
    "NotExists": lambda found, wanted: found is None,
    "In": lambda found, wanted: str(found) in str(wanted).split(","),
}


def page(jobs, lag, request):
    if request["Resource"] != "TrainingJob":
        raise ServiceError("ValidationException", "The emulator searches training jobs alone")
    found = [entry for entry in entries(jobs, now() - lag) if matches(entry, request.get("SearchExpression", {}))]
    by, descending = request.get("SortBy", "LastModifiedTime"), request.get("SortOrder", "Descending") == "Descending"

    def position(entry):
        return [sortable(value_at(entry, by)), entry[1].name]

    found.sort(key=position, reverse=descending)
    cut, token = listing.cut_page(found, request, position, descending)
    answer = {"Results": [{"TrainingJob": document(*entry)} for entry in cut]}
    answer["TotalHits"] = {"Value": len(found), "Relation": "EqualTo"}
    if token:
        answer["NextToken"] = token
    return answer


def entries(jobs, moment):
    """Each job that Search knows, with the state that it knows."""
    states = ((job.as_of(moment), job) for job in jobs)
    return [entry for entry in states if entry[0] is not None]


def document(state, job):
    """The job as Search has it, which is not all that DescribeTrainingJob tells."""
    members = shapes.shape_of("TrainingJob").members
    tags = [{"Key": key, "Value": value} for key, value in job.tags.items()]
    return {**{name: value for name, value in state.items() if name in members}, "Tags": tags}


def matches(entry, expression):
    results = [fits(entry, condition) for condition in expression.get("Filters", [])]
    results += [matches(entry, part) for part in expression.get("SubExpressions", [])]
    if expression.get("NestedFilters"):
        raise ServiceError("ValidationException", "The emulator has no nested filters")
    if not results:
        return True
    return any(results) if expression.get("Operator") == "Or" else all(results)


def fits(entry, condition):
    found = value_at(entry, condition["Name"])
    wanted = condition.get("Value")
    if isinstance(found, (int, float)) and not isinstance(found, bool) and wanted is not None:
        wanted = number(condition["Name"], wanted)
    elif isinstance(found, bool):
        found = str(found).lower()
    return OPERATORS[condition.get("Operator", "Equals")](found, wanted)


def value_at(entry, name):
    value, job = entry
    if name.startswith("Tags."):
        return job.tags.get(name[len("Tags.") :])
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def number(name, text):
    """A number, or a time as the service takes it: ISO 8601 or seconds."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        raise ServiceError("ValidationException", "Invalid value for filter %s: %s" % (name, text)) from None


def sortable(value):
    """Numbers and texts compared, each with its kind. Jobs without the field come first."""
    return ["", value] if isinstance(value, (int, float)) else [value or "", 0]
