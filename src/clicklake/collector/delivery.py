"""Lines -> where they are durable. take() returns when they are; whoever answers waits for that.

Spooled    a directory of this machine's, through clicklake.Producer, which sends them on. An answer takes an fsync,
           which all requests share that came while the one before was running
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from clicklake.collector.request import BusyError, UnavailableError
from clicklake.producer import ClosedError, FullError, Producer, SpoolError


class Delivery(Protocol):
    async def take(self, lines: list[bytes]) -> None:
        """Raises BusyError or UnavailableError: none of them was taken, or nobody knows."""

    async def close(self) -> None: ...


@dataclass(slots=True)
class _Group:
    """Requests that wait for the same fsync."""

    lines: list[bytes]
    done: "asyncio.Future[None]"


class Spooled:
    """`producer` has fsync=0: what it accepted is on the disk."""

    def __init__(self, producer: Producer, retry_after: int, most_waiting: int) -> None:
        self._producer, self._retry_after, self._most = producer, retry_after, most_waiting
        self._next: _Group | None = None
        self._waiting = 0
        self._writing: asyncio.Task[None] | None = None

    async def take(self, lines: list[bytes]) -> None:
        size = sum(map(len, lines))
        if self._waiting + size > self._most:
            raise BusyError("more waits than there is room for", "send it again later", self._retry_after)
        self._waiting += size
        if self._next is None:
            self._next = _Group([], asyncio.get_running_loop().create_future())
        group = self._next
        group.lines += lines
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        try:
            await asyncio.shield(group.done)
        finally:
            self._waiting -= size

    async def _write(self) -> None:
        """Group after group, until nobody waits."""
        while (group := self._next) is not None:
            self._next = None
            try:
                await asyncio.to_thread(self._producer.track_lines, group.lines, max_block=0)
            except Exception as e:
                group.done.set_exception(self._refusal(e))
                group.done.exception()  # nobody may be waiting any more
            else:
                group.done.set_result(None)
        self._writing = None

    def _refusal(self, error: Exception) -> BusyError:
        if isinstance(error, FullError):
            return BusyError("the spool is full", "the stream takes less than comes in", self._retry_after)
        if isinstance(error, (SpoolError, ClosedError)):
            return UnavailableError("the events can't be kept now", "see the collector's log", self._retry_after)
        raise error

    async def close(self) -> None:
        await asyncio.to_thread(self._producer.close)
