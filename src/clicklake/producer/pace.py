"""How fast, and how long to wait before it is tried again. Pure, but for the clock and the chance that it is given."""

from collections.abc import Callable

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0
_LONGEST_TOLD = 60.0
_SLOWER, _FASTER = 0.7, 1.2
_SLOWEST = 128 * 1024.0
_FIRST_GUESS = 1024 * 1024.0  # the smallest quota of a stream: docs.aws.amazon.com/firehose/latest/dev/limits.html
_FORGIVEN_SECONDS = 60.0


def pause(failures: int, told: float, jitter: Callable[[], float]) -> float:
    """Seconds to wait after so many calls in a row that took nothing: exponential with full jitter
    (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter), and no less than the service has `told`."""
    return max(jitter() * min(_LONGEST_PAUSE, _FIRST_PAUSE * 2.0**failures), min(told, _LONGEST_TOLD))


class Pace:
    """Bytes a second: at most `most`, if it is given; and less after the stream said that it was too fast. Then it
    begins at 0.7 of what was taken, gains 20 % a second, and is free again after a minute without a refusal. Refusals
    within a second count as one."""

    def __init__(self, most: float | None, clock: Callable[[], float]) -> None:
        self._most = most
        self._clock = clock
        self._limit: float | None = None  # what was learned
        self._free_at = self._raised_at = self._throttled_at = self._window_at = clock()
        self._window = 0
        self._measured = 0.0

    @property
    def bytes_per_second(self) -> float | None:
        """None: as fast as it goes."""
        limits = [limit for limit in (self._most, self._limit) if limit is not None]
        return min(limits) if limits else None

    def wait(self, size: int) -> float:
        """Seconds to wait before a call of so many bytes, which is expected to follow."""
        rate, now = self.bytes_per_second, self._clock()
        if rate is None:
            return 0.0
        begin = max(now, self._free_at)
        self._free_at = begin + size / rate
        return begin - now

    def taken(self, size: int) -> None:
        now = self._clock()
        self._window += size
        if (elapsed := now - self._window_at) >= 1.0:
            self._measured, self._window, self._window_at = self._window / elapsed, 0, now
        if self._limit is not None:
            self._limit *= _FASTER ** (now - self._raised_at)
            self._raised_at = now
            if now - self._throttled_at > _FORGIVEN_SECONDS:
                self._limit = None

    def too_fast(self) -> None:
        now = self._clock()
        if self._limit is not None and now - self._throttled_at < 1.0:
            return
        reached = self._limit or self._measured or _FIRST_GUESS / _SLOWER
        self._limit = max(_SLOWEST, _SLOWER * min(reached, self._measured or reached))
        self._raised_at = self._throttled_at = now
