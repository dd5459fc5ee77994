"""A file of events -> Firehose records, one event each.

NDJSON, a JSON array, one or several JSON objects, pretty-printed or not, all of it gzipped or not. Bytes stay as they
are: what is no event is sent too, and the lake says what was wrong with it.
"""

import gzip
import io
import json
from collections.abc import Iterator
from typing import BinaryIO, cast

from clicklake.errors import UsageError

_GZIP = b"\x1f\x8b"
_BETWEEN = " \t\r\n,"


def read(source: BinaryIO, name: str) -> Iterator[bytes]:
    """The records of `source` (`name` is for errors), each ending in LF; NDJSON is read line by line, however long.

    Raises UsageError if it is a damaged gzip file or begins as a JSON array and is none.
    """
    stream = _unzipped(source)
    try:
        first = next(_lines(stream), b"")
        if _is_object(first):
            yield first + b"\n"
            yield from (line + b"\n" for line in _lines(stream))
        elif first:
            yield from (record + b"\n" for record in _document(first + b"\n" + stream.read(), name))
    except (EOFError, gzip.BadGzipFile, OSError) as e:
        raise UsageError(f"{name} can't be read to its end ({e})", "is the file complete?") from e


def _unzipped(source: BinaryIO) -> BinaryIO:
    stream = source if isinstance(source, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", source))
    if stream.peek(2)[:2] == _GZIP:
        return cast("BinaryIO", gzip.GzipFile(fileobj=stream))
    return stream


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines that hold something."""
    for line in stream:
        if stripped := line.strip():
            yield stripped


def _is_object(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _document(data: bytes, name: str) -> Iterator[bytes]:
    """The values of a file that is JSON as a whole, else its lines."""
    try:
        return iter(_values(data.decode()))
    except ValueError as e:
        if data.lstrip().startswith(b"["):
            raise UsageError(f"{name} begins as a JSON array, but is none ({e})", "one event per line works too") from e
        return _lines(io.BytesIO(data))


def _values(text: str) -> list[bytes]:
    """The elements of an array, else the values that stand one after the other; as written, each on one line."""
    inner = text.strip()
    if inner.startswith("[") and isinstance(json.loads(inner), list):
        inner = inner[1:-1]
    values, position = [], _skip(inner, 0)
    while position < len(inner):
        _, end = json.JSONDecoder().raw_decode(inner, position)
        # a line break can't stand inside a JSON string, so it is only layout
        values.append(inner[position:end].replace("\r", " ").replace("\n", " ").encode())
        position = _skip(inner, end)
    return values


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in _BETWEEN:
        position += 1
    return position
