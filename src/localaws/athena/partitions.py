"""The partitions of a table that a query can want: Glue's, or those that its properties project, by its conditions."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import product
from math import prod
from typing import Any

import duckdb
from sqlglot import exp

from localaws.athena import dialect, projection, pruning
from localaws.athena.failures import not_supported
from localaws.athena.lake import Lake, Partition
from localaws.athena.table import Column, Table

Rows = Callable[..., list[tuple[Any, ...]]]
Values = Sequence[tuple[str | None, ...]]


class Partitions:
    """`rows` runs DuckDB's SQL; `clock` gives epoch seconds (NOW of a projected range)."""

    def __init__(self, lake: Lake, rows: Rows, clock: Callable[[], float]) -> None:
        self._lake = lake
        self._rows = rows
        self._clock = clock

    def chosen(self, table: Table, conditions: Sequence[exp.Expr]) -> list[Partition]:
        """`conditions` look at nothing but the table's keys, in DuckDB's words."""
        if not table.keys:
            return [Partition((), table.location)]
        if projection.is_projected(table):
            return self._projected(table, conditions)
        partitions = self._lake.partitions(table.database, table.name)
        return [partitions[i] for i in self._kept(table.keys, [p.keys() for p in partitions], conditions)]

    def _projected(self, table: Table, conditions: Sequence[exp.Expr]) -> list[Partition]:
        """Key by key first, because a year of hours times a thousand customers is many."""
        now = datetime.fromtimestamp(self._clock(), UTC).replace(tzinfo=None)
        each = []
        for key in table.keys:
            values = [(v,) for v in projection.values(table, key, conditions, now)]
            own = [c for c in conditions if {x.name.lower() for x in c.find_all(exp.Column)} == {key.name}]
            each.append([values[i][0] for i in self._kept([key], values, own)])
        if prod(len(values) for values in each) > projection.MOST:
            raise not_supported(f"a query that projects more than {projection.MOST:,} partitions")
        every = list(product(*each))
        kept = (every[i] for i in self._kept(table.keys, every, conditions))
        return [Partition(values, projection.location(table, values)) for values in kept]

    def _kept(self, keys: Sequence[Column], every: Values, conditions: Sequence[exp.Expr]) -> Sequence[int]:
        """The places in `every` of those that the conditions let stand."""
        if not conditions or not every:
            return range(len(every))
        known = [tuple(v for v in values if v is not None) for values in every]
        if all(k.type.name == "varchar" for k in keys) and all(len(values) == len(keys) for values in known):
            test = pruning.plain(list(conditions), [k.name for k in keys])
            if test is not None:
                return [i for i, values in enumerate(known) if test(values)]
        lists = {f"k{i}": [values[i] for values in every] for i in range(len(keys))}
        columns = ", ".join(
            f"TRY_CAST(unnest($k{i}) AS {k.type.duckdb()}) AS {dialect.generate(exp.to_identifier(k.name))}"
            for i, k in enumerate(keys)
        )
        where = " AND ".join(f"({dialect.generate(c)})" for c in conditions)
        number = "unnest(range(len($k0))) AS t_number"
        try:
            kept = self._rows(f"SELECT t_number FROM (SELECT {number}, {columns}) WHERE {where}", lists)
        except duckdb.Error:
            return range(len(every))  # the query itself will say what is wrong with the condition
        return sorted(i for (i,) in kept)
