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
