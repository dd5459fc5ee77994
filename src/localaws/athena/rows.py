"""Rows without names: a row alone in VALUES is a row of it, and a row type of types alone is DuckDB's TUPLE.

(trino.io/docs/current/sql/values.html: VALUES row [, ...], where a row is an expression of a row type)
"""

from sqlglot import exp


def unpack(tree: exp.Expr) -> None:
    """VALUES ROW(1, 2) has two columns, as VALUES (1, 2) has; so has CAST(ROW(1, 2) AS ROW(BIGINT, DOUBLE))."""
    for values in tree.find_all(exp.Values):
        for row in values.expressions:
            if isinstance(row, exp.Tuple) and len(row.expressions) == 1:
                fields = _fields(row.expressions[0])
                if fields:
                    row.set("expressions", fields)


def _fields(node: exp.Expr) -> list[exp.Expr]:
    """Of a constructor, or of its cast; none of what is no row."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "row":
        return list(node.expressions)
    if isinstance(node, exp.Cast) and node.to.this == exp.DType.STRUCT:
        types = [t.args["kind"] if isinstance(t, exp.ColumnDef) else t for t in node.to.expressions]
        fields = _fields(node.this)
        if len(fields) == len(types):
            return [exp.Cast(this=f, to=t.copy()) for f, t in zip(fields, types, strict=True)]
    return []


def is_tuple(kind: exp.DataType) -> bool:
    """Is it a row type whose fields have no names?"""
    return kind.this == exp.DType.STRUCT and any(isinstance(child, exp.DataType) for child in kind.expressions)
