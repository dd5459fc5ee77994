"""The Data Catalog itself: databases, tables, their versions and partitions, durable in the Store.

Documents are kept in the shapes of the Glue API ("Database", "Table", "Partition" in the API reference) with times as
epoch seconds. Names are folded to lower case, as Glue does. glue.py puts the wire in front of it; Athena uses it
directly. Partitions have a table of their own, keyed by their values, so that tens of thousands stay cheap.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from sqlite3 import Connection
from typing import Any

from localaws.errors import AwsError
from localaws.store import Store

Document = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS glue_databases (name TEXT PRIMARY KEY, body TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS glue_tables (database TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
  PRIMARY KEY (database, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS glue_versions (database TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL,
  body TEXT NOT NULL, PRIMARY KEY (database, name, version)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS glue_partitions (database TEXT NOT NULL, name TEXT NOT NULL, key TEXT NOT NULL,
  location TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (database, name, key)) WITHOUT ROWID;
"""

# What Glue fills in when a table or a partition is created without it.
_STORAGE_DEFAULTS: Document = {
    "Columns": [],
    "Compressed": False,
    "NumberOfBuckets": 0,
    "SortColumns": [],
    "StoredAsSubDirectories": False,
}
_DEFAULT_PERMISSIONS = [
    {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
]


def not_found(what: str) -> AwsError:
    return AwsError("EntityNotFoundException", what)


def already_exists(what: str) -> AwsError:
    return AwsError("AlreadyExistsException", f"{what} already exists.")


def invalid(message: str) -> AwsError:
    return AwsError("InvalidInputException", message)


class Catalog:
    """Databases, tables and partitions. Reads raise EntityNotFoundException, creations AlreadyExistsException."""

    def __init__(self, store: Store, clock: Callable[[], float], account: str) -> None:
        self._store = store
        self._clock = clock
        self._account = account
        self._generations: dict[tuple[str, str], int] = {}
        self._counting = threading.Lock()
        store.migrate(_SCHEMA)

    # Databases

    def databases(self) -> list[Document]:
        """All, by name."""
        return [json.loads(body) for (body,) in self._read("SELECT body FROM glue_databases ORDER BY name")]

    def database(self, name: str) -> Document:
        for (body,) in self._read("SELECT body FROM glue_databases WHERE name = ?", name.lower()):
            return _document(body)
        raise not_found(f"Database {name.lower()} not found.")

    def create_database(self, database: Document) -> None:
        """`database` is a DatabaseInput."""
        name = _name(database)
        document: Document = {"CreateTableDefaultPermissions": _DEFAULT_PERMISSIONS, **database}
        document |= {"Name": name, "CreateTime": self._now(), "CatalogId": self._account}
        with self._store.write() as db:
            if db.execute("SELECT 1 FROM glue_databases WHERE name = ?", (name,)).fetchone():
                raise already_exists("Database")
            db.execute("INSERT INTO glue_databases VALUES (?, ?)", (name, json.dumps(document)))

    def update_database(self, name: str, database: Document) -> None:
        with self._store.write() as db:
            old = self.database(name)
            kept = {k: old[k] for k in ("CreateTime", "CatalogId", "CreateTableDefaultPermissions")}
            document = kept | database | {"Name": name.lower()}
            db.execute("UPDATE glue_databases SET body = ? WHERE name = ?", (json.dumps(document), name.lower()))

    def delete_database(self, name: str) -> None:
        """With its tables and their partitions; the data stays."""
        with self._store.write() as db:
            self.database(name)
            for table in self.tables(name):
                self.delete_table(name, table["Name"])
            db.execute("DELETE FROM glue_databases WHERE name = ?", (name.lower(),))

    # Tables

    def tables(self, database: str) -> list[Document]:
        """All of the database, by name."""
        query = "SELECT body FROM glue_tables WHERE database = ? ORDER BY name"
        rows = [json.loads(body) for (body,) in self._read(query, database.lower())]
        if not rows:
            self.database(database)
        return rows

    def table(self, database: str, name: str) -> Document:
        query = "SELECT body FROM glue_tables WHERE database = ? AND name = ?"
        for (body,) in self._read(query, database.lower(), name.lower()):
            return _document(body)
        self.database(database)
        raise not_found(f"Table {name.lower()} not found.")

    def create_table(self, database: str, table: Document) -> None:
        """`table` is a TableInput."""
        name = _name(table)
        document = self._table(database, table) | {"CreateTime": self._now(), "VersionId": "0"}
        with self._store.write() as db:
            self.database(database)
            if db.execute(
                "SELECT 1 FROM glue_tables WHERE database = ? AND name = ?", (database.lower(), name)
            ).fetchone():
                raise already_exists("Table")
            db.execute("INSERT INTO glue_tables VALUES (?, ?, ?)", (database.lower(), name, json.dumps(document)))

    def update_table(self, database: str, table: Document, archive: bool = True) -> None:
        """Replace the table by a TableInput; the old version is kept unless `archive` is false."""
        key = (database.lower(), _name(table))
        with self._store.write() as db:
            old = self.table(*key)
            version = int(old["VersionId"])
            if archive:
                db.execute("INSERT INTO glue_versions VALUES (?, ?, ?, ?)", (*key, version, json.dumps(old)))
            new = self._table(database, table) | {"CreateTime": old["CreateTime"], "VersionId": str(version + 1)}
            db.execute("UPDATE glue_tables SET body = ? WHERE database = ? AND name = ?", (json.dumps(new), *key))

    def delete_table(self, database: str, name: str) -> None:
        """With its versions and partitions; the data stays."""
        key = (database.lower(), name.lower())
        with self._store.write() as db:
            self.table(*key)
            for table in ("glue_tables", "glue_versions", "glue_partitions"):
                db.execute(f"DELETE FROM {table} WHERE database = ? AND name = ?", key)
        self._changed(key)

    def table_versions(self, database: str, name: str) -> list[Document]:
        """The table's documents, newest first."""
        current = self.table(database, name)
        query = "SELECT body FROM glue_versions WHERE database = ? AND name = ? ORDER BY version DESC"
        return [current, *(json.loads(body) for (body,) in self._read(query, database.lower(), name.lower()))]

    def _table(self, database: str, table: Document) -> Document:
        document = {"Retention": 0, "PartitionKeys": [], "Parameters": {}} | table
        if "StorageDescriptor" in table:
            document["StorageDescriptor"] = _STORAGE_DEFAULTS | table["StorageDescriptor"]
        return document | {
            "Name": _name(table),
            "DatabaseName": database.lower(),
            "UpdateTime": self._now(),
            "CreatedBy": f"arn:aws:iam::{self._account}:root",
            "IsRegisteredWithLakeFormation": False,
            "CatalogId": self._account,
        }

    # Partitions

    def partition_locations(self, database: str, name: str) -> list[tuple[list[str], str]]:
        """(values, location) of every partition, by values: what a query needs to choose its files."""
        query = "SELECT key, location FROM glue_partitions WHERE database = ? AND name = ? ORDER BY key"
        return [(json.loads(key), location) for key, location in self._read(query, database.lower(), name.lower())]

    def partitions(
        self, database: str, name: str, after: str, keep: Callable[[list[str]], bool]
    ) -> Iterator[tuple[str, Document]]:
        """(key, partition) in key order, beyond the key `after`, of those whose values `keep` accepts."""
        query = "SELECT key, body FROM glue_partitions WHERE database = ? AND name = ? AND key > ? ORDER BY key"
        for key, body in self._read(query, database.lower(), name.lower(), after):
            if keep(json.loads(key)):
                yield key, _document(body)

    def partition(self, database: str, name: str, values: Sequence[str]) -> Document:
        query = "SELECT body FROM glue_partitions WHERE database = ? AND name = ? AND key = ?"
        for (body,) in self._read(query, database.lower(), name.lower(), _key(values)):
            return _document(body)
        self.table(database, name)
        raise not_found("Cannot find partition.")

    def add_partitions(self, database: str, name: str, inputs: Sequence[Document]) -> list[Document]:
        """Create from PartitionInputs in one transaction; -> those that exist already, which stay as they are."""
        table = self.table(database, name)
        with self._store.write() as db:
            present = [p for p in inputs if not self._insert(db, table, p)]
        self._changed((table["DatabaseName"], table["Name"]))
        return present

    def update_partition(self, database: str, name: str, values: Sequence[str], partition: Document) -> None:
        """Replace one, whose values may change."""
        table = self.table(database, name)
        with self._store.write() as db:
            old = self.partition(database, name, values)
            self.delete_partitions(database, name, [values])
            if not self._insert(db, table, partition | {"CreationTime": old["CreationTime"]}):
                raise already_exists("Partition")
        self._changed((table["DatabaseName"], table["Name"]))

    def delete_partitions(self, database: str, name: str, keys: Sequence[Sequence[str]]) -> list[Sequence[str]]:
        """-> the values for which there was no partition."""
        table = self.table(database, name)
        statement = "DELETE FROM glue_partitions WHERE database = ? AND name = ? AND key = ?"
        with self._store.write() as db:
            where = (table["DatabaseName"], table["Name"])
            absent = [v for v in keys if not db.execute(statement, (*where, _key(v))).rowcount]
        self._changed(where)
        return absent

    def generation(self, database: str, name: str) -> int:
        """A number that differs whenever the table's partitions may have changed since; for caches in this process."""
        return self._generations.get((database.lower(), name.lower()), 0)

    def _insert(self, db: Connection, table: Document, partition: Document) -> bool:
        values = partition.get("Values", [])
        if len(values) != len(table["PartitionKeys"]):
            raise invalid("The number of partition keys do not match the number of partition values")
        storage = _STORAGE_DEFAULTS | partition.get("StorageDescriptor", {})
        document = {"CreationTime": self._now(), "LastAccessTime": self._now(), "Parameters": {}} | partition
        document |= {
            "StorageDescriptor": storage,
            "DatabaseName": table["DatabaseName"],
            "TableName": table["Name"],
            "CatalogId": self._account,
        }
        row = (table["DatabaseName"], table["Name"], _key(values), storage.get("Location", ""), json.dumps(document))
        return db.execute("INSERT OR IGNORE INTO glue_partitions VALUES (?, ?, ?, ?, ?)", row).rowcount > 0

    def _changed(self, table: tuple[str, str]) -> None:
        with self._counting:
            self._generations[table] = self._generations.get(table, 0) + 1

    def _now(self) -> float:
        return round(self._clock(), 3)

    def _read(self, query: str, *parameters: str) -> list[tuple[Any, ...]]:
        # Committed state: inside a write block nobody else writes, and no method here reads what it has itself written.
        return self._store.read().execute(query, parameters).fetchall()


def _name(document: Document) -> str:
    name = str(document.get("Name", "")).lower()
    if not name:
        raise invalid("The name must not be empty")
    return name


def _key(values: Sequence[str]) -> str:
    return json.dumps(list(values), ensure_ascii=False)


def _document(body: str) -> Document:
    document: Document = json.loads(body)
    return document
