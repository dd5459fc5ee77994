"""DDL and SHOW carried out on the catalog: a command of ddl.py in, what Athena prints out, one line a row.

Here what makes and drops; alterations, repairs and shows do the rest.
"""

from collections.abc import Callable
from typing import Any, get_args

from localaws.athena import ddl
from localaws.athena.alter import Alteration
from localaws.athena.alterations import Alterations, check_columns
from localaws.athena.catalog import Catalog, Files
from localaws.athena.failures import QueryFailure
from localaws.athena.named import Named, execution_error, no_database, no_table
from localaws.athena.outcome import Outcome
from localaws.athena.repairs import Repairs
from localaws.athena.shows import Shows
from localaws.errors import AwsError


class Commands:
    """`execute` raises QueryFailure in the words that Athena takes from Hive."""

    def __init__(self, catalog: Catalog, files: Files) -> None:
        self._catalog = catalog
        self._named = Named(catalog)
        alterations = Alterations(catalog, self._named)
        repairs = Repairs(catalog, files, self._named)
        self._does: dict[type[ddl.Command], Callable[[Any, str], Outcome]] = {
            ddl.CreateDatabase: lambda command, _: self._create_database(command),
            ddl.DropDatabase: lambda command, _: self._drop_database(command),
            ddl.CreateTable: self._create_table,
            ddl.Drop: self._drop,
            ddl.Repair: lambda command, own: repairs.repair(command.name, own),
            ddl.Show: Shows(catalog, self._named).execute,
            **dict.fromkeys(get_args(Alteration), alterations.execute),
        }

    def execute(self, command: ddl.Command, database: str) -> Outcome:
        """`database` is the query's own, for names without one."""
        try:
            return self._does[type(command)](command, database)
        except AwsError as e:
            raise QueryFailure(f"FAILED: Execution Error, return code 1. {e.code}: {e.message}") from e

    # Databases and tables

    def _create_database(self, command: ddl.CreateDatabase) -> Outcome:
        name = command.database["Name"]
        try:
            self._catalog.create_database(command.database)
        except AwsError as e:
            if e.code != "AlreadyExistsException":
                raise
            if not command.if_not_exists:
                raise execution_error(f"Database {name} already exists") from e
        return Outcome()

    def _drop_database(self, command: ddl.DropDatabase) -> Outcome:
        if not self._named.exists(command.name):
            if command.if_exists:
                return Outcome()
            raise no_database(command.name)
        if self._catalog.tables(command.name) and not command.cascade:
            raise execution_error(
                f"InvalidOperationException(message:Database {command.name} is not empty. One or more tables exist.)"
            )
        self._catalog.delete_database(command.name)
        return Outcome()

    def _create_table(self, command: ddl.CreateTable, own: str) -> Outcome:
        database = self._named.database(command.name, own)
        check_columns(command.table["StorageDescriptor"]["Columns"], command.table["PartitionKeys"])
        try:
            self._catalog.create_table(database, command.table)
        except AwsError as e:
            if e.code != "AlreadyExistsException":
                raise
            if not command.if_not_exists:
                raise execution_error(
                    f"AlreadyExistsException(message:Table {command.name.name} already exists)"
                ) from e
        return Outcome()

    def _drop(self, command: ddl.Drop, own: str) -> Outcome:
        database = self._named.database(command.name, own)
        try:
            table = self._catalog.table(database, command.name.name)
        except AwsError as e:
            if command.if_exists:
                return Outcome()
            raise no_table(database, command.name.name) from e
        if (command.what == "VIEW") != (table.get("TableType") == "VIRTUAL_VIEW"):
            other = "a view" if command.what == "TABLE" else "a base table"
            raise execution_error(f"Cannot drop {other} with DROP {command.what}")
        self._catalog.delete_table(database, command.name.name)
        return Outcome()
