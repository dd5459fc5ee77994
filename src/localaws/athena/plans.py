"""A query's plan as text: its columns, what it reads of which tables, and the steps of this engine.

Athena's plan is another engine's; its first lines (Query Plan, Output, TableScan) are imitated, so that a reader finds
the tables, and the partitions chosen of each.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from localaws.athena.layouts import partition_spec
from localaws.athena.query import Plan
from localaws.athena.table import Scan

_SHOWN = 10  # partitions by name
# Of DuckDB's notes at a step those that say nothing of this machine's files.
_NOTES = ("Join Type", "Conditions", "Groups", "Aggregates", "Expression", "Filters", "Order By", "Top")
Rows = Callable[[str], list[tuple[Any, ...]]]


def lines(plan: Plan, rows: Rows) -> list[str]:
    """`rows` runs DuckDB's SQL."""
    columns = ", ".join(f"{n}:{t.trino()}" for n, t in zip(plan.names, plan.types, strict=True))
    read = [line for scan in plan.scans for line in _scan(scan)]
    steps = json.loads(rows(f"EXPLAIN (FORMAT json) {plan.sql}")[0][1])
    return ["Query Plan", f"Output[{columns}]", *read, "Steps of the local engine:", *_steps(steps, 1)]


def _scan(scan: Scan) -> Iterator[str]:
    table = scan.table
    yield f"TableScan[table = awsdatacatalog:{table.database}:{table.name}]"
    yield f"    Files: {len(scan.files())}, {sum(f.size for f in scan.files())} bytes"
    if table.keys:
        names = [k.name for k in table.keys]
        yield f"    Partitions: {len(scan.partitions)}" + (f", where {scan.where}" if scan.where else "")
        for partition, _ in scan.partitions[:_SHOWN]:
            yield f"        {partition_spec(names, partition.values)}"
        if len(scan.partitions) > _SHOWN:
            yield f"        and {len(scan.partitions) - _SHOWN} more"


def _steps(steps: list[dict[str, Any]], depth: int) -> Iterator[str]:
    for step in steps:
        notes = step.get("extra_info", {})
        told = ", ".join(f"{n} = {_note(notes[n])}" for n in _NOTES if notes.get(n))
        yield "    " * depth + f"- {step['name'].strip()}" + (f"[{told}]" if told else "")
        yield from _steps(step.get("children", []), depth + 1)


def _note(value: Any) -> str:
    return " ".join(value if isinstance(value, list) else [str(value)]).replace("\n", " ")
