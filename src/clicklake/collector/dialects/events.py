"""Ours: events as the lake takes them (DESIGN.md, "Input event"), one, an array, or a line each.

Nothing is mapped, so nothing is written anew: the bytes of each event go on as they came, and what the collector adds
stands behind them. text/plain is what sendBeacon and fetch send without asking for leave first (Fetch Standard,
"CORS-safelisted request-header").
"""

from functools import lru_cache

from clicklake.collector import body
from clicklake.collector.dialects.route import Outcome, Route
from clicklake.collector.event import Batch, of_texts
from clicklake.collector.request import Answer, Request

_EVENT = {
    "type": "object",
    "required": ["event_type"],
    "properties": {
        "event_id": {"type": "string"},
        "event_type": {"type": "string", "minLength": 1},
        "event_time": {"type": ["string", "integer"]},
        "sent_time": {"type": ["string", "integer"]},
        "app_id": {"type": "string"},
        "anonymous_id": {"type": "string"},
        "user_id": {"type": "string"},
        "session_id": {"type": "string"},
        "page_url": {"type": "string"},
        "page_title": {"type": "string"},
        "referrer": {"type": "string"},
        "properties": {"type": "object"},
    },
}
_EVENTS = {"oneOf": [_EVENT, {"type": "array", "items": _EVENT, "minItems": 1}]}

_ERROR = {"type": "object", "properties": {"index": {"type": "integer"}, "message": {"type": "string"}}}
_ANSWER = {
    "type": "object",
    "required": ["accepted", "failed"],
    "properties": {
        "accepted": {"type": "integer"},
        "failed": {"type": "integer"},
        "errors": {"type": "array", "items": _ERROR},
    },
}


def _read(request: Request) -> Batch:
    return Batch(of_texts(body.raws(request.body)))


def _answer(_: Request, outcome: Outcome) -> Answer:
    """400 if not one of them is an event; all are kept all the same."""
    if not outcome.problems:
        return _all_accepted(outcome.count)
    failed = len(outcome.problems)
    said = {"accepted": outcome.count - failed, "failed": failed, "errors": outcome.shown()}
    return Answer.of(400 if failed == outcome.count else 200, said)


@lru_cache(100)
def _all_accepted(count: int) -> Answer:
    return Answer.of(200, {"accepted": count, "failed": 0})


ROUTES = (
    Route(
        "POST",
        "/v1/events",
        "Events as the lake takes them: one, an array, or one a line",
        _read,
        _answer,
        schemas={
            "application/json": _EVENTS,
            "text/plain": _EVENTS,
            "application/x-ndjson": {"type": "string"},
        },
        parameters=("write_key",),
        statuses=(200, 400),
        answer_schemas={200: _ANSWER, 400: _ANSWER},
    ),
)
