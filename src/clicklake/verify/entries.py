"""The double entry, matched: each raw object with its ledger row, its place and its outputs. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from clicklake.lake import LedgerRow, RawObject, Stored, milliseconds
from clicklake.pipeline import Pipeline
from clicklake.transform.keys import Place, place
from clicklake.verify.account import Account, account_of, outputs_of


@dataclass(frozen=True, slots=True)
class Listing:
    """What S3 has of some days; `ledger` with the row in each object, None if it can't be read."""

    raw: tuple[RawObject, ...]
    outputs: dict[str, Stored]
    ledger: tuple[tuple[Stored, LedgerRow | None], ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One raw object; `raw` is None if it is gone, `ledger` if it has no row, `account` if the row can't be read."""

    place: Place
    raw: Stored | None
    ledger: Stored | None = None
    account: Account | None = None

    @property
    def raw_key_if_there(self) -> str | None:
        """What a repair can have processed again."""
        return self.place.raw_key if self.raw else None


@dataclass(frozen=True, slots=True)
class Matched:
    """`strays` are ledger objects, and `orphans` outputs, that belong to no raw object."""

    entries: tuple[Entry, ...]
    strays: tuple[str, ...]
    orphans: tuple[str, ...]


def match(listing: Listing, pipeline: Pipeline) -> Matched:
    raw = {found.place.ledger: found for found in listing.raw}
    entries, strays = list[Entry](), list[str]()
    for stored, row in listing.ledger:
        account = account_of(row) if row else None
        there = raw.pop(stored.key, None)
        where = there.place if there else _place_of(account, stored.key, pipeline)
        if where:
            entries.append(Entry(where, there.stored if there else None, stored, account))
        else:
            strays.append(stored.key)
    entries += [Entry(found.place, found.stored) for found in raw.values()]
    entries.sort(key=lambda entry: (entry.place.partition, entry.place.raw_key))
    owned = {key for entry in entries for key in outputs_of(entry.place)}
    return Matched(tuple(entries), tuple(strays), tuple(sorted(listing.outputs.keys() - owned)))


def _place_of(account: Account | None, ledger_key: str, pipeline: Pipeline) -> Place | None:
    """The place of a raw object that is gone, by its row; None if the row lies where the processor never puts it."""
    if account is None or not account.raw_key.startswith(pipeline.zones.raw):
        return None
    where = place(account.raw_key, milliseconds(account.received), pipeline)
    return where if where.ledger == ledger_key else None


def pending(entries: Iterable[Entry], outputs: dict[str, Stored], now: datetime, grace: timedelta) -> set[str]:
    """The raw keys that a run may be at: something of theirs is younger than `grace`, and than their ledger row."""

    def may_run(stored: Stored, entry: Entry) -> bool:
        return stored.modified > now - grace and (entry.ledger is None or stored.modified > entry.ledger.modified)

    found = set[str]()
    for entry in entries:
        written = [outputs[key] for key in outputs_of(entry.place) if key in outputs]
        if entry.raw and any(may_run(stored, entry) for stored in (entry.raw, *written)):
            found.add(entry.place.raw_key)
    return found


Expires = Callable[[str, int, datetime], datetime | None]
"""When an object of this key and size (bytes), made then, may be gone by the bucket's lifecycle; None: never."""
