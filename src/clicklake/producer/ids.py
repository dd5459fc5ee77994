"""UUIDv7 (RFC 9562, section 5.7): milliseconds, then a counter, then chance; so ids sort by time.

The counter fills rand_a and starts anew each millisecond (section 6.2, method 1): ids of one maker only ever grow. When
more than 4,096 are made in a millisecond, or the clock goes back, the milliseconds run ahead of the clock.
"""

import os
from collections.abc import Callable

_COUNTS = 1 << 12
_RANDOM_BYTES = 8
_DRAWN_AT_ONCE = 512  # a system call for each id would be a third of its price
_VERSION, _VARIANT = 0x7 << 76, 0b10 << 62
_RANDOM_BITS = (1 << 62) - 1


class Uuid7:
    """Call it for the next id. Not for several threads at once, and not for two processes: make a new one after a
    fork."""

    def __init__(self, clock: Callable[[], float], randomness: Callable[[int], bytes] = os.urandom) -> None:
        """`clock`: seconds since 1970; `randomness(n)`: n random bytes."""
        self._clock = clock
        self._randomness = randomness
        self._milliseconds = self._count = 0
        self._drawn, self._at = b"", 0

    def __call__(self) -> str:
        now = int(self._clock() * 1000)
        if now > self._milliseconds:
            self._milliseconds, self._count = now, 0
        else:
            self._count += 1
            if self._count == _COUNTS:
                self._milliseconds, self._count = self._milliseconds + 1, 0
        if self._at == len(self._drawn):
            self._drawn, self._at = self._randomness(_RANDOM_BYTES * _DRAWN_AT_ONCE), 0
        chance = int.from_bytes(self._drawn[self._at : self._at + _RANDOM_BYTES]) & _RANDOM_BITS
        self._at += _RANDOM_BYTES
        text = f"{self._milliseconds << 80 | _VERSION | self._count << 64 | _VARIANT | chance:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
