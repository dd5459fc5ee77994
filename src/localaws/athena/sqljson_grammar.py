"""The grammar of json_value, json_query and json_exists: a path, and clauses behind it; json_object and json_array.

Each becomes a call with the document, the path, and one PropertyEQ for each clause: `returning` (a type), `on_empty`
and `on_error` (words, or the expression of DEFAULT), `wrapper` and `quotes` (words). A made object has its keys and
values by turns (PropertyEQ `given` is one with FORMAT JSON, `nested` one of a function that makes JSON), and the
clauses `on_null` and `unique`.
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


def _array(parser: TrinoParser) -> exp.Expr:
    arguments = []
    while parser._curr and not _ends(parser):
        arguments.append(_value(parser))
        if not parser._match(TokenType.COMMA):
            break
    return exp.Anonymous(this="json_array", expressions=[*arguments, *_made(parser)])


def _object(parser: TrinoParser) -> exp.Expr:
    arguments = []
    while parser._curr and not _ends(parser):
        if parser._next and parser._next.token_type != TokenType.COLON and parser._next.text.upper() != "VALUE":
            parser._match_text_seq("KEY")
        arguments.append(parser._parse_disjunction())
        if not parser._match(TokenType.COLON) and not parser._match_text_seq("VALUE"):
            parser.raise_error("expected VALUE or :")
        arguments.append(_value(parser))
        if not parser._match(TokenType.COMMA):
            break
    return exp.Anonymous(this="json_object", expressions=[*arguments, *_made(parser)])


def _ends(parser: TrinoParser) -> bool:
    return parser._curr.token_type == TokenType.R_PAREN or parser._curr.text.upper() == "RETURNING"


def _value(parser: TrinoParser) -> exp.Expr | None:
    value = parser._parse_disjunction()
    if _format(parser):
        return _property("given", value)
    maker = value.unnest() if value is not None else None
    nested = isinstance(maker, exp.Anonymous) and maker.name.lower() in {"json_array", "json_object", "json_query"}
    return _property("nested", value) if nested else value


def _format(parser: TrinoParser) -> bool:
    """FORMAT JSON [ENCODING UTF8]"""
    if not parser._match_text_seq("FORMAT", "JSON"):
        return False
    if parser._match_text_seq("ENCODING"):
        raise not_supported("FORMAT JSON with ENCODING")
    return True


def _made(parser: TrinoParser) -> list[exp.Expr]:
    """The clauses behind the values."""
    clauses: list[exp.Expr] = []
    for word in ("NULL", "ABSENT"):
        if parser._match_text_seq(word, "ON", "NULL"):
            clauses.append(_property("on_null", exp.Var(this=word)))
    for word in ("WITH", "WITHOUT"):
        if parser._match_text_seq(word, "UNIQUE"):
            parser._match_text_seq("KEYS")
            clauses += [_property("unique", exp.Var(this=word))] if word == "WITH" else []
    if parser._match_text_seq("RETURNING"):
        clauses.append(_property("returning", parser._parse_types()))
        _format(parser)
    return clauses


PARSERS = {name.upper(): _parser(name) for name in ("json_exists", "json_query", "json_value")}
PARSERS |= {"JSON_ARRAY": _array, "JSON_OBJECT": _object}
