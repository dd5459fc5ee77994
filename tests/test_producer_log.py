"""The producer's log on the disk: what a crash or damage leaves of it."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.errors import ClicklakeError
from clicklake.producer.log import Log
from clicklake.producer.spool import Spool
from endpoint_process import eventually
from firehose_wire import Stream
from producing import producing, segments


def logs(folder: Path, memory: int = 300) -> Spool:
    return Spool(folder, "http://127.0.0.1:9", "us-east-1", "clicks", 4 * 400, memory)


def left_in(log: Log) -> list[bytes]:
    left = []
    while lines := log.peek(200):
        left += lines
        log.acknowledge(len(lines))
    return left


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 90).map(lambda n: -n), st.integers(0, 6)), max_size=60))
def test_a_log_has_what_was_appended_and_not_acknowledged_also_for_who_adopts_it(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    """A step is a line of so many bytes (below 0), or so many acknowledged. Its segments are tiny, and so is its memory."""
    folder = tmp_path_factory.mktemp("log")
    log, expected = logs(folder).own, list[bytes]()
    for number, step in enumerate(steps):
        if step < 0:
            line = b"%d," % number + b"x" * -step
            if log.append([line]):
                expected.append(line)
            assert log.used <= 1600
        else:
            there = log.peek(10_000)[:step]
            assert there == expected[: len(there)]
            log.acknowledge(len(there))
            del expected[: len(there)]
        assert log.peek(1) == expected[:1]
    log.close()
    adopted = list(logs(folder).orphans())
    assert [line for log in adopted for line in left_in(log)] == expected
    for log in adopted:
        log.close()
    assert segments(folder) == []


def crashed(folder: Path, lines: list[bytes]) -> Path:
    """The segment that a process with these lines leaves when it is killed."""
    spool = logs(folder, 10_000)
    for line in lines:
        assert spool.own.append([line])
    spool.own.abandon()
    return segments(folder)[0]


LINES = [b',"n":%d}\n' % number for number in range(5)]


def adopt(folder: Path) -> tuple[list[bytes], list[Path]]:
    """What the next one reads, and what it sets aside."""
    spool = logs(folder)
    (log,) = spool.orphans()
    found = left_in(log)
    log.acknowledge(0)
    log.close()
    spool.own.close()
    return found, log.damaged


@pytest.mark.parametrize("tail", [b"", b"\0" * 99, b"\5\0\0"], ids=["nothing", "zeros", "a piece of a head"])
def test_what_a_crash_leaves_behind_the_last_event_is_no_damage(tmp_path: Path, tail: bytes) -> None:
    path = crashed(tmp_path, LINES)
    path.write_bytes(path.read_bytes() + tail)
    assert adopt(tmp_path) == (LINES, [])
    assert list(tmp_path.rglob("*.lock")) == []


def test_a_damaged_event_is_set_aside_and_the_others_are_sent_and_it_is_told(tmp_path: Path) -> None:
    path = crashed(tmp_path, LINES)
    damaged = path.read_bytes().replace(b":2}", b":7}")
    path.write_bytes(damaged)
    heard: list[ClicklakeError] = []
    stream = Stream()
    with producing(stream, tmp_path, on_error=heard.append) as producer:
        assert eventually(lambda: heard, 10)
        assert producer.counters.recovered == 4
    assert [json.loads(line)["n"] for record in stream.taken for line in record.splitlines()] == [0, 1, 3, 4]
    assert "is damaged" in str(heard[0])
    (aside,) = tmp_path.rglob("*.damaged")
    assert b":7}" in aside.read_bytes()


def test_events_behind_a_damaged_length_are_set_aside(tmp_path: Path) -> None:
    path = crashed(tmp_path, LINES)
    data = bytearray(path.read_bytes())
    data[data.index(LINES[1]) - 7] = 0xFF
    path.write_bytes(bytes(data))
    found, aside = adopt(tmp_path)
    assert found == LINES[:1]
    assert LINES[4] in aside[0].read_bytes()


def test_a_header_that_cannot_be_read_sends_all_of_it_again(tmp_path: Path) -> None:
    path = crashed(tmp_path, LINES)
    data = path.read_bytes()
    path.write_bytes(data[:9] + b"\xff" + data[10:])
    assert adopt(tmp_path) == (LINES, [])
