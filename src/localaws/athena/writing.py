"""Statements that write, parsed: CREATE TABLE AS, INSERT INTO and UNLOAD. Nothing is done here.

Their grammar is Trino's, with Athena's properties (docs.aws.amazon.com/athena/latest/ug/create-table-as.html,
insert-into.html, unload.html). A query keeps its place in the statement's text, so that errors name the right line.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.reader import Name, Reader, in_place
from localaws.athena.statements import Statement

Value = str | tuple[str, ...]
Properties = Mapping[str, Value]

_QUERY_WORDS = {"SELECT", "WITH", "VALUES", "TABLE"}


@dataclass(frozen=True, slots=True)
class CreateTableAs:
    name: Name
    query: str
    properties: Properties
    if_not_exists: bool
    with_data: bool


@dataclass(frozen=True, slots=True)
class InsertInto:
    """`columns` are those that the statement names, none for all of the table's."""

    name: Name
    columns: tuple[str, ...]
    query: str


@dataclass(frozen=True, slots=True)
class Unload:
    query: str
    location: str
    properties: Properties


Write = CreateTableAs | InsertInto | Unload


def parse(statement: Statement) -> Write:
    """Raises QueryFailure with the place of what isn't understood."""
    try:
        return _PARSERS[statement.kind](statement)
    except QueryFailure as e:
        found = re.fullmatch(r"FAILED: ParseException line (\d+:\d+) (.*)", e.message)
        if found is None:
            raise
        raise QueryFailure(f"SYNTAX_ERROR: line {found[1]}: {found[2]}") from e


def _create_table_as(statement: Statement) -> CreateTableAs:
    shorter, with_data = _without_data(statement)
    r = Reader(shorter)
    r.expect("CREATE", "TABLE")
    unless = r.take("IF", "NOT", "EXISTS")
    name = r.name()
    following = r.peek()
    if following is not None and following.text == "(":
        raise not_supported("CREATE TABLE with a list of columns (CREATE EXTERNAL TABLE and CREATE TABLE AS are)")
    properties = _properties(r) if r.take("WITH") else {}
    r.expect("AS")
    return CreateTableAs(name, r.rest_in_place(), properties, unless, with_data)


def _without_data(statement: Statement) -> tuple[Statement, bool]:
    """The statement without WITH [NO] DATA at its end, and whether there shall be data."""
    for words, with_data in ((("WITH", "NO", "DATA"), False), (("WITH", "DATA"), True)):
        last = statement.tokens[-len(words) :]
        if tuple(t.word() for t in last) == words:
            end = last[0].start
            return replace(statement, text=statement.text[:end], tokens=statement.tokens[: -len(words)]), with_data
    return statement, True


def _insert_into(statement: Statement) -> InsertInto:
    r = Reader(statement)
    r.expect("INSERT", "INTO")
    name = r.name()
    columns: list[str] = []
    first = next((t for t in statement.tokens[r.place :] if t.text != "("), None)
    if first is not None and first.word() not in _QUERY_WORDS and r.take("("):
        columns = [r.identifier()]
        while r.take(","):
            columns.append(r.identifier())
        r.expect(")")
    return InsertInto(name, tuple(columns), r.rest_in_place())


def _unload(statement: Statement) -> Unload:
    r = Reader(statement)
    r.expect("UNLOAD", "(")
    depth, end = 1, r.place
    while depth:
        if end == len(statement.tokens):
            raise r.failure("mismatched input '<EOF>'", None)
        token = statement.tokens[end]
        depth += {"(": 1, ")": -1}.get(token.text, 0) if token.kind == "symbol" else 0
        end += 1
    query = in_place(statement.text, statement.tokens[1].end, statement.tokens[end - 1].start)
    r = Reader(replace(statement, tokens=statement.tokens[end:]))
    r.expect("TO")
    location = r.string()
    r.expect("WITH")
    properties = _properties(r)
    r.end()
    return Unload(query, location, properties)


def _properties(r: Reader) -> dict[str, Value]:
    """WITH's: name = 'text', number, true, ARRAY['a', 'b']."""
    found: dict[str, Value] = {}
    r.expect("(")
    while True:
        key = r.identifier()
        r.expect("=")
        found[key] = _array(r) if r.take("ARRAY", "[") else r.pop("string", "number", "word").text
        if not r.take(","):
            r.expect(")")
            return found


def _array(r: Reader) -> tuple[str, ...]:
    items = [r.pop("string").text]
    while r.take(","):
        items.append(r.pop("string").text)
    r.expect("]")
    return tuple(items)


_PARSERS: dict[str, Callable[[Statement], Write]] = {
    "CREATE_TABLE_AS_SELECT": _create_table_as,
    "INSERT": _insert_into,
    "UNLOAD": _unload,
}
