"""What a query reads: a Glue table, and the places of it that the query needs.

Table    what a scan needs of Glue's Table
Scan     one place where a query reads a table
selected what every reader's SELECT begins with
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws.athena.facts import Facts
from localaws.athena.failures import QueryFailure
from localaws.athena.lake import File, Partition
from localaws.athena.quoting import name
from localaws.athena.types import Type, parse_hive

TRUE = "true"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Table:
    """`options` are the SerDe's properties, their names in lower case; `parameters` the table's."""

    database: str
    name: str
    columns: tuple[Column, ...]
    keys: tuple[Column, ...]
    location: str
    serde: str
    options: Mapping[str, str]
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Table":
        storage = document.get("StorageDescriptor", {})
        serde = storage.get("SerdeInfo", {})
        return cls(
            document["DatabaseName"],
            document["Name"],
            _columns(storage.get("Columns", [])),
            _columns(document.get("PartitionKeys", [])),
            storage.get("Location", ""),
            serde.get("SerializationLibrary", ""),
            {k.lower(): v for k, v in serde.get("Parameters", {}).items()},
            document.get("Parameters", {}),
        )

    def types(self) -> dict[str, Type]:
        return {c.name: c.type for c in (*self.columns, *self.keys)}

    def option_is_true(self, option: str) -> bool:
        return self.options.get(option, "").strip().lower() == TRUE


@dataclass(slots=True)
class Scan:
    """`partitions` are those left after pruning, with their files; `hidden` the hidden columns that are asked for."""

    table: Table
    partitions: list[tuple[Partition, list[File]]] = field(default_factory=list)
    hidden: tuple[str, ...] = ()
    where: str = ""  # what chose the partitions

    def files(self) -> list[File]:
        return [f for _, files in self.partitions for f in files]


# A reader: (scan's table, files, facts, options of where the keys come from) -> SELECTs of the table's columns
TableReader = Callable[[Table, Sequence[File], Facts, str], list[str]]


def selected(table: Table, columns: Sequence[str], reader: str, source: str) -> str:
    """The table's columns, the keys if DuckDB reads them in the paths, and each row's file."""
    keys = [name(k.name) for k in table.keys] if "hive_types" in source else []
    return f"SELECT {', '.join([*columns, *keys, 't_file'])} FROM {reader}"


def _columns(columns: Sequence[Mapping[str, str]]) -> tuple[Column, ...]:
    try:
        return tuple(Column(c["Name"].lower(), parse_hive(c.get("Type", "string"))) for c in columns)
    except ValueError as e:
        raise QueryFailure(f"HIVE_INVALID_METADATA: {e}") from e
