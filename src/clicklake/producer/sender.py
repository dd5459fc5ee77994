"""The thread that sends: the oldest lines of a log -> one call -> again what was not taken -> acknowledged.

One call at a time and in order, so a log's mark can be one number. Nothing is ever dropped here: what is not taken is
tried again until it is, or until the producer is closed.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar

from clicklake.errors import ClicklakeError
from clicklake.producer import packing
from clicklake.producer.errors import SpoolError
from clicklake.producer.event import STAMP_BYTES, stamped
from clicklake.producer.log import Log
from clicklake.producer.pace import Pace, pause
from clicklake.producer.packing import Record
from clicklake.producer.settings import Counters, Delivery, OnDelivery, OnError, Settings
from clicklake.producer.stream import Stream

log = logging.getLogger("clicklake.producer")

_SCAN_SECONDS = 5.0
_NOT_SOON = 9  # failures in a row, as which one counts that somebody must mend
Told = TypeVar("Told")


class Queue(Protocol):
    """Memory, or a Log."""

    size: int

    @property
    def is_behind(self) -> bool: ...
    def append(self, line: bytes) -> bool: ...
    def peek(self, limit: int) -> list[bytes]: ...
    def acknowledge(self, count: int) -> None: ...
    def close(self) -> None: ...


class Sender:
    """Sends what `own` holds and, in turns, what `orphans` finds. `changed` is the lock of all of it."""

    def __init__(
        self,
        stream: Stream,
        own: Queue,
        orphans: Callable[[], Iterator[Log]] | None,
        settings: Settings,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        on_delivery: OnDelivery | None,
        on_error: OnError | None,
    ) -> None:
        self.changed = threading.Condition()
        self.own = own
        self.adopted: list[Log] = []
        self.counts: Counter[str] = Counter()  # by the names of Counters' fields
        self.since: float | None = None  # when the oldest of `own` began to wait
        self.acknowledged = 0  # events of `own`
        self.flush_upto = 0  # of these, don't linger
        self.failing = ""  # why the last call took nothing
        self.closing = False  # send what there is, then end
        self.aborted = False  # end now
        self._stream, self._orphans, self._settings = stream, orphans, settings
        self._clock, self._jitter = clock, jitter
        self._on_delivery, self._on_error = on_delivery, on_error
        self._pace = Pace(settings.max_bytes_per_second, time.monotonic)
        self._own_turn = True
        self._scanned = -_SCAN_SECONDS

    def run(self) -> None:
        """The thread's whole life."""
        while (found := self._next()) is not None:
            queue, call = found
            events = sum(len(record.events) for record in call)
            if self._deliver(call):
                self._acknowledge(queue, events)

    def counters(self) -> Counters:
        counts = self.counts
        waiting = counts["accepted"] - counts["sent"] + counts["recovered"]
        return Counters(**counts, waiting=waiting)

    # --- what is next ------------------------------------------------------------------------------------------------

    def _next(self) -> tuple[Queue, list[Record]] | None:
        """A log and the records of one call; None when it is time to end. Waits."""
        while True:
            self._adopt()
            with self.changed:
                if self.aborted or (self.closing and self._is_empty()):
                    return None
                queue = self._ready()
                if queue is not None:
                    lines = queue.peek(self._settings.call_bytes + self._settings.record_bytes)
                    if lines:
                        return queue, next(packing.calls(self._records(lines), self._settings.sizes))
                    self._drop_if_empty(queue)
                    continue
                self.changed.wait(self._patience())

    def _records(self, lines: list[bytes]) -> Iterator[Record]:
        return packing.records(lines, self._settings.sizes, STAMP_BYTES)

    def _ready(self) -> Queue | None:
        own = self.own if self._is_due() else None
        if self.adopted and not self.closing and (own is None or not self._own_turn):
            self._own_turn = True
            return self.adopted[0]
        self._own_turn = False
        return own

    def _is_empty(self) -> bool:
        return not self.own.size and not self.own.is_behind

    def _is_due(self) -> bool:
        if self._is_empty():
            return False
        full = self.own.size >= self._settings.call_bytes or self.own.is_behind
        return full or self.closing or self.acknowledged < self.flush_upto or self._lingered() >= self._settings.linger

    def _lingered(self) -> float:
        return time.monotonic() - self.since if self.since is not None else 0.0

    def _patience(self) -> float | None:
        """How long to wait if nothing happens."""
        waits = [] if self._orphans is None else [_SCAN_SECONDS]
        if self.since is not None:
            waits.append(max(0.0, self._settings.linger - self._lingered()))
        return min(waits) if waits else None

    def _adopt(self) -> None:
        """Look for logs whose producers are dead, now and then."""
        if self._orphans is None or self.closing or time.monotonic() - self._scanned < _SCAN_SECONDS:
            return
        self._scanned = time.monotonic()
        try:
            found = list(self._orphans())
        except OSError as e:
            self._tell(SpoolError(f"the spool can't be read ({e.strerror})"))
            return
        with self.changed:
            self.adopted += found
            self._reserve()

    def _reserve(self) -> None:
        if isinstance(self.own, Log):
            self.own.reserved = sum(adopted.used for adopted in self.adopted)

    def _drop_if_empty(self, queue: Queue) -> None:
        """An adopted log whose lines are all sent, or can't be read. Under the lock."""
        if isinstance(queue, Log) and queue is not self.own:
            queue.acknowledge(0)
            self._tell_damage(queue)
            queue.close()
            self.adopted.remove(queue)
            self._reserve()

    def _tell_damage(self, queue: Log) -> None:
        while queue.damaged:
            path = queue.damaged.pop()
            self._tell(SpoolError(f"the spool's {path.name} is damaged", f"what could be read is sent; see {path}"))

    # --- one call ----------------------------------------------------------------------------------------------------

    def _deliver(self, call: list[Record]) -> bool:
        """Until all of it is taken; False if the producer was closed before."""
        failures = 0
        while True:
            if not self._pause(self._pace.wait(sum(record.size for record in call))):
                return False
            data = [stamped(record.events, self._clock()) for record in call]
            answer = self._stream.put(data)
            left = set(answer.left)
            self._count(call, data, left)
            self.failing = str(answer.error) if answer.error else ""
            if not left:
                return True
            self._tell(answer.error, again=failures > 0)
            failures = _NOT_SOON if answer.final else failures + 1 if len(left) == len(call) else 0
            call = [record for place, record in enumerate(call) if place in left]
            if answer.too_fast:
                self._pace.too_fast()
            if not self._pause(pause(failures, answer.wait_seconds, self._jitter)):
                return False
            with self.changed:
                self.counts.update(retried=sum(len(record.events) for record in call))

    def _count(self, call: list[Record], data: list[bytes], left: set[int]) -> None:
        taken = [place for place in range(len(call)) if place not in left]
        size = sum(len(data[place]) for place in taken)
        billed = sum(packing.billed(len(data[place])) for place in taken)
        with self.changed:
            self.counts.update(calls=1, records=len(taken), bytes=size, billed_bytes=billed)
        if not taken:
            return
        self._pace.taken(size)
        if self._on_delivery is not None:
            lines = tuple(line for place in taken for line in data[place].splitlines())
            _safely(self._on_delivery, Delivery(lines, len(taken), size, billed))

    def _pause(self, seconds: float) -> bool:
        """Wait; False if it is to end now."""
        with self.changed:
            self.changed.wait_for(lambda: self.aborted, seconds) if seconds > 0 else None
            return not self.aborted

    def _acknowledge(self, queue: Queue, count: int) -> None:
        with self.changed:
            try:
                queue.acknowledge(count)
            except OSError as e:  # they will be sent once more
                self._tell(SpoolError(f"the spool can't be written ({e.strerror})"))
            own = queue is self.own
            self.counts.update(sent=count, recovered=0 if own else count)
            if own:
                self.acknowledged += count
                self.since = None if self._is_empty() else time.monotonic()
            if isinstance(queue, Log):
                self._tell_damage(queue)
            self.changed.notify_all()

    # --- telling -----------------------------------------------------------------------------------------------------

    def _tell(self, error: ClicklakeError | None, *, again: bool = False) -> None:
        """The callback hears everything; without one the log hears the first of several in a row."""
        if error is None:
            return
        if self._on_error is not None:
            _safely(self._on_error, error)
        elif not again:
            log.warning("%s", error)


def _safely(tell: Callable[[Told], None], told: Told) -> None:
    """What a callback raises must not end the sending."""
    try:
        tell(told)
    except Exception:
        log.exception("a producer's callback failed")
