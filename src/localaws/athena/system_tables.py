"""Tables that no file holds: information_schema, and "table$partitions".

    columns(name)                    the columns of information_schema.<name>, None if there is no such table
    rows(name, lake)                 its rows
    partition_rows(table, lake)      those of "table$partitions": a row for each partition that Glue has registered
    relation(columns, rows)          the rows as the text of a SELECT in DuckDB's SQL

docs.aws.amazon.com/athena/latest/ug/querying-glue-catalog.html, and trino.io/docs/current/connector/hive.html
for $partitions.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from localaws.athena.lake import Lake
from localaws.athena.table import Column, Table
from localaws.athena.types import VARCHAR, Type, parse_hive
from localaws.athena.views import is_view, view_sql

SCHEMA = "information_schema"
PARTITIONS = "$partitions"
_CATALOG = "awsdatacatalog"
Row = tuple[Any, ...]


def _texts(*names: str) -> tuple[Column, ...]:
    return tuple(Column(n, VARCHAR) for n in names)


_TABLE = ("table_catalog", "table_schema", "table_name")


def columns(name: str) -> tuple[Column, ...] | None:
    return _TABLES[name][0] if name in _TABLES else None


def rows(name: str, lake: Lake) -> list[Row]:
    return list(_TABLES[name][1](lake))


def partition_rows(table: Table, lake: Lake) -> list[Row]:
    return [p.keys() for p in lake.partitions(table.database, table.name)]


def relation(described: Sequence[Column], found: Sequence[Row]) -> str:
    lists = [
        f"CAST(unnest({_list(row[i] for row in found)}) AS {c.type.duckdb()}) AS {_name(c.name)}"
        for i, c in enumerate(described)
    ]
    return f"SELECT {', '.join(lists)}"


def _list(values: Iterable[Any]) -> str:
    return f"[{', '.join(map(_value, values))}]::VARCHAR[]"


def _value(value: Any) -> str:
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _databases(lake: Lake) -> list[str]:
    return sorted({*lake.databases(), SCHEMA})


def _schemata(lake: Lake) -> Iterator[Row]:
    return ((_CATALOG, name) for name in _databases(lake))


def _every_table(lake: Lake) -> Iterator[tuple[str, dict[str, Any]]]:
    for database in lake.databases():
        for table in lake.tables(database):
            yield database, table


def _tables(lake: Lake) -> Iterator[Row]:
    for database, table in _every_table(lake):
        yield _CATALOG, database, table["Name"], "VIEW" if is_view(table) else "BASE TABLE"
    for name in sorted(_TABLES):
        yield _CATALOG, SCHEMA, name, "BASE TABLE"


def _columns(lake: Lake) -> Iterator[Row]:
    for database, table in _every_table(lake):
        storage = table.get("StorageDescriptor", {}).get("Columns", [])
        keys = table.get("PartitionKeys", [])
        for i, column in enumerate([*storage, *keys], 1):
            extra = "partition key" if i > len(storage) else None
            kind, comment = _trino(column.get("Type", "string")), column.get("Comment")
            yield _CATALOG, database, table["Name"], column["Name"], i, None, "YES", kind, comment, extra
    for name, (described, _) in sorted(_TABLES.items()):
        for i, own in enumerate(described, 1):
            yield _CATALOG, SCHEMA, name, own.name, i, None, "YES", own.type.trino(), None, None


def _trino(hive: str) -> str:
    try:
        return parse_hive(hive).trino()
    except ValueError:
        return hive


def _views(lake: Lake) -> Iterator[Row]:
    for database, table in _every_table(lake):
        if is_view(table):
            yield _CATALOG, database, table["Name"], view_sql(table)


_TABLES: dict[str, tuple[tuple[Column, ...], Callable[[Lake], Iterator[Row]]]] = {
    "schemata": (_texts("catalog_name", "schema_name"), _schemata),
    "tables": (_texts(*_TABLE, "table_type"), _tables),
    "columns": (
        (
            *_texts(*_TABLE, "column_name"),
            Column("ordinal_position", Type("bigint")),
            *_texts("column_default", "is_nullable", "data_type", "comment", "extra_info"),
        ),
        _columns,
    ),
    "views": (_texts(*_TABLE, "view_definition"), _views),
}
