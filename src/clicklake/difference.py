"""Two processors' rows of the same raw objects, held against each other: record by record. Pure.

    difference = Difference(before_columns, after_columns)
    difference.meet(raw_key, before_rows, after_rows)       once for each object, rows in the order of their records
    difference.document()

A row is of the record that its `record_index` names, so nothing needs an id. What the processor says of itself
(processor_version) is not compared.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from clicklake.pipeline import Column
from clicklake.processed_rows import Row, normal

_NOT_COMPARED = frozenset({"processor_version"})
_EXAMPLES = 3  # of a column
ROWS = ("same", "changed", "added", "removed")
SUMS = ("records_in", "good", "duplicate", "failed", "rederived_ids", "dropped_values", "misplaced_values")
_NO_TYPE = "(none)"


class Difference:
    def __init__(self, before: Iterable[Column], after: Iterable[Column]) -> None:
        self._before = {column.name: column for column in before if column.name not in _NOT_COMPARED}
        self._after = {column.name: column for column in after if column.name not in _NOT_COMPARED}
        self._names = tuple(dict.fromkeys((*self._after, *self._before)))
        self._rows = Counter[str]()
        self._by_type: dict[str, Counter[str]] = defaultdict(Counter)
        self._columns = Counter[str]()
        self._examples: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self._sums = {"before": Counter[str](), "after": Counter[str]()}
        self._failures: dict[str, Counter[str]] = defaultdict(Counter)

    def account(self, before: Row, after: Row) -> None:
        """The ledger's rows of one raw object."""
        for side, row in (("before", before), ("after", after)):
            for name in SUMS:
                self._sums[side][name] += row.get(name) or 0
            for name, count in row.items():
                kind = name.removeprefix("failed_")
                if kind != name and isinstance(count, int) and kind not in {"rows", "bytes"} and count:
                    self._failures[kind][side] += count

    def same(self, rows: int) -> None:
        """An object of so many good rows that are known to be equal."""
        self._rows["same"] += rows

    def meet(self, raw_key: str, before: Iterable[Row], after: Iterable[Row]) -> None:
        for one, other in _pairs(iter(before), iter(after)):
            if one and other:
                self._changed(raw_key, one, other)
            else:
                row, kind = (other, "added") if other else (one, "removed")
                assert row
                self._count(kind, row)

    def _changed(self, raw_key: str, before: Row, after: Row) -> None:
        values = {name: (_value(self._before, name, before), _value(self._after, name, after)) for name in self._names}
        differ = {name: pair for name, pair in values.items() if pair[0] != pair[1]}
        if not differ:
            self._rows["same"] += 1
            return
        self._count("changed", after)
        self._columns.update(differ.keys())
        for name, (one, other) in differ.items():
            if len(self._examples[name]) < _EXAMPLES:
                record = {"raw_key": raw_key, "record_index": after["record_index"], "event_id": after.get("event_id")}
                self._examples[name].append({**record, "before": one, "after": other})

    def _count(self, kind: str, row: Row) -> None:
        self._rows[kind] += 1
        self._by_type[row.get("event_type") or _NO_TYPE][kind] += 1

    def document(self) -> dict[str, Any]:
        """A part of the whole: docs/diff.md describes it."""
        failures = {kind: {side: self._failures[kind][side] for side in self._sums} for kind in sorted(self._failures)}
        columns = {
            name: {"changed": count, "examples": self._examples[name]} for name, count in self._columns.most_common()
        }
        return {
            "records": {side: {name: sums[name] for name in SUMS} for side, sums in self._sums.items()},
            "failures": failures,
            "rows": {kind: self._rows[kind] for kind in ROWS},
            "by_event_type": {
                kind: {what: counts[what] for what in ROWS[1:]} for kind, counts in sorted(self._by_type.items())
            },
            "columns": columns,
            "columns_added": [name for name in self._after if name not in self._before],
            "columns_removed": [name for name in self._before if name not in self._after],
        }


def _value(columns: dict[str, Column], name: str, row: Row) -> Any:
    column = columns.get(name)
    return normal(column, row.get(name)) if column else None


def _pairs(before: Iterator[Row], after: Iterator[Row]) -> Iterator[tuple[Row | None, Row | None]]:
    """Rows of the same record; None where one side has no row of it."""
    one, other = next(before, None), next(after, None)
    while one or other:
        first = one["record_index"] if one else None
        second = other["record_index"] if other else None
        takes_one = one if second is None or (first is not None and first <= second) else None
        takes_other = other if first is None or (second is not None and second <= first) else None
        yield takes_one, takes_other
        one = next(before, None) if takes_one else one
        other = next(after, None) if takes_other else other


def differs(document: dict[str, Any]) -> bool:
    """True if any row, sum or reason to fail is another. A new column that is NULL everywhere is no difference."""
    rows, records = document["rows"], document["records"]
    return bool(
        rows["changed"]
        or rows["added"]
        or rows["removed"]
        or records["before"] != records["after"]
        or any(each["before"] != each["after"] for each in document["failures"].values())
    )


# --- for people -------------------------------------------------------------------------------------------------------


def lines(document: dict[str, Any]) -> Iterator[str]:
    yield from _records(document)
    rows = document["rows"]
    yield f"rows       {', '.join(f'{rows[kind]:,} {kind}' for kind in ROWS)}"
    width = max((len(kind) for kind in document["by_event_type"]), default=0)
    for kind, counts in document["by_event_type"].items():
        yield f"  {kind:<{width}}  {', '.join(f'{count:,} {what}' for what, count in counts.items() if count)}"
    for what in ("added", "removed"):
        if document[f"columns_{what}"]:
            yield f"columns    {', '.join(document[f'columns_{what}'])} {what}"
    if document["columns"]:
        yield "values"
    for name, column in document["columns"].items():
        yield f"  {name}: {column['changed']:,} changed"
        for each in column["examples"]:
            yield f"    {_shown(each['before'])} -> {_shown(each['after'])}  ({each['event_id']})"


def _records(document: dict[str, Any]) -> Iterator[str]:
    text = "in {records_in:,} = good {good:,} + duplicate {duplicate:,} + failed {failed:,}"
    yield f"before     {text.format(**document['records']['before'])}"
    yield f"after      {text.format(**document['records']['after'])}"
    for kind, counts in document["failures"].items():
        if counts["before"] != counts["after"]:
            yield f"  {kind}: {counts['before']:,} -> {counts['after']:,}"


def _shown(value: Any) -> str:
    return "NULL" if value is None else json.dumps(value, ensure_ascii=False)
