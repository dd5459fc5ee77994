"""A syntax tree of Trino's SQL rewritten for DuckDB, and written down as DuckDB's SQL.

rewrite(tree)   functions by functions.py and rewrites.py, then operators and casts whose meaning differs
generate(tree)  what the generator can't say is refused
"""

import re
from collections.abc import Callable, Iterator

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ErrorLevel, UnsupportedError
from sqlglot.generators.duckdb import DuckDBGenerator

from localaws.athena import aggregates, arrays, comparisons, known, numbers, refusals, rows, temporal, unnesting, zones
from localaws.athena.calls import call
from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.functions import FUNCTIONS
from localaws.athena.rewrites import REWRITES

_SOURCES = ("with_", "from_", "joins", "laterals")
_TIMES = {"hour", "minute", "second"}
_INTEGERS = {exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT}


class _Generator(DuckDBGenerator):
    def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
        inner = expression.this
        return f"{inner.name}({self.expressions(inner, flat=True)} IGNORE NULLS)"

    def datatype_sql(self, expression: exp.DataType) -> str:
        if rows.is_tuple(expression):
            return f"TUPLE({self.expressions(expression, flat=True)})"
        return super().datatype_sql(expression)


class _DuckDB(DuckDB):
    Generator = _Generator


_OUT = _DuckDB()


def rewrite(tree: exp.Expr) -> exp.Expr:
    """The tree with Trino's meaning in DuckDB's words. Innermost first; raises QueryFailure for what can't be said."""
    refusals.check(tree)
    decimals = numbers.has_decimals(tree)
    for node in list(_inside_out(tree)):
        change = _CHANGES.get(type(node))
        if change is not None:
            new = change(node, decimals)
            if new is not node:
                node.replace(new)
    return tree


def _inside_out(node: exp.Expr) -> Iterator[exp.Expr]:
    """Each node behind all that is in it, and a SELECT's columns behind the tables and subqueries that they are of."""
    names = [*(n for n in _SOURCES if n in node.args), *(n for n in node.args if n not in _SOURCES)]
    for name in names:
        value = node.args[name]
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, exp.Expr):
                yield from _inside_out(child)
    yield node


def _function(node: exp.Anonymous, decimals: bool) -> exp.Expr:
    name = node.name.lower()
    if name == "avg" and decimals:
        return numbers.average(node)
    if decimals and name in numbers.ROUNDING:
        return numbers.rounded(node)
    without = zones.consumed(name, node.expressions)
    if isinstance(without, exp.Expr):
        return without
    node.set("expressions", without)
    if name in REWRITES:
        return REWRITES[name][2](node.expressions)
    if name not in FUNCTIONS:  # an argument of a rewrite that has been replaced already
        return node
    node.set("this", FUNCTIONS[name].target)
    return node


def _shift(node: exp.Add | exp.Sub, _: bool) -> exp.Expr:
    value, interval = node.this.unnest(), node.expression.unnest()
    if isinstance(value, exp.Interval) and isinstance(node, exp.Add):
        value, interval = interval, value
    if not isinstance(interval, exp.Interval) or isinstance(value, exp.Interval):
        return node
    if zones.is_zoned(value):
        signed = exp.Neg(this=interval) if isinstance(node, exp.Sub) else interval
        return zones.plus(value, interval.args["unit"].name, signed)
    return temporal.plus(value, exp.Neg(this=interval) if isinstance(node, exp.Sub) else interval)


def _extract(node: exp.Extract, _: bool) -> exp.Expr:
    field = node.this.name.lower()
    if field in {"timezone_hour", "timezone_minute"}:
        return zones.offset([node.expression], field.removeprefix("timezone_"))
    if field == "millisecond":
        raise QueryFailure("SYNTAX_ERROR: Invalid EXTRACT field: MILLISECOND")
    if field in _TIMES and temporal.kind(node.expression) == "date":
        raise QueryFailure(f"TYPE_MISMATCH: Cannot extract {field.upper()} from date")
    if field not in FUNCTIONS or FUNCTIONS[field].least != 1:
        raise not_supported(f"EXTRACT({field.upper()} ...)")
    return call(FUNCTIONS[field].target, zones.local(node.expression))


def _overlaps(node: exp.Overlaps, _: bool) -> exp.Expr:
    """(start, end or interval) OVERLAPS (start, end or interval)"""
    periods = [node.this.unnest(), node.expression.unnest()]
    if not all(isinstance(p, exp.Tuple) and len(p.expressions) == 2 for p in periods):
        raise not_supported("OVERLAPS of other than two pairs")
    bounds = []
    for period in periods:
        start, end = period.expressions
        bounds += [start, temporal.plus(start, end) if isinstance(end.unnest(), exp.Interval) else end]
    return call("t_overlaps", *(b.copy() for b in bounds))


def _cast(node: exp.Cast, _: bool) -> exp.Expr:
    """Trino's casts: to an integer rounds half up and reads only digits; to varchar writes as Athena writes."""
    zoned = zones.cast(node)
    if zoned is not None:
        return zoned
    kind, value = node.to, node.this
    safe = isinstance(node, exp.TryCast)
    if kind.this in _INTEGERS and not numbers.is_integer(value):
        return _tried(exp.Cast(this=call("t_integral", value), to=kind), safe)
    if kind.this in {exp.DType.VARCHAR, exp.DType.TEXT}:
        if kind.expressions:
            return call("t_varchar_of", value, kind.expressions[0].this)
        # the macro says its value thirty times: of itself it would be a thousand
        return value if isinstance(value, exp.Anonymous) and value.name == "t_varchar" else call("t_varchar", value)
    if kind.this == exp.DType.CHAR:
        raise not_supported("the type CHAR")
    if kind.this == exp.DType.JSON:
        return call("t_to_json", value)
    if kind.this == exp.DType.TIMESTAMP and kind.expressions and not _to_json(node.parent):
        return exp.Cast(this=node.copy(), to=exp.DataType(this=exp.DType.TIMESTAMP))
    if kind.this == exp.DType.DECIMAL and not kind.expressions:
        kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in _decimal(value)])
    if kind.this == exp.DType.DECIMAL and known.is_real(value):
        node.set("this", exp.Cast(this=value.copy(), to=exp.DataType(this=exp.DType.VARCHAR)))
    return node


def _to_json(node: exp.Expr | None) -> bool:
    """There a timestamp has the digits of its type; elsewhere it is a TIMESTAMP, whose years reach further."""
    return isinstance(node, exp.Cast) and bool(node.to.this == exp.DType.JSON)


def _tried(node: exp.Expr, safe: bool) -> exp.Expr:
    return call("try", node) if safe else node


def _decimal(value: exp.Expr) -> tuple[int, int]:
    """DECIMAL '1.25' has its literal's digits; CAST(x AS DECIMAL) is DECIMAL(38, 0)."""
    if isinstance(value, exp.Literal) and value.is_string and re.fullmatch(r"[+-]?\d*\.?\d+", str(value.this)):
        whole, _, fraction = str(value.this).lstrip("+-").partition(".")
        return len(whole + fraction), len(fraction)
    return 38, 0


def _at_zone(node: exp.AtTimeZone, _: bool) -> exp.Expr:
    return zones.at_zone(node.this, node.args["zone"])


def _compared(node: exp.Expr, _: bool) -> exp.Expr:
    return comparisons.compared(zones.compared(node))


def _any(node: exp.Any, _: bool) -> exp.Expr:
    """ANY (VALUES ...) is written without parentheses otherwise."""
    return exp.Any(this=exp.Paren(this=node.this)) if isinstance(node.this, exp.Values) else node


def _joined(node: exp.DPipe, _: bool) -> exp.Expr:
    """An array || an element, or the other way round."""
    left, right = arrays.is_array(node.this), arrays.is_array(node.expression)
    if left and not right and arrays.is_element(node.expression):
        return call("list_append", node.this, node.expression)
    if right and not left and arrays.is_element(node.this):
        return call("list_prepend", node.this, node.expression)
    return node


def _substring(node: exp.Substring, _: bool) -> exp.Expr:
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    return call("t_substr", *(p for p in parts if p is not None))


def _overlay(node: exp.Overlay, _: bool) -> exp.Expr:
    parts = [node.this, node.expression, node.args["from_"], node.args.get("for_")]
    return call("t_overlay", *(p for p in parts if p is not None))


def _trim(node: exp.Trim, _: bool) -> exp.Expr:
    function = {"LEADING": "t_ltrim", "TRAILING": "t_rtrim"}.get(str(node.args.get("position") or "").upper(), "t_trim")
    return call(function, *(p for p in (node.this, node.expression) if p))


def _subscript(node: exp.Bracket, _: bool) -> exp.Expr:
    """a[3] of an array that is too short and m['k'] of a map without that key are errors, not NULL."""
    index = node.expressions[0]
    if isinstance(index, exp.Neg):
        raise QueryFailure("INVALID_FUNCTION_ARGUMENT: Array subscript is negative")
    if known.is_row(node.this):
        return node
    if not isinstance(index, exp.Literal):
        return call(
            "t_key" if known.is_map(node.this) else "t_item" if arrays.is_array(node.this) else "t_at",
            node.this,
            index,
        )
    if index.is_string:
        return call("t_key", node.this, index)
    # sqlglot counts subscripts from 0 in the tree
    return node if known.is_map(node.this) else call("t_item", node.this, exp.Literal.number(int(index.this) + 1))


def _list_aggregate(node: exp.GroupConcat, _: bool) -> exp.Expr:
    """The separator is empty if there is none, and not a comma (trino.io/docs/current/functions/aggregate.html)."""
    if node.args.get("separator") is None:
        node.set("separator", exp.Literal.string(""))
    truncated = isinstance(node.args.get("on_overflow"), exp.OverflowTruncateBehavior)
    node.set("on_overflow", None)
    return call("t_listed", aggregates.marked(node.copy())) if truncated else node


def _json(node: exp.ParseJSON, _: bool) -> exp.Expr:
    """JSON '{"a": 1}'"""
    return call("t_json_parse", node.this)


def _time_of_day(node: exp.CurrentTime | exp.Localtime, _: bool) -> exp.Expr:
    """CURRENT_TIME is a TIME WITH TIME ZONE, in the session's zone UTC; both have milliseconds."""
    if node.this is not None and node.this.name != "3":
        raise not_supported("a time of day with other than three digits")
    if isinstance(node, exp.Localtime) and isinstance(node.parent, exp.Cast) and node.parent.to.is_type("varchar"):
        raise not_supported("LOCALTIME as text (use date_format of LOCALTIMESTAMP)")  # DuckDB drops its last zeros
    moment = call("date_trunc", exp.Literal.string("millisecond"), exp.Localtimestamp())
    local = exp.Cast(this=moment, to=exp.DataType.build("TIME"))
    return local if isinstance(node, exp.Localtime) else exp.Cast(this=local, to=exp.DataType.build("TIMETZ"))


def _select(node: exp.Select, _: bool) -> exp.Expr:
    """The columns of USING come first in *, once, those of the last join before the others."""
    keys = [k for join in reversed(node.args.get("joins") or []) for k in join.args.get("using") or []]
    names = list({k.name.lower(): exp.to_identifier(k.name, quoted=True) for k in keys}.values())
    if names and any(isinstance(item, exp.Star) for item in node.expressions):
        star = exp.Star(except_=[n.copy() for n in names])
        columns = [exp.Column(this=n) for n in names]
        node.set(
            "expressions",
            [new for e in node.expressions for new in ([*columns, star] if isinstance(e, exp.Star) else [e])],
        )
    return node


_CHANGES: dict[type[exp.Expr], Callable[..., exp.Expr]] = {
    exp.Anonymous: _function,
    exp.Bracket: _subscript,
    exp.Extract: _extract,
    exp.Overlaps: _overlaps,
    exp.Overlay: _overlay,
    exp.Div: numbers.divide,
    exp.Add: _shift,
    exp.Sub: _shift,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.AtTimeZone: _at_zone,
    exp.Any: _any,
    exp.DPipe: _joined,
    exp.StrPosition: lambda node, _: call("strpos", node.this, node.args["substr"]),
    exp.Substring: _substring,
    exp.Trim: _trim,
    exp.GroupConcat: _list_aggregate,
    exp.ParseJSON: _json,
    exp.CurrentTime: _time_of_day,
    exp.Localtime: _time_of_day,
    exp.Filter: aggregates.behind,
    exp.Window: aggregates.behind,
    exp.Select: _select,
    exp.Unnest: unnesting.rewritten,
    exp.Lateral: unnesting.lateral,
    **dict.fromkeys(zones.COMPARISONS, _compared),
}


def generate(tree: exp.Expr) -> str:
    try:
        return str(_OUT.generate(tree, copy=False, identify=True, unsupported_level=ErrorLevel.RAISE, comments=False))
    except UnsupportedError as e:
        raise not_supported(str(e).rstrip(".")) from e
