"""A statement's names looked up in the catalog, and the words of Hive's for what is wrong."""

from localaws.athena.catalog import Catalog, Document
from localaws.athena.failures import QueryFailure
from localaws.athena.reader import Name
from localaws.errors import AwsError


class Named:
    """`own` is the query's own database, for names without one."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def exists(self, database: str) -> bool:
        return any(d["Name"] == database.lower() for d in self._catalog.databases())

    def database(self, name: Name, own: str) -> str:
        database = name.database or own
        if not database or not self.exists(database):
            raise no_database(database or "default")
        return database

    def table(self, name: Name, own: str) -> Document:
        database = self.database(name, own)
        try:
            return self._catalog.table(database, name.name)
        except AwsError as e:
            raise no_table(database, name.name) from e


def as_input(table: Document) -> Document:
    """A TableInput of a Table."""
    kept = ("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "ViewOriginalText",
            "ViewExpandedText", "TableType", "Parameters", "TargetTable")  # fmt: skip
    return {k: table[k] for k in kept if k in table}


def execution_error(message: str) -> QueryFailure:
    return QueryFailure(
        f"FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. {message}"
    )


def semantic_error(number: int, message: str) -> QueryFailure:
    return QueryFailure(f"FAILED: SemanticException [Error {number}]: {message}")


def no_database(database: str) -> QueryFailure:
    return semantic_error(10072, f"Database does not exist: {database}")


def no_table(database: str, name: str) -> QueryFailure:
    return semantic_error(10001, f"Table not found {database}.{name}")
