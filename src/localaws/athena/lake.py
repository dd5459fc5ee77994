"""What a query asks of the lake: tables, their partitions, their files. In a worker these are questions to the parent.

Lake        the questions; answers are plain JSON values
Partition   values of the partition keys and a location
File        one object: its key in S3, its path and size on disk, its LastModified (epoch seconds)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

_NULL = "__HIVE_DEFAULT_PARTITION__"  # Hive's name of the directory for NULL
Ask = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class File:
    key: str
    path: str
    size: int
    modified: float


@dataclass(frozen=True, slots=True)
class Partition:
    values: tuple[str, ...]
    location: str

    def keys(self) -> tuple[str | None, ...]:
        """What a query sees of the values."""
        return tuple(None if v == _NULL else v for v in self.values)


class Lake:
    """`ask` sends one question and gives its answer. Partitions are remembered until the table's generation changes."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._partitions: dict[tuple[str, str], tuple[int, list[Partition]]] = {}

    def table(self, database: str, name: str) -> dict[str, Any]:
        """{"table": Glue's Table} or {"missing": "database" or "table"}."""
        return self._ask({"ask": "table", "database": database, "name": name})

    def databases(self) -> list[str]:
        return [str(name) for name in self._ask({"ask": "databases"})["databases"]]

    def tables(self, database: str) -> list[dict[str, Any]]:
        """Every Glue Table of a database."""
        return list(self._ask({"ask": "tables", "database": database})["tables"])

    def partitions(self, database: str, name: str) -> list[Partition]:
        known, partitions = self._partitions.get((database, name), (-1, []))
        answer = self._ask({"ask": "partitions", "database": database, "name": name, "known": known})
        if "partitions" not in answer:
            return partitions
        partitions = [Partition(tuple(values), location) for values, location in answer["partitions"]]
        self._partitions[database, name] = answer["generation"], partitions
        return partitions

    def files(self, locations: Sequence[str]) -> list[list[File]]:
        """The files of each location, without those that Hive hides (names that begin with _ or .) and empty ones."""
        answer = self._ask({"ask": "files", "locations": list(locations)})
        return [[File(*f) for f in files] for files in answer["files"]]
