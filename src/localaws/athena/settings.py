"""The smaller resources of Athena's API: workgroups and their tags, named queries, prepared statements, data catalogs.

Each is a durable document. A workgroup's configuration is kept as it came, with AWS's defaults filled in.
"""

from collections.abc import Callable, Sequence
from typing import Any

from localaws.athena.catalog import Catalog
from localaws.errors import AwsError
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

Document = dict[str, Any]

_PRIMARY = "primary"
_CATALOG = "AwsDataCatalog"
_ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
# docs.aws.amazon.com/athena/latest/APIReference/API_WorkGroupConfiguration.html
_CONFIGURATION: Document = {
    "EnforceWorkGroupConfiguration": True,
    "PublishCloudWatchMetricsEnabled": True,
    "RequesterPaysEnabled": False,
    "EnableMinimumEncryptionConfiguration": False,
    "EngineVersion": _ENGINE,
    "ResultConfiguration": {},
}
_PAGE = 50


def invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


class Settings:
    """`operations` is this part of the API; `workgroup` is what a query needs."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        catalog: Catalog,
    ) -> None:
        self._groups = Documents(store, "athena-workgroup")
        self._queries = Documents(store, "athena-named-query")
        self._prepared = Documents(store, "athena-prepared-statement")
        self._tags = Documents(store, "athena-tags")
        self._clock = clock
        self._ids = ids
        self._arn = f"arn:aws:athena:{region}:{account}:"
        self._catalog = catalog
        self.operations: dict[str, Operation] = {
            "CreateWorkGroup": self._create_workgroup,
            "GetWorkGroup": lambda p: {"WorkGroup": self.workgroup(p["WorkGroup"])},
            "UpdateWorkGroup": self._update_workgroup,
            "DeleteWorkGroup": self._delete_workgroup,
            "ListWorkGroups": self._list_workgroups,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": self._list_tags,
            "CreateNamedQuery": self._create_named_query,
            "GetNamedQuery": lambda p: {"NamedQuery": self._named_query(p["NamedQueryId"])},
            "BatchGetNamedQuery": self._batch_get_named_query,
            "ListNamedQueries": self._list_named_queries,
            "DeleteNamedQuery": self._delete_named_query,
            "CreatePreparedStatement": self._create_prepared,
            "GetPreparedStatement": self._get_prepared,
            "UpdatePreparedStatement": self._update_prepared,
            "DeletePreparedStatement": self._delete_prepared,
            "ListPreparedStatements": self._list_prepared,
            "GetDataCatalog": self._get_data_catalog,
            "ListDataCatalogs": self._list_data_catalogs,
            "GetDatabase": self._get_database,
            "ListDatabases": self._list_databases,
            "GetTableMetadata": self._get_table_metadata,
            "ListTableMetadata": self._list_table_metadata,
        }

    # Workgroups

    def workgroup(self, name: str) -> Document:
        """A WorkGroup; "primary" always exists. InvalidRequestException for another that doesn't."""
        found = self._groups.get(name)
        if found is not None:
            return found
        if name == _PRIMARY:
            configuration = _CONFIGURATION | {"EnforceWorkGroupConfiguration": False}
            return {"Name": _PRIMARY, "State": "ENABLED", "Configuration": configuration, "CreationTime": 0.0}
        raise invalid(f"WorkGroup {name} is not found.")

    def _create_workgroup(self, p: Parameters) -> Parameters:
        name = p["Name"]
        if name == _PRIMARY or self._groups.get(name) is not None:
            raise invalid("WorkGroup is already created")
        configuration = _CONFIGURATION | p.get("Configuration", {}) | {"EngineVersion": _ENGINE}
        group = {"Name": name, "State": "ENABLED", "Configuration": configuration, "CreationTime": self._clock()}
        self._groups.put(name, group | {k: p[k] for k in ("Description",) if k in p})
        if p.get("Tags"):
            self._put_tags(f"{self._arn}workgroup/{name}", {t["Key"]: t.get("Value", "") for t in p["Tags"]})
        return {}

    def _update_workgroup(self, p: Parameters) -> Parameters:
        group = self.workgroup(p["WorkGroup"])
        configuration = group["Configuration"] | _updated(group["Configuration"], p.get("ConfigurationUpdates", {}))
        changes = {k: p[k] for k in ("Description", "State") if k in p}
        self._groups.put(group["Name"], group | changes | {"Configuration": configuration})
        return {}

    def _delete_workgroup(self, p: Parameters) -> Parameters:
        name = p["WorkGroup"]
        if name == _PRIMARY:
            raise invalid("WorkGroup primary cannot be deleted.")
        self.workgroup(name)
        held = [i for i, q in self._queries.items() if q["WorkGroup"] == name]
        statements = [i for i, _ in self._prepared.items(f"{name}/")]
        if (held or statements) and not p.get("RecursiveDeleteOption"):
            raise invalid(f"WorkGroup {name} is not empty")
        for number in held:
            self._queries.delete(number)
        for statement in statements:
            self._prepared.delete(statement)
        self._tags.delete(f"{self._arn}workgroup/{name}")
        self._groups.delete(name)
        return {}

    def _list_workgroups(self, p: Parameters) -> Parameters:
        groups = {_PRIMARY: self.workgroup(_PRIMARY)} | dict(self._groups.items())
        summaries = [
            {
                "Name": g["Name"],
                "State": g["State"],
                "Description": g.get("Description", ""),
                "CreationTime": g["CreationTime"],
                "EngineVersion": g["Configuration"]["EngineVersion"],
            }
            for g in groups.values()
        ]
        return page("WorkGroups", summaries, p)

    # Tags

    def _tag(self, p: Parameters) -> Parameters:
        self._put_tags(p["ResourceARN"], {t["Key"]: t.get("Value", "") for t in p["Tags"]})
        return {}

    def _put_tags(self, arn: str, tags: dict[str, str]) -> None:
        self._tags.put(arn, (self._tags.get(arn) or {}) | tags)

    def _untag(self, p: Parameters) -> Parameters:
        kept = {k: v for k, v in (self._tags.get(p["ResourceARN"]) or {}).items() if k not in p["TagKeys"]}
        self._tags.put(p["ResourceARN"], kept)
        return {}

    def _list_tags(self, p: Parameters) -> Parameters:
        tags = [{"Key": k, "Value": v} for k, v in (self._tags.get(p["ResourceARN"]) or {}).items()]
        return page("Tags", tags, p, 100)

    # Named queries

    def _create_named_query(self, p: Parameters) -> Parameters:
        number = self._ids()
        group = p.get("WorkGroup", _PRIMARY)
        self.workgroup(group)
        kept = {k: p[k] for k in ("Name", "Description", "Database", "QueryString") if k in p}
        self._queries.put(number, kept | {"NamedQueryId": number, "WorkGroup": group})
        return {"NamedQueryId": number}

    def _named_query(self, number: str) -> Document:
        found = self._queries.get(number)
        if found is None:
            raise invalid(f"NamedQuery {number} was not found")
        return found

    def _batch_get_named_query(self, p: Parameters) -> Parameters:
        found = {i: self._queries.get(i) for i in p["NamedQueryIds"]}
        missing = [i for i, query in found.items() if query is None]
        return {
            "NamedQueries": [q for q in found.values() if q is not None],
            "UnprocessedNamedQueryIds": [
                {"NamedQueryId": i, "ErrorCode": "INTERNAL_FAILURE", "ErrorMessage": f"NamedQuery {i} was not found"}
                for i in missing
            ],
        }

    def _list_named_queries(self, p: Parameters) -> Parameters:
        group = p.get("WorkGroup", _PRIMARY)
        return page("NamedQueryIds", [i for i, q in self._queries.items() if q["WorkGroup"] == group], p)

    def _delete_named_query(self, p: Parameters) -> Parameters:
        self._named_query(p["NamedQueryId"])
        self._queries.delete(p["NamedQueryId"])
        return {}

    # Prepared statements

    def _create_prepared(self, p: Parameters) -> Parameters:
        key = f"{p['WorkGroup']}/{p['StatementName']}"
        self.workgroup(p["WorkGroup"])
        if self._prepared.get(key) is not None:
            raise invalid(f"PreparedStatement {p['StatementName']} already exists")
        return self._put_prepared(key, p)

    def _put_prepared(self, key: str, p: Parameters) -> Parameters:
        kept = {k: p[k] for k in ("StatementName", "QueryStatement", "Description") if k in p}
        changed = {"WorkGroupName": p["WorkGroup"], "LastModifiedTime": self._clock()}
        self._prepared.put(key, kept | changed)
        return {}

    def _prepared_statement(self, p: Parameters) -> Document:
        found = self._prepared.get(f"{p['WorkGroup']}/{p['StatementName']}")
        if found is None:
            message = f"PreparedStatement {p['StatementName']} was not found in workGroup {p['WorkGroup']}"
            raise AwsError("ResourceNotFoundException", message)
        return found

    def _get_prepared(self, p: Parameters) -> Parameters:
        return {"PreparedStatement": self._prepared_statement(p)}

    def _update_prepared(self, p: Parameters) -> Parameters:
        self._prepared_statement(p)
        return self._put_prepared(f"{p['WorkGroup']}/{p['StatementName']}", p)

    def _delete_prepared(self, p: Parameters) -> Parameters:
        self._prepared_statement(p)
        self._prepared.delete(f"{p['WorkGroup']}/{p['StatementName']}")
        return {}

    def _list_prepared(self, p: Parameters) -> Parameters:
        statements = [s for _, s in self._prepared.items(f"{p['WorkGroup']}/")]
        summaries = [{k: s[k] for k in ("StatementName", "LastModifiedTime")} for s in statements]
        return page("PreparedStatements", summaries, p)

    # The data catalog

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


def page(name: str, entries: Sequence[Any], p: Parameters, most: int = _PAGE) -> Parameters:
    """One page of a list; the token is the number of entries before the next page."""
    token = p.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid("Invalid NextToken")
    start, end = int(token), int(token) + min(p.get("MaxResults", most), most)
    more = {"NextToken": str(end)} if end < len(entries) else {}
    return {name: list(entries[start:end]), **more}


def _updated(old: Document, updates: Document) -> Document:
    """ConfigurationUpdates against a configuration: "RemoveX": true removes X, the rest replaces."""
    results = old.get("ResultConfiguration", {})
    changes = dict(updates)
    wanted = changes.pop("ResultConfigurationUpdates", {})
    new = results | {k: v for k, v in wanted.items() if not k.startswith("Remove")}
    for key in [k.removeprefix("Remove") for k, v in wanted.items() if k.startswith("Remove") and v]:
        new.pop(key, None)
    removed = changes.pop("RemoveBytesScannedCutoffPerQuery", False)
    changes.pop("EngineVersion", None)
    changed = changes | {"ResultConfiguration": new}
    if removed:
        old.pop("BytesScannedCutoffPerQuery", None)
    return changed


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
