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
from random import Random

from clicklake.audience import Weighted
from clicklake.visits import Event, exponential, sessions

_LATE_SECONDS = 900


class Kind(StrEnum):
    """What a record must become: one row (GOOD, LATE), no second row (REPEAT), a failed record (MALFORMED)."""

    GOOD = "good"
    LATE = "late"
    REPEAT = "repeat"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Record:
    """One Firehose record and what it is. A malformed one has no type and no id; `fault` names what is wrong."""

    data: bytes
    kind: Kind
    event_type: str | None = None
    event_id: str | None = None
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """`rate` is what the events per second settle to once the first sessions have run for a minute; the others are
    shares: of the sessions on moving devices (`offline`), of all events (`repeated`, `malformed`)."""

    seed: int
    start: datetime
    rate: float = 40.0
    offline: float = 0.06
    repeated: float = 0.02
    malformed: float = 0.01


@dataclass(slots=True)
class Truth:
    """Counts of records sent: `distinct` events and `repeats` by event type, `faults` by what is wrong."""

    distinct: Counter[str] = field(default_factory=Counter)
    repeats: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    late: int = 0

    def add(self, record: Record) -> None:
        if record.event_type is None:
            self.faults[str(record.fault)] += 1
        elif record.kind is Kind.REPEAT:
            self.repeats[record.event_type] += 1
        else:
            self.distinct[record.event_type] += 1
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


def generate(plan: Plan) -> Iterator[Record]:
    """Records without end, in the order of sending."""
    random = Random(plan.seed)  # noqa: S311 - a simulation must be repeatable
    waiting: list[tuple[float, int, Record]] = []
    number = 0
    for began, events in sessions(random, plan.start.timestamp(), plan.rate, plan.offline):
        while waiting and waiting[0][0] <= began:
            yield heapq.heappop(waiting)[2]
        for event in events:
            for sent, record in _send(random, plan, event):
                number += 1  # equal times keep their order, and records are never compared
                heapq.heappush(waiting, (sent, number, record))


def _send(random: Random, plan: Plan, event: Event) -> Iterator[tuple[float, Record]]:
    """(when, what) for each time the event is sent."""
    data = _encode(event, event.sent)
    if random.random() < plan.malformed:
        fault, damage = _FAULTS.pick(random)
        yield event.sent, Record(damage(event, data) + b"\n", Kind.MALFORMED, fault=fault)
        return
    about = (event.event_type, str(event.fields["event_id"]))
    late = event.sent - event.at > _LATE_SECONDS
    yield event.sent, Record(data + b"\n", Kind.LATE if late else Kind.GOOD, *about)
    if random.random() < plan.repeated:
        again = event.sent + 1 + exponential(random, 15)
        yield again, Record(_encode(event, again) + b"\n", Kind.REPEAT, *about)


def _encode(event: Event, sent: float) -> bytes:
    """The event as its sender writes it; of two sendings only `sent_time` differs."""
    document = {**event.fields, "event_time": _iso(event.at), "sent_time": _iso(sent)}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


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


_FAULTS: Weighted[tuple[str, Callable[[Event, bytes], bytes]]] = Weighted(
    (
        (4, ("truncated JSON", _truncated)),
        (2, ("not JSON", _not_json)),
        (1, ("a string", _a_string)),
        (1, ("a number", _a_number)),
        (1, ("an array of a number", _an_array)),
        (3, ("no event_type", _no_event_type)),
        (2, ("empty event_type", _empty_event_type)),
        (2, ("invalid UTF-8", _not_utf8)),
    )
)
