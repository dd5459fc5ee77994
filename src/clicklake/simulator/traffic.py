"""Clickstream traffic with a known truth: what a shop's visitors send, good, late, repeated and broken.

The walk of one event here: visits.py makes it happen -> it is encoded as its sender would, by its clock -> sent
once, or again when the sender saw no answer -> or broken on the way (damage.py). All of it is drawn from one seed and
one start time, never from the clock, so the same plan gives the same bytes.

    generate(Plan(seed, start))     Records without end, in the order of sending; take as many as you need
    Truth                           what those records must become in the lake, in counts; truth.py has it by record
"""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache, partial
from random import Random
from typing import Any, Literal, NamedTuple

from clicklake.simulator.audience import lifelike_visitor, visitor
from clicklake.simulator.chance import Weighted, exponential
from clicklake.simulator.damage import FAULTS, OVERSIZED, USUAL
from clicklake.simulator.drift import RELEASES
from clicklake.simulator.robots import Traffic
from clicklake.simulator.visits import Event, Habits, Newcomer, sessions

_LATE_SECONDS = 900


class Kind(StrEnum):
    """What a record must become: one row (GOOD, LATE), no second row (REPEAT), a failed record (MALFORMED)."""

    GOOD = "good"
    LATE = "late"
    REPEAT = "repeat"
    MALFORMED = "malformed"


# What a repeat has that the first sending had not: another time of sending; besides that another address and a counter;
# or other content, for the app filled in what it did not know before.
Change = Literal["nothing", "transport", "content"]
_CHANGES: Weighted[Change] = Weighted(((70, "nothing"), (20, "transport"), (10, "content")))
_AFTER_HOURS = 0.15  # of lifelike repeats: the app was closed before it had an answer, and tries again when opened


@dataclass(frozen=True, slots=True)
class Record:
    """One Firehose record and what it is. A malformed one has no type and no id; `fault` names what is wrong.
    `traffic` is who truly made the event, whatever the User-Agent makes of it.

    `event` is what truly happened (for a malformed one, what was lost), `at` when it was truly sent, in epoch seconds,
    `change` how a repeat differs and `drift` what a release changed in it. `again` is whether it will be repeated.
    """

    data: bytes
    kind: Kind
    event_type: str | None = None
    event_id: str | None = None
    fault: str | None = None
    traffic: Traffic | None = None
    event: Event | None = None
    at: float = 0.0
    change: Change = "nothing"
    drift: str | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Lifelike:
    """What real traffic has besides: browsers and crawlers of published lists, clocks that are wrong (the share of the
    devices), visits whose events share one id (of all visits), releases that change the events from `drift_after`
    seconds on, and records that are longer than 1 MiB (of all events)."""

    wrong_clocks: float = 0.06
    one_id: float = 0.002
    drift_after: float = float("inf")
    oversized: float = 0.0


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
    lifelike: Lifelike | None = None

    @property
    def habits(self) -> Habits:
        return Habits(self.offline, self.lifelike is not None, self.lifelike.one_id if self.lifelike else 0.0)

    @property
    def newcomer(self) -> Newcomer:
        if self.lifelike is None:
            return partial(visitor, own_pages=self.unique_urls)
        return partial(lifelike_visitor, own_pages=self.unique_urls, wrong_clocks=self.lifelike.wrong_clocks)


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
    """When an event is truly sent, and what becomes of it on the way. `number` keeps the order of equal times,
    `to_collector` is how long the way to a collector takes."""

    at: float
    number: int
    event: Event
    kind: Kind
    fault: str | None = None
    change: Change = "nothing"
    again: bool = False
    to_collector: float = 0.0


def generate(plan: Plan) -> Iterator[Record]:
    """Records without end, in the order of sending."""
    random = Random(plan.seed)  # noqa: S311 - a simulation must be repeatable
    waiting: list[_Sending] = []
    number = 0
    for began, events in sessions(random, plan.start.timestamp(), plan.rate, plan.habits, plan.newcomer):
        while waiting and waiting[0].at <= began:
            yield _record(plan, heapq.heappop(waiting))
        for event in events:
            number += 2
            for sending in _send(random, plan, event, number):
                heapq.heappush(waiting, sending)


def _send(random: Random, plan: Plan, event: Event, number: int) -> Iterator[_Sending]:
    """Each time that the event is sent."""
    if random.random() < plan.malformed:
        yield _Sending(event.sent, number, event, Kind.MALFORMED, USUAL.pick(random))
        return
    if plan.lifelike and plan.lifelike.oversized and random.random() < plan.lifelike.oversized:
        yield _Sending(event.sent, number, event, Kind.MALFORMED, OVERSIZED)
        return
    kind = Kind.LATE if event.sent - event.at > _LATE_SECONDS else Kind.GOOD
    again = random.random() < plan.repeated
    way = 0.01 + exponential(random, 0.05) if plan.lifelike else 0.0
    yield _Sending(event.sent, number, event, kind, again=again, to_collector=way)
    if again:
        at, change = event.sent + 1 + exponential(random, 15), _CHANGES.pick(random) if plan.lifelike else "nothing"
        if plan.lifelike and random.random() < _AFTER_HOURS:
            at += exponential(random, 3 * 3600)
        yield _Sending(at, number + 1, event, Kind.REPEAT, change=change, to_collector=way)


def _record(plan: Plan, sending: _Sending) -> Record:
    """Encoded no sooner than it is sent: when the caller stops, as many events may still be waiting."""
    event, at, kind = sending.event, sending.at, sending.kind
    document = _document(event, sending)
    if sending.fault is not None:
        data = FAULTS[sending.fault].damage(event, _JSON.encode(document).encode())
        return Record(data + b"\n", kind, fault=sending.fault, event=event, at=at)
    drift = None
    if plan.lifelike and event.at - plan.start.timestamp() >= plan.lifelike.drift_after:
        drift, release = RELEASES[event.fields["app_id"]]
        document = release(document)
    data = _JSON.encode(document).encode() + b"\n"
    return Record(
        data,
        kind,
        event.event_type,
        str(event.fields["event_id"]),
        traffic=event.traffic,
        event=event,
        at=at,
        change=sending.change,
        drift=drift,
        again=sending.again,
    )


_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def _document(event: Event, sending: _Sending) -> dict[str, Any]:
    """The event as its sender writes it, by the sender's clock; of two sendings only `sent_time` and what a repeat
    changes differ."""
    clock = event.visit.visitor.clock
    document = {**event.fields, "event_time": iso(event.at + clock.ahead)}
    if clock.way != "bare":
        document["sent_time"] = iso(sending.at + clock.ahead)
    if clock.way == "collector":
        document["collector_time"] = iso(sending.at + sending.to_collector)
    if sending.change != "nothing":
        document |= {"ip": "198.51.100.7", "retry_count": 1}
    if sending.change == "content":
        document["properties"] = {**document["properties"], "battery_percent": 80 - event.index % 60}
    return document


def iso(seconds: float) -> str:
    """ISO 8601 in UTC, to the millisecond."""
    milliseconds = int(seconds * 1000)
    return f"{_second(milliseconds // 1000)}.{milliseconds % 1000:03}Z"


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
