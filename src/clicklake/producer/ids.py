"""UUIDv7 (RFC 9562, section 5.7): milliseconds, then a counter, then chance; so ids sort by time.

The counter fills rand_a and starts anew each millisecond (section 6.2, method 1): ids of one maker only ever grow. When
more than 4,096 are made in a millisecond, or the clock goes back, the milliseconds run ahead of the clock.
"""

import os
from collections.abc import Callable

_COUNTS = 1 << 12
_DIGITS = 16  # of rand_b, with the variant
_DRAWN_AT_ONCE = 512  # a system call for each id would be a third of its price
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}


class Uuid7:
    """Call it for the next id. Not for several threads at once, and not for two processes: after a fork make a new
    one."""

    def __init__(self, clock: Callable[[], float], randomness: Callable[[int], bytes] = os.urandom) -> None:
        """`clock`: seconds since 1970; `randomness(n)`: n random bytes."""
        self._clock = clock
        self._randomness = randomness
        self._milliseconds = self._count = 0
        self._begins = ""  # all ids of this millisecond
        self._drawn, self._at = "", 0

    def __call__(self) -> str:
        now = int(self._clock() * 1000)
        self._count += 1
        if now > self._milliseconds:
            self._begin(now)
        elif self._count == _COUNTS:
            self._begin(self._milliseconds + 1)
        at = self._at
        if at == len(self._drawn):
            self._drawn, at = self._randomness(_DIGITS // 2 * _DRAWN_AT_ONCE).hex(), 0
        self._at = at + _DIGITS
        drawn = self._drawn[at : at + _DIGITS]
        return f"{self._begins}{self._count:03x}-{_VARIANT[drawn[0]]}{drawn[1:4]}-{drawn[4:]}"

    def _begin(self, milliseconds: int) -> None:
        self._milliseconds, self._count = milliseconds, 0
        self._begins = f"{milliseconds >> 16:08x}-{milliseconds & 0xFFFF:04x}-7"
