"""What sqlglot reads and Trino's grammar has not: other dialects' words, found in the tokens or in the tree.

DuckDB would answer these (DISTINCT ON, ==, SEMI JOIN, [1, 2] ...), and AWS refuses the text (SqlBase.g4 of Trino).
"""

import re
from collections.abc import Iterator

from sqlglot import exp

from localaws.athena.failures import QueryFailure, not_supported, syntax_error
from localaws.athena.statements import Token

_NUMBER = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?")
_UNITS = {"YEAR", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND"}
# Words behind which only an expression may stand, so that a bracket there begins an array of DuckDB's.
_BEFORE_VALUES = {"SELECT", "WHERE", "BY", "ON", "AND", "OR", "NOT", "IN", "WHEN", "THEN", "ELSE", "HAVING", "DISTINCT"}
_NO_MORE = {",", "+", "-", "*", "/", "%", "PERCENT"}  # behind LIMIT 1
_PAIRS = {("DISTINCT", "ON"), ("LIKE", "ANY"), ("LIKE", "ALL"), ("LIKE", "SOME"), ("=", "="), ("INTERVAL", "number")}
_IS = {"NULL", "NOT", "DISTINCT", "JSON", "TRUE", "FALSE", "UNKNOWN"}
_JOINS = {"", "INNER", "OUTER", "CROSS", "NATURAL"}


def check_tokens(sql: str, parts: tuple[Token, ...]) -> None:
    """Raises QueryFailure at the first token that is wrong."""
    for token, told in _wrong(sql, parts):
        raise syntax_error(sql, token.start, told or f"mismatched input '{token.text}'")
    if parts and parts[-1].word() in {"BY", "INTERVAL"}:
        raise syntax_error(sql, len(sql), "mismatched input '<EOF>'")


def check(sql: str, parts: tuple[Token, ...], tree: exp.Expr) -> None:
    """Raises QueryFailure for a part of the tree that is another dialect's."""
    if any(options.args.get("with_ties") for options in tree.find_all(exp.LimitOptions)):
        raise not_supported("FETCH FIRST ... WITH TIES")
    if any(group.args.get("all") and not group.expressions for group in tree.find_all(exp.Group)):
        raise _at_word(sql, parts, "ALL")
    _check_joins(sql, parts, list(tree.find_all(exp.Join)))


def _check_joins(sql: str, parts: tuple[Token, ...], joins: list[exp.Join]) -> None:
    for join in joins:
        other = next((word for word in (join.kind, join.method) if word not in _JOINS), "")
        if other or (join.kind == "CROSS" and join.args.get("on")):
            raise _at_word(sql, parts, other or "ON")
    written = [t for i, t in enumerate(parts) if t.word() == "JOIN" and parts[i - 1].word() != "CROSS"]
    whole = [j for j in joins if j.args.get("on") or j.args.get("using") or j.method == "NATURAL"]
    if len(written) > len(whole):
        raise syntax_error(sql, written[-1].start, "mismatched input 'JOIN': a join needs 'ON' or 'USING'")


def _at_word(sql: str, parts: tuple[Token, ...], word: str) -> QueryFailure:
    found = next((t for t in parts if t.word() == word), parts[0])
    return syntax_error(sql, found.start, f"mismatched input '{found.text}'")


def _wrong(sql: str, parts: tuple[Token, ...]) -> Iterator[tuple[Token, str]]:
    """Each token that can't stand where it is, and what Trino says of it where that is more than usual."""
    shown = [t.word() or (t.text if t.kind == "symbol" else t.kind) for t in parts]
    for i, token in enumerate(parts):
        first, before = [shown[j] if j >= 0 else "" for j in (i - 2, i - 1)]
        if token.kind == "quoted" and sql[token.start] == "`":
            yield token, "backquoted identifiers are not supported; use double quotes to quote identifiers"
        elif token.kind == "number" and not _NUMBER.fullmatch(token.text):
            yield token, "identifiers must not start with a digit; surround the identifier with double quotes"
        elif (before, shown[i]) in _PAIRS or _is_other(first, before, shown[i]):
            yield token, ""


def _is_other(first: str, before: str, here: str) -> bool:
    """Of three tokens in a row: is the last one wrong?"""
    return (
        here in {"$", "'", '"'}  # a quote that is a symbol begins a text without an end
        or (first, before, here) in {("<", "=", ">"), ("IN", "(", ")")}
        or (here == "[" and (before in _BEFORE_VALUES or before in {"(", ",", "=", "["}))
        or (here == "]" and before == "[" and first != "ARRAY")
        or (before == "IS" and here not in _IS)
        or (first == "LIMIT" and here in _NO_MORE)
        or (first == "INTERVAL" and before == "string" and here not in _UNITS)
    )
