"""CREATE TABLE AS, INSERT INTO and UNLOAD carried out: a worker writes files, which become objects; then Glue is told.

What fails before the objects are there leaves nothing. What fails later leaves objects that no table knows, as on AWS
("Athena will not delete data in your account"); the manifest names them, because it is written first
(docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html).
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from localaws.athena import assignment, layouts, outputs
from localaws.athena.catalog import Catalog, Document, Files, PutFile, PutObject, bucket_and_key
from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.outputs import Output
from localaws.athena.types import Type, parse_hive
from localaws.athena.views import is_view
from localaws.athena.writing import CreateTableAs, InsertInto, Unload, Write
from localaws.errors import AwsError

_CATALOG = "awsdatacatalog"
_MOST_PARTITIONS = 100  # of one statement, docs.aws.amazon.com/athena/latest/ug/ctas-insert-into.html


@dataclass(frozen=True, slots=True)
class Task:
    """An execution: `results` is its OutputLocation, "" if its results are managed (managed.py); `ask` gives its worker
    a job (sql and what else) and waits, `go_on` raises if the execution has been stopped."""

    id: str
    database: str
    results: str
    ask: Callable[[Document], Document]
    go_on: Callable[[], None]


@dataclass(frozen=True, slots=True)
class Done:
    """`manifest` is the URL of the list of files, "" if nothing was written."""

    rows: int = 0
    scanned: int = 0
    planning: float = 0.0
    manifest: str = ""


@dataclass(frozen=True, slots=True)
class _Target:
    """Where the rows of a query go. `columns` are files_out.py's, `known` the places of partitions that exist."""

    name: str
    location: str
    output: Output
    columns: Sequence[Document]
    known: dict[tuple[str, ...], str]
    empty: bool = False  # must a partition's place be empty?


class Writes:
    """`put_object` and `put_file` are S3's; `scratch` is where workers write; `ids` name the objects."""

    def __init__(
        self,
        catalog: Catalog,
        files: Files,
        put_object: PutObject,
        put_file: PutFile,
        scratch: Path,
        ids: Callable[[], str],
    ) -> None:
        self._catalog = catalog
        self._files = files
        self._put_object = put_object
        self._put_file = put_file
        self._scratch = scratch
        self._ids = ids

    def carry_out(self, write: Write, task: Task) -> Done:
        """Raises QueryFailure, and what `task.ask` raises."""
        match write:
            case CreateTableAs():
                return self._create_table_as(write, task)
            case InsertInto():
                return self._insert_into(write, task)
            case Unload():
                return self._unload(write, task)

    # The three statements

    def _create_table_as(self, write: CreateTableAs, task: Task) -> Done:
        database, name = write.name.database or task.database, write.name.name
        output = outputs.asked(write.properties)
        if self._find(database, name) is not None:
            if write.if_not_exists:
                return Done()
            told = f"Destination table '{_CATALOG}.{database}.{name}' already exists"
            raise QueryFailure(f"TABLE_ALREADY_EXISTS: line 1:1: {told}")
        location = str(write.properties.get("external_location") or _tables(task)).rstrip("/") + "/"
        self._must_be_empty(location, f"{database}.{name}", task)
        described = task.ask({"sql": write.query})
        columns = _named_columns(described)
        keys = _partitioned(columns, output.keys)
        done = Done(planning=described["planning"])
        added: list[Document] = []
        target = _Target(f"{database}.{name}", location, output, columns, {})
        if write.with_data:
            done, added = self._write(write.query, target, task)
        glue = [{"Name": c["name"], "Type": c["type"]} for c in columns]
        table: Document = {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": glue[len(glue) - keys :],
            "Parameters": output.parameters(),
            "StorageDescriptor": output.storage(location, glue[: len(glue) - keys]),
        }
        task.go_on()
        self._catalog.create_table(database, table)
        self._add_partitions(database, name, table["StorageDescriptor"], added)
        return done

    def _insert_into(self, write: InsertInto, task: Task) -> Done:
        database, name = write.name.database or task.database, write.name.name
        table = self._find(database, name)
        if table is None:
            raise QueryFailure(f"TABLE_NOT_FOUND: line 1:1: Table '{_CATALOG}.{database}.{name}' does not exist")
        if is_view(table):
            raise QueryFailure("NOT_SUPPORTED: line 1:1: Inserting into views is not supported")
        output = outputs.of_table(table)
        described = task.ask({"sql": write.query})
        columns = _inserted(layouts.columns(table), write.columns, described)
        known = {tuple(v): place for v, place in self._catalog.partition_locations(database, name)}
        location = table["StorageDescriptor"]["Location"].rstrip("/") + "/"
        target = _Target(f"{database}.{name}", location, output, columns, known)
        done, added = self._write(write.query, target, task)
        self._add_partitions(database, name, table["StorageDescriptor"], added)
        return done

    def _unload(self, write: Unload, task: Task) -> Done:
        if "format" not in write.properties:
            raise not_supported("UNLOAD without a format")
        if "external_location" in write.properties:
            raise not_supported("the property external_location of UNLOAD")
        output = outputs.asked(write.properties)
        location, name = write.location.rstrip("/") + "/", f"temp_table_{task.id.replace('-', '_')}"
        if not output.keys:
            self._must_be_empty(location, f"default.{name}", task)
        columns = _named_columns(task.ask({"sql": write.query}))
        _partitioned(columns, output.keys)
        target = _Target(f"default.{name}", location, output, columns, {}, empty=True)
        return self._write(write.query, target, task)[0]

    # Files

    def _write(self, query: str, target: _Target, task: Task) -> tuple[Done, list[Document]]:
        """What was written, and of its partitions those that are new, as PartitionInputs without their storage."""
        directory = self._scratch / f"{task.id}.files"
        order = {
            "directory": str(directory),
            "form": target.output.form,
            "codec": target.output.codec,
            "delimiter": target.output.delimiter,
            "columns": target.columns,
            "keys": len(target.output.keys),
        }
        try:
            done = task.ask({"sql": query, "id": task.id, "write": order})
            partitions = {tuple(values): self._place(target, values) for _, values in done["files"]}
            if len(partitions) > _MOST_PARTITIONS:
                told = f"Exceeded limit of {_MOST_PARTITIONS} open writers for partitions/buckets."
                raise QueryFailure(f"HIVE_TOO_MANY_OPEN_PARTITIONS: {told}")
            if target.empty and target.output.keys:
                for place in partitions.values():
                    self._must_be_empty(place, target.name, task)
            urls = [(partitions[tuple(v)] + self._file_name(target, task), Path(path)) for path, v in done["files"]]
            task.go_on()
            manifest = self._put(urls, task)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        added = [
            {"Values": list(v), "Location": p.rstrip("/")} for v, p in partitions.items() if v and v not in target.known
        ]
        return Done(done["rows"], done["bytes"], done["planning"], manifest), added

    def _place(self, target: _Target, values: Sequence[str]) -> str:
        known = target.known.get(tuple(values)) if values else None
        if known is not None:
            return known.rstrip("/") + "/"
        spec = layouts.partition_spec(target.output.keys, values)
        return target.location + (f"{spec}/" if spec else "")

    def _file_name(self, target: _Target, task: Task) -> str:
        return f"{task.id.replace('-', '_')}_{self._ids()}{target.output.suffix}"

    def _put(self, files: Sequence[tuple[str, Path]], task: Task) -> str:
        manifest = f"{task.results}-manifest.csv" if task.results else ""
        bucket, key = bucket_and_key(manifest or task.results)
        try:
            lines = "".join(f"{url}\n" for url, _ in files)
            if manifest:
                self._put_object(bucket, key, lines.encode(), "application/octet-stream")
            for url, path in files:
                bucket, key = bucket_and_key(url)
                self._put_file(bucket, key, path, "application/octet-stream")
        except AwsError as e:
            raise QueryFailure(f"HIVE_WRITER_OPEN_ERROR: Error writing to s3://{bucket}: {e.code}: {e.message}") from e
        return manifest

    def _must_be_empty(self, location: str, name: str, task: Task) -> None:
        bucket, prefix = bucket_and_key(location)
        try:
            occupied = bool(self._files(bucket, prefix))
        except AwsError as e:
            raise QueryFailure(f"HIVE_METASTORE_ERROR: Unable to reach {location}: {e.code}: {e.message}") from e
        if occupied:
            raise QueryFailure(
                f"HIVE_PATH_ALREADY_EXISTS: Target directory for table '{name}' already exists: {location}. You may "
                f"need to manually clean the data at location '{task.results}' before retrying. Athena will not "
                "delete data in your account."
            )

    # Glue

    def _find(self, database: str, name: str) -> Document | None:
        if not any(d["Name"] == database for d in self._catalog.databases()):
            if not database:
                told = "Schema must be specified when session schema is not set"
                raise QueryFailure(f"MISSING_SCHEMA_NAME: line 1:1: {told}")
            raise QueryFailure(f"SCHEMA_NOT_FOUND: line 1:1: Schema '{database}' does not exist")
        try:
            return self._catalog.table(database, name)
        except AwsError:
            return None

    def _add_partitions(self, database: str, name: str, storage: Document, added: Sequence[Document]) -> None:
        if added:
            inputs = [
                {"Values": p["Values"], "StorageDescriptor": storage | {"Location": p["Location"]}} for p in added
            ]
            self._catalog.add_partitions(database, name, inputs)


def _tables(task: Task) -> str:
    """The place of a table that names none: what EXECUTE makes is numbered as a query."""
    if not task.results:
        told = "external_location is needed in a workgroup with managed query results"
        raise QueryFailure(f"INVALID_TABLE_PROPERTY: {told}")
    directory, _, number = task.results.rpartition("/")
    return task.results if directory.endswith("/tables") else f"{directory}/tables/{number}"


def _named_columns(described: Document) -> list[Document]:
    """The columns of a new table. Raises QueryFailure for one without a name, and for a second of the same."""
    names = [c["Name"].lower() for c in described["columns"]]
    for i, name in enumerate(names):
        if name == f"_col{i}":
            raise QueryFailure(f"MISSING_COLUMN_NAME: line 1:1: Column name not specified at position {i + 1}")
        if name in names[:i]:
            raise QueryFailure(f"DUPLICATE_COLUMN_NAME: line 1:1: Column name '{name}' specified more than once")
    assignment.check_storable(names, described["trino"])
    types = zip(names, described["hive"], strict=True)
    return [{"name": n, "type": t, "source": i} for i, (n, t) in enumerate(types)]


def _partitioned(columns: Sequence[Document], keys: Sequence[str]) -> int:
    """How many columns, at the end, are partition keys."""
    names = [c["name"] for c in columns]
    missing = [k for k in keys if k not in names]
    if missing:
        raise QueryFailure(f"INVALID_TABLE_PROPERTY: Partition columns {missing} not present in schema")
    if keys and tuple(names[-len(keys) :]) != tuple(keys):
        told = "Partition keys must be the last columns in the table and in the same order as the table properties"
        raise QueryFailure(f"HIVE_COLUMN_ORDER_MISMATCH: {told}: [{', '.join(keys)}]")
    if keys and len(keys) == len(names):
        raise QueryFailure("INVALID_TABLE_PROPERTY: Table contains only partition columns")
    return len(keys)


def _assignable(trino: str, hive: str, target: Type) -> bool:
    return assignment.assignable(parse_hive(hive), target, by_place=assignment.has_anonymous(trino))


def _inserted(columns: Sequence[Document], wanted: Sequence[str], described: Document) -> list[Document]:
    """The table's columns with what the query has for each. Raises QueryFailure."""
    types = {c["Name"].lower(): c["Type"] for c in columns}
    for i, name in enumerate(wanted):
        if name not in types:
            told = f"Insert column name does not exist in target table: {name}"
            raise QueryFailure(f"COLUMN_NOT_FOUND: line 1:1: {told}")
        if name in wanted[:i]:
            raise QueryFailure(
                f"DUPLICATE_COLUMN_NAME: line 1:1: Insert column name is specified more than once: {name}"
            )
    targets = list(wanted) or list(types)
    kinds = [parse_hive(types[n]) for n in targets]
    if any(k.name == "char" or (k.name == "varchar" and k.precision) for k in kinds):
        raise not_supported("INSERT INTO a column of type char(n) or varchar(n)")
    given = list(zip(described["trino"], described["hive"], strict=True))
    fits = len(given) == len(kinds) and all(
        trino == "unknown" or (not assignment.is_foreign(trino) and _assignable(trino, hive, kind))
        for (trino, hive), kind in zip(given, kinds, strict=True)
    )
    if not fits:
        shown = f"Table: [{', '.join(k.trino() for k in kinds)}], Query: [{', '.join(described['trino'])}]"
        raise QueryFailure(f"TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: {shown}")
    sources = {n: i for i, n in enumerate(targets)}
    return [{"name": n, "type": t, "source": sources.get(n)} for n, t in types.items()]
