"""Names that only DuckDB would find: a SELECT's own aliases in its other clauses, and one of two columns of one name.

In Trino an alias is seen by ORDER BY alone (trino.io/docs/current/sql/select.html; StatementAnalyzer's scopes). Refused
is what is certain: that a name is no column is known where the columns of every source are.
"""

from sqlglot import exp

from localaws.athena import columns
from localaws.athena.failures import QueryFailure, position

_UNRESOLVED = "cannot be resolved or requester is not authorized to access requested resources"


def check(sql: str, tree: exp.Expr) -> None:
    """Raises QueryFailure; the tables of the tree must be resolved."""
    for node in tree.find_all(exp.Column):
        select = node.find_ancestor(exp.Select)
        if select is None or node.table or isinstance(node.this, exp.Star):
            continue
        if node.name.startswith("$"):
            continue  # a table's hidden column, which no list has
        name, where = node.name.lower(), position(sql, int(node.this.meta.get("start", 0)))
        if any((_of_source(source) or []).count(name) > 1 for source in columns.sources(select)):
            raise QueryFailure(f"AMBIGUOUS_NAME: line {where}: Column '{name}' is ambiguous")
        if not _is_alias(select, name) or _sees_aliases(select, node) or node.find_ancestor(exp.Lambda):
            continue
        if _is_nowhere(select, name):
            raise QueryFailure(f"COLUMN_NOT_FOUND: line {where}: Column '{name}' {_UNRESOLVED}")


def _is_alias(select: exp.Select, name: str) -> bool:
    return any(isinstance(p, exp.Alias) and p.alias.lower() == name for p in select.expressions)


def _sees_aliases(select: exp.Select, node: exp.Expr) -> bool:
    order, above = select.args.get("order"), node.parent
    while above is not None and above is not select:
        if above is order:
            return True
        above = above.parent
    return False


def _is_nowhere(select: exp.Select | None, name: str) -> bool:
    """Is it certain that no source of this SELECT, or of one around it, has such a column?"""
    while select is not None:
        found = [_of_source(source) for source in columns.sources(select)]
        if select.args.get("laterals") or any(names is None or name in names for names in found):
            return False
        select = select.find_ancestor(exp.Select)
    return True


def _of_source(source: exp.Expr) -> list[str] | None:
    """The names of its columns, in lower case; None if they aren't known."""
    alias = source.args.get("alias")
    if alias is not None and alias.args.get("columns"):
        return [c.name.lower() for c in alias.args["columns"]]
    if "columns" in source.meta:
        return [name.lower() for name in columns.of_table(source)]
    if isinstance(source, exp.Subquery):
        return _of_query(source.this)
    query = columns.named(source) if isinstance(source, exp.Table) else None
    if query is None:
        return None
    renamed = query.parent.args.get("alias") if query.parent is not None else None
    if renamed is not None and renamed.args.get("columns"):
        return [c.name.lower() for c in renamed.args["columns"]]
    return _of_query(query)


def _of_query(query: exp.Expr) -> list[str] | None:
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select) or any(p.is_star for p in query.expressions):
        return _of_star(query)
    return [p.alias_or_name.lower() for p in query.expressions]


def _of_star(query: exp.Expr) -> list[str] | None:
    """SELECT * of one source, and nothing else."""
    if not isinstance(query, exp.Select) or len(query.expressions) != 1 or query.args.get("joins"):
        return None
    star, sources = query.expressions[0], columns.sources(query)
    return _of_source(sources[0]) if isinstance(star, exp.Star) and len(sources) == 1 else None
