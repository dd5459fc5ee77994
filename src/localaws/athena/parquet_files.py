"""Parquet files as a table's columns: by column name, whatever their order; files of one schema are read together.

A column whose type in the file is not the table's is read if the one holds all values of the other, as Athena does
(docs.aws.amazon.com/athena/latest/ug/types-of-updates.html, "Changing a column's data type"); otherwise a query that
reads it fails.
"""

from collections.abc import Sequence

import duckdb

from localaws.athena.facts import Facts
from localaws.athena.lake import File
from localaws.athena.quoting import listed, literal, name
from localaws.athena.table import Column, Table, selected
from localaws.athena.types import Type, of_duckdb

# What a column of the file may be read as, besides its own type.
_INTEGERS = {"tinyint", "smallint", "integer", "bigint"}
_WIDER = {
    "tinyint": {"smallint", "integer", "bigint"},
    "smallint": {"integer", "bigint"},
    "integer": {"bigint"},
    "real": {"double"},
    "varbinary": {"varchar"},
    "char": {"varchar"},
    "varchar": {"char"},
    "json": {"varchar"},
    "timestamp with time zone": {"timestamp"},
    "unknown": {
        "boolean",
        "tinyint",
        "smallint",
        "integer",
        "bigint",
        "real",
        "double",
        "varchar",
        "date",
        "timestamp",
    },
}


def read(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    groups: dict[tuple[tuple[str, str], ...], list[File]] = {}
    for file, columns in zip(files, facts.columns(files), strict=True):
        groups.setdefault(columns, []).append(file)
    return [_branch(table, group, dict(columns), source) for columns, group in groups.items()]


def _branch(table: Table, files: Sequence[File], present: dict[str, str], source: str) -> str:
    found = {spelled.lower(): (spelled, kind) for spelled, kind in present.items()}
    columns = [_column(c, found.get(c.name)) for c in table.columns]
    return selected(table, columns, f"read_parquet({listed(f.path for f in files)}, {source})", source)


def _column(column: Column, found: tuple[str, str] | None) -> str:
    wanted = column.type.duckdb()
    if found is None:
        return f"CAST(NULL AS {wanted}) AS {name(column.name)}"
    spelled, kind = found
    if kind.upper() == wanted.upper():
        return f"{name(spelled)} AS {name(column.name)}"
    there = of_duckdb(duckdb.sqltype(kind))
    if _fits(there, column.type):
        return f"CAST({name(spelled)} AS {wanted}) AS {name(column.name)}"
    failure = f"CAST(t_fail({literal(_incompatible(column, kind))}) AS {wanted})"
    if {
        there.name,
        column.type.name,
    } <= _INTEGERS:  # into a smaller one where it fits, as awswrangler's tests do on AWS
        value = f"TRY_CAST({name(spelled)} AS {wanted})"
        unfit = f"{value} IS NULL AND {name(spelled)} IS NOT NULL"
        return f"CASE WHEN {unfit} THEN {failure} ELSE {value} END AS {name(column.name)}"
    return f"{failure} AS {name(column.name)}"


def _fits(there: Type, wanted: Type) -> bool:
    """A row's fields are found by name; one that is missing there is NULL."""
    if there.name == wanted.name == "row":
        fields = dict(zip((f.lower() for f in there.fields), there.children, strict=True))
        return all(_fits(fields.get(f, kind), kind) for f, kind in zip(wanted.fields, wanted.children, strict=True))
    if there.name == wanted.name:
        return all(_fits(a, b) for a, b in zip(there.children, wanted.children, strict=True))
    return wanted.name in _WIDER.get(there.name, ())


def _incompatible(column: Column, kind: str) -> str:
    """Athena's words name Parquet's physical type; here it is DuckDB's name for it."""
    return (
        f"HIVE_BAD_DATA: Field {column.name}'s type {kind} in parquet file is incompatible with type "
        f"{column.type.trino()} defined in table schema"
    )
