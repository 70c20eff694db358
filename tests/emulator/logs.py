"""CloudWatch Logs, from a store of the tenant's own; what isn't here is answered by moto, which knows nothing of that store.

Where the service's ways are undocumented, they are the worst here: an event that arrives behind the place where a forward
token stands never comes on that token's pages, nor does one of the same time that arrives when the end had been reached.
"""

import functools
import itertools
import json
import re

import botocore.session

from . import log_store, moto_backend
from .errors import ServiceError, json_error, request_id
from .log_store import END_OF_TIME, LARGEST_PAGE
from .sagemaker import shapes
from .web import Response

GROUP = "/aws/sagemaker/TrainingJobs"
# A direction, and in digits a boundary and how often the token has changed on an empty page.
TOKEN = re.compile(r"^([fb])/(\d{20})(\d{28})(\d{8})$")
LONGEST_LIST = 50


def answer(tenant, call, request):
    operation = OPERATIONS.get(call.operation)
    if operation is None:
        return moto_backend.call("logs", tenant.account, call.region, request)
    try:
        parameters = json.loads(request.body or b"{}")
        check(call.operation, parameters)
        store = tenant.log_store(call.region)
        with store.lock:
            content = operation(tenant, call.region, store, parameters)
    except ServiceError as error:
        return json_error(error.status, error.code, error.message)
    headers = {"content-type": "application/x-amz-json-1.1", "x-amzn-requestid": request_id()}
    return Response(200, json.dumps(content or {}).encode(), headers)


def put(tenant, region, stream, events, lag=None):
    """Adds events, as (milliseconds, text), to a job's stream."""
    tenant.log_store(region).put(GROUP, stream, events, lag)


def check(operation, parameters):
    problems = list(shapes.problems_of(model().operation_model(operation).input_shape, parameters, ""))
    if problems:
        raise invalid("%d validation errors detected: %s" % (len(problems), "; ".join(problems)))


@functools.cache
def model():
    return botocore.session.Session().get_service_model("logs")


def invalid(message):
    return ServiceError("InvalidParameterException", message)


def not_there(kind):
    return ServiceError("ResourceNotFoundException", "The specified log %s does not exist." % kind)


def create_group(tenant, region, store, request):
    if request["logGroupName"] in store.groups:
        raise ServiceError("ResourceAlreadyExistsException", "The specified log group already exists")
    store.groups[request["logGroupName"]] = {}


def create_stream(tenant, region, store, request):
    if request["logStreamName"] in streams_of(store, request):
        raise ServiceError("ResourceAlreadyExistsException", "The specified log stream already exists")
    store.put(request["logGroupName"], request["logStreamName"], [])


def put_events(tenant, region, store, request):
    if request["logStreamName"] not in streams_of(store, request):
        raise not_there("stream")
    events = [(event["timestamp"], event["message"]) for event in request["logEvents"]]
    if any(earlier[0] > later[0] for earlier, later in itertools.pairwise(events)):
        raise invalid("Log events in a single PutLogEvents request must be in chronological order.")
    store.put(request["logGroupName"], request["logStreamName"], events)


def describe_groups(tenant, region, store, request):
    names = [name for name in sorted(store.groups) if name.startswith(request.get("logGroupNamePrefix", ""))]
    cut, token = cut_list(names, request)
    return {"logGroups": [about_group(name, arn(tenant, region, name)) for name in cut], **token}


def about_group(name, its_arn):
    return {"logGroupName": name, "arn": its_arn + ":*", "logGroupArn": its_arn, "storedBytes": 0}


def describe_streams(tenant, region, store, request):
    streams, prefix = streams_of(store, request), request.get("logStreamNamePrefix", "")
    by_time = request.get("orderBy") == "LastEventTime"
    if by_time and prefix:
        raise invalid("Cannot order by LastEventTime with a logStreamNamePrefix.")
    found = [streams[name] for name in sorted(streams) if name.startswith(prefix)]
    if by_time:
        found.sort(key=lambda stream: stream.last or 0)
    if request.get("descending"):
        found.reverse()
    group = arn(tenant, region, group_of(request))
    cut, token = cut_list([about_stream(stream, group) for stream in found], request)
    return {"logStreams": cut, **token}


def about_stream(stream, group):
    about = {"logStreamName": stream.name, "creationTime": stream.created, "storedBytes": 0}
    about["arn"] = "%s:log-stream:%s" % (group, stream.name)
    if stream.first is not None:
        times = {"firstEventTimestamp": stream.first, "lastEventTimestamp": stream.last}
        about.update(times, lastIngestionTime=stream.last_ingested)
    return about


def cut_list(items, request):
    """A page of a list by number: what is added before it in the meantime moves it, as may be."""
    try:
        start = int(request.get("nextToken", "0"))
    except ValueError:
        raise invalid("The specified nextToken is invalid.") from None
    end = start + request.get("limit", LONGEST_LIST)
    return items[start:end], {"nextToken": str(end)} if end < len(items) else {}


def get_events(tenant, region, store, request):
    stream = streams_of(store, request).get(request["logStreamName"])
    if stream is None:
        raise not_there("stream")
    start, end = (request.get("startTime", 0), 0), (request.get("endTime", END_OF_TIME), 0)
    token = read_token(request.get("nextToken"))
    if is_forwards(request, token):
        events, forward, backward = page_forwards(tenant, stream, start, end, token, request)
    else:
        events, forward, backward = page_backwards(tenant, stream, start, end, token, request)
    return {"events": [told(event) for event in events], "nextForwardToken": forward, "nextBackwardToken": backward}


def is_forwards(request, token):
    from_head = request.get("startFromHead", False)
    if token and token.kind == "f" and not from_head:
        raise invalid("A nextForwardToken needs startFromHead to be true.")
    return token.kind == "f" if token else from_head


def page_forwards(tenant, stream, start, end, token, request):
    place = token.place if token else start
    events, _ = log_store.forwards([stream], max(start, place), end, limit(request))
    if events and is_left_empty(tenant):
        return [], Token("f", place, turned(token)).text(), Token("b", place).text()
    if events:
        return events, Token("f", behind(stream, events[-1])).text(), Token("b", events[0].before()).text()
    # The end: the token repeats, unless it never does.
    restless = tenant.settings.restless_tokens and "endTime" not in request
    changes = turned(token) if restless else token.changes if token else 0
    return [], Token("f", place, changes).text(), Token("b", place).text()


def page_backwards(tenant, stream, start, end, token, request):
    high = min(end, token.place) if token else end
    newest_first, _ = log_store.backwards([stream], start, high, limit(request))
    events = newest_first[::-1]
    if not events:
        place, changes = (token.place, token.changes) if token else (start, 0)
        return [], Token("f", place).text(), Token("b", place, changes).text()
    if is_left_empty(tenant):
        place = behind(stream, events[-1])
        return [], Token("f", place).text(), Token("b", place, turned(token)).text()
    return events, Token("f", behind(stream, events[-1])).text(), Token("b", events[0].before()).text()


def is_left_empty(tenant):
    """Whether a page that has events, or more behind it, comes without: the same place is to be asked for again."""
    return tenant.random.random() < tenant.settings.empty_pages


def behind(stream, event):
    """Where a forward token stands after an event: at the stream's end behind all of that time, come or to come."""
    return (event.timestamp + 1, 0) if event is stream.events[-1] else event.after()


class Token:
    def __init__(self, kind, place, changes=0):
        self.kind, self.place, self.changes = kind, place, changes

    def text(self):
        return "%s/%020d%028d%08d" % (self.kind, *self.place, self.changes)


def read_token(text):
    if text is None:
        return None
    found = TOKEN.match(text)
    if not found:
        raise invalid("The specified nextToken is invalid.")
    moment, arrival, changes = map(int, found.groups()[1:])
    return Token(found.group(1), (moment, arrival), changes)


def turned(token):
    """How often a token has changed, once more: at the same place it is another."""
    return (token.changes if token else 0) + 1


def filter_events(tenant, region, store, request):
    if request.get("filterPattern"):
        raise invalid("The emulator has no filter patterns")
    streams = wanted_streams(streams_of(store, request), request)
    # Both times are inclusive.
    low, high = (request.get("startTime", 0), 0), (request.get("endTime", END_OF_TIME - 1) + 1, 0)
    token = read_token(request.get("nextToken"))
    is_descending = token.kind == "b" if token else not request.get("startFromHead", True)
    if token:
        low, high = (low, min(high, token.place)) if is_descending else (max(low, token.place), high)
    read = log_store.backwards if is_descending else log_store.forwards
    events, more = read(streams, low, high, limit(request))
    kind, place = ("b", high) if is_descending else ("f", low)
    if events and is_left_empty(tenant):
        return {"events": [], "searchedLogStreams": [], "nextToken": Token(kind, place, turned(token)).text()}
    answer = {"events": [{**told(event), **told_of_source(event)} for event in events], "searchedLogStreams": []}
    if more:
        place = events[-1].before() if is_descending else events[-1].after()
        answer["nextToken"] = Token(kind, place).text()
    return answer


def wanted_streams(streams, request):
    names, prefix = request.get("logStreamNames"), request.get("logStreamNamePrefix", "")
    if names and prefix:
        raise invalid("logStreamNamePrefix and logStreamNames are mutually exclusive.")
    if not names:
        return [stream for name, stream in streams.items() if name.startswith(prefix)]
    if any(name not in streams for name in names):
        raise not_there("stream")
    return [streams[name] for name in set(names)]


def told(event):
    return {"timestamp": event.timestamp, "message": event.message, "ingestionTime": event.ingested}


def told_of_source(event):
    return {"logStreamName": event.stream, "eventId": event.id()}


def limit(request):
    return request.get("limit", LARGEST_PAGE)


def streams_of(store, request):
    streams = store.groups.get(group_of(request))
    if streams is None:
        raise not_there("group")
    return streams


def group_of(request):
    """The group's name, of which an identifier may be the ARN."""
    name, identifier = request.get("logGroupName"), request.get("logGroupIdentifier")
    if (name is None) == (identifier is None):
        raise invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")
    return name or identifier.rpartition(":log-group:")[2]


def arn(tenant, region, group):
    return "arn:aws:logs:%s:%s:log-group:%s" % (region, tenant.account, group)


OPERATIONS = {
    "CreateLogGroup": create_group,
    "CreateLogStream": create_stream,
    "PutLogEvents": put_events,
    "DescribeLogGroups": describe_groups,
    "DescribeLogStreams": describe_streams,
    "GetLogEvents": get_events,
    "FilterLogEvents": filter_events,
}
