"""Records into a delivery stream: batch -> PutRecordBatch -> what was not taken, again.

Firehose takes 500 records, 4 MiB and 1,000 KiB a record at once
(docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html). It may refuse some records of a batch that
it otherwise accepts: those alone are sent again. A batch that got no answer may have been stored, so sending it again
may store it twice; its events keep their ids, and `clickstream_events_unique` shows each once.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from clicklake.errors import ClicklakeError, RefusedError, UnreachableError, UsageError
from clicklake.target import Target, translated

RECORDS_PER_BATCH = 500
BYTES_PER_BATCH = 4 * 1024 * 1024
BYTES_PER_RECORD = 1000 * 1024

_ATTEMPTS = 10
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_TRANSIENT = {
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}


@dataclass(frozen=True, slots=True)
class SendReport:
    """So far, or in the end. `refused` records were sent again because the stream had not taken them, `unanswered`
    because nobody answered: of these it may have two copies."""

    records: int = 0
    calls: int = 0
    bytes: int = 0
    refused: int = 0
    unanswered: int = 0


def _quietly(_: SendReport) -> None:
    pass


def send(
    target: Target,
    stream: str,
    records: Iterable[bytes],
    on_progress: Callable[[SendReport], None] = _quietly,
    *,
    jitter: Callable[[], float] = random.random,
    sleep: Callable[[float], None] = time.sleep,
) -> SendReport:
    """Send all `records` in their order; `on_progress` is told after each call. `jitter` gives numbers from 0 to 1.

    Raises UsageError for a record that is too long, RefusedError or UnreachableError at once if that is for good, else
    after many calls that took nothing. What the last report counts has been accepted.
    """
    client = target.client("firehose", retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=30)
    sender = _Sender(client, stream, on_progress, jitter, sleep)
    for batch in batches(records):
        sender.deliver(batch)
    return sender.report


def batches(records: Iterable[bytes]) -> Iterator[list[bytes]]:
    """The records in their order, as many in each list as one call may carry."""
    batch: list[bytes] = []
    size = 0
    for number, record in enumerate(records, 1):
        if len(record) > BYTES_PER_RECORD:
            problem = f"record {number:,} has {len(record):,} bytes; Firehose takes {BYTES_PER_RECORD:,}"
            raise UsageError(problem, "split it, or keep what is large elsewhere and send its address")
        if len(batch) == RECORDS_PER_BATCH or size + len(record) > BYTES_PER_BATCH:
            yield batch
            batch, size = [], 0
        batch.append(record)
        size += len(record)
    if batch:
        yield batch


@dataclass(frozen=True, slots=True)
class _Answer:
    """What one call left to be sent, and why; `lost` if nobody answered."""

    left: list[bytes]
    error: ClicklakeError | None = None
    lost: bool = False


class _Sender:
    """One stream's batches, one after the other."""

    def __init__(
        self,
        client: Any,
        stream: str,
        on_progress: Callable[[SendReport], None],
        jitter: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self.report = SendReport()
        self._client = client
        self._stream = stream
        self._on_progress = on_progress
        self._jitter = jitter
        self._sleep = sleep

    def deliver(self, batch: list[bytes]) -> None:
        """Call until every record is taken; give up after many calls in a row that took none."""
        failures = 0
        while batch:
            answer = self._call(batch)
            self._count(batch, answer, first=failures == 0)
            failures = failures + 1 if len(answer.left) == len(batch) else 0
            if answer.error and failures == _ATTEMPTS:
                raise answer.error
            batch = answer.left
            if batch:
                self._sleep(self._jitter() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2**failures))

    def _call(self, batch: list[bytes]) -> _Answer:
        entries = [{"Data": record} for record in batch]
        try:
            with translated():
                answer = self._client.put_record_batch(DeliveryStreamName=self._stream, Records=entries)
        except UnreachableError as e:
            return _Answer(batch, e, lost=True)
        except RefusedError as e:
            if e.code not in _TRANSIENT:
                raise
            return _Answer(batch, e)
        results = answer.get("RequestResponses")
        if results is None:  # the service died between head and body: botocore takes that for an empty answer
            return _Answer(batch, UnreachableError("the service did not answer", "it died while it did"), lost=True)
        refused = [(r, e) for r, e in zip(batch, results, strict=True) if e.get("ErrorCode")]
        if not refused:
            return _Answer([])
        code, message = refused[0][1]["ErrorCode"], refused[0][1].get("ErrorMessage", "")
        return _Answer([record for record, _ in refused], RefusedError(f"{code}: {message}", code=code))

    def _count(self, batch: list[bytes], answer: _Answer, *, first: bool) -> None:
        left, report = len(answer.left), self.report
        self.report = replace(
            report,
            records=report.records + len(batch) - left,
            calls=report.calls + 1,
            bytes=report.bytes + sum(map(len, batch)) - sum(map(len, answer.left)),
            refused=report.refused + (0 if answer.lost else left),
            unanswered=report.unanswered + (left if answer.lost and first else 0),
        )
        self._on_progress(self.report)
