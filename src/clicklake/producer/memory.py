"""Lines that wait in memory. Spool's log.py has the same four verbs: append, peek, acknowledge, close."""

from collections import deque

from clicklake.producer.event import STAMP_BYTES


class Memory:
    """At most `most` bytes of lines, but always one. Its caller holds the lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: deque[bytes] = deque()
        self.size = 0  # bytes that could be sent now, with their stamps
        self.is_behind = False  # is there more than memory holds?

    def append(self, line: bytes) -> bool:
        """False if there is no room."""
        length = len(line) + STAMP_BYTES
        if self._lines and self.size + length > self._most:
            return False
        self._lines.append(line)
        self.size += length
        return True

    def peek(self, limit: int) -> list[bytes]:
        """The oldest lines, up to so many bytes; they stay until they are acknowledged."""
        return first(self._lines, limit)

    def acknowledge(self, count: int) -> None:
        for _ in range(min(count, len(self._lines))):  # fewer if it was closed meanwhile
            self.size -= len(self._lines.popleft()) + STAMP_BYTES

    def close(self) -> None:
        self._lines.clear()
        self.size = 0


def first(lines: deque[bytes], limit: int) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for line in lines:
        size += len(line) + STAMP_BYTES
        if found and size > limit:
            break
        found.append(line)
    return found
