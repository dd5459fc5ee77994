"""`clicklake generate`: the simulator's records into a file or a stream, and what is true of them beside.

drawn()      records and their truth, until there are enough or the time is over
write()      all at once, into a file
send_live()  each when its time has come, into a stream
"""

import gzip
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice, takewhile
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from clicklake.errors import UsageError
from clicklake.send import send
from clicklake.simulator import truth
from clicklake.simulator.traffic import Lifelike, Plan, Record, generate
from clicklake.target import Target

EVENTS, SEED, RATE = 1000, 1, 40.0
START = datetime(2026, 1, 1, tzinfo=UTC)  # always the same, so that the same options give the same bytes
_TICK_SECONDS = 0.5

Told = tuple[Record, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted: at most `events` records, sent within `seconds` of simulated time from `start` on; `clean` is
    without anything that is wrong, late or repeated, `oversized` the share of records longer than 1 MiB."""

    start: datetime = START
    events: int | None = None
    seconds: float | None = None
    rate: float = RATE
    seed: int = SEED
    clean: bool = False
    oversized: float = 0.0

    @property
    def plan(self) -> Plan:
        expected = [span for span in (self.seconds, self.count and self.count / self.rate) if span]
        if self.clean:
            calm = Lifelike(wrong_clocks=0, one_id=0)
            return Plan(self.seed, self.start, self.rate, offline=0, repeated=0, malformed=0, lifelike=calm)
        drifting = Lifelike(drift_after=min(expected) / 2, oversized=self.oversized)
        return Plan(self.seed, self.start, self.rate, lifelike=drifting)

    @property
    def count(self) -> int | None:
        """At most so many records; None if the time alone says when to stop."""
        return self.events or (None if self.seconds else EVENTS)


@dataclass(slots=True)
class Made:
    """What was written or sent: `kinds` counts the records by kind."""

    kinds: Counter[str] = field(default_factory=Counter)
    bytes: int = 0

    def add(self, record: Record) -> None:
        self.kinds[record.kind.value] += 1
        self.bytes += len(record.data)

    @property
    def records(self) -> int:
        return self.kinds.total()

    def document(self, order: Order) -> dict[str, Any]:
        """For --json."""
        start = order.start.astimezone(UTC).isoformat()
        kinds = {kind: self.kinds[kind] for kind in ("good", "late", "repeat", "malformed")}
        return {"records": self.records, "bytes": self.bytes, **kinds, "seed": order.seed, "start": start}


def drawn(order: Order) -> Iterator[Told]:
    """The records with their truth, in the order of sending."""
    records: Iterator[Record] = generate(order.plan)
    if order.seconds is not None:
        end = order.start.timestamp() + order.seconds
        records = takewhile(lambda record: record.at < end, records)
    return truth.lines(islice(records, order.count))


def write(order: Order, out: str, truth_file: str | None) -> Made:
    """All of it into `out` (`-` is standard output; gzipped if the name ends in .gz), the truth into `truth_file`."""
    made = Made()
    with ExitStack() as files:
        body = files.enter_context(_opened(out))
        told = files.enter_context(_told_to(truth_file))
        for record, line in drawn(order):
            body.write(record.data)
            told(line)
            made.add(record)
    return made


def send_live(
    order: Order,
    target: Target,
    stream: str,
    truth_file: str | None,
    on_progress: Callable[[Made], None],
    *,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> Made:
    """Each record when its time has come. `on_progress` is told after each call. Raises what `send` raises."""
    made = Made()
    with _told_to(truth_file) as told:
        for batch in due(drawn(order), now, sleep):
            send(target, stream, [record.data for record, _ in batch])
            for record, line in batch:
                told(line)
                made.add(record)
            on_progress(made)
    return made


def due(
    records: Iterable[Told], now: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Told]]:
    """The records in their order, in lists, none before its time and at most half a second after it."""
    batch: list[Told] = []
    for told in records:
        while told[0].at > now():
            if batch:
                yield batch
                batch = []
            sleep(_TICK_SECONDS)
        batch.append(told)
    if batch:
        yield batch


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with _created(name) as file:
        if name.endswith(".gz"):
            with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0, compresslevel=6) as zipped:
                yield cast("BinaryIO", zipped)
        else:
            yield file


@contextmanager
def _told_to(name: str | None) -> Iterator[Callable[[dict[str, Any]], None]]:
    if name is None:
        yield lambda _: None
        return
    with _created(name) as file:
        yield lambda line: _put(file, f"{truth.encoded(line)}\n".encode())


def _put(file: IO[bytes], data: bytes) -> None:
    file.write(data)


def _created(name: str) -> BinaryIO:
    try:
        return Path(name).open("wb")
    except OSError as e:
        raise UsageError(f"{name} can't be written ({e.strerror})", "name a file in a folder that exists") from e
