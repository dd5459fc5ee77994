"""What waits to be sent, and whose turn it is: the producer's own lines, and the logs of the dead that it has adopted.

Several threads may ask for the next call. A log's calls may come back in any order; its mark moves over those that are
acknowledged from its beginning on, so after a crash the others are sent again, and nothing is left out.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from clicklake.errors import ClicklakeError
from clicklake.producer import packing
from clicklake.producer.errors import SpoolError
from clicklake.producer.event import STAMP_BYTES
from clicklake.producer.log import Log
from clicklake.producer.packing import Record
from clicklake.producer.settings import Settings

_SCAN_SECONDS = 5.0


class Queue(Protocol):
    """Memory, or a Log."""

    size: int

    @property
    def is_behind(self) -> bool: ...
    @property
    def room(self) -> int: ...
    def append(self, lines: list[bytes]) -> bool: ...
    def peek(self, limit: int, skip: int = 0) -> list[bytes]: ...
    def acknowledge(self, count: int) -> None: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Call:
    """Records on their way; of `queue` so many `pieces`, which have so many `events` and `size` bytes."""

    queue: Queue
    records: list[Record]
    pieces: int
    events: int
    size: int
    is_acknowledged: bool = False


class Waiting:
    """`lock` is held by whoever touches anything here; `changed` is its condition. `tell` hears what is wrong."""

    def __init__(
        self,
        own: Queue,
        orphans: Callable[[], Iterator[Log]] | None,
        settings: Settings,
        tell: Callable[[ClicklakeError], None],
    ) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.own = own
        self.adopted: list[Log] = []
        self.since: float | None = None  # when the oldest of `own` began to wait
        self.acknowledged = 0  # events of `own`
        self.flush_upto = 0  # of these, don't linger
        self.closing = False  # send what there is, then end
        self.aborted = False  # end now
        self._flying: deque[Call] = deque()  # of `own`, in its order
        self._flying_size = self._idle = 0
        self._adopted_flies = False
        self._unsaid: deque[ClicklakeError] = deque()
        self._orphans, self._settings, self._tell = orphans, settings, tell
        self._own_turn = True
        self._scanned = -_SCAN_SECONDS

    def next(self) -> Call | None:
        """What to send now; None when it is time to end. Waits."""
        while True:
            self._adopt()
            self.say()
            with self.changed:
                if self.aborted or (self.closing and not self._is_left()):
                    return None
                try:
                    call = self._call()
                except OSError as e:
                    self._found(SpoolError(f"the spool can't be read ({e.strerror})", "what is in it stays there"))
                    self.changed.wait(_SCAN_SECONDS)
                    continue
                if call is not None:
                    return call
                if not self._unsaid:
                    self._idle += 1
                    self.changed.wait(self._patience())
                    self._idle -= 1

    def say(self) -> None:
        """Tell what was found to be wrong. Not under the lock: who hears it may want to have it, and not alone."""
        while self._unsaid:
            self._tell(self._unsaid.popleft())

    def _found(self, error: ClicklakeError) -> None:
        self._unsaid.append(error)

    def came(self) -> None:
        """Something was appended to `own`. Under the lock."""
        if self.since is None:
            self.since = time.monotonic()
            self.changed.notify_all()
        elif self._idle and self._left() >= self._settings.call_bytes:
            self.changed.notify_all()

    def _call(self) -> Call | None:
        queue = self._turn()
        if queue is None:
            return None
        skip = sum(call.pieces for call in self._flying) if queue is self.own else 0
        pieces = queue.peek(self._settings.call_bytes, skip)
        if not pieces:
            self._let_go(queue)
            return self._call()
        records = list(packing.records(pieces, self._settings.sizes, STAMP_BYTES))
        call = Call(queue, records, len(pieces), sum(r.count for r in records), sum(r.size for r in records))
        if queue is self.own:
            self._flying.append(call)
            self._flying_size += call.size
            self.since = time.monotonic() if self._is_left() else None
        else:
            self._adopted_flies = True
        return call

    def _turn(self) -> Queue | None:
        own = self.own if self._is_due() else None
        if self.adopted and not self._adopted_flies and not self.closing and (own is None or not self._own_turn):
            self._own_turn = True
            return self.adopted[0]
        self._own_turn = False
        return own

    def _left(self) -> int:
        """Bytes of `own` in memory that nobody sends yet."""
        return self.own.size - self._flying_size

    def _is_left(self) -> bool:
        return self.own.is_behind or self._left() > 0

    def _is_due(self) -> bool:
        if not self._is_left():
            return False
        full = self._left() >= self._settings.call_bytes or self.own.is_behind
        return full or self.closing or self._is_flushing() or self._lingered() >= self._settings.linger

    def _is_flushing(self) -> bool:
        return self.acknowledged + sum(call.events for call in self._flying) < self.flush_upto

    def _lingered(self) -> float:
        return time.monotonic() - self.since if self.since is not None else 0.0

    def _patience(self) -> float | None:
        """How long to wait if nothing happens."""
        waits = [] if self._orphans is None else [_SCAN_SECONDS]
        if self.since is not None:
            waits.append(max(0.0, self._settings.linger - self._lingered()))
        return min(waits) if waits else None

    def acknowledge(self, call: Call) -> None:
        """All of it was taken. Under the lock."""
        call.is_acknowledged = True
        try:
            if call.queue is self.own:
                while self._flying and self._flying[0].is_acknowledged:
                    landed = self._flying.popleft()
                    self._flying_size -= landed.size
                    self.acknowledged += landed.events
                    self.own.acknowledge(landed.pieces)
            else:
                self._adopted_flies = False
                call.queue.acknowledge(call.pieces)
        except OSError as e:  # they will be sent once more
            self._found(SpoolError(f"the spool can't be written ({e.strerror})", "what was sent may be sent again"))
        self._find_damage(call.queue)
        self.changed.notify_all()

    def close(self) -> None:
        """Let go of every log: what is left in it is somebody else's. Under the lock."""
        for queue in (self.own, *self.adopted):
            queue.close()
        self.changed.notify_all()

    # --- the logs of the dead ----------------------------------------------------------------------------------------

    def _adopt(self) -> None:
        """Look for them now and then."""
        with self.lock:
            if self._orphans is None or self.closing or time.monotonic() - self._scanned < _SCAN_SECONDS:
                return
            self._scanned = time.monotonic()
            try:
                self.adopted += self._orphans()
            except OSError as e:
                self._found(SpoolError(f"the spool can't be read ({e.strerror})", "what is in it stays there"))
            self._reserve()

    def _let_go(self, queue: Queue) -> None:
        """An adopted log whose lines are all sent, or can't be read."""
        if isinstance(queue, Log) and queue is not self.own:
            queue.acknowledge(0)
            self._find_damage(queue)
            queue.close()
            self.adopted.remove(queue)
            self._reserve()

    def _reserve(self) -> None:
        if isinstance(self.own, Log):
            self.own.reserved = sum(adopted.used for adopted in self.adopted)

    def _find_damage(self, queue: Queue) -> None:
        while isinstance(queue, Log) and queue.damaged:
            path = queue.damaged.pop()
            self._found(SpoolError(f"the spool's {path.name} is damaged", f"what could be read is sent; see {path}"))
