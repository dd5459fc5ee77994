"""`clicklake send`: a file becomes records, the records reach the stream once each, and the wait ends when they are there."""

import base64
import gzip
import io
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import botocore.awsrequest
import botocore.exceptions
import pytest

from clicklake import pipeline, send
from clicklake.arrival import look, wait_until_queryable
from clicklake.errors import NoError, RefusedError, UnreachableError, UsageError
from clicklake.records import read
from clicklake.send import batches
from clicklake.target import Target, of_keys
from endpoint_process import EndpointProcess

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


# --- records -> batches ------------------------------------------------------------------------------------------


def test_a_batch_has_at_most_500_records() -> None:
    assert [len(batch) for batch in batches([b"x"] * 1201)] == [500, 500, 201]


def test_a_batch_has_at_most_4_mib() -> None:
    record = b"x" * send.BYTES_PER_RECORD
    assert [len(batch) for batch in batches([record] * 9)] == [4, 4, 1]


def test_batches_keep_the_order() -> None:
    numbers = [str(n).encode() for n in range(1234)]
    assert [record for batch in batches(numbers) for record in batch] == numbers


def test_a_record_that_is_too_long_is_named() -> None:
    with pytest.raises(UsageError, match="record 2 has 1,024,001 bytes"):
        list(batches([b"x", b"x" * (send.BYTES_PER_RECORD + 1)]))


# --- batches -> a stream that refuses, or does not answer --------------------------------------------------------

Answer = Callable[[list[bytes]], tuple[int, dict[str, Any]]]


class Stream:
    """A Firehose on the wire: answers each call with the next of `answers`, then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.taken: list[bytes] = []
        self.pauses: list[float] = []
        self._answers = iter(answers)

    def target(self) -> Target:
        target = of_keys("http://127.0.0.1:9", "key", "secret", "us-east-1")
        target.session.events.register("before-send.firehose.PutRecordBatch", self._answer)
        return target

    def send(self, records: list[bytes]) -> send.SendReport:
        return send.send(self.target(), "clicks", records, jitter=lambda: 1.0, sleep=self.pauses.append)

    def _answer(self, request: Any, **_: Any) -> botocore.awsrequest.AWSResponse:
        records = [base64.b64decode(entry["Data"]) for entry in json.loads(request.body)["Records"]]
        status, body = next(self._answers, take_all)(records)
        if status == 200:
            self.taken += [r for r, e in zip(records, body["RequestResponses"], strict=True) if "ErrorCode" not in e]
        raw = json.dumps(body).encode()
        return botocore.awsrequest.AWSResponse(request.url, status, {}, _Raw(raw))


class _Raw(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


def take_all(records: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 200, {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "r"} for _ in records]}


def refuse_every_third(records: list[bytes]) -> tuple[int, dict[str, Any]]:
    refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
    entries = [refusal if number % 3 == 0 else {"RecordId": "r"} for number, _ in enumerate(records)]
    return 200, {"FailedPutCount": len(records), "RequestResponses": entries}


def throttle(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}


def not_found(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": "ResourceNotFoundException", "message": "Firehose clicks not found"}


def no_answer(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    raise botocore.exceptions.ConnectionClosedError(endpoint_url="http://127.0.0.1:9")


RECORDS = [b"%d\n" % number for number in range(9)]


def test_only_what_was_refused_is_sent_again() -> None:
    stream = Stream(refuse_every_third, refuse_every_third)
    report = stream.send(RECORDS)
    assert sorted(stream.taken) == RECORDS
    assert (report.records, report.refused, report.calls) == (9, 4, 3)
    assert report.bytes == sum(map(len, RECORDS))


def test_what_was_refused_goes_before_the_next_batch() -> None:
    stream = Stream(refuse_every_third)
    records = [b"%d\n" % number for number in range(1000)]
    stream.send(records)
    assert set(stream.taken[:500]) == set(records[:500])
    assert stream.taken[500:] == records[500:]


def test_a_throttled_batch_is_sent_again_after_a_growing_pause() -> None:
    stream = Stream(throttle, throttle, throttle)
    assert stream.send(RECORDS).records == 9
    assert stream.taken == RECORDS
    assert stream.pauses == [0.2, 0.4, 0.8]


def test_a_batch_without_an_answer_is_sent_again_and_counted_once() -> None:
    stream = Stream(no_answer, no_answer)
    report = stream.send(RECORDS)
    assert stream.taken == RECORDS
    assert (report.records, report.unanswered, report.refused) == (9, 9, 0)


def test_a_refusal_for_good_is_not_repeated() -> None:
    stream = Stream(not_found)
    with pytest.raises(RefusedError, match="ResourceNotFoundException"):
        stream.send(RECORDS)
    assert stream.pauses == []


@pytest.mark.parametrize(("answer", "error"), [(throttle, RefusedError), (no_answer, UnreachableError)])
def test_it_gives_up_when_nothing_is_taken(answer: Answer, error: type[Exception]) -> None:
    stream = Stream(*[answer] * 99)
    with pytest.raises(error):
        stream.send(RECORDS)
    assert 5 < sum(stream.pauses) < 60


def test_progress_is_told_after_each_call() -> None:
    told: list[int] = []
    stream = Stream(refuse_every_third)
    send.send(stream.target(), "clicks", RECORDS, lambda report: told.append(report.records), sleep=lambda _: None)
    assert told == [6, 9]


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


def test_a_missing_file_is_wrong_usage(stack: EndpointProcess) -> None:
    done = clicklake(stack, "send", "no-such-file.json")
    assert done.returncode == 2
    assert b"no-such-file.json can't be read" in done.stderr


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
