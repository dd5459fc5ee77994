"""Reads the services' own counters, every ten seconds and before somebody looks, and feeds CloudWatch's metrics.

What a counter gained belongs to the time of the look before: one look is at each beginning of a minute, so that nothing
is counted in another minute than it happened in. A gauge that stays 0 is not reported.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from localaws.cloudwatch.series import RETENTION, Metric, Series
from localaws.cloudwatch.statistics import Point
from localaws.metrics.definitions import BY_NAME, Feed, Kind
from localaws.metrics.registry import Reading, Registry

_log = logging.getLogger("localaws.metrics")

Source = Callable[[], Iterable[Reading]]

_SECONDS = 10.0
_FLUSH_SECONDS = 60.0
_FORGET_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class _Read:
    readings: list[Reading]
    complete: bool


class Sampling:
    def __init__(self, registry: Registry, series: Series, clock: Callable[[], float]) -> None:
        self._registry = registry
        self._series = series
        self._here: Sequence[Source] = ()
        self._away: Sequence[Source] = ()
        self._clock = clock
        self._last = clock()
        self._before: dict[tuple[str, tuple[str, ...]], float] = {}
        self._looking = asyncio.Lock()
        self._begun = 0
        self._seen: list[Reading] = []
        self._task: asyncio.Task[None] | None = None

    def watch(self, here: Sequence[Source], away: Sequence[Source]) -> None:
        """`here` are asked on the event loop, `away` on a thread, for they may wait for a disk or a lock."""
        self._here, self._away = here, away

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """The last minute's numbers are in the Store on return."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.look()
        await asyncio.to_thread(self._series.flush)

    async def look(self) -> list[Reading]:
        """Every reading now; CloudWatch's metrics are up to date with them on return."""
        wanted = self._begun + 1  # a look that begins from now on
        async with self._looking:
            if self._begun >= wanted:  # it has, for somebody else who waited
                return self._seen
            self._begun += 1
            here = _read([self._registry.readings, *self._here])
            self._seen = await asyncio.to_thread(self._finish, here)
            return self._seen

    def _finish(self, here: _Read) -> list[Reading]:
        """On a thread: the series may be on their way to the disk, and then who puts into them waits."""
        away = _read(self._away)
        readings = here.readings + away.readings
        now, then = self._clock(), self._last
        self._last = now
        self._feed(readings, now, then, complete=here.complete and away.complete)
        return readings

    async def _run(self) -> None:
        flushed = forgotten = time.monotonic()
        while True:
            await asyncio.sleep(_SECONDS - self._clock() % _SECONDS)
            try:
                await self.look()
                if time.monotonic() - flushed >= _FLUSH_SECONDS:
                    await asyncio.to_thread(self._series.flush)
                    flushed = time.monotonic()
                if time.monotonic() - forgotten >= _FORGET_SECONDS:
                    await asyncio.to_thread(self._series.forget, self._clock() - RETENTION)
                    forgotten = time.monotonic()
            except Exception as e:  # a full disk; what can't be written now is written later
                _log.warning("the metrics can't be kept: %r", e)

    def _feed(self, readings: Iterable[Reading], now: float, then: float, *, complete: bool) -> None:
        before = self._before
        gained, gauges = self._split(readings)
        if not complete:  # what is missing is not at 0
            self._before = before | self._before
        for (name, labels), gain in gained.items():
            for feed in BY_NAME[name].feeds:
                count = gained.get((feed.samples, labels), 0.0) if feed.samples else float(gain > 0)
                if count > 0:
                    self._put(feed, name, labels, then, _point(gain * feed.scale, count))
        for (name, labels), value in gauges.items():
            for feed in BY_NAME[name].feeds:
                self._put(feed, name, labels, now, Point.of(value * feed.scale))
        for histogram in self._registry.histograms():
            values = histogram.fresh()
            for feed in histogram.definition.feeds if values else ():
                scaled = Point.of_values(value * feed.scale for value in values)
                self._put(feed, histogram.definition.name, histogram.labels, then, scaled)

    def _split(
        self, readings: Iterable[Reading]
    ) -> tuple[dict[tuple[str, tuple[str, ...]], float], dict[tuple[str, tuple[str, ...]], float]]:
        """What counters gained since the last look, and gauges that are or were not 0."""
        gained, gauges = {}, {}
        before, self._before = self._before, {}
        for reading in readings:
            key = reading.name, reading.labels
            self._before[key] = reading.value
            last = before.get(key, 0.0)
            if BY_NAME[reading.name].kind is Kind.COUNTER:
                gained[key] = reading.value - (last if reading.value >= last else 0.0)  # it began anew: made again
            elif reading.value or last:
                gauges[key] = reading.value
        return gained, gauges

    def _put(self, feed: Feed, name: str, labels: tuple[str, ...], time: float, point: Point) -> None:
        named = dict(zip(BY_NAME[name].labels, labels, strict=True))
        if any(named[label] != value for label, value in feed.only.items()):
            return
        metric = feed.metric.format_map(named)
        for dimensions in feed.dimensions:
            pairs = tuple(sorted((dimension, named[label]) for dimension, label in dimensions))
            self._series.put(Metric(feed.namespace, metric, pairs), feed.unit, time, point)


def _read(sources: Sequence[Source]) -> _Read:
    """What can be had: a disk that can't be read must not hide everything else."""
    readings: list[Reading] = []
    complete = True
    for source in sources:
        try:
            readings += source()
        except Exception as e:
            _log.warning("some metrics can't be read: %r", e)
            complete = False
    return _Read(readings, complete)


def _point(gain: float, count: float) -> Point:
    """`count` samples that are `gain` together: each 0 or 1 where that can be, else all alike."""
    if gain <= count:
        return Point(count, gain, float(gain >= count), float(gain > 0), {0.0: count - gain, 1.0: gain})
    return Point(count, gain, gain / count, gain / count, {gain / count: count})
