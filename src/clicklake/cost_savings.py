"""What each setting would save, one at a time and all together; and the day's files, once compacted. Pure.

Nothing here decides: a saving has its price elsewhere, and `but` says which.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from clicklake.cost import BILLED_QUERY, DAYS, GIB, MIB, PARQUET, TIB, Stored, Use, cost, packed
from clicklake.price_list import Prices

_FILE = 128 * MIB  # docs.aws.amazon.com/athena/latest/ug/performance-tuning-data-optimization-techniques.html
_LONGEST_SECONDS = 900  # docs.aws.amazon.com/firehose/latest/APIReference/API_BufferingHints.html
_LARGEST_MIB = 128
_SHORTER_RAW = 30
_WRITES_A_FILE = 2  # PUT, and a LIST or two for all of them


@dataclass(frozen=True, slots=True)
class Packing:
    """How clicklake.Producer would send: `linger` seconds, from so many `producers`."""

    linger: float = 1.0
    producers: float = 1


@dataclass(frozen=True, slots=True)
class Saving:
    """`usd` a month; below 0 it would cost more."""

    name: str
    change: str
    but: str
    usd: float


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    change: str
    but: str
    use: Use
    extra: float = 0  # USD a month that the change itself costs


def savings(use: Use, prices: Prices, packing: Packing, parquet: Stored = PARQUET) -> tuple[Saving, ...]:
    """The largest first, and `everything` last; `parquet` is what processed events would be in that format."""
    now = _total(use, prices)
    settings = [made for make in _SETTINGS if (made := make(_Settings(use, prices, packing, parquet)))]
    found = [Saving(s.name, s.change, s.but, now - _total(s.use, prices) - s.extra) for s in settings]
    found.sort(key=lambda saving: -saving.usd)
    together, left, changes = use, now, 0
    for make in _SETTINGS:  # each of what the others leave
        changed = make(_Settings(together, prices, packing, parquet))
        if changed and (total := _total(changed.use, prices) + changed.extra) < left:
            together, left, changes = changed.use, total, changes + 1
    if changes > 1:
        found.append(Saving("everything", "all that saves, together", "", now - left))
    return tuple(found)


def _total(use: Use, prices: Prices) -> float:
    return sum(cost(use, prices).values())


# --- the settings ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Settings:
    """Each method is a setting that could be another, or None if it is that already; `parquet` is what processed events
    would be in that format."""

    use: Use
    prices: Prices
    packing: Packing
    parquet: Stored

    def pack(self) -> _Setting | None:
        per_record = packed(self.use.events, self.use.event_bytes, self.packing.linger, self.packing.producers)
        if per_record <= self.use.events_per_record or self.use.requests:  # a browser can't be a Producer
            return None
        change = f"clicklake.Producer: {per_record:,.0f} events a record"
        return _Setting(
            "pack",
            change,
            f"an event waits up to {self.packing.linger:g} s",
            replace(self.use, events_per_record=per_record),
        )

    def interval(self) -> _Setting | None:
        if self.use.buffer_seconds >= _LONGEST_SECONDS:
            return None
        return _Setting(
            "interval",
            f"buffer for {_LONGEST_SECONDS} s instead of {self.use.buffer_seconds:g}",
            f"rows come {(_LONGEST_SECONDS - self.use.buffer_seconds) / 60:.0f} minutes later",
            replace(self.use, buffer_seconds=_LONGEST_SECONDS),
        )

    def buffer(self) -> _Setting | None:
        if self.use.buffer_mib >= _LARGEST_MIB:
            return None
        change = f"buffer {_LARGEST_MIB} MiB instead of {self.use.buffer_mib:g}"
        return _Setting("buffer", change, "", replace(self.use, buffer_mib=_LARGEST_MIB))

    def format(self) -> _Setting | None:
        if self.use.processed == self.parquet:
            return None
        return _Setting(
            "parquet", "Parquet instead of JSON", "clicklake rebuild, once", replace(self.use, processed=self.parquet)
        )

    def retention(self) -> _Setting | None:
        if self.use.raw_days is not None and self.use.raw_days <= _SHORTER_RAW:
            return None
        kept = "for ever" if self.use.raw_days is None else f"{self.use.raw_days:g}"
        change = f"keep raw/ for {_SHORTER_RAW} days instead of {kept}"
        return _Setting(
            "retention", change, "replay and rebuild reach no further", replace(self.use, raw_days=_SHORTER_RAW)
        )

    def architecture(self) -> _Setting | None:
        if self.use.function.architecture == "arm64":
            return None
        function = replace(self.use.function, architecture="arm64")
        return _Setting("arm64", "the function on arm64", "its zip is built anew", replace(self.use, function=function))

    def tracing(self) -> _Setting | None:
        if not self.use.traced:
            return None
        return _Setting("tracing", "no X-Ray traces", "slow invocations explain less", replace(self.use, traced=False))

    def compaction(self) -> _Setting | None:
        compacted = compact(self.use)
        if compacted is None:
            return None
        change = f"compact a day's {self.use.files / DAYS:,.0f} files to {compacted.files / DAYS:,.0f}"
        return _Setting(
            "compaction",
            change,
            "a job of your own, once a day",
            compacted,
            _compacting(self.use, compacted, self.prices),
        )


# In the order in which they are put together.
_SETTINGS: tuple[Callable[[_Settings], _Setting | None], ...] = (
    _Settings.pack,
    _Settings.format,
    _Settings.interval,
    _Settings.buffer,
    _Settings.retention,
    _Settings.architecture,
    _Settings.tracing,
    _Settings.compaction,
)

# --- compaction -------------------------------------------------------------------------------------------------------


def compact(use: Use) -> Use | None:
    """A day's files as few as hold 128 MiB each; None if they are no more already."""
    if not use.files:
        return None
    one = replace(use, files_per_day=1)
    wanted = max(1, math.ceil(one.processed_bytes / DAYS / _FILE))
    if wanted >= use.files / DAYS:
        return None
    return replace(use, files_per_day=wanted)


def _compacting(use: Use, compacted: Use, prices: Prices) -> float:
    """USD a month of the job: each day is read once as a whole and written, and what was there before is kept as old
    versions for a while."""
    read = DAYS * max(use.processed_bytes / DAYS, BILLED_QUERY) / TIB * prices["athena_tib"]
    requests = use.files * use.processed.gets * prices["s3_get"] + compacted.files * _WRITES_A_FILE * prices["s3_put"]
    return read + requests + use.processed_bytes * use.noncurrent_days / DAYS / GIB * prices["s3_gib_month"]
