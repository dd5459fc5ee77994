"""Trino's SQL read into a syntax tree, and what of it is understood.

    parse(sql)        -> the tree; sqlglot reads Trino's grammar, but every function stays a plain call by its name
    check(sql, tree)  refuses each construct that is not on the list

Nothing passes that isn't in a table: sqlglot's own translation ran 12 of 121 statements silently wrong.
"""

import re
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar

from sqlglot import TokenType, exp
from sqlglot.dialects.trino import Trino
from sqlglot.errors import ErrorLevel, ParseError, TokenError
from sqlglot.parsers.trino import TrinoParser

from localaws.athena import rows, sqljson_grammar, syntax
from localaws.athena.failures import QueryFailure, not_supported, syntax_error
from localaws.athena.functions import FUNCTIONS, PARTLY, UNSUPPORTED
from localaws.athena.rewrites import REWRITES
from localaws.athena.statements import Token, tokens

_Parsers = dict[str, Callable[..., exp.Expr]]
_SPECIAL = {"CAST", "TRY_CAST", "EXTRACT", "OVERLAY", "POSITION", "SUBSTRING", "TRIM", "LISTAGG"}
_STATEMENT_WORDS = {"CASE", "IF"}
_OPENING = {TokenType.L_PAREN, TokenType.L_BRACKET}


class _Parser(TrinoParser):
    """Only what has its own grammar is parsed as more than a call: CAST, EXTRACT(x FROM y), TRIM(BOTH ...), ..."""

    FUNCTIONS: ClassVar[_Parsers] = {}
    SUBQUERY_TOKENS: ClassVar[set[TokenType]] = TrinoParser.SUBQUERY_TOKENS | {TokenType.VALUES}  # > ALL (VALUES 1, 2)
    FUNCTION_PARSERS: ClassVar[_Parsers] = {
        **{k: v for k, v in TrinoParser.FUNCTION_PARSERS.items() if k in _SPECIAL},
        **sqljson_grammar.PARSERS,
    }
    NO_PAREN_FUNCTION_PARSERS: ClassVar[_Parsers] = {
        k: v for k, v in TrinoParser.NO_PAREN_FUNCTION_PARSERS.items() if k in _STATEMENT_WORDS
    }

    def _parse_type(self, parse_interval: bool = True, fallback_to_identifier: bool = False) -> exp.Expr | None:
        """Where a value stands, ARRAY[, ROW( and DATE( are no types: tried as both, each level doubles the time."""
        opens = self._next is not None and self._next.token_type in _OPENING
        if opens and not fallback_to_identifier and self._curr.token_type in self.TYPE_TOKENS:
            return self._parse_column()
        return super()._parse_type(parse_interval, fallback_to_identifier)


class _Athena(Trino):
    Parser = _Parser


_ATHENA = _Athena()

# Every node that may appear. Functions are Anonymous; the rest of sqlglot's function classes are not in here.
_UNDERSTOOD = frozenset(
    """
    Add Alias Aliases All And Anonymous Any Array AtTimeZone Between Boolean Bracket CTE Case Cast Column
    ColumnDef Cube CurrentDate CurrentTime CurrentTimestamp DPipe DataType DataTypeParam Distinct Div Dot EQ Escape
    Except Exists Extract Fetch Filter From GT GTE Group GroupConcat GroupingSets Having HexString Identifier If
    IgnoreNulls In Intersect Interval Is Join LT LTE Lambda Lateral Like Limit LimitOptions Literal
    Localtime Localtimestamp Mod Mul NEQ Neg Not Null NullSafeEQ NullSafeNEQ Offset Or Order Ordered
    OverflowTruncateBehavior Overlaps Overlay Paren
    ParseJSON RespectNulls
    Rollup Select Star StrPosition Sub Subquery Substring Table TableAlias Trim TryCast Tuple UnicodeString
    Union Unnest Values Var Where Window WindowSpec With WithinGroup Xor Struct PropertyEQ
    """.split()  # noqa: SIM905 - one name a line would be pages
)
_WORDS = {"TableSample": "TABLESAMPLE", "MatchRecognize": "MATCH_RECOGNIZE", "Qualify": "QUALIFY", "Pivot": "PIVOT"}
_TYPES = {exp.DType[name] for name in """BOOLEAN TINYINT SMALLINT INT BIGINT FLOAT DOUBLE DECIMAL VARCHAR TEXT CHAR
    VARBINARY DATE TIME TIMESTAMP TIMESTAMPTZ JSON ARRAY MAP STRUCT UUID""".split()}  # fmt: skip  # noqa: SIM905
_TOO_LARGE = "SYNTAX_ERROR: statement is too large (stack overflow during analysis)"


def parse(sql: str) -> exp.Query:
    """One query; raises QueryFailure with SYNTAX_ERROR's words and place."""
    parts = tokens(sql)
    syntax.check_tokens(sql, parts)
    _check_tokens(sql)
    try:
        trees = [t for t in _ATHENA.parse(sql, error_level=ErrorLevel.IMMEDIATE) if t is not None]
    except ParseError as e:
        raise _unexpected(sql, e) from e
    except TokenError as e:
        raise QueryFailure(f"SYNTAX_ERROR: line 1:1: {e}") from e
    except RecursionError as e:
        raise QueryFailure(_TOO_LARGE) from e
    if len(trees) != 1:
        raise QueryFailure("SYNTAX_ERROR: line 1:1: Only one sql statement is allowed")
    syntax.check(sql, parts, trees[0])
    _double(trees[0])
    rows.unpack(trees[0])
    if isinstance(trees[0], exp.Values):
        return _selected(trees[0])
    if not isinstance(trees[0], exp.Query):
        raise not_supported(f"a statement that begins with {sql.split()[0].upper()}")
    return trees[0]


def _double(tree: exp.Expr) -> None:
    """1.2 is a double, where Trino's is a decimal(2, 1): Athena runs Trino with parse-decimal-literals-as-double.

    docs.aws.amazon.com/athena/latest/ug/data-types.html writes decimals as DECIMAL '0.12'; that 1.2 is no decimal say
    the tests that awswrangler and PyAthena run on AWS (test_athena_nan_inf, test_float_na_values).
    """
    for literal in tree.find_all(exp.Literal):
        number = str(literal.this)
        if not literal.is_string and "." in number and "e" not in number.lower():
            literal.set("this", f"{number}{'0' if number.endswith('.') else ''}E0")


def _check_tokens(sql: str) -> None:
    """What sqlglot lets pass and Trino doesn't: a comma before nothing, and :: and colons but those of json_object."""
    opened: list[str] = []  # the words before the parentheses that are open
    word = ""
    for token, following in pairwise([*tokens(sql), None]):
        if token is None or token.kind != "symbol":
            word = token.word() if token else ""
            continue
        if token.text == "(":
            opened.append(word)
        elif token.text == ")" and opened:
            opened.pop()
        elif token.text == ":" and opened[-1:] != ["JSON_OBJECT"]:
            raise syntax_error(sql, token.start, "mismatched input ':'")
        if token.text == "," and (following is None or _ends_list(following)):
            end, found = (following.start, following.text) if following else (len(sql), "<EOF>")
            raise syntax_error(sql, end, f"mismatched input '{found}'")
        word = ""


def _ends_list(token: Token) -> bool:
    return (token.kind == "symbol" and token.text in {",", ")", "]", ";"}) or token.word() == "FROM"


def _selected(values: exp.Values) -> exp.Query:
    """A bare VALUES as a SELECT; its columns are _col0, _col1 ..."""
    names = [exp.to_identifier(f"_col{i}") for i in range(len(values.expressions[0].expressions))]
    alias = exp.TableAlias(this=exp.to_identifier("t"), columns=names)
    return exp.select("*").from_(exp.Subquery(this=values, alias=alias))


def _unexpected(sql: str, error: ParseError) -> QueryFailure:
    where = error.errors[0] if error.errors else {}
    word = where.get("highlight") or "<EOF>"
    lines = sql.split("\n")
    if sql.endswith(word) and "Unexpected token" not in str(where.get("description")):
        return syntax_error(sql, len(sql), "mismatched input '<EOF>'")  # sqlglot names the last word
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
        if isinstance(node, exp.SetOperation) and node.args.get("by_name"):
            raise QueryFailure("SYNTAX_ERROR: line 1:1: mismatched input 'CORRESPONDING'")  # newer than Athena's Trino
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
        if name not in PARTLY:
            told = f"Unexpected parameters for function {name}: {count} of them, and it takes {wanted}"
            raise _at("FUNCTION_NOT_FOUND", sql, offset, told)
        raise not_supported(problem)


def _at(kind: str, sql: str, offset: int, problem: str) -> QueryFailure:
    return QueryFailure(syntax_error(sql, offset, problem).message.replace("SYNTAX_ERROR", kind, 1))
