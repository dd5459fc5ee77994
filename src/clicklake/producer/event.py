"""An event as it is given to track() -> the line that is sent. Pure, but for the clock and the ids that it is given.

A line without `sent_time` of its own begins with a comma: stamped() puts `{"sent_time":...` in front, each time that it
is sent. The lake compares that with its own clock to tell a wrong clock from a late event, so what waits in a spool for
an hour must not carry the time at which it was tracked. Numbers of milliseconds, not ISO 8601: half as many bytes to
pay for.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any
from uuid import UUID

from clicklake.pipeline import Pipeline
from clicklake.producer.errors import EventError
from clicklake.producer.packing import BYTES_PER_RECORD

STAMP_BYTES = len('{"sent_time":1795422337123')


def _default(value: object) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Enum):
        return value.value
    kind = "a datetime without a time zone" if isinstance(value, datetime) else f"a {type(value).__name__}"
    raise TypeError(f"{kind} is not JSON")


# NaN would become text in the lake, which no sender means. Not ASCII alone: a letter is 2 bytes of UTF-8, or 6 escaped.
_slow = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_default).encode
# JSONEncoder makes one of these for each event, which takes as long as to use it.
_fast: Any = getattr(json.encoder, "c_make_encoder", None)
_chunks = _fast and _fast(None, _default, json.encoder.encode_basestring, None, ":", ",", False, False, False)


def _orjson() -> Callable[[Any], bytes] | None:
    """Where it is installed (the extra `transform` brings it) it takes a tenth of the time. What json would refuse or
    write otherwise it is to refuse: _json() has json write that then."""
    try:
        import orjson
    except ImportError:
        return None
    passed = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
    return partial(orjson.dumps, option=passed)


_fastest = _orjson()


class Lines:
    """Makes lines of events: call it with one, get its id and its line. `clock`: seconds since 1970."""

    def __init__(self, pipeline: Pipeline, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        names = {field.name: (field.name, *field.aliases) for field in pipeline.fields}
        self._ids, self._times, self._sent = names["event_id"], names["event_time"], names["sent_time"]
        self._ours = frozenset({*self._ids, *self._times, *self._sent})
        self._clock = clock
        self._new_id = ids

    def __call__(self, event: Mapping[str, Any]) -> tuple[str, bytes]:
        """Raises EventError."""
        if type(event) is not dict:
            if not isinstance(event, Mapping):
                raise EventError(f"an event is a dict, not a {type(event).__name__}", 'such as {"event_type": "click"}')
            event = dict(event)
        if not self._ours.isdisjoint(event):
            return self._with_some(event)
        event_id = self._new_id()
        text = _json(event)
        comma = b"," if len(text) > 2 else b""
        made = f',"{self._ids[0]}":"{event_id}","{self._times[0]}":{int(self._clock() * 1000)}'
        return event_id, _checked(b"%b%b%b\n" % (made.encode(), comma, text[1:]))

    def _with_some(self, event: Mapping[str, Any]) -> tuple[str, bytes]:
        """An event that has some of what would be filled in, or has it as nothing."""
        made, empty = "", []
        event_id = _given(event, self._ids)
        if event_id is None:
            event_id = self._new_id()
            made = f',"{self._ids[0]}":"{event_id}"'
            empty.append(self._ids[0])
        if _given(event, self._times) is None:
            made += f',"{self._times[0]}":{int(self._clock() * 1000)}'
            empty.append(self._times[0])
        is_stamped = _given(event, self._sent) is not None
        if not is_stamped:
            empty.append(self._sent[0])
        # Of repeated names the last wins, so what is empty must not come behind what is put in.
        text = _json({name: value for name, value in event.items() if name not in empty})
        line = b"%b%b%b\n" % (made.encode(), b"," if len(text) > 2 else b"", text[1:])
        return str(event_id), _checked(b"{" + line[1:] if is_stamped else line)


def _given(event: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """NULL and empty text count as not sent, as in the lake."""
    for name in names:
        if name in event:
            value = event[name]
            if value is not None and value != "":
                return value
    return None


def _json(event: Mapping[str, Any]) -> bytes:
    if _fastest is not None:
        try:
            text = _fastest(event)
        except TypeError:  # numbers beyond 64 bits, names that are numbers, half of a surrogate pair ...
            text = b"null"
        if b"null" not in text:  # which NaN and infinity became as well
            return text
    try:
        return ("".join(_chunks(event, 0)) if _chunks else _slow(event)).encode()
    except UnicodeEncodeError as e:
        raise EventError("the event has half of a surrogate pair in a text", "decode it rightly first") from e
    except (TypeError, ValueError, RecursionError) as e:
        raise EventError(f"the event can't be written as JSON ({e})", "text, numbers, lists and dicts can") from e


def _checked(line: bytes) -> bytes:
    if (size := len(line) + STAMP_BYTES) > BYTES_PER_RECORD:
        problem = f"the event has {size:,} bytes; a Firehose record takes {BYTES_PER_RECORD:,}"
        raise EventError(problem, "keep what is large elsewhere and send its address")
    return line


def stamped(lines: Iterable[bytes], seconds: float) -> bytes:
    """The lines as they are sent at that time (seconds since 1970), one after the other."""
    stamp = b'{"sent_time":%d' % int(seconds * 1000)
    # A line with a time of its own begins with a brace; a collector's all do.
    return b"".join([line if line[:1] == b"{" else stamp + line for line in lines])
