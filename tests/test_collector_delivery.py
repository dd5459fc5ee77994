"""Lines on their way to where they are durable: who is told what when the stream or the disk takes none."""

import json

import pytest

from clicklake.collector.direct import Direct
from clicklake.collector.request import BusyError, RequestError, UnavailableError
from clicklake.producer.stream import Stream as Puts
from firehose_wire import Answer, Stream, refuse_every_third


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
