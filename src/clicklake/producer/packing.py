"""Events -> Firehose records -> calls. Pure.

    lines -> records()     many events a record, each ending in LF, so that a record costs what it holds
          -> calls()       many records a PutRecordBatch

Firehose bills each record rounded up to 5 KB (aws.amazon.com/firehose/pricing: "ingestion pricing is ... rounded up to
the nearest 5KB"), also within one PutRecordBatch. A call takes 500 records and 4 MiB, a record 1,000 KiB
(docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html), and no more than 500 events in a record if
somebody lets Firehose take records apart (the same page, "multi record de-aggregation").

A record is closed where the next event would no longer fit into `record_bytes`, a multiple of 5 KB. So at most one
event's length is paid for and not used: 0.3 % for events of 600 bytes and records of 100 KB. Larger records would save
no more, and what is refused is sent again by the record.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from clicklake.errors import UsageError

BILLED_STEP = 5 * 1024
BYTES_PER_RECORD = 1000 * 1024
BYTES_PER_CALL = 4 * 1024 * 1024
RECORDS_PER_CALL = 500
EVENTS_PER_RECORD = 500


@dataclass(frozen=True, slots=True)
class Sizes:
    """In bytes, before base64. A call has a quarter of what one may have: larger ones were measured to be no faster.
    What a stream takes in a second, 1 to 5 MiB at first (docs.aws.amazon.com/firehose/latest/dev/limits.html), nothing
    here can know: pace.py learns it."""

    record: int = 20 * BILLED_STEP
    call: int = 10 * 20 * BILLED_STEP

    def __post_init__(self) -> None:
        if not BILLED_STEP <= self.record <= BYTES_PER_RECORD or self.record % BILLED_STEP:
            raise UsageError(f"a record of {self.record:,} bytes", f"a multiple of 5,120 up to {BYTES_PER_RECORD:,}")
        if not self.record <= self.call <= BYTES_PER_CALL:
            raise UsageError(f"a call of {self.call:,} bytes", f"from a record's size up to {BYTES_PER_CALL:,}")


@dataclass(frozen=True, slots=True)
class Record:
    """Events that go into one Firehose record, each ending in LF, and their bytes (with what stamping will add)."""

    events: tuple[bytes, ...]
    size: int


def records(events: Iterable[bytes], sizes: Sizes = Sizes(), added: int = 0) -> Iterator[Record]:
    """The events in their order. `added` bytes will be put into each later. Raises UsageError for an event that no
    record can hold."""
    held: list[bytes] = []
    size = 0
    for number, event in enumerate(events, 1):
        length = len(event) + added
        if held and (size + length > sizes.record or len(held) == EVENTS_PER_RECORD):
            yield Record(tuple(held), size)
            held, size = [], 0
        if length > BYTES_PER_RECORD:
            problem = f"record {number:,} has {length:,} bytes; Firehose takes {BYTES_PER_RECORD:,}"
            raise UsageError(problem, "split it, or keep what is large elsewhere and send its address")
        held.append(event)
        size += length
    if held:
        yield Record(tuple(held), size)


def calls(records: Iterable[Record], sizes: Sizes = Sizes()) -> Iterator[list[Record]]:
    """The records in their order, as many in each list as one call shall carry."""
    call: list[Record] = []
    size = 0
    for record in records:
        if call and (len(call) == RECORDS_PER_CALL or size + record.size > sizes.call):
            yield call
            call, size = [], 0
        call.append(record)
        size += record.size
    if call:
        yield call


def billed(size: int) -> int:
    """What a record of so many bytes is billed as, in bytes."""
    return -(-size // BILLED_STEP) * BILLED_STEP
