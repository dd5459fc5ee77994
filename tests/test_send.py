"""`clicklake send`: a file becomes records, the records reach the stream once each, and the wait ends when they are there."""

import gzip
import io
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from clicklake import pipeline, send
from clicklake.arrival import look, wait_until_queryable
from clicklake.errors import NoError, RefusedError, UnreachableError, UsageError
from clicklake.producer.packing import Sizes
from clicklake.records import read
from clicklake.resume import Bookmark
from clicklake.target import of_keys
from endpoint_process import EndpointProcess
from firehose_wire import Answer, Stream, no_answer, not_found, refuse_every_third, take_all, throttle

ONE, TWO = b'{"event_type":"one"}', b'{"event_type":"two"}'


def records_of(data: bytes) -> list[bytes]:
    return list(read(io.BytesIO(data), "events.json"))


# --- a file -> records -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(ONE + b"\n" + TWO + b"\n", id="one event per line"),
        pytest.param(ONE + b"\n" + TWO, id="no line break at the end"),
        pytest.param(b"\r\n" + ONE + b"\r\n\r\n  " + TWO + b"\r\n", id="CRLF and blank lines"),
        pytest.param(b"[" + ONE + b", " + TWO + b"]", id="an array"),
        pytest.param(b"[\n  " + ONE + b",\n  " + TWO + b"\n]\n", id="an array on several lines"),
        pytest.param(ONE + TWO, id="one after the other"),
        pytest.param(gzip.compress(ONE + b"\n") + gzip.compress(TWO), id="gzip of two members"),
    ],
)
def test_every_form_of_a_file_gives_one_record_per_event(data: bytes) -> None:
    assert records_of(data) == [ONE + b"\n", TWO + b"\n"]


def test_a_pretty_printed_event_becomes_one_line() -> None:
    event = {"event_type": "one", "properties": {"words": "a\nb"}}
    (record,) = records_of(json.dumps(event, indent=2).encode())
    assert record.count(b"\n") == 1
    assert json.loads(record) == event


def test_what_is_no_event_is_sent_as_it_is() -> None:
    assert records_of(ONE + b"\nnot json\n\xff\xfe\n") == [ONE + b"\n", b"not json\n", b"\xff\xfe\n"]
    assert records_of(b'{"broken\n' + ONE) == [b'{"broken\n', ONE + b"\n"]


def test_numbers_keep_their_digits() -> None:
    assert records_of(b'[{"event_type":"a","value":1.10},\n{"event_type":"b","value":1e400}]') == [
        b'{"event_type":"a","value":1.10}\n',
        b'{"event_type":"b","value":1e400}\n',
    ]


def test_an_empty_file_has_no_records() -> None:
    assert records_of(b"") == records_of(b"\n \n") == records_of(gzip.compress(b"")) == []


@pytest.mark.parametrize("data", [gzip.compress(ONE * 99)[:-9], b"[" + ONE + b","], ids=["gzip", "array"])
def test_a_damaged_file_is_named(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"events\.json"):
        records_of(data)


def test_lines_are_read_as_they_come() -> None:
    """A pipe may never end."""

    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            buffer[: len(ONE) + 1] = ONE + b"\n"
            return len(ONE) + 1

    endless = read(io.BufferedReader(Endless()), "-")
    assert [next(endless) for _ in range(3)] == [ONE + b"\n"] * 3


# --- records -> a stream that refuses, or does not answer --------------------------------------------------------

SMALL = Sizes(record=5120, call=10 * 5120)


class Sending(Stream):
    """Sends to itself."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__(*answers)
        self.pauses: list[float] = []

    def send(self, records: list[bytes]) -> send.SendReport:
        sleep = self.pauses.append
        return send.send(self.target(), "clicks", records, sizes=SMALL, connections=1, jitter=lambda: 1.0, sleep=sleep)


RECORDS = [b"%d %b\n" % (number, b"x" * 4000) for number in range(9)]  # a Firehose record each, one call


def test_many_records_are_one_firehose_record() -> None:
    stream = Sending()
    records = [b'{"event_type":"%d"}\n' % number for number in range(1201)]
    report = send.send(stream.target(), "clicks", records)
    assert b"".join(stream.taken) == b"".join(records)
    assert (report.records, report.calls, report.firehose_records) == (1201, 1, 3)
    assert report.bytes == len(b"".join(records))
    assert report.billed_bytes == sum(-(-len(record) // 5120) * 5120 for record in stream.taken)


def test_a_record_that_is_too_long_is_named() -> None:
    with pytest.raises(UsageError, match="record 2 has 1,024,001 bytes"):
        Sending().send([b"x\n", b"x" * 1_024_001])


def test_only_what_was_refused_is_sent_again() -> None:
    stream = Sending(refuse_every_third, refuse_every_third)
    report = stream.send(RECORDS)
    assert sorted(stream.taken) == RECORDS
    assert (report.records, report.refused, report.calls) == (9, 4, 3)
    assert report.bytes == sum(map(len, RECORDS))


def test_what_was_refused_goes_before_the_next_call() -> None:
    stream = Sending(refuse_every_third)
    records = [b"%d %b\n" % (number, b"x" * 4000) for number in range(24)]
    stream.send(records)
    assert set(stream.taken[:12]) == set(records[:12])
    assert stream.taken[12:] == records[12:]


def test_several_calls_may_be_under_way_and_what_was_taken_is_told_in_order() -> None:
    """The first is the last to be answered."""
    answered, told = threading.Event(), list[int]()

    def late(records: list[bytes]) -> tuple[int, dict[str, Any]]:
        assert answered.wait(10)
        return take_all(records)

    def second(records: list[bytes]) -> tuple[int, dict[str, Any]]:
        answered.set()
        return take_all(records)

    stream = Stream(late, second)

    def noted(count: int, data: list[bytes]) -> None:
        told.extend(int(line.split()[0]) for record in data for line in record.splitlines())

    records = [b"%d %b\n" % (number, b"x" * 4000) for number in range(40)]
    assert send.send(stream.target(), "clicks", records, on_taken=noted, sizes=SMALL).records == 40
    assert told == list(range(40))


def test_what_was_taken_is_told_by_the_call() -> None:
    told: list[tuple[int, bytes]] = []
    records = [b"%d %b\n" % (number, b"x" * 4000) for number in range(20)]
    target = Sending(refuse_every_third).target()
    noted = lambda count, data: told.append((count, b"".join(data)))  # noqa: E731
    send.send(target, "clicks", records, on_taken=noted, sizes=SMALL, connections=1, sleep=lambda _: None)
    assert [count for count, _ in told] == [12, 8]
    assert b"".join(data for _, data in told) == b"".join(records)


def test_a_throttled_batch_is_sent_again_after_a_growing_pause() -> None:
    stream = Sending(throttle, throttle, throttle)
    assert stream.send(RECORDS).records == 9
    assert stream.taken == RECORDS
    assert stream.pauses == [0.2, 0.4, 0.8]


def test_a_batch_without_an_answer_is_sent_again_and_counted_once() -> None:
    stream = Sending(no_answer, no_answer)
    report = stream.send(RECORDS)
    assert stream.taken == RECORDS
    assert (report.records, report.unanswered, report.refused) == (9, 9, 0)


def test_a_refusal_for_good_is_not_repeated() -> None:
    stream = Sending(not_found)
    with pytest.raises(RefusedError, match="ResourceNotFoundException"):
        stream.send(RECORDS)
    assert stream.pauses == []


@pytest.mark.parametrize(("answer", "error"), [(throttle, RefusedError), (no_answer, UnreachableError)])
def test_it_gives_up_when_nothing_is_taken(answer: Answer, error: type[Exception]) -> None:
    stream = Sending(*[answer] * 99)
    with pytest.raises(error):
        stream.send(RECORDS)
    assert 5 < sum(stream.pauses) < 60


def test_progress_is_told_after_each_call() -> None:
    told: list[int] = []
    stream = Sending(refuse_every_third)
    tell = lambda report: told.append(report.records)  # noqa: E731
    send.send(stream.target(), "clicks", RECORDS, tell, sizes=SMALL, sleep=lambda _: None)
    assert told == [6, 9]


# --- an interrupted file -----------------------------------------------------------------------------------------

LINES = [b'{"event_type":"%d"}\n' % number for number in range(9)]


def bookmark(folder: Path, target: str = "laptop 127.0.0.1:1") -> Bookmark:
    return Bookmark(str(folder / "events.ndjson"), target, "clicks")


def test_a_file_is_gone_on_with_behind_what_was_taken(tmp_path: Path) -> None:
    bookmark(tmp_path).move(4, [b"".join(LINES[:3]), LINES[3]])
    later, lines = bookmark(tmp_path), iter([*LINES, b"and what the file has grown by"])
    later.go_on(lines, later.found() or pytest.fail("there is no bookmark"))
    assert list(lines) == [*LINES[4:], b"and what the file has grown by"]
    later.move(1, [LINES[4]])
    assert later.reached.records == 5
    third, lines = bookmark(tmp_path), iter(LINES)
    third.go_on(lines, later.reached)
    assert next(lines) == LINES[5]


@pytest.mark.parametrize("lines", [[b"another\n", *LINES[1:]], LINES[:2], []], ids=["changed", "shorter", "empty"])
def test_a_file_that_is_another_one_by_now_is_refused(tmp_path: Path, lines: list[bytes]) -> None:
    bookmark(tmp_path).move(4, LINES[:4])
    later = bookmark(tmp_path)
    with pytest.raises(UsageError, match="are not what was sent before"):
        later.go_on(iter(lines), later.found() or pytest.fail("there is no bookmark"))


def test_a_file_is_not_gone_on_with_at_another_place(tmp_path: Path) -> None:
    bookmark(tmp_path).move(4, LINES[:4])
    later = bookmark(tmp_path, "AWS 123456789012 us-east-1")
    with pytest.raises(UsageError, match=r"was being sent to clicks at laptop 127\.0\.0\.1:1"):
        later.go_on(iter(LINES), later.found() or pytest.fail("there is no bookmark"))


def test_a_bookmark_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    bookmark(tmp_path).path.write_text('{"version": 2}')
    with pytest.raises(UsageError, match="clicklake-sent can't be read"):
        bookmark(tmp_path).found()


# --- the command, against a stack --------------------------------------------------------------------------------


def clicklake(stack: EndpointProcess, *arguments: str, sent: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "clicklake", *arguments]
    return subprocess.run(command, input=sent, capture_output=True, env=stack.environment(), timeout=60)


def test_send_and_wait_returns_when_the_events_can_be_queried_and_says_how(stack: EndpointProcess) -> None:
    events = b"".join(b'{"event_type":"click","event_id":"%d"}\n' % number for number in range(1500))
    done = clicklake(stack, "send", "-", "--wait", sent=events + b"not json\n" + events[:38])
    said = done.stderr.decode()
    assert done.returncode == 0, said
    assert f"laptop 127.0.0.1:{stack.port}" in said
    assert "sent 1,502 records" in said
    assert "in 1,502 = good 1,500 + duplicate 1 + failed 1" in said
    assert done.stdout.startswith(b'try: clicklake query "SELECT ')


def test_a_second_send_waits_for_its_own_events(stack: EndpointProcess) -> None:
    for number in range(2):
        done = clicklake(
            stack, "send", "-", "--wait", "--json", sent=b'{"event_type":"again","event_id":"%d"}' % number
        )
        document = json.loads(done.stdout)
        assert (document["records"], document["unanswered"]) == (1, 0)
        assert document["arrived"] == {
            "objects": 1,
            "records_in": 1,
            "good": 1,
            "duplicate": 0,
            "failed": 0,
            "missing": 0,
        }


def test_an_unknown_stream_is_refused_in_awss_words(stack: EndpointProcess) -> None:
    done = clicklake(stack, "send", "-", "--stream", "nowhere", sent=ONE)
    assert done.returncode == 4
    assert b"ResourceNotFoundException" in done.stderr


def test_standard_input_cannot_be_resumed(stack: EndpointProcess) -> None:
    done = clicklake(stack, "send", "-", "--resume", sent=ONE)
    assert done.returncode == 2
    assert b"standard input can't be resumed" in done.stderr


def test_a_missing_file_is_wrong_usage(stack: EndpointProcess) -> None:
    done = clicklake(stack, "send", "no-such-file.json")
    assert done.returncode == 2
    assert b"no-such-file.json can't be read" in done.stderr


def test_an_interrupted_send_goes_on_where_it_stopped(stack: EndpointProcess, tmp_path: Path) -> None:
    events = [
        b'{"event_type":"resumed","event_id":"r%d","properties":{"x":"%b"}}\n' % (n, b"x" * 900) for n in range(3000)
    ]
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(b"".join(events), 1))
    earlier = Bookmark(str(file), f"laptop 127.0.0.1:{stack.port}", "clickstream-firehose-dev")
    keys = stack.keys()
    target = of_keys(stack.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], "us-east-1")
    sent = send.send(target, "clickstream-firehose-dev", events[:1000], on_taken=earlier.move)
    done = clicklake(stack, "send", str(file), "--resume", "--wait", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["skipped"], document["records"]) == (1000, 2000)
    assert sent.records == 1000
    assert not earlier.path.exists()
    total = clicklake(
        stack, "query", "SELECT count(*), count(DISTINCT event_id) FROM clickstream_events WHERE event_type = 'resumed'"
    )
    assert total.stdout.splitlines()[-1] == b"3000,3000"


def test_waiting_ends_when_nothing_comes_and_says_what_is_there(stack: EndpointProcess) -> None:
    keys = stack.keys()
    target = of_keys(stack.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], "us-east-1")
    pipe = pipeline.load()
    landmark = look(target, pipe, pipe.names().delivery_stream)
    seconds = iter(range(0, 10_000, 50))
    with pytest.raises(
        NoError, match="0 of 7 records are queryable and nothing moved for 150 s: no raw object came under raw/year="
    ):
        wait_until_queryable(target, pipe, landmark, 7, clock=lambda: next(seconds), sleep=lambda _: None)


# --- what is not waited for comes last, for the waits above would count it ---------------------------------------


def test_what_stopped_says_how_to_go_on_and_the_same_command_without_resume_says_it_begins_anew(
    stack: EndpointProcess, tmp_path: Path
) -> None:
    file = tmp_path / "events.ndjson"
    file.write_bytes(
        b"".join(b'{"event_type":"stopped","event_id":"s%d"}\n' % n for n in range(40_000)) + b"x" * 1_024_001
    )
    done = clicklake(stack, "send", str(file))
    assert done.returncode == 2, done.stderr
    said = done.stderr.decode()
    reached = json.loads(Path(f"{file}.clicklake-sent").read_text())["records"]
    assert reached > 0
    assert f"{reached:,} records had been accepted" in said
    assert f"to go on from there: clicklake send {file} --resume" in said
    file.write_bytes(ONE)
    again = clicklake(stack, "send", str(file))
    assert again.returncode == 0, again.stderr
    assert f"an earlier send of it stopped after {reached:,} records" in again.stderr.decode()
    assert not Path(f"{file}.clicklake-sent").exists()


def test_the_page_shows_what_is_printed(stack: EndpointProcess, tmp_path: Path) -> None:
    """docs/send.md, but for the numbers; and the fields of --json."""
    page = (Path(__file__).parent.parent / "docs" / "send.md").read_text()
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(b"".join(b'{"event_type":"shown","event_id":"%d"}\n' % n for n in range(2000))))
    waited = clicklake(stack, "send", str(file), "--wait")
    shown = shape(page.partition("--wait\n")[2].partition("```")[0]).splitlines()
    assert [line for line in shape(waited.stderr.decode()).splitlines() if not line.startswith("waiting")] == shown
    document = json.loads(clicklake(stack, "send", str(file), "--json").stdout)
    assert document.keys() == json.loads(page.partition("--json\n")[2].partition("\n")[0]).keys()
    assert set(re.findall(r"`(\w+)`", page.partition("| field |")[2])) >= document.keys() - {"stream"}


def test_the_producers_example_runs(stack: EndpointProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/producer.md's first; where to send is in the environment, and nothing is left in the default spool."""
    page = (Path(__file__).parent.parent / "docs" / "producer.md").read_text()
    for name, value in (stack.environment() | {"XDG_STATE_HOME": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    names: dict[str, Any] = {}
    exec(page.partition("```python\n")[2].partition("```")[0], names)
    assert names["producer"].counters.sent == 3
    assert names["event_id"][14] == "7"
    assert [path.suffix for path in (tmp_path / "clicklake" / "spool").rglob("*") if path.is_file()] == []


def shape(said: str) -> str:
    """Without its numbers and units."""
    return re.sub(r"[\d.,]*\d( [kMG]?B)?", "#", said)
