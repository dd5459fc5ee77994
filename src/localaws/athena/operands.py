"""Comparisons that Trino refuses and DuckDB would make by casting: a number or a date against a string literal.

Only what the tree shows is refused: literals against columns of tables, casts and functions of one type. A string that
happens to read as a date compares as one on the laptop and fails on AWS, so it has to fail here.
"""

from sqlglot import exp

from localaws.athena import analyzer, columns, mixtures, names, numbers, temporal
from localaws.athena.failures import QueryFailure, position

_OPERATORS = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=", exp.Between: "BETWEEN",
    exp.In: "IN",
}  # fmt: skip


def check(sql: str, tree: exp.Expr) -> None:
    """Raises QueryFailure with TYPE_MISMATCH; the tables of the tree must be resolved."""
    analyzer.check(sql, tree)
    names.check(sql, tree)
    for node in tree.find_all(*_OPERATORS):
        sides = _sides(node)
        texts = [s for s in sides if isinstance(s, exp.Literal) and s.is_string]
        for side in sides if texts else ():
            found = _type(side)
            if found is not None:
                where = position(sql, _start(node))
                word = f"{found} {_OPERATORS[type(node)]} varchar({len(texts[0].this)})"
                raise QueryFailure(f"TYPE_MISMATCH: line {where}: Cannot apply operator: {word}")
    mixtures.check(sql, tree)


def _sides(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.In):
        return [node.this, *node.expressions]
    if isinstance(node, exp.Between):
        return [node.this, node.args["low"], node.args["high"]]
    return [node.this, node.expression]


def _type(node: exp.Expr) -> str | None:
    """The type's name if it is certainly no string."""
    if isinstance(node, exp.Column):
        column = columns.type_of_column(node)
        return None if column is None or column.name in {"varchar", "char"} else column.trino()
    if isinstance(node, exp.Literal) and node.is_string:
        return None
    number = numbers.kind(node)
    if isinstance(number, numbers.Decimal):
        return f"decimal({number.precision},{number.scale})"
    return number or temporal.kind(node)


def _start(node: exp.Expr) -> int:
    return min((int(n.meta["start"]) for n in node.walk() if "start" in n.meta), default=0)
