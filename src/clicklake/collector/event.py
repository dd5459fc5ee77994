"""One event on its way: its JSON text, and what of it the collector has to know. Between a dialect and collect.py."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import msgspec

from clicklake.collector import body
from clicklake.collector.request import RequestError, encode

Text = str | None
Voice = Literal["request", "own user agent", "other"]
Ends = Mapping[tuple[Voice, str], bytes]


class Event(msgspec.Struct, frozen=True, gc=False):
    """`text`: a JSON object. `voice`: whose visitor it tells of: the request's own; the same, but it names its user
    agent itself; or another's, for whom a server speaks: of that one the request's address and headers say nothing.
    `problem`: why it will be a failed record, if it will."""

    text: bytes
    voice: Voice = "request"
    app_id: str = ""
    has_anonymous_id: bool = False
    problem: str = ""


class Batch(msgspec.Struct, frozen=True, gc=False):
    """What one request says: its events, and `keys`, the write keys that it names where the dialect has a place for
    them, the one that counts first; or, where it has none, `app_ids`, which name a site, too. Each may be empty.
    `is_anonymous`: it asks that nothing of the connection be kept: no address, no place, no cookie."""

    events: list[Event]
    keys: tuple[str, ...] = ()
    app_ids: tuple[str, ...] = ()
    is_anonymous: bool = False


class _Seen(msgspec.Struct, gc=False):
    """The names that matter here, of whatever type; no other is looked at."""

    event_type: Any = None
    event_name: Any = None
    event: Any = None
    ip: Any = None
    ip_address: Any = None
    ipAddress: Any = None  # noqa: N815 - as senders spell it
    user_agent: Any = None
    platform: Any = None
    app_id: Any = None
    anonymous_id: Any = None
    anonymousId: Any = None  # noqa: N815


class _Usual(msgspec.Struct, gc=False):
    """What most events are like: msgspec sees to it, in half the time, that there is nothing else to look at."""

    event_type: Annotated[str, msgspec.Meta(min_length=1)]
    ip: None = None
    ip_address: None = None
    ipAddress: None = None  # noqa: N815
    user_agent: None = None
    platform: Text = None
    app_id: Text = None
    anonymous_id: Text = None
    anonymousId: Text = None  # noqa: N815


_DEEPEST = 100  # levels, as in the transform
_see_usual = msgspec.json.Decoder(list[_Usual]).decode
_see = msgspec.json.Decoder(_Seen).decode
NO_TYPE = "event_type is missing or no text; the event goes to clickstream_failed"
TOO_DEEP = "an event has 100 levels at most; it goes to clickstream_failed"
NO_OBJECT = "an event is a JSON object; this goes to clickstream_failed"


def of_texts(texts: list[bytes]) -> list[Event]:
    """Events that are written as the lake takes them."""
    whole = b"[%b]" % b",".join(texts)
    try:
        seen = _see_usual(whole)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return [of_text(text) for text in texts]
    if _has_many_brackets(whole) and any(map(_has_many_brackets, texts)):
        return [of_text(text) for text in texts]
    return [
        Event(
            text,
            "other" if one.platform == "server" else "request",
            one.app_id or "",
            bool(one.anonymous_id or one.anonymousId),
        )
        for text, one in zip(texts, seen, strict=True)
    ]


def of_text(text: bytes) -> Event:
    """An event that is written as the lake takes it."""
    if text[:1] != b"{":
        return Event(b'{"not_an_event":%b}' % text, problem=NO_OBJECT)
    try:
        seen = _see(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):  # lone surrogates, NaN: see body.py
        return of(body.value(text))
    return Event(
        text,
        voice_of(seen.ip or seen.ip_address or seen.ipAddress, seen.user_agent, seen.platform),
        seen.app_id if isinstance(seen.app_id, str) else "",
        bool(seen.anonymous_id or seen.anonymousId),
        problem_of(text, seen.event_type, seen.event_name, seen.event),
    )


def of(said: Mapping[str, Any], *, for_another: bool = False) -> Event:
    """An event that a dialect has made, under the names of the input event; `for_another` than who sent it."""
    get = said.get
    app_id, text = get("app_id"), written(said)
    return Event(
        text,
        "other" if for_another else voice_of(_address(get), get("user_agent"), get("platform")),
        app_id if isinstance(app_id, str) else "",
        bool(get("anonymous_id") or get("anonymousId")),
        problem_of(text, get("event_type"), get("event_name"), get("event")),
    )


def of_any(said: Any) -> Event:
    """As of(), for what should be an object."""
    return of(said) if isinstance(said, dict) else Event(written({"not_an_event": said}), problem=NO_OBJECT)


def voice_of(ip: Any, user_agent: Any, platform: Any) -> Voice:
    if ip or platform == "server":
        return "other"
    return "own user agent" if user_agent else "request"


def _address(get: Callable[[str], Any]) -> Any:
    return get("ip") or get("ip_address") or get("ipAddress")


def problem_of(text: bytes, own: Any, alias: Any = None, other: Any = None) -> str:
    """Why the transform will not take it, as far as can be known here."""
    if not ((own and type(own) is str) or _is_text(alias) or _is_text(other)):
        return NO_TYPE
    return TOO_DEEP if _has_many_brackets(text) and _is_deep(text) else ""


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _has_many_brackets(text: bytes) -> bool:
    """Hardly any has so many. bytes.replace leaps to them, where bytes.count looks at each byte."""
    return b"[" in text.replace(b"{", b"[").replace(b"[", b" ", _DEEPEST - 1)


def _is_deep(text: bytes) -> bool:
    """What stands beside `properties` is moved into them, one level down."""
    try:
        said = body.value(text)
    except RequestError:
        return True
    waiting = [(value, 1 if name == "properties" else 2) for name, value in said.items()]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, (dict, list)):
            if depth >= _DEEPEST:
                return True
            waiting += [(inner, depth + 1) for inner in (value.values() if isinstance(value, dict) else value)]
    return False


def written(said: Mapping[str, Any]) -> bytes:
    """Raises RequestError for what is nested hundreds of levels deep."""
    try:
        try:
            return encode(said)
        except UnicodeEncodeError:  # half of a surrogate pair
            return _escaped(said)
    except RecursionError as e:
        raise body.too_deep() from e


def _escaped(said: Any) -> bytes:
    """Every text as ASCII; what is written already (msgspec.Raw, a number of forty digits) stays as it is. Raises
    RecursionError."""
    if isinstance(said, str):
        return json.dumps(said).encode()
    if not isinstance(said, (dict, list)):
        return encode(said)
    pieces: list[bytes] = []  # in a loop, for a comprehension would take twice the stack
    if isinstance(said, list):
        for value in said:
            pieces.append(_escaped(value))
        return b"[%b]" % b",".join(pieces)
    for name, value in said.items():
        pieces.append(json.dumps(name).encode() + b":" + _escaped(value))
    return b"{%b}" % b",".join(pieces)


def finished(events: Sequence[Event], ends: Ends, without_id: Ends) -> bytes:
    """The lines: of each event its text, and what is added to its end, `,"name":value...}` and LF, by its voice and
    app. Of repeated names the last wins in the lake, so what is added here is not the sender's to say. `without_id` is
    for those that an id from the visitor's cookie is not for."""
    pieces: list[bytes] = []  # joined at once, not line by line
    for event in events:
        own = without_id if event.has_anonymous_id or event.voice == "other" else ends
        text, end = event.text, own[event.voice, event.app_id]
        has_names = b'"' in text  # or nothing but whitespace
        pieces += (text[:-1], end) if has_names else (b"{", end[1:])
    return b"".join(pieces)
