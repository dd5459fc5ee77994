"""What a column's name means: which table's column it is, or which expression of a subquery or of a WITH.

Tables carry their columns' types since they were resolved (query.py); nothing here asks DuckDB.
"""

from sqlglot import exp

from localaws.athena.types import Type


def inner(source: exp.Expr) -> exp.Select | None:
    """The (leftmost) SELECT behind a subquery or behind the name of a WITH."""
    query: exp.Expr | None = source.this if isinstance(source, exp.Subquery) else named(source)
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    return query if isinstance(query, exp.Select) else None


def named(table: exp.Expr) -> exp.Expr | None:
    owner = table.parent
    while owner is not None:
        clause = owner.args.get("with_")
        for cte in clause.expressions if clause else ():
            if cte.alias.lower() == table.name.lower() and table.find_ancestor(exp.CTE) is not cte:
                found: exp.Expr = cte.this
                return found
        owner = owner.parent
    return None


def type_of_column(node: exp.Column) -> Type | None:
    """By the tables of the nearest SELECT, or of the subqueries, views and WITH that pass the column on as it is."""
    select = node.find_ancestor(exp.Select)
    return _type_in(select, node.name.lower(), node.table.lower()) if select else None


def _type_in(select: exp.Select, name: str, qualifier: str = "") -> Type | None:
    for source in sources(select):
        if qualifier in {"", source.alias_or_name.lower()}:
            found = of_table(source).get(name) or _passed_on(source, name)
            if found is not None:
                return found
    return None


def _passed_on(source: exp.Expr, name: str) -> Type | None:
    query = source.this if isinstance(source, exp.Subquery) else named(source)
    if not isinstance(query, exp.Select) or _renames(source) or _renames(query.parent):
        return None
    for projection in query.expressions:
        if isinstance(projection, exp.Star) or (isinstance(projection, exp.Column) and projection.is_star):
            return _type_in(query, name)
        if projection.alias_or_name.lower() == name:
            origin = projection.unalias()
            return type_of_column(origin) if isinstance(origin, exp.Column) else None
    return None


def origin(node: exp.Column) -> exp.Expr | None:
    """The expression that a column of a subquery or of a WITH stands for; None if it is none, or is renamed."""
    select = node.find_ancestor(exp.Select)
    return _origin_in(select, node.name.lower(), node.table.lower()) if select else None


def _origin_in(select: exp.Select, name: str, qualifier: str = "") -> exp.Expr | None:
    for source in sources(select):
        if qualifier not in {"", source.alias_or_name.lower()} or name in of_table(source):
            continue
        query = source.this if isinstance(source, exp.Subquery) else named(source)
        if not isinstance(query, exp.Select) or _renames(source) or _renames(query.parent):
            continue
        for projection in query.expressions:
            if isinstance(projection, exp.Star) or (isinstance(projection, exp.Column) and projection.is_star):
                if (passed_on := _origin_in(query, name)) is not None:
                    return passed_on
            elif projection.alias_or_name.lower() == name:
                found: exp.Expr = projection.unalias()
                return found
    return None


def _renames(source: exp.Expr | None) -> bool:
    """AS t (a, b)"""
    alias = source.args.get("alias") if source is not None else None
    return bool(alias is not None and alias.args.get("columns"))


def sources(select: exp.Select) -> list[exp.Expr]:
    clauses = [select.args.get("from_"), *(select.args.get("joins") or [])]
    return [c.this for c in clauses if c is not None]


def lengths(query: exp.Expr) -> dict[int | str, Type]:
    """The varchar(n) and char(n) among the columns of a SELECT, which DuckDB has no types for: by their place, or by
    their name if there is a *."""
    while isinstance(query, exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select):
        return {}
    if any(p.is_star for p in query.expressions):
        every = [of_table(source) for source in sources(query)]
        names = [name for columns in every for name in columns]
        return {
            n: t for columns in every for n, t in columns.items() if t.precision and names.count(n) == 1 and _text(t)
        }
    found = ((i, _length(p.unalias().unnest())) for i, p in enumerate(query.expressions))
    return {i: kind for i, kind in found if kind is not None}


def _length(node: exp.Expr) -> Type | None:
    kind: Type | None = None
    if isinstance(node, exp.Column):
        kind = type_of_column(node)
    elif isinstance(node, exp.Literal) and node.is_string:
        kind = Type("varchar", len(str(node.this)))
    elif isinstance(node, exp.Cast) and node.to.this in {exp.DType.VARCHAR, exp.DType.CHAR} and node.to.expressions:
        kind = Type(node.to.this.name.lower(), int(node.to.expressions[0].this.name))
    return kind if kind is not None and kind.precision and _text(kind) else None


def _text(kind: Type) -> bool:
    return kind.name in {"varchar", "char"}


def of_table(table: exp.Expr) -> dict[str, Type]:
    """Name -> type, put there when the table was resolved."""
    found: dict[str, Type] = table.meta.get("columns", {})
    return found


def is_named_field(node: exp.Expr) -> bool:
    """r.a of a column is called a; a field of what a function or a cast makes has no name (as in Trino)."""
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Star):
        return True
    inner = node
    while isinstance(inner, exp.Dot):
        inner = inner.this.unnest()
    return inner is not node and isinstance(inner, exp.Column | exp.Identifier)
