"""Each entry, judged: ledger row, raw object, files, rows. The first of these stages that finds something is the last
that is asked, for what comes after it could only be wrong, too. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from clicklake.lake import Stored
from clicklake.pipeline import Pipeline
from clicklake.verify.account import Account, Output, outputs_of, problems
from clicklake.verify.entries import Entry
from clicklake.verify.findings import Finding, Kind, Partition

Counted = Mapping[str, Counter[str]]
"""Rows by the key of the object that they lie in and the raw key that they name."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to judge by. `contents` has what the bytes of the outputs that were read said: the SHA-256 of a
    processed object, the number of rows of a failed one, None if it can't be read. Of the partitions in `blind` nobody
    can say what rows they have. `expired_raw` are raw keys, `expired_outputs` keys."""

    pipeline: Pipeline
    outputs: Mapping[str, Stored]
    contents: Mapping[str, str | int | None]
    counted: Counted
    blind: frozenset[Partition]
    expired_raw: frozenset[str]
    expired_outputs: frozenset[str]


def judge(entry: Entry, seen: Seen) -> Iterator[Finding]:
    for stage in (_ledger, _raw, _files, _rows):
        found = list(stage(entry, seen))
        yield from found
        if found:
            return


def _finding(kind: Kind, entry: Entry, key: str, expected: str, found: str) -> Finding:
    return Finding(kind, key, expected, found, entry.raw_key_if_there)


def _ledger(entry: Entry, seen: Seen) -> Iterator[Finding]:
    key, account = entry.place.ledger, entry.account
    if entry.ledger is None:
        made = [output for output in outputs_of(entry.place) if output in seen.outputs]
        if made:
            yield _finding("ledger_lost", entry, key, "a ledger row", f"none, but {made[0]}")
        else:
            yield _finding("unprocessed", entry, entry.place.raw_key, "a ledger row", "none, and no output")
    elif account is None:
        yield _finding("ledger_unreadable", entry, key, "a ledger row", f"{entry.ledger.size} bytes that are none")
    elif wrong := problems(account, entry.place):
        yield _finding("ledger_wrong", entry, key, "a row whose sums hold", "; ".join(wrong))


def _raw(entry: Entry, seen: Seen) -> Iterator[Finding]:
    account, ledger, raw = _known(entry)
    key = entry.place.raw_key
    if raw is None:
        if key not in seen.expired_raw:
            yield _finding("raw_missing", entry, key, f"{account.bytes_in:,} bytes", "no object")
    elif raw.size != account.bytes_in:
        sizes = f"the {account.bytes_in:,} bytes that were processed", f"{raw.size:,} bytes"
        yield _finding("raw_changed", entry, key, *sizes)
    elif raw.modified > ledger.modified:
        times = f"nothing written since {_text(ledger.modified)}", f"written {_text(raw.modified)}"
        yield _finding("raw_changed", entry, key, *times)


def _files(entry: Entry, seen: Seen) -> Iterator[Finding]:
    account, _, _ = _known(entry)
    of_zone: list[tuple[Output | None, Kind, Kind]] = [
        (account.processed, "processed_missing", "processed_damaged"),
        (account.rejected, "failed_missing", "failed_damaged"),
    ]
    for output, missing, damaged in of_zone:
        if output is None or output.key in seen.expired_outputs:
            continue
        stored = seen.outputs.get(output.key)
        if stored is None:
            yield _finding(missing, entry, output.key, f"{output.rows:,} rows", "no object")
        elif stored.size != output.size:
            yield _finding(damaged, entry, output.key, f"{output.size:,} bytes", f"{stored.size:,} bytes")
        elif stored.key in seen.contents and (wrong := _wrong_content(output, seen.contents[stored.key])):
            yield _finding(damaged, entry, output.key, *wrong)
    named = {output.key for output in account.outputs}
    for key in outputs_of(entry.place):
        if key in seen.outputs and key not in named:
            yield _finding("left_over", entry, key, "no object, by the ledger row", f"{seen.outputs[key].size:,} bytes")


def _wrong_content(output: Output, content: str | int | None) -> tuple[str, str] | None:
    if content is None:
        return f"{output.rows:,} rows", "bytes that can't be read"
    if isinstance(content, int):
        return None if content == output.rows else (f"{output.rows:,} rows", f"{content:,} rows")
    return None if content == output.sha256 else (f"SHA-256 {output.sha256}", f"SHA-256 {content}")


def _rows(entry: Entry, seen: Seen) -> Iterator[Finding]:
    """What Athena counts in each object, the ledger's own included."""
    account, ledger, _ = _known(entry)
    tables = seen.pipeline.tables
    wanted = [
        (tables.events.name, account.processed),
        (tables.failed.name, account.rejected),
        (tables.ledger.name, Output(ledger.key, 1, ledger.size)),
    ]
    for table, output in wanted:
        if (
            output is None
            or output.key in seen.expired_outputs
            or Partition(table, entry.place.partition) in seen.blind
        ):
            continue
        counted = seen.counted.get(output.key, Counter())
        if counted != Counter({account.raw_key: output.rows}):
            strangers = counted.total() - counted[account.raw_key]
            found = f"{counted.total():,} rows in {table}" + (
                f", {strangers:,} of other raw objects" if strangers else ""
            )
            yield _finding("rows_differ", entry, output.key, f"{output.rows:,} rows", found)


def _known(entry: Entry) -> tuple[Account, Stored, Stored | None]:
    assert entry.account is not None  # the stage before has seen to it
    assert entry.ledger is not None
    return entry.account, entry.ledger, entry.raw


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"
