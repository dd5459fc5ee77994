"""Segment's HTTP tracking API, as its clients send to it: analytics.js, the server SDKs, the mobile ones.

segment.com/docs/connections/sources/catalog/libraries/server/http-api (routes, write keys, batches, answers),
segment.com/docs/connections/spec (calls and their members; spec/common: the four timestamps).

ROWS (segment_rows.py) is the table. What has no row stays under Segment's own names and is found in `properties`:
`type`, `context`, `traits`, `groupId`, `integrations` and so on. docs/dialect-segment.md shows it.

An item of a batch goes on as it was sent, with the fields behind it, unless it is odd; then it is read to a dict, as a
single call is.
"""

from collections.abc import Callable, Mapping
from typing import Any, Union
from urllib.parse import unquote

import msgspec

from clicklake.collector import body
from clicklake.collector.dialects.mapping import NOT_SENT, Slices, Table, check_inherited, inherit
from clicklake.collector.dialects.route import Outcome, Route
from clicklake.collector.dialects.segment_rows import (
    COMMON,
    DEVICE_LIBRARIES,
    DEVICE_TYPES,
    EVENT_TYPES,
    ROWS,
    SERVER_LIBRARIES,
)
from clicklake.collector.event import Batch, Event, of, of_any, problem_of, voice_of
from clicklake.collector.request import Answer, NotFoundError, Request, RequestError, UnauthorizedError, encode

_TABLES = {kind: Table(rows) for kind, rows in ROWS.items()}
_ANY = Table(COMMON)
_PLATFORMS = {**SERVER_LIBRARIES, **DEVICE_LIBRARIES}
# What an item says besides; one that has a write key, or the lake's own names, goes the slower way.
_SEEN: Mapping[str, Any] = {
    "context.library.name": str | None,
    "context.device.type": str | None,
    "context.direct": bool | None,
    "event": str | None,
    "event_name": str | None,
    "app_id": str | None,
    "anonymous_id": Any,
    "anonymousId": Any,
    **dict.fromkeys(("ip_address", "ipAddress", "writeKey"), msgspec.UnsetType),
}
_SLICES = {
    kind: Slices(rows, _SEEN, ("event_type", "platform", "sent_time"), tag_field="type", tag=kind)
    for kind, rows in ROWS.items()
}
_BY_TYPE = {slices.type: (slices, EVENT_TYPES.get(kind)) for kind, slices in _SLICES.items()}
_decoded = msgspec.json.Decoder(Union[(*_BY_TYPE,)]).decode


# --- events ----------------------------------------------------------------------------------------------------------


def _event(said: dict[str, Any], kind: Any) -> Event:
    """`kind`: track, page ...; whatever else it is, the event may have a type all the same."""
    kind = _text(kind)
    made = _TABLES.get(kind, _ANY)(said)
    if kind in EVENT_TYPES and made.get("event_type") in NOT_SENT:
        made["event_type"] = EVENT_TYPES[kind]
    library, device_type, is_direct = _sender(said.get("context"))
    if made.get("platform") in NOT_SENT:
        platform = _platform(library, device_type)
        if platform:
            made["platform"] = platform
    event = of(made)
    if event.voice == "other" or is_direct or library in DEVICE_LIBRARIES:
        return event
    return msgspec.structs.replace(event, voice="other")


def _sender(context: Any) -> tuple[str, str, bool]:
    """The library's name, the device's type, and `direct`: "from a user's device", which counts for its address."""
    if type(context) is not dict:
        return "", "", False
    library, device = context.get("library"), context.get("device")
    name = library.get("name") if type(library) is dict else library
    kind = device.get("type") if type(device) is dict else ""
    return _text(name), _text(kind), context.get("direct") is True


def _platform(library: str | None, device_type: str | None) -> str | None:
    found = DEVICE_TYPES.get(device_type.lower()) if device_type else None
    return found or _PLATFORMS.get(library or "") or None


def _of_slice(text: bytes, sent: str | float | None) -> Event | None:
    """The same event as `_event` makes of it; None if it is odd."""
    try:
        item = _decoded(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    slices, event_type = _BY_TYPE[type(item)]
    context = item.context
    library = context.library.name
    platform = _platform(library, context.device.type)
    end = slices.end(item, event_type, platform, sent)
    return Event(
        b"%b,%b" % (text[:-1], end[1:]) if end != b"{}" else text,
        voice_of(context.ip, context.userAgent, platform) if context.direct or library in DEVICE_LIBRARIES else "other",
        item.app_id or "",
        bool(item.anonymous_id or item.anonymousId),
        problem_of(text, event_type, item.event, item.event_name),
    )


# --- requests --------------------------------------------------------------------------------------------------------


def _call(kind: str) -> Callable[[Request], Batch]:
    def read(request: Request) -> Batch:
        said = _object(request)
        key = said.pop("writeKey", None)
        if said.get("type") is None:
            said["type"] = kind
        return Batch([_event(said, kind)], (_text(key),))

    return read


class _Whole(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A batch that says nothing of its items but when it was sent."""

    batch: list[msgspec.Raw]
    sentAt: str | int | float | None = None  # noqa: N815
    writeKey: str | None = None  # noqa: N815


_whole = msgspec.json.Decoder(_Whole).decode


def _read_batch(request: Request) -> Batch:
    try:
        whole = _whole(request.body)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _read_members(_object(request))
    body.check_count(whole.batch)
    body.check_utf8(request.body)
    keys, sent = {whole.writeKey or "": None}, None if whole.sentAt in NOT_SENT else whole.sentAt
    check_inherited(len(encode(sent)), len(whole.batch))
    events = []
    for text in body.one_line(whole.batch, request.body):
        event = _of_slice(text, sent)
        if event is None:
            odd = _read_members({"batch": [body.value(text)], "sentAt": sent})
            event = odd.events[0]
            keys.update(dict.fromkeys(odd.keys))
        events.append(event)
    return Batch(events, (*keys,))


def _read_members(said: dict[str, Any]) -> Batch:
    items = said.pop("batch", None)
    if type(items) is not list:
        raise RequestError("the body has no `batch`", 'such as {"batch": [{"type": "track", "event": "Signed Up"}]}')
    body.check_count(items)
    keys = {_text(said.pop("writeKey", None)): None}  # in their order
    sent = said.pop("sentAt", None)
    if sent not in NOT_SENT:
        # When the request was sent; what an item says of that itself is older and stays beside it.
        said["sent_time"] = sent
    for item in items:
        if type(item) is dict:
            keys[_text(item.pop("writeKey", None))] = None
    inherit(items, said)
    return Batch([_event(one, one.get("type")) if type(one) is dict else of_any(one) for one in items], (*keys,))


def _object(request: Request) -> dict[str, Any]:
    said = body.value(request.body)
    if type(said) is not dict:
        raise RequestError("the body is no JSON object", 'such as {"event": "Signed Up", "userId": "17"}')
    return said


def _text(value: Any) -> str:
    return value if type(value) is str else ""


# --- answers ---------------------------------------------------------------------------------------------------------


def _answer(_: Request, outcome: Outcome) -> Answer:
    """200 whatever the events are, as Segment's; `failed` and `errors`, which its clients don't read, are ours."""
    said: dict[str, Any] = {"success": True}
    if outcome.problems:
        said |= {"failed": len(outcome.problems), "errors": outcome.shown()}
    return Answer.of(200, said)


def _refuse(error: RequestError) -> Answer:
    """`code` and `message` are what the SDKs put into their exceptions."""
    said = {"success": False, "code": error.code, "message": error.problem}
    return Answer.of(error.status, said | ({"hint": error.hint} if error.hint else {}), *error.headers)


# --- what analytics.js asks its CDN for -----------------------------------------------------------------------------


def _project(request: Request) -> str:
    return unquote(request.path.removeprefix("/v1/projects/").rpartition("/")[0])


def _settings(request: Request, _: Outcome) -> Answer:
    """The least that AnalyticsBrowser.load needs: one destination, which is this collector. Another one would be loaded
    as code from the CDN; a sample rate would make it send numbers of its own to /m."""
    protocol, _between, host = request.base.partition("://")
    destination = {"apiKey": _project(request), "apiHost": f"{host}/v1", "protocol": protocol}
    said = {
        "integrations": {"Segment.io": destination},
        "plan": {},
        "metrics": {"sampleRate": 0},
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "remotePlugins": [],
        "legacyVideoPluginsEnabled": False,
    }
    return Answer.of(200, said, ("cache-control", "private, max-age=120"))


def _refuse_settings(error: RequestError) -> Answer:
    return (
        _refuse(NotFoundError("there is no such write key")) if isinstance(error, UnauthorizedError) else _refuse(error)
    )


# --- routes ----------------------------------------------------------------------------------------------------------

_WORD = {"type": ["string", "null"]}
_ID = {"type": ["string", "integer", "null"]}
_THING = {"type": ["object", "null"]}
_MEMBERS: Mapping[str, Any] = {
    "messageId": _WORD,
    "timestamp": _WORD,
    "sentAt": _WORD,
    "userId": _ID,
    "anonymousId": _ID,
    "context": _THING,
    "integrations": _THING,
    "writeKey": {"type": "string"},
}
_OWN: Mapping[str, Mapping[str, Any]] = {
    "track": {"event": {"type": "string", "minLength": 1}, "properties": _THING},
    "page": {"name": _WORD, "category": _WORD, "properties": _THING},
    "screen": {"name": _WORD, "category": _WORD, "properties": _THING},
    "identify": {"traits": _THING},
    "group": {"groupId": _ID, "traits": _THING},
    "alias": {"previousId": _ID},
}


def _schema(kind: str) -> dict[str, Any]:
    required = {"required": ["event"]} if kind == "track" else {}
    return {"type": "object", "properties": {**_MEMBERS, **_OWN[kind]}, **required}


def _item(kind: str) -> dict[str, Any]:
    schema = _schema(kind)
    names = {**schema["properties"], "type": {"const": kind}}
    return {**schema, "properties": names, "required": ["type", *schema.get("required", ())]}


_BATCH = {
    "type": "object",
    "required": ["batch"],
    "properties": {
        "batch": {"type": "array", "items": {"anyOf": [_item(kind) for kind in ROWS]}},
        "sentAt": _WORD,
        "context": _THING,
        "integrations": _THING,
        "writeKey": {"type": "string"},
    },
}
_SUCCESS = {"type": "object", "required": ["success"], "properties": {"success": {"const": True}}}


def _post(path: str, summary: str, read: Callable[[Request], Batch], schema: Mapping[str, Any]) -> Route:
    schemas = {"application/json": schema, "text/plain": schema}
    return Route("POST", path, summary, read, _answer, _refuse, schemas, answer_schemas={200: _SUCCESS}, key=None)


def _calls() -> list[Route]:
    """Each under its name, and under the letter that analytics.js uses."""
    return [
        _post(f"/v1/{path}", f"Segment: {kind}", _call(kind), _schema(kind))
        for kind in ROWS
        for path in (kind, kind[0])
    ]


ROUTES = (
    *_calls(),
    *(
        _post(f"/v1/{path}", "Segment: calls, each with its type", _read_batch, _BATCH)
        for path in ("batch", "b", "import")
    ),
    Route(
        "POST",
        "/v1/m",
        "Segment: numbers about analytics.js itself, which are dropped",
        lambda _: Batch([]),
        _answer,
        _refuse,
        answer_schemas={200: _SUCCESS},
        is_public=True,
    ),
    Route(
        "GET",
        "/v1/projects/{writeKey}/settings",
        "Segment: what analytics.js loads first, with this collector as its only destination",
        lambda request: Batch([], (_project(request),)),
        _settings,
        _refuse_settings,
        answer_schemas={200: {"type": "object", "required": ["integrations"]}},
        key=_project,
    ),
)
