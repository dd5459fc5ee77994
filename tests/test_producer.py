"""clicklake.Producer: what it accepted is sent once, and is not lost whatever happens to it, to the service and the disk."""

import asyncio
import json
import re
import threading
import time
from collections import Counter
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import clicklake
from clicklake.errors import ClicklakeError, RefusedError, UnreachableError, UsageError
from clicklake.producer import (
    ClosedError,
    Counters,
    Delivery,
    EventError,
    Settings,
    SpoolError,
    UndeliveredError,
    packing,
)
from endpoint_process import eventually
from firehose_wire import (
    Answer,
    Stream,
    no_answer,
    not_found,
    of_fewer,
    of_nothing,
    refuse_every_third,
    take_all,
    throttle,
    without_ids,
)
from producing import Gate, event, fill, ids, ids_in, numbers, producing, segments

MIB = 2**20


@pytest.fixture(params=[False, True], ids=["memory", "spool"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> bool | Path:
    return tmp_path / "spool" if request.param else False


# --- all is well -------------------------------------------------------------------------------------------------


def test_events_arrive_in_order_once_and_many_in_a_record(place: bool | Path) -> None:
    stream = Stream()
    with producing(stream, place) as producer:
        for number in range(3000):
            assert producer.track(event(number, 500)) == f"{number:06}"
    assert ids(stream) == numbers(3000)
    assert max(map(len, stream.taken)) <= 102_400
    assert len(stream.taken) < 100


def test_events_of_600_bytes_cost_a_seventh_of_what_one_a_record_costs(place: bool | Path) -> None:
    """What track() adds, id and times, is paid for here and not there."""
    stream = Stream()
    given = {
        "event_type": "click",
        "properties": {"x": "x" * (600 - len('{"event_type":"click","properties":{"x":""}}'))},
    }
    assert len(json.dumps(given, separators=(",", ":"))) == 600
    with producing(stream, place, linger=1.0) as producer:
        for _ in range(5000):
            producer.track(given)
    paid = sum(packing.billed(len(record)) for record in stream.taken)
    assert producer.counters.billed_bytes == paid
    assert 5000 * packing.billed(600) / paid >= 7


def test_it_waits_for_more_events_but_not_longer_than_it_lingers() -> None:
    stream = Stream()
    with producing(stream, linger=0.2) as producer:
        began = time.monotonic()
        producer.track(event(0))
        producer.track(event(1))
        assert stream.calls == []
        assert eventually(lambda: stream.calls, 5)
        assert time.monotonic() - began >= 0.2
        assert len(stream.calls) == 1


def test_flush_does_not_linger_and_says_whether_all_is_acknowledged(place: bool | Path) -> None:
    gate = Gate()
    stream = Stream(gate)
    with producing(stream, place, linger=60) as producer:
        producer.track(event(0))
        assert not producer.flush(0.05)
        gate.open()
        assert producer.flush(10)
        assert ids(stream) == numbers(1)


def test_it_counts_what_becomes_of_events() -> None:
    stream, told = Stream(), list[Delivery]()
    with producing(stream, on_delivery=told.append, linger=60) as producer:
        for number in range(1000):
            producer.track(event(number))
        with pytest.raises(EventError):
            producer.track({"x": float("inf")})
        assert (producer.counters.accepted, producer.counters.refused, producer.counters.waiting) == (1000, 1, 1000)
        assert producer.flush(10)
        counted = producer.counters
    assert (counted.sent, counted.waiting, counted.calls, counted.records) == (1000, 0, 1, len(stream.taken))
    assert counted.bytes == sum(map(len, stream.taken)) == told[0].bytes
    assert b"".join(line + b"\n" for line in told[0].lines) == b"".join(stream.taken)
    assert (told[0].records, told[0].billed_bytes) == (counted.records, counted.billed_bytes)


def test_many_threads_may_track(place: bool | Path) -> None:
    stream = Stream()
    with producing(stream, place) as producer:
        threads = [
            threading.Thread(target=lambda k=k: [producer.track(event(k * 500 + n)) for n in range(500)])
            for k in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert Counter(ids(stream)) == Counter(numbers(2000))


def test_many_are_accepted_at_once_or_none_of_them(place: bool | Path) -> None:
    stream = Stream()
    with producing(stream, place) as producer:
        assert producer.track_many(event(number) for number in range(500)) == numbers(500)
        with pytest.raises(EventError):
            producer.track_many([event(500), {"x": float("nan")}, event(502)])
        assert producer.track_many([]) == []
        assert producer.track_many([event(500)]) == ["000500"]
    assert ids(stream) == numbers(501)


def test_several_calls_may_be_under_way(place: bool | Path) -> None:
    """The first waits until the others are done. What it has is acknowledged then, and nothing of it before."""
    gate = Gate()
    stream = Stream(gate)
    with producing(stream, place, connections=3, linger=60) as producer:
        producer.track_many(event(number, 50_000) for number in range(100))
        assert eventually(lambda: len(ids(stream)) >= 60, 10)
        assert not producer.flush(0.05)
        gate.open()
        assert producer.flush(10)
        assert producer.counters.sent == 100
    assert Counter(ids(stream)) == Counter(numbers(100))


def test_asyncio_may_track(place: bool | Path) -> None:
    stream = Stream()

    async def track() -> None:
        options: Any = {"target": stream.target(), "spool": place, "linger": 0.01, "call_bytes": MIB, "max_memory": MIB}
        async with clicklake.AsyncProducer("clicks", **options) as producer:
            tracked = await asyncio.gather(*(producer.track(event(number, 2000)) for number in range(1000)))
            assert await producer.flush(10)
            assert sorted(tracked) == numbers(1000)
            assert producer.counters.sent == 1000

    asyncio.run(track())
    assert Counter(ids(stream)) == Counter(numbers(1000))


def test_asyncio_goes_on_while_a_producer_is_full() -> None:
    gate = Gate()

    async def track() -> int:
        options: Any = {
            "target": Stream(gate).target(),
            "spool": False,
            "linger": 0.0,
            "call_bytes": MIB,
            "max_memory": MIB,
        }
        async with clicklake.AsyncProducer("clicks", **options, max_block=5.0) as producer:
            waiting = [asyncio.ensure_future(producer.track(event(number, 300_000))) for number in range(6)]
            ticks = 0
            while not all(task.done() for task in waiting):
                await asyncio.sleep(0.005)
                ticks += 1
                if ticks == 20:
                    gate.open()
            return ticks

    assert asyncio.run(track()) >= 20


def test_the_page_has_every_setting_and_counter() -> None:
    page = (Path(__file__).parent.parent / "docs" / "producer.md").read_text()
    told = set(re.findall(r"`(\w+)`", page))
    assert not [field.name for each in (Settings, Counters) for field in fields(each) if field.name not in told]
    table = dict(re.findall(r"^\| `(\w+)` \| ([\d.,]+) \|", page, re.MULTILINE))
    assert len(table) == 7
    defaults = {name: getattr(Settings(), name) for name in table}
    assert {name: float(text.replace(",", "")) for name, text in table.items()} == defaults


# --- the service refuses, or does not answer -----------------------------------------------------------------------


@pytest.mark.parametrize("answer", [throttle, no_answer, not_found, refuse_every_third], ids=lambda a: a.__name__)
def test_whatever_is_not_taken_is_sent_again_until_it_is(place: bool | Path, answer: Answer) -> None:
    stream, heard = Stream(*[answer] * 5), list[ClicklakeError]()
    with producing(stream, place, on_error=heard.append) as producer:
        for number in range(2000):
            producer.track(event(number, 400))
        assert producer.flush(20)
        assert producer.counters.retried > 0
    assert Counter(ids(stream)) == Counter(numbers(2000))
    assert len(heard) == 5
    assert {type(error) for error in heard} <= {RefusedError, UnreachableError}


@pytest.mark.parametrize("answer", [of_nothing, of_fewer, without_ids], ids=lambda a: a.__name__)
def test_an_answer_that_does_not_speak_of_each_record_acknowledges_none(place: bool | Path, answer: Answer) -> None:
    stream, heard = Stream(answer), list[ClicklakeError]()
    with producing(stream, place, on_error=heard.append) as producer:
        for number in range(100):
            producer.track(event(number, 4000))
        assert producer.flush(20)
        assert producer.counters.retried == 100
    assert {*ids(stream)} == {*numbers(100)}
    assert [type(error) for error in heard] == [UnreachableError]


def test_only_the_records_that_were_refused_are_sent_again() -> None:
    stream = Stream(refuse_every_third)
    with producing(stream, linger=60) as producer:
        for number in range(1000):
            producer.track(event(number, 800))
        assert producer.flush(10)
    first, second = stream.calls[:2]
    assert len(second) == -(-len(first) // 3)
    assert [ids_in(record) for record in second] == [ids_in(record) for record in first[::3]]


def test_what_is_sent_again_says_when_it_was_sent() -> None:
    times = iter([1000.0, *[2000.0] * 9])
    stream = Stream(throttle)
    with producing(stream, clock=times.__next__) as producer:
        producer.track({"event_type": "click", "event_id": "a", "event_time": 1})
        assert producer.flush(10)
    assert [json.loads(call[0])["sent_time"] for call in stream.calls] == [1_000_000, 2_000_000]


def test_a_callback_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail(_: object) -> None:
        raise RuntimeError("on purpose")

    stream = Stream(throttle)
    with producing(stream, on_delivery=fail, on_error=fail) as producer:
        producer.track(event(0))
        assert producer.flush(10)
    assert ids(stream) == numbers(1)
    assert caplog.text.count("RuntimeError: on purpose") == 2


def test_without_a_callback_the_log_says_once_what_fails(caplog: pytest.LogCaptureFixture) -> None:
    with producing(Stream(not_found, not_found, not_found), on_error=None) as producer:
        producer.track(event(0))
        assert producer.flush(10)
    assert [record.message.partition(": F")[0] for record in caplog.records] == [
        "PutRecordBatch: ResourceNotFoundException"
    ]


# --- no room -------------------------------------------------------------------------------------------------------


def test_memory_is_bounded_and_what_finds_no_room_in_time_is_the_callers_still() -> None:
    gate = Gate()
    stream = Stream(gate)
    producer = producing(stream, max_memory=MIB, max_block=0.05)
    accepted, full = fill(producer)
    assert str(full).startswith("no room for the event within 0.05 s")
    assert "max_memory" in str(full)
    assert 15 <= len(accepted) <= 21
    assert producer.counters.refused == 1
    gate.open()
    assert producer.flush(10)
    producer.close()
    assert ids(stream) == accepted


def test_a_caller_waits_for_room_and_gets_it() -> None:
    gate = Gate()
    stream = Stream(gate)
    with producing(stream, max_memory=MIB, max_block=10) as producer:
        threading.Timer(0.1, gate.open).start()
        for number in range(60):
            producer.track(event(number, 50_000))
    assert ids(stream) == numbers(60)


def test_max_block_0_never_waits() -> None:
    gate = Gate()
    with producing(Stream(gate), max_memory=MIB, max_block=0) as producer:
        began = time.monotonic()
        fill(producer)
        assert time.monotonic() - began < 1
        gate.open()


def test_what_memory_has_no_room_for_waits_on_the_disk_and_comes_in_order(tmp_path: Path) -> None:
    gate = Gate(no_answer)
    stream = Stream(*[gate] * 9999)
    with producing(stream, tmp_path, max_memory=MIB) as producer:
        for number in range(400):
            producer.track(event(number, 50_000))
        assert producer.counters.spooled > 300
        assert len(segments(tmp_path)) == 3
        gate.open()
        for number in range(400, 500):
            producer.track(event(number, 100))
        assert producer.flush(20)
        assert producer.counters.waiting == 0
    assert ids(stream) == numbers(500)
    assert segments(tmp_path) == []


def test_a_full_spool_refuses_and_loses_nothing_of_what_it_took(tmp_path: Path) -> None:
    gate = Gate()
    stream = Stream(gate)
    with producing(stream, tmp_path, max_memory=MIB, max_spool=8 * MIB, max_block=0) as producer:
        accepted, full = fill(producer)
        assert "max_spool" in str(full)
        assert sum(path.stat().st_size for path in segments(tmp_path)) <= 8 * MIB
        gate.open()
        assert producer.flush(20)
        assert producer.track(event(999)) == "000999"
    assert ids(stream) == [*accepted, "000999"]


# --- the end, and what comes after -----------------------------------------------------------------------------------


def test_what_close_could_not_send_the_next_producer_sends(tmp_path: Path) -> None:
    producer = producing(Stream(*[no_answer] * 99_999), tmp_path)
    for number in range(1000):
        producer.track(event(number, 100))
    producer.close(0.1)
    assert producer.counters.spooled == 1000
    with pytest.raises(ClosedError):
        producer.track(event(1))
    stream = Stream()
    with producing(stream, tmp_path) as later:
        later.track(event(1000))
        assert eventually(lambda: later.counters.recovered == 1000, 10)
    assert Counter(ids(stream)) == Counter(numbers(1001))
    assert list(tmp_path.rglob("*.*")) == [tmp_path / "127.0.0.1%3A9"]


def test_a_callback_may_ask_the_producer_and_close_it() -> None:
    counted: list[int] = []

    def on_error(_: ClicklakeError) -> None:
        counted.append(producer.counters.accepted)
        producer.track(event(7))
        with pytest.raises(UndeliveredError):
            producer.close(0)

    producer = producing(Stream(*[no_answer] * 99_999), on_error=on_error)
    producer.track(event(0))
    assert eventually(lambda: counted, 10)
    with pytest.raises(ClosedError):
        producer.track(event(1))


def test_an_offer_is_taken_or_not_and_never_waits() -> None:
    gate = Gate()
    stream = Stream(gate)
    with producing(stream, max_memory=MIB, max_block=60) as producer:
        offered = [producer.offer(event(number, 50_000)) for number in range(50)]
        accepted = [event_id for event_id in offered if event_id is not None]
        assert 15 <= len(accepted) <= 21
        assert (producer.counters.accepted, producer.counters.refused) == (len(accepted), 0)
        gate.open()
    assert ids(stream) == accepted


def test_what_was_acknowledged_before_the_end_is_not_sent_again(tmp_path: Path) -> None:
    first = Stream(take_all, *[no_answer] * 99_999)
    producer = producing(first, tmp_path)
    producer.track(event(0))
    assert producer.flush(10)
    producer.track(event(1))
    producer.close(0.1)
    stream = Stream()
    with producing(stream, tmp_path) as later:
        assert eventually(lambda: later.counters.recovered, 10)
    assert (ids(first), ids(stream)) == (["000000"], ["000001"])


def test_what_overtook_what_was_not_acknowledged_is_sent_again_after_the_end(tmp_path: Path) -> None:
    """A log's mark is one number: nothing is left out, and ids tell what is there twice."""
    gate = Gate()
    oldest_waits: Answer = lambda records: (gate if b'"000000"' in records[0] else take_all)(records)  # noqa: E731
    first = Stream(oldest_waits, oldest_waits)
    producer = producing(first, tmp_path, connections=2, linger=60)
    producer.track_many(event(number, 50_000) for number in range(30))
    producer.flush(0.01)
    assert eventually(lambda: first.taken, 10)
    producer.close(0.1)
    gate.open()
    stream = Stream()
    with producing(stream, tmp_path) as later:
        assert eventually(lambda: later.counters.recovered == 30, 10)
    assert ids(stream) == numbers(30)


def test_without_a_spool_close_says_how_many_events_are_lost() -> None:
    producer = producing(Stream(*[no_answer] * 99_999))
    producer.track(event(0))
    producer.track(event(1))
    with pytest.raises(UndeliveredError, match="2 events were not sent and are lost") as told:
        producer.close(0.1)
    assert told.value.events == 2


def test_a_living_producer_keeps_its_log_to_itself(tmp_path: Path) -> None:
    gate = Gate()
    slow, fast = Stream(gate), Stream()
    with producing(slow, tmp_path) as one:
        one.track(event(0))
        with producing(fast, tmp_path) as other:
            other.track(event(1))
            assert other.flush(10)
        gate.open()
    assert (ids(slow), ids(fast)) == (["000000"], ["000001"])


def test_what_was_for_another_stream_or_endpoint_stays_there(tmp_path: Path) -> None:
    left = producing(Stream(*[no_answer] * 99_999), tmp_path)
    left.track(event(0))
    left.close(0.05)
    stream = Stream()
    with clicklake.Producer("others", target=stream.target(), spool=tmp_path, linger=0.01) as producer:
        producer.track(event(1))
    assert ids(stream) == ["000001"]
    assert len(segments(tmp_path)) == 1


def test_a_spool_that_cannot_be_used_is_named_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="spool=False"):
        producing(Stream(), tmp_path / "file")


@pytest.mark.parametrize(
    "wrong",
    [{"linger": -1}, {"max_memory": 1}, {"record_bytes": 5000}, {"max_spool": 1}, {"max_bytes_per_second": 0}],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        producing(Stream(), **wrong)
