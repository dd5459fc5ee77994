"""The threads that send: a call of what waits -> again what was not taken -> acknowledged.

Nothing is ever dropped here: what is not taken is tried again until it is, or until the producer is closed.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

from clicklake.errors import ClicklakeError
from clicklake.producer import packing
from clicklake.producer.event import stamped
from clicklake.producer.log import Log
from clicklake.producer.pace import Pace, pause
from clicklake.producer.packing import Record
from clicklake.producer.settings import Counters, Delivery, OnDelivery, OnError, Settings
from clicklake.producer.stream import Stream
from clicklake.producer.waiting import Queue, Waiting

log = logging.getLogger("clicklake.producer")

_NOT_SOON = 9  # failures in a row, as which one counts that somebody must mend
Told = TypeVar("Told")


class Sender:
    """Sends over each of `streams` what `own` holds and what `orphans` finds."""

    def __init__(
        self,
        streams: list[Stream],
        own: Queue,
        orphans: Callable[[], Iterator[Log]] | None,
        settings: Settings,
        clock: Callable[[], float],
        jitter: Callable[[], float],
        on_delivery: OnDelivery | None,
        on_error: OnError | None,
    ) -> None:
        self.waiting = Waiting(own, orphans, settings, self._tell)
        self.counts: Counter[str] = Counter()  # by the names of Counters' fields; under the lock
        self.failing = ""  # why the last call took nothing
        self._clock, self._jitter, self._sizes = clock, jitter, settings.sizes
        self._on_delivery, self._on_error = on_delivery, on_error
        self._telling = threading.RLock()
        self._pace = Pace(settings.max_bytes_per_second, time.monotonic)
        self._threads = [
            threading.Thread(target=self._run, args=(stream,), name="clicklake producer", daemon=True)
            for stream in streams
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def join(self, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        for thread in self._threads:
            if thread is not threading.current_thread():  # a callback may close the producer
                thread.join(max(0.0, deadline - time.monotonic()))

    def counters(self) -> Counters:
        with self.waiting.lock:
            counts = self.counts
            waiting = counts["accepted"] - counts["sent"] + counts["recovered"]
            return Counters(**counts, waiting=waiting)

    def _run(self, stream: Stream) -> None:
        """A thread's whole life."""
        while (call := self.waiting.next()) is not None:
            # One call, but for small records of larger events, of which it may take two.
            if all(self._deliver(stream, part) for part in packing.calls(call.records, self._sizes)):
                with self.waiting.lock:
                    recovered = 0 if call.queue is self.waiting.own else call.events
                    self.counts.update(sent=call.events, recovered=recovered)
                    self.waiting.acknowledge(call)
                self.waiting.say()

    def _deliver(self, stream: Stream, call: list[Record]) -> bool:
        """Until all of it is taken; False if the producer was closed before."""
        failures = 0
        while True:
            with self.waiting.lock:
                wait = self._pace.wait(sum(record.size for record in call))
            if not self._pause(wait):
                return False
            data = [stamped(record.events, self._clock()) for record in call]
            answer = stream.put(data)
            left = set(answer.left)
            self._count(call, data, left)
            self.failing = str(answer.error) if answer.error else ""
            if answer.error is None:
                return True
            self._tell(answer.error, again=failures > 0)
            failures = _NOT_SOON if answer.final else failures + 1 if len(left) == len(call) else 0
            call = [record for place, record in enumerate(call) if place in left]
            if not self._pause(pause(failures, answer.wait_seconds, self._jitter), too_fast=answer.too_fast):
                return False
            with self.waiting.lock:
                self.counts.update(retried=sum(record.count for record in call))

    def _count(self, call: list[Record], data: list[bytes], left: set[int]) -> None:
        taken = [place for place in range(len(call)) if place not in left]
        size = sum(len(data[place]) for place in taken)
        billed = sum(packing.billed(len(data[place])) for place in taken)
        with self.waiting.lock:
            self.counts.update(calls=1, records=len(taken), bytes=size, billed_bytes=billed)
            if taken:
                self._pace.taken(size)
        if taken and self._on_delivery is not None:
            lines = tuple(line for place in taken for line in data[place].splitlines())
            self._safely(self._on_delivery, Delivery(lines, len(taken), size, billed))

    def _pause(self, seconds: float, *, too_fast: bool = False) -> bool:
        """Wait; False if it is to end now."""
        with self.waiting.changed:
            if too_fast:
                self._pace.too_fast()
            if seconds > 0:
                self.waiting.changed.wait_for(lambda: self.waiting.aborted, seconds)
            return not self.waiting.aborted

    def _tell(self, error: ClicklakeError, *, again: bool = False) -> None:
        """The callback hears everything; without one the log hears the first of several in a row."""
        if self._on_error is not None:
            self._safely(self._on_error, error)
        elif not again:
            log.warning("%s", error)

    def _safely(self, tell: Callable[[Told], None], told: Told) -> None:
        """One callback at a time. What it raises must not end the sending."""
        with self._telling:
            try:
                tell(told)
            except Exception:
                log.exception("a producer's callback failed")
