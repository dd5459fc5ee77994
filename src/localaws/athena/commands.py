"""DDL and SHOW carried out on the catalog: a command of ddl.py in, what Athena prints out, one line a row."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from localaws.athena import ddl, layouts
from localaws.athena.catalog import Catalog, Document, Files, bucket_and_key
from localaws.athena.failures import QueryFailure
from localaws.athena.reader import Name
from localaws.athena.views import view_sql
from localaws.errors import AwsError

_SEGMENT = re.compile(r"([^/=]+)=([^/]*)")


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lines` are the rows, one text each; `columns` the names that GetQueryResults gives them."""

    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()


class Commands:
    """`execute` raises QueryFailure in the words that Athena takes from Hive."""

    def __init__(self, catalog: Catalog, files: Files) -> None:
        self._catalog = catalog
        self._files = files
        self._shows: dict[str, Callable[[ddl.Show, str], Outcome]] = {
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

        self._does: dict[type[ddl.Command], Callable[[Any, str], Outcome]] = {
            ddl.CreateDatabase: lambda command, _: self._create_database(command),
            ddl.DropDatabase: lambda command, _: self._drop_database(command),
            ddl.CreateTable: self._create_table,
            ddl.Drop: self._drop,
            ddl.AddPartitions: self._add_partitions,
            ddl.DropPartitions: self._drop_partitions,
            ddl.MovePartition: self._move_partition,
            ddl.ChangeColumn: self._change_column,
            ddl.SetLocation: self._alter,
            ddl.SetProperties: self._alter,
            ddl.AddColumns: self._alter,
            ddl.Repair: self._repair,
            ddl.Show: lambda command, own: self._shows[command.what](command, own),
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
                raise _execution_error(f"Database {name} already exists") from e
        return Outcome()

    def _drop_database(self, command: ddl.DropDatabase) -> Outcome:
        if not self._exists(command.name):
            if command.if_exists:
                return Outcome()
            raise QueryFailure(f"FAILED: SemanticException [Error 10072]: Database does not exist: {command.name}")
        if self._catalog.tables(command.name) and not command.cascade:
            raise _execution_error(
                f"InvalidOperationException(message:Database {command.name} is not empty. One or more tables exist.)"
            )
        self._catalog.delete_database(command.name)
        return Outcome()

    def _create_table(self, command: ddl.CreateTable, own: str) -> Outcome:
        database = self._database(command.name, own)
        try:
            self._catalog.create_table(database, command.table)
        except AwsError as e:
            if e.code != "AlreadyExistsException":
                raise
            if not command.if_not_exists:
                raise _execution_error(
                    f"AlreadyExistsException(message:Table {command.name.name} already exists)"
                ) from e
        return Outcome()

    def _drop(self, command: ddl.Drop, own: str) -> Outcome:
        database = self._database(command.name, own)
        try:
            table = self._catalog.table(database, command.name.name)
        except AwsError as e:
            if command.if_exists:
                return Outcome()
            raise _no_table(database, command.name.name) from e
        if (command.what == "VIEW") != (table.get("TableType") == "VIRTUAL_VIEW"):
            other = "a view" if command.what == "TABLE" else "a base table"
            raise _execution_error(f"Cannot drop {other} with DROP {command.what}")
        self._catalog.delete_table(database, command.name.name)
        return Outcome()

    def _alter(self, command: ddl.SetLocation | ddl.SetProperties | ddl.AddColumns, own: str) -> Outcome:
        table = self._table(command.name, own)
        storage = table["StorageDescriptor"]
        if isinstance(command, ddl.SetLocation):
            storage["Location"] = command.location
        elif isinstance(command, ddl.SetProperties):
            table["Parameters"] = table.get("Parameters", {}) | command.properties
        else:
            storage["Columns"] = [*([] if command.replace else storage["Columns"]), *command.columns]
        self._catalog.update_table(table["DatabaseName"], as_input(table))
        return Outcome()

    def _change_column(self, command: ddl.ChangeColumn, own: str) -> Outcome:
        """Of the schema alone: the files stay as they are."""
        table = self._table(command.name, own)
        columns = table["StorageDescriptor"]["Columns"]
        names = [c["Name"].lower() for c in columns]
        for wanted in filter(None, (command.old, command.after)):
            if wanted not in names:
                raise _execution_error(f"Invalid column reference {wanted}")
        if command.column["Name"] != command.old and command.column["Name"] in layouts.names(table):
            raise _execution_error(f"Duplicate column name: {command.column['Name']}")
        place = names.index(command.old)
        comment = {k: v for k, v in columns[place].items() if k == "Comment"}
        others = [*columns[:place], *columns[place + 1 :]]
        if command.after is not None:
            place = 0 if not command.after else [c["Name"].lower() for c in others].index(command.after) + 1
        table["StorageDescriptor"]["Columns"] = [*others[:place], comment | command.column, *others[place:]]
        self._catalog.update_table(table["DatabaseName"], as_input(table))
        return Outcome()

    # Partitions

    def _move_partition(self, command: ddl.MovePartition, own: str) -> Outcome:
        """A renamed partition stays where its files are."""
        table = self._table(command.name, own)
        database, name = table["DatabaseName"], table["Name"]
        old = _partition(table, command.partition)["Values"]
        present = {tuple(v): place for v, place in self._catalog.partition_locations(database, name)}
        if tuple(old) not in present:
            raise _execution_error("Partition not found")
        becomes = ddl.PartitionSpec(command.becomes.values, command.becomes.location or present[tuple(old)])
        new = _partition(table, becomes)
        if new["Values"] != old and tuple(new["Values"]) in present:
            raise _execution_error("AlreadyExistsException(message:Partition already exists.)")
        self._catalog.delete_partitions(database, name, [old])
        self._catalog.add_partitions(database, name, [new])
        return Outcome()

    def _add_partitions(self, command: ddl.AddPartitions, own: str) -> Outcome:
        table = self._table(command.name, own)
        inputs = [_partition(table, spec) for spec in command.partitions]
        if not command.if_not_exists:
            present = {tuple(v) for v, _ in self._catalog.partition_locations(table["DatabaseName"], table["Name"])}
            for spec in inputs:
                if tuple(spec["Values"]) in present:
                    raise _execution_error("AlreadyExistsException(message:Partition already exists.)")
        self._catalog.add_partitions(table["DatabaseName"], table["Name"], inputs)
        return Outcome()

    def _drop_partitions(self, command: ddl.DropPartitions, own: str) -> Outcome:
        """A spec that names only some keys drops every partition that agrees with it."""
        table = self._table(command.name, own)
        every = [v for v, _ in self._catalog.partition_locations(table["DatabaseName"], table["Name"])]
        names = layouts.keys(table)
        dropped: list[list[str]] = []
        for spec in command.partitions:
            _check_keys(table, spec)
            agreeing = [v for v in every if all(v[names.index(k)] == wanted for k, wanted in spec.values.items())]
            if not agreeing and not command.if_exists:
                raise _execution_error("Partition not found")
            dropped += agreeing
        self._catalog.delete_partitions(table["DatabaseName"], table["Name"], dropped)
        return Outcome()

    def _repair(self, command: ddl.Repair, own: str) -> Outcome:
        """Register the directories key1=v/key2=v/... under the location that no partition stands for yet."""
        table = self._table(command.name, own)
        names = layouts.keys(table)
        if not names:
            raise _execution_error(f"Table {table['Name']} is not partitioned")
        location = table["StorageDescriptor"].get("Location", "").rstrip("/") + "/"
        bucket, prefix = bucket_and_key(location)
        known = {tuple(v) for v, _ in self._catalog.partition_locations(table["DatabaseName"], table["Name"])}
        found: dict[tuple[str, ...], str] = {}
        for file in self._files(bucket, prefix):
            segments = file.key[len(prefix) :].split("/")[: len(names)]
            matches = [_SEGMENT.fullmatch(s) for s in segments]
            if len(matches) == len(names) and all(m and m[1].lower() == n for m, n in zip(matches, names, strict=True)):
                values = tuple(layouts.unescaped(m[2]) for m in matches if m)
                found.setdefault(values, location + "/".join(segments) + "/")
        missing = {v: place for v, place in found.items() if v not in known}
        inputs = [
            {"Values": list(v), "StorageDescriptor": table["StorageDescriptor"] | {"Location": place.rstrip("/")}}
            for v, place in missing.items()
        ]
        self._catalog.add_partitions(table["DatabaseName"], table["Name"], inputs)
        specs = [f"{table['Name']}:{layouts.partition_spec(names, v)}" for v in missing]
        if not specs:
            return Outcome()
        added = [f"Repair: Added partition to metastore {s}" for s in specs]
        return Outcome(("result",), ("Partitions not in metastore:\t" + "\t".join(specs), *added))

    # SHOW and DESCRIBE

    def _show_databases(self, command: ddl.Show, _: str) -> Outcome:
        return _listed("database_name", (d["Name"] for d in self._catalog.databases()), command.pattern)

    def _show_tables(self, command: ddl.Show, own: str) -> Outcome:
        tables = self._catalog.tables(self._database(command.name, own))
        return _listed("tab_name", (t["Name"] for t in tables), command.pattern)

    def _show_views(self, command: ddl.Show, own: str) -> Outcome:
        tables = self._catalog.tables(self._database(command.name, own))
        return _listed("views", (t["Name"] for t in tables if t.get("TableType") == "VIRTUAL_VIEW"), command.pattern)

    def _show_partitions(self, command: ddl.Show, own: str) -> Outcome:
        table = self._table(command.name, own)
        names = layouts.keys(table)
        if not names:
            raise _execution_error(f"Table {table['Name']} is not a partitioned table")
        every = self._catalog.partition_locations(table["DatabaseName"], table["Name"])
        return Outcome(("partition",), tuple(layouts.partition_spec(names, values) for values, _ in every))

    def _show_columns(self, command: ddl.Show, own: str) -> Outcome:
        return Outcome(("field",), tuple(f"{c['Name']:<20}" for c in layouts.columns(self._table(command.name, own))))

    def _show_create_table(self, command: ddl.Show, own: str) -> Outcome:
        table = self._table(command.name, own)
        if table.get("TableType") == "VIRTUAL_VIEW":
            raise _execution_error(f"{table['Name']} is a view; use SHOW CREATE VIEW")
        return Outcome(("createtab_stmt",), tuple(layouts.create_table(table).split("\n")))

    def _show_create_view(self, command: ddl.Show, own: str) -> Outcome:
        table = self._table(command.name, own)
        text = f"CREATE VIEW {table['DatabaseName']}.{table['Name']} AS\n{view_sql(table)}"
        return Outcome(("Create View",), tuple(text.split("\n")))

    def _show_properties(self, command: ddl.Show, own: str) -> Outcome:
        properties = self._table(command.name, own).get("Parameters", {})
        if command.pattern:
            properties = {command.pattern: properties.get(command.pattern, "")}
        return Outcome(("prpt_name", "prpt_value"), tuple(f"{k}\t{v}" for k, v in sorted(properties.items())))

    def _describe(self, command: ddl.Show, own: str) -> Outcome:
        lines = layouts.describe(self._table(command.name, own))
        return Outcome(("col_name", "data_type", "comment"), tuple(lines))

    # Names

    def _exists(self, database: str) -> bool:
        return any(d["Name"] == database.lower() for d in self._catalog.databases())

    def _database(self, name: Name, own: str) -> str:
        database = name.database or own
        if not database or not self._exists(database):
            raise QueryFailure(
                f"FAILED: SemanticException [Error 10072]: Database does not exist: {database or 'default'}"
            )
        return database

    def _table(self, name: Name, own: str) -> Document:
        database = self._database(name, own)
        try:
            return self._catalog.table(database, name.name)
        except AwsError as e:
            raise _no_table(database, name.name) from e


def as_input(table: Document) -> Document:
    """A TableInput of a Table."""
    kept = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "ViewOriginalText",
            "ViewExpandedText", "TableType", "Parameters", "TargetTable")  # fmt: skip
    return {k: table[k] for k in kept if k in table}


def _check_keys(table: Document, spec: ddl.PartitionSpec) -> None:
    unknown = set(spec.values) - set(layouts.keys(table))
    if unknown:
        problem = f"Non-Partition column appears in the partition specification: {min(unknown)}"
        raise QueryFailure(f"FAILED: SemanticException [Error 10098]: {problem}")


def _partition(table: Document, spec: ddl.PartitionSpec) -> Document:
    _check_keys(table, spec)
    names = layouts.keys(table)
    if set(spec.values) != set(names):
        raise QueryFailure("FAILED: SemanticException [Error 10006]: partition spec must name every partition column")
    values = [spec.values[n] for n in names]
    root = table["StorageDescriptor"].get("Location", "").rstrip("/")
    place = spec.location or f"{root}/{layouts.partition_spec(names, values)}"
    return {"Values": values, "StorageDescriptor": table["StorageDescriptor"] | {"Location": place}}


def _listed(column: str, names: Any, pattern: str) -> Outcome:
    """SHOW's pattern: * is any text, | parts choices."""
    text = re.escape(pattern.lower()).replace(r"\*", ".*").replace(r"\|", "|").replace(r"\.\.*", ".*")
    return Outcome((column,), tuple(n for n in names if not pattern or re.fullmatch(text, n)))


def _execution_error(message: str) -> QueryFailure:
    return QueryFailure(
        f"FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}"
    )


def _no_table(database: str, name: str) -> QueryFailure:
    return QueryFailure(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")
