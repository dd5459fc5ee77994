"""What lies in the lake's bucket, day by day of arrival: raw objects, what was made of them, the ledger's rows.

    lake = open_lake(target, pipeline, names)
    days = Days(date(2025, 11, 24), date(2025, 11, 26))     ALL is every day
    lake.objects("processed", days)                         the objects of a zone
    lake.raw_objects(days)                                  with the place of everything that is made of each
    lake.ledger_rows(stored.key for stored in lake.objects("ledger", days))     rows, many read at once

Only what has a day in its key can be found by its day: folders are walked, so a range costs a request for each of its
months, days and pages, whatever else the bucket has. Raw objects that somebody put outside of such folders belong to
the day that keys.place() gives them; to find them, every month of raw/ costs a request.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, Literal

from clicklake.pipeline import Names, Pipeline
from clicklake.target import Target, translated
from clicklake.transform.keys import Place, place

Zone = Literal["processed", "failed", "ledger"]
Keys = tuple[str, ...]  # of a partition, or their values
LedgerRow = dict[str, Any]
"""A row of clickstream_ledger by its columns' names."""

_AT_ONCE = 16  # objects read at the same time
_RAW_KEYS = ("year", "month", "day")  # as keys.place() reads them, whatever the tables' partition keys are called
_DAY = re.compile(r"(?:^|/)year=(\d{4})/month=(\d{2})/day=(\d{2})/", re.ASCII)


@dataclass(frozen=True, slots=True)
class Days:
    """UTC days of arrival from `first` to `last`, both included; None is no limit."""

    first: date | None = None
    last: date | None = None

    def __contains__(self, partition: tuple[str, ...]) -> bool:
        """True if the values of a partition, or the first of them, can be of these days."""
        length = len(partition)
        return (self.first is None or _values(self.first)[:length] <= partition) and (
            self.last is None or partition <= _values(self.last)[:length]
        )

    def __str__(self) -> str:
        if self == ALL:
            return "all days"
        return f"{self.first or 'the first day'} to {self.last or 'the last'}"


ALL = Days()


@dataclass(frozen=True, slots=True)
class Stored:
    """An object as S3 lists it: `size` in bytes, `modified` in whole seconds, UTC."""

    key: str
    size: int
    modified: datetime
    etag: str = field(compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class RawObject:
    stored: Stored
    place: Place


@dataclass(frozen=True)
class Lake:
    """One environment's. Iterators read when they are iterated, and then raise RefusedError and UnreachableError."""

    target: Target
    pipeline: Pipeline
    names: Names
    bucket: str

    @cached_property
    def s3(self) -> Any:
        return self.target.client("s3", max_pool_connections=_AT_ONCE)

    def objects(self, zone: Zone, days: Days = ALL) -> Iterator[Stored]:
        """What lies in the folders of these days; for ALL, what lies outside of them, too."""
        found = self._walk(getattr(self.pipeline.zones, zone), self.pipeline.partition_keys, days)
        return (stored for stored, partition in found if partition or days == ALL)

    def delivery_errors(self, days: Days = ALL) -> Iterator[Stored]:
        """What Firehose could not deliver as it was; without a day in the key, of the day when it was written."""
        for page in self._pages(self.pipeline.zones.delivery_errors):
            for stored in contents(page):
                found = _DAY.search(stored.key)
                if (found.groups() if found else _values(stored.modified.date())) in days:
                    yield stored

    def raw_objects(self, days: Days = ALL) -> Iterator[RawObject]:
        for stored, _ in self._walk(self.pipeline.zones.raw, _RAW_KEYS, days, every_month=True):
            where = place(stored.key, milliseconds(stored.modified), self.pipeline)
            if where.partition in days:
                yield RawObject(stored, where)

    def ledger_rows(self, keys: Iterable[str]) -> Iterator[LedgerRow | None]:
        """The row in each of these objects of ledger/, in their order; None if it can't be read or is not there."""
        self.s3  # noqa: B018 - made here, for threads must not make it together
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(self.ledger_row, keys)

    def ledger_row(self, key: str) -> LedgerRow | None:
        """The row in one object of ledger/; None if it can't be read or is not there."""
        with translated():
            try:
                body = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            except self.s3.exceptions.NoSuchKey:
                return None
        try:
            row = json.loads(gzip.decompress(body))
        except (OSError, EOFError, zlib.error, ValueError):
            return None
        return row if isinstance(row, dict) else None

    def _walk(
        self, prefix: str, keys: Keys, days: Days, above: Keys = (), *, every_month: bool = False
    ) -> Iterator[tuple[Stored, Keys]]:
        """Objects with the values of their day's folders, () outside of such; folders of other days are left out."""
        for page in self._pages(prefix, "/"):
            yield from ((stored, ()) for stored in contents(page))
            for folder in (found["Prefix"] for found in page.get("CommonPrefixes", ())):
                partition = _partition(folder.removeprefix(prefix), keys, above)
                is_day = len(partition) == len(keys)
                if partition and partition not in days and (is_day or not every_month):
                    continue
                if partition and not is_day:
                    yield from self._walk(folder, keys, days, partition, every_month=every_month)
                else:
                    inside = (stored for found in self._pages(folder) for stored in contents(found))
                    yield from ((stored, partition) for stored in inside)

    def _pages(self, prefix: str, delimiter: str = "") -> Iterator[dict[str, Any]]:
        pages = self.s3.get_paginator("list_objects_v2")
        with translated():
            yield from pages.paginate(Bucket=self.bucket, Prefix=prefix, Delimiter=delimiter)


def open_lake(target: Target, pipeline: Pipeline, names: Names) -> Lake:
    """The lake whose bucket is that of the events table. Raises RefusedError if there is no such table."""
    with translated():
        found = target.client("glue").get_table(DatabaseName=names.database, Name=pipeline.tables.events.name)
    location = found["Table"]["StorageDescriptor"]["Location"]
    return Lake(target, pipeline, names, location.removeprefix("s3://").partition("/")[0])


def milliseconds(moment: datetime) -> int:
    """As processor.py reads the time of an object: whole seconds."""
    return int(moment.timestamp()) * 1000


def contents(page: dict[str, Any]) -> Iterator[Stored]:
    """Without the empty objects that S3's console makes for folders."""
    for item in page.get("Contents", ()):
        if not item["Key"].endswith("/"):
            yield Stored(item["Key"], item["Size"], item["LastModified"], item["ETag"].strip('"'))


def _values(day: date) -> tuple[str, ...]:
    return f"{day.year:04}", f"{day.month:02}", f"{day.day:02}"


def _partition(folder: str, keys: Keys, above: Keys) -> Keys:
    """`month=11/` in the folder of 2025 -> ("2025", "11"); () for any other name, for a day that no calendar has, and
    for one written otherwise than the processor writes it (`month=1/`)."""
    name, _, value = folder.rstrip("/").partition("=")
    found = (*above, value)
    if name != keys[len(above)] or not (value.isascii() and value.isdecimal()) or len(value) != (2 if above else 4):
        return ()
    try:
        date(*([int(part) for part in found] + [1, 1])[:3])
    except ValueError:
        return ()
    return found
