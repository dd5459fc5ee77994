"""Glue's databases and tables as Athena's API shows them: the data catalog AwsDataCatalog."""

from collections.abc import Callable
from typing import Any

from localaws.athena.catalog import Catalog, Document
from localaws.athena.pages import invalid, page
from localaws.errors import AwsError
from localaws.wire import Operation, Parameters

_CATALOG = "AwsDataCatalog"


class Metadata:
    """`operations` is this part of the API."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.operations: dict[str, Operation] = {
            "GetDataCatalog": self._get_data_catalog,
            "ListDataCatalogs": self._list_data_catalogs,
            "GetDatabase": self._get_database,
            "ListDatabases": self._list_databases,
            "GetTableMetadata": self._get_table_metadata,
            "ListTableMetadata": self._list_table_metadata,
        }

    def _get_data_catalog(self, p: Parameters) -> Parameters:
        _check_catalog(p["Name"])
        return {"DataCatalog": {"Name": _CATALOG, "Type": "GLUE", "Description": "", "Parameters": {}}}

    def _list_data_catalogs(self, _: Parameters) -> Parameters:
        return {"DataCatalogsSummary": [{"CatalogName": _CATALOG, "Type": "GLUE"}]}

    def _get_database(self, p: Parameters) -> Parameters:
        _check_catalog(p["CatalogName"])
        return {"Database": _database(self._found(lambda: self._catalog.database(p["DatabaseName"])))}

    def _list_databases(self, p: Parameters) -> Parameters:
        _check_catalog(p["CatalogName"])
        return page("DatabaseList", [_database(d) for d in self._catalog.databases()], p)

    def _get_table_metadata(self, p: Parameters) -> Parameters:
        _check_catalog(p["CatalogName"])
        return {"TableMetadata": _metadata(self._found(lambda: self._catalog.table(p["DatabaseName"], p["TableName"])))}

    def _list_table_metadata(self, p: Parameters) -> Parameters:
        _check_catalog(p["CatalogName"])
        tables: list[Document] = self._found(lambda: self._catalog.tables(p["DatabaseName"]))
        return page("TableMetadataList", [_metadata(t) for t in tables], p)

    def _found(self, look_up: Callable[[], Any]) -> Any:
        try:
            return look_up()
        except AwsError as e:
            raise AwsError("MetadataException", e.message) from e


def _check_catalog(name: str) -> None:
    if name.lower() != _CATALOG.lower():
        raise invalid(f"DataCatalog {name} was not found")


def _database(database: Document) -> Document:
    return {
        "Name": database["Name"],
        "Description": database.get("Description", ""),
        "Parameters": database.get("Parameters", {}),
    }


def _metadata(table: Document) -> Document:
    storage = table.get("StorageDescriptor", {})
    serde = storage.get("SerdeInfo", {})
    described = {
        "inputformat": storage.get("InputFormat", ""),
        "location": storage.get("Location", ""),
        "outputformat": storage.get("OutputFormat", ""),
        "serde.serialization.lib": serde.get("SerializationLibrary", ""),
    } | {f"serde.param.{k}": v for k, v in serde.get("Parameters", {}).items()}
    return {
        "Name": table["Name"],
        "CreateTime": table["CreateTime"],
        "TableType": table.get("TableType", ""),
        "Columns": [_column(c) for c in storage.get("Columns", [])],
        "PartitionKeys": [_column(c) for c in table.get("PartitionKeys", [])],
        "Parameters": table.get("Parameters", {}) | {k: v for k, v in described.items() if v},
    }


def _column(column: Document) -> Document:
    return {k: column[k] for k in ("Name", "Type", "Comment") if column.get(k)}
