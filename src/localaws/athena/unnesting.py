"""UNNEST of arrays, maps and rows, as DuckDB's. (trino.io/docs/current/sql/select.html#unnest)"""

from sqlglot import exp

from localaws.athena import known
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
        return node
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
    select = exp.Select(expressions=items)
    return exp.Lateral(this=exp.Subquery(this=select), alias=alias)


def _has_rows(array: exp.Expr) -> bool:
    """Is it certainly an array of rows, whose fields become columns?"""
    return isinstance(array, exp.Array) and any(known.is_row(item) for item in array.expressions)


def _ordinality(arrays: list[exp.Expr]) -> exp.Expr:
    lengths = [call("coalesce", call("cardinality", a.copy()), exp.Literal.number(0)) for a in arrays]
    longest = call("greatest", *lengths) if len(lengths) > 1 else lengths[0]
    bigint = exp.Cast(this=longest, to=exp.DataType.build("BIGINT"))
    return call("unnest", call("generate_series", exp.Literal.number(1), bigint))
