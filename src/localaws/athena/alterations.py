"""ALTER TABLE and ALTER DATABASE carried out on the catalog. Files stay as they are, and where they are."""

from collections.abc import Callable, Sequence
from typing import Any

from localaws.athena import alter, layouts
from localaws.athena.alter import (
    AddColumns,
    AddPartitions,
    AlterDatabase,
    ChangeColumn,
    DropPartitions,
    MovePartition,
    PartitionSpec,
    SetLocation,
    SetProperties,
)
from localaws.athena.catalog import Catalog, Document
from localaws.athena.named import Named, as_input, execution_error, no_database, semantic_error
from localaws.athena.outcome import Outcome
from localaws.errors import AwsError


class Alterations:
    def __init__(self, catalog: Catalog, named: Named) -> None:
        self._catalog = catalog
        self._named = named
        self._does: dict[type[alter.Alteration], Callable[[Any, str], Outcome]] = {
            AlterDatabase: lambda command, _: self._alter_database(command),
            AddPartitions: self._add_partitions,
            DropPartitions: self._drop_partitions,
            MovePartition: self._move_partition,
            ChangeColumn: self._change_column,
            AddColumns: self._add_columns,
            SetLocation: self._alter,
            SetProperties: self._alter,
        }

    def execute(self, command: alter.Alteration, own: str) -> Outcome:
        return self._does[type(command)](command, own)

    # Databases, tables and their columns

    def _alter_database(self, command: AlterDatabase) -> Outcome:
        if not self._named.exists(command.database):
            raise no_database(command.database)
        database = self._catalog.database(command.database)
        kept: Document = {k: database[k] for k in ("Name", "Description", "LocationUri", "Parameters") if k in database}
        kept["Parameters"] = database.get("Parameters", {}) | command.properties
        self._catalog.update_database(command.database, kept)
        return Outcome()

    def _alter(self, command: SetLocation | SetProperties, own: str) -> Outcome:
        table = self._named.table(command.name, own)
        if isinstance(command, SetLocation):
            table["StorageDescriptor"]["Location"] = command.location
        else:
            # There are no managed tables: "setting 'EXTERNAL'='FALSE' has no effect".
            told = {k: v for k, v in command.properties.items() if k.upper() != "EXTERNAL"}
            table["Parameters"] = table.get("Parameters", {}) | told
        self._catalog.update_table(table["DatabaseName"], as_input(table))
        return Outcome()

    def _add_columns(self, command: AddColumns, own: str) -> Outcome:
        """A partition's own columns say how its files were written; a query's are the table's."""
        table = self._named.table(command.name, own)
        if command.partition is not None:
            partition = self._partition(table, command.partition)
            storage = partition["StorageDescriptor"]
            storage["Columns"] = _with_columns(storage.get("Columns", []), command, table)
            self._catalog.update_partition(table["DatabaseName"], table["Name"], partition["Values"], _input(partition))
            return Outcome()
        storage = table["StorageDescriptor"]
        storage["Columns"] = _with_columns(storage["Columns"], command, table)
        self._catalog.update_table(table["DatabaseName"], as_input(table))
        return Outcome()

    def _change_column(self, command: ChangeColumn, own: str) -> Outcome:
        """Of the schema alone: the files stay as they are."""
        table = self._named.table(command.name, own)
        columns = table["StorageDescriptor"]["Columns"]
        names = [c["Name"].lower() for c in columns]
        for wanted in filter(None, (command.old, command.after)):
            if wanted not in names:
                raise execution_error(f"Invalid column reference {wanted}")
        if command.column["Name"] != command.old and command.column["Name"] in layouts.names(table):
            raise execution_error(f"Duplicate column name: {command.column['Name']}")
        place = names.index(command.old)
        comment = {k: v for k, v in columns[place].items() if k == "Comment"}
        others = [*columns[:place], *columns[place + 1 :]]
        if command.after is not None:
            place = 0 if not command.after else [c["Name"].lower() for c in others].index(command.after) + 1
        table["StorageDescriptor"]["Columns"] = [*others[:place], comment | command.column, *others[place:]]
        self._catalog.update_table(table["DatabaseName"], as_input(table))
        return Outcome()

    # Partitions

    def _partition(self, table: Document, spec: PartitionSpec) -> Document:
        values = partition_input(table, spec)["Values"]
        try:
            return self._catalog.partition(table["DatabaseName"], table["Name"], values)
        except AwsError as e:
            raise execution_error("Partition not found") from e

    def _move_partition(self, command: MovePartition, own: str) -> Outcome:
        """A renamed partition stays where its files are."""
        table = self._named.table(command.name, own)
        old = self._partition(table, command.partition)
        new = {**_input(old), "Values": partition_input(table, command.becomes)["Values"]}
        if command.becomes.location is not None:
            new["StorageDescriptor"] = old["StorageDescriptor"] | {"Location": command.becomes.location}
        try:
            self._catalog.update_partition(table["DatabaseName"], table["Name"], old["Values"], new)
        except AwsError as e:
            raise execution_error("AlreadyExistsException(message:Partition already exists.)") from e
        return Outcome()

    def _add_partitions(self, command: AddPartitions, own: str) -> Outcome:
        table = self._named.table(command.name, own)
        inputs = [partition_input(table, spec) for spec in command.partitions]
        if not command.if_not_exists:
            present = {tuple(v) for v, _ in self._catalog.partition_locations(table["DatabaseName"], table["Name"])}
            for spec in inputs:
                if tuple(spec["Values"]) in present:
                    raise execution_error("AlreadyExistsException(message:Partition already exists.)")
        self._catalog.add_partitions(table["DatabaseName"], table["Name"], inputs)
        return Outcome()

    def _drop_partitions(self, command: DropPartitions, own: str) -> Outcome:
        """A spec that names only some keys drops every partition that agrees with it."""
        table = self._named.table(command.name, own)
        every = [v for v, _ in self._catalog.partition_locations(table["DatabaseName"], table["Name"])]
        names = layouts.keys(table)
        dropped: list[list[str]] = []
        for spec in command.partitions:
            _check_keys(table, spec)
            agreeing = [v for v in every if all(v[names.index(k)] == wanted for k, wanted in spec.values.items())]
            if not agreeing and not command.if_exists:
                raise execution_error("Partition not found")
            dropped += agreeing
        self._catalog.delete_partitions(table["DatabaseName"], table["Name"], dropped)
        return Outcome()


def _input(partition: Document) -> Document:
    """A PartitionInput of a Partition."""
    kept = ("Values", "LastAccessTime", "StorageDescriptor", "Parameters", "LastAnalyzedTime")
    return {k: partition[k] for k in kept if k in partition}


def _with_columns(present: list[Document], command: AddColumns, table: Document) -> list[Document]:
    columns = [*([] if command.replace else present), *command.columns]
    check_columns(columns, table.get("PartitionKeys", []))
    return columns


def check_columns(columns: Sequence[Document], keys: Sequence[Document]) -> None:
    """Each name once, those of the partition keys, too."""
    names = [c["Name"].lower() for c in columns]
    for name in names:
        if names.count(name) > 1:
            raise semantic_error(10036, f"Duplicate column name: {name}")
    for key in keys:
        if key["Name"].lower() in names:
            raise semantic_error(10035, "Column repeated in partitioning columns")


def _check_keys(table: Document, spec: PartitionSpec) -> None:
    unknown = set(spec.values) - set(layouts.keys(table))
    if unknown:
        raise semantic_error(10098, f"Non-Partition column appears in the partition specification: {min(unknown)}")


def partition_input(table: Document, spec: PartitionSpec) -> Document:
    """A PartitionInput: under the table's location, if the spec has none."""
    _check_keys(table, spec)
    names = layouts.keys(table)
    if set(spec.values) != set(names):
        raise semantic_error(10006, "partition spec must name every partition column")
    values = [spec.values[n] for n in names]
    root = table["StorageDescriptor"].get("Location", "").rstrip("/")
    place = spec.location or f"{root}/{layouts.partition_spec(names, values)}"
    return {"Values": values, "StorageDescriptor": table["StorageDescriptor"] | {"Location": place}}
