"""Records into a delivery stream: packed, PutRecordBatch, and again what was not taken.

How records are packed into Firehose records, and how many of these one call carries, is producer/packing.py's; the call
is producer/stream.py's. Firehose may refuse some entries of a batch that it otherwise accepts: those alone are sent
again. A batch that got no answer may have been stored, so sending it again may store it twice; its events keep their
ids, and `clickstream_events_unique` shows each once.
"""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from queue import SimpleQueue

from clicklake.errors import ClicklakeError
from clicklake.producer import packing
from clicklake.producer.pace import pause
from clicklake.producer.packing import Record, Sizes
from clicklake.producer.stream import Answer, Stream
from clicklake.target import Target

_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class SendReport:
    """So far, or in the end. `refused` records were sent again because the stream had not taken them, `unanswered`
    because nobody answered: of these it may have two copies. `bytes` are theirs, in `firehose_records`, which Firehose
    bills as `billed_bytes`."""

    records: int = 0
    calls: int = 0
    bytes: int = 0
    refused: int = 0
    unanswered: int = 0
    firehose_records: int = 0
    billed_bytes: int = 0


def _quietly(_: SendReport) -> None:
    pass


def _unnoted(_: int, __: list[bytes]) -> None:
    pass


def send(
    target: Target,
    stream: str,
    records: Iterable[bytes],
    on_progress: Callable[[SendReport], None] = _quietly,
    on_taken: Callable[[int, list[bytes]], None] = _unnoted,
    *,
    sizes: Sizes = Sizes(),  # noqa: B008 - frozen
    connections: int = 2,
    jitter: Callable[[], float] = random.random,
    sleep: Callable[[float], None] = time.sleep,
) -> SendReport:
    """Send all `records`, each ending in LF; `connections` calls may be under way at a time, and may overtake each
    other. `on_progress` is told after each call; `on_taken`, in the records' order, when all that a call was to carry
    has been taken: how many records, and their bytes. `jitter` gives numbers from 0 to 1.

    Raises UsageError for a record that is too long, RefusedError or UnreachableError at once if that is for good, else
    after many calls that took nothing. What the last report counts has been accepted.
    """
    tally = _Tally(on_progress)
    free: SimpleQueue[_Sender] = SimpleQueue()
    for _ in range(connections):
        free.put(_Sender(Stream(target, stream), tally, jitter, sleep))

    def deliver(call: list[Record]) -> list[bytes]:
        sender = free.get()
        try:
            return sender.deliver(call)
        finally:
            free.put(sender)

    with ThreadPoolExecutor(connections, "clicklake send") as pool:
        flying: deque[tuple[int, Future[list[bytes]]]] = deque()
        try:
            for call in packing.calls(packing.records(records, sizes), sizes):
                flying.append((sum(len(record.events) for record in call), pool.submit(deliver, call)))
                if len(flying) > connections:  # one more than is under way, so that nobody waits for it
                    _land(flying, on_taken)
            while flying:
                _land(flying, on_taken)
        except BaseException:
            tally.stopped = True
            with suppress(ClicklakeError):  # what is taken all the same need not be sent again by who goes on
                while flying:
                    _land(flying, on_taken)
            raise
    return tally.report


def _land(flying: deque[tuple[int, Future[list[bytes]]]], on_taken: Callable[[int, list[bytes]], None]) -> None:
    count, delivered = flying[0]
    data = delivered.result()
    flying.popleft()
    on_taken(count, data)


class _Tally:
    """What all connections have done together."""

    def __init__(self, on_progress: Callable[[SendReport], None]) -> None:
        self.report = SendReport()
        self.stopped = False  # one of them has failed, or Ctrl-C was typed: no further attempt
        self._on_progress = on_progress
        self._lock = threading.Lock()

    def count(self, call: list[Record], answer: Answer, *, first: bool) -> None:
        missed = set(answer.left)
        taken = [record for place, record in enumerate(call) if place not in missed]
        left = sum(len(call[place].events) for place in missed)
        with self._lock:
            report = self.report
            self.report = replace(
                report,
                records=report.records + sum(len(record.events) for record in taken),
                calls=report.calls + 1,
                bytes=report.bytes + sum(record.size for record in taken),
                refused=report.refused + (0 if answer.lost else left),
                unanswered=report.unanswered + (left if answer.lost and first else 0),
                firehose_records=report.firehose_records + len(taken),
                billed_bytes=report.billed_bytes + sum(packing.billed(record.size) for record in taken),
            )
            self._on_progress(self.report)


class _Sender:
    """One connection's calls, one after the other."""

    def __init__(
        self, stream: Stream, tally: _Tally, jitter: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._stream = stream
        self._tally = tally
        self._jitter = jitter
        self._sleep = sleep

    def deliver(self, call: list[Record]) -> list[bytes]:
        """Call until every record is taken; give up after many calls in a row that took none. Returns what was sent."""
        sent = data = [b"".join(record.events) for record in call]
        failures = 0
        while data:
            answer = self._stream.put(data)
            self._tally.count(call, answer, first=failures == 0)
            failures = failures + 1 if len(answer.left) == len(call) else 0
            if answer.error and (answer.final or failures == _ATTEMPTS or self._tally.stopped):
                raise answer.error
            call, data = [call[place] for place in answer.left], [data[place] for place in answer.left]
            if data:
                self._sleep(pause(failures, answer.wait_seconds, self._jitter))
        return sent
