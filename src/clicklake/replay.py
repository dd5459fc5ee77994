"""`clicklake replay`: raw objects through the deployed function again, because it is another one than it was.

What is made overwrites what was there, under the same keys and with the same ids (transform/keys.py), so a replay may
be repeated, and its records never double. It needs no notes of its own to go on after an interruption: a ledger row
that the present function wrote says that its raw object is done. When the function was last deployed Lambda says, and
when the row was written S3; only of rows from the minutes after the deployment nobody can tell, for a run that had
begun before it may have ended then.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from clicklake.dead_letters import FailureQueue, Letter
from clicklake.lake import Days, Lake, RawObject
from clicklake.reprocess import Outcome, Processor
from clicklake.transform.event import FailureType

_MESSAGES = 10  # of the queue, hidden at a time until their raw objects are processed
_LOOK_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """Which raw objects: those of these `days`, if `failed` only those with failed records (of a type, or True: of
    any), that were not done `since` then (None: since the function's last deployment)."""

    days: Days
    failed: FailureType | bool = False
    since: datetime | None = None

    @property
    def column(self) -> str:
        """The ledger's column with the number of failed records that were asked for."""
        return f"failed_{self.failed}" if isinstance(self.failed, str) else "failed"


@dataclass(frozen=True, slots=True)
class Selection:
    """`chosen` raw objects, the oldest first; `done` is how many others were done `since` then. `failed` is the number
    of failed records that were asked for in the chosen ones, None if nobody asked."""

    chosen: tuple[RawObject, ...]
    done: int
    since: datetime
    failed: int | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """Raw objects by what became of them; `gone` ones are no longer there. `failed` with what the function said."""

    processed: int
    gone: int
    failed: tuple[Outcome, ...]


def select(lake: Lake, processor: Processor, asked: Asked) -> Selection:
    ledger = {stored.key: stored for stored in lake.objects("ledger", asked.days)}
    raw = sorted(lake.raw_objects(asked.days), key=lambda found: (found.place.partition, found.place.raw_key))
    counts = None
    if asked.failed:
        raw = [found for found in raw if found.place.ledger in ledger]
        counts = dict(zip((found.place.ledger for found in raw), _counts(lake, raw, asked), strict=True))
        raw = [found for found in raw if counts[found.place.ledger]]
    present = Present(processor.deployed, timedelta(seconds=processor.timeout))

    def is_done(found: RawObject) -> bool:
        row = ledger.get(found.place.ledger)
        if row is None:
            return False
        return row.modified >= asked.since if asked.since else present.wrote(row.modified, found.stored.modified)

    chosen = [found for found in raw if not is_done(found)]
    failed = None if counts is None else sum(counts[found.place.ledger] for found in chosen)
    return Selection(tuple(chosen), len(raw) - len(chosen), asked.since or processor.deployed, failed)


def failed_now(lake: Lake, selection: Selection, asked: Asked) -> int:
    """What the ledger says by now of the failed records that were asked for, in the chosen raw objects."""
    return sum(_counts(lake, selection.chosen, asked))


def _counts(lake: Lake, raw: Sequence[RawObject], asked: Asked) -> Iterator[int]:
    rows = lake.ledger_rows(found.place.ledger for found in raw)
    return (int(row.get(asked.column) or 0) if row else 0 for row in rows)


@dataclass(frozen=True, slots=True)
class Present:
    """The function as it was `deployed` last; a run ends within `timeout`."""

    deployed: datetime
    timeout: timedelta

    def wrote(self, row: datetime, raw: datetime) -> bool:
        """Whether the ledger row that was written then is surely its own; the raw object came at `raw`."""
        return row >= (self.deployed if raw >= self.deployed else self.deployed + self.timeout)


def replay(
    processor: Processor, raw_keys: Iterable[str], rate: float | None, progress: Callable[[int], None]
) -> Replayed:
    """Run them all. Raises RefusedError and UnreachableError if the function can't be asked."""
    outcomes = list[Outcome]()
    for outcome in processor.run_all(raw_keys, rate):
        outcomes.append(outcome)
        progress(len(outcomes))
    return _sum(outcomes)


def _sum(outcomes: Sequence[Outcome]) -> Replayed:
    processed, gone = (sum(outcome.status == status for outcome in outcomes) for status in ("processed", "gone"))
    return Replayed(processed, gone, tuple(outcome for outcome in outcomes if outcome.status == "failed"))


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of the messages of the failure queue, which named these `raw_keys`; `left` ones are there still."""

    raw_keys: tuple[str, ...]
    replayed: Replayed
    deleted: int
    left: tuple[Letter, ...]


def answer(queue: FailureQueue, processor: Processor, rate: float | None, progress: Callable[[int], None]) -> Answered:
    """Run what the messages are about; delete those of which every raw object is processed, or gone. The others can be
    received again when this ends."""
    outcomes, left, deleted = list[Outcome](), list[Letter](), 0
    hidden = processor.seconds_for(_MESSAGES, rate)
    try:
        for letters in queue.receive(hidden):
            raw_keys = dict.fromkeys(raw_key for letter in letters for raw_key in letter.raw_keys)
            of_these = {outcome.raw_key: outcome for outcome in processor.run_all(raw_keys, rate)}
            outcomes += of_these.values()
            for letter in letters:
                if letter.problem or any(of_these[raw_key].status == "failed" for raw_key in letter.raw_keys):
                    left.append(letter)
                else:
                    queue.delete(letter)
                    deleted += 1
            progress(deleted + len(left))
    finally:
        queue.show_again(left)
    return Answered(tuple(outcome.raw_key for outcome in outcomes), _sum(outcomes), deleted, tuple(left))


def look(queue: FailureQueue) -> list[Letter]:
    """What the messages are about, with nothing done."""
    letters = [letter for letters in queue.receive(_LOOK_SECONDS) for letter in letters]
    queue.show_again(letters)
    return letters
