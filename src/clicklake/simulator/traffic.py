"""Clickstream traffic with a known truth: what a shop's visitors send, good, late, repeated and broken.

The walk of one event here: visits.py makes it happen -> it is encoded as its sender would -> sent once, or again when
the sender saw no answer -> or broken on the way. All of it is drawn from one seed and one start time, never from the
clock, so the same plan gives the same bytes.

    generate(Plan(seed, start))     Records without end, in the order of sending; take as many as you need
    Truth                           what those records must become in the lake
"""

import heapq
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import NamedTuple

from clicklake.simulator.chance import Weighted, exponential
from clicklake.simulator.robots import Traffic
from clicklake.simulator.visits import Event, sessions

_LATE_SECONDS = 900


class Kind(StrEnum):
    """What a record must become: one row (GOOD, LATE), no second row (REPEAT), a failed record (MALFORMED)."""

    GOOD = "good"
    LATE = "late"
    REPEAT = "repeat"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Record:
    """One Firehose record and what it is. A malformed one has no type and no id; `fault` names what is wrong.
    `traffic` is who truly made the event, whatever the User-Agent makes of it."""

    data: bytes
    kind: Kind
    event_type: str | None = None
    event_id: str | None = None
    fault: str | None = None
    traffic: Traffic | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` is what the events per second settle to once the first sessions have run for a minute; the others are
    shares: of the sessions on moving devices (`offline`), of all events (`repeated`, `malformed`). With `unique_urls`
    every visitor has a token in the path of all pages, so that hardly an address is seen by two."""

    seed: int
    start: datetime
    rate: float = 40.0
    offline: float = 0.06
    repeated: float = 0.02
    malformed: float = 0.01
    unique_urls: bool = False


@dataclass(slots=True)
class Truth:
    """Counts of records sent: `distinct` events and `repeats` by event type, `faults` by what is wrong; `traffic` are
    the distinct events by who made them."""

    distinct: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    traffic: Counter[str] = field(default_factory=Counter)
    late: int = 0

    def add(self, record: Record) -> None:
        if record.event_type is None:
            self.faults[str(record.fault)] += 1
        elif record.kind is Kind.REPEAT:
            self.repeats[record.event_type] += 1
        else:
            self.distinct[record.event_type] += 1
            self.traffic[str(record.traffic)] += 1
            self.late += record.kind is Kind.LATE

    @classmethod
    def of(cls, records: Iterable[Record]) -> "Truth":
        truth = cls()
        for record in records:
            truth.add(record)
        return truth

    @property
    def malformed(self) -> int:
        return self.faults.total()

    @property
    def sent(self) -> int:
        return self.distinct.total() + self.repeats.total() + self.malformed


class _Sending(NamedTuple):
    """When an event is sent, and what becomes of it on the way. `number` keeps the order of equal times."""

    at: float
    number: int
    event: Event
    kind: Kind
    fault: str | None = None


def generate(plan: Plan) -> Iterator[Record]:
    """Records without end, in the order of sending."""
    random = Random(plan.seed)  # noqa: S311 - a simulation must be repeatable
    waiting: list[_Sending] = []
    number = 0
    for began, events in sessions(random, plan.start.timestamp(), plan.rate, plan.offline, plan.unique_urls):
        while waiting and waiting[0].at <= began:
            yield _record(heapq.heappop(waiting))
        for event in events:
            number += 2
            for sending in _send(random, plan, event, number):
                heapq.heappush(waiting, sending)


def _send(random: Random, plan: Plan, event: Event, number: int) -> Iterator[_Sending]:
    """Each time that the event is sent."""
    if random.random() < plan.malformed:
        yield _Sending(event.sent, number, event, Kind.MALFORMED, _FAULTS.pick(random))
        return
    late = event.sent - event.at > _LATE_SECONDS
    yield _Sending(event.sent, number, event, Kind.LATE if late else Kind.GOOD)
    if random.random() < plan.repeated:
        yield _Sending(event.sent + 1 + exponential(random, 15), number + 1, event, Kind.REPEAT)


def _record(sending: _Sending) -> Record:
    """Encoded no sooner than it is sent: when the caller stops, as many events may still be waiting."""
    event = sending.event
    data = _encode(event, sending.at)
    if sending.fault is not None:
        return Record(_DAMAGE[sending.fault](event, data) + b"\n", Kind.MALFORMED, fault=sending.fault)
    event_id = str(event.fields["event_id"])
    return Record(data + b"\n", sending.kind, event.event_type, event_id, traffic=event.traffic)


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _encode(event: Event, sent: float) -> bytes:
    """The event as its sender writes it; of two sendings only `sent_time` differs."""
    document = {**event.fields, "event_time": _iso(event.at), "sent_time": _iso(sent)}
    return _JSON.encode(document).encode()


def _iso(seconds: float) -> str:
    milliseconds = int(seconds * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


# --- what goes wrong -----------------------------------------------------------------------------------------------
# Each makes exactly one record of DESIGN.md's kind that fails, and no two have the same bytes: all hold the event's id
# or a number made of its time.


def _truncated(_: Event, data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _not_json(event: Event, _: bytes) -> bytes:
    return f"GET /collect?e={event.event_type}&id={event.fields['event_id']} HTTP/1.1".encode()


def _a_string(event: Event, _: bytes) -> bytes:
    return f'"{event.event_type}:{event.fields["event_id"]}"'.encode()


def _a_number(event: Event, _: bytes) -> bytes:
    return f"{event.sent:.6f}".encode()


def _an_array(event: Event, _: bytes) -> bytes:
    return f"[{event.sent:.6f}]".encode()


def _no_event_type(event: Event, data: bytes) -> bytes:
    return data.replace(f'"event_type":"{event.event_type}",'.encode(), b"")


def _empty_event_type(event: Event, data: bytes) -> bytes:
    return data.replace(f'"event_type":"{event.event_type}"'.encode(), b'"event_type":""')


def _not_utf8(_: Event, data: bytes) -> bytes:
    return data.replace(b'"page_title":"', b'"page_title":"\xff\xfe', 1)


_DAMAGE: dict[str, Callable[[Event, bytes], bytes]] = {
    "truncated JSON": _truncated,
    "not JSON": _not_json,
    "a string": _a_string,
    "a number": _a_number,
    "an array of a number": _an_array,
    "no event_type": _no_event_type,
    "empty event_type": _empty_event_type,
    "invalid UTF-8": _not_utf8,
}
_FAULTS = Weighted(zip((4, 2, 1, 1, 1, 3, 2, 2), _DAMAGE, strict=True))
