"""Snowplow's tracker protocol, version 2: what its trackers send, by POST to `.../tp2` or as the query of a pixel.

The parameters: docs.snowplow.io/docs/events/going-deeper/event-parameters. What they are called in Snowplow's tables,
and of which types: docs.snowplow.io/docs/fundamentals/canonical-event. A parameter that has no field of ours gets its
canonical name; one that the canonical model has not either keeps its own.

Every value is a text on the wire. One that is not what its row says (a number that is none, JSON that is cut off) stays
as it is under the parameter's own name, and the event is taken all the same; Snowplow would make a failed event of it.
"""

import binascii
from collections.abc import Mapping
from typing import Any, NamedTuple

from clicklake.collector import body
from clicklake.collector.dialects import snowplow_usual
from clicklake.collector.dialects.mapping import NOT_SENT, check_inherited
from clicklake.collector.dialects.route import Outcome, Route
from clicklake.collector.dialects.snowplow_rows import EVENT_TYPES, ROWS
from clicklake.collector.dialects.snowplow_values import Read, event_name, reader, session, tracker
from clicklake.collector.event import Batch, of_any, written
from clicklake.collector.request import Answer, Request, RequestError

Made = dict[str, Any]

PIXEL = binascii.a2b_base64("R0lGODlhAQABAPAAAP///wAAACH5BAUAAAAALAAAAAABAAEAAAICRAEAOw==")  # the real collector's
_MOST_PLANS, _LONGEST_PLAN = 1000, 2000  # names together have so many characters
_ANOTHERS = frozenset({"write_key", "access_token"})  # of a query, for the collector
# What moves even if it is no text: of who it was, for the transform removes a wrong one by the field's name, and what
# an event can't be without.
_MOVING = frozenset({"platform", "address", "code"})


# --- events ----------------------------------------------------------------------------------------------------------


class _Plan(NamedTuple):
    """What becomes of parameters, by their names: `names` of all; of the values that are to be read the name, the new
    name, and whether it moves even if it is no text."""

    names: tuple[str, ...]
    reads: tuple[tuple[str, str, Read, bool], ...]


def event(said: Mapping[str, Any]) -> Made:
    """The parameters under the names of the input event."""
    values = said.values()
    if None in values or "" in values:  # as if they had not been sent
        said = {name: value for name, value in said.items() if value not in NOT_SENT}
    names = tuple(said)
    plan = _plans.get(names) or _planned(names)
    made = dict(zip(plan.names, said.values(), strict=True))
    for name, field, read, moves in plan.reads:
        value = made[name]
        try:
            if isinstance(value, str):
                value = read(value)
            elif not moves:
                continue
        except ValueError:
            continue
        del made[name]
        made[field] = value
    if made.get("event_type") == EVENT_TYPES["ue"]:
        made["event_type"] = event_name(made.get("unstruct_event")) or made["event_type"]
    _mobile(made)
    if "sent_time" in made:
        _sent_time(made, said)
    return made


_plans: dict[tuple[str, ...], _Plan] = {}  # measured: a site's names repeat, and this saves half of the time


def _planned(names: tuple[str, ...]) -> _Plan:
    plan = _plan(names)
    if len(_plans) >= _MOST_PLANS:
        _plans.clear()
    if sum(map(len, names)) <= _LONGEST_PLAN:
        _plans[names] = plan
    return plan


def _plan(names: tuple[str, ...]) -> _Plan:
    there = frozenset(names)
    becomes: dict[str, str] = {}
    reads: list[tuple[str, str, Read, bool]] = []
    taken: set[str] = set()
    for row in ROWS:
        if row.at not in there:
            continue
        read = reader(row)
        if row.name in taken:
            becomes[row.at] = row.then or row.at
        elif read is None:
            becomes[row.at] = row.name
        else:
            becomes[row.at] = row.at
            reads.append((row.at, row.name.split()[0], read, row.kind in _MOVING))
        taken.update((row.name, becomes[row.at], *row.name.split()))
    for name in there - becomes.keys():
        free = name
        while free in taken or (free != name and free in there):
            free = f"_event.{free}"
        becomes[name] = free
    return _Plan(tuple(becomes[name] for name in names), tuple(reads))


def _mobile(made: Made) -> None:
    """Mobile trackers say which they are in their version alone, and who and which visit in an entity."""
    if made.get("platform") == "mobile":
        made["platform"] = tracker(made.get("v_tracker"))
    if "contexts" in made and not ("anonymous_id" in made and "session_id" in made):
        who, visit = session(made["contexts"])
        for name, value in (("anonymous_id", who), ("session_id", visit)):
            if value:
                made.setdefault(name, value)


def _sent_time(made: Made, said: Mapping[str, Any]) -> None:
    """As Snowplow makes derived_tstamp (docs.snowplow.io/docs/events/timestamps): a true time is taken as it is, so no
    sent_time may correct it; and a clock can't have sent before it created: some trackers cut stm to seconds."""
    sent, created = made["sent_time"], said.get("dtm")
    if "ttm" in said:
        del made["sent_time"]
    elif isinstance(sent, str) and isinstance(created, str) and len(sent) == len(created) and sent < created:
        made["sent_time"] = created


# --- requests --------------------------------------------------------------------------------------------------------


def _batch(request: Request, events: list[Any]) -> Batch:
    app_ids = dict.fromkeys(said["aid"] for said in events if isinstance(said, dict) and type(said.get("aid")) is str)
    made = [of_any(event(said) if isinstance(said, dict) else said) for said in events]
    return Batch(made, app_ids=(*app_ids,), is_anonymous=_is_anonymous(request))


def _is_anonymous(request: Request) -> bool:
    """SP-Anonymous asks for server-side anonymisation (docs.snowplow.io/docs/events/anonymous-tracking): no address and
    no cookie. What the tracker itself says is the tracker's to leave out."""
    return "sp-anonymous" in request.headers


def _query(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.parameters().items() if name not in _ANOTHERS}


def _read_post(request: Request) -> Batch:
    """Of an envelope, a bare array or one event. What stands in the query, too, is every event's (Tp2Adapter.scala)."""
    besides = _query(request)
    usual = None if besides else snowplow_usual.events(request.body)
    if usual:
        app_ids = dict.fromkeys([one.app_id for one in usual])
        return Batch(usual, app_ids=(*app_ids,), is_anonymous=_is_anonymous(request))
    said = body.value(request.body)
    if isinstance(said, dict) and "data" in said:
        said = said["data"]
    events = said if isinstance(said, list) else [said]
    if not events:
        raise RequestError("the body has no event", 'such as {"schema": "iglu:...", "data": [{"e": "pv", ...}]}')
    body.check_count(events)
    if besides:
        check_inherited(len(written(besides)), len(events))
        events = [one | besides if isinstance(one, dict) else one for one in events]
    return _batch(request, events)


def _read_pixel(request: Request) -> Batch:
    said = _query(request)
    return _batch(request, [said] if said else [])


def _ok(_: Request, __: Outcome) -> Answer:
    """Whatever the events are: so does the real collector, which does not look at them (Service.scala)."""
    return Answer(200, b"ok", "text/plain")


def _pixel(_: Request, __: Outcome) -> Answer:
    return Answer(200, PIXEL, "image/gif", (("cache-control", "no-cache, no-store, must-revalidate"),))


_EVENT = {
    "type": "object",
    "required": ["e"],
    "properties": {row.at: {"type": "string", "description": row.name} for row in ROWS},
    "additionalProperties": {"type": "string"},
}
_PAYLOAD = {
    "type": "object",
    "required": ["schema", "data"],
    "properties": {"schema": {"type": "string"}, "data": {"type": "array", "items": _EVENT, "minItems": 1}},
}
ROUTES = (
    Route(
        "POST",
        "/com.snowplowanalytics.snowplow/tp2",
        "Snowplow's tracker protocol: payload_data, or one event",
        _read_post,
        _ok,
        schemas={"application/json": {"anyOf": [_PAYLOAD, _EVENT]}},
        answer_type="text/plain",
        key=None,
    ),
    Route(
        "GET",
        "/i",
        "Snowplow's tracker protocol: an event as a query, answered with a pixel",
        _read_pixel,
        _pixel,
        parameters=tuple(row.at for row in ROWS),
        answer_type="image/gif",
        key=None,
    ),
)
