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


# What a token of a page that came empty is told from the one before by.
MARK = "~"
# Names of properties that follow from a job: API reference, Filter.
BY_KEY = ("Tags.", "HyperParameters.", "Metrics.")


def page(jobs, settings, random, request):
    """A page, which may come without results although there are some: its token leads to the same place."""
    check(request)
    token = request.get("NextToken", "").rpartition(MARK)[2]
    if random.random() < settings.empty_pages:
        return {"Results": [], "NextToken": "%d%s%s" % (random.randrange(10**9), MARK, token)}
    request = {name: value for name, value in request.items() if name != "NextToken"}
    return full_page(jobs, settings.search_lag, {**request, "NextToken": token} if token else request)


def check(request):
    if request["Resource"] != "TrainingJob":
        raise ServiceError("ValidationException", "The emulator searches training jobs alone")
    expression = request.get("SearchExpression")
    if expression is not None:
        check_expression(expression)
    if "SortBy" in request:
        check_name(request["SortBy"])


def check_expression(expression):
    """An expression has a part at least, and of each filter a property that jobs have: API reference, SearchExpression."""
    parts = ("Filters", "SubExpressions", "NestedFilters")
    if not any(expression.get(part) for part in parts):
        raise ServiceError("ValidationException", "A search expression needs a filter, nested filter or subexpression")
    for condition in expression.get("Filters", []):
        check_name(condition["Name"])
    for part in expression.get("SubExpressions", []):
        check_expression(part)


def check_name(name):
    """A property of a job, or a key of its tags, hyperparameters or metrics."""
    if any(name.startswith(prefix) and name != prefix for prefix in BY_KEY):
        return
    shape = shapes.shape_of("TrainingJob")
    for part in name.split("."):
        members = shape.members if shape.type_name == "structure" else {}
        if part not in members:
            raise ServiceError("ValidationException", "Unknown property name: %s" % name)
        shape = members[part]
    if shape.type_name in ("structure", "list", "map"):
        raise ServiceError("ValidationException", "The property %s has no value of its own" % name)


def full_page(jobs, lag, request):
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
