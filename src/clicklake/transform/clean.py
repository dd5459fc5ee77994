"""What is kept in `properties`: everything that was sent and is no known field, without private names at any depth and
with redacted texts, as canonical JSON (names sorted, no spaces).
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from clicklake.transform.parse import DEEPEST
from clicklake.transform.redact import REDACTED, Address, may_hold_private_text, private_names, text_redactor

ROUNDED = 2.0**63
"""orjson reads integers that 64 bits can't hold as floats of at least this size."""

_SCALARS = frozenset({str, int, float, bool, type(None)})
_REMEMBERED = 1 << 12  # shapes; a site sends some dozens
_LARGEST_SHAPE = 1 << 14  # bytes of names
_BYTES_OF_A_NAME = 64  # besides its characters
_Shape = tuple[Any, ...]
_NOT_FLAT = ("",)
_JSON_BEGINS = ("{", "[", '"')
_BEFORE_JSON = " \t\r\n\ufeff"
_NAME = re.compile(r'"((?>(?:[^"\\]++|\\.)*))"\s*+:', re.DOTALL)


class InexactError(Exception):
    """The fast parser may have rounded an integer."""


class TooDeepError(Exception):
    """The event is nested deeper than parse.DEEPEST."""


Clean = tuple[dict[str, Any], bytes, int]
"""The properties, the same as canonical JSON, and how many values were removed."""


class Cleaner:
    """`Cleaner(private names, redact)(properties, rounded)`; raises InexactError if a number's size is `rounded` or
    more, and TooDeepError."""

    def __init__(self, private: Iterable[str], redact: Callable[[str], Address]) -> None:
        self._is_private = private_names(private)
        self._redact = text_redactor(redact)
        self._flat: dict[_Shape, tuple[str, ...]] = {}

    def __call__(self, properties: dict[str, Any], rounded: float) -> Clean:
        # Measured: most properties are flat and clean, and their names and types repeat. Then there is nothing to do.
        shape = (*properties, *map(type, properties.values()))
        floats = self._flat.get(shape)
        if floats is None:
            floats = self._remembered(shape, properties)
        if floats is not _NOT_FLAT:
            for name in floats:
                if abs(properties[name]) >= rounded:
                    raise InexactError
            json = canonical(properties)
            if not may_hold_private_text(json):
                return properties, json, 0
        cleaning = _Cleaning(self._is_private, self._redact, rounded)
        clean = cleaning.object(properties, 2)
        return clean, canonical(clean), cleaning.dropped

    def _remembered(self, shape: _Shape, properties: dict[str, Any]) -> tuple[str, ...]:
        """The names of the floats, if all is flat and public."""
        if len(self._flat) >= _REMEMBERED:
            self._flat.clear()
        flat = _SCALARS.issuperset(map(type, properties.values())) and not any(map(self._is_private, properties))
        floats = tuple(n for n, value in properties.items() if type(value) is float) if flat else _NOT_FLAT
        if worth_remembering(properties):
            self._flat[shape] = floats
        return floats


def worth_remembering(record: dict[str, Any]) -> bool:
    """False if its names take so much memory that thousands of such shapes would fill it."""
    return sum(map(len, record)) + _BYTES_OF_A_NAME * len(record) <= _LARGEST_SHAPE


def canonical(properties: Any) -> bytes:
    """Raises InexactError for an integer that 64 bits can't hold: typed.py keeps those."""
    try:
        return orjson.dumps(properties, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as e:
        raise InexactError from e


class _Cleaning:
    """One pass over one event's properties."""

    __slots__ = ("dropped", "is_private", "redact", "rounded")

    def __init__(self, is_private: Callable[[str], bool], redact: Callable[[str], str], rounded: float) -> None:
        self.is_private, self.redact, self.rounded = is_private, redact, rounded
        self.dropped = 0

    def object(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        if depth > DEEPEST:
            raise TooDeepError
        clean: dict[str, Any] = {}
        for name, item in value.items():
            if self.is_private(name):
                self.dropped += 1
            else:
                clean[name] = self.item(item, depth)
        return clean

    def item(self, item: Any, depth: int) -> Any:
        kind = type(item)
        if kind is dict:
            return self.object(item, depth + 1)
        if kind is list:
            if depth >= DEEPEST:
                raise TooDeepError
            return [self.item(child, depth + 1) for child in item]
        if kind is float and abs(item) >= self.rounded:
            raise InexactError
        return self.text(item, depth) if kind is str else item

    def text(self, text: str, depth: int) -> str:
        """A text. JSON in it, which senders make that encode twice, is cleaned as if it were not in a text; what begins
        like JSON and is not quite (NaN, cut off, several in a row) goes as a whole if it has a private name."""
        if '"' not in text or not text.lstrip(_BEFORE_JSON).startswith(_JSON_BEGINS):
            return self.redact(text)
        try:
            value = orjson.loads(text)
            clean = self.item(value, depth)
        except orjson.JSONDecodeError:
            if not any(map(self.is_private, _NAME.findall(text))):
                return self.redact(text)
            self.dropped += 1
            return REDACTED
        except TooDeepError:
            return REDACTED
        return text if clean == value else canonical(clean).decode()
