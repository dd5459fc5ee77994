"""What the texts of Snowplow's parameters say, by the kinds of the table. A reader raises ValueError for what is none
of its kind."""

import re
from collections.abc import Callable
from typing import Any

import msgspec

from clicklake.collector import body
from clicklake.collector.dialects.snowplow_rows import EVENT_TYPES, PLATFORMS, TRACKERS, Kind, Row
from clicklake.collector.request import RequestError

Read = Callable[[str], Any]

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]{1,9})x([0-9]{1,9})")
_SHORT, _MOST = 20, 5000  # characters and number of what is remembered
_SCHEMA = re.compile(r"iglu:[\w.-]+/([\w.-]+)/[\w.-]+/[0-9]+-[0-9]+-[0-9]+", re.ASCII)  # SchemaKey in iglu-core
_SESSION = re.compile(r"iglu:com\.snowplowanalytics\.snowplow/client_session/.*", re.DOTALL)
_PADDING = ("", "", "==", "=")
_NOBODY = "00000000-0000-0000-0000-000000000000"  # userId of whoever asked not to be told apart


def reader(row: Row) -> Read | None:
    """None for a text that is taken as it is."""
    return _size(*row.name.split()) if row.kind == "size" else _READ[row.kind]


class _Memory(dict[str, msgspec.Raw]):
    """Of what was read: sizes and small numbers come again and again. Half the time of functools.lru_cache, and a long
    text is not kept."""

    def __init__(self, read: Callable[[str], msgspec.Raw]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> msgspec.Raw:
        made = self._read(text)
        if len(text) < _SHORT:
            if len(self) >= _MOST:
                self.clear()
            self[text] = made
        return made


def _any_number(text: str) -> msgspec.Raw:
    """Digit by digit as it was sent."""
    if _NUMBER.fullmatch(text) is None:
        raise ValueError("no number")
    return msgspec.Raw(text.encode())


def _yes_or_no(text: str) -> bool:
    if text == "1":
        return True
    if text == "0":
        return False
    raise ValueError("neither 0 nor 1")


def _size(_: str, second: str) -> Read:
    """The second name and its number stand behind the first number: one value is two members."""

    def size(text: str) -> msgspec.Raw:
        found = _SIZE.fullmatch(text)
        if found is None:
            raise ValueError("no size")
        return msgspec.Raw(f'{int(found[1])},"{second}":{int(found[2])}'.encode())

    return _Memory(size).__getitem__


def _platform(code: str) -> str:
    return PLATFORMS.get(code, code)


def tracker(version: Any) -> str:
    """The platform of a mobile one, which says it there alone."""
    return TRACKERS.get(str(version).partition("-")[0], "mobile")


def _address(text: str) -> str:
    """Of several the first, as Enrich takes it (MiscEnrichments.extractIp)."""
    return re.split("[,| ]", text, maxsplit=1)[0]


def _code(code: str) -> str:
    """One that the protocol does not have stays."""
    return EVENT_TYPES.get(code, code)


# --- JSON in a text ---------------------------------------------------------------------------------------------------


class _Object(msgspec.Struct, gc=False):
    """Whatever its members are."""


class _Inner(msgspec.Struct, gc=False):
    schema: str


class _Outer(msgspec.Struct, gc=False):
    """Self-describing JSON around another; that is looked at only as far as its schema."""

    data: _Inner


_check = msgspec.json.Decoder(_Object).decode
_outer = msgspec.json.Decoder(_Outer).decode


def _json(text: str) -> msgspec.Raw | dict[str, Any]:
    """An object, in base64 or not, stays as it was written, but is no text any more."""
    plain = text if text[:1] == "{" or text.lstrip()[:1] == "{" else _from_base64(text)
    try:
        _check(plain)
        written = plain if isinstance(plain, bytes) else plain.encode()
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _tolerantly(plain)
    return msgspec.Raw(written.replace(b"\n", b" ").replace(b"\r", b" "))


def _tolerantly(plain: str | bytes) -> dict[str, Any]:
    """As body.py reads what msgspec does not: half of a surrogate pair, NaN."""
    try:
        found = body.value(plain)
    except RequestError as e:
        raise ValueError("no JSON") from e
    if isinstance(found, dict):
        return found
    raise ValueError("no JSON object")


def _from_base64(text: str) -> bytes:
    """UTF-8, in base64 with padding or without (RFC 4648, 3.2). msgspec takes a quarter of binascii's time."""
    try:
        found = msgspec.convert(text + _PADDING[len(text) % 4], bytes)
    except msgspec.ValidationError:
        found = _from_url_safe(text)
    if not found.isascii():
        found.decode()
    return found


def _from_url_safe(text: str) -> bytes:
    """With the letters of URLs (RFC 4648, 5), which ASCII seldom needs; a plus in a query is read as a space."""
    digits = text.replace("-", "+").replace("_", "/").replace(" ", "+").rstrip("=")
    try:
        return msgspec.convert(digits + _PADDING[len(digits) % 4], bytes)
    except msgspec.ValidationError as e:
        raise ValueError("no base64") from e


def event_name(described: Any) -> str:
    """Of a self-describing event, by the schema of what it describes; empty if there is none."""
    schema: Any = None
    if isinstance(described, dict):
        inner = described.get("data")
        schema = inner.get("schema") if isinstance(inner, dict) else None
    elif isinstance(described, msgspec.Raw):
        try:
            schema = _outer(described).data.schema
        except msgspec.MsgspecError:
            return ""
    found = _SCHEMA.fullmatch(schema) if isinstance(schema, str) else None
    return found[1] if found else ""


def session(contexts: Any) -> tuple[str, str]:
    """Whose device it is and which visit, by the entity client_session; empty if that is not told."""
    if isinstance(contexts, msgspec.Raw):
        contexts = body.value(bytes(contexts))
    entities = contexts.get("data") if isinstance(contexts, dict) else None
    for entity in entities if isinstance(entities, list) else ():
        if isinstance(entity, dict) and _SESSION.fullmatch(str(entity.get("schema"))):
            said = entity.get("data")
            who, visit = (said.get("userId"), said.get("sessionId")) if isinstance(said, dict) else ("", "")
            return (
                who if isinstance(who, str) and who != _NOBODY else "",
                visit if isinstance(visit, str) and visit != _NOBODY else "",
            )
    return "", ""


_READ: dict[Kind, Read | None] = {
    "text": None,
    "number": _Memory(_any_number).__getitem__,
    "yes or no": _yes_or_no,
    "platform": _platform,
    "address": _address,
    "event": _json,
    "entities": _json,
    "code": _code,
}
