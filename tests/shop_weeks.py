"""Weeks of the shop's traffic in raw objects, and what its events are, read from the objects' own bytes.

The lake is made by the pipeline; what must be in it is worked out here from what was sent, one fact at a time, by the
standard library. Only an event's channel, which has a hundred rules and tests of its own, is the transform's.

    weeks(now)      raw objects: the demo's traffic, bursts of a few minutes on days of two months; and edges by hand
    rows(objects)   what clickstream_events must have of them
    unique(rows)    what clickstream_events_unique must have
"""

import gzip
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from clicklake.simulator import robots
from clicklake.simulator.traffic import Kind, Plan, Record, generate
from transforming import transform

STREAM = "clickstream-firehose-dev"
# days ago, seed: the same seed is the same people on the same ways
BURSTS = ((60, 5), (40, 1), (26, 1), (26, 2), (19, 2), (12, 1), (12, 3), (5, 3), (1, 4), (0, 2))
RECORDS = 240
_ROBOTS = sorted({name for _, name, *_ in robots._TABLE}, key=len, reverse=True)


@dataclass(frozen=True)
class RawObject:
    received: datetime
    records: tuple[Record, ...]

    @cached_property
    def key(self) -> str:
        name = hashlib.sha256(self.body).hexdigest()[:16]
        return f"raw/{self.received:year=%Y/month=%m/day=%d}/{STREAM}-1-{self.received:%Y-%m-%d-%H-%M-%S}-{name}.gz"

    @property
    def body(self) -> bytes:
        return b"".join(record.data for record in self.records)

    @property
    def stored(self) -> bytes:
        return gzip.compress(self.body, 1, mtime=0)


@dataclass(frozen=True)
class Event:
    """A good record of an object. `visitor` is whatever tells one from another; `late` is in whole seconds."""

    object: RawObject
    id: tuple[str | None, str]
    type: str
    at: datetime
    traffic: str
    bot: str | None
    visitor: tuple[str | None, ...]
    host: str
    path: str
    channel: str | None

    @classmethod
    def of(cls, made_by: RawObject, record: Record, channel: str | None) -> "Event":
        sent = json.loads(record.data)
        at = datetime.fromisoformat(sent["event_time"])
        page = urlsplit(sent["page_url"])
        human = record.traffic == "human"
        return cls(
            made_by,
            (sent.get("app_id"), sent["event_id"]),
            sent["event_type"],
            at,
            str(record.traffic),
            None if human else _named(sent["user_agent"]),
            _visitor(sent, at.date()),
            str(page.hostname),
            page.path or "/",
            channel,
        )

    @property
    def day(self) -> date:
        return self.at.date()

    @property
    def arrived(self) -> date:
        return self.object.received.date()

    @property
    def late(self) -> int:
        return (self.object.received - self.at) // timedelta(seconds=1)


def _visitor(sent: dict[str, Any], day: date) -> tuple[str | None, ...]:
    """docs/contract.md, visitor_id."""
    if sent.get("anonymous_id"):
        return (sent["anonymous_id"],)
    if sent.get("user_id"):
        return ("user", sent["user_id"])
    return (str(day), sent.get("app_id"), sent.get("ip"), sent.get("user_agent"))


def _named(user_agent: str) -> str:
    """The robot that the text names first, the longest of several that begin there."""
    return min((name for name in _ROBOTS if name in user_agent), key=user_agent.index)


# --- what is sent ----------------------------------------------------------------------------------------------------


def weeks(now: datetime) -> list[RawObject]:
    """Bursts at noon of their days, today's 20 minutes ago, so that no clock is provably wrong."""
    objects = [_edges((now - timedelta(days=1)).replace(hour=1, minute=0, second=0, microsecond=0))]
    for days, seed in BURSTS:
        noon = (now - timedelta(days=days)).replace(hour=12, minute=seed, second=0, microsecond=0)
        objects += _burst(Plan(seed, noon if days else now - timedelta(minutes=20), rate=3.0))
    return objects


def _burst(plan: Plan) -> Iterator[RawObject]:
    """A burst in three objects, each with the time of its oldest record, so that some repeats come in another one."""
    every = tuple(islice(generate(plan), RECORDS))
    for begin in range(0, RECORDS, RECORDS // 3):
        records = every[begin : begin + RECORDS // 3]
        first = next(record for record in records if record.kind is not Kind.MALFORMED)
        received = datetime.fromisoformat(json.loads(first.data)["sent_time"]).replace(microsecond=0)
        yield RawObject(received, records)


_HALF_HOUR = 30 * 60_000
_EDGES = (
    ("gap of 30 minutes", ((0, "page_view"), (_HALF_HOUR, "page_view"))),
    ("gap of 30 minutes and 1 ms", ((0, "page_view"), (_HALF_HOUR + 1, "purchase"))),
    ("the wrong order", ((0, "purchase"), (1000, "add_to_cart"), (2000, "page_view"))),
    ("the right order", ((0, "page_view"), (1000, "add_to_cart"), (2000, "purchase"))),
    ("no view before the cart", ((0, "add_to_cart"), (1000, "page_view"), (2000, "purchase"))),
    ("two carts", ((0, "add_to_cart"), (1000, "page_view"), (2000, "add_to_cart"), (3000, "purchase"))),
)


def _edges(at: datetime) -> RawObject:
    """Visitors who differ in one thing only; they come from a search engine."""
    records = []
    for visitor, steps in _EDGES:
        for number, (after, event_type) in enumerate(steps):
            event = {
                "event_id": f"{visitor} {number}",
                "event_type": event_type,
                "event_time": (at + timedelta(milliseconds=after)).isoformat(),
                "anonymous_id": visitor,
                "page_url": "https://www.shop.example/",
                "referrer": "https://www.google.com/" if number == 0 else "https://www.shop.example/",
            }
            data = json.dumps(event).encode() + b"\n"
            records.append(Record(data, Kind.GOOD, event_type, event["event_id"], traffic="human"))
    return RawObject(at + timedelta(hours=1), tuple(records))


# --- what it becomes -------------------------------------------------------------------------------------------------


def rows(objects: Iterable[RawObject]) -> list[Event]:
    """Rows of clickstream_events: repeats within an object are dropped."""
    return [event for made_by in objects for event in _first_of_each_id(_events(made_by))]


def unique(rows: Iterable[Event]) -> list[Event]:
    """Rows of clickstream_events_unique: the first of each id that arrived on a day."""
    days: dict[date, list[Event]] = {}
    for event in sorted(rows, key=lambda event: (event.object.received, event.object.key)):
        days.setdefault(event.arrived, []).append(event)
    return [event for day in days.values() for event in _first_of_each_id(day)]


def _events(made_by: RawObject) -> list[Event]:
    records = [record for record in made_by.records if record.kind is not Kind.MALFORMED]
    channels = {row["event_id"]: row.get("channel") for row in transform(*(r.data for r in records)).rows}
    return [Event.of(made_by, record, channels[str(record.event_id)]) for record in records]


def _first_of_each_id(events: Iterable[Event]) -> list[Event]:
    first: dict[tuple[str | None, str], Event] = {}
    for event in events:
        first.setdefault(event.id, event)
    return list(first.values())
