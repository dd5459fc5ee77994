"""The numbers that are counted as things happen; the others are read from the services when somebody asks.

To observe a value is to append it to a list, and `drain` adds up later: that is all that a hot path pays. An append,
and cutting off what was there before, are each one step to other threads (docs.python.org/3/faq/library.html, "What
kinds of global value mutation are thread-safe?").
"""

import threading
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from localaws.metrics.definitions import BY_NAME, Definition

# What waits to be added up is bounded: who appends so many adds up.
_MOST_WAITING = 16_384
# So are the label values of a metric; the rest share one set of labels.
_MOST_CHILDREN = 2_000
_REST = "other"


@dataclass(frozen=True, slots=True)
class Reading:
    """A metric's value now. `labels` are in the definition's order."""

    name: str
    labels: tuple[str, ...]
    value: float


@dataclass(slots=True)
class Counter:
    """One with its labels."""

    value: int = 0


class Histogram:
    """A distribution with its labels. `buckets` are counts, not cumulative; the last one is +Inf's."""

    def __init__(self, definition: Definition, labels: tuple[str, ...]) -> None:
        self.definition = definition
        self.labels = labels
        self.buckets = [0] * (len(definition.buckets) + 1)
        self.sum = 0.0
        self._waiting: list[float] = []
        self._fresh: list[float] = []
        self._draining = threading.Lock()

    def observe(self, value: float) -> None:
        self._waiting.append(value)
        if len(self._waiting) >= _MOST_WAITING:
            self.drain()

    def drain(self) -> None:
        """Add up what was observed."""
        with self._draining:
            count = len(self._waiting)
            values = self._waiting[:count]
            del self._waiting[:count]
            for value in values:
                self.buckets[bisect_left(self.definition.buckets, value)] += 1
            self.sum += sum(values)
            if self.definition.feeds:
                self._fresh += values

    def fresh(self) -> list[float]:
        """What was observed since this was last asked."""
        self.drain()
        with self._draining:
            values, self._fresh = self._fresh, []
        return values


class Registry:
    def __init__(self) -> None:
        self._histograms: dict[tuple[str, tuple[str, ...]], Histogram] = {}
        self._counters: dict[tuple[str, tuple[str, ...]], Counter] = {}
        self._making = threading.Lock()

    def histogram(self, name: str, *labels: str) -> Histogram:
        found = self._histograms.get((name, labels))
        return found if found is not None else self._made(name, labels)

    def counter(self, name: str, *labels: str) -> Counter:
        """To be counted up by one thread at a time, the event loop's."""
        key = name, labels
        if key not in self._counters and len(self._counters) >= _MOST_CHILDREN:
            key = name, (_REST,) * len(labels)
        return self._counters.setdefault(key, Counter())

    def histograms(self) -> list[Histogram]:
        return list(self._histograms.values())

    def readings(self) -> Iterator[Reading]:
        for (name, labels), counter in list(self._counters.items()):
            yield Reading(name, labels, counter.value)

    def _made(self, name: str, labels: tuple[str, ...]) -> Histogram:
        with self._making:
            if len(self._histograms) >= _MOST_CHILDREN:
                labels = (_REST,) * len(labels)
            return self._histograms.setdefault((name, labels), Histogram(BY_NAME[name], labels))
