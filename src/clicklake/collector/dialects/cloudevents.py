"""CloudEvents 1.0 over HTTP, of the CNCF: github.com/cloudevents/spec, tag v1.0.2.

cloudevents/spec.md                             attributes, and which of them an event must have
cloudevents/bindings/http-protocol-binding.md   binary (a header each), structured (one JSON object), batched (an array)
cloudevents/formats/json-format.md              the JSON, `data` and `data_base64`
cloudevents/http-webhook.md                     answers, access_token; its OPTIONS handshake is in admission.py

`type` is the event_type and `time` the event_time. The event_id is made of `source` and `id`, always: an id is unique
within its source only, and one that forwards an event may keep its id and give its own source. It is a UUID of them
(RFC 9562, version 5), for a source may be an address with something private in it, and an event_id is never redacted.

Of `data`, if it is an object, names of the input event fill its fields, as if they had been sent to /v1/events, but
never over an attribute. Everything else of it is `properties`; attributes stand beside.
"""

import base64
import binascii
import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from clicklake.collector import body
from clicklake.collector.dialects.route import Outcome, Route
from clicklake.collector.event import Batch, Event, of, problem_of, voice_of, written
from clicklake.collector.request import Answer, MediaTypeError, Request, RequestError, encode

REQUIRED = ("id", "source", "specversion", "type")
# Attributes that have a field; all others keep their names.
ATTRIBUTES = {"type": "event_type", "time": "event_time"}
_MADE = frozenset({"event_id", *ATTRIBUTES.values()})
# Names in `data` that fill a field if nothing else did: the input event's (DESIGN.md), and other names for them.
FIELDS = frozenset(
    {"event_time", "sent_time", "app_id", "platform", "user_id", "anonymous_id", "session_id", "page_url"}
    | {"page_title", "referrer", "user_agent", "ip", "locale", "value", "currency"}
    | {"timestamp", "ts", "event_ts", "originalTimestamp", "event_timestamp", "sentAt", "userId", "anonymousId"}
    | {"sessionId", "url", "ip_address", "ipAddress"}
)
_ANY = "application/cloudevents"
_SINGLE, _BATCHED = f"{_ANY}+json", f"{_ANY}-batch+json"
_PREFIX = "ce-"
_JSON = re.compile(r"[^/]+/(?:[^/]+\+)?json")  # json-format.md, 3.1.1
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_URLS = uuid.NAMESPACE_URL.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


# --- one event -------------------------------------------------------------------------------------------------------


def event(said: Any, *, by_server: bool) -> Event:
    """Of the JSON format. What is no CloudEvent has no event_type, so that it becomes a failed record: nobody knows
    what its names mean."""
    if problem := _problem(said):
        text = written({"not_a_cloudevent": said})
        return Event(text, "other" if by_server else "request", problem=f"{problem}; it goes to clickstream_failed")
    made: dict[str, Any] = {}
    for name, value in said.items():
        if value is not None:  # as if it had not been sent
            made[ATTRIBUTES.get(name) or (f"_event.{name}" if name in _MADE else name)] = value
    made["event_id"] = _uuid5(f"{said['source']} {said['id']}")
    content: dict[str, Any] = {name: made.pop(name) for name in ("data", "data_base64") if name in made}
    if "data" in said and said["data"] is None:
        content["data"] = None  # a payload of its own, unlike an attribute
    _fill(made, _decoded(content, said.get("datacontenttype")))
    return of(made, for_another=by_server)


def _uuid5(name: str) -> str:
    """As str(uuid.uuid5(uuid.NAMESPACE_URL, name)) (RFC 9562, 5.5), in a third of the time."""
    digits = hashlib.sha1(_URLS + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANT[digits[16]]
    return f"{digits[:8]}-{digits[8:12]}-5{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:32]}"


def _problem(said: Any) -> str:
    if not isinstance(said, dict):
        return "a CloudEvent is a JSON object"
    for name in REQUIRED:
        value = said.get(name)
        if not isinstance(value, str) or not value or not _is_unicode(value):
            return f"{name} is missing or no text"
    return "" if said["specversion"] == "1.0" else "specversion is not 1.0"


def _is_unicode(text: str) -> bool:
    """Half of a surrogate pair is none (spec.md, "Type System")."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _decoded(content: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Bytes that are said to be JSON are read, if they can be."""
    encoded = content.get("data_base64")
    if isinstance(encoded, str) and "data" not in content and _is_json(kind):
        try:
            return {"data": body.value(binascii.a2b_base64(encoded, strict_mode=True))}
        except (ValueError, RequestError):
            pass
    return content


def _is_json(kind: Any) -> bool:
    return isinstance(kind, str) and _JSON.fullmatch(kind.partition(";")[0].strip().lower()) is not None


def _fill(made: dict[str, Any], content: dict[str, Any]) -> None:
    """Put the content where it belongs: into fields, or into `properties`."""
    data = content.get("data")
    if not isinstance(data, dict) or "data_base64" in content:
        if content:
            _properties(made, content)
        return
    rest: dict[str, Any] = {}
    for name, value in data.items():
        (made if name in FIELDS and name not in made else rest)[name] = value
    own = rest.pop("properties", None) if isinstance(rest.get("properties"), dict) else None
    if rest or own:
        _properties(made, _joined(own, rest))


def _joined(own: dict[str, Any] | None, rest: dict[str, Any]) -> dict[str, Any]:
    """As the transform joins what an event has in its `properties` with what stands beside them."""
    joined = dict(own or {})
    for name, value in rest.items():
        free = name
        while free in joined or (free != name and free in rest):
            free = f"_event.{free}"
        joined[free] = value
    return joined


def _properties(made: dict[str, Any], found: dict[str, Any]) -> None:
    """An extension may be called `properties`, too."""
    if "properties" in made:
        made["_event.properties"] = made["properties"]
    made["properties"] = found


# --- one that is not written anew ------------------------------------------------------------------------------------


class _Object(msgspec.Struct, frozen=True, gc=False):
    """Of any members."""


class _Item(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An event without extensions."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    data: msgspec.Raw
    time: str | None = None
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None


class _Attributes(msgspec.Struct, omit_defaults=True, gc=False):
    """As they stand behind the data."""

    event_id: str
    event_type: str
    specversion: str
    id: str
    source: str
    event_time: str | None
    subject: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None


# Of the data: what has to be known of it, and names that may not stand beside the attributes as they are.
_NOT_BESIDE = (
    *(name for name in _Attributes.__struct_fields__),
    *("messageId", "event_name", "event", "collector_time", "headers"),
)
_seen: Any = msgspec.defstruct(
    "_Seen",
    [
        *((name, msgspec.UnsetType, msgspec.UNSET) for name in _NOT_BESIDE),
        ("properties", _Object, _Object()),
        ("app_id", str | None, None),
        *((name, Any, None) for name in ("anonymous_id", "anonymousId", "ip", "ip_address", "ipAddress")),
        *((name, Any, None) for name in ("user_agent", "platform")),
    ],
    gc=False,
)
_item = msgspec.json.Decoder(_Item).decode
_data = msgspec.json.Decoder(_seen).decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_raw = msgspec.json.Decoder(msgspec.Raw).decode


def _of_slice(text: bytes, *, by_server: bool) -> Event | None:
    """The same event as `event` makes of it, but its data are as they were sent; None if it is odd."""
    try:
        item = _item(text)
        data = bytes(item.data)
        seen = _data(data)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    if not (item.id and item.source and item.type and b'"' in data):
        return None
    body.check_utf8(text)
    end = encode(
        _Attributes(
            _uuid5(f"{item.source} {item.id}"),
            item.type,
            item.specversion,
            item.id,
            item.source,
            item.time,
            item.subject,
            item.datacontenttype,
            item.dataschema,
        )
    )
    made = data[:-1] + b"," + end[1:]
    return Event(
        made,
        "other"
        if by_server
        else voice_of(seen.ip or seen.ip_address or seen.ipAddress, seen.user_agent, seen.platform),
        seen.app_id or "",
        bool(seen.anonymous_id or seen.anonymousId),
        problem_of(made, item.type),
    )


# --- requests --------------------------------------------------------------------------------------------------------


def _read(request: Request) -> Batch:
    """A page says its Origin; who does not is a server, whose address and headers tell nothing of a visitor."""
    by_server = not request.header("origin")
    return Batch(
        [
            _of_slice(text, by_server=by_server) or event(body.value(text), by_server=by_server)
            for text in _slices(request)
        ]
        or [event(said, by_server=by_server) for said in _said(request)]
    )


def _slices(request: Request) -> list[bytes]:
    """The events of a structured or batched request; none if it is another one, or odd."""
    kind = request.content_type
    if kind not in {_SINGLE, _BATCHED}:
        return []
    try:
        found = _raws(request.body) if kind == _BATCHED else [_raw(request.body)]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return []
    body.check_count(found)
    return body.one_line(found, request.body)


def _said(request: Request) -> list[Any]:
    kind = request.content_type
    if kind == _BATCHED:
        said = body.value(request.body)
        if not isinstance(said, list):
            raise RequestError("a batch of CloudEvents is a JSON array", f"or send one as {_SINGLE}")
        body.check_count(said)
        return said
    if kind == _SINGLE:
        return [body.value(request.body)]
    if kind.startswith(_ANY) or not any(name.startswith(_PREFIX) for name in request.headers):
        hint = f"send {_SINGLE}, {_BATCHED}, or the attributes as headers: ce-id, ce-source, ce-specversion, ce-type"
        raise MediaTypeError("this is no CloudEvent in JSON or in headers", hint)
    return [_binary(request)]


def _binary(request: Request) -> dict[str, Any]:
    """The same as JSON would say it. Content-Type is datacontenttype (http-protocol-binding.md, 3.1.1)."""
    said: dict[str, Any] = {
        name.removeprefix(_PREFIX): _attribute(name, value)
        for name, value in request.headers.items()
        if name.startswith(_PREFIX) and name not in {"ce-data", "ce-data_base64"}
    }
    if kind := request.header("content-type"):
        said["datacontenttype"] = kind
    if not request.body:
        return said
    if _is_json(kind):
        try:
            return said | {"data": body.value(request.body)}
        except RequestError as e:
            raise RequestError(f"as {kind.partition(';')[0][:60]} {e.problem}", "say what it is: Content-Type") from e
    try:
        return said | {"data": request.body.decode()}
    except UnicodeDecodeError:
        return said | {"data_base64": base64.b64encode(request.body).decode()}


def _attribute(name: str, value: str) -> str:
    """http-protocol-binding.md, 3.1.3.2: quotes first, then one round of percent-decoding, which must give UTF-8."""
    quoted = _QUOTED.fullmatch(value.strip())
    text = _ESCAPED.sub(r"\1", quoted[1]) if quoted else value
    try:
        raw = text.encode("latin-1")  # as it came; some senders encode nothing
    except UnicodeEncodeError:
        raw = text.encode("utf-8", "surrogatepass")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError as e:
        raise RequestError(f"the header {name[:30]} is no UTF-8", "percent-encode it") from e


def _answer(request: Request, outcome: Outcome) -> Answer:
    """http-webhook.md, 2.2: 204 with nothing to say, 200 with something; 400 if not one of them is an event."""
    private = (("cache-control", "private"),) if "access_token=" in request.query else ()  # http-webhook.md, 3.2
    failed = len(outcome.problems)
    if not failed:
        return Answer(204, headers=private)
    said = {"accepted": outcome.count - failed, "failed": failed, "errors": outcome.shown()}
    return Answer.of(400 if failed == outcome.count else 200, said, *private)


_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}
_EVENT = {
    "type": "object",
    "required": [*REQUIRED],
    "properties": dict.fromkeys(("id", "source", "type", "datacontenttype", "dataschema", "subject"), _TEXT)
    | {"specversion": {"const": "1.0"}, "time": {"type": "string", "format": "date-time"}}
    | {"data": {}, "data_base64": {"type": "string", "contentEncoding": "base64"}},
}
_PROBLEMS = {
    "type": "object",
    "required": ["accepted", "failed", "errors"],
    "properties": {
        "accepted": {"type": "integer"},
        "failed": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {"type": "object", "properties": {"index": {"type": "integer"}, "message": {"type": "string"}}},
        },
    },
}
ROUTES = (
    Route(
        "POST",
        "/v1/cloudevents",
        "CloudEvents 1.0: binary (attributes in headers ce-...), structured, or batched",
        _read,
        _answer,
        schemas={_SINGLE: _EVENT, _BATCHED: {"type": "array", "items": _EVENT}, "application/json": {}},
        parameters=("access_token",),
        statuses=(200, 204, 400),
        answer_schemas={200: _PROBLEMS, 400: _PROBLEMS},
    ),
)
