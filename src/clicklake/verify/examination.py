"""One verification, step by step: each step is read once, when the first that needs it asks."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from clicklake.catalog import Document
from clicklake.glue_tables import partitions, table
from clicklake.lake import Days, Lake
from clicklake.reprocess import Processor
from clicklake.terminal import Progress, Terminal
from clicklake.verify import counting, judging, reading
from clicklake.verify import partitions as days_in_glue
from clicklake.verify.account import Output
from clicklake.verify.entries import Entry, Listing, Matched, match, pending
from clicklake.verify.findings import Finding, Partition
from clicklake.verify.report import Recomputed, Report

Recompute = Callable[[Lake, Sequence[Entry], reading.Count], Recomputed]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Options:
    """`grace`: how long a run may take; None: what the function's timeout and retries allow. `quick` reads the bytes of
    those files only that were written after their ledger row, or that Athena can't read."""

    days: Days
    grace: timedelta | None = None
    quick: bool = False
    recompute: Recompute | None = None


@dataclass(frozen=True)
class Examination:
    lake: Lake
    processor: Processor
    options: Options
    screen: Terminal
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def report(self) -> Report:
        judged, recomputed = self.judged, self._recomputed()
        letters = reading.dead_letters(self.lake)
        sources: tuple[Iterable[Finding], ...] = (
            judged,
            self._strays(),
            self._of_partitions,
            counting.findings(self._counted.values(), [*judged, *self._strays()], self.lake.pipeline),
            recomputed.findings if recomputed else (),
            self._delivery_errors(),
            self._dead_letters(letters),
        )
        unknown = recomputed.unknown.items() if recomputed else ()
        no_queue = [f"there is no queue {self.lake.names.failure_queue}"] if letters is None else []
        return Report(
            days=self.options.days,
            objects=self._objects(),
            records=self._records(),
            rows=self._rows(),
            findings=tuple(finding for source in sources for finding in source),
            pending=tuple(sorted(self._busy)),
            expired=len(self._expired_raw) + len(self._expired_outputs),
            unchecked=(*(f"{why}: {number:,} of the raw objects" for why, number in unknown), *no_queue),
            recomputed=recomputed.same if recomputed else None,
        )

    # --- what is there ---

    @cached_property
    def _listed(self) -> Listing:
        return self._showing("reading     ", None, lambda on: reading.listing(self.lake, self.options.days, on))

    @cached_property
    def _matched(self) -> Matched:
        return match(self._listed, self.lake.pipeline)

    @cached_property
    def _busy(self) -> set[str]:
        grace = self.options.grace
        if grace is None:
            grace = self.processor.processing_time
        return pending(self._matched.entries, self._listed.outputs, self.now(), grace)

    @cached_property
    def _settled(self) -> list[Entry]:
        return [entry for entry in self._matched.entries if entry.place.raw_key not in self._busy]

    @cached_property
    def _expired_raw(self) -> frozenset[str]:
        gone = [entry for entry in self._settled if entry.raw is None]
        return reading.expired_raw(self.lake, gone, reading.lifecycle(self.lake), self.now())

    @cached_property
    def _expired_outputs(self) -> frozenset[str]:
        due = reading.expired_outputs(self._settled, reading.lifecycle(self.lake), self.now())
        return due - self._listed.outputs.keys()

    @cached_property
    def _tables(self) -> dict[str, Document]:
        glue, database = self.lake.target.client("glue"), self.lake.names.database
        return {described.name: table(glue, database, described.name) for described in self.lake.pipeline.tables}

    @cached_property
    def _counted(self) -> dict[str, counting.Counting]:
        days = {entry.place.partition for entry in self._matched.entries}
        return {name: counting.count(self.lake, name, self.options.days, days) for name in self._tables}

    # --- what is wrong ---

    @cached_property
    def judged(self) -> list[Finding]:
        unreadable = frozenset(where for found in self._counted.values() for where in found.unreadable)
        broken = frozenset(finding.partition for finding in self._of_partitions if finding.partition)
        seen = judging.Seen(
            self.lake.pipeline,
            self._listed.outputs,
            self._contents(unreadable),
            {key: rows for found in self._counted.values() for key, rows in found.counted.items()},
            broken | unreadable,
            self._expired_raw,
            self._expired_outputs,
        )
        return [finding for entry in self._settled for finding in judging.judge(entry, seen)]

    @cached_property
    def _of_partitions(self) -> list[Finding]:
        glue, database = self.lake.target.client("glue"), self.lake.names.database
        tables = self.lake.pipeline.tables
        needed = {
            tables.events.name: self._days_with(lambda entry: entry.account and entry.account.processed),
            tables.failed.name: self._days_with(lambda entry: entry.account and entry.account.rejected),
            tables.ledger.name: self._days_with(lambda entry: entry.ledger),
        }
        return [
            finding
            for name, described in self._tables.items()
            for finding in days_in_glue.judge(
                described, partitions(glue, database, name), needed[name], self.options.days
            )
        ]

    def _days_with(self, what: Callable[[Entry], object]) -> set[tuple[str, ...]]:
        return {entry.place.partition for entry in self._settled if what(entry)}

    def _contents(self, unreadable: frozenset[Partition]) -> dict[str, str | int | None]:
        wanted = [
            output
            for entry in self._settled
            for output in (entry.account.outputs if entry.account else ())
            if self._is_to_be_read(entry, output, {where.values for where in unreadable})
        ]
        return self._showing("files       ", len(wanted), lambda on: reading.contents(self.lake, wanted, on))

    def _is_to_be_read(self, entry: Entry, output: Output, unreadable: set[tuple[str, ...]]) -> bool:
        stored = self._listed.outputs.get(output.key)
        if stored is None or stored.size != output.size or entry.ledger is None:
            return False
        later = stored.modified > entry.ledger.modified
        return not self.options.quick or later or entry.place.partition in unreadable

    def _recomputed(self) -> Recomputed | None:
        if self.options.recompute is None:
            return None
        wrong = {finding.raw_key for finding in self.judged}
        sound = [entry for entry in self._settled if entry.raw and entry.place.raw_key not in wrong]
        recompute = self.options.recompute
        return self._showing("recomputing ", len(sound), lambda on: recompute(self.lake, sound, on))

    def _strays(self) -> Iterator[Finding]:
        outputs = self._listed.outputs
        for key in self._matched.orphans:
            yield Finding("orphan", key, "a ledger row or a raw object", f"neither, but {outputs[key].size:,} bytes")
        for key in self._matched.strays:
            yield Finding("orphan_ledger", key, "the row of a raw object", "a row that is none's, or can't be read")

    def _delivery_errors(self) -> Iterator[Finding]:
        for stored in self.lake.delivery_errors(self.options.days):
            yield Finding("delivery_error", stored.key, "no object", f"{stored.size:,} bytes")

    def _dead_letters(self, messages: int | None) -> Iterator[Finding]:
        if messages:
            yield Finding("dead_letters", self.lake.names.failure_queue, "no message", f"{messages:,}")

    # --- how much there is ---

    def _objects(self) -> dict[str, int]:
        zones, outputs = self.lake.pipeline.zones, self._listed.outputs
        of_zone = {
            zone: sum(key.startswith(getattr(zones, zone)) for key in outputs) for zone in ("processed", "failed")
        }
        return {"raw": len(self._listed.raw), "ledger": len(self._listed.ledger), **of_zone}

    def _rows(self) -> dict[str, int]:
        """In the objects that were listed: others came since."""
        listed = self._listed.outputs.keys() | {stored.key for stored, _ in self._listed.ledger}
        return {name: found.rows_in(listed) for name, found in self._counted.items()}

    def _records(self) -> dict[str, int]:
        accounts = [entry.account for entry in self._matched.entries if entry.account]
        names = {"in": "records_in", "good": "good", "duplicate": "duplicate", "failed": "failed"}
        return {word: sum(getattr(account, name) for account in accounts) for word, name in names.items()}

    def _showing(self, label: str, total: int | None, do: Callable[[reading.Count], T]) -> T:
        progress = Progress(self.screen, label, total)
        try:
            return do(progress)
        finally:
            progress.close()
