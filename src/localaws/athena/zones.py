"""Timestamps with a time zone of their own: an instant (DuckDB's TIMESTAMPTZ) and the zone's name, as a struct t_zoned.

DuckDB's TIMESTAMPTZ is an instant alone, which stands here for one in UTC, Athena's session zone. Where the tree shows
a zone, what is asked of the value is worked out of its local time or of its instant; a function that doesn't know of
zones finds no overload for the struct, so a zone is never lost silently.
(trino.io/docs/current/functions/datetime.html, trino.io/docs/current/language/types.html#timestamp-p-with-time-zone)
"""

import re
from collections.abc import Sequence

from sqlglot import exp

from localaws.athena import columns
from localaws.athena.failures import QueryFailure, not_supported

_UTC = {"UTC", "GMT", "Z", "ETC/UTC", "+00:00"}
_OFFSET = re.compile(r"[+-]\d\d:\d\d")
_WRITTEN = re.compile(r"(.*?\d) ?([A-Za-z][\w/+-]*|[+-]\d\d:\d\d)")
_FURTHEST = 14 * 60  # minutes from UTC
_ISO = re.compile(r"(.*T.*)([+-]\d\d):?(\d\d)?")
_SAME = {"max", "min", "any_value"}  # give one of the values of a column, all of which are in one zone
_SHORT = {"millisecond", "second", "minute", "hour"}
# What looks at the local time, and gives something that has no zone.
_LOCAL = set(
    """date date_format day day_of_month day_of_week day_of_year dow doy format_datetime hour last_day_of_month
    millisecond minute month quarter second week week_of_year year year_of_week yow""".split()  # noqa: SIM905
)

COMPARISONS = (
    exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In, exp.NullSafeEQ, exp.NullSafeNEQ,
)  # fmt: skip
MACROS = {
    "t_from_iso8601(s)": "CASE WHEN regexp_matches(s, 'T.*[+-]\\d\\d:?(\\d\\d)?$') "
    "AND NOT regexp_matches(s, '[+-]00:?(00)?$') THEN CAST(t_fail('NOT_SUPPORTED: from_iso8601_timestamp of a text "
    "with an offset, where its zone counts, is not supported by the local Athena yet (put AT TIME ZONE around it)') "
    "AS TIMESTAMPTZ) ELSE CAST(s AS TIMESTAMPTZ) END",
    "t_zoned(i, z)": "CASE WHEN i IS NOT NULL THEN struct_pack(t_at := CAST(i AS TIMESTAMPTZ), t_zone := z) END",
    "t_zone(z)": "CASE WHEN regexp_full_match(z, '[+-]\\d\\d:\\d\\d') THEN 'GMT' || z ELSE z END",
    "t_offset(i, z)": "date_sub('minute', CAST(i AS TIMESTAMP), timezone(t_zone(z), i))",
    "t_offset_text(m)": "CASE WHEN m = 0 THEN 'Z' ELSE CASE WHEN m < 0 THEN '-' ELSE '+' END || "
    "lpad(CAST(abs(m) // 60 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(m) % 60 AS VARCHAR), 2, '0') END",
    "t_zoned_text(x)": "strftime(timezone(t_zone(x.t_zone), x.t_at), '%Y-%m-%d %H:%M:%S.%g') || ' ' || x.t_zone",
    "t_zoned_iso8601(i, z)": "strftime(timezone(t_zone(z), i), '%Y-%m-%dT%H:%M:%S.%g') "
    "|| t_offset_text(t_offset(i, z))",
}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _cast(value: exp.Expr, kind: str) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(kind, dialect="duckdb"))


def is_zoned(node: exp.Expr | None) -> bool:
    node = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(node, exp.Column):
        return _zone_of_column(node) is not None
    if isinstance(node, exp.Anonymous) and node.name.lower() in _SAME and node.expressions:
        return is_zoned(node.expressions[0])
    return isinstance(node, exp.Anonymous) and node.name == "t_zoned"


def _zone_of_column(node: exp.Column) -> exp.Expr | None:
    """The literal zone of a subquery's column, which is rewritten before what reads it (dialect.py)."""
    origin = columns.origin(node)
    return _parts(origin)[1] if origin is not None and is_zoned(origin) else None


def _parts(node: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """(the instant, the name of the zone)"""
    inner = node.unnest()
    if isinstance(inner, exp.Column):
        zone = _zone_of_column(inner)
        assert zone is not None
        return _call("struct_extract", inner.copy(), exp.Literal.string("t_at")), zone.copy()
    if inner.name.lower() in _SAME:
        return _call("struct_extract", inner.copy(), exp.Literal.string("t_at")), _parts(inner.expressions[0])[1].copy()
    instant, zone = inner.expressions
    return instant, zone


def instant(node: exp.Expr) -> exp.Expr:
    """What is compared: the same moment in any zone."""
    return _parts(node)[0].copy() if is_zoned(node) else node


def local(node: exp.Expr) -> exp.Expr:
    """The clock on the wall, as a TIMESTAMP."""
    if not is_zoned(node):
        return node
    at, zone = _parts(node)
    return _call("timezone", _icu(zone), at.copy())


def _icu(zone: exp.Expr) -> exp.Expr:
    name = zone.name
    return exp.Literal.string(f"GMT{name}" if _OFFSET.fullmatch(name) else name)


def _named(zone: exp.Expr) -> str:
    if not (isinstance(zone, exp.Literal) and zone.is_string):
        raise not_supported("a time zone that is not a literal")
    return zone.name


def at_zone(value: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """value AT TIME ZONE zone: the same instant. A TIMESTAMP is one of the session's zone, UTC."""
    name = _named(zone)
    inner = value.unnest()
    if isinstance(inner, exp.Cast) and inner.to.this == exp.DType.TIME:
        raise not_supported("AT TIME ZONE of a TIME")
    at = instant(value) if is_zoned(value) else _cast(value, "TIMESTAMPTZ")
    return at if name.upper() in _UTC else _call("t_zoned", at, exp.Literal.string(name))


def with_zone(value: exp.Expr, zone: exp.Expr) -> exp.Expr:
    """with_timezone(timestamp, zone): the same clock on the wall."""
    name = _named(zone)
    plain = _cast(value, "TIMESTAMP")
    if name.upper() in _UTC:
        return _cast(plain, "TIMESTAMPTZ")
    return _call("t_zoned", _call("timezone", _icu(zone), plain), exp.Literal.string(name))


def offset(a: Sequence[exp.Expr], minutes: str) -> exp.Expr:
    """timezone_hour and timezone_minute; of UTC, 0."""
    if isinstance(a[0], exp.Cast) and a[0].to.this in {exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIME}:
        told = f"TIMEZONE_{minutes.upper()} of a {a[0].to.this.value.lower()}, which has no time zone"
        raise QueryFailure(f"TYPE_MISMATCH: Cannot extract {told}")
    zone = _parts(a[0])[1].copy() if is_zoned(a[0]) else exp.Literal.string("UTC")
    at = instant(a[0]) if is_zoned(a[0]) else _cast(a[0], "TIMESTAMPTZ")
    found = exp.Paren(this=_call("t_offset", at, zone))
    kind = exp.Mod if minutes == "minute" else exp.IntDiv
    return exp.Paren(this=kind(this=found, expression=exp.Literal.number(60)))


def from_iso8601(a: Sequence[exp.Expr]) -> exp.Expr:
    """from_iso8601_timestamp: a text's offset is the zone of the value. That of a literal is known here; where only the
    instant counts it doesn't matter, and elsewhere a text with an offset is refused when it comes."""
    text, used = a[0].unnest(), a[0].parent.parent if a[0].parent else None
    while isinstance(used, exp.Paren):
        used = used.parent
    if isinstance(text, exp.Literal) and text.is_string and (written := _ISO.fullmatch(text.name)):
        zone = exp.Literal.string(f"{written[2]}:{written[3] or '00'}")
        return at_zone(_cast(text, "TIMESTAMPTZ"), zone)
    instant_only = isinstance(used, (*COMPARISONS, exp.AtTimeZone)) or (
        isinstance(used, exp.Anonymous) and used.name.lower() in {"to_unixtime", "at_timezone"}
    )
    return _cast(a[0], "TIMESTAMPTZ") if instant_only else _call("t_from_iso8601", a[0])


def iso8601(a: Sequence[exp.Expr]) -> exp.Expr:
    """to_iso8601: a literal's fraction has its own digits, any other timestamp's three."""
    value = a[0].unnest()
    inner = value.this if isinstance(value, exp.Cast) else None
    if not (isinstance(inner, exp.Cast) and inner.to.this == exp.DType.TIMESTAMP and inner.to.expressions):
        return _call("t_to_iso8601", a[0])
    digits = int(inner.to.expressions[0].name)
    written = _call("strftime", a[0], exp.Literal.string("%Y-%m-%dT%H:%M:%S.%f"))
    return _call("left", written, exp.Literal.number(20 + digits if digits else 19))


def zone_name(a: Sequence[exp.Expr]) -> exp.Expr:
    """timezone(timestamp with time zone), whose zone is the literal's or UTC."""
    return _parts(a[0])[1].copy() if is_zoned(a[0]) else exp.Literal.string("UTC")


def from_unixtime(a: Sequence[exp.Expr]) -> exp.Expr:
    """from_unixtime(seconds), (seconds, zone) or (seconds, hours, minutes)."""
    at = _call("to_timestamp", a[0])
    if len(a) == 1:
        return at
    if len(a) == 2:
        return at_zone(at, a[1])
    hours, minutes = (_whole(x) for x in a[1:])
    total = hours * 60 + minutes
    if abs(total) > _FURTHEST or (hours * minutes) < 0:
        raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: Invalid offset minutes: {total}")
    return at_zone(at, exp.Literal.string(f"{'-' if total < 0 else '+'}{abs(total) // 60:02}:{abs(total) % 60:02}"))


def _whole(node: exp.Expr) -> int:
    sign, node = (-1, node.this) if isinstance(node, exp.Neg) else (1, node)
    if not (isinstance(node, exp.Literal) and str(node.this).isdigit()):
        raise not_supported("from_unixtime with an offset that is not a literal")
    return sign * int(node.this)


def consumed(name: str, a: Sequence[exp.Expr]) -> exp.Expr | list[exp.Expr]:
    """What stands for a call with zoned arguments, or its arguments without their zones."""
    if not any(is_zoned(x) for x in a):
        return list(a)
    if name in _LOCAL:
        return [local(x) for x in a]
    if name == "to_unixtime":
        return [instant(x) for x in a]
    if name == "to_iso8601":
        return _call("t_zoned_iso8601", *(p.copy() for p in _parts(a[0])))
    if name == "date_diff" and a[0].name.lower() in _SHORT:
        return [instant(x) for x in a]
    if name == "date_trunc" and is_zoned(a[1]):
        return _truncated(a[0], a[1])
    return list(a)


def _truncated(unit: exp.Expr, value: exp.Expr) -> exp.Expr:
    """Down to an hour on the instant, which is right in an hour that comes twice; else on the wall's clock."""
    at, zone = _parts(value)
    cut = _call("date_trunc", unit.copy(), local(value))
    if unit.name.lower() in _SHORT:
        rest = exp.Paren(this=exp.Sub(this=local(value), expression=cut))
        return _call("t_zoned", exp.Sub(this=at.copy(), expression=rest), zone.copy())
    return _call("t_zoned", _call("timezone", _icu(zone), cut), zone.copy())


def plus(value: exp.Expr, unit: str, interval: exp.Expr) -> exp.Expr:
    """Hours are added to the instant, days and months to the clock on the wall."""
    at, zone = _parts(value)
    if unit.lower().rstrip("s") in _SHORT:
        return _call("t_zoned", exp.Add(this=at.copy(), expression=interval), zone.copy())
    moved = exp.Add(this=local(value), expression=interval)
    return _call("t_zoned", _call("timezone", _icu(zone), moved), zone.copy())


def cast(node: exp.Cast) -> exp.Expr | None:
    """A cast of a zoned value, or of a literal that names a zone; None if zones have nothing to do with it."""
    value, kind = node.this, node.to.this
    if is_zoned(value):
        if kind in {exp.DType.VARCHAR, exp.DType.TEXT}:
            return _call("t_zoned_text", value)
        if kind in {exp.DType.DATE, exp.DType.TIME, exp.DType.TIMESTAMP}:
            return _cast(local(value), kind.value)
        if kind == exp.DType.TIMESTAMPTZ:
            same: exp.Expr = value.copy()
            return same
        raise not_supported(f"a cast of a timestamp with a time zone to {kind.value}")
    if kind != exp.DType.TIMESTAMPTZ or not (isinstance(value, exp.Literal) and value.is_string):
        return None
    written = _WRITTEN.fullmatch(value.name.strip())
    if written is None:
        return None
    return with_zone(exp.Literal.string(written[1]), exp.Literal.string(written[2]))


def compared(node: exp.Expr) -> exp.Expr:
    """Instants are compared."""
    for child in [*node.iter_expressions()]:
        if is_zoned(child):
            child.replace(instant(child))
    return node
