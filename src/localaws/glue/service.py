"""AWS Glue's Data Catalog API: the wire in front of catalog.Catalog.

Databases, tables and their versions, partitions, tags and partition indexes (recorded, never needed: partitions are
looked up by key anyway). Jobs, crawlers and everything else of Glue go to `otherwise`.
"""

import contextlib
import functools
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from localaws.errors import AwsError
from localaws.glue.catalog import Catalog, Document, invalid, not_found
from localaws.glue.expression import parse
from localaws.glue.search import says
from localaws.store import Documents, Store
from localaws.wire import Handler, Operation, Parameters, Request, Response, json_service

_PAGE = 100  # tables, databases and versions a page, at most ("MaxResults: ... Maximum value of 100")
_PARTITION_PAGE = 1000
_BATCH = 100  # "Array Members: Maximum number of 100 items" of BatchCreatePartition; the others are checked alike
_BATCH_GET = 1000


class Glue:
    """`handler` answers AWS Glue; `catalog` is what Athena asks."""

    def __init__(self, store: Store, clock: Callable[[], float], account: str, region: str, otherwise: Handler) -> None:
        self.catalog = Catalog(store, clock, account)
        self._tags = Documents(store, "glue-tags")
        self._indexes = Documents(store, "glue-partition-indexes")
        self._prefix = f"arn:aws:glue:{region}:{account}:"
        self._ours = json_service("glue", self._operations(), otherwise)
        self._otherwise = otherwise

    async def handler(self, request: Request) -> Response:
        """Tags are ours for databases and tables, by the ARN; jobs, crawlers ... are not."""
        tagging = request.headers.get("x-amz-target", "").endswith(("Tags", "TagResource", "UntagResource"))
        if tagging and b":database/" not in request.body.data and b":table/" not in request.body.data:
            return await self._otherwise(request)
        return await self._ours(request)

    def _operations(self) -> dict[str, Operation]:
        catalog = self.catalog
        return {
            "CreateDatabase": self._create_database,
            "GetDatabase": lambda p: {"Database": catalog.database(p["Name"])},
            "GetDatabases": lambda p: _page("DatabaseList", catalog.databases(), p),
            "UpdateDatabase": self._update_database,
            "DeleteDatabase": self._delete_database,
            "CreateTable": self._create_table,
            "GetTable": lambda p: {"Table": catalog.table(p["DatabaseName"], p["Name"])},
            "GetTables": self._get_tables,
            "SearchTables": self._search_tables,
            "UpdateTable": self._update_table,
            "DeleteTable": lambda p: self._delete_table(p["DatabaseName"], p["Name"]),
            "BatchDeleteTable": self._batch_delete_table,
            "GetTableVersions": self._get_table_versions,
            "GetTableVersion": self._get_table_version,
            "CreatePartition": self._create_partition,
            "BatchCreatePartition": self._batch_create_partition,
            "GetPartition": self._get_partition,
            "GetPartitions": self._get_partitions,
            "BatchGetPartition": self._batch_get_partition,
            "UpdatePartition": self._update_partition,
            "BatchUpdatePartition": self._batch_update_partition,
            "DeletePartition": self._delete_partition,
            "BatchDeletePartition": self._batch_delete_partition,
            "GetPartitionIndexes": self._get_partition_indexes,
            "GetTags": lambda p: {"Tags": self._tags.get(p["ResourceArn"]) or {}},
            "TagResource": lambda p: self._tag(p["ResourceArn"], p["TagsToAdd"]),
            "UntagResource": self._untag,
        }

    # Databases

    def _create_database(self, p: Parameters) -> Parameters:
        self.catalog.create_database(p["DatabaseInput"])
        if p.get("Tags"):
            self._tag(f"{self._prefix}database/{p['DatabaseInput']['Name'].lower()}", p["Tags"])
        return {}

    def _update_database(self, p: Parameters) -> Parameters:
        self.catalog.update_database(p["Name"], p["DatabaseInput"])
        return {}

    def _delete_database(self, p: Parameters) -> Parameters:
        self.catalog.delete_database(p["Name"])
        self._tags.delete(f"{self._prefix}database/{p['Name'].lower()}")
        return {}

    # Tables

    def _create_table(self, p: Parameters) -> Parameters:
        table = p.get("TableInput")
        if table is None:
            raise invalid("TableInput is required")
        self.catalog.create_table(p["DatabaseName"], table)
        if p.get("PartitionIndexes"):
            self._indexes.put(_full_name(p["DatabaseName"], table["Name"]), {"PartitionIndexes": p["PartitionIndexes"]})
        return {}

    def _get_tables(self, p: Parameters) -> Parameters:
        tables = self.catalog.tables(p["DatabaseName"])
        if p.get("Expression"):
            pattern = _matching(p["Expression"])
            tables = [t for t in tables if pattern.fullmatch(t["Name"])]
        return _page("TableList", tables, p)

    def _search_tables(self, p: Parameters) -> Parameters:
        if p.get("Filters"):
            raise invalid("SearchTables with Filters is not supported by the local Glue yet; use SearchText")
        every = [t for d in self.catalog.databases() for t in self.catalog.tables(d["Name"])]
        return _page("TableList", [t for t in every if says(t, p.get("SearchText", "").lower())], p)

    def _update_table(self, p: Parameters) -> Parameters:
        table = p.get("TableInput")
        if table is None:
            raise invalid("TableInput is required")
        expected = p.get("VersionId")
        if expected is not None and self.catalog.table(p["DatabaseName"], table["Name"])["VersionId"] != expected:
            raise AwsError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
        self.catalog.update_table(p["DatabaseName"], table, archive=not p.get("SkipArchive", False))
        return {}

    def _delete_table(self, database: str, name: str) -> Parameters:
        self.catalog.delete_table(database, name)
        self._tags.delete(f"{self._prefix}table/{_full_name(database, name)}")
        self._indexes.delete(_full_name(database, name))
        return {}

    def _batch_delete_table(self, p: Parameters) -> Parameters:
        errors = []
        for name in _batch(p["TablesToDelete"]):
            try:
                self._delete_table(p["DatabaseName"], name)
            except AwsError as e:
                errors.append({"TableName": name, "ErrorDetail": _detail(e)})
        return {"Errors": errors}

    def _get_table_versions(self, p: Parameters) -> Parameters:
        versions = self.catalog.table_versions(p["DatabaseName"], p["TableName"])
        return _page("TableVersions", [{"Table": t, "VersionId": t["VersionId"]} for t in versions], p)

    def _get_table_version(self, p: Parameters) -> Parameters:
        versions = self.catalog.table_versions(p["DatabaseName"], p["TableName"])
        wanted = p.get("VersionId", versions[0]["VersionId"])
        for table in versions:
            if table["VersionId"] == wanted:
                return {"TableVersion": {"Table": table, "VersionId": wanted}}
        raise not_found(f"version {wanted} not found.")

    # Partitions

    def _create_partition(self, p: Parameters) -> Parameters:
        if self.catalog.add_partitions(p["DatabaseName"], p["TableName"], [p["PartitionInput"]]):
            raise AwsError("AlreadyExistsException", "Partition already exists.")
        return {}

    def _batch_create_partition(self, p: Parameters) -> Parameters:
        present = self.catalog.add_partitions(p["DatabaseName"], p["TableName"], _batch(p["PartitionInputList"]))
        problem = {"ErrorCode": "AlreadyExistsException", "ErrorMessage": "Partition already exists."}
        return {"Errors": [{"PartitionValues": q["Values"], "ErrorDetail": problem} for q in present]}

    def _get_partition(self, p: Parameters) -> Parameters:
        return {"Partition": self.catalog.partition(p["DatabaseName"], p["TableName"], p["PartitionValues"])}

    def _get_partitions(self, p: Parameters) -> Parameters:
        table = self.catalog.table(p["DatabaseName"], p["TableName"])
        expression = parse(
            p.get("Expression", ""), [(k["Name"], k.get("Type", "string")) for k in table["PartitionKeys"]]
        )
        segment = p.get("Segment")
        limit = min(p.get("MaxResults", _PARTITION_PAGE), _PARTITION_PAGE)
        page: list[Document] = []
        after = p.get("NextToken", "")
        keep = functools.partial(_wanted, expression, segment)
        for key, partition in self.catalog.partitions(p["DatabaseName"], p["TableName"], after, keep):
            if len(page) == limit:
                return {"Partitions": page, "NextToken": after}
            after = key
            if p.get("ExcludeColumnSchema"):
                partition["StorageDescriptor"].pop("Columns", None)
            page.append(partition)
        return {"Partitions": page}

    def _batch_get_partition(self, p: Parameters) -> Parameters:
        database, table = p["DatabaseName"], p["TableName"]
        self.catalog.table(database, table)
        found = []
        for entry in _batch(p["PartitionsToGet"], _BATCH_GET):
            with contextlib.suppress(AwsError):  # one that does not exist is left out of the answer
                found.append(self.catalog.partition(database, table, entry["Values"]))
        return {"Partitions": found}

    def _update_partition(self, p: Parameters) -> Parameters:
        values, partition = p["PartitionValueList"], p["PartitionInput"]
        partition.setdefault("Values", values)
        self.catalog.update_partition(p["DatabaseName"], p["TableName"], values, partition)
        return {}

    def _batch_update_partition(self, p: Parameters) -> Parameters:
        errors = []
        for entry in _batch(p["Entries"]):
            try:
                self._update_partition(p | entry)
            except AwsError as e:
                errors.append({"PartitionValueList": entry["PartitionValueList"], "ErrorDetail": _detail(e)})
        return {"Errors": errors}

    def _delete_partition(self, p: Parameters) -> Parameters:
        if self.catalog.delete_partitions(p["DatabaseName"], p["TableName"], [p["PartitionValues"]]):
            raise not_found("Cannot find partition.")
        return {}

    def _batch_delete_partition(self, p: Parameters) -> Parameters:
        keys = [entry["Values"] for entry in _batch(p["PartitionsToDelete"])]
        absent = self.catalog.delete_partitions(p["DatabaseName"], p["TableName"], keys)
        problem = {"ErrorCode": "EntityNotFoundException", "ErrorMessage": "Partition not found"}
        return {"Errors": [{"PartitionValues": list(v), "ErrorDetail": problem} for v in absent]}

    def _get_partition_indexes(self, p: Parameters) -> Parameters:
        table = self.catalog.table(p["DatabaseName"], p["TableName"])
        types = {k["Name"]: k.get("Type", "string") for k in table["PartitionKeys"]}
        recorded = self._indexes.get(_full_name(p["DatabaseName"], p["TableName"])) or {}
        return {
            "PartitionIndexDescriptorList": [
                {
                    "IndexName": index["IndexName"],
                    "Keys": [{"Name": k, "Type": types.get(k, "string")} for k in index["Keys"]],
                    "IndexStatus": "ACTIVE",
                }
                for index in recorded.get("PartitionIndexes", [])
            ]
        }

    # Tags

    def _tag(self, arn: str, tags: dict[str, str]) -> Parameters:
        self._tags.put(arn, (self._tags.get(arn) or {}) | tags)
        return {}

    def _untag(self, p: Parameters) -> Parameters:
        kept = {k: v for k, v in (self._tags.get(p["ResourceArn"]) or {}).items() if k not in p["TagsToRemove"]}
        self._tags.put(p["ResourceArn"], kept)
        return {}


def _page(name: str, entries: Sequence[Document], p: Parameters) -> Parameters:
    """One page of `entries`; the token is the number of entries before the next page."""
    try:
        start = int(p.get("NextToken") or 0)
    except ValueError as e:
        raise invalid("Invalid NextToken") from e
    end = start + min(p.get("MaxResults", _PAGE), _PAGE)
    more = {"NextToken": str(end)} if end < len(entries) else {}
    return {name: entries[start:end], **more}


def _batch(entries: Sequence[Any], limit: int = _BATCH) -> Sequence[Any]:
    if len(entries) > limit:
        raise AwsError("ValidationException", f"Member must have length less than or equal to {limit}")
    return entries


def _detail(error: AwsError) -> Document:
    return {"ErrorCode": error.code, "ErrorMessage": error.message}


def _wanted(expression: Callable[[list[str]], bool], segment: Document | None, values: list[str]) -> bool:
    """In the segment (a stable share of the partitions) and accepted by the expression."""
    if segment and _spread(values) % segment["TotalSegments"] != segment["SegmentNumber"]:
        return False
    return expression(values)


def _spread(values: Iterable[str]) -> int:
    return sum(ord(c) * (i + 1) for i, c in enumerate("/".join(values)))


def _matching(pattern: str) -> re.Pattern[str]:
    """The regular expression of GetTables, in which a lone * means any text ("sales*"), as Hive's patterns have it."""
    try:
        return re.compile(re.sub(r"(?<![.\])}])\*", ".*", pattern), re.IGNORECASE)
    except re.error as e:
        raise invalid(f"Invalid expression: {pattern}") from e


def _full_name(database: str, table: str) -> str:
    return f"{database.lower()}/{table.lower()}"
