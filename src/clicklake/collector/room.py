"""How much of what came in may be held in memory, all requests together: bodies while they arrive, lines until they are
durable."""

from clicklake.collector.request import BusyError


class Room:
    """`most` bytes; who finds none left is asked to come again after `retry_after` seconds."""

    def __init__(self, most: int, retry_after: int) -> None:
        self._most, self._retry_after = most, retry_after
        self.used = 0

    def take(self, size: int) -> None:
        """Raises BusyError: then nothing was taken."""
        if self.used + size > self._most:
            raise BusyError("more waits than there is room for", "send it again later", self._retry_after)
        self.used += size

    def leave(self, size: int) -> None:
        self.used -= size
