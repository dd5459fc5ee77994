"""Events -> Firehose records -> calls. Pure.

    lines -> records()     many events a record, each ending in LF, so that a record costs what it holds
          -> calls()       many records a PutRecordBatch

Firehose bills each record rounded up to 5 KB (aws.amazon.com/firehose/pricing: "ingestion pricing is ... rounded up to
the nearest 5KB"), also within one PutRecordBatch. A call takes 500 records and 4 MiB, a record 1,000 KiB
(docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html), and no more than 500 events in a record if
somebody lets Firehose take records apart (the same page, "multi record de-aggregation").

A record is closed where the next event would no longer fit into `record_bytes`, a multiple of 5 KB. So at most one
event's length is paid for and not used: 0.3 % for events of 600 bytes and records of 100 KB, and what is left of a
call's last record. Larger records would save no more, and what is refused is sent again by the record.
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
    """Pieces that go into one Firehose record, each ending in LF; their bytes (with what stamping will add), and how
    many events they have."""

    events: tuple[bytes, ...]
    size: int
    count: int


def records(pieces: Iterable[bytes], sizes: Sizes = Sizes(), added: int = 0) -> Iterator[Record]:
    """A piece is the line of an event, or of several, each ending in LF; they stay in their order, and a piece of
    several is parted where a record ends. `added` bytes will be put in front of each piece later. Raises UsageError for
    an event that no record can hold."""
    held: list[bytes] = []
    size = count = 0
    for number, piece in enumerate(pieces, 1):
        at, stamp = 0, added
        while at < len(piece):
            end, events = _fitting(piece, at, sizes.record - size - stamp, EVENTS_PER_RECORD - count)
            if end == at and held:
                yield Record(tuple(held), size, count)
                held, size, count = [], 0, 0
                continue
            if end == at:
                end, events = piece.find(b"\n", at) + 1 or len(piece), 1
                _check_size(end - at + stamp, number)
            held.append(piece[at:end])
            size += end - at + stamp
            count += events
            at, stamp = end, 0
    if held:
        yield Record(tuple(held), size, count)


def _fitting(piece: bytes, at: int, room: int, most: int) -> tuple[int, int]:
    """Where the events from there on end that have so many bytes and are so many, at most; and how many they are."""
    end = len(piece)
    if end - at > room:
        end = max(at, piece.rfind(b"\n", at, at + max(room, 0)) + 1)
    part = piece[at:end]
    count = events_in(part)
    if count > most:
        end -= len(part.split(b"\n", most)[-1])
        count = most
    return end, count


def events_in(piece: bytes) -> int:
    """JSON has no LF within a line. bytes.replace leaps to them, where bytes.count looks at each byte."""
    return len(piece) - len(piece.replace(b"\n", b"")) or int(piece != b"")


def _check_size(size: int, number: int) -> None:
    if size > BYTES_PER_RECORD:
        problem = f"record {number:,} has {size:,} bytes; Firehose takes {BYTES_PER_RECORD:,}"
        raise UsageError(problem, "split it, or keep what is large elsewhere and send its address")


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
