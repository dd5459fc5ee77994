"""Dates and timestamps in arithmetic: with an interval a date stays a date, where DuckDB makes a timestamp of it.

What an expression is can mostly be seen in the tree. Where it can't, a macro decides by the type that DuckDB knows; of
an aggregate it doesn't, and the query is refused.
"""

from sqlglot import exp

from localaws.athena.columns import type_of_column

_DATE, _TIMESTAMP = "date", "timestamp"
_DATES = {"last_day"}
_TIMESTAMPS = {"now", "strptime", "to_timestamp"}
_SAME = {"min", "max", "coalesce", "nullif", "lag", "lead", "first_value", "last_value", "any_value", "greatest",
         "least", "arg_max_null", "arg_min_null", "try"}  # fmt: skip


MACROS = {
    # ISODateTimeFormat.dateElementParser of Joda-Time: calendar, week and ordinal dates, or the beginning of one
    "t_iso_date(s)": r"""CASE WHEN regexp_full_match(s, '\d{4}-\d{3}') THEN CAST(try_strptime(s, '%Y-%j') AS DATE)
        WHEN regexp_full_match(s, '\d{4}-W\d{2}(-[1-7])?') AND strftime(t_week_date(s), '%G-W%V') = left(s, 8)
          THEN t_week_date(s)
        WHEN regexp_full_match(s, '\d{4}') THEN TRY_CAST(s || '-01-01' AS DATE)
        WHEN regexp_full_match(s, '\d{4}-\d{1,2}') THEN TRY_CAST(s || '-01' AS DATE)
        WHEN regexp_full_match(s, '\d{4}-\d{1,2}-\d{1,2}') THEN TRY_CAST(s AS DATE) END""",
    "t_week_date(s)": "CAST(try_strptime(left(s || '-1', 10), '%G-W%V-%u') AS DATE)",
    "t_from_iso_date(s)": "CASE WHEN s IS NULL OR t_iso_date(s) IS NOT NULL THEN t_iso_date(s) ELSE "
    "CAST(t_fail('INVALID_FUNCTION_ARGUMENT: Invalid format: \"' || s || '\"') AS DATE) END",
    # (SQL:2016, 8.14: either end may come first)
    "t_overlaps(a, b, c, d)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL AND c IS NOT NULL AND d IS NOT NULL "
    "THEN t_overlapping(least(a, b), greatest(a, b), least(c, d), greatest(c, d)) END",
    "t_overlapping(s, e, t, f)": "CASE WHEN s > t THEN NOT (s >= f AND e >= f) WHEN t > s THEN NOT (t >= e AND f >= e) "
    "WHEN s = t THEN true END",
    # Hours and minutes of an interval are those left of its days; DuckDB's '90 minutes' has no hours or has 25.
    **{
        f"t_{part}(i INTERVAL)": f"CAST(trunc(epoch(i) / {seconds}) AS BIGINT) % {most}"
        for part, seconds, most in (("hour", 3600, 24), ("minute", 60, 60), ("second", 1, 60))
    },
    **{f"t_{part}(t)": f"{part}(t)" for part in ("hour", "minute", "second")},
    "t_millisecond(i INTERVAL)": "CAST(round(epoch(i) * 1000) AS BIGINT) % 1000",
    "t_millisecond(t)": "millisecond(t) % 1000",
}


def plus(value: exp.Expr, interval: exp.Expr) -> exp.Expr:
    """value + interval."""
    found = kind(value)  # before `added` takes it out of its tree, where its columns' tables are
    added = exp.Add(this=value, expression=interval)
    return {_DATE: _as_date(added), _TIMESTAMP: added}.get(found or "") or _macro("t_plus", value, interval)


def truncated(unit: exp.Expr, value: exp.Expr) -> exp.Expr:
    """date_trunc(unit, value)."""
    cut = _macro("date_trunc", unit, value)
    return {_DATE: _as_date(cut), _TIMESTAMP: cut}.get(kind(value) or "") or _macro("t_trunc", unit, value)


def kind(node: exp.Expr) -> str | None:
    """ "date", "timestamp", or None if that can't be seen."""
    if isinstance(node, exp.Paren | exp.Window | exp.Filter | exp.IgnoreNulls):
        return kind(node.this)
    if isinstance(node, exp.Cast):
        return _DATE if node.to.this == exp.DType.DATE else _TIMESTAMP if node.to.is_type(*_TIMESTAMP_TYPES) else None
    if isinstance(node, exp.CurrentDate):
        return _DATE
    if isinstance(node, exp.CurrentTimestamp | exp.Localtimestamp):
        return _TIMESTAMP
    if isinstance(node, exp.Column):
        found = type_of_column(node)
        return found.name.split()[0] if found and found.name.split()[0] in {_DATE, _TIMESTAMP} else None
    if isinstance(node, exp.Anonymous):
        return _of_call(node)
    return kind(node.this) if isinstance(node, exp.Add) else None


def _of_call(node: exp.Anonymous) -> str | None:
    name = node.name.lower()
    if name in _DATES | _TIMESTAMPS:
        return _DATE if name in _DATES else _TIMESTAMP
    if name == "date_trunc":
        return kind(node.expressions[1])
    return kind(node.expressions[0]) if name in _SAME and node.expressions else None


_TIMESTAMP_TYPES = (exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ)


def _as_date(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node.copy(), to=exp.DataType.build("DATE"))


def _macro(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[a.copy() for a in arguments])
