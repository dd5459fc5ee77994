"""Rows that are really in the tables: counted by Athena, by the object that they lie in and the raw key they name."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from clicklake import query
from clicklake.errors import RefusedError
from clicklake.lake import ALL, Days, Lake
from clicklake.pipeline import Pipeline
from clicklake.verify.findings import Finding, Partition
from clicklake.verify.judging import Counted


@dataclass(frozen=True, slots=True)
class Counting:
    """One table's. `unreadable`: partitions that Athena failed at, with its words."""

    counted: Counted
    unreadable: dict[Partition, str]

    def rows_in(self, keys: AbstractSet[str]) -> int:
        return sum(counter.total() for key, counter in self.counted.items() if key in keys)


def count(lake: Lake, table: str, days: Days, partitions: Iterable[tuple[str, ...]]) -> Counting:
    """All days in one query; if it fails, each of the `partitions` in one of its own, so that one file that can't be
    read hides no other day."""
    try:
        return Counting(_ask(lake, table, "" if days == ALL else f"WHERE {_between(lake, days)}"), {})
    except RefusedError as whole:
        if whole.code:  # of the API: the query was not even begun
            raise
    found: dict[str, Counter[str]] = {}
    unreadable: dict[Partition, str] = {}
    for values in sorted(set(partitions)):
        keys = zip(lake.pipeline.partition_keys, values, strict=True)
        try:
            found |= _ask(lake, table, "WHERE " + " AND ".join(f"\"{key}\" = '{value}'" for key, value in keys))
        except RefusedError as e:
            if e.code:
                raise
            unreadable[Partition(table, values)] = e.problem
    return Counting(found, unreadable)


def findings(counted: Iterable[Counting], others: Iterable[Finding], pipeline: Pipeline) -> Iterator[Finding]:
    """The days that can't be read, but for those where `others` name an object that explains it. An orphan explains
    nothing: it may be a sound copy, and whoever looks for its cause has to know that no query of the day works."""
    keys = [finding.key for finding in others if finding.kind not in ("orphan", "orphan_ledger")]
    prefixes = {table.name: pipeline.prefix(table) for table in pipeline.tables}
    for where, problem in ((where, problem) for each in counted for where, problem in each.unreadable.items()):
        day = "/".join(f"{key}={value}" for key, value in zip(pipeline.partition_keys, where.values, strict=True))
        if not any(key.startswith(f"{prefixes[where.table]}{day}/") for key in keys):
            yield Finding("unreadable", f"{where.table} {day}", "rows", problem)


def _between(lake: Lake, days: Days) -> str:
    """Of partition keys alone, so that Athena lists the partitions of these days only."""
    day = " || ".join(f'"{key}"' for key in lake.pipeline.partition_keys)
    bounds = [(">=", days.first), ("<=", days.last)]
    return " AND ".join(f"{day} {sign} '{bound:%Y%m%d}'" for sign, bound in bounds if bound)


def _ask(lake: Lake, table: str, where: str) -> dict[str, Counter[str]]:
    sql = f'SELECT "$path", raw_key, count(*) FROM {table} {where} GROUP BY 1, 2'
    found: dict[str, Counter[str]] = defaultdict(Counter)
    root = f"s3://{lake.bucket}/"
    for path, raw_key, rows in query.run(lake.target, sql, lake.names.workgroup, lake.names.database).rows:
        found[str(path).removeprefix(root)][str(raw_key)] += int(rows or 0)
    return dict(found)
