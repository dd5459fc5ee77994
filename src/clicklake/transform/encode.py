"""Rows to bytes: Parquet or gzip NDJSON, the same rows in both.

Which file it is never shows in `content_sha256`: that is the SHA-256 of one JSON array of all rows, each an array of
its values in the table's order, times as epoch ms and dates as days since 1970-01-01. File bytes depend on nothing but
the rows and the pinned libraries: no time in the gzip header (RFC 1952, MTIME 0), fixed sizes of batches and row
groups.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, BinaryIO

import orjson
from arro3.core import Array, DataType, Field, RecordBatch, RecordBatchReader, Schema
from arro3.io import write_parquet
from isal import isal_zlib

from clicklake.pipeline import Column, Format, GlueType
from clicklake.transform.event import Row
from clicklake.transform.times import date_text, timestamp_text

BATCH = 8192  # rows as Python values; smaller ones take less memory and up to a fifth more time
BATCH_BYTES = 16 << 20  # of records; a batch of the largest would need gigabytes
WRITE_BATCH = 8192  # rows
ROW_GROUP = 131_072  # rows
# Measured (python -m benchmarks.writers): 87 bytes a row become 74, and writing and reading gets no slower.
DICTIONARY = 4 << 20  # bytes of a column's distinct values in a row group, before values stand as they are
_DISTINCT = ("event_id",)
_ASCENDING = ("event_ts", "raw_offset", "record_index")
GZIP = 31  # window bits: with a gzip header
LEVEL = 1  # of isal: zlib's level 6 is 25 % smaller and takes nine times as long

Encoder = Callable[[tuple[Column, ...], Iterable[list[Row]], BinaryIO], None]
"""Writes the rows of all batches into an empty file."""


class ContentHash:
    """The content's hash, updated as batches of rows pass by."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256(b"[")
        self._separator = b""

    def over(self, batches: Iterable[list[Row]]) -> Iterator[list[Row]]:
        for rows in batches:
            self._digest.update(self._separator + orjson.dumps(rows)[1:-1])
            self._separator = b","
            yield rows

    def hexdigest(self) -> str:
        """Once all batches have passed."""
        digest = self._digest.copy()
        digest.update(b"]")
        return digest.hexdigest()


# --- Parquet -------------------------------------------------------------------------------------------------------

_ARROW = {
    "string": DataType.string(),
    "bigint": DataType.int64(),
    "double": DataType.float64(),
    "boolean": DataType.bool(),
    "date": DataType.date32(),
    # Without a zone: Glue's timestamp is Hive's, which has none. Athena reads INT64 TIMESTAMP(MILLIS).
    "timestamp": DataType.timestamp("ms"),
}
# What a Python value is read as before it is cast to the column's type.
_READ_AS = {"date": DataType.int32(), "timestamp": DataType.int64()}


def parquet(columns: tuple[Column, ...], batches: Iterable[list[Row]], file: BinaryIO) -> None:
    """ZSTD-compressed Parquet. Batches are pulled one by one, so only one is in memory as Python values."""
    write(columns, (record_batch(columns, rows) for rows in batches), file)


def record_batch(columns: tuple[Column, ...], rows: list[Row]) -> RecordBatch:
    """The rows column by column."""
    values = zip(*rows, strict=True)
    return RecordBatch.from_arrays(
        [_array(column.type, value) for column, value in zip(columns, values, strict=True)], schema=_schema(columns)
    )


def write(columns: tuple[Column, ...], batches: Iterable[RecordBatch], file: BinaryIO) -> None:
    """A finished table to a file."""
    ascending = [column.name for column in columns if column.name in _ASCENDING]
    write_parquet(
        RecordBatchReader.from_batches(_schema(columns), batches),
        file,
        compression="zstd(1)",
        max_row_group_size=ROW_GROUP,
        write_batch_size=WRITE_BATCH,
        skip_arrow_metadata=True,
        dictionary_page_size_limit=DICTIONARY,
        column_dictionary_enabled=dict.fromkeys((*_DISTINCT, *ascending), False),
        column_encoding=dict.fromkeys(ascending, "delta_binary_packed"),
    )


@cache
def _schema(columns: tuple[Column, ...]) -> Schema:
    return Schema([Field(column.name, _ARROW[column.type]) for column in columns])


def _array(kind: GlueType, values: tuple[Any, ...]) -> Array:
    read_as = _READ_AS.get(kind)
    if read_as is None:
        return Array(values, type=_ARROW[kind])
    return Array(values, type=read_as).cast(_ARROW[kind])


# --- gzip NDJSON ---------------------------------------------------------------------------------------------------

_TEXT: dict[GlueType, Callable[[Any], str]] = {"timestamp": timestamp_text, "date": date_text}


class NdjsonFile:
    """One JSON object a line, without NULLs, as Athena's openx SerDe reads it; gzipped while rows come in."""

    def __init__(self, columns: tuple[Column, ...], file: BinaryIO) -> None:
        self.rows = 0
        self._names = tuple(column.name for column in columns)
        self._as_text = [(at, _TEXT[column.type]) for at, column in enumerate(columns) if column.type in _TEXT]
        self._packer = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, GZIP)
        self._file = file

    def add(self, rows: list[Row]) -> None:
        self.rows += len(rows)
        self._file.write(self._packer.compress(b"".join(map(self._line, rows))))

    def close(self) -> None:
        """Write the end of the gzip stream; nothing can be added any more."""
        self._file.write(self._packer.flush())

    def _line(self, row: Row) -> bytes:
        values = list(row)
        for at, text in self._as_text:
            if values[at] is not None:
                values[at] = text(values[at])
        # Measured: zip(strict=True) costs as much as the rest of the line.
        present = {name: value for name, value in zip(self._names, values) if value is not None}  # noqa: B905
        return orjson.dumps(present, option=orjson.OPT_APPEND_NEWLINE)


def ndjson(columns: tuple[Column, ...], batches: Iterable[list[Row]], file: BinaryIO) -> None:
    """All batches as one NdjsonFile."""
    lines = NdjsonFile(columns, file)
    for rows in batches:
        lines.add(rows)
    lines.close()


ENCODERS: dict[Format, Encoder] = {"parquet": parquet, "json": ndjson}
