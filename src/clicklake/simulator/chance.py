"""Drawing lots for the imaginary traffic: things with weights, and sentences with words to be drawn.

All chance is the `Random` that is handed in, so the same seed draws the same.
"""

from bisect import bisect
from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from math import log
from random import Random
from typing import Generic, TypeVar

T = TypeVar("T")


class Weighted(Generic[T]):
    """Things to pick from, each as often as its weight says."""

    def __init__(self, weighted: Iterable[tuple[float, T]]) -> None:
        pairs = list(weighted)
        self._things = [thing for _, thing in pairs]
        self._sums = list(accumulate(weight for weight, _ in pairs))

    def pick(self, random: Random) -> T:
        return self._things[bisect(self._sums, random.random() * self._sums[-1])]


Rule = Callable[[Random], str]


class Words(dict[str, str]):
    """The words of one sentence: `sentence.format_map(Words(rules, random))` fills `{slot}` by the rule of that name.

    A word may have slots of its own. Within one sentence a slot always has the same word.
    """

    def __init__(self, rules: Mapping[str, Rule], random: Random) -> None:
        self._rules, self._random = rules, random

    def __missing__(self, slot: str) -> str:
        word = self[slot] = self._rules[slot](self._random).format_map(self)
        return word


def words(*options: str) -> Rule:
    """Each as likely as any other."""
    return lambda random: options[int(random.random() * len(options))]


def falling(options: Iterable[str], ratio: float) -> Rule:
    """Each less likely than the one before, by `ratio`: releases from the newest to the oldest."""
    return Weighted((ratio**rank, option) for rank, option in enumerate(options)).pick


def number(low: int, high: int) -> Rule:
    """From `low` up to, but not including, `high`."""
    return lambda random: str(low + int(random.random() * (high - low)))


def digits(length: int) -> Rule:
    return lambda random: f"{int(random.random() * 10**length):0{length}}"


def hexadecimal(length: int) -> Rule:
    return lambda random: f"{random.getrandbits(4 * length):0{length}x}"


_BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def base64url(length: int) -> Rule:
    return lambda random: "".join(random.choices(_BASE64URL, k=length))


def exponential(random: Random, mean: float) -> float:
    """A waiting time of something that happens at random, `mean` on average."""
    return -log(1 - random.random()) * mean


def uuid(random: Random) -> str:
    """Version 4 (RFC 9562, 5.4); uuid.UUID takes five times as long."""
    bits = f"{random.getrandbits(128):032x}"
    return f"{bits[:8]}-{bits[8:12]}-4{bits[13:16]}-{'89ab'[int(bits[16], 16) & 3]}{bits[17:20]}-{bits[20:]}"
