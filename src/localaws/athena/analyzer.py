"""What Trino's analyzer refuses and DuckDB would answer: joins, names and arguments of which only Trino says no.

Each rule has its pair in tests/golden_sql, from Trino's own tests (io.trino.sql.analyzer.StatementAnalyzer,
ExpressionAnalyzer). Only what the tree shows is refused.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from localaws.athena import arrays, columns, numbers, relations, temporal
from localaws.athena.failures import QueryFailure, position

_EXTRACTED = frozenset(
    """year quarter month week day day_of_month day_of_week dow day_of_year doy year_of_week yow hour minute second
    timezone_hour timezone_minute""".split()  # noqa: SIM905 - one name a line would be pages
)
_OF_TIME = {"hour", "minute", "second", "timezone_hour", "timezone_minute"}
_MOST_ENTRIES = 10_000  # of repeat and sequence


def check(sql: str, tree: exp.Expr) -> None:
    """Raises QueryFailure in Trino's words; the tree is not rewritten yet."""
    for node in tree.walk():
        rule = _RULES.get(type(node))
        problem = rule(node) if rule is not None else ""
        if problem:
            code, _, words = problem.partition(": ")
            raise QueryFailure(f"{code}: line {position(sql, _start(_blamed(node)))}: {words}")


def _blamed(node: exp.Expr) -> exp.Expr:
    """Of a join its condition, of a WITH's query the first of its columns' names."""
    if isinstance(node, exp.CTE):
        first: exp.Expr = next(iter(node.args["alias"].args.get("columns") or [node]))
        return first
    return (node.args.get("on") or (node.args.get("using") or [node])[-1]) if isinstance(node, exp.Join) else node


def _start(node: exp.Expr) -> int:
    return min((int(n.meta["start"]) for n in node.walk() if "start" in n.meta), default=0)


# Joins


def _join(node: exp.Join) -> str:
    side = str(node.args.get("side") or node.args.get("kind") or "INNER").upper()
    condition = node.args.get("on")
    if isinstance(node.this, exp.Unnest) and condition is not None and not _is_true(condition):
        return f"NOT_SUPPORTED: {side} JOIN involving UNNEST is only supported with condition ON TRUE"
    if side in {"LEFT", "RIGHT", "FULL"} and condition is not None:
        for subquery in condition.find_all(exp.Subquery, exp.In, exp.Exists, exp.Any, exp.All):
            outer = next(_outer_columns(subquery), None)
            if outer is not None:
                name = outer.sql(dialect="trino")
                return f"SYNTAX_ERROR: Reference to column '{name}' from outer scope not allowed in this context"
    keys = [key.name.lower() for key in node.args.get("using") or []]
    if len(keys) != len(set(keys)):
        return "SYNTAX_ERROR: Column appears multiple times in USING clause"
    return ""


def _is_true(condition: exp.Expr) -> bool:
    return isinstance(condition.unnest(), exp.Boolean) and bool(condition.unnest().this)


def _outer_columns(subquery: exp.Expr) -> Iterator[exp.Column]:
    """Columns in a subquery that are certainly of what is around it."""
    query = subquery.args.get("query") or subquery.find(exp.Values) if isinstance(subquery, exp.In) else subquery.this
    if not isinstance(query, exp.Expr):
        return
    inside = {
        source.alias_or_name.lower()
        for source in query.find_all(exp.Table, exp.Subquery, exp.Unnest, exp.CTE, exp.Values)
    }
    for column in query.find_all(exp.Column):
        if (column.table and column.table.lower() not in inside) or _stands_in_bare_values(column, query):
            yield column


def _stands_in_bare_values(column: exp.Column, query: exp.Expr) -> bool:
    """VALUES have no FROM, so what they name is of what is around them."""
    owner = column.find_ancestor(exp.Values, exp.Select)
    return isinstance(owner, exp.Values) and owner is query


def _column(node: exp.Column) -> str:
    """t.k of a join USING (k) is no name any more: k belongs to both sides."""
    select = node.find_ancestor(exp.Select)
    joins = select.args.get("joins") or [] if select is not None and node.table else []
    keys = {key.name.lower() for join in joins for key in join.args.get("using") or []}
    if node.name.lower() not in keys or select is None:
        return ""
    named = {source.alias_or_name.lower() for source in columns.sources(select)}
    if node.table.lower() not in named or len(named) > 2:  # of three, one may be joined otherwise
        return ""
    unresolved = "cannot be resolved or requester is not authorized to access requested resources"
    return f"COLUMN_NOT_FOUND: Column '{node.table}.{node.name}' {unresolved}"


# SELECT


def _select(node: exp.Select) -> str:
    """ORDER BY sees the columns of a DISTINCT result, and nothing else."""
    order = node.args.get("order")
    if node.args.get("distinct") is None or order is None or any(p.is_star for p in node.expressions):
        return ""
    names = {p.alias_or_name.lower() for p in node.expressions if p.alias_or_name}
    chosen = {_plain(p.unalias()) for p in node.expressions}
    for ordered in order.expressions:
        key = ordered.this
        if isinstance(key, exp.Literal) or (isinstance(key, exp.Column) and key.name.lower() in names):
            continue
        shadowed = any(c.name.lower() in names and not c.table for c in key.find_all(exp.Column))
        if _plain(key) not in chosen or shadowed:
            return "EXPRESSION_NOT_IN_DISTINCT: For SELECT DISTINCT, ORDER BY expressions must appear in select list"
    return ""


def _plain(node: exp.Expr) -> exp.Expr:
    """t.A and a are the same here."""
    plain = node.copy()
    for column in [plain, *plain.find_all(exp.Column)]:
        if isinstance(column, exp.Column):
            column.set("table", None)
            column.set("this", exp.to_identifier(column.name.lower()))
    return plain


# Expressions


def _extract(node: exp.Extract) -> str:
    field = node.this.name.lower()
    if field not in _EXTRACTED:
        return f"SYNTAX_ERROR: Invalid EXTRACT field: {field.upper()}"
    return ""


def _sum(node: exp.Add | exp.Sub) -> str:
    value, interval = node.this.unnest(), node.expression.unnest()
    if isinstance(value, exp.Interval):
        value, interval = interval, value
    unit = interval.args.get("unit") if isinstance(interval, exp.Interval) else None
    if unit is not None and unit.name.lower() in _OF_TIME and temporal.kind(value) == "date":
        return "INVALID_FUNCTION_ARGUMENT: Cannot add hour, minutes or seconds to a date"
    return ""


def _joined_texts(node: exp.DPipe) -> str:
    """|| is of texts, of binaries and of arrays: nothing is cast for it."""
    if arrays.is_array(node.this) or arrays.is_array(node.expression):
        return ""
    found = next((kind for kind in map(_no_text, (node.this, node.expression)) if kind), "")
    return _unexpected("concat", found) if found else ""


def _no_text(node: exp.Expr) -> str:
    """The type's name if it is certainly no text, no binary and no array."""
    node = node.unnest()
    if isinstance(node, exp.Boolean):
        return "boolean"
    if isinstance(node, exp.Column):
        found = columns.type_of_column(node)
        there = {"varchar", "char", "varbinary", "array", "json", "unknown"}
        return "" if found is None or found.name in there else found.trino()
    if isinstance(node, exp.Literal) and node.is_string:
        return ""
    kind = numbers.kind(node)
    return (kind if isinstance(kind, str) else "decimal" if kind else "") or temporal.kind(node) or ""


def _unexpected(function: str, kind: str) -> str:
    return f"FUNCTION_NOT_FOUND: Unexpected parameters ({kind}) for function {function}"


def _listagg(node: exp.WithinGroup) -> str:
    return _listed(node.this) if isinstance(node.this, exp.GroupConcat) else ""


def _listed(node: exp.GroupConcat) -> str:
    kind = _no_text(node.this.expressions[0] if isinstance(node.this, exp.Distinct) else node.this)
    return _unexpected("listagg", kind) if kind else ""


def _group_concat(node: exp.GroupConcat) -> str:
    if not isinstance(node.parent, exp.WithinGroup) and not isinstance(node.this, exp.Order):
        return "SYNTAX_ERROR: mismatched input: LISTAGG needs WITHIN GROUP (ORDER BY ...)"
    return ""


def _call(node: exp.Anonymous) -> str:
    rule = _CALLS.get(node.name.lower())
    return rule(node) if rule is not None else ""


def _offset(node: exp.Anonymous) -> str:
    if len(node.expressions) > 1 and isinstance(node.expressions[1], exp.Null):
        return "INVALID_FUNCTION_ARGUMENT: Offset must not be null"
    return ""


def _texts(node: exp.Anonymous) -> str:
    found = next((kind for kind in map(_no_text, node.expressions) if kind), "")
    inside = [i for a in node.expressions if isinstance(a, exp.Array) for i in a.expressions]
    found = found or next((kind for kind in map(_no_text, inside) if kind), "")
    return _unexpected(node.name.lower(), found) if found else ""


def _repeat(node: exp.Anonymous) -> str:
    count = node.expressions[-1]
    if isinstance(count, exp.Literal) and not count.is_string and int(float(count.this)) > _MOST_ENTRIES:
        return "INVALID_FUNCTION_ARGUMENT: count argument of repeat function must be less than or equal to 10000"
    return ""


_CALLS: dict[str, Callable[[exp.Anonymous], str]] = {
    "lag": _offset, "lead": _offset, "concat_ws": _texts, "repeat": _repeat,
}  # fmt: skip
_RULES: dict[type[exp.Expr], Callable[..., str]] = {
    exp.Join: _join,
    exp.With: relations.names,
    exp.CTE: relations.named,
    exp.Values: relations.values,
    exp.Column: _column,
    exp.Select: _select,
    exp.Extract: _extract,
    exp.Add: _sum,
    exp.Sub: _sum,
    exp.DPipe: _joined_texts,
    exp.WithinGroup: _listagg,
    exp.GroupConcat: _group_concat,
    exp.Anonymous: _call,
}
