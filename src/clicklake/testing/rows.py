"""Athena's text -> Python's values, by Athena's types. Pure.

The types: docs.aws.amazon.com/athena/latest/ug/data-types.html. Arrays, maps and rows stay text, for their text does
not say where a string in them ends; cast them to JSON.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from clicklake.errors import UsageError
from clicklake.query import Result

Row = dict[str, Any]


def _zoned(text: str) -> datetime:
    moment, _, zone = text.rpartition(" ")
    return datetime.fromisoformat(moment).replace(tzinfo=UTC if zone == "UTC" else _zone(zone))


def _zone(name: str) -> Any:
    """`Europe/Berlin`, or an offset such as `+01:00`."""
    return datetime.fromisoformat(f"2000-01-01T00:00{name}").tzinfo if name[0] in "+-" else ZoneInfo(name)


_READ: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "int", "bigint"), int),
    **dict.fromkeys(("float", "real", "double"), float),
    "boolean": lambda text: text == "true",
    "decimal": Decimal,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "timestamp": datetime.fromisoformat,
    "timestamp with time zone": _zoned,
    "varbinary": bytes.fromhex,
    "json": json.loads,
}


def rows(result: Result) -> list[Row]:
    """Raises UsageError if two columns have one name, for a dict has it once."""
    names = [column.name for column in result.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UsageError(f"two columns of the result are called {twice}", f"give one another name: {twice} AS ...")
    readers = [_READ.get(column.type, str) for column in result.columns]
    return [dict(zip(names, map(_value, readers, row), strict=True)) for row in result.rows]


def _value(read: Callable[[str], Any], text: str | None) -> Any:
    """NULL is None; a date that Python's calendar does not have stays text."""
    try:
        return None if text is None else read(text)
    except (ValueError, LookupError):
        return text
