"""What Glue has, brought in line with what catalog.py describes: tables, and with them the partitions they have."""

from collections.abc import Iterator
from typing import Any

from clicklake.catalog import Document, format_of, partition_like
from clicklake.errors import RefusedError

_BATCH = 100  # entries of a BatchUpdatePartition, at most


def bring_up_to_date(glue: Any, database: str, wanted: Document) -> None:
    """Create or update the table of the TableInput `wanted`; partitions take over its columns and format."""
    try:
        found = glue.get_table(DatabaseName=database, Name=wanted["Name"])["Table"]
    except glue.exceptions.EntityNotFoundException:
        glue.create_table(DatabaseName=database, TableInput=wanted)
        return
    if not _says(found, wanted):
        glue.update_table(DatabaseName=database, TableInput=wanted)
    if wanted["PartitionKeys"]:
        update_partitions(glue, database, wanted)


def _says(found: Any, wanted: Any) -> bool:
    """Glue adds its defaults to what it was told, inside of the storage descriptor, too."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(_says(found.get(key), value) for key, value in wanted.items())
    return bool(found == wanted)


def update_partitions(glue: Any, database: str, table: Document) -> int:
    """Give each partition its table's columns and format, where it has others; the number of them.

    A partition was registered with the columns of its day. Without this, a column that is added at noon would be NULL
    in Athena for all of that day, whatever its files have.
    """
    entries = [
        {"PartitionValueList": partition["Values"], "PartitionInput": partition_like(partition, table)}
        for partition in partitions(glue, database, table["Name"])
        if _differs(partition["StorageDescriptor"], table["StorageDescriptor"])
    ]
    for at in range(0, len(entries), _BATCH):
        answer = glue.batch_update_partition(
            DatabaseName=database, TableName=table["Name"], Entries=entries[at : at + _BATCH]
        )
        for error in answer.get("Errors", []):
            detail = error["ErrorDetail"]
            raise RefusedError(
                f"BatchUpdatePartition: {detail['ErrorCode']}: {detail['ErrorMessage']}", code=detail["ErrorCode"]
            )
    return len(entries)


def partitions(glue: Any, database: str, table: str) -> Iterator[Document]:
    for page in glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=table):
        yield from page["Partitions"]


def _differs(mine: Document, table: Document) -> bool:
    return mine["Columns"] != table["Columns"] or format_of(mine) != format_of(table)


def table(glue: Any, database: str, name: str) -> Document:
    """As Glue has it."""
    found: Document = glue.get_table(DatabaseName=database, Name=name)["Table"]
    return found


def location_of(table: Document, values: tuple[str, ...]) -> str:
    """Where the processor has a partition's files: below the table's own location."""
    keys = (key["Name"] for key in table["PartitionKeys"])
    folders = "/".join(f"{key}={value}" for key, value in zip(keys, values, strict=True))
    return f"{table['StorageDescriptor']['Location'].rstrip('/')}/{folders}/"


def register(glue: Any, database: str, table: Document, values: tuple[str, ...]) -> None:
    """Make the partition what the processor makes it, whether it is there or not."""
    storage = table["StorageDescriptor"] | {"Location": location_of(table, values)}
    where = {"DatabaseName": database, "TableName": table["Name"]}
    wanted = {"Values": list(values), "StorageDescriptor": storage}
    try:
        glue.create_partition(**where, PartitionInput=wanted)
    except glue.exceptions.AlreadyExistsException:
        glue.update_partition(**where, PartitionValueList=list(values), PartitionInput=wanted)
