"""ListTrainingJobs: jobs filtered by name and time, sorted, cut into pages. The status is looked at after the cut."""

import base64
import json

from ..errors import ServiceError

BRIEF = (
    "TrainingJobName",
    "TrainingJobArn",
    "CreationTime",
    "TrainingEndTime",
    "LastModifiedTime",
    "TrainingJobStatus",
    "SecondaryStatus",
    "WarmPoolStatus",
    "TrainingPlanArn",
)
SORT = {"Name": "TrainingJobName", "CreationTime": "CreationTime", "Status": "TrainingJobStatus"}
TIMES = {
    "CreationTimeAfter": ("CreationTime", 1),
    "CreationTimeBefore": ("CreationTime", -1),
    "LastModifiedTimeAfter": ("LastModifiedTime", 1),
    "LastModifiedTimeBefore": ("LastModifiedTime", -1),
}


def page(jobs, request):
    by, order = SORT[request.get("SortBy", "CreationTime")], request.get("SortOrder", "Ascending")
    states = [state for state in (job.describe() for job in jobs) if is_wanted(state, request)]

    def position(state):
        return [state[by], state["TrainingJobName"]]

    states.sort(key=position, reverse=order == "Descending")
    cut, token = cut_page(states, request, position, order == "Descending")
    answer = {"TrainingJobSummaries": [brief(state) for state in cut if has_status(state, request)]}
    if token:
        answer["NextToken"] = token
    return answer


def cut_page(states, request, position, descending):
    """The page after the token's position, which holds although new jobs come."""
    if "NextToken" in request:
        last = decode(request["NextToken"])
        states = [state for state in states if (position(state) < last if descending else position(state) > last)]
    size = request.get("MaxResults", 10)
    token = encode(position(states[size - 1])) if len(states) > size else None
    return states[:size], token


def is_wanted(state, request):
    part = request.get("NameContains", "").lower()
    if part and part not in state["TrainingJobName"].lower():
        return False
    for name, (field, sign) in TIMES.items():
        if name in request and sign * (state[field] - request[name]) <= 0:
            return False
    return True


def has_status(state, request):
    return request.get("StatusEquals") in (None, state["TrainingJobStatus"])


def brief(state):
    return {name: state[name] for name in BRIEF if name in state}


def encode(position):
    return base64.urlsafe_b64encode(json.dumps(position).encode()).decode()


def decode(token):
    try:
        return json.loads(base64.urlsafe_b64decode(token))
    except ValueError:
        raise ServiceError("ValidationException", "Invalid pagination token.") from None
