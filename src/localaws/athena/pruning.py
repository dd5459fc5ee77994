"""Which partitions can hold rows that a query wants: found in the tree, before any file is opened.

A table's partitions are narrowed by every AND-ed condition that looks at nothing but its partition keys: in its own
SELECT, in ON of an inner join, and in outer SELECTs around subqueries, views and WITH, carried inwards where the column
is passed through unchanged (below GROUP BY and PARTITION BY only if it is among their columns, never below LIMIT). The
conditions stay in the query, so leaving one out costs time and never rows.
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from sqlglot import exp

from localaws.athena.functions import VOLATILE

Conditions = list[exp.Expr]
_FIXED = (exp.Subquery, exp.Select, exp.Exists, exp.Var, exp.Placeholder)


def conditions(query: exp.Expr, keys: Mapping[int, frozenset[str]]) -> dict[int, Conditions]:
    """For each table (by id of its node; `keys` names its partition keys): the conditions on its keys alone."""
    found: dict[int, Conditions] = {table: [] for table in keys}
    references = [t.name.lower() for t in query.find_all(exp.Table)]
    visited: set[int] = set()
    _visit(query, [], {}, _Walk(keys, found, references, visited))
    for select in query.find_all(exp.Select):  # subqueries in expressions, which the walk along FROM doesn't reach
        if id(select) not in visited:
            _visit(select, [], {}, _Walk(keys, found, references, visited))
    return found


_COMPARISONS: dict[type[exp.Expr], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


def plain(wanted: Conditions, keys: Sequence[str]) -> Callable[[Sequence[str]], bool] | None:
    """The conditions as a test of a partition's values, if each compares a string key with string literals (what nearly
    every query does, and not worth asking DuckDB about); else None."""
    tests = []
    for condition in wanted:
        column, texts = condition.this, _texts(condition)
        if not isinstance(column, exp.Column) or texts is None or column.name.lower() not in keys:
            return None
        index = keys.index(column.name.lower())
        compare = operator.contains if isinstance(condition, exp.In) else _COMPARISONS[type(condition)]
        tests.append((index, compare, texts))
    return lambda values: all(_holds(compare, values[index], texts) for index, compare, texts in tests)


def _holds(compare: Callable[[Any, Any], bool], value: str, texts: Sequence[str]) -> bool:
    return compare(texts, value) if compare is operator.contains else compare(value, texts[0])


def _texts(condition: exp.Expr) -> list[str] | None:
    if type(condition) in _COMPARISONS:
        literals = [condition.expression]
    elif isinstance(condition, exp.In):
        literals = condition.expressions
    else:
        return None
    every = all(isinstance(x, exp.Literal) and x.is_string for x in literals)
    return [str(x.this) for x in literals] if literals and every else None


class _Walk:
    """What a walk carries: the tables' keys, the conditions found, every table name in the query, SELECTs seen."""

    def __init__(
        self, keys: Mapping[int, frozenset[str]], found: dict[int, Conditions], references: list[str], visited: set[int]
    ) -> None:
        self.keys, self.found, self.references, self.visited = keys, found, references, visited


def _visit(query: exp.Expr, wanted: Conditions, named: Mapping[str, exp.Expr], walk: _Walk) -> None:
    """`wanted` are conditions on the query's output columns, unqualified; `named` the WITH queries in sight."""
    clause = query.args.get("with_")
    if clause is not None:
        named = {**named, **{c.alias.lower(): c for c in clause.expressions}}
    if _has_limit(query):
        wanted = []
    if isinstance(query, exp.Subquery):
        _visit(query.this, wanted, named, walk)
    elif isinstance(query, exp.SetOperation):
        _visit(query.this, wanted, named, walk)
        names = _names(query.this)
        same = names is not None and names == _names(query.expression)
        _visit(query.expression, wanted if same else [], named, walk)
    elif isinstance(query, exp.Select) and id(query) not in walk.visited:
        walk.visited.add(id(query))
        _visit_select(query, wanted, named, walk)


def _visit_select(select: exp.Select, wanted: Conditions, named: Mapping[str, exp.Expr], walk: _Walk) -> None:
    own = _conjuncts(select.args["where"].this) if select.args.get("where") else []
    carried = [c for c in (_inwards(w, select) for w in wanted) if c is not None]
    sources = _sources(select)
    for source, optional, on in sources:
        usable = [*on] if optional else [*own, *carried, *on]
        alias = source.alias_or_name.lower()
        alone = len(sources) == 1
        inner = _inner(source, named)
        if _renames(source):
            usable = []
        if id(source) in walk.keys:
            keys = walk.keys[id(source)]
            walk.found[id(source)] += [_bare(c) for c in usable if _only(c, alias, keys, alone=True)]
        elif inner is not None:
            mine = [_bare(c) for c in usable if _only(c, alias, None, alone)]
            shared = isinstance(source, exp.Table) and walk.references.count(source.name.lower()) > 1
            if isinstance(inner, exp.CTE):
                shared, inner = shared or _renames(inner), inner.this
            _visit(inner, [] if shared else mine, named, walk)


def _sources(select: exp.Select) -> list[tuple[exp.Expr, bool, Conditions]]:
    """(source, may its rows be missing, conditions of its own join) of FROM and of each JOIN."""
    joins = select.args.get("joins") or []
    sides = [str(j.args.get("side") or "").upper() for j in joins]
    first = select.args.get("from_")
    result: list[tuple[exp.Expr, bool, Conditions]] = []
    for i, clause in enumerate([first, *joins] if first else []):
        later = sides[i:]
        optional = any(s in {"RIGHT", "FULL"} for s in later)
        on: Conditions = []
        if i > 0:
            side = sides[i - 1]
            optional = optional or side in {"LEFT", "FULL"}
            # ON narrows the joined table in an inner and in a LEFT join; in RIGHT and FULL its rows all stay.
            if (
                clause.args.get("on") is not None
                and side in {"", "LEFT"}
                and not any(s in {"RIGHT", "FULL"} for s in later)
            ):
                on = _conjuncts(clause.args["on"])
        result.append((clause.this, optional, on))
    return result


def _inner(source: exp.Expr, named: Mapping[str, exp.Expr]) -> exp.Expr | None:
    if isinstance(source, exp.Subquery):
        found: exp.Expr = source.this
        return found
    if isinstance(source, exp.Table) and not source.db:
        return named.get(source.name.lower())
    return None


def _conjuncts(condition: exp.Expr) -> Conditions:
    if isinstance(condition, exp.And):
        return _conjuncts(condition.this) + _conjuncts(condition.expression)
    if isinstance(condition, exp.Paren):
        return _conjuncts(condition.this)
    return [condition]


def _only(condition: exp.Expr, alias: str, names: Iterable[str] | None, alone: bool) -> bool:
    """Does it look at nothing but columns of `alias` (named in `names`)? An unqualified name that only one source has
    is that source's; with names given, a clash would be an error of the query anyway."""
    columns = list(condition.find_all(exp.Column))
    if not columns or _changes(condition):
        return False
    for column in columns:
        if column.table.lower() not in ({"", alias} if alone else {alias}) or column.args.get("db"):
            return False
        if names is not None and column.name.lower() not in names:
            return False
    return True


def _changes(condition: exp.Expr) -> bool:
    """Might it be another value at another time or place?"""
    return any(
        (isinstance(n, _FIXED) and not isinstance(n.parent, exp.Interval))
        or (isinstance(n, exp.Anonymous) and n.name.lower() in VOLATILE)
        for n in condition.walk()
    )


def _bare(condition: exp.Expr) -> exp.Expr:
    copy = condition.copy()
    for column in list(copy.find_all(exp.Column)):
        column.set("table", None)
    return copy


def _inwards(condition: exp.Expr, select: exp.Select) -> exp.Expr | None:
    """The condition on the output columns said of the SELECT's own sources; None where that would not be the same."""
    copy = condition.copy()
    root = exp.Paren(this=copy)
    for column in list(copy.find_all(exp.Column)):
        origin = _origin(column.name.lower(), select)
        if origin is None or not _passes(origin, select):
            return None
        column.replace(origin.copy())
    inner: exp.Expr = root.this
    return inner


def _origin(name: str, select: exp.Select) -> exp.Column | None:
    star = False
    for projection in select.expressions:
        if isinstance(projection, exp.Star) or (isinstance(projection, exp.Column) and projection.is_star):
            star = True
        elif projection.alias_or_name.lower() == name:
            inner = projection.unalias()
            return inner if isinstance(inner, exp.Column) else None
    return exp.column(name) if star else None


def _passes(column: exp.Column, select: exp.Select) -> bool:
    """May rows be dropped by this column before GROUP BY and windows have seen them?"""
    group = select.args.get("group")
    if group is not None and not _among(column, _group_columns(group, select)):
        return False
    if group is not None and any(group.args.get(k) for k in ("rollup", "cube", "grouping_sets")):
        return False
    windows = [w for w in select.find_all(exp.Window) if w.find_ancestor(exp.Select) is select]
    return all(_among(column, w.args.get("partition_by") or []) for w in windows)


def _group_columns(group: exp.Group, select: exp.Select) -> list[exp.Expr]:
    columns = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and not key.is_string and 0 < int(key.this) <= len(select.expressions):
            columns.append(select.expressions[int(key.this) - 1].unalias())
        else:
            columns.append(key)
    return columns


def _among(column: exp.Column, columns: Sequence[exp.Expr]) -> bool:
    return any(isinstance(c, exp.Column) and c.name.lower() == column.name.lower() for c in columns)


def _has_limit(query: exp.Expr) -> bool:
    return any(query.args.get(k) for k in ("limit", "offset"))


def _names(query: exp.Expr) -> list[str] | None:
    """The output columns' names; None if a * hides them."""
    selects = query.selects if isinstance(query, exp.Query) else []
    return None if any(s.is_star for s in selects) else [s.alias_or_name.lower() for s in selects]


def _renames(source: exp.Expr) -> bool:
    alias = source.args.get("alias")
    return bool(alias is not None and alias.args.get("columns"))
