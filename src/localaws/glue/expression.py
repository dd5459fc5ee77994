"""The filter of GetPartitions ("Expression" in the Glue API reference): SQL over the partition keys.

    parse(text, keys) -> predicate(values) -> bool

Comparisons (=, <>, !=, <, <=, >, >=), [NOT] IN, [NOT] LIKE, [NOT] BETWEEN, IS [NOT] NULL, AND, OR, NOT, parentheses.
Values compare by the key's type: numbers as numbers, everything else (strings, dates) as text.
"""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from localaws.errors import AwsError

Predicate = Callable[[Mapping[str, str]], bool]
_NUMERIC = ("tinyint", "smallint", "int", "integer", "bigint", "long", "decimal", "float", "double")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_TOKEN = re.compile(
    r"""\s*(?:('(?:[^']|'')*'|"(?:[^"]|"")*")|([A-Za-z_]\w*|`[^`]+`)|(-?\d+(?:\.\d+)?)|(<>|!=|<=|>=|[=<>(),]))"""
)


def parse(text: str, keys: Sequence[tuple[str, str]]) -> Callable[[list[str]], bool]:
    """Compile `text` for a table with these (name, type) keys; raises InvalidInputException if it can't be read."""
    names = [name for name, _ in keys]
    try:
        predicate = _Parser(text, dict(keys)).whole() if text.strip() else lambda _: True
    except RecursionError as e:
        raise AwsError("InvalidInputException", "The expression is nested too deeply") from e
    return lambda values: predicate(dict(zip(names, values, strict=True)))


class _Parser:
    """Recursive descent: or -> and -> not -> term."""

    def __init__(self, text: str, types: Mapping[str, str]) -> None:
        self._text = text
        self._types = types
        self._tokens = _tokens(text)
        self._next = 0

    def whole(self) -> Predicate:
        predicate = self._or()
        if self._next < len(self._tokens):
            raise self._error()
        return predicate

    def _or(self) -> Predicate:
        parts = [self._and()]
        while self._take("or"):
            parts.append(self._and())
        return lambda row: any(p(row) for p in parts)

    def _and(self) -> Predicate:
        parts = [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return lambda row: all(p(row) for p in parts)

    def _not(self) -> Predicate:
        if self._take("not"):
            inner = self._not()
            return lambda row: not inner(row)
        if self._take("("):
            inner = self._or()
            self._expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        name = self._pop().strip("`").lower()
        if name not in self._types:
            raise self._error()
        read = _number if self._types[name].lower().startswith(_NUMERIC) else str
        if self._take("is"):
            wanted = not self._take("not")
            self._expect("null")
            return lambda row: (row[name] == "__HIVE_DEFAULT_PARTITION__") == wanted
        negated = self._take("not")
        test = self._test(read)
        return lambda row: test(read(row[name])) != negated

    def _test(self, read: Callable[[str], Any]) -> Callable[[Any], bool]:
        word = self._pop().lower()
        if word == "in":
            choices = self._list(read)
            return lambda value: value in choices
        if word == "like":
            pattern = _like(self._literal(str))
            return lambda value: pattern.fullmatch(str(value)) is not None
        if word == "between":
            low = self._literal(read)
            self._expect("and")
            high = self._literal(read)
            return lambda value: low <= value <= high
        if word not in _COMPARISONS:
            raise self._error()
        compare, other = _COMPARISONS[word], self._literal(read)
        return lambda value: compare(value, other)

    def _list(self, read: Callable[[str], Any]) -> list[Any]:
        self._expect("(")
        choices = [self._literal(read)]
        while self._take(","):
            choices.append(self._literal(read))
        self._expect(")")
        return choices

    def _literal(self, read: Callable[[str], Any]) -> Any:
        token = self._pop()
        if token.lower() in {"date", "timestamp"} and self._peek()[:1] in {"'", '"'}:
            token = self._pop()
        if token[0] in "'\"":
            token = token[1:-1].replace(token[0] * 2, token[0])
        elif not re.fullmatch(r"-?\d+(\.\d+)?", token):
            raise self._error()
        return read(token)

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, word: str) -> bool:
        found = self._peek().lower() == word
        self._next += found
        return found

    def _pop(self) -> str:
        token = self._peek()
        if not token:
            raise self._error()
        self._next += 1
        return token

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._error()

    def _error(self) -> AwsError:
        return AwsError("InvalidInputException", f"Unsupported expression '{self._text}'")


def _tokens(text: str) -> list[str]:
    tokens, position = [], 0
    end = len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None:
            raise AwsError("InvalidInputException", f"Unsupported expression '{text}'")
        tokens.append(match.group().strip())
        position = match.end()
    return tokens


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as e:
        raise AwsError("InvalidInputException", f"'{text}' is not a number") from e


def _like(pattern: str) -> re.Pattern[str]:
    parts = {"%": ".*", "_": "."}
    return re.compile("".join(parts.get(c, re.escape(c)) for c in pattern), re.DOTALL)
