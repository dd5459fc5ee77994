"""GA4's Measurement Protocol: servers that send to Google Analytics send here.

developers.google.com/analytics/devguides/collection/protocol/ga4/reference (query, body, answers),
.../validating-events (the validation server's answers), .../sending-events (limits, reserved names).

Google's server answers 2xx whatever it gets. This one says what it can't read; events it takes as they are, for the
limits of Google's reports are not the lake's. docs/dialect-ga4.md shows the table.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from clicklake.collector import body
from clicklake.collector.dialects.mapping import NOT_SENT, Row, Slices, Table, check_inherited, inherit
from clicklake.collector.dialects.route import MOST_SHOWN, Outcome, Route
from clicklake.collector.event import Batch, Event, of, of_any, problem_of, written
from clicklake.collector.request import Answer, Request, RequestError, UnauthorizedError

# An event's own members come with those of its request (client_id, timestamp_micros, device ...).
ROWS = (
    Row("name", "event_type"),
    Row("params.event_id", "event_id"),  # not Google's: the protocol has no id, and so no protection against repeats
    Row("timestamp_micros", "event_time"),
    Row("measurement_id", "app_id"),
    Row("firebase_app_id", "app_id"),
    Row("user_id", "user_id"),
    Row("client_id", "anonymous_id"),
    Row("app_instance_id", "anonymous_id"),
    Row("params.session_id", "session_id"),
    Row("params.ga_session_id", "session_id"),
    Row("params.page_location", "page_url"),
    Row("params.page_title", "page_title"),
    Row("params.page_referrer", "referrer"),
    Row("params.language", "locale"),
    Row("device.language", "locale"),
    Row("params.value", "value"),
    Row("params.currency", "currency"),
    Row("user_agent", "user_agent"),
    Row("ip_override", "ip"),
)
PLATFORM = "server"
_TABLE = Table(ROWS)
_STREAMS = ("measurement_id", "firebase_app_id")
# An event that says nothing but this is not written anew: its params go on as they were sent.
_MEMBERS = ("name", "params", "timestamp_micros")
_OF_EVENT = tuple(row for row in ROWS if row.at.partition(".")[0] in _MEMBERS)
_SLICES = Slices(_OF_EVENT, {}, forbid_unknown_fields=True)
_CLASHES = frozenset({*_MEMBERS, "properties", *(row.field for row in _OF_EVENT)} - {"timestamp_micros"})
_said = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_item = msgspec.json.Decoder(_SLICES.type).decode


class _Params(msgspec.Struct, gc=False):
    params: msgspec.Raw = msgspec.Raw(b"{}")


_params = msgspec.json.Decoder(_Params).decode


# --- events ----------------------------------------------------------------------------------------------------------


def _read(request: Request) -> Batch:
    asked = request.parameters()
    streams = {name: asked[name] for name in _STREAMS if asked.get(name)}
    return Batch(_events(request, streams), (_secret(request),))


def _secret(request: Request) -> str:
    return request.parameters().get("api_secret", "")


def _events(request: Request, streams: dict[str, str]) -> list[Event]:
    try:
        members = _said(request.body)
        found = _raws(members.pop("events"))
        shared = _with_streams({name: msgspec.json.decode(raw) for name, raw in members.items()}, streams)
    except (msgspec.MsgspecError, ValueError, RecursionError, KeyError):
        return _of_object(request, streams)
    made = _made(shared)
    if not _CLASHES.isdisjoint(shared) or "timestamp_micros" in made:
        return _of_object(request, streams)
    body.check_count(found)
    body.check_utf8(request.body)
    rest = written(made)
    check_inherited(len(rest), len(found))
    app_id, is_known = made.get("app_id"), bool(made.get("anonymous_id"))
    as_said = Event(rest[1:-1], "other", app_id if type(app_id) is str else "", is_known)
    return [
        _of_slice(text, as_said) or _of_any(body.value(text), shared) for text in body.one_line(found, request.body)
    ]


def _of_slice(text: bytes, shared: Event) -> Event | None:
    """The same event as `_event` makes of it and what its request says; None if it is odd."""
    try:
        item: Any = _item(text)
        params = _params(text).params
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    end = _SLICES.end(item)
    if not item.name or b'""' in end:  # as if it had not been sent, but it isn't the request's then
        return None
    # Of repeated names the last wins in the lake.
    made = b'{"properties":%b,%b,%b' % (params, shared.text, end[1:])
    problem = problem_of(made, item.name)
    return Event(made, "other", shared.app_id, shared.has_anonymous_id, problem)


def _of_object(request: Request, streams: dict[str, str]) -> list[Event]:
    said = _object(request)
    events = said.pop("events", None)
    if type(events) is not list:
        raise RequestError("the body has no `events`", 'such as {"client_id": "1.2", "events": [{"name": "login"}]}')
    body.check_count(events)
    inherit(events, _with_streams(said, streams))
    return [_of_any(one, {}) for one in events]


def _with_streams(said: dict[str, Any], streams: dict[str, str]) -> dict[str, Any]:
    """The stream that the query names counts, as with Google; another one in the body is kept beside."""
    made = {**said, **streams}
    for name, stream in streams.items():
        own = said.get(name)
        if own not in (*NOT_SENT, stream):
            free = f"_event.{name}"
            while free in made:
                free = f"_event.{free}"
            made[free] = own
    return made


def _of_any(said: Any, shared: Mapping[str, Any]) -> Event:
    if type(said) is not dict:
        return of_any(said)
    inherit([said], shared)
    return _event(said)


def _event(said: dict[str, Any]) -> Event:
    return of(_made(said), for_another=True)


def _made(said: Mapping[str, Any]) -> dict[str, Any]:
    """Of a server, always: as Google does, nothing is read from the request's own address and user agent."""
    made = _TABLE(said)
    if type(made.get("params")) is dict and "properties" not in made:
        made["properties"] = made.pop("params")
    if made.get("platform") in NOT_SENT:
        made["platform"] = PLATFORM
    return made


def _object(request: Request) -> dict[str, Any]:
    said = body.value(request.body)
    if type(said) is not dict:
        raise RequestError("the body is no JSON object", 'such as {"client_id": "1.2", "events": [{"name": "login"}]}')
    return said


# --- validation ------------------------------------------------------------------------------------------------------

Message = dict[str, str]

_MOST_EVENTS, _MOST_PARAMS, _MOST_PROPERTIES = 25, 25, 25
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_RESERVED_PREFIXES = ("google_", "ga_", "firebase_", "gtag.")
_RESERVED_NAMES = """
ad_activeview ad_click ad_exposure ad_query ad_reward adunit_exposure app_background app_clear_data app_exception
app_install app_remove app_store_refund app_store_subscription_cancel app_store_subscription_convert
app_store_subscription_renew app_update app_upgrade dynamic_link_app_open dynamic_link_app_update
dynamic_link_first_open error firebase_campaign first_open first_visit in_app_purchase notification_dismiss
notification_foreground notification_open notification_receive notification_send os_update session_start user_engagement
"""
_RESERVED = frozenset(_RESERVED_NAMES.split())


def _message(path: str, code: str, description: str) -> Message:
    shown = description.encode(errors="replace").decode()  # half of a surrogate pair can't be answered
    return {"fieldPath": path, "description": shown, "validationCode": code}


def _messages(said: Mapping[str, Any]) -> Iterator[Message]:
    if not (said.get("client_id") or said.get("app_instance_id")):
        yield _message("client_id", "VALUE_REQUIRED", "One of client_id and app_instance_id is required.")
    moment = said.get("timestamp_micros")
    if moment is not None and not str(moment).isdecimal():
        yield _message("timestamp_micros", "VALUE_INVALID", "timestamp_micros is no number of microseconds.")
    yield from _of_names("user_properties", said.get("user_properties"), _MOST_PROPERTIES, 24)
    events = said.get("events")
    if type(events) is not list or not events:
        yield _message("events", "VALUE_REQUIRED", "events is required: a list of one event at least.")
        return
    if len(events) > _MOST_EVENTS:
        yield _message("events", "EXCEEDED_MAX_ENTITIES", f"{len(events)} events; a request may have {_MOST_EVENTS}.")
    for index, event in enumerate(events):
        yield from _of_event(index, event)


def _of_event(index: int, event: Any) -> Iterator[Message]:
    where = f"Event at index: [{index}]"
    name = event.get("name") if type(event) is dict else None
    if type(name) is not str or not name:
        yield _message("events", "VALUE_REQUIRED", f"{where} has no name.")
        return
    if not name[0].isalpha():
        yield _message(
            "events",
            "NAME_INVALID",
            f"{where} has invalid name [{name}]. Names must start with an alphabetic character.",
        )
    elif not _NAME.fullmatch(name) or len(name) > 40:
        said = "Names have letters, digits and underscores, 40 at most."
        yield _message("events", "NAME_INVALID", f"{where} has invalid name [{name}]. {said}")
    elif name in _RESERVED:
        yield _message("events", "NAME_RESERVED", f"{where} has invalid name [{name}] which is reserved.")
    yield from _of_names(f"events[{index}].params", event.get("params"), _MOST_PARAMS, 40)


def _of_names(path: str, said: Any, most: int, longest: int) -> Iterator[Message]:
    if said is None:
        return
    if type(said) is not dict:
        yield _message(path, "VALUE_INVALID", f"{path} is no object.")
        return
    if len(said) > most:
        yield _message(path, "EXCEEDED_MAX_ENTITIES", f"{len(said)} names in {path}; there may be {most}.")
    for name in said:
        if name.startswith(_RESERVED_PREFIXES) and name != "ga_session_id":
            yield _message(path, "NAME_RESERVED", f"[{name}] in {path} begins with a reserved prefix.")
        elif not _NAME.fullmatch(name) or len(name) > longest:
            yield _message(path, "NAME_INVALID", f"[{name}] in {path} is no name of {longest} characters at most.")


def _validated(request: Request, _: Outcome) -> Answer:
    try:
        said = _object(request)
    except RequestError as error:
        return Answer.of(200, {"validationMessages": [_unreadable(error)]})
    if type(events := said.get("events")) is list:
        body.check_count(events)
    messages = _messages(said)
    found = [*islice(messages, MOST_SHOWN)]
    if more := sum(1 for _ in messages):
        found.append(_message("", "VALUE_INVALID", f"{more:,} more problems; the first {MOST_SHOWN} are listed."))
    return Answer.of(200, {"validationMessages": found})


def _unreadable(error: RequestError) -> Message:
    path = "api_secret" if isinstance(error, UnauthorizedError) else ""
    return _message(path, "VALUE_INVALID", f"{error.problem}{f' ({error.hint})' if error.hint else ''}")


def _refuse(error: RequestError) -> Answer:
    """Google has no words for this but the validation server's."""
    return Answer.of(error.status, {"validationMessages": [_unreadable(error)]}, *error.headers)


# --- routes ----------------------------------------------------------------------------------------------------------

_EVENT = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "params": {"type": "object"},
        "timestamp_micros": {"type": ["integer", "string"]},
    },
}
_BODY = {
    "type": "object",
    "required": ["events"],
    "properties": {
        "client_id": {"type": "string"},
        "app_instance_id": {"type": "string"},
        "user_id": {"type": "string"},
        "timestamp_micros": {"type": ["integer", "string"]},
        "user_properties": {"type": "object"},
        "user_location": {"type": "object"},
        "device": {"type": "object"},
        "consent": {"type": "object"},
        "ip_override": {"type": "string"},
        "user_agent": {"type": "string"},
        "events": {"type": "array", "items": _EVENT},
    },
}
_MESSAGES = {
    "type": "object",
    "required": ["validationMessages"],
    "properties": {"validationMessages": {"type": "array", "items": {"type": "object"}}},
}
_SCHEMAS = {"application/json": _BODY, "text/plain": _BODY}
_QUERY = ("api_secret", *_STREAMS)

ROUTES = (
    Route(
        "POST",
        "/mp/collect",
        "GA4 Measurement Protocol: events",
        _read,
        lambda *_: Answer(204),
        _refuse,
        _SCHEMAS,
        _QUERY,
        (204,),
        key=_secret,
    ),
    Route(
        "POST",
        "/debug/mp/collect",
        "GA4 Measurement Protocol: what Google would say of these events; takes none",
        lambda request: Batch([], (_secret(request),)),
        _validated,
        _refuse,
        _SCHEMAS,
        _QUERY,
        answer_schemas={200: _MESSAGES},
        key=_secret,
    ),
)
