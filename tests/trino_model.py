"""What Trino's functions are worth, in Python, written from its documentation (trino.io/docs/current/functions).

Where Trino fails a function here raises Refused. text(value) is a value as Athena writes it. NULL arguments are
trino_formulas' business, but for functions that say otherwise.
"""

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any


class Refused(Exception):  # noqa: N818 - it is no error
    """Trino fails here."""


# Athena's text


def text(value: Any) -> str | None:
    return None if value is None else _written(value)


def _written(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return java_double(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_written(k)}={_written(v)}" for k, v in value.items()) + "}"
    return str(value)


def java_double(x: float) -> str:
    """java.lang.Double.toString: as few digits as needed; E notation below 10^-3 and from 10^7 on."""
    if math.isnan(x) or math.isinf(x):
        return "NaN" if math.isnan(x) else ("-" if x < 0 else "") + "Infinity"
    sign, digits, exponent = Decimal(repr(x)).as_tuple()
    assert isinstance(exponent, int)
    shown = "".join(map(str, digits)).rstrip("0") or "0"
    first = len(digits) + exponent - 1  # the power of ten of the first digit
    head = "-" if sign else ""
    if not x:
        return head + "0.0"
    if -3 <= first < 7:
        padded = shown.ljust(first + 1, "0") if first >= 0 else "0" * -first + shown
        point = max(first, 0) + 1
        return f"{head}{padded[:point]}.{padded[point:] or '0'}"
    return f"{head}{shown[0]}.{shown[1:] or '0'}E{first}"


# Numbers (functions/math.html, language/types.html)


def bigint(value: int) -> int:
    if not -(2**63) <= value < 2**63:
        raise Refused
    return value


def divide(a: int, b: int) -> int:
    """Towards zero."""
    if b == 0:
        raise Refused
    return bigint(abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1))


def remainder(a: int, b: int) -> int:
    """It has the sign of the dividend."""
    return a - divide(a, b) * b if b != -1 else 0


def half_up(x: float) -> int:
    """CAST to an integer: to the nearest, halves away from zero."""
    return int((Decimal(abs(x)) + Decimal("0.5")).to_integral_value(rounding="ROUND_FLOOR")) * (-1 if x < 0 else 1)


def to_bigint(x: float) -> int:
    return bigint(half_up(x))


def to_integer(x: float) -> int:
    if not -(2**31) <= half_up(x) < 2**31:
        raise Refused
    return half_up(x)


def bigint_of_text(s: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", s):
        raise Refused
    return bigint(int(s))


# Strings (functions/string.html): characters are code points, the first is 1, negative positions count from the end


def substr(s: str, start: int, length: int | None = None) -> str:
    if start == 0 or start < -len(s) or (length is not None and length <= 0):
        return ""
    begin = start - 1 if start > 0 else len(s) + start
    return s[begin:] if length is None else s[begin : begin + length]


def split(s: str, delimiter: str) -> list[str]:
    if not delimiter:
        raise Refused
    return s.split(delimiter)


def split_part(s: str, delimiter: str, index: int) -> str | None:
    """Fields start with 1; a larger index than there are fields gives NULL."""
    if index <= 0:
        raise Refused
    fields = list(s) if not delimiter else s.split(delimiter)
    return fields[index - 1] if index <= len(fields) else None


def pad(s: str, size: int, fill: str, left: bool) -> str:
    if size < 0 or not fill:
        raise Refused
    if len(s) >= size:
        return s[:size]
    padding = (fill * size)[: size - len(s)]
    return padding + s if left else s + padding


def replace(s: str, search: str, by: str) -> str:
    """An empty search string matches before every character and at the end."""
    return s.replace(search, by)


def like(s: str, pattern: str) -> bool:
    return re.fullmatch("".join({"_": ".", "%": ".*"}.get(c, re.escape(c)) for c in pattern), s, re.DOTALL) is not None


def concat_ws(separator: str | None, *parts: str | None) -> str | None:
    return None if separator is None else separator.join(p for p in parts if p is not None)


# Regular expressions (functions/regexp.html): Java's syntax


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


def regexp_like(s: str, p: str) -> bool:
    return _compiled(p).search(s) is not None


def regexp_extract(s: str, p: str, group: int = 0) -> str | None:
    compiled = _compiled(p)
    if group > compiled.groups:
        raise Refused
    found = compiled.search(s)
    return found.group(group) if found else None


def regexp_extract_all(s: str, p: str, group: int = 0) -> list[str | None]:
    compiled = _compiled(p)
    if group > compiled.groups:
        raise Refused
    return [found.group(group) for found in compiled.finditer(s)]


def regexp_replace(s: str, p: str, r: str = "") -> str:
    """(Matches of nothing are refused on the laptop.)"""
    if r and _compiled(p).search(""):
        raise Refused
    return _compiled(p).sub(lambda found: r.replace("$0", found.group()), s)


def regexp_position(s: str, p: str) -> int:
    found = _compiled(p).search(s)
    return found.start() + 1 if found else -1


def regexp_split(s: str, p: str) -> list[str]:
    """(Matches of nothing are refused on the laptop.)"""
    if _compiled(p).search(""):
        raise Refused
    parts, end = [], 0
    for found in _compiled(p).finditer(s):
        parts.append(s[end : found.start()])
        end = found.end()
    return [*parts, s[end:]]


# JSON (functions/json.html)


class _Missing:
    pass


_MISSING = _Missing()


def _json(s: str) -> Any:
    try:
        return json.loads(s)
    except ValueError:
        return _MISSING


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _at(value: Any, path: Sequence[str | int]) -> Any:
    for step in path:
        if isinstance(step, int) and isinstance(value, list):
            value = value[step] if step < len(value) else _MISSING
        elif isinstance(step, str) and isinstance(value, dict):
            value = value.get(step, _MISSING)
        else:
            return _MISSING
    return value


def json_extract(s: str, *path: str | int) -> str | None:
    found = _at(_json(s), path)
    return None if found is _MISSING else _dumped(found)


def json_extract_scalar(s: str, *path: str | int) -> str | None:
    found = _at(_json(s), path)
    if found is _MISSING or found is None or isinstance(found, list | dict):
        return None
    return found if isinstance(found, str) else _dumped(found)


def json_array_length(s: str) -> int | None:
    found = _json(s)
    return len(found) if isinstance(found, list) else None


def json_array_contains(s: str, wanted: int) -> bool | None:
    found = _json(s)
    if not isinstance(found, list):
        return None
    return any(not isinstance(v, bool) and isinstance(v, int) and v == wanted for v in found)


def json_size(s: str, *path: str | int) -> int | None:
    found = _at(_json(s), path)
    if found is _MISSING:
        return None
    return len(found) if isinstance(found, list | dict) else 0


def is_json_scalar(s: str) -> bool:
    found = _json(s)
    if found is _MISSING:
        raise Refused
    return not isinstance(found, list | dict)


# Dates (functions/datetime.html); months as Joda's chronology counts them, which Trino uses

_MILLISECONDS = {
    "millisecond": 1, "second": 1000, "minute": 60_000, "hour": 3_600_000, "day": 86_400_000, "week": 604_800_000
}  # fmt: skip


def moment(x: date) -> datetime:
    return x if isinstance(x, datetime) else datetime.combine(x, time())


def days(year: int, month: int) -> int:
    return ((date(year + month // 12, month % 12 + 1, 1)) - date(year, month, 1)).days


def date_diff(unit: str, a: date, b: date) -> int:
    """b - a in whole units."""
    a, b = moment(a), moment(b)
    if b < a:
        return -date_diff(unit, b, a)
    if unit in _MILLISECONDS:
        return (b - a) // timedelta(milliseconds=1) // _MILLISECONDS[unit]
    months = _months(a, b)
    return {"month": months, "quarter": months // 3, "year": _years(a, b)}[unit]


def _months(a: datetime, b: datetime) -> int:
    """A month that ends on its last day is whole though the first one had a later day."""
    months = (b.year - a.year) * 12 + b.month - a.month
    day = min(a.day, b.day) if b.day == days(b.year, b.month) else a.day
    return months - ((b.day, b.time()) < (day, a.time()))


def _years(a: datetime, b: datetime) -> int:
    """By the days since the year began, balanced for leap years (GregorianChronology.getYearDifference)."""

    def leap(year: int) -> bool:
        return days(year, 2) == 29

    since_a, since_b = (x - datetime.combine(date(x.year, 1, 1), time()) for x in (a, b))
    if since_a >= timedelta(days=59):
        if leap(a.year) and not leap(b.year):
            since_a -= timedelta(days=1)
        elif not leap(a.year) and leap(b.year):
            since_b -= timedelta(days=1)
    return b.year - a.year - (since_b < since_a)


def date_add(unit: str, count: int, x: date) -> date:
    if unit in _MILLISECONDS:
        return x + timedelta(milliseconds=_MILLISECONDS[unit] * count)
    months = x.year * 12 + x.month - 1 + count * {"month": 1, "quarter": 3, "year": 12}[unit]
    year, month = months // 12, months % 12 + 1
    return x.replace(year=year, month=month, day=min(x.day, days(year, month)))


def date_trunc(unit: str, x: date) -> date:
    midnight = datetime.combine(x, time()) if isinstance(x, datetime) else x
    if unit in {"second", "minute", "hour"}:
        assert isinstance(x, datetime)
        begun = {"second": x, "minute": x.replace(second=0), "hour": x.replace(second=0, minute=0)}
        return begun[unit].replace(microsecond=0)
    starts = {
        "day": midnight,
        "week": midnight - timedelta(days=midnight.weekday()),
        "month": midnight.replace(day=1),
        "quarter": midnight.replace(day=1, month=(x.month - 1) // 3 * 3 + 1),
        "year": midnight.replace(day=1, month=1),
    }
    return starts[unit]


# Arrays and maps (functions/array.html, map.html): NULL in an array is a value that is not known


def element_at(values: list[Any], index: int) -> Any:
    if index == 0:
        raise Refused
    at = index - 1 if index > 0 else len(values) + index
    return values[at] if 0 <= at < len(values) else None


def subscript(values: list[Any], index: int) -> Any:
    if not 1 <= index <= len(values):
        raise Refused
    return values[index - 1]


def key(values: dict[str, Any], name: str) -> Any:
    if name not in values:
        raise Refused
    return values[name]


def slice_(values: list[Any], start: int, length: int) -> list[Any]:
    if start == 0 or length < 0:
        raise Refused
    if not 0 < abs(start) <= len(values):
        return []
    begin = start - 1 if start > 0 else len(values) + start
    return values[begin : begin + length]


def array_position(values: list[Any], wanted: int) -> int:
    return next((i for i, v in enumerate(values, 1) if v == wanted), 0)


def contains(values: list[Any], wanted: int) -> bool | None:
    return True if wanted in values else None if None in values else False


def arrays_overlap(a: list[Any], b: list[Any]) -> bool | None:
    if {v for v in a if v is not None} & {v for v in b if v is not None}:
        return True
    return None if (None in a and b) or (None in b and a) else False


def distinct(values: list[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def extreme(pick: Callable[[list[Any]], Any]) -> Callable[[list[Any]], Any]:
    return lambda values: None if not values or None in values else pick(values)


def sorted_(values: list[Any]) -> list[Any]:
    return sorted(v for v in values if v is not None) + [v for v in values if v is None]


def match(values: list[Any], test: Callable[[Any], bool | None], every: bool) -> bool | None:
    """any_match (every: all_match): NULL if that is not known of an element, and the others don't settle it."""
    found = [test(v) for v in values]
    if (not every) in found:
        return not every
    return None if None in found else every


def sequence(a: int, b: int) -> list[int]:
    return list(range(a, b + 1) if a <= b else range(a, b - 1, -1))


def between(x: Any, low: Any, high: Any) -> bool | None:
    """AND of three values: false wins over NULL."""
    found = [None if None in pair else pair[0] <= pair[1] for pair in ((low, x), (x, high))]
    return False if False in found else None if None in found else True


def equal(a: list[Any], b: list[Any]) -> bool | None:
    """Of arrays: a NULL that decides makes it unknown (language/types.html, comparison operators)."""
    if len(a) != len(b):
        return False
    found = [None if None in pair else pair[0] == pair[1] for pair in zip(a, b, strict=True)]
    return False if False in found else None if None in found else True


def greatest(*values: Any) -> Any:
    return None if None in values else max(values)


def least(*values: Any) -> Any:
    return None if None in values else min(values)


def refuse() -> Any:
    raise Refused


def longest(a: list[Any], b: list[Any]) -> list[tuple[Any, Any]]:
    size = max(len(a), len(b))
    return [(a[i] if i < len(a) else None, b[i] if i < len(b) else None) for i in range(size)]
