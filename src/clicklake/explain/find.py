"""Where an event is: its rows and failed records, by Athena; its raw object, by S3.

A row names its raw object and its record there, and that leads to everything else. Without a day Athena looks through
all of them for an id.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import BinaryIO

from clicklake import query
from clicklake.errors import ClicklakeError, NoError, UsageError
from clicklake.explain.account import LakeRow
from clicklake.lake import Lake, LedgerRow, milliseconds
from clicklake.processor import spool
from clicklake.target import translated
from clicklake.transform.keys import Place, place
from clicklake.transform.times import parse_time
from clicklake.user_key import key_of_function

_MOST = 100  # rows of one id
_PIECE = 1 << 18


@dataclass(frozen=True, slots=True)
class Found:
    """A record of a raw object. `rows` are all rows of the event's id, in the order in which they arrived; the record's
    own is at `at`, or there is none (it failed, or is named by its raw key)."""

    raw_key: str
    record_index: int
    received_ms: int | None
    rows: tuple[LakeRow, ...] = ()
    at: int | None = None

    @property
    def row(self) -> LakeRow | None:
        return None if self.at is None else self.rows[self.at]


def by_id(lake: Lake, event_id: str, app_id: str | None, day: date | None) -> Found:
    """The event that clickstream_events_unique shows, or else the first failed record with that id in its bytes. Raises
    NoError if there is none."""
    app = "" if app_id is None else f" AND app_id = {_text(app_id)}"
    where = f"event_id = {_text(event_id)}{app}{_of_day(lake, day)}"
    rows = _ask(lake, lake.pipeline.tables.events.name, where)
    if rows:
        return _found(rows, 0)
    # As hexadecimal digits, for what failed need be no UTF-8; these may also be found across two bytes.
    sent = event_id.encode()
    inside = f"strpos(to_hex(from_base64(raw)), '{sent.hex().upper()}') > 0{_of_day(lake, day)}"
    maybe = _ask(lake, lake.pipeline.tables.failed.name, inside)
    failed = [row for row in maybe if sent in base64.b64decode(row["raw"] or "")]
    if not failed:
        of_app = f" of app {app_id}" if app_id else ""
        when = f" of {day}" if day else ""
        hint = "is its raw object processed? clicklake verify names those that are not"
        raise NoError(f"no event{of_app} and no failed record{when} has the id {event_id}", hint)
    return Found(str(failed[0]["raw_key"]), int(failed[0]["record_index"] or 0), parse_time(failed[0]["received_ts"]))


def by_record(lake: Lake, raw_key: str, record_index: int) -> Found:
    """A record by its place. Its row, if it has one, is found by Athena in the day of its key."""
    if not raw_key.startswith(lake.pipeline.zones.raw):
        raise UsageError(f"{raw_key} is no raw object's key", f"it begins with {lake.pipeline.zones.raw}")
    where = place(raw_key, 0, lake.pipeline)
    keys = " AND ".join(
        f"{_name(k)} = {_text(v)}" for k, v in zip(lake.pipeline.partition_keys, where.partition, strict=True)
    )
    table = lake.pipeline.tables.events.name
    rows = _ask(lake, table, f"raw_key = {_text(raw_key)} AND record_index = {record_index} AND {keys}")
    if not rows:
        return Found(raw_key, record_index, None)
    own = rows[0]
    app = "IS NULL" if own["app_id"] is None else f"= {_text(own['app_id'])}"
    copies = _ask(lake, table, f"event_id = {_text(str(own['event_id']))} AND app_id {app}")
    where_it_is = [at for at, row in enumerate(copies) if _place(row) == _place(own)]
    if not where_it_is:  # there are more than _MOST before it
        return _found([*copies, own], len(copies))
    return _found(copies, where_it_is[0])


def _place(row: LakeRow) -> tuple[str | None, str | None]:
    return row["raw_key"], row["record_index"]


def _found(rows: list[LakeRow], at: int) -> Found:
    own = rows[at]
    return Found(str(own["raw_key"]), int(own["record_index"] or 0), parse_time(own["received_ts"]), tuple(rows), at)


def _of_day(lake: Lake, day: date | None) -> str:
    if day is None:
        return ""
    values = (f"{day.year:04}", f"{day.month:02}", f"{day.day:02}")
    return "".join(f" AND {_name(k)} = {_text(v)}" for k, v in zip(lake.pipeline.partition_keys, values, strict=True))


def _ask(lake: Lake, table: str, where: str) -> list[LakeRow]:
    order = "received_ts, raw_key, record_index"  # of clickstream_events_unique
    sql = f'SELECT *, "$path" AS "$path" FROM {table} WHERE {where} ORDER BY {order} LIMIT {_MOST}'
    result = query.run(lake.target, sql, lake.names.workgroup, lake.names.database)
    names = [column.name for column in result.columns]
    rows: list[LakeRow] = [dict(zip(names, values, strict=True)) for values in result.rows]
    for row in rows:
        row["$path"] = str(row["$path"]).removeprefix(f"s3://{lake.bucket}/")
    return rows


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _name(name: str) -> str:
    return f'"{name}"'


# --- what it was made of ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Raw:
    """A raw object that is there, read into `file`."""

    place: Place
    file: BinaryIO


@contextmanager
def raw_object(lake: Lake, found: Found) -> Iterator[Raw | None]:
    """None if it is gone."""
    with spool() as file:
        with translated():
            try:
                got = lake.s3.get_object(Bucket=lake.bucket, Key=found.raw_key)
            except lake.s3.exceptions.NoSuchKey:
                got = None
            if got:
                for piece in got["Body"].iter_chunks(_PIECE):
                    file.write(piece)
        yield Raw(place(found.raw_key, milliseconds(got["LastModified"]), lake.pipeline), file) if got else None


def user_key(lake: Lake, ledger: LedgerRow | None) -> tuple[bytes | None, str | None]:
    """The function's key, if the ledger says that there was one; else, or if it can't be had, why not."""
    if ledger is None or not ledger.get("user_key_id"):
        return None, None
    try:
        return key_of_function(lake.target, lake.names.function), None
    except ClicklakeError as e:
        return None, f"the key of user_key can't be read here: {e.problem}"
