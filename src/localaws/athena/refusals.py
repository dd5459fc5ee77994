"""Expressions that DuckDB would answer otherwise than Trino, refused before they are rewritten.

Found by conformance/golden_sql, where each rule has its pair (trino.io/docs/current/functions/*.html).
"""

import re
from collections.abc import Callable

from sqlglot import exp

from localaws.athena import comparisons, regexps
from localaws.athena.failures import QueryFailure, not_supported

_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.In)
_MOMENTS = {exp.DType.DATE, exp.DType.TIMESTAMP, exp.DType.TIMESTAMPTZ}
_DEEPEST = 6  # lambdas in lambdas
_LAST_YEAR = 5_881_580
_PARTS_OF_INTERVALS = {"day"}


def check(tree: exp.Expr) -> None:
    """Raises QueryFailure."""
    if _lambdas(tree) > _DEEPEST:
        raise not_supported(f"lambdas nested deeper than {_DEEPEST} levels")
    for node in tree.walk():
        if isinstance(node, _COMPARISONS):
            comparisons.refuse(node)
        elif isinstance(node, exp.Cast):
            _cast(node)
        elif isinstance(node, exp.Extract):
            _part(node.this.name.lower(), node.expression)
        elif isinstance(node, exp.ParseJSON) and re.search(r"\d[eE][-+]?\d{3,}", node.this.name):
            raise not_supported("a JSON number of that size")
        elif isinstance(node, exp.Anonymous):
            _call(node)


def _lambdas(tree: exp.Expr) -> int:
    """How deep they are nested: DuckDB binds each more than once, so with each level the time is a multiple."""
    deepest = 0
    for node in tree.find_all(exp.Lambda):
        depth, above = 1, node.find_ancestor(exp.Lambda)
        while above is not None and depth <= _DEEPEST:
            depth, above = depth + 1, above.find_ancestor(exp.Lambda)
        deepest = max(deepest, depth)
    return deepest


def _cast(node: exp.Cast) -> None:
    value = node.this.unnest()
    written = str(value.this) if isinstance(value, exp.Literal) and value.is_string else ""
    if node.to.this in _MOMENTS and re.match(r"\s*([-+]|\d{5,}-)", written):
        _far_date(node, value, written.strip())


def _far_date(node: exp.Cast, value: exp.Expr, written: str) -> None:
    """A date has a sign, directly before it, and up to 5,881,580 years after Christ, which are 2^31 days."""
    year = re.match(r"([-+]?)(\d+)-", written)
    if year is None or (node.to.this == exp.DType.DATE and int(year[2]) > _LAST_YEAR):
        raise QueryFailure(f"INVALID_CAST_ARGUMENT: Value cannot be cast to date: {written}")
    if year[1] == "+" and len(year[2]) == 4:
        value.set("this", written[1:])
    elif node.to.this != exp.DType.DATE or year[1] != "-" or int(year[2]) < 1000:
        raise not_supported("a date outside of the years 0 to 9999")


def _part(name: str, value: exp.Expr) -> None:
    if name in _PARTS_OF_INTERVALS and isinstance(value.unnest(), exp.Interval):
        raise not_supported(f"{name} of an interval")


def _call(node: exp.Anonymous) -> None:
    rule = _CALLS.get(node.name.lower())
    if rule is not None:
        rule(node)
    elif len(node.expressions) == 1:
        _part(node.name.lower(), node.expressions[0])


def _regexp_replace(node: exp.Anonymous) -> None:
    """java.util.regex.Matcher.replaceAll: an empty match is replaced, too."""
    texts = [str(e.this) for e in (a.unnest() for a in node.expressions) if isinstance(e, exp.Literal) and e.is_string]
    if len(node.expressions) != 3 or not (last := node.expressions[2].unnest()).is_string:
        return
    if last.this and len(texts) >= 2 and regexps.matches_nothing(texts[-2]):
        raise not_supported("regexp_replace with a pattern that matches the empty string")


def _regexp_position(node: exp.Anonymous) -> None:
    pattern = node.expressions[1].unnest() if len(node.expressions) > 1 else None
    if isinstance(pattern, exp.Literal) and pattern.this and regexps.matches_nothing(str(pattern.this)):
        raise not_supported("regexp_position with a pattern that matches the empty string")


_CALLS: dict[str, Callable[[exp.Anonymous], None]] = {
    "regexp_position": _regexp_position,
    "regexp_replace": _regexp_replace,
}
