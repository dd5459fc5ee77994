"""DuckDB's connection of a worker, which makes a macro of macros.py when a statement first names it.

Making all of them costs a third of a worker's start, and most statements name none or two.
"""

import re
from typing import Any

import duckdb

from localaws.athena import macros

_NAMED = re.compile(r"\bt_\w+", re.IGNORECASE)


class Connection:
    """As much of DuckDBPyConnection as a worker uses; not for several threads."""

    def __init__(self, duck: duckdb.DuckDBPyConnection) -> None:
        self._duck = duck
        self._unmade = macros.definitions()

    def sql(self, text: str) -> duckdb.DuckDBPyRelation:
        self._make(text)
        return self._duck.sql(text)

    def execute(self, text: str, parameters: Any = None) -> duckdb.DuckDBPyConnection:
        self._make(text)
        return self._duck.execute(text, parameters)

    def profile(self) -> str:
        """Of the last statement, as JSON."""
        return str(self._duck.get_profiling_information(format="json"))

    def _make(self, text: str) -> None:
        """A macro's own macros must be there before it is."""
        for name in _NAMED.findall(text):
            definition = self._unmade.pop(name.lower(), None)
            if definition is not None:
                self._make(definition)
                self._duck.execute(definition)
