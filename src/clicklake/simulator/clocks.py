"""Devices' clocks, and by whom an event is sent: what a right time must be worked out from.

Most clocks are right to within a second. How the wrong ones are wrong follows what was measured: OpenSignal found 3.5 %
of Android phones an hour off, others by 15 s and by whole time zones ("Why 3.5% of Android clocks are an hour off",
2013); of the clocks behind Chrome's certificate warnings 6.7 % were more than a day behind, 0.05 % ahead
(Acer et al., "Where the Wild Warnings Are", CCS 2017). The shares among the wrong ones are our own reading of these.
"""

from dataclasses import dataclass
from random import Random
from typing import Literal

from clicklake.simulator.chance import Weighted, exponential

# With a collector, its own time comes along; an app sends its own time of sending; a few tell only when it happened.
Way = Literal["collector", "device", "bare"]
_WAYS: Weighted[Way] = Weighted(((50, "collector"), (40, "device"), (10, "bare")))
_KINDS = Weighted(((50, "an hour"), (20, "a time zone"), (15, "minutes"), (10, "days behind"), (5, "reset")))
_RESET_SECONDS = 15 * 365 * 86400  # a dead battery: the clock starts at the year of its making


@dataclass(frozen=True, slots=True)
class Clock:
    """`ahead` seconds, negative when it is behind; `kind` names what is wrong, `right` is within some seconds."""

    ahead: float = 0.0
    kind: str = "right"
    way: Way = "device"


EXACT = Clock()


def clock(random: Random, wrong: float) -> Clock:
    """A device's; `wrong` is the share of those that are."""
    way = _WAYS.pick(random)
    if random.random() >= wrong:
        return Clock(random.gauss(0, 0.4), "right", way)
    kind = _KINDS.pick(random)
    sign = -1 if random.random() < 0.5 else 1
    hours = 3600 * random.randrange(2, 13)
    seconds = {
        "an hour": 3600.0 * sign,
        "a time zone": float(hours * sign),
        "minutes": (60 + 840 * random.random()) * sign,
        "days behind": -86400 - exponential(random, 30 * 86400),
        "reset": -_RESET_SECONDS * random.random(),
    }
    return Clock(seconds[kind] + random.gauss(0, 0.4), kind, way)
