"""What is true of each record, one JSON object a line: what `clicklake generate --truth` writes and docs/generate.md
describes. A line tells of the record what no pipeline can know, so that anything that processes the records can be
judged by it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from clicklake.simulator.damage import FAULTS
from clicklake.simulator.traffic import Kind, Record, iso

VERSION = 1


def lines(records: Iterable[Record]) -> Iterator[tuple[Record, dict[str, Any]]]:
    """Each record and its truth, in their order."""
    firsts: dict[tuple[str, int], int] = {}
    for number, record in enumerate(records):
        assert record.event is not None
        place = record.event.visit.session_id, record.event.index
        if record.again:
            firsts[place] = number
        yield record, {"version": VERSION, "record": number, "repeats": _first(record, firsts, place), **_of(record)}


def _first(record: Record, firsts: dict[tuple[str, int], int], place: tuple[str, int]) -> int | None:
    """The record that this one repeats; there is one repeat at most."""
    return firsts.pop(place, None) if record.kind is Kind.REPEAT else None


def _of(record: Record) -> dict[str, Any]:
    assert record.event is not None
    event, visit, device = record.event, record.event.visit, record.event.visit.visitor.device
    clock = visit.visitor.clock
    return {
        "kind": record.kind.value,
        "event_id": record.event_id,
        "event_type": record.event_type,
        "app_id": event.fields["app_id"],
        "session_id": visit.session_id,
        "event_index": event.index,
        "visitor": visit.number,
        "sha256": hashlib.sha256(_bytes(record)).hexdigest(),
        "fault": record.fault,
        "failure_type": FAULTS[record.fault].failure_type if record.fault else None,
        "change": record.change if record.kind is Kind.REPEAT else None,
        "one_id": visit.one_id is not None,
        "drift": record.drift,
        "event_time": iso(event.at),
        "sent_time": iso(record.at),
        "clock": clock.kind,
        "clock_ahead_seconds": round(clock.ahead, 3),
        "sent_by": clock.way,
        "channel": visit.arrival.channel,
        "channel_told": visit.arrival.told,
        "traffic": event.traffic,
        "robot": device.robot,
        "listed": device.listed,
        "disguised": device.disguised,
        "device": device.kind,
    }


def _bytes(record: Record) -> bytes:
    """What clickstream_failed.raw_sha256 is of: an array's element is a record of its own."""
    return record.data.strip(b"[]\n" if record.fault == "an array of a number" else b"\n")


def encoded(line: dict[str, Any]) -> str:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":"))
