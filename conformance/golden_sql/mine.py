"""Facts out of Trino's tests and documentation: what an expression is worth, or how it fails.

Read are assertions on constants only (`assertThat(assertions.function("abs", "-1")).isEqualTo(1)`) and the examples of
the function reference (`SELECT ...; -- value`). What depends on tables, on a type that Athena does not have, or on
more than three digits of a second is left out; so is an expectation that is not a constant.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.golden_sql import java, literals
from conformance.golden_sql.chapters import LONGEST, MOST, Chapter, left_out
from conformance.golden_sql.java import Call, Token, UnknownValueError
from conformance.golden_sql.pairs import Pair

_OPERATORS = {
    "ADD": "+", "SUBTRACT": "-", "MULTIPLY": "*", "DIVIDE": "/", "MODULUS": "%", "EQUAL": "=", "LESS_THAN": "<",
    "LESS_THAN_OR_EQUAL": "<=", "IDENTICAL": "IS NOT DISTINCT FROM",
}  # fmt: skip
_TABLES = re.compile(
    r"\b(?:FROM|JOIN)\s+(nation|orders|region|customer|lineitem|tpch|memory|part|supplier|test_)", re.IGNORECASE
)
_TYPES_LEFT_OUT = re.compile(
    r"CharType\((?!Varchar)|[rR]owType|anonymousRow|RowType|NUMBER|IPADDRESS|createTimeWith|COLOR"
)


def mined(chapter: Chapter, root: Path) -> list[Pair]:
    """The chapter's pairs, each statement once, of no file more than MOST."""
    found: dict[str, Pair] = {}
    for name in chapter.files:
        path = root / name
        pairs = _documented(path, name) if path.suffix == ".md" else _tested(path, name)
        fresh = {p.sql: p for p in pairs if p.sql not in found and len(p.sql) <= LONGEST}
        step = max(1, -(-len(fresh) // MOST))
        found.update(dict(list(fresh.items())[::step]))
    return list(found.values())


# Tests


def _tested(path: Path, name: str) -> Iterator[Pair]:
    source = java.tokens(path.read_text())
    for at, token in enumerate(source):
        if token.text not in {"assertThat", "assertTrinoExceptionThrownBy"}:
            continue
        try:
            calls = list(java.chain(source[at : at + 2000]))
            pair = _asserted(calls, f"{name}:{token.line}")
        except (UnknownValueError, IndexError, ValueError):
            continue
        if pair is not None and not left_out(pair) and not _TABLES.search(pair.sql):
            yield pair


def _asserted(calls: Sequence[Call], origin: str) -> Pair | None:
    subject = calls[0][1][0]
    if subject[0].text == "(":  # () -> assertions...
        subject = subject[3:]
    said = dict(calls[1:])
    about = list(java.chain(subject))
    if not about or about[0][0] != "assertions":
        return None
    kind, arguments = about[1]
    if kind == "query":
        return _query(java.string(arguments[0]), said, origin)
    sql = _expression(kind, arguments, about[2:])
    if calls[0][0] == "assertTrinoExceptionThrownBy":
        code = said.get("hasErrorCode", [[]])[0]
        return Pair(f"SELECT {sql}", origin, fails=code[-1].text if code else "?")
    if _TYPES_LEFT_OUT.search(" ".join(t.text for a in said.get("hasType", []) for t in a).replace(" ", "")):
        return None
    value = _expected(said)
    return Pair(f"SELECT {sql}", origin, rows=[[value]], any_order=value is not None and value.startswith("{"))


def _expression(kind: str, arguments: list[list[Token]], more: Sequence[Call]) -> str:
    if kind == "function":
        name = java.string(arguments[0])
        if not name.isidentifier():
            raise UnknownValueError(name)
        return f"{name}({', '.join(java.string(a) for a in arguments[1:])})"
    if kind == "operator":
        return _operator(arguments[0][-1].text, [java.string(a) for a in arguments[1:]])
    if kind != "expression" or len(arguments) != 1:  # a second argument is a session, of another zone or language
        raise UnknownValueError(kind)
    sql = java.string(arguments[0])
    bound = {java.string(a[0]): java.string(a[1]) for name, a in more if name == "binding"}
    return _with_bindings(sql, bound)


def _operator(name: str, sides: list[str]) -> str:
    if name == "NEGATION":
        return f"-({sides[0]})"
    if name == "SUBSCRIPT":
        return f"({sides[0]})[{sides[1]}]"
    if name not in _OPERATORS or len(sides) != 2:
        raise UnknownValueError(name)
    return f"({sides[0]}) {_OPERATORS[name]} ({sides[1]})"


def _with_bindings(sql: str, bound: dict[str, str]) -> str:
    if not bound:
        return sql
    if "->" in sql:
        raise UnknownValueError("a lambda and bindings")
    names = "|".join(map(re.escape, bound))
    pattern = re.compile(rf"('(?:[^']|'')*')|(?<![\w.])({names})(?!\w|\s*\()")
    return pattern.sub(lambda m: m[1] or f"({bound[m[2]]})", sql)


def _expected(said: dict[str, list[list[Token]]]) -> str | None:
    if "isNull" in said:
        return None
    if "isEqualTo" in said:
        return java.value(said["isEqualTo"][0])
    if "isTrue" in said or "isFalse" in said:
        return "true" if "isTrue" in said else "false"
    if "matches" in said:
        return literals.literal(java.string(said["matches"][0]))
    raise UnknownValueError("no expectation")


def _query(sql: str, said: dict[str, list[list[Token]]], origin: str) -> Pair | None:
    if "failure" in said or "nonTrinoExceptionFailure" in said:
        code = said.get("hasErrorCode", [[]])[0]
        return Pair(sql, origin, fails=code[-1].text if code else "?")
    if "returnsEmptyResult" in said:
        return Pair(sql, origin, rows=[])
    if "matches" not in said:
        return None
    return Pair(sql, origin, rows=literals.rows(java.string(said["matches"][0])), any_order="ordered" not in said)


# Documentation

_BLOCK = re.compile(r"```(?:sql)?\n(.*?)```", re.DOTALL)
_EXAMPLE = re.compile(
    r"^(SELECT\b[^;]*?);?[ \t]*\n?[ \t]*--[ \t]*(?:=>|->)?[ \t]*(\S[^\n]*)$", re.MULTILINE | re.IGNORECASE
)


def _documented(path: Path, name: str) -> Iterator[Pair]:
    text = path.read_text()
    for block in _BLOCK.finditer(text):
        for example in _EXAMPLE.finditer(block[1]):
            sql, said = example[1].strip(), example[2].strip()
            line = text.count("\n", 0, block.start(1) + example.start()) + 1
            if "--" in sql or _TABLES.search(sql):
                continue
            try:
                pair = Pair(sql, f"{name}:{line}", rows=[[_said(said)]], any_order=said.startswith("{"))
            except UnknownValueError:
                continue
            if not left_out(pair):
                yield pair


def _said(text: str) -> str | None:
    """The documentation writes values as people do: strings in quotes or not, NULL in capitals."""
    if re.match(r"(TIMESTAMP|DATE|DECIMAL|TIME|X|VARCHAR|JSON)\s*'|'", text):
        return literals.literal(text)
    if re.search(r"[^\x00-\x7f]|\.\.\.|ROW\(", text):
        raise UnknownValueError(text)
    if text.upper() == "NULL":
        return None
    if text[0] in "[{" and not text.startswith(('{"', '["', "[{")):
        return text.replace("NULL", "null").replace("'", "").replace(" -> ", "=")
    return java.milliseconds(text) if re.match(r"\d{4}-\d\d-\d\d \d\d:", text) else text
