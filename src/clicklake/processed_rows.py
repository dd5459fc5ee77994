"""The rows of any processor's output: Parquet or JSON in any form that the transform reads, gzipped or not.

    for row in rows(file):              {"event_id": "a-1", "event_ts": datetime(...), ...}; None for what is no row
    normal(column, row.get("event_ts"))     "2025-11-26 10:15:00.123": one spelling, whoever wrote it

A value that is NULL may be missing from its row. Two processors spell the same moment, number or JSON in different
ways; `normal` gives what is equal by the column's type one form, which JSON can hold.
"""

import io
import math
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, BinaryIO, cast

import orjson
from arro3.io import read_parquet

from clicklake.pipeline import Column, GlueType
from clicklake.transform.decode import decode
from clicklake.transform.gunzip import Plain
from clicklake.transform.times import parse_time, timestamp_text

Row = dict[str, Any]

_PARQUET = b"PAR1"  # github.com/apache/parquet-format: the first four bytes of each file
_BEYOND = 1 << 63  # what JSON of 64 bits can't hold
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rows(file: BinaryIO) -> Iterator[Row | None]:
    """`file` can seek. Raises ValueError for Parquet that can't be read."""
    is_parquet = file.read(len(_PARQUET)) == _PARQUET
    file.seek(0)
    return _of_parquet(file) if is_parquet else _of_json(file)


def _of_json(file: BinaryIO) -> Iterator[Row | None]:
    for _, _, value in decode(Plain(file)):
        yield value if isinstance(value, dict) else None


def _of_parquet(file: BinaryIO) -> Iterator[Row | None]:
    _check_end(file)
    try:
        for batch in read_parquet(file):
            names = batch.column_names
            columns = [batch.column(at).to_pylist() for at in range(batch.num_columns)]
            for values in zip(*columns, strict=True):
                yield dict(zip(names, values, strict=True))
    except BaseException as e:
        # What arro3 can't read makes it panic: pyo3's exception is no Exception, and can't be imported.
        if type(e).__name__ == "PanicException" or type(e).__module__.startswith("arro3"):
            raise ValueError(f"Parquet that can't be read: {e}") from e
        raise


def _check_end(file: BinaryIO) -> None:
    """A file that is cut off lacks its end: 4 bytes of the footer's length, and PAR1."""
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 8))
    end = file.read()
    if end[4:] != _PARQUET or int.from_bytes(end[:4], "little") > size - 12:
        raise ValueError("Parquet that is cut off")
    file.seek(0)


# --- one spelling ----------------------------------------------------------------------------------------------------


def normal(column: Column, value: Any) -> Any:
    """None for NULL; a value of another type than the column's as it is, if JSON can hold it."""
    if value is None:
        return None
    if column.from_ == "properties":
        return _json(value)
    found = _NORMAL[column.type](value)
    return _plain(value) if found is None else found


def _timestamp(value: Any) -> str | None:
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return timestamp_text((moment - _EPOCH) // _MILLISECOND)
    ms = parse_time(value)
    return None if ms is None else timestamp_text(ms)


def _date(value: Any) -> str | None:
    if isinstance(value, date):
        return value.isoformat()[:10]
    moment = _timestamp(value)
    return moment[:10] if moment else None


def _bigint(value: Any) -> int | None:
    if type(value) is int:
        return value if -_BEYOND <= value < _BEYOND else None
    try:
        number = None if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isinstance(value, str) or number == value else None


def _double(value: Any) -> float | str | None:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is None or math.isfinite(number) else str(number)  # JSON has none of the others


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


_NORMAL: dict[GlueType, Callable[[Any], Any]] = {
    "string": _text,
    "bigint": _bigint,
    "double": _double,
    "boolean": _boolean,
    "timestamp": _timestamp,
    "date": _date,
}


def _json(value: Any) -> str:
    """JSON in a text, or what it says: names sorted."""
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            return cast("str", value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS, default=str).decode()


def _plain(value: Any) -> Any:
    if isinstance(value, str | bool) or (isinstance(value, int) and -_BEYOND <= value < _BEYOND):
        return value
    if isinstance(value, float):
        return _double(value)
    return _json(value) if isinstance(value, dict | list) else str(value)
