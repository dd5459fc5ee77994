"""The grammar of json_value, json_query and json_exists: a path, and clauses behind it.

Each becomes a call with the document, the path, and one PropertyEQ for each clause: `returning` (a type), `on_empty`
and `on_error` (words, or the expression of DEFAULT), `wrapper` and `quotes` (words).
(trino.io/docs/current/functions/json.html)
"""
# ruff: noqa: SLF001 - the methods that sqlglot's own parsers of functions are made of

from collections.abc import Callable

from sqlglot import exp
from sqlglot.parsers.trino import TrinoParser
from sqlglot.tokenizer_core import TokenType

from localaws.athena.failures import not_supported

# The words of a clause, and the clause that they belong to. Longer ones come first.
_WRAPPERS = (
    ("WITHOUT", "ARRAY", "WRAPPER"), ("WITHOUT", "WRAPPER"), ("WITH", "CONDITIONAL", "ARRAY", "WRAPPER"),
    ("WITH", "CONDITIONAL", "WRAPPER"), ("WITH", "UNCONDITIONAL", "ARRAY", "WRAPPER"),
    ("WITH", "UNCONDITIONAL", "WRAPPER"), ("WITH", "ARRAY", "WRAPPER"), ("WITH", "WRAPPER"),
)  # fmt: skip
_QUOTES = (("KEEP", "QUOTES"), ("OMIT", "QUOTES"))
_BEHAVIOURS = (("EMPTY", "ARRAY"), ("EMPTY", "OBJECT"), ("NULL",), ("ERROR",), ("TRUE",), ("FALSE",), ("UNKNOWN",))


def _parser(name: str) -> Callable[[TrinoParser], exp.Expr]:
    def parse(parser: TrinoParser) -> exp.Expr:
        document = parser._parse_disjunction()
        if parser._match_text_seq("FORMAT", "JSON"):
            raise not_supported(f"{name} with FORMAT JSON")
        arguments = [document]
        while parser._match(TokenType.COMMA):
            arguments.append(parser._parse_disjunction())
        if parser._match_text_seq("PASSING"):
            raise not_supported(f"{name} with PASSING")
        while (clause := _clause(parser)) is not None:
            arguments.append(clause)
        return exp.Anonymous(this=name, expressions=arguments)

    return parse


def _clause(parser: TrinoParser) -> exp.Expr | None:
    if parser._match_text_seq("RETURNING"):
        return _property("returning", parser._parse_types())
    for words in _WRAPPERS:
        if parser._match_text_seq(*words):
            return _property("wrapper", exp.Var(this=words[0] if words[1] in {"ARRAY", "WRAPPER"} else words[1]))
    for words in _QUOTES:
        if parser._match_text_seq(*words):
            parser._match_text_seq("ON", "SCALAR", "STRING")
            return _property("quotes", exp.Var(this=words[0]))
    does: exp.Expr | None = None
    if parser._match_text_seq("DEFAULT"):
        does = parser._parse_disjunction()
    else:
        found = next((words for words in _BEHAVIOURS if parser._match_text_seq(*words)), None)
        does = exp.Var(this=" ".join(found)) if found else None
    if does is None:
        return None
    if parser._match_text_seq("ON", "EMPTY"):
        return _property("on_empty", does)
    if parser._match_text_seq("ON", "ERROR"):
        return _property("on_error", does)
    parser.raise_error("expected ON EMPTY or ON ERROR")
    return None


def _property(name: str, value: exp.Expr | None) -> exp.Expr:
    return exp.PropertyEQ(this=exp.to_identifier(name), expression=value)


PARSERS = {name.upper(): _parser(name) for name in ("json_exists", "json_query", "json_value")}
