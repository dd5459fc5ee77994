"""Lines on their way to where they are durable: who is told what when the stream or the disk takes none."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

import kept_disk
from clicklake.collector.delivery import Grouped, to_spool
from clicklake.collector.direct import Direct
from clicklake.collector.request import BusyError, RequestError, SlowError, UnavailableError
from clicklake.collector.room import Room
from clicklake.collector.settings import Settings
from clicklake.collector.wire import whole_body
from clicklake.producer import ClosedError, FullError, SpoolError
from clicklake.producer.segments import HEADER_BYTES, MAGIC, frames
from clicklake.producer.stream import Stream as Puts
from endpoint_process import eventually
from firehose_wire import Answer, Stream, refuse_every_third
from producing import producing, segments
from traced_calls import can_trace, command, read


def line(number: int, size: int = 0) -> bytes:
    return json.dumps({"event_type": "click", "event_id": f"{number:06}", "x": "x" * size}).encode() + b"\n"


def fail(status: int, code: str) -> Answer:
    return lambda _: (status, {"__type": code, "message": "on purpose"})


# --- Direct ----------------------------------------------------------------------------------------------------------


class Time:
    """It passes only while somebody sleeps, and a little with each look."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def direct(stream: Stream, said: list[str] | None = None) -> tuple[Direct, Time]:
    passing = Time()
    told = (lambda _: None) if said is None else said.append
    puts = Puts(stream.target(), "clicks")
    return Direct(puts, 2, told, clock=passing, sleep=passing.sleep, jitter=lambda: 1.0), passing


def test_lines_are_taken_in_their_order_and_what_was_refused_is_put_again_alone() -> None:
    stream = Stream(refuse_every_third)
    lines = [line(number, 60_000) for number in range(40)]
    direct(stream)[0].take(lines, 10)
    assert sorted(b"".join(stream.taken).splitlines(keepends=True)) == lines
    first, again, *_ = stream.calls
    assert again == [record for place, record in enumerate(first) if place % 3 == 0]


@pytest.mark.parametrize(
    ("answers", "error", "calls"),
    [
        ([fail(400, "ThrottlingException")] * 100, BusyError, range(3, 10)),
        ([fail(503, "ServiceUnavailableException")] * 100, BusyError, range(3, 10)),
        ([fail(500, "InternalFailure")] * 100, UnavailableError, range(3, 10)),
        ([fail(400, "ResourceNotFoundException")] * 100, UnavailableError, range(1, 2)),
        ([fail(400, "AccessDeniedException")] * 100, UnavailableError, range(1, 2)),
    ],
)
def test_what_is_not_taken_in_time_is_refused_and_the_log_hears_why_without_an_event(
    answers: list[Answer], error: type[RequestError], calls: range
) -> None:
    said: list[str] = []
    stream = Stream(*answers)
    one, passing = direct(stream, said)
    with pytest.raises(error) as refused:
        one.take([line(1)], 5)
    assert type(refused.value) is error
    assert dict(refused.value.headers)["retry-after"] == "2"
    assert len(stream.calls) in calls
    assert passing.now <= 5
    assert len(said) == 1
    assert "000001" not in said[0]


def test_where_there_is_no_time_nothing_is_sent() -> None:
    stream = Stream()
    with pytest.raises(BusyError):
        direct(stream)[0].take([line(1)], 0)
    assert stream.calls == []


# --- groups ----------------------------------------------------------------------------------------------------------


class Disk:
    """Writes that last as long as a test says, and fail when it says so."""

    def __init__(self) -> None:
        self.groups: list[list[bytes]] = []
        self.error: Exception | None = None
        self.free = threading.Event()
        self.free.set()

    def __call__(self, lines: list[bytes]) -> None:
        self.free.wait(10)
        if self.error is not None:
            raise self.error
        self.groups.append(lines)


def grouped(disk: Disk, most: int = 10_000_000, check: Callable[[], str] = lambda: "") -> Grouped:
    return Grouped([disk], Room(most, 7), 7, check)


async def begun(*takes: Coroutine[Any, Any, None]) -> list[asyncio.Task[None]]:
    tasks = [asyncio.create_task(take) for take in takes]
    await asyncio.sleep(0.01)
    return tasks


def test_requests_that_come_while_a_write_is_under_way_share_the_next_one_in_their_order() -> None:
    async def run() -> None:
        disk = Disk()
        disk.free.clear()
        delivery = grouped(disk)
        (first,) = await begun(delivery.take(line(0)))
        others = await begun(*(delivery.take(line(number) + line(number + 100)) for number in range(1, 50)))
        assert not first.done()
        disk.free.set()
        await asyncio.gather(first, *others)
        assert [len(group) for group in disk.groups] == [1, 49]
        assert disk.groups[1] == [line(number) + line(number + 100) for number in range(1, 50)]
        assert delivery.room.used == 0

    asyncio.run(run())


def test_a_group_ends_where_it_becomes_large() -> None:
    async def run() -> None:
        disk = Disk()
        disk.free.clear()
        delivery = grouped(disk, 100_000_000)
        tasks = await begun(*(delivery.take(line(number, 900_000)) for number in range(12)))
        disk.free.set()
        await asyncio.gather(*tasks)
        assert max(sum(map(len, group)) for group in disk.groups) < 6_000_000
        assert [one for group in disk.groups for one in group] == [line(number, 900_000) for number in range(12)]

    asyncio.run(run())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (SpoolError("the spool can't be written (no space)", "make room"), UnavailableError),
        (FullError("no room for the event", "later"), BusyError),
        (ClosedError("the producer is closed", "make another"), UnavailableError),
        (ZeroDivisionError("person@shop.example"), UnavailableError),
        (UnavailableError("the stream can't be reached"), UnavailableError),
    ],
)
def test_an_error_is_of_all_that_waited_for_that_write_and_of_no_other(
    error: Exception, expected: type[RequestError], caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        disk = Disk()
        disk.error = error
        delivery = grouped(disk)
        for one in await asyncio.gather(*(delivery.take(line(n)) for n in range(3)), return_exceptions=True):
            assert type(one) is expected
            assert one.headers[0][0] == "retry-after"
        assert delivery.trouble()
        disk.error = None
        await delivery.take(line(3))
        assert (delivery.trouble(), delivery.room.used, disk.groups) == ("", 0, [[line(3)]])

    asyncio.run(run())
    assert "person" not in caplog.text
    assert "000001" not in caplog.text


def test_who_gives_up_waiting_harms_nobody_and_its_bytes_count_until_they_are_written() -> None:
    async def run() -> None:
        disk = Disk()
        disk.free.clear()
        delivery = grouped(disk)
        first, impatient, patient = await begun(*(delivery.take(line(number)) for number in range(3)))
        used = delivery.room.used
        impatient.cancel()
        await asyncio.sleep(0.01)
        assert delivery.room.used == used
        disk.free.set()
        await asyncio.gather(first, patient)
        assert impatient.cancelled()
        assert [one for group in disk.groups for one in group] == [line(0), line(1), line(2)]
        assert delivery.room.used == 0

    asyncio.run(run())


def test_what_waits_is_bounded() -> None:
    async def run() -> None:
        disk = Disk()
        disk.free.clear()
        delivery = grouped(disk, most=10_000)
        tasks = await begun(*(delivery.take(line(number, 1000)) for number in range(20)))
        refused = [task.exception() for task in tasks if task.done()]
        assert [type(one) for one in refused] == [BusyError] * 11
        assert delivery.room.used <= 10_000
        disk.free.set()
        await asyncio.wait(tasks)
        await delivery.take(line(20, 1000))
        assert sum(map(len, disk.groups)) == 10

    asyncio.run(run())


def test_what_was_begun_before_the_end_is_written_and_nothing_is_taken_after_it() -> None:
    async def run() -> None:
        disk = Disk()
        disk.free.clear()
        delivery = grouped(disk)
        tasks = await begun(delivery.take(line(0)))
        tasks += await begun(delivery.take(line(1)))
        (ending,) = await begun(delivery.close())
        with pytest.raises(UnavailableError):
            await delivery.take(line(2))
        disk.free.set()
        await asyncio.gather(ending, *tasks)
        assert disk.groups == [[line(0)], [line(1)]]

    asyncio.run(run())


# --- the spool -------------------------------------------------------------------------------------------------------


def test_a_spool_without_room_takes_nothing_and_health_says_so(tmp_path: Path) -> None:
    producer = producing(Stream(*[fail(500, "InternalFailure")] * 10_000), tmp_path, fsync=0, max_spool=8 * 2**20)

    async def run() -> None:
        delivery = to_spool(producer, Settings())
        assert delivery.trouble() == ""
        for number in range(16):
            await delivery.take(line(number, 500_000))
        with pytest.raises(BusyError, match="spool is full"):
            await delivery.take(line(16, 500_000))
        assert "full" in delivery.trouble()
        await delivery.close()

    asyncio.run(run())
    assert producer.counters.accepted == producer.counters.waiting == 16
    producer.close(timeout=0)


def test_a_full_disk_takes_nothing_until_there_is_room_again(tmp_path: Path) -> None:
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "clicklake-test", str(tmp_path)]
    if sys.platform != "linux" or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this user may mount nothing")
    filler = tmp_path / "filler"
    producer = producing(Stream(*[fail(500, "InternalFailure")] * 10_000), tmp_path, fsync=0)

    async def run() -> None:
        delivery = to_spool(producer, Settings())
        await delivery.take(line(0))
        filler.write_bytes(bytes(4 * 2**20 - 40_960))
        assert "disk is full" in delivery.trouble()
        with pytest.raises(UnavailableError):
            await delivery.take(line(1, 100_000))
        filler.unlink()
        await delivery.take(line(2, 100_000))
        assert delivery.trouble() == ""
        await delivery.close()

    try:
        asyncio.run(run())
        producer.close(timeout=0)
        data = b"".join(path.read_bytes() for path in segments(tmp_path))
        assert [f"{number:06}".encode() in data for number in range(3)] == [True, False, True]
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=False, capture_output=True)


def test_events_that_came_together_are_sent_as_one_by_one_and_counted_as_events(tmp_path: Path) -> None:
    stream = Stream(refuse_every_third)
    requests = [b"".join(line(10 * number + place, 3000) for place in range(10)) for number in range(40)]

    async def run(delivery: Grouped) -> None:
        await asyncio.gather(*map(delivery.take, requests))
        await delivery.close()

    for folder, answers in ((tmp_path / "a", [fail(500, "InternalFailure")] * 10_000), (tmp_path / "b", [])):
        with producing(Stream(*answers), folder, fsync=0, exit_timeout=0.3) as producer:
            asyncio.run(run(to_spool(producer, Settings())))
    with producing(stream, tmp_path / "a", linger=0) as adopter:
        assert eventually(lambda: adopter.counters.recovered == 400)
    assert b"".join(sorted(b"".join(stream.taken).splitlines(keepends=True))) == b"".join(requests)
    assert (producer.counters.accepted, producer.counters.sent) == (400, 400)


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_a_body_that_takes_too_long_is_given_up_and_its_room_is_free_again() -> None:
    """However steadily it comes."""
    room = Room(1000, 2)

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    with pytest.raises(SlowError):
        asyncio.run(whole_body(receive, 1000, room, 0.1))
    assert room.used == 0


PROGRAM = """
import asyncio, sys, time
from pathlib import Path
import clicklake
from clicklake.collector.delivery import to_spool
from clicklake.collector.request import RequestError
from clicklake.collector.settings import Settings
from clicklake.collector.wire import whole_body
from firehose_wire import Stream, no_answer

async def run():
    producer = clicklake.Producer("clicks", target=Stream(*[no_answer] * 10_000).target(), spool=Path(sys.argv[1]),
                                  fsync=0, linger=60, on_error=lambda _: None)
    delivery = to_spool(producer, Settings())
    for number in range(6):
        line = b'{"event_type": "click", "event_id": "%d", "x": "%b"}\\n' % (number, b"x" * 9000)
        try:
            await delivery.take(line)
            print("taken", number, flush=True)
        except RequestError as e:
            print("refused", e.status, flush=True)

asyncio.run(run())
import os; os._exit(0)
"""


@pytest.mark.skipif(not can_trace(), reason="needs strace, and to be allowed to trace")
def test_after_a_sync_that_failed_what_is_answered_with_success_survives_a_power_cut(tmp_path: Path) -> None:
    """The pages of that sync may be lost; what comes later must not lie behind them."""
    spool = tmp_path / "spool"
    trace = tmp_path / "trace"
    words = [*command(trace, failing="9+100"), sys.executable, "-c", PROGRAM, str(spool)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)
    told = said.stdout.split("\n")
    assert told.count("refused 503") == 1, said
    disk = kept_disk.Disk(spool)
    for call in read(trace.read_text().splitlines()):
        disk.follow(call)
    kept = b"".join(
        line for data in disk.kept().values() if data.startswith(MAGIC) for line, _ in frames(data[HEADER_BYTES:])
    )
    taken = [json.loads(text)["event_id"] for text in kept.splitlines()]
    assert {f"taken {number}" for number in taken} >= {text for text in told if text.startswith("taken")}
