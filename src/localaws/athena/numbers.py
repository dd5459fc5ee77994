"""Arithmetic in Trino's types: integers divide to integers, decimals to decimals, doubles to doubles.

DuckDB's `//` divides integers as Trino does and doubles exactly, but knows no decimal division; so where a query has
decimals at all, the operands' kinds are worked out from the tree, and a division whose kind can't be known is refused.
(trino.io/docs/current/functions/decimal.html#binary-arithmetic-decimal-operators)
"""

import re
from dataclasses import dataclass

from sqlglot import exp

from localaws.athena import columns
from localaws.athena.failures import not_supported

_INTEGER, _DOUBLE = "integer", "double"
_MOST = 38  # digits
_RETURNS = {
    _INTEGER: """count count_if length cardinality strpos codepoint year month day hour minute second date_diff rank
        row_number dense_rank ntile approx_distinct approx_count_distinct date_sub sign t_strpos unicode""",
    _DOUBLE: """sqrt cbrt exp ln log2 log10 log pow power random rand to_unixtime t_unixtime corr stddev stddev_pop
        stddev_samp variance var_pop var_samp percent_rank cume_dist t_random pi epoch
        nan infinity e sin cos tan asin acos atan atan2 sinh cosh tanh degrees radians skewness kurtosis geometric_mean
        geomean regr_slope regr_intercept wilson_interval_lower wilson_interval_upper cosine_similarity sign_of_double
        normal_cdf inverse_normal_cdf beta_cdf inverse_beta_cdf""",
}
_KIND_OF_CALL = {name: kind for kind, names in _RETURNS.items() for name in names.split()}
_SAME = {"min", "max", "coalesce", "nullif", "abs", "lag", "lead", "first_value", "last_value", "any_value",
         "greatest", "arbitrary", "least", "try", "t_mod", "mod", "round", "max_by", "min_by", "arg_max_null",
         "arg_min_null"}  # fmt: skip
_INTEGER_TYPES = {exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT}


@dataclass(frozen=True, slots=True)
class Decimal:
    precision: int
    scale: int


Kind = str | Decimal | None  # None: not known


def has_decimals(tree: exp.Expr) -> bool:
    """Is there a decimal literal, cast or column anywhere?"""
    for node in tree.walk():
        if isinstance(node, exp.Literal) and isinstance(_literal(node), Decimal):
            return True
        if isinstance(node, exp.DataType) and node.this == exp.DType.DECIMAL:
            return True
        if isinstance(node, exp.Anonymous) and node.name.lower() in {"parse_data_size", "parse_presto_data_size"}:
            return True
        if isinstance(node, exp.Table) and any(t.name == "decimal" for t in columns.of_table(node).values()):
            return True
    return False


def kind(node: exp.Expr | None) -> Kind:
    """What arithmetic sees in `node`, which is rewritten or not."""
    if isinstance(node, exp.Literal):
        return _literal(node)
    if isinstance(node, exp.Paren | exp.Neg | exp.Filter | exp.Window | exp.Distinct | exp.IgnoreNulls):
        return kind(node.this if not isinstance(node, exp.Distinct) else node.expressions[0])
    if isinstance(node, exp.Cast):
        return _type(node.to)
    if isinstance(node, exp.Column):
        return _column(node)
    if isinstance(node, exp.Anonymous):
        return _call(node)
    if isinstance(node, exp.IntDiv):
        return _INTEGER if _both(node) == _INTEGER else _both(node)
    if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.Div):
        return _arithmetic(node)
    if isinstance(node, exp.Case):
        branches = [i.args["true"] for i in node.args["ifs"]] + [node.args.get("default")]
        return _widest([kind(b) for b in branches if b is not None and not isinstance(b, exp.Null)])
    return None


def is_integer(node: exp.Expr) -> bool:
    """Is it certain that the value is an integer?"""
    return kind(node) == _INTEGER


def divide(node: exp.Div, decimals: bool) -> exp.Expr:
    """`a / b` with Trino's result. Refused if decimals are about and the operands' kinds can't be known."""
    a, b = kind(node.this), kind(node.expression)
    if _DOUBLE in {a, b}:
        return exp.Div(this=node.this, expression=node.expression, typed=False, safe=False)
    if not decimals or (a == _INTEGER and b == _INTEGER):
        return exp.IntDiv(this=node.this, expression=node.expression)
    if a is None or b is None:
        raise not_supported("a division whose operands may be DECIMAL (CAST one of them AS DOUBLE)")
    return _divide_decimals(node, _as_decimal(a), _as_decimal(b))


def average(node: exp.Anonymous) -> exp.Expr:
    """avg(decimal(p, s)) is a decimal(p, s)."""
    argument = kind(node.expressions[0])
    if argument is None:
        _guard(node)
    if not isinstance(argument, Decimal):
        return node
    owner = node.parent
    if isinstance(owner, exp.Filter | exp.Window | exp.IgnoreNulls):
        raise not_supported("avg of a DECIMAL with FILTER or OVER (CAST it AS DOUBLE)")
    return exp.Cast(this=node.copy(), to=_decimal_type(argument))


def _guard(node: exp.Anonymous) -> None:
    """Whether the argument is a DECIMAL is only known when the query runs, and then it is refused."""
    node.expressions[0].replace(exp.Anonymous(this="t_no_decimal", expressions=[node.expressions[0].copy()]))


ROUNDING = frozenset({"ceil", "ceiling", "floor", "truncate", "round"})
_ROUNDED = {"ceil": "t_ceil", "ceiling": "t_ceil", "floor": "t_floor", "truncate": "t_truncate", "round": "round"}


def rounded(node: exp.Anonymous) -> exp.Expr:
    """To a whole number a decimal(p, s) becomes a decimal(p - s + 1, 0); round(x, n) keeps the scale.
    (trino.io/docs/current/functions/math.html)"""
    argument = kind(node.expressions[0])
    name = node.name.lower()
    if name == "truncate" and len(node.expressions) == 2:
        return _truncated(node.expressions[0], node.expressions[1], argument)
    node.set("this", _ROUNDED[name])
    if argument is None:
        _guard(node)
    if not isinstance(argument, Decimal):
        return node
    if len(node.expressions) == 1:
        whole = min(argument.precision - argument.scale + min(argument.scale, 1), _MOST)
        return exp.Cast(this=node.copy(), to=_decimal_type(Decimal(whole, 0)))
    return exp.Cast(this=node.copy(), to=_decimal_type(Decimal(min(argument.precision + 1, _MOST), argument.scale)))


def _truncated(value: exp.Expr, digits: exp.Expr, argument: Kind) -> exp.Expr:
    """truncate(decimal, digits behind the point, or -digits before it) keeps the type."""
    sign, literal = (-1, digits.this) if isinstance(digits, exp.Neg) else (1, digits)
    if not isinstance(argument, Decimal) or not (isinstance(literal, exp.Literal) and str(literal.this).isdigit()):
        raise not_supported("truncate of other than a DECIMAL to a literal number of digits")
    kept = sign * int(literal.this)
    if kept >= argument.scale:
        return value.copy()
    kind = _decimal_type(argument)
    if kept <= argument.scale - argument.precision:
        return exp.Cast(this=exp.Mul(this=exp.Paren(this=value.copy()), expression=exp.Literal.number(0)), to=kind)
    unit = f"0.{1:0{kept}}" if kept > 0 else str(10**-kept)
    step = exp.Cast(
        this=exp.Literal.string(unit), to=_decimal_type(Decimal(max(-kept, 0) + 1 + max(kept, 0), max(kept, 0)))
    )
    rest = exp.Mod(this=exp.Paren(this=value.copy()), expression=step)
    return exp.Cast(this=exp.Sub(this=exp.Paren(this=value.copy()), expression=exp.Paren(this=rest)), to=kind)


def _literal(node: exp.Literal) -> Kind:
    if node.is_string:
        return None
    written = str(node.this)
    if re.fullmatch(r"\d+", written):
        return _INTEGER
    if re.fullmatch(r"\d*\.\d*", written):
        whole, _, fraction = written.partition(".")
        return Decimal(len(whole.lstrip("0")) + len(fraction) or 1, len(fraction))
    return _DOUBLE


def _type(to: exp.DataType) -> Kind:
    if to.this in _INTEGER_TYPES:
        return _INTEGER
    if to.this in {exp.DType.DOUBLE, exp.DType.FLOAT}:
        return _DOUBLE
    if to.this == exp.DType.DECIMAL:
        numbers = [int(p.this.name) for p in to.expressions]
        precision, scale = (*numbers, 0)[:2] if numbers else (_MOST, 0)
        return Decimal(precision, scale)
    return None


def _call(node: exp.Anonymous) -> Kind:
    name = node.name.lower()
    found = _KIND_OF_CALL.get(name) or _KIND_OF_CALL.get(name.removeprefix("t_"))
    if found is not None:
        return found
    arguments = [kind(a) for a in node.expressions]
    if name == "sum":
        return Decimal(_MOST, arguments[0].scale) if isinstance(arguments[0], Decimal) else arguments[0]
    if name == "avg":
        return _DOUBLE if arguments[0] == _INTEGER else arguments[0]
    if name in _SAME and arguments:
        return _widest(arguments[:1] if name in {"round", "max_by", "min_by", "lag", "lead"} else arguments)
    return None


def _arithmetic(node: exp.Binary) -> Kind:
    both = _both(node)
    if not isinstance(both, Decimal):
        return both
    a, b = _as_decimal(kind(node.this)), _as_decimal(kind(node.expression))
    if isinstance(node, exp.Mul):
        return Decimal(min(a.precision + b.precision, _MOST), a.scale + b.scale)
    return Decimal(min(both.precision + 1, _MOST), both.scale)


def _both(node: exp.Binary) -> Kind:
    return _widest([kind(node.this), kind(node.expression)])


def _widest(kinds: list[Kind]) -> Kind:
    if not kinds or None in kinds:
        return _DOUBLE if _DOUBLE in kinds else None
    if _DOUBLE in kinds:
        return _DOUBLE
    decimals = [_as_decimal(k) for k in kinds]
    if all(k == _INTEGER for k in kinds):
        return _INTEGER
    scale = max(d.scale for d in decimals)
    return Decimal(min(max(d.precision - d.scale for d in decimals) + scale, _MOST), scale)


def _as_decimal(found: Kind) -> Decimal:
    return found if isinstance(found, Decimal) else Decimal(19, 0)


def _divide_decimals(node: exp.Div, a: Decimal, b: Decimal) -> exp.Expr:
    """Through unscaled integers, rounded half away from zero to the larger of the two scales."""
    scale = max(a.scale, b.scale)
    numerator = _unscaled(node.this, scale + b.scale)
    denominator = _unscaled(node.expression, b.scale)
    quotient = exp.Anonymous(this="t_divide_half_up", expressions=[numerator, denominator])
    result = exp.Cast(this=quotient, to=_decimal_type(Decimal(_MOST - scale, 0)))
    if scale == 0:
        return result
    unit = exp.Cast(this=exp.Literal.string(f"0.{1:0{scale}}"), to=_decimal_type(Decimal(scale, scale)))
    return exp.Cast(this=exp.Mul(this=result, expression=unit), to=_decimal_type(Decimal(_MOST, scale)))


def _unscaled(node: exp.Expr, digits: int) -> exp.Expr:
    scaled = exp.Mul(this=exp.Paren(this=node.copy()), expression=exp.Literal.number(10**digits))
    return exp.Cast(this=scaled, to=exp.DataType.build("HUGEINT", dialect="duckdb"))


def _decimal_type(decimal: Decimal) -> exp.DataType:
    return exp.DataType.build(f"DECIMAL({decimal.precision}, {decimal.scale})", dialect="duckdb")


_KIND_OF_TYPE = {"tinyint": _INTEGER, "smallint": _INTEGER, "integer": _INTEGER, "bigint": _INTEGER, "double": _DOUBLE,
                 "real": _DOUBLE}  # fmt: skip


def _column(node: exp.Column) -> Kind:
    """Of the nearest SELECT; t.x may be of one around it, too."""
    select = node.find_ancestor(exp.Select)
    found = _column_of(select, node.name.lower(), node.table.lower()) if select else None
    while found is None and node.table and select is not None:
        select = select.find_ancestor(exp.Select)
        found = _column_of(select, node.name.lower(), node.table.lower()) if select else None
    return found


def _column_of(select: exp.Select, name: str, qualifier: str = "") -> Kind:
    """What `select` sees by this name: a table's column, by its type, or a subquery's, by its expression."""
    for source in columns.sources(select):
        if qualifier in {"", source.alias_or_name.lower()}:
            found = columns.of_table(source).get(name)
            if found is not None:
                return (
                    Decimal(found.precision, found.scale) if found.name == "decimal" else _KIND_OF_TYPE.get(found.name)
                )
            query = columns.inner(source)
            if query is not None and (kind_of := _projected(query, name)) is not None:
                return kind_of
    return None


def _projected(select: exp.Select, name: str) -> Kind:
    for projection in select.expressions:
        if isinstance(projection, exp.Star) or (isinstance(projection, exp.Column) and projection.is_star):
            return _column_of(select, name)
        if projection.alias_or_name.lower() == name:
            return kind(projection.unalias())
    return None
