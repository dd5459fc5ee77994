"""Lines that wait in memory. Spool's log.py has the same four verbs: append, peek, acknowledge, close."""

from collections import deque
from itertools import islice

from clicklake.producer.event import STAMP_BYTES


class Memory:
    """At most `most` bytes of lines, but always one. Its caller holds the lock."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lines: deque[bytes] = deque()
        self.size = 0  # bytes that could be sent now, with their stamps
        self.is_behind = False  # is there more than memory holds?

    def append(self, lines: list[bytes]) -> bool:
        """All of them, or none: False if there is no room."""
        size = sum(map(len, lines)) + len(lines) * STAMP_BYTES
        if self._lines and self.size + size > self._most:
            return False
        self._lines += lines
        self.size += size
        return True

    @property
    def room(self) -> int:
        return max(0, self._most - self.size)

    def peek(self, limit: int, skip: int = 0) -> list[bytes]:
        """Up to so many bytes of the oldest lines but the first `skip`; they stay until they are acknowledged."""
        return some(self._lines, limit, skip)

    def acknowledge(self, count: int) -> None:
        count = min(count, len(self._lines))  # fewer if it was closed meanwhile
        self.size -= sum(len(self._lines.popleft()) for _ in range(count)) + count * STAMP_BYTES

    def close(self) -> None:
        self._lines.clear()
        self.size = 0


def some(lines: deque[bytes], limit: int, skip: int) -> list[bytes]:
    found: list[bytes] = []
    size = 0
    for line in islice(lines, skip, None):
        size += len(line) + STAMP_BYTES
        if found and size > limit:
            break
        found.append(line)
    return found
