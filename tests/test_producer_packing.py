"""Events become lines, lines become records that cost little, records become calls that Firehose takes; ids are UUIDv7."""

import json
import random
import subprocess
import sys
import uuid
from datetime import datetime, timedelta, timezone
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake import pipeline
from clicklake.errors import UsageError
from clicklake.producer import EventError, packing, stream
from clicklake.producer.event import STAMP_BYTES, Lines, stamped
from clicklake.producer.ids import Uuid7
from clicklake.producer.pace import Pace, pause
from clicklake.producer.packing import Sizes

NOW = 1795422337.123
NOW_MS = 1795422337123
PIPELINE = pipeline.load(pipeline.FILE)


def sent(event: Any) -> dict[str, Any]:
    """The event as it is sent at NOW, with the id "made" if it has none."""
    _, line = Lines(PIPELINE, lambda: NOW, lambda: "made")(event)
    found: dict[str, Any] = json.loads(stamped([line], NOW), object_pairs_hook=each_name_once)
    return found


def each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    assert len(names) == len(set(names))
    return dict(pairs)


# --- events -> lines ---------------------------------------------------------------------------------------------


def test_id_and_times_are_filled_in() -> None:
    assert sent({"event_type": "click"}) == {
        "sent_time": NOW_MS,
        "event_id": "made",
        "event_time": NOW_MS,
        "event_type": "click",
    }


@pytest.mark.parametrize(
    "event",
    [
        {"event_id": "mine", "event_time": 5, "sent_time": 6},
        {"messageId": "mine", "timestamp": "2026-01-01T00:00:00Z", "sentAt": 6},
        {"event_id": 7, "originalTimestamp": 5, "sent_time": "2026-01-01T00:00:00Z", "event_type": "click"},
    ],
)
def test_what_an_event_has_stays_also_under_other_names(event: dict[str, Any]) -> None:
    assert sent(event) == event


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_text_count_as_not_sent(nothing: str | None) -> None:
    event = {"event_id": nothing, "event_time": nothing, "sent_time": nothing, "messageId": nothing, "x": nothing}
    filled = {"event_id": "made", "event_time": NOW_MS, "sent_time": NOW_MS, "messageId": nothing, "x": nothing}
    assert sent(event) == filled


def test_the_event_of_the_caller_is_not_changed_and_may_be_empty() -> None:
    event: dict[str, Any] = {}
    assert sent(event).keys() == {"event_id", "event_time", "sent_time"}
    assert event == {}


def test_track_tells_the_id() -> None:
    lines = Lines(PIPELINE, lambda: NOW, lambda: "made")
    assert [lines(event)[0] for event in ({}, {"event_id": "mine"}, {"messageId": 7})] == ["made", "mine", "7"]


def test_times_with_zones_and_uuids_are_written_as_text() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, timezone(timedelta(hours=1)))
    event = sent({"event_time": at, "properties": {"order": uuid.UUID(int=7)}})
    assert event["event_time"] == "2026-01-02T03:04:05.678000+01:00"
    assert event["properties"] == {"order": str(uuid.UUID(int=7))}


class Plan(Enum):
    FREE = "free"


def odd() -> dict[str, Any]:
    """What encoders of JSON differ about."""
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
    values = [None, True, 1 << 70, -(1 << 63), 1.5, 1e300, -0.0, 1e16, '\x00\x7f\u2028ü😀"\\', (1, 2), {7: "seven"}]
    return {
        "values": [*values, uuid.UUID(int=7), Plan.FREE, at],
        "plain": {"text": "x", "plan": Plan.FREE, "n": [1, 0.1]},
    }


def test_with_orjson_and_without_an_event_is_the_same() -> None:
    script = """
import sys
sys.modules["orjson"] = None
import test_producer_packing as t
print(t.json.dumps([t.sent(t.odd()), t.sent(t.odd()["plain"])]))
"""
    without = subprocess.run(
        [sys.executable, "-c", script], cwd=Path(__file__).parent, capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(without) == [sent(odd()), sent(odd()["plain"])]


def test_the_time_of_sending_is_that_of_each_sending() -> None:
    _, line = Lines(PIPELINE, lambda: NOW, lambda: "made")({})
    assert [json.loads(stamped([line], at))["sent_time"] for at in (NOW, NOW + 3600)] == [NOW_MS, NOW_MS + 3_600_000]


ITSELF: list[Any] = []
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    ("event", "says"),
    [
        pytest.param(["click"], "an event is a dict, not a list", id="a list"),
        pytest.param({"value": float("nan")}, "can't be written as JSON", id="NaN"),
        pytest.param({"value": {1, 2}}, "a set is not JSON", id="a set"),
        pytest.param({"event_time": datetime(2026, 1, 1)}, "a datetime without a time zone", id="no time zone"),  # noqa: DTZ001
        pytest.param({"value": ITSELF}, "can't be written as JSON", id="in itself"),
        pytest.param({"text": "\ud83d"}, "half of a surrogate pair", id="half a character"),
        pytest.param({"text": "x" * 1_024_000}, r"the event has 1,024,\d\d\d bytes", id="too large"),
    ],
)
def test_what_is_no_event_is_refused_and_told_why(event: Any, says: str) -> None:
    with pytest.raises(EventError, match=says):
        Lines(PIPELINE, lambda: NOW, lambda: "made")(event)


def test_the_largest_event_fits_into_a_record() -> None:
    lines = Lines(PIPELINE, lambda: NOW, lambda: "made")
    _, least = lines({"text": ""})
    _, largest = lines({"text": "x" * (packing.BYTES_PER_RECORD - len(least) - STAMP_BYTES)})
    assert len(stamped([largest], NOW)) == packing.BYTES_PER_RECORD
    assert [record.size for record in packing.records([largest], added=STAMP_BYTES)] == [packing.BYTES_PER_RECORD]


# --- ids ---------------------------------------------------------------------------------------------------------


def test_ids_are_uuids_of_version_7_that_tell_the_time() -> None:
    made = uuid.UUID(Uuid7(lambda: NOW, random.Random(1).randbytes)())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == NOW_MS


def test_the_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6: February 22, 2022 2:22:22.00 PM GMT-05:00, with a counter that begins at 0 instead."""
    drawn = bytes.fromhex("18c4dc0c0c07398f") * 512
    assert Uuid7(lambda: 1645557742.0, lambda _: drawn)() == "017f22e2-79b0-7000-98c4-dc0c0c07398f"


def test_ids_of_one_maker_only_grow_whatever_the_clock_does() -> None:
    clock = iter([*[NOW] * 9_000, *[NOW - 3600] * 10, *[NOW + 1] * 10])
    make = Uuid7(lambda: next(clock))
    made = [make() for _ in range(9_020)]
    assert all(earlier < later for earlier, later in pairwise(made))


# --- lines -> records -> calls -----------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 12_000), max_size=60), st.integers(1, 4), st.integers(0, 40))
def test_every_line_is_in_a_record_once_in_order_and_within_the_limits(
    lengths: list[int], steps: int, added: int
) -> None:
    lines = [bytes([65 + number % 26]) * length for number, length in enumerate(lengths)]
    sizes = Sizes(record=steps * 5120, call=4 * steps * 5120)
    calls = list(packing.calls(packing.records(lines, sizes, added), sizes))
    records = [record for call in calls for record in call]
    assert [line for record in records for line in record.events] == lines
    assert all(record.size == sum(len(line) + added for line in record.events) for record in records)
    assert all(record.size <= sizes.record or len(record.events) == 1 for record in records)
    assert all(sum(record.size for record in call) <= sizes.call or len(call) == 1 for call in calls)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 3_000) | st.just(1), min_size=1, max_size=30), max_size=20),
    st.integers(1, 3),
    st.integers(1, 40),
)
def test_pieces_of_several_lines_are_parted_between_lines_where_a_record_ends(
    lengths: list[list[int]], steps: int, most: int
) -> None:
    pieces = [b"".join(b"x" * length + b"\n" for length in each) for each in lengths]
    sizes = Sizes(record=steps * 5120, call=100 * steps * 5120)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "EVENTS_PER_RECORD", most)
        records = list(packing.records(pieces, sizes, 27))
    data = [b"".join(record.events) for record in records]
    assert b"".join(data) == b"".join(pieces)
    assert all(one.endswith(b"\n") for one in data)
    assert [record.count for record in records] == [one.count(b"\n") for one in data]
    assert sum(record.size for record in records) == sum(len(piece) + 27 for piece in pieces)
    for one, following in pairwise(data):  # no more would have gone into it
        added = one + following[: following.index(b"\n") + 1]
        assert len(added) + 27 * len(pieces) > sizes.record or added.count(b"\n") > most
    assert all(record.size <= sizes.record and record.count <= most for record in records)


def test_a_record_has_no_more_events_than_firehose_can_take_apart() -> None:
    assert [len(record.events) for record in packing.records([b"x\n"] * 1201)] == [500, 500, 201]


def test_a_call_has_at_most_500_records() -> None:
    records = packing.records([b"x" * 5000] * 1201, Sizes(record=5120, call=4 * 2**20))
    assert [len(call) for call in packing.calls(records, Sizes(record=5120, call=4 * 2**20))] == [500, 500, 201]


def test_a_call_has_at_most_4_mib() -> None:
    largest = Sizes(record=packing.BYTES_PER_RECORD, call=packing.BYTES_PER_CALL)
    records = packing.records([b"x" * packing.BYTES_PER_RECORD] * 9, largest)
    assert [len(call) for call in packing.calls(records, largest)] == [4, 4, 1]


@pytest.mark.parametrize(("record", "call"), [(5000, 2**20), (2**20, 2**20), (10_240, 5120), (5120, 2**23)])
def test_sizes_that_firehose_does_not_take_or_bills_badly_are_refused(record: int, call: int) -> None:
    with pytest.raises(UsageError):
        Sizes(record, call)


@pytest.mark.parametrize(("size", "billed"), [(1, 5120), (5120, 5120), (5121, 10_240), (102_400, 102_400)])
def test_a_record_is_billed_in_steps_of_5_kb(size: int, billed: int) -> None:
    assert packing.billed(size) == billed


# --- how fast ----------------------------------------------------------------------------------------------------


def test_pauses_grow_up_to_five_seconds_and_chance_shortens_them() -> None:
    assert [pause(failures, 0.0, lambda: 1.0) for failures in range(8)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    assert pause(5, 0.0, lambda: 0.25) == 0.8


def test_what_the_service_says_is_waited_for() -> None:
    assert pause(0, 7.0, lambda: 1.0) == 7.0
    assert pause(0, 3600.0, lambda: 1.0) == 60.0


class Clock:
    """Time that passes only while somebody waits."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def run(pace: Pace, clock: Clock, seconds: float, size: int = 100_000, takes: float = 0.1) -> float:
    """Calls, one after the other; bytes a second."""
    began, calls = clock.now, 0
    while clock.now - began < seconds:
        clock.now += pace.wait(size) + takes
        pace.taken(size)
        calls += 1
    return calls * size / (clock.now - began)


def test_it_is_as_fast_as_it_goes_until_it_is_told_to_slow_down_and_is_again_later() -> None:
    clock = Clock()
    pace = Pace(None, clock)
    assert run(pace, clock, 10) == pytest.approx(1_000_000, rel=0.01)
    pace.too_fast()
    assert run(pace, clock, 3) == pytest.approx(0.85 * 1_000_000, rel=0.1)
    assert run(pace, clock, 70) > 900_000
    assert pace.bytes_per_second is None


def test_it_slows_down_further_while_it_is_told_to() -> None:
    clock = Clock()
    pace = Pace(None, clock)
    run(pace, clock, 10)
    speeds = []
    for _ in range(30):
        pace.too_fast()
        speeds.append(run(pace, clock, 1))
    assert speeds[5] < 0.5 * speeds[0]
    assert speeds[-1] > 100_000


def test_a_limit_that_is_set_is_kept() -> None:
    clock = Clock()
    assert run(Pace(250_000.0, clock), clock, 20) == pytest.approx(250_000, rel=0.02)


def test_a_call_is_the_same_with_and_without_msgspec() -> None:
    call = {"DeliveryStreamName": 'a "stream"', "Records": [{"Data": b""}, {"Data": b"\xff\x00{"}, {"Data": b"ab"}]}
    assert stream._plain(call) == stream._written(call)
