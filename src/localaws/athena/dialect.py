"""Trino's SQL as a syntax tree, and that tree rewritten for DuckDB.

    parse(sql)       -> the tree; sqlglot reads Trino's grammar, but every function stays a plain call by its name
    check(tree)      refuses each construct that is not on the list of what is understood here
    rewrite(tree)    functions by functions.py and rewrites.py, then operators and casts whose meaning differs
    generate(tree)   DuckDB's SQL; what the generator can't say is refused

Nothing passes that isn't in a table: sqlglot's own translation ran 12 of 121 statements silently wrong.
"""

import re
from collections.abc import Callable
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ErrorLevel, ParseError, TokenError, UnsupportedError
from sqlglot.generators.duckdb import DuckDBGenerator
from sqlglot.parsers.trino import TrinoParser

from localaws.athena import numbers, temporal
from localaws.athena.failures import QueryFailure, not_supported, syntax_error
from localaws.athena.functions import FUNCTIONS, UNSUPPORTED
from localaws.athena.rewrites import REWRITES, call

_Parsers = dict[str, Callable[..., exp.Expr]]
_SPECIAL = {"CAST", "TRY_CAST", "EXTRACT", "POSITION", "SUBSTRING", "TRIM", "LISTAGG"}
_STATEMENT_WORDS = {"CASE", "IF"}


class _Parser(TrinoParser):
    """Only what has its own grammar is parsed as more than a call: CAST, EXTRACT(x FROM y), TRIM(BOTH ...), ..."""

    FUNCTIONS: ClassVar[_Parsers] = {}
    FUNCTION_PARSERS: ClassVar[_Parsers] = {k: v for k, v in TrinoParser.FUNCTION_PARSERS.items() if k in _SPECIAL}
    NO_PAREN_FUNCTION_PARSERS: ClassVar[_Parsers] = {
        k: v for k, v in TrinoParser.NO_PAREN_FUNCTION_PARSERS.items() if k in _STATEMENT_WORDS
    }


class _Athena(Trino):
    Parser = _Parser


class _Generator(DuckDBGenerator):
    def ignorenulls_sql(self, expression: exp.IgnoreNulls) -> str:
        inner = expression.this
        return f"{inner.name}({self.expressions(inner, flat=True)} IGNORE NULLS)"


class _DuckDB(DuckDB):
    Generator = _Generator


_ATHENA, _OUT = _Athena(), _DuckDB()

# Every node that may appear. Functions are Anonymous; the rest of sqlglot's function classes are not in here.
_UNDERSTOOD = frozenset(
    """
    Add Alias Aliases All And Anonymous Any Array AtTimeZone Between Boolean Bracket CTE Case Cast Column
    ColumnDef Cube CurrentDate CurrentTimestamp DPipe DataType DataTypeParam Distinct Div Dot EQ Escape Except
    Exists Extract Fetch Filter From GT GTE Group GroupConcat GroupingSets Having HexString Identifier If
    IgnoreNulls In Intersect Interval Is Join LT LTE Lambda Lateral Like Limit LimitOptions Literal
    Localtimestamp Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Offset Or Order Ordered Paren RespectNulls
    Rollup Select Star StrPosition Sub Subquery Substring Table TableAlias Trim TryCast Tuple UnicodeString
    Union Unnest Values Var Where Window WindowSpec With WithinGroup Xor Struct PropertyEQ
    """.split()  # noqa: SIM905 - one name a line would be pages
)
_WORDS = {"TableSample": "TABLESAMPLE", "MatchRecognize": "MATCH_RECOGNIZE", "Qualify": "QUALIFY", "Pivot": "PIVOT"}
_UTC = {"UTC", "GMT", "Z", "ETC/UTC", "+00:00"}
_TYPES = {exp.DType[name] for name in """BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL VARCHAR TEXT CHAR
    VARBINARY DATE TIME TIMESTAMP TIMESTAMPTZ JSON ARRAY MAP STRUCT UUID""".split()}  # fmt: skip  # noqa: SIM905
_INTEGERS = {exp.DType.TINYINT, exp.DType.SMALLINT, exp.DType.INT, exp.DType.BIGINT}


def parse(sql: str) -> exp.Query:
    """One query; raises QueryFailure with SYNTAX_ERROR's words and place."""
    try:
        trees = [t for t in _ATHENA.parse(sql, error_level=ErrorLevel.IMMEDIATE) if t is not None]
    except ParseError as e:
        raise _unexpected(sql, e) from e
    except TokenError as e:
        raise QueryFailure(f"SYNTAX_ERROR: line 1:1: {e}") from e
    except RecursionError as e:
        raise QueryFailure("SYNTAX_ERROR: statement is too large (stack overflow during analysis)") from e
    if len(trees) != 1:
        raise QueryFailure("SYNTAX_ERROR: line 1:1: Only one sql statement is allowed")
    if isinstance(trees[0], exp.Values):
        return _selected(trees[0])
    if not isinstance(trees[0], exp.Query):
        raise not_supported(f"a statement that begins with {sql.split()[0].upper()}")
    return trees[0]


def _selected(values: exp.Values) -> exp.Query:
    """A bare VALUES as a SELECT; its columns are _col0, _col1 ..."""
    names = [exp.to_identifier(f"_col{i}") for i in range(len(values.expressions[0].expressions))]
    alias = exp.TableAlias(this=exp.to_identifier("t"), columns=names)
    return exp.select("*").from_(exp.Subquery(this=values, alias=alias))


def _unexpected(sql: str, error: ParseError) -> QueryFailure:
    where = error.errors[0] if error.errors else {}
    word = where.get("highlight") or "<EOF>"
    lines = sql.split("\n")
    line = where.get("line") or len(lines)
    column = max((where.get("col") or len(lines[-1]) + 1) - len(word) + 1, 1)
    return QueryFailure(f"SYNTAX_ERROR: line {line}:{column}: mismatched input '{word}'")


def expression(sql: str) -> exp.Expr:
    """One expression (an ExecutionParameter)."""
    select = parse(f"SELECT {sql}")
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or select.args.get("from_"):
        raise QueryFailure(f"SYNTAX_ERROR: line 1:1: invalid parameter '{sql}'")
    found: exp.Expr = select.expressions[0]
    return found


def check(sql: str, tree: exp.Expr) -> None:
    """Refuse, by name, what is not understood."""
    for node in tree.walk():
        name = type(node).__name__
        if name not in _UNDERSTOOD:
            raise not_supported(_WORDS.get(name, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).upper()))
        if isinstance(node, exp.Anonymous):
            _check_call(sql, node)
        if isinstance(node, exp.DataType) and node.this not in _TYPES:
            raise not_supported(f"the type {node.sql(dialect=_ATHENA)}")
        if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
            raise not_supported(f"the table function {node.this.name}")
        if isinstance(node, exp.Star) and any(node.args.values()):
            raise not_supported("* with EXCEPT or REPLACE")
        if isinstance(node, exp.Select) and not node.expressions:
            raise QueryFailure("SYNTAX_ERROR: line 1:7: mismatched input '<EOF>'")


def _check_call(sql: str, node: exp.Anonymous) -> None:
    name, count, offset = node.name.lower(), len(node.expressions), node.meta.get("start", 0)
    if name in REWRITES:
        least, most = REWRITES[name][:2]
    elif name in FUNCTIONS:
        least, most = FUNCTIONS[name].least, FUNCTIONS[name].most
    elif name in UNSUPPORTED:
        raise not_supported(f"the function {name}")
    else:
        raise _at("FUNCTION_NOT_FOUND", sql, offset, f"Function '{name}' not registered")
    if not least <= count <= most:
        wanted = str(least) if least == most else f"{least} to {most}"
        problem = f"{count} arguments of the function {name} (it takes {wanted} here)"
        raise not_supported(problem)


def _at(kind: str, sql: str, offset: int, problem: str) -> QueryFailure:
    return QueryFailure(syntax_error(sql, offset, problem).message.replace("SYNTAX_ERROR", kind, 1))


def rewrite(tree: exp.Expr) -> exp.Expr:
    """The tree with Trino's meaning in DuckDB's words. Innermost first; raises QueryFailure for what can't be said."""
    decimals = numbers.has_decimals(tree)
    for node in reversed(list(tree.walk(bfs=True))):
        change = _CHANGES.get(type(node))
        if change is not None:
            new = change(node, decimals)
            if new is not node:
                node.replace(new)
    return tree


def _function(node: exp.Anonymous, decimals: bool) -> exp.Expr:
    name = node.name.lower()
    if name == "avg" and decimals:
        return numbers.average(node)
    if name in REWRITES:
        return REWRITES[name][2](node.expressions)
    if name not in FUNCTIONS:  # an argument of a rewrite that has been replaced already
        return node
    node.set("this", FUNCTIONS[name].target)
    return node


def _shift(node: exp.Add | exp.Sub, _: bool) -> exp.Expr:
    value, interval = node.this, node.expression
    if isinstance(value, exp.Interval) and isinstance(node, exp.Add):
        value, interval = interval, value
    if not isinstance(interval, exp.Interval) or isinstance(value, exp.Interval):
        return node
    return temporal.plus(value, exp.Neg(this=interval) if isinstance(node, exp.Sub) else interval)


def _extract(node: exp.Extract, _: bool) -> exp.Expr:
    field = node.this.name.lower()
    if field not in FUNCTIONS or FUNCTIONS[field].least != 1:
        raise not_supported(f"EXTRACT({field.upper()} ...)")
    return call(FUNCTIONS[field].target, node.expression)


def _divide(node: exp.Div, decimals: bool) -> exp.Expr:
    return numbers.divide(node, decimals)


def _cast(node: exp.Cast, _: bool) -> exp.Expr:
    """Trino's casts: to an integer rounds half up and reads only digits; to varchar writes as Athena writes."""
    kind, value = node.to, node.this
    safe = isinstance(node, exp.TryCast)
    if kind.this in _INTEGERS and not numbers.is_integer(value):
        return _tried(exp.Cast(this=call("t_integral", value), to=kind), safe)
    if kind.this in {exp.DType.VARCHAR, exp.DType.TEXT}:
        written = call("t_varchar", value)
        return call("left", written, kind.expressions[0].this) if kind.expressions else written
    if kind.this == exp.DType.CHAR:
        raise not_supported("the type CHAR")
    if kind.this == exp.DType.JSON:
        return call("to_json", value)
    if kind.this == exp.DType.DECIMAL and not kind.expressions:
        kind.set("expressions", [exp.DataTypeParam(this=exp.Literal.number(n)) for n in _decimal(value)])
    return node


def _tried(node: exp.Expr, safe: bool) -> exp.Expr:
    return call("try", node) if safe else node


def _decimal(value: exp.Expr) -> tuple[int, int]:
    """DECIMAL '1.25' has its literal's digits; CAST(x AS DECIMAL) is DECIMAL(38, 0)."""
    if isinstance(value, exp.Literal) and value.is_string and re.fullmatch(r"[+-]?\d*\.?\d+", str(value.this)):
        whole, _, fraction = str(value.this).lstrip("+-").partition(".")
        return len(whole + fraction), len(fraction)
    return 38, 0


def _at_zone(node: exp.AtTimeZone, _: bool) -> exp.Expr:
    zone = node.args["zone"]
    if not (isinstance(zone, exp.Literal) and str(zone.this).upper() in _UTC):
        raise not_supported("AT TIME ZONE with a zone other than 'UTC'")
    return exp.Cast(this=node.this, to=exp.DataType.build("TIMESTAMPTZ", dialect="duckdb"))


def _position(node: exp.StrPosition, _: bool) -> exp.Expr:
    return call("strpos", node.this, node.args["substr"])


def _substring(node: exp.Substring, _: bool) -> exp.Expr:
    parts = [node.this, node.args.get("start"), node.args.get("length")]
    return call("t_substr", *(p for p in parts if p is not None))


def _trim(node: exp.Trim, _: bool) -> exp.Expr:
    function = {"LEADING": "t_ltrim", "TRAILING": "t_rtrim"}.get(str(node.args.get("position") or "").upper(), "t_trim")
    return call(function, *(p for p in (node.this, node.expression) if p))


def _list_aggregate(node: exp.GroupConcat, _: bool) -> exp.Expr:
    if node.args.get("on_overflow"):
        raise not_supported("LISTAGG with ON OVERFLOW")
    return node


def _unnest(node: exp.Unnest, _: bool) -> exp.Expr:
    """UNNEST of several arrays, a map or rows becomes a lateral SELECT; of one plain array it stays."""
    alias = node.args.get("alias")
    columns = alias.args.get("columns") or [] if alias else []
    offset = node.args.get("offset")
    arrays = node.expressions
    width = len(columns)
    if len(arrays) == 1 and (width <= 1 or (offset and not columns)) and not numbers.is_map(arrays[0]):
        return node
    items: list[exp.Expr] = []
    for array in arrays:
        if numbers.is_map(array):
            items += [call("unnest", call("map_keys", array.copy())), call("unnest", call("map_values", array.copy()))]
        elif len(arrays) == 1 and width > 1:
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


def _ordinality(arrays: list[exp.Expr]) -> exp.Expr:
    lengths = [call("coalesce", call("cardinality", a.copy()), exp.Literal.number(0)) for a in arrays]
    longest = call("greatest", *lengths) if len(lengths) > 1 else lengths[0]
    bigint = exp.Cast(this=longest, to=exp.DataType.build("BIGINT"))
    return call("unnest", call("generate_series", exp.Literal.number(1), bigint))


_CHANGES: dict[type[exp.Expr], Callable[..., exp.Expr]] = {
    exp.Anonymous: _function,
    exp.Extract: _extract,
    exp.Div: _divide,
    exp.Add: _shift,
    exp.Sub: _shift,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.AtTimeZone: _at_zone,
    exp.StrPosition: _position,
    exp.Substring: _substring,
    exp.Trim: _trim,
    exp.GroupConcat: _list_aggregate,
    exp.Unnest: _unnest,
}


def generate(tree: exp.Expr) -> str:
    try:
        return str(_OUT.generate(tree, copy=False, identify=True, unsupported_level=ErrorLevel.RAISE, comments=False))
    except UnsupportedError as e:
        raise not_supported(str(e).rstrip(".")) from e
