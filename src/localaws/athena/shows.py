"""SHOW and DESCRIBE: what the catalog says, as Athena prints it."""

import re
from collections.abc import Callable
from typing import Any

from localaws.athena import layouts
from localaws.athena.catalog import Catalog
from localaws.athena.ddl import Show
from localaws.athena.named import Named, execution_error
from localaws.athena.outcome import Outcome
from localaws.athena.views import view_sql


class Shows:
    def __init__(self, catalog: Catalog, named: Named) -> None:
        self._catalog = catalog
        self._named = named
        self._shows: dict[str, Callable[[Show, str], Outcome]] = {
            "SHOW_DATABASES": self._show_databases,
            "SHOW_TABLES": self._show_tables,
            "SHOW_VIEWS": self._show_views,
            "SHOW_PARTITIONS": self._show_partitions,
            "SHOW_COLUMNS": self._show_columns,
            "SHOW_CREATE_TABLE": self._show_create_table,
            "SHOW_CREATE_VIEW": self._show_create_view,
            "SHOW_TBLPROPERTIES": self._show_properties,
            "DESCRIBE_TABLE": self._describe,
        }

    def execute(self, command: Show, own: str) -> Outcome:
        return self._shows[command.what](command, own)

    def _show_databases(self, command: Show, _: str) -> Outcome:
        return _listed("database_name", (d["Name"] for d in self._catalog.databases()), command.pattern)

    def _show_tables(self, command: Show, own: str) -> Outcome:
        tables = self._catalog.tables(self._named.database(command.name, own))
        return _listed("tab_name", (t["Name"] for t in tables), command.pattern)

    def _show_views(self, command: Show, own: str) -> Outcome:
        tables = self._catalog.tables(self._named.database(command.name, own))
        return _listed("views", (t["Name"] for t in tables if t.get("TableType") == "VIRTUAL_VIEW"), command.pattern)

    def _show_partitions(self, command: Show, own: str) -> Outcome:
        table = self._named.table(command.name, own)
        names = layouts.keys(table)
        if not names:
            raise execution_error(f"Table {table['Name']} is not a partitioned table")
        every = self._catalog.partition_locations(table["DatabaseName"], table["Name"])
        return Outcome(("partition",), tuple(layouts.partition_spec(names, values) for values, _ in every))

    def _show_columns(self, command: Show, own: str) -> Outcome:
        return Outcome(
            ("field",), tuple(f"{c['Name']:<20}" for c in layouts.columns(self._named.table(command.name, own)))
        )

    def _show_create_table(self, command: Show, own: str) -> Outcome:
        table = self._named.table(command.name, own)
        if table.get("TableType") == "VIRTUAL_VIEW":
            raise execution_error(f"{table['Name']} is a view; use SHOW CREATE VIEW")
        named = f"{table['DatabaseName']}.{table['Name']}" if command.name.database else table["Name"]
        return Outcome(("createtab_stmt",), tuple(layouts.create_table(table, named).split("\n")))

    def _show_create_view(self, command: Show, own: str) -> Outcome:
        table = self._named.table(command.name, own)
        text = f"CREATE VIEW {table['DatabaseName']}.{table['Name']} AS\n{view_sql(table)}"
        return Outcome(("Create View",), tuple(text.split("\n")))

    def _show_properties(self, command: Show, own: str) -> Outcome:
        properties = self._named.table(command.name, own).get("Parameters", {})
        if command.pattern:  # then Hive prints the value alone
            missing = f"Table {command.name.name} does not have property: {command.pattern}"
            return Outcome(("prpt_name",), (properties.get(command.pattern, missing),))
        return Outcome(("prpt_name", "prpt_value"), tuple(f"{k}\t{v}" for k, v in sorted(properties.items())))

    def _describe(self, command: Show, own: str) -> Outcome:
        lines = layouts.describe(self._named.table(command.name, own))
        return Outcome(("col_name", "data_type", "comment"), tuple(lines))


def _listed(column: str, names: Any, pattern: str) -> Outcome:
    """SHOW's pattern: * is any text, | parts choices."""
    text = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\|", "|").replace(r"\..*", ".*")
    return Outcome((column,), tuple(n for n in names if not pattern or re.fullmatch(text, n)))
