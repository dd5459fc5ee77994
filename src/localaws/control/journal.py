"""An append-only file of JSON documents that survives power loss.

One line per document: the CRC-32 of its JSON in eight hex digits, a space, the JSON. `append` returns when the line is
on disk, and nobody is told of a document before that; so a crash can only tear the last line, and a torn last line
is cut off when the file is next opened. A bad line that good ones follow is damage, not a crash, and is refused.
"""

import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from localaws.durable import flush, replace_file, sync_directory, write_file
from localaws.errors import StartError


class Journal:
    """Not thread-safe: its owner holds a lock."""

    def __init__(self, path: Path) -> None:
        """Readable by its owner alone: documents may hold secrets. Raises StartError if the file is damaged."""
        self._path = path
        if not path.exists():
            write_file(path, b"", mode=0o600)
        self._size = _sound_length(path)
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND)
        os.ftruncate(self._fd, self._size)
        flush(self._fd)
        self._is_sound = True  # file and entry are what they should be

    @property
    def is_empty(self) -> bool:
        return self._size == 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Every document, oldest first."""
        with self._path.open("rb") as file:
            for line in file:
                yield json.loads(line[9:])

    def append(self, document: dict[str, Any]) -> None:
        """Durable on return. If it raises OSError (a full disk), the file is as it was before."""
        line = _line(document)
        self._make_sound()
        try:
            _write(self._fd, line)
            flush(self._fd)
        except OSError:
            self._is_sound = False
            self._make_sound()
            raise
        self._size += len(line)

    def _make_sound(self) -> None:
        """Undo what a failure has left: a line that nobody was told of, or an entry that may not be durable."""
        if not self._is_sound:
            os.ftruncate(self._fd, self._size)
            sync_directory(self._path.parent)
            self._is_sound = True

    def replace(self, documents: Iterable[dict[str, Any]]) -> None:
        """Hold these instead, in one step: after a crash it is the old file or the new."""
        self._make_sound()
        self._is_sound = False
        try:
            replace_file(self._path, b"".join(map(_line, documents)), mode=0o600)
            self._is_sound = True
        finally:  # whatever failed, the name may be the new file's by now
            os.close(self._fd)
            self._fd = os.open(self._path, os.O_WRONLY | os.O_APPEND)
            self._size = self._path.stat().st_size

    def close(self) -> None:
        os.close(self._fd)


def _line(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _write(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _sound_length(path: Path) -> int:
    """How many bytes of the file are whole lines; what follows is the one torn line."""
    length = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if _sound(line):
                length += len(line)
            elif file.read(1):
                raise StartError(f"{path} is damaged at line {number}", "restore it from a backup, or remove that line")
    return length


def _sound(line: bytes) -> bool:
    return line.endswith(b"\n") and line[8:9] == b" " and line[:8] == b"%08x" % zlib.crc32(line[9:-1])
