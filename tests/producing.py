"""What tests of the producer share: events, a producer that never waits long, a service that waits."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import clicklake
from clicklake.producer import (
    FullError,
)
from firehose_wire import Answer, Stream, take_all


def producing(stream: Stream, spool: bool | Path = False, **options: Any) -> clicklake.Producer:
    """Never waits long, neither for more events nor after a failure."""
    given = {
        "linger": 0.01,
        "call_bytes": 10 * 102_400,
        "connections": 1,
        "jitter": lambda: 0.0,
        "on_error": lambda _: None,
        **options,
    }
    return clicklake.Producer("clicks", target=stream.target(), spool=spool, **given)


def event(number: int, size: int = 0) -> dict[str, Any]:
    return {"event_type": "click", "event_id": f"{number:06}", "properties": {"x": "x" * size}}


def ids(stream: Stream) -> list[str]:
    """Of what the stream has taken, in order."""
    return [event_id for record in stream.taken for event_id in ids_in(record)]


def ids_in(record: bytes) -> list[str]:
    return [json.loads(line)["event_id"] for line in record.splitlines()]


def numbers(end: int, begin: int = 0) -> list[str]:
    return [f"{number:06}" for number in range(begin, end)]


def fill(producer: clicklake.Producer) -> tuple[list[str], FullError]:
    """Track until there is no room: what was accepted, and what was raised."""
    accepted = []
    for number in range(1000):
        try:
            accepted.append(producer.track(event(number, 50_000)))
        except FullError as e:
            return accepted, e
    return pytest.fail("it is never full")


def segments(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.spool"))


class Gate:
    """Answers that wait, or fail, until it is opened."""

    def __init__(self, answer: Answer | None = None) -> None:
        self._answer = answer
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def __call__(self, records: list[bytes]) -> tuple[int, dict[str, Any]]:
        if self._answer is not None and not self._open.is_set():
            time.sleep(0.001)
            return self._answer(records)
        self._open.wait(10)
        return take_all(records)
