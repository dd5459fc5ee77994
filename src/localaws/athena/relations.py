"""What Trino's analyzer says of WITH and VALUES: names twice, other lengths, endless recursion.

Each rule gives "CODE: words" or "", as those of analyzer.py, which has them in its table (io.trino.sql.analyzer
StatementAnalyzer: analyzeWith, validateColumnAliases, visitValues; io.trino.sql.planner.RelationPlanner).
"""

from sqlglot import exp

from localaws.athena.failures import QueryFailure

_ENDLESS = "Recursion depth limit exceeded (10). Use 'max_recursion_depth' session property to modify the limit."
_BOUNDS = ("where", "joins", "laterals", "having", "group", "limit", "distinct", "qualify")


def names(node: exp.With) -> str:
    seen: set[str] = set()
    for cte in node.expressions:
        name = cte.alias.lower()
        if name in seen:
            return f"DUPLICATE_NAMED_QUERY: WITH query name '{cte.alias}' specified more than once"
        seen.add(name)
    return ""


def named(node: exp.CTE) -> str:
    wanted = [c.name.lower() for c in node.args["alias"].args.get("columns") or []]
    there = _width(node.this)
    if wanted and there is not None and len(wanted) != there:
        told = f"Column alias list has {len(wanted)} entries but relation has {there} columns"
        return f"MISMATCHED_COLUMN_ALIASES: {told}"
    again = next((n for i, n in enumerate(wanted) if n in wanted[:i]), "")
    if again:
        return f"DUPLICATE_COLUMN_NAME: Column name '{again}' specified more than once"
    if _is_endless(node):
        raise QueryFailure(f"NOT_SUPPORTED: {_ENDLESS}")  # met by Trino when it runs, so without a place
    return ""


def values(node: exp.Values) -> str:
    rows = [n for n in map(_length, node.expressions) if n is not None]
    other = next((n for n in rows if n != rows[0]), None)
    if other is None:
        return ""
    return f"TYPE_MISMATCH: Values rows have mismatched types: {rows[0]} columns vs {other} columns"


def _length(row: exp.Expr) -> int | None:
    """One expression may be a ROW, whose fields are the columns."""
    parts = row.expressions if isinstance(row, exp.Tuple) else [row]
    return len(parts) if len(parts) > 1 or isinstance(parts[0], exp.Literal) else None


def _width(query: exp.Expr) -> int | None:
    """How many columns it has; None if a * hides them."""
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select) or any(p.is_star for p in query.expressions):
        return None
    return len(query.expressions)


def _is_endless(node: exp.CTE) -> bool:
    """Does it read itself, and nothing else, with nothing that could leave a row out?"""
    union = node.this
    if not isinstance(union, exp.Union) or union.args.get("distinct") or not _is_recursive(node.parent):
        return False
    step = union.expression.unnest()
    source = step.args["from_"].this if isinstance(step, exp.Select) and step.args.get("from_") else None
    itself = isinstance(source, exp.Table) and not source.db and source.name.lower() == node.alias.lower()
    return itself and not any(step.args.get(bound) for bound in _BOUNDS)


def _is_recursive(clause: exp.Expr | None) -> bool:
    return clause is not None and bool(clause.args.get("recursive"))
