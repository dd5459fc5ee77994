"""A statement's tokens, read from left to right: the small words that every clause of Hive's DDL is made of."""

import re
from dataclasses import dataclass
from typing import NoReturn

from localaws.athena.catalog import Document
from localaws.athena.failures import QueryFailure, position
from localaws.athena.statements import Statement, Token
from localaws.athena.types import parse_hive

_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|([0-3][0-7]{2})|(.))", re.DOTALL)
_ESCAPED = {"0": "\0", "b": "\b", "n": "\n", "r": "\r", "t": "\t", "Z": "\x1a", "%": "\\%", "_": "\\_"}


@dataclass(frozen=True, slots=True)
class Name:
    """A table or view; `database` is "" when it is the query's own."""

    database: str
    name: str


class Reader:
    """The tokens of a statement, taken one after the other."""

    def __init__(self, statement: Statement) -> None:
        self.text = statement.text
        self._tokens = statement.tokens
        self._next = 0

    @property
    def place(self) -> int:
        """How many tokens have been read."""
        return self._next

    def peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def take(self, *words: str) -> bool:
        """Go past these words or symbols, if they come next."""
        following = self._tokens[self._next : self._next + len(words)]
        found = len(following) == len(words) and all(
            t.word() == w or (t.kind == "symbol" and t.text == w) for t, w in zip(following, words, strict=True)
        )
        self._next += len(words) if found else 0
        return found

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            self.fail()

    def pop(self, *kinds: str) -> Token:
        token = self.peek()
        if token is None or token.kind not in kinds:
            self.fail()
        self._next += 1
        return token

    def identifier(self) -> str:
        return self.pop("word", "quoted").text.lower()

    def string(self) -> str:
        return _unescaped(self.pop("string", "quoted").text)

    def value(self) -> str:
        """A text, or a number or word that stands for itself."""
        token = self.pop("string", "quoted", "number", "word")
        return _unescaped(token.text) if token.kind in {"string", "quoted"} else token.text

    def name(self) -> Name:
        """[database.]name; both may stand within one pair of backticks (docs.aws.amazon.com/athena/latest/ug/
        show-create-table.html)."""
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        if len(parts) == 1:
            parts = parts[0].split(".")
        return Name(parts[-2] if len(parts) > 1 else "", parts[-1])

    def upcoming(self, count: int) -> str:
        """The next words, to name what is not understood."""
        return " ".join(t.text.upper() for t in self._tokens[self._next : self._next + count] if t.kind == "word")

    def properties(self) -> dict[str, str]:
        self.expect("(")
        found: dict[str, str] = {}
        while True:
            key = self.string()
            self.expect("=")
            found[key] = self.value()
            if not self.take(","):
                self.expect(")")
                return found

    def columns(self) -> list[Document]:
        self.expect("(")
        found = []
        while True:
            found.append(self.column())
            if not self.take(","):
                self.expect(")")
                return found

    def column(self) -> Document:
        column = {"Name": self.identifier(), "Type": self._type()}
        if self.take("COMMENT"):
            column["Comment"] = self.string()
        return column

    def _type(self) -> str:
        """A Hive type: its tokens up to the comma, bracket or COMMENT that ends it."""
        start = self.peek()
        depth, parts = 0, ""
        while (token := self.peek()) is not None and not (depth == 0 and self._ends_type(token, parts)):
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.text, 0)
            parts += token.text.lower() if token.kind == "word" else token.text
            self._next += 1
        try:
            parse_hive(parts)
        except ValueError as e:
            raise self.failure(str(e), start) from e
        return parts

    def _ends_type(self, token: Token, parts: str) -> bool:
        return (
            token.text in {",", ")"}
            or token.word() in {"COMMENT", "FIRST", "AFTER"}
            or (bool(parts) and token.kind in {"word", "string"})
        )

    def rest(self) -> str:
        """The text from here on."""
        token = self.peek()
        if token is None:
            self.fail()
        self._next = len(self._tokens)
        return self.text[token.start :]

    def rest_in_place(self) -> str:
        """The same, at the line and column where it stands."""
        return in_place(self.text, len(self.text) - len(self.rest()), len(self.text))

    def end(self) -> None:
        if self.peek() is not None:
            self.fail()

    def fail(self) -> NoReturn:
        token = self.peek()
        raise self.failure(f"mismatched input '{token.text if token else '<EOF>'}'", token)

    def failure(self, problem: str, token: Token | None) -> QueryFailure:
        offset = token.start if token else len(self.text)
        return QueryFailure(f"FAILED: ParseException line {position(self.text, offset)} {problem}")


def in_place(text: str, start: int, end: int) -> str:
    """A piece of the text, at the same line and column."""
    return re.sub(r"[^\n]", " ", text[:start]) + text[start:end]


def _unescaped(text: str) -> str:
    """A text of Hive's: \\n is a new line, \\001 and \\u0001 a character's number; a backslash before any other
    character goes (Hive's BaseSemanticAnalyzer.unescapeSQLString)."""

    def one(match: re.Match[str]) -> str:
        if match[3] is not None:
            return _ESCAPED.get(match[3], match[3])
        return chr(int(match[1], 16) if match[1] else int(match[2], 8))

    return _ESCAPE.sub(one, text)
