"""Which blow falls when: a function of the seed alone."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Blow(StrEnum):
    """What is killed, and in which state."""

    ENDPOINT = "the endpoint"
    ALL = "the endpoint and its workers"
    STARTING = "the endpoint, and again while it starts"
    FULL = "the endpoint, its disk being full"
    FUNCTION = "the function's workers"
    ATHENA = "Athena's workers"


class Damage(StrEnum):
    """What the open end of the Firehose log suffers while the endpoint is dead."""

    NONE = "none"
    CUT = "cut off"
    FLIPPED = "a bit flipped"
    GARBAGE = "garbage behind it"
    ZEROS = "zeros behind it"
    ACKNOWLEDGED = "acknowledged bytes flipped"  # what a good disk never does: it must be told, and kept


@dataclass(frozen=True, slots=True)
class Strike:
    """`blow` falls after `quiet` seconds of work; `seed` is for whatever else has to be drawn while it does."""

    blow: Blow
    quiet: float
    damage: Damage
    seed: int

    @property
    def kills(self) -> int:
        return 2 if self.blow is Blow.STARTING else 1


# How often, among each other; each comes once before any comes again.
_BLOWS = {Blow.ENDPOINT: 7, Blow.ALL: 3, Blow.STARTING: 2, Blow.FULL: 2, Blow.FUNCTION: 3, Blow.ATHENA: 1}
_DAMAGES = {
    Damage.NONE: 6,
    Damage.CUT: 3,
    Damage.FLIPPED: 3,
    Damage.GARBAGE: 3,
    Damage.ZEROS: 2,
    Damage.ACKNOWLEDGED: 1,
}
_SPARES_THE_ENDPOINT = {Blow.FUNCTION, Blow.ATHENA}
_LONGEST_QUIET = 2.0


def strikes(seed: int, kills: int) -> list[Strike]:
    """So many that there are at least `kills` kills."""
    chance = random.Random(seed)
    blows, damages = _dealt(_BLOWS, chance), _dealt(_DAMAGES, chance)
    found: list[Strike] = []
    while sum(strike.kills for strike in found) < kills:
        blow = next(blows)
        damage = Damage.NONE if blow in _SPARES_THE_ENDPOINT else next(damages)
        # Short waits more often than long ones: much of what can be interrupted lies at the beginning.
        found.append(Strike(blow, chance.random() ** 2 * _LONGEST_QUIET, damage, chance.randrange(2**32)))
    return found


def _dealt(weights: dict[Any, int], chance: random.Random) -> Iterator[Any]:
    """Each once, in some order; then without end by their weights."""
    first = list(weights)
    chance.shuffle(first)
    yield from first
    while True:
        yield from chance.choices(list(weights), list(weights.values()), k=64)


def faults(seed: int) -> dict[str, float]:
    """CLICKLAKE_FAULTS of one start of the endpoint."""
    shares = {"duplicate": 0.2, "delay": 0.2, "reorder": 0.3, "s3_write_errors": 0.05}
    return {"seed": seed, "delay_seconds": 1.0, **shares}
