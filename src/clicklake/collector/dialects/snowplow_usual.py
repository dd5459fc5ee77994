"""The envelopes that trackers usually send, in half the time: msgspec reads their events into objects that have a place
for each usual parameter, and writes the same objects under the names of the input event.

Whatever else there may be is snowplow.py's: a parameter that is not in the table or is_rare there, a value that is no
text or not of its kind, two for one name. Both ways make the same event (tests/test_snowplow.py).
"""

from typing import Any

import msgspec

from clicklake.collector.dialects.snowplow_rows import EVENT_TYPES, ROWS, Row
from clicklake.collector.dialects.snowplow_values import event_name, reader, session, tracker
from clicklake.collector.event import Event, problem_of, voice_of
from clicklake.collector.request import RequestError, encode

_LONGEST = 128 * 1024  # bytes; for a tiny event an object with so many places would be large

_USUAL = tuple(row for row in ROWS if not row.is_rare)
_FIRST: dict[str, Row] = {}
for _row in _USUAL:
    _FIRST.setdefault(_row.name, _row)
_RIVALS = tuple((row.at, _FIRST[row.name].at) for row in _USUAL if _FIRST[row.name] is not row)
_READS = tuple((row.at, read) for row in _FIRST.values() if (read := reader(row)) is not None)

_Read = msgspec.defstruct(
    "_Read", [(row.at, str, "") for row in _USUAL], gc=False, omit_defaults=True, forbid_unknown_fields=True
)
_Written = msgspec.defstruct(
    "_Written",
    [(row.at, str, "") for row in _USUAL],
    gc=False,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename={row.at: row.name.split()[0] for row in _FIRST.values()},
)
_Envelope = msgspec.defstruct("_Envelope", [("data", list[_Read])])  # type: ignore[valid-type]
_read = msgspec.json.Decoder(_Envelope).decode


def events(text: bytes) -> list[Event] | None:
    """Of an envelope; None if it has anything that is not usual."""
    if len(text) > _LONGEST:
        return None
    try:
        envelope: Any = _read(text)
        return [_event(said) for said in envelope.data]
    except (msgspec.MsgspecError, ValueError, RequestError, RecursionError):
        return None


def _event(said: Any) -> Event:
    for at, first in _RIVALS:
        if text := getattr(said, at):
            if getattr(said, first):
                raise ValueError("two for one name")
            setattr(said, first, text)
            setattr(said, at, "")
    for at, read in _READS:
        if text := getattr(said, at):
            setattr(said, at, read(text))
    if said.p == "mobile":
        said.p = tracker(said.tv)
    if said.co and not (said.duid and said.sid):
        who, visit = session(said.co)
        said.duid, said.sid = said.duid or who, said.sid or visit
    if said.e == EVENT_TYPES["ue"]:
        said.e = event_name(said.ue_pr) or said.e
    sent, created = said.stm, said.dtm
    if sent < created and len(sent) == len(created):  # as in snowplow.py
        said.stm = created
    voice = voice_of(said.ip, said.ua, said.p)
    app_id, has_anonymous_id, event_type = said.aid, said.duid != "", said.e
    said.__class__ = _Written  # the same places, other names
    written = encode(said)
    return Event(written, voice, app_id, has_anonymous_id, problem_of(written, event_type))
