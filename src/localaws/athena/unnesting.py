"""UNNEST of arrays, maps and rows, as DuckDB's. (trino.io/docs/current/sql/select.html#unnest)

A macro with typed overloads that is given a column of another table in the same FROM fails in DuckDB ("unordered_map
::at"). So that column comes into the subquery as one of its own first: SELECT ... FROM (SELECT c AS t_outer_0).
"""

import functools
import re

from sqlglot import exp

from localaws.athena import known, macros
from localaws.athena.calls import call


def rewritten(node: exp.Unnest, _: bool = False) -> exp.Expr:
    """UNNEST of several arrays, a map or rows becomes a lateral SELECT; of one plain array it stays."""
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or [] if alias else []
    offset = node.args.get("offset")
    arrays = node.expressions
    width = len(columns)
    plain = width <= 1 or (offset and not columns)
    if len(arrays) == 1 and plain and not known.is_map(arrays[0]) and not _has_rows(arrays[0]):
        return _plain(node)
    items: list[exp.Expr] = []
    for array in arrays:
        if known.is_map(array):
            items += [call("unnest", call("map_keys", array.copy())), call("unnest", call("map_values", array.copy()))]
        elif _has_rows(array) or (len(arrays) == 1 and width > 1):
            depth = exp.PropertyEQ(this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2))
            items.append(call("unnest", array.copy(), depth))
        else:
            items.append(call("unnest", array.copy()))
    if offset:
        items.append(_ordinality(arrays))
    if isinstance(offset, exp.Identifier) and alias:
        alias.set("columns", [*columns, offset.copy()])
    return exp.Lateral(this=exp.Subquery(this=_brought_in(exp.Select(expressions=items))), alias=alias)


def lateral(node: exp.Lateral, _: bool = False) -> exp.Expr:
    """LATERAL (SELECT ...)"""
    select = node.this.this if isinstance(node.this, exp.Subquery) else None
    if isinstance(select, exp.Select) and select.args.get("from_") is None:
        _brought_in(select)
    return node


def _plain(node: exp.Unnest) -> exp.Unnest:
    select = _brought_in(exp.Select(expressions=[node.expressions[0].copy()]))
    if select.args.get("from_") is not None:
        node.set("expressions", [exp.Subquery(this=select)])
    return node


def _brought_in(select: exp.Select) -> exp.Select:
    """A SELECT without FROM, with one that has its columns if a macro with typed overloads is among what it calls."""
    if not any(node.name.lower() in _overloaded() for node in select.find_all(exp.Anonymous)):
        return select
    outer = [c for c in select.find_all(exp.Column) if c.find_ancestor(exp.Query) is select and not c.is_star]
    names: dict[str, exp.Expr] = {}
    for column in outer:
        name = f"t_outer_{len(names)}"
        known_as = next((n for n, other in names.items() if other.this == column), name)
        names.setdefault(known_as, exp.alias_(column.copy(), known_as))
        column.replace(exp.column(known_as))
    if names:
        select.set("from_", exp.From(this=exp.Subquery(this=exp.Select(expressions=list(names.values())))))
    return select


@functools.cache
def _overloaded() -> frozenset[str]:
    """The macros with a typed parameter, and those that use one."""
    every = macros.definitions()
    typed = {name for name, text in every.items() if re.search(r"(?:^CREATE MACRO \w+ |, )\([^()']*\w [A-Z]", text)}
    while more := {n for n, text in every.items() if n not in typed and typed & set(re.findall(r"\bt_\w+", text))}:
        typed |= more
    return frozenset(typed)


def _has_rows(array: exp.Expr) -> bool:
    """Is it certainly an array of rows, whose fields become columns?"""
    return isinstance(array, exp.Array) and any(known.is_row(item) for item in array.expressions)


def _ordinality(arrays: list[exp.Expr]) -> exp.Expr:
    lengths = [call("coalesce", call("cardinality", a.copy()), exp.Literal.number(0)) for a in arrays]
    longest = call("greatest", *lengths) if len(lengths) > 1 else lengths[0]
    bigint = exp.Cast(this=longest, to=exp.DataType.build("BIGINT"))
    return call("unnest", call("generate_series", exp.Literal.number(1), bigint))
