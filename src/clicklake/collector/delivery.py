"""Lines -> where they are durable. take() returns when they are; whoever answers waits for that.

    to_spool()    a directory of this machine's, through clicklake.Producer, which sends them on: one fsync an answer
    to_stream()   Firehose itself, which has them when PutRecordBatch says so

Either is slow, so requests share it: all that come while one is under way wait together for the next.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from clicklake.collector.direct import Direct
from clicklake.collector.request import BusyError, UnavailableError
from clicklake.collector.room import Room
from clicklake.collector.settings import Settings
from clicklake.collector.trouble import described
from clicklake.errors import ClicklakeError
from clicklake.producer import FullError, Producer, packing
from clicklake.producer.event import STAMP_BYTES

log = logging.getLogger("clicklake.collector")

Write = Callable[[list[bytes]], None]
"""Takes what requests have brought: of each its lines, in one piece."""

_GROUP_BYTES = 4 * 1024 * 1024
# Where requests come faster than one is written, a little patience makes a tenth as many writes of them, each of which
# is an fsync and twice the way to another thread. One that comes alone waits for nothing.
_SMALL_BYTES = 512 * 1024
_GATHER_SECONDS = 0.003
_TROUBLED_SECONDS = 10.0
_LEAST_ROOM = 2 * 1024 * 1024
_CALL_SECONDS = 4.0  # Snowplow's tracker waits for 5


class Delivery(Protocol):
    """`room` is for bodies that arrive, too. `trouble` says why lines can't be kept now, and is empty if they can."""

    room: Room

    async def take(self, lines: bytes) -> None:
        """One or more, each ending in LF. Raises BusyError or UnavailableError: none of them was taken, or nobody
        knows."""

    def trouble(self) -> str: ...

    async def close(self) -> None:
        """What was begun ends; nothing is taken from here on."""


@dataclass(slots=True)
class _Group:
    """Requests that wait together."""

    lines: list[bytes] = field(default_factory=list)
    waiting: "list[asyncio.Future[None]]" = field(default_factory=list)
    size: int = 0

    def end(self, error: Exception | None) -> None:
        for one in self.waiting:
            if one.done():  # it gave up
                continue
            if error is None:
                one.set_result(None)
            else:
                one.set_exception(error)


class Grouped:
    """`writes` take a group each, on a thread each. `check` says why the next one would fail, if it is known."""

    def __init__(self, writes: Sequence[Write], room: Room, retry_after: int, check: Callable[[], str]) -> None:
        self.room = room
        self._retry_after, self._check = retry_after, check
        self._idle = deque(writes)
        self._threads = ThreadPoolExecutor(len(writes), thread_name_prefix="clicklake delivery")
        self._groups: deque[_Group] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._failed: tuple[float, str] = (-_TROUBLED_SECONDS, "")
        self._closed = False

    async def take(self, lines: bytes) -> None:
        if self._closed:
            raise UnavailableError("the collector ends", "send it again later", self._retry_after)
        self.room.take(len(lines))
        durable = asyncio.get_running_loop().create_future()
        group = self._group()
        group.lines.append(lines)
        group.waiting.append(durable)
        group.size += len(lines)
        if self._idle:
            task = asyncio.create_task(self._run(self._idle.popleft()))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        await durable

    def _group(self) -> _Group:
        """The one that is joined now."""
        if not self._groups or self._groups[-1].size >= _GROUP_BYTES:
            self._groups.append(_Group())
        return self._groups[-1]

    async def _run(self, write: Write) -> None:
        """Group after group, in their order, until nobody waits."""
        try:
            while self._groups:
                await self._deliver(self._groups.popleft(), write)
                if self._groups and self._groups[0].size < _SMALL_BYTES:
                    await asyncio.sleep(_GATHER_SECONDS)
        finally:
            self._idle.append(write)

    async def _deliver(self, group: _Group, write: Write) -> None:
        error: Exception | None = None
        try:
            await asyncio.get_running_loop().run_in_executor(self._threads, write, group.lines)
        except asyncio.CancelledError:  # the loop ends, and the thread may still be at it
            error = UnavailableError("the collector ends", "send it again later", self._retry_after)
            raise
        except Exception as e:
            error = self._refusal(e)
        finally:
            self.room.leave(group.size)
            if error is None:
                self._failed = (-_TROUBLED_SECONDS, "")
            group.end(error)

    def _refusal(self, error: Exception) -> BusyError:
        """Of all requests of a group. Said to the log, but for back-pressure, which is no fault."""
        if isinstance(error, FullError):
            refusal = BusyError("the spool is full", "the stream takes less than comes in", self._retry_after)
        elif isinstance(error, BusyError):
            refusal = error
        else:
            refusal = UnavailableError("the events can't be kept now", "see the collector's log", self._retry_after)
            if not self._is_failing() or self._failed[1] != refusal.problem:  # of many in a row the first is said
                what = error.problem if isinstance(error, ClicklakeError) else described(error)
                log.error("events can't be kept: %s", what)
        self._failed = (time.monotonic(), refusal.problem)
        return refusal

    def trouble(self) -> str:
        """What failed lately counts for some seconds: who sends nothing to one that is in trouble must come back."""
        return self._failed[1] if self._is_failing() else self._check()

    def _is_failing(self) -> bool:
        return time.monotonic() - self._failed[0] < _TROUBLED_SECONDS

    async def close(self) -> None:
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)
        self._threads.shutdown(wait=False)


def to_spool(producer: Producer, settings: Settings) -> Grouped:
    """`producer` has fsync=0: what it accepted is on the disk."""

    def write(lines: list[bytes]) -> None:
        # As large as a record each: what is done for each piece, here and where it is sent, is done less often.
        pieces = [b"".join(record.events) for record in packing.records(lines, added=STAMP_BYTES)]
        producer.track_lines(pieces, max_block=0)

    def check() -> str:
        return "" if producer.room >= _LEAST_ROOM else "the spool or its disk is full"

    room = Room(settings.max_waiting_bytes, settings.retry_after_seconds)
    return Grouped([write], room, settings.retry_after_seconds, check)


def to_stream(directs: Sequence[Direct], settings: Settings) -> Grouped:
    """As many calls at a time."""

    def writer(direct: Direct) -> Write:
        return lambda lines: direct.take(lines, _CALL_SECONDS)

    room = Room(settings.max_waiting_bytes, settings.retry_after_seconds)
    return Grouped([writer(direct) for direct in directs], room, settings.retry_after_seconds, lambda: "")
