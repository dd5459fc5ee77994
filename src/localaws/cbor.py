"""CBOR (RFC 8949), as far as Smithy's RPC v2 CBOR uses it: maps with text keys, lists, text, bytes, numbers, booleans,
null and times (tag 1, epoch seconds).

The newer SDKs speak it with CloudWatch. What it can't read is a ValueError.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

_DEEPEST = 64
_FLOATS = {25: ">e", 26: ">f", 27: ">d"}
_SIMPLE = {20: False, 21: True, 22: None, 23: None}
_EPOCH = 1
_UNSIGNED, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _TAG, _OTHER = range(8)
_INDEFINITE, _BREAK = 31, 0xFF


@dataclass(frozen=True, slots=True)
class Time:
    """Epoch seconds, to be written as a time and not as a number."""

    seconds: float


def loads(data: bytes) -> Any:
    """A time is read as epoch seconds."""
    reader = _Reader(data)
    value = reader.value(0)
    if reader.at != len(data):
        raise ValueError("there is more behind the value")
    return value


def dumps(value: Any) -> bytes:
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def value(self, depth: int) -> Any:
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        head = self._take(1)[0]
        major, info = head >> 5, head & 31
        if major == _OTHER:
            return self._other(info)
        if info == _INDEFINITE and major not in {_UNSIGNED, _NEGATIVE, _TAG}:
            return self._indefinite(major, depth)
        number = self._number(info)
        match major:
            case 0:
                return number
            case 1:
                return -1 - number
            case 2:
                return self._take(number)
            case 3:
                return self._take(number).decode()
            case 4:
                return [self.value(depth + 1) for _ in range(number)]
            case 5:
                return {self._key(depth): self.value(depth + 1) for _ in range(number)}
        return self._tagged(number, depth)

    def _take(self, count: int) -> bytes:
        part = self._data[self.at : self.at + count]
        if len(part) < count:
            raise ValueError("it ends too early")
        self.at += count
        return part

    def _number(self, info: int) -> int:
        if info < 24:
            return info
        if info > 27:
            raise ValueError("a length of no known form")
        return int.from_bytes(self._take(1 << (info - 24)), "big")

    def _other(self, info: int) -> Any:
        if info in _FLOATS:
            return struct.unpack(_FLOATS[info], self._take(1 << (info - 24)))[0]
        if info not in _SIMPLE:
            raise ValueError("a simple value of no known meaning")
        return _SIMPLE[info]

    def _indefinite(self, major: int, depth: int) -> Any:
        """Items until a break (3.2.1): of a text or byte string, chunks of it."""
        if major == _MAP:
            pairs = {}
            while not self._breaks():
                key = self._key(depth)
                pairs[key] = self.value(depth + 1)
            return pairs
        items = []
        while not self._breaks():
            items.append(self.value(depth + 1))
        if major == _LIST:
            return items
        kind: Any = str if major == _TEXT else bytes
        if not all(isinstance(item, kind) for item in items):
            raise ValueError("a string of chunks of another type")
        return kind().join(items)

    def _breaks(self) -> bool:
        found = self._data[self.at : self.at + 1] == bytes([_BREAK])
        self.at += found
        return found

    def _key(self, depth: int) -> str:
        key = self.value(depth + 1)
        if not isinstance(key, str):
            raise ValueError("a key that is no text")  # noqa: TRY004 - of the data, not of a caller
        return key

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self.value(depth + 1)
        if tag == _EPOCH and not isinstance(value, int | float):
            raise ValueError("a time that is no number")
        return value


def _write(value: Any, put: Callable[[bytes], None]) -> None:  # noqa: C901 - one row a type
    match value:
        case None | bool():
            put({None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value])
        case int():
            put(_head(_UNSIGNED, value) if value >= 0 else _head(_NEGATIVE, -1 - value))
        case float():
            put(b"\xfb" + struct.pack(">d", value))
        case Time() | datetime():
            put(_head(_TAG, _EPOCH))
            _write(float(value.seconds if isinstance(value, Time) else value.timestamp()), put)
        case str():
            text = value.encode()
            put(_head(_TEXT, len(text)) + text)
        case bytes():
            put(_head(_BYTES, len(value)) + value)
        case list() | tuple():
            put(_head(_LIST, len(value)))
            for item in value:
                _write(item, put)
        case dict():
            put(_head(_MAP, len(value)))
            for key, item in value.items():
                _write(key, put)
                _write(item, put)
        case _:
            raise TypeError(f"not CBOR: {type(value).__name__}")


def _head(major: int, number: int) -> bytes:
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if number < 24:
            return bytes([major << 5 | number])
        if number < 1 << (8 * size):
            return bytes([major << 5 | info]) + number.to_bytes(size, "big")
    raise ValueError("an integer beyond 64 bits")
