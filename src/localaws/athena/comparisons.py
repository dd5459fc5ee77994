"""Comparisons that mean something else in DuckDB: of NaN, of maps, of arrays and of rows.

To Trino NaN is unequal to everything, itself too, and neither smaller nor larger; to DuckDB it equals itself and is
larger than all numbers. So where a side is known to be a double (numbers.py), what would be true of NaN alone is taken
out. Maps are equal in any order of their keys; a NULL among the values makes that unknown.
(trino.io/docs/current/functions/math.html#floating-point-functions, io.trino.type.DoubleType and MapType)
"""

from sqlglot import exp

from localaws.athena import arrays, known, numbers
from localaws.athena.failures import not_supported

_LARGER = (exp.GT, exp.GTE)
_SMALLER = (exp.LT, exp.LTE)
_FLOATS = {exp.DType.DOUBLE, exp.DType.FLOAT}

MACROS = {
    "t_map_equal(a, b)": "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN cardinality(a) <> cardinality(b) THEN false "
    "WHEN len(list_filter(map_keys(a), lambda t__k: NOT map_contains(b, t__k))) > 0 THEN false ELSE "
    "t_all(list_transform(map_entries(a), lambda t__e: t__e.value = map_extract_value(b, t__e.key))) END",
}


def compared(node: exp.Expr) -> exp.Expr:
    """The comparison with Trino's meaning."""
    if isinstance(node, exp.Between):
        return _between(node)
    if isinstance(node, exp.EQ | exp.NEQ) and (known.is_map(node.this) or known.is_map(node.expression)):
        equal = exp.Anonymous(this="t_map_equal", expressions=[node.this.copy(), node.expression.copy()])
        return equal if isinstance(node, exp.EQ) else exp.Not(this=equal)
    if isinstance(node, exp.EQ | exp.NEQ) and (equal_all := _of_collections(node)) is not None:
        return equal_all
    if isinstance(node, exp.EQ | exp.NEQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        return _of_doubles(node)
    return node


def _of_collections(node: exp.EQ | exp.NEQ) -> exp.Expr | None:
    """Arrays and rows are equal if all in them is; of a NULL that is not known, where DuckDB takes it for a value."""
    left, right = node.this.unnest(), node.expression.unnest()
    if isinstance(left, exp.Anonymous) and isinstance(right, exp.Anonymous) and left.name == right.name == "row":
        if len(left.expressions) != len(right.expressions):
            return None
        pairs = zip(left.expressions, right.expressions, strict=True)
        same: exp.Expr = exp.and_(*(compared(exp.EQ(this=a.copy(), expression=b.copy())) for a, b in pairs), copy=False)
    elif arrays.is_array(left) or arrays.is_array(right):
        same = exp.Anonymous(this="t_array_equal", expressions=[left.copy(), right.copy()])
    else:
        return None
    return exp.Not(this=exp.Paren(this=same)) if isinstance(node, exp.NEQ) else exp.Paren(this=same)


def _of_doubles(node: exp.Binary) -> exp.Expr:
    a, b = node.this, node.expression
    if _is_nan(a) or _is_nan(b):
        return _never(node, b if _is_nan(a) else a)
    if isinstance(node, _LARGER) and _may_be_nan(a):
        return _and_no_nan(node, a)
    if isinstance(node, _SMALLER) and _may_be_nan(b):
        return _and_no_nan(node, b)
    if isinstance(node, exp.EQ) and _may_be_nan(a) and _may_be_nan(b):
        return _and_no_nan(node, a)
    if isinstance(node, exp.NEQ) and _may_be_nan(a) and _may_be_nan(b):
        return exp.Paren(this=exp.Or(this=node.copy(), expression=exp.GT(this=a.copy(), expression=_infinity())))
    return node


def _between(node: exp.Between) -> exp.Expr:
    low, high = node.args["low"], node.args["high"]
    if not any(_is_nan(x) or _may_be_nan(x) for x in (low, high)) and not _is_nan(node.this):
        return node  # of NaN itself it is false, for it is not below `high`
    above = _of_doubles(exp.GTE(this=node.this.copy(), expression=low.copy()))
    below = _of_doubles(exp.LTE(this=node.this.copy(), expression=high.copy()))
    return exp.Paren(this=exp.And(this=above, expression=below))


def _never(node: exp.Binary, other: exp.Expr) -> exp.Expr:
    null = exp.If(this=exp.Is(this=other.copy(), expression=exp.Null()), true=exp.Null())
    return exp.Case(ifs=[null], default=exp.Boolean(this=isinstance(node, exp.NEQ)))


def _and_no_nan(node: exp.Binary, side: exp.Expr) -> exp.Expr:
    """As a bound, which Parquet's statistics can be asked about."""
    bound = exp.LTE(this=side.copy(), expression=_infinity())
    return exp.Paren(this=exp.And(this=node.copy(), expression=bound))


def _infinity() -> exp.Expr:
    return exp.Cast(this=exp.Literal.string("Infinity"), to=exp.DataType.build("DOUBLE"))


def _may_be_nan(node: exp.Expr) -> bool:
    inner = node.unnest()
    if isinstance(inner, exp.Neg):
        inner = inner.this.unnest()
    literal = isinstance(inner, exp.Literal) or (isinstance(inner, exp.Cast) and isinstance(inner.this, exp.Literal))
    return not literal and numbers.kind(node) == "double"


def _is_nan(node: exp.Expr) -> bool:
    inner = node.unnest()
    if isinstance(inner, exp.Cast):
        written = str(inner.this.this).lower().lstrip("+-") if isinstance(inner.this, exp.Literal) else ""
        return inner.to.this in _FLOATS and (written == "nan" or _is_nan(inner.this))
    return isinstance(inner, exp.Anonymous) and inner.name.lower() in {"nan", "t_nan"}


def refuse(node: exp.Expr) -> None:
    """Raises QueryFailure for those that nothing here knows; the tree is not rewritten yet."""
    sides = [s.unnest() for s in node.iter_expressions()]
    if isinstance(node, exp.In) and any(_is_nan(s) for s in sides):
        raise not_supported("IN with NaN (use is_nan)")
    if not isinstance(node, exp.EQ | exp.NEQ) and any(known.is_map(s) for s in sides):
        raise not_supported("a comparison of maps")
    if isinstance(node, exp.EQ | exp.NEQ) and any(_nested_null(s) for s in sides):
        raise not_supported("a comparison of an array with NULL in it")


def _nested_null(node: exp.Expr) -> bool:
    """Is there a NULL in an array in an array?"""
    return isinstance(node, exp.Array) and any(item.find(exp.Null) for item in node.expressions if item.find(exp.Array))
