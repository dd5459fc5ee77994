"""Partition projection: the partitions that a table's properties describe, whatever Glue has registered.

    values(table, key, wanted, now)  -> the values of one partition key: projection.<key>.type is
        enum      projection.<key>.values
        integer   .range, .interval, .digits
        date      .range (dates in .format, or NOW-3DAYS), .interval, .interval.unit
        injected  those that the query's WHERE names
    location(table, values)          -> storage.location.template filled in, or <location>/key=value/...

docs.aws.amazon.com/athena/latest/ug/partition-projection-setting-up.html and -supported-types.html. Times are UTC.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from sqlglot import exp

from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.java_dates import JavaDates
from localaws.athena.table import Column, Table

_NOW = re.compile(r"\s*NOW\s*(?:([+-])\s*(\d+)\s*(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND)S?\s*)?", re.IGNORECASE)
_MONTHS = {"YEAR": 12, "MONTH": 1}
_SECONDS = {"WEEK": 604800, "DAY": 86400, "HOUR": 3600, "MINUTE": 60, "SECOND": 1}
MOST = 1_000_000  # partitions that one query may be asked to look at


def is_projected(table: Table) -> bool:
    return table.parameters.get("projection.enabled", "").strip().lower() == "true" and bool(table.keys)


def values(table: Table, key: Column, wanted: Sequence[exp.Expr], now: datetime) -> list[str]:
    """`wanted` are the query's conditions on this table's keys; `now` is in UTC, without a zone."""
    properties = {
        k.removeprefix(f"projection.{key.name}."): v
        for k, v in ((k.lower(), v) for k, v in table.parameters.items())
        if k.startswith(f"projection.{key.name}.")
    }
    kind = _property(table, key, properties, "type").strip().lower()
    if kind == "enum":
        return _property(table, key, properties, "values").split(",")
    if kind == "integer":
        return _integers(table, key, properties)
    if kind == "date":
        return _dates(table, key, properties, now)
    if kind == "injected":
        return _injected(key, wanted)
    raise _invalid(table, key, "type", f"'{kind}' is none of enum, integer, date and injected")


def location(table: Table, chosen: Sequence[str]) -> str:
    names = [k.name for k in table.keys]
    template = table.parameters.get("storage.location.template")
    if template is None:
        tail = "".join(f"{n}={v}/" for n, v in zip(names, chosen, strict=True))
        return f"{table.location.rstrip('/')}/{tail}"
    for name, value in zip(names, chosen, strict=True):
        place = re.compile(re.escape(f"${{{name}}}"), re.IGNORECASE)
        if not place.search(template):
            problem = f"storage.location.template has no ${{{name}}}"
            raise QueryFailure(f"INVALID_TABLE_PROPERTY: Table {table.database}.{table.name}: {problem}")
        template = place.sub(value.replace("\\", "\\\\"), template)
    return template


def _property(table: Table, key: Column, properties: Mapping[str, str], name: str) -> str:
    if name not in properties:
        raise _invalid(table, key, name, "is missing")
    return properties[name]


def _invalid(table: Table, key: Column, name: str, problem: str) -> QueryFailure:
    return QueryFailure(
        f"INVALID_TABLE_PROPERTY: Table {table.database}.{table.name}: projection.{key.name}.{name} {problem}"
    )


def _positive(table: Table, key: Column, properties: Mapping[str, str], name: str) -> int:
    text = properties.get(name, "1").strip()
    if not text.isdecimal() or int(text) == 0:
        raise _invalid(table, key, name, f"must be a positive integer: '{text}'")
    return int(text)


def _range(table: Table, key: Column, properties: Mapping[str, str]) -> tuple[str, str]:
    first, comma, last = _property(table, key, properties, "range").partition(",")
    if not comma or "," in last:
        raise _invalid(table, key, "range", "must be two values parted by a comma")
    return first, last


def _integers(table: Table, key: Column, properties: Mapping[str, str]) -> list[str]:
    try:
        first, last = (int(x) for x in _range(table, key, properties))
    except ValueError as e:
        raise _invalid(table, key, "range", "must be two integers") from e
    digits = _positive(table, key, properties, "digits") if "digits" in properties else 0
    numbers = range(first, last + 1, _positive(table, key, properties, "interval"))
    _check_count(table, len(numbers))
    return [f"{n:0{digits + (n < 0)}d}" for n in numbers] if digits else [str(n) for n in numbers]


def _dates(table: Table, key: Column, properties: Mapping[str, str], now: datetime) -> list[str]:
    dates = JavaDates(_property(table, key, properties, "format"))
    if key.type.name in {"date", "timestamp"} and dates.format not in {"yyyy-MM-dd", "yyyy-MM-dd HH:mm:ss"}:
        raise not_supported(f"a projected {key.type.name} column in the format {dates.format}")
    first, last = (_bound(table, key, dates, text, now) for text in _range(table, key, properties))
    unit = properties.get("interval.unit", "").strip().upper().removesuffix("S")
    if not unit and dates.smallest not in {"DAY", "MONTH"}:
        raise _invalid(table, key, "interval.unit", f"is missing, and {dates.format} is no format of days or months")
    unit = unit or dates.smallest
    if unit not in {*_MONTHS, *_SECONDS}:
        raise _invalid(table, key, "interval.unit", f"is '{unit}'")
    if dates.smallest not in {"DAY", "MONTH"} and "interval" not in properties:
        raise _invalid(table, key, "interval", "is missing")
    found = []
    for moment in _steps(first, last, _positive(table, key, properties, "interval"), unit):
        found.append(dates.written(moment))
        _check_count(table, len(found))
    return list(dict.fromkeys(found))


def _bound(table: Table, key: Column, dates: JavaDates, text: str, now: datetime) -> datetime:
    relative = _NOW.fullmatch(text)
    try:
        if relative is None:
            return dates.read(text.strip())
        amount = int(relative[2] or 0) * (-1 if relative[1] == "-" else 1)
        # A bound is what its own format can say: NOW in a format of days is today's first moment.
        return dates.read(dates.written(_plus(now, amount, (relative[3] or "DAY").upper())))
    except (ValueError, OverflowError) as e:
        raise _invalid(table, key, "range", f"has '{text}', which is not of the format {dates.format}") from e


def _steps(first: datetime, last: datetime, interval: int, unit: str) -> Iterator[datetime]:
    moment = first
    while moment <= last:
        yield moment
        moment = _plus(moment, interval, unit)


def _plus(moment: datetime, amount: int, unit: str) -> datetime:
    """A month's 31st becomes the last day of a shorter month, as java.time has it."""
    if unit in _SECONDS:
        return moment + timedelta(seconds=amount * _SECONDS[unit])
    year, month = divmod(moment.year * 12 + moment.month - 1 + amount * _MONTHS[unit], 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def _injected(key: Column, wanted: Sequence[exp.Expr]) -> list[str]:
    """Trino's words for a WHERE that doesn't say which values there are."""
    for condition in wanted:
        found = _named(condition, key.name)
        if found:
            return sorted(set(found))
    raise QueryFailure(
        f"CONSTRAINT_VIOLATION: For the injected projected partition column {key.name}, the WHERE clause must contain "
        "only static equality conditions, and at least one such condition must be present."
    )


def _named(condition: exp.Expr, name: str) -> list[str]:
    """The literals that the condition lets the column be; none if it says anything else."""
    condition = condition.unnest()
    if isinstance(condition, exp.Or):
        sides = [_named(side, name) for side in (condition.this, condition.expression)]
        return [v for side in sides for v in side] if all(sides) else []
    if isinstance(condition, exp.EQ):
        sides_of = (condition.this.unnest(), condition.expression.unnest())
        column, others = (sides_of[0], [sides_of[1]]) if _is(sides_of[0], name) else (sides_of[1], [sides_of[0]])
    elif isinstance(condition, exp.In) and condition.expressions:
        column, others = condition.this.unnest(), [x.unnest() for x in condition.expressions]
    else:
        return []
    literal = all(isinstance(x, exp.Literal) for x in others)
    return [str(x.this) for x in others] if _is(column, name) and literal else []


def _is(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Column) and node.name.lower() == name


def _check_count(table: Table, count: int) -> None:
    if count > MOST:
        raise not_supported(f"a query that projects more than {MOST:,} partitions of {table.database}.{table.name}")
