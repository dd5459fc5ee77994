"""Lines -> PutRecordBatch, until Firehose has taken all of them or the time is over. Nothing is kept here.

What function.py has, for a function has no disk of its own; and `clicklake collector --no-spool`.
"""

import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from clicklake.collector.request import BusyError, UnavailableError
from clicklake.producer import packing
from clicklake.producer.pace import pause
from clicklake.producer.packing import Sizes
from clicklake.producer.stream import Answer

_SIZES = Sizes()


class Puts(Protocol):
    """A clicklake.producer.stream.Stream."""

    def put(self, records: Sequence[bytes]) -> Answer: ...


class Direct:
    """For one thread. `told` hears what Firehose said when it took nothing, for a log; no event is in that."""

    def __init__(
        self,
        stream: Puts,
        retry_after: int = 2,
        told: Callable[[str], None] = lambda _: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._stream, self._retry_after, self._told = stream, retry_after, told
        self._clock, self._sleep, self._jitter = clock, sleep, jitter

    def take(self, lines: Sequence[bytes], seconds: float) -> None:
        """All of the lines, one or more in each piece, each ending in LF, within so many seconds but for the length of
        one call. Only what was not taken is put again.

        Raises BusyError if the stream asked for patience to the end, UnavailableError if it could not be reached or
        refused for good: then some of them may have been taken. Who sends all of them again doubles no event that has
        an id.
        """
        deadline = self._clock() + seconds
        for call in packing.calls(packing.records(lines, _SIZES), _SIZES):
            self._put([b"".join(record.events) for record in call], deadline)

    def _put(self, records: list[bytes], deadline: float) -> None:
        failures = 0
        while self._clock() < deadline:
            answer = self._stream.put(records)
            if answer.error is None:
                return
            failures = failures + 1 if len(answer.left) == len(records) else 1
            records = [records[place] for place in answer.left]
            wait = pause(failures, answer.wait_seconds, self._jitter)
            if answer.final or self._clock() + wait >= deadline:
                self._told(str(answer.error))
                raise self._refusal(answer)
            self._sleep(wait)
        raise BusyError("there was no time left", "send it again later", self._retry_after)

    def _refusal(self, answer: Answer) -> BusyError:
        seconds = max(self._retry_after, round(answer.wait_seconds))
        if answer.too_fast:
            return BusyError("the stream takes less than comes in", "send it again later", seconds)
        return UnavailableError("the stream can't be reached", "see the collector's log", seconds)
