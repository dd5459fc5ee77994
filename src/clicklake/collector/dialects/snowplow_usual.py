"""The envelopes that trackers usually send, in half the time: msgspec reads their events into objects that have a place
for each usual parameter, and writes the same objects under the names of the input event.

Whatever else there may be is snowplow.py's: a parameter that is not in the table or is_rare there, a value that is no
text or not of its kind, two for one name. Both ways make the same event (tests/test_snowplow.py).
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from clicklake.collector import body
from clicklake.collector.dialects.snowplow_rows import EVENT_TYPES, ROWS
from clicklake.collector.dialects.snowplow_values import event_name, reader, session, tracker
from clicklake.collector.event import Event, problem_of, voice_of
from clicklake.collector.request import RequestError, encode

_LONGEST = 128 * 1024  # bytes; for a tiny event an object with so many places would be large

_USUAL = {row.at: row for row in ROWS if not row.is_rare}
# As browsers send them: msgspec looks for a name behind the one before it, which takes two thirds of the time.
_BROWSERS = (
    "e se_ca se_ac se_la se_pr se_va pp_mix pp_max pp_miy pp_may url page refr eid tv tna aid p cookie cs lang res cd "
    "tz dtm ue_pr ue_px co cx vp ds vid sid duid uid"
)
_PLACES = [(at, str, "") for at in dict.fromkeys((*_BROWSERS.split(), *_USUAL))]
_FIRST = {row.name: row for row in reversed(_USUAL.values())}.values()  # of several for one name

_READERS: Mapping[str, Any] = {at: reader(row) for at, row in _USUAL.items()}
_number, _json = _READERS["vid"], _READERS["co"]
_cookie, _res, _vp, _ds = (_READERS[at] for at in ("cookie", "res", "vp", "ds"))
_ip, _platform, _code = (_READERS[at] for at in ("ip", "p", "e"))


def _struct(name: str, names: Mapping[str, str]) -> type[msgspec.Struct]:
    return msgspec.defstruct(name, _PLACES, gc=False, omit_defaults=True, forbid_unknown_fields=True, rename=names)


_Read = _struct("_Read", {})
_Written = _struct("_Written", {row.at: row.name.split()[0] for row in _FIRST})
_Envelope = msgspec.defstruct("_Envelope", [("data", list[_Read])])  # type: ignore[valid-type]
_read = msgspec.json.Decoder(_Envelope).decode


def events(text: bytes) -> list[Event] | None:
    """Of an envelope; None if it has anything that is not usual."""
    if len(text) > _LONGEST:
        return None
    try:
        envelope: Any = _read(text)
        body.check_count(envelope.data)
        return [_event(said) for said in envelope.data]
    except (msgspec.MsgspecError, ValueError, RequestError, RecursionError):
        return None


def _event(said: Any) -> Event:
    _read_values(said)
    _read_objects(said)
    platform = said.p
    if platform:
        said.p = platform = _platform(platform)
        if platform == "mobile":
            said.p = tracker(said.tv)
    sent, created = said.stm, said.dtm
    if sent < created and len(sent) == len(created):  # as in snowplow.py
        said.stm = created
    if said.ip:
        said.ip = _ip(said.ip)
    voice = voice_of(said.ip, said.ua, platform)
    app_id, has_anonymous_id, event_type = said.aid, said.duid != "", said.e
    said.__class__ = _Written  # the same places, other names
    written = encode(said)
    return Event(written, voice, app_id, has_anonymous_id, problem_of(written, event_type))


def _read_values(said: Any) -> None:  # noqa: C901
    """One after the other, for a loop over the table takes twice as long."""
    if said.cookie:
        said.cookie = _cookie(said.cookie)
    if said.res:
        said.res = _res(said.res)
    if said.vp:
        said.vp = _vp(said.vp)
    if said.ds:
        said.ds = _ds(said.ds)
    if said.vid:
        said.vid = _number(said.vid)
    if said.se_va:
        said.se_va = _number(said.se_va)
    if said.pp_mix:
        said.pp_mix = _number(said.pp_mix)
    if said.pp_max:
        said.pp_max = _number(said.pp_max)
    if said.pp_miy:
        said.pp_miy = _number(said.pp_miy)
    if said.pp_may:
        said.pp_may = _number(said.pp_may)


def _read_objects(said: Any) -> None:
    """Which tell the event's name, and of mobile trackers who and which visit."""
    if text := said.co or said.cx:
        _check_alone(said.co, said.cx)
        said.cx, said.co = "", _json(text)
        if not (said.duid and said.sid):
            who, visit = session(said.co)
            said.duid, said.sid = said.duid or who, said.sid or visit
    if text := said.ue_pr or said.ue_px:
        _check_alone(said.ue_pr, said.ue_px)
        said.ue_px, said.ue_pr = "", _json(text)
    said.e = event_type = _code(said.e)
    if event_type == EVENT_TYPES["ue"]:
        said.e = event_name(said.ue_pr) or event_type


def _check_alone(one: str, other: str) -> None:
    if one and other:
        raise ValueError("two for one name")
