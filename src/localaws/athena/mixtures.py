"""Types that Trino does not mix and DuckDB would cast: text and numbers in a comparison or UNION; numbers as truth.

io.trino.sql.analyzer.ExpressionAnalyzer and StatementAnalyzer (visitSetOperation). Only what the tree shows is refused.
"""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from localaws.athena import columns, numbers, temporal
from localaws.athena.failures import QueryFailure, position

_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_NUMBERS = {"tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"}
_TEXTS = {exp.DType.VARCHAR, exp.DType.TEXT, exp.DType.CHAR}


def check(sql: str, tree: exp.Expr) -> None:
    """Raises QueryFailure with TYPE_MISMATCH; the tables of the tree must be resolved."""
    for node in tree.walk():
        for told in _problems(node):
            start = min((int(n.meta["start"]) for n in node.walk() if "start" in n.meta), default=0)
            raise QueryFailure(f"TYPE_MISMATCH: line {position(sql, start)}: {told}")


def _problems(node: exp.Expr) -> Iterator[str]:
    if type(node) in _OPERATORS:
        if found := _mixed([node.this, node.expression]):
            yield f"Cannot apply operator: {found[0]} {_OPERATORS[type(node)]} {found[1]}"
    elif isinstance(node, exp.In):
        if found := _mixed([node.this, *node.expressions]):
            yield f"IN value and list items must be the same type or coercible to a common type: {', '.join(found)}"
    elif isinstance(node, exp.SetOperation):
        yield from _columns(node)
    else:
        yield from _truths(node)
        if found := _mixed(_results(node)):
            words = f"Cannot find common type between {found[0]} and {found[1]}"
            yield f"All results must be the same type or coercible to a common type. {words}"


def _results(node: exp.Expr) -> list[exp.Expr]:
    if isinstance(node, exp.Case):
        default = node.args.get("default")
        return [i.args["true"] for i in node.args["ifs"]] + ([default] if default is not None else [])
    if isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        return [n for n in (node.args.get("true"), node.args.get("false")) if n is not None]
    if isinstance(node, exp.Anonymous) and node.name.lower() in {"coalesce", "greatest", "least"}:
        return list(node.expressions)
    if isinstance(node, exp.Array):
        return list(node.expressions)
    return []


def _columns(node: exp.SetOperation) -> Iterator[str]:
    sides = [_select(node.this), _select(node.expression)]
    if any(s is None or any(p.is_star for p in s.expressions) for s in sides):
        return
    left, right = [s.expressions for s in sides if s is not None]
    for i, pair in enumerate(zip(left, right, strict=False), 1):
        if found := _mixed([p.unalias() for p in pair]):
            yield f"column {i} in {node.key.upper()} query has incompatible types: {', '.join(found)}"


def _select(query: exp.Expr | None) -> exp.Select | None:
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    return query if isinstance(query, exp.Select) else None


def _truths(node: exp.Expr) -> Iterator[str]:
    """Where only a boolean may stand."""
    wanted: list[exp.Expr] = []
    if isinstance(node, exp.And | exp.Or):
        wanted = [node.this, node.expression]
    elif isinstance(node, exp.Not | exp.Where | exp.Having):
        wanted = [node.this]
    elif isinstance(node, exp.Case) and node.this is None:
        wanted = [i.this for i in node.args["ifs"]]
    elif isinstance(node, exp.If) and not isinstance(node.parent, exp.Case):
        wanted = [node.this]
    for kind in map(_kind, wanted):
        if kind is not None and kind != "boolean":
            what = {"Where": "WHERE", "Having": "HAVING", "Not": "NOT"}.get(type(node).__name__, "condition")
            yield f"{what} must evaluate to a boolean (actual: {kind})"


def _mixed(nodes: Sequence[exp.Expr]) -> list[str]:
    """The types of the first two that have no common one."""
    kinds = [kind for kind in map(_kind, nodes) if kind is not None]
    return next(([kinds[0], k] for k in kinds if _family(k) != _family(kinds[0])), [])


def _family(kind: str) -> str:
    name = kind.partition("(")[0]
    if name in _NUMBERS:
        return "number"
    return "time" if name.startswith(("date", "timestamp")) else name


def _kind(node: exp.Expr) -> str | None:
    """A type's name, if it is certain and one of text, number, date, timestamp and boolean."""
    node = node.unnest()
    if isinstance(node, exp.Literal) and node.is_string:
        return f"varchar({len(str(node.this))})"
    if isinstance(node, exp.Cast) and node.to.this in _TEXTS:
        return "varchar"
    if isinstance(node, exp.Boolean):
        return "boolean"
    if isinstance(node, exp.Column):
        column = columns.type_of_column(node)
        known = column.trino() if column is not None else ""
        base = known.partition("(")[0].replace("char", "varchar").replace("varvarchar", "varchar")
        return base if base in _NUMBERS | {"varchar", "boolean", "date", "timestamp"} else None
    number = numbers.kind(node)
    if isinstance(number, numbers.Decimal):
        return f"decimal({number.precision},{number.scale})"
    found = number or temporal.kind(node)
    return found if found is not None and _family(found) in {"number", "time"} else None
