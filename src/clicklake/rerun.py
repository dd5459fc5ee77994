"""`clicklake diff`: another processor on raw objects of the lake, against the lake's rows or those of a third one.

Nothing is written but files of this machine that are gone at the end. What the lake has of a raw object are the
ledger's row and the processed object that it names. If both ledgers have the same `content_sha256`, their rows are the
same and are not read; so that this can be, the other processor calls itself by the version that made the lake's row.
"""

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from clicklake.difference import Difference
from clicklake.errors import NoError
from clicklake.lake import Days, Lake, LedgerRow, RawObject, milliseconds
from clicklake.other_processor import Made, OtherProcessor
from clicklake.pipeline import Column
from clicklake.processed_rows import Row, rows
from clicklake.processor import spool
from clicklake.target import translated
from clicklake.user_key import key_of_function

VERSION = 1
_GEO = "CLICKLAKE_GEO_DATABASE"
_PIECE = 1 << 18

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Chosen:
    """The raw objects of some days that are compared: of `found` those that have a ledger row, at most a limit of them,
    evenly spread."""

    found: int
    unprocessed: int
    objects: tuple[tuple[RawObject, LedgerRow], ...]


@dataclass(slots=True)
class Outcome:
    difference: Difference
    compared: int = 0
    gone: int = 0
    errors: list[dict[str, str]] = field(default_factory=list)


def choose(lake: Lake, days: Days, limit: int | None) -> Chosen:
    """Raises NoError if there is nothing to compare with."""
    found = sorted(lake.raw_objects(days), key=lambda raw: (raw.place.partition, raw.place.raw_key))
    with_rows = zip(found, lake.ledger_rows(raw.place.ledger for raw in found), strict=True)
    processed = [(raw, row) for raw, row in with_rows if row]
    if not processed:
        raise NoError(f"no raw object of {days} has a ledger row", "clicklake verify says what there is")
    number = min(limit or len(processed), len(processed))
    spread = tuple(processed[at * len(processed) // number] for at in range(number))
    return Chosen(len(found), len(found) - len(processed), spread)


def user_key(lake: Lake, chosen: Chosen) -> bytes | None:
    """The function's key, if any of these rows was made with one."""
    if not any(row.get("user_key_id") for _, row in chosen.objects):
        return None
    return key_of_function(lake.target, lake.names.function)


def notes(lake: Lake, chosen: Chosen, before: OtherProcessor | None) -> list[str]:
    """What could make, or hide, a difference that is not the processor's."""
    said = []
    geo = {str(row["geo_database"]) for _, row in chosen.objects if row.get("geo_database")}
    if geo and not os.environ.get(_GEO):
        said.append(
            f"the lake's rows were made with {', '.join(sorted(geo))}: name it by {_GEO}, or places will differ"
        )
    others = sum(row.get("contract_sha256") != lake.pipeline.contract_sha256 for _, row in chosen.objects)
    if others and before is None:
        what = "--pipeline names another pipeline file than the lake's rows were made with"
        said.append(f"{what}, in {others:,} of {len(chosen.objects):,} raw objects: columns it lacks are not compared")
    return said


def compare(
    lake: Lake, chosen: Chosen, after: OtherProcessor, before: OtherProcessor | None, on_object: Callable[[int], None]
) -> Outcome:
    """`before` is None for what the lake has."""
    known: tuple[Column, ...] = before.columns if before else lake.pipeline.tables.events.columns
    outcome = Outcome(Difference(known, after.columns))
    with tempfile.TemporaryDirectory(prefix="clicklake-") as folder:
        file = Path(folder) / "raw"
        for number, (raw, ledger) in enumerate(chosen.objects, 1):
            if _download(lake, raw.stored.key, file):
                _compare(lake, _Pair(raw, ledger, file), after, before, outcome)
            else:
                outcome.gone += 1
            on_object(number)
    return outcome


@dataclass(frozen=True, slots=True)
class _Pair:
    raw: RawObject
    ledger: LedgerRow
    file: Path

    def made_by(self, other: OtherProcessor) -> Made:
        modified = milliseconds(self.raw.stored.modified)
        return other.process(self.file, self.raw.stored.key, modified, str(self.ledger["processor_version"]))


def _compare(lake: Lake, pair: _Pair, after: OtherProcessor, before: OtherProcessor | None, outcome: Outcome) -> None:
    key, made = pair.raw.stored.key, pair.made_by(after)
    base = pair.made_by(before) if before else Made(pair.ledger, Path())
    problem = made.problem or base.problem
    if problem:
        outcome.errors.append({"raw_key": key, "problem": problem})
        return
    outcome.compared += 1
    outcome.difference.account(base.ledger, made.ledger)
    if base.ledger["content_sha256"] == made.ledger["content_sha256"]:
        outcome.difference.same(int(made.ledger["good"]))
        return
    with ExitStack() as files:
        new = files.enter_context(made.rows.open("rb"))
        old = files.enter_context(base.rows.open("rb") if before else _stored(lake, base.ledger))
        outcome.difference.meet(key, _rows(old), _rows(new))


def _rows(file: BinaryIO) -> Iterator[Row]:
    """None of a file that is empty: the object has no good row. Raises ValueError for what is no row."""
    is_empty = not file.read(1)
    file.seek(0)
    for row in () if is_empty else rows(file):
        if row is None or type(row.get("record_index")) is not int:
            raise ValueError("a processed object has something that is no row")
        yield row


def _download(lake: Lake, key: str, to: Path) -> bool:
    """False if it is gone."""
    with to.open("wb") as file:
        return _get(lake, key, file)


@contextmanager
def _stored(lake: Lake, ledger: LedgerRow) -> Iterator[BinaryIO]:
    """The processed object that a ledger's row names; empty if it names none."""
    with spool() as file:
        key = ledger.get("processed_key")
        if key and not _get(lake, key, file):
            raise NoError(f"{key} is not there", "clicklake verify --repair")
        file.seek(0)
        yield file


def _get(lake: Lake, key: str, file: BinaryIO) -> bool:
    with translated():
        try:
            body = lake.s3.get_object(Bucket=lake.bucket, Key=key)["Body"]
        except lake.s3.exceptions.NoSuchKey:
            return False
        for piece in body.iter_chunks(_PIECE):
            file.write(piece)
    return True
