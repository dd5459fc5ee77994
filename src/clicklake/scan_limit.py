"""What a query would read, before it is run.

EXPLAIN names the tables and the partitions that are chosen, and reads nothing: "Athena does not charge" for it
(docs.aws.amazon.com/athena/latest/ug/athena-explain-statement.html). S3 says how large their files are. So the answer
is a bound, not an estimate: of Parquet a query reads only the columns that it names.

    expected(target, sql, workgroup, database)   -> Expected, or None if it can't be known
"""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from clicklake import query
from clicklake.errors import RefusedError
from clicklake.target import Target, translated

_READING = re.compile(r"(?:\s|--[^\n]*\n|/\*.*?\*/|\()*(?:SELECT|WITH|TABLE)\b", re.IGNORECASE | re.DOTALL)
_AT_ONCE = 16
_LAPTOPS_FILES = re.compile(r"^    Files: \d+, (\d+) bytes$")


@dataclass(frozen=True, slots=True)
class Expected:
    """At most so many bytes of so many tables' files."""

    bytes: int
    tables: tuple[str, ...]


def expected(target: Target, sql: str, workgroup: str, database: str) -> Expected | None:
    """None for statements that are no SELECT, and for those that EXPLAIN refuses."""
    if not _READING.match(sql):
        return None
    try:
        said = query.run(target, f"EXPLAIN (TYPE IO, FORMAT JSON) {sql}", workgroup, database).rows
        text = "\n".join(row[0] or "" for row in said)
        return of_plan(target, json.loads(text[text.index("{") :]))  # a first row may hold the column's name
    except RefusedError:
        return _of_laptop(target, sql, workgroup, database)
    except (ValueError, KeyError, TypeError, AttributeError):  # a plan of a form that nobody has told us of
        return None


def _of_laptop(target: Target, sql: str, workgroup: str, database: str) -> Expected | None:
    """The laptop's Athena has no TYPE IO, for its plan is another engine's; its text has the bytes themselves."""
    try:
        said = [row[0] or "" for row in query.run(target, f"EXPLAIN {sql}", workgroup, database).rows]
    except RefusedError:
        return None
    tables = tuple(line.partition("awsdatacatalog:")[2][:-1] for line in said if line.startswith("TableScan["))
    sizes = [int(found[1]) for line in said if (found := _LAPTOPS_FILES.match(line))]
    return Expected(sum(sizes), tables) if sizes or said[:1] == ["Query Plan"] else None


# --- a plan of Athena's ----------------------------------------------------------------------------------------------


def of_plan(target: Target, plan: dict[str, Any]) -> Expected:
    """Bytes of the files in the partitions that a plan (TYPE IO, FORMAT JSON) has for each table."""
    tables = plan["inputTableColumnInfos"]
    total, named = 0, []
    for table in tables:
        name = table["table"]["schemaTable"]
        total += sum(_sizes(target, name["schema"], name["table"], _constraints(table)))
        named.append(f"{name['schema']}:{name['table']}")
    return Expected(total, tuple(named))


def _constraints(table: dict[str, Any]) -> dict[str, dict[str, Any]] | None:
    """Domains by column; None if nothing is read. Trino had them at the table first, and in `constraint` later."""
    holder = table.get("constraint", table)
    if holder.get("none"):
        return None
    return {found["columnName"].lower(): found for found in holder.get("columnConstraints", ())}


def _sizes(target: Target, database: str, name: str, constraints: dict[str, dict[str, Any]] | None) -> Iterator[int]:
    if constraints is None:
        return
    glue, s3 = target.client("glue"), target.client("s3", max_pool_connections=_AT_ONCE)
    with translated():
        table = glue.get_table(DatabaseName=database, Name=name)["Table"]
        keys = [key["Name"].lower() for key in table.get("PartitionKeys", ())]
        locations = [
            partition["StorageDescriptor"]["Location"]
            for page in glue.get_paginator("get_partitions").paginate(DatabaseName=database, TableName=name)
            for partition in page["Partitions"]
            if _chosen(dict(zip(keys, partition["Values"], strict=True)), constraints)
        ] or ([] if keys and not _projected(table) else [table["StorageDescriptor"]["Location"]])
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            yield from pool.map(lambda location: _listed(s3, location), locations)


def _projected(table: dict[str, Any]) -> bool:
    """Its partitions are not in Glue; all of its files are a bound, too."""
    return str(table.get("Parameters", {}).get("projection.enabled")).lower() == "true"


def _listed(s3: Any, location: str) -> int:
    bucket, _, prefix = location.removeprefix("s3://").partition("/")
    folder = f"{prefix.rstrip('/')}/"
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
    return sum(item["Size"] for page in pages for item in page.get("Contents", ()))


def _chosen(partition: dict[str, str], constraints: dict[str, dict[str, Any]]) -> bool:
    """Each column by itself, as the plan has them: the product may have more days than the query, and never fewer."""
    return all(name not in constraints or _within(value, constraints[name]) for name, value in partition.items())


def _within(value: str, constraint: dict[str, Any]) -> bool:
    ranges = constraint.get("domain", {}).get("ranges")
    if ranges is None:
        return True
    read = int if str(constraint.get("type", constraint.get("typeSignature"))).lower() in _INTEGERS else str
    return any(
        _above(value, found.get("low", {}), read) and _below(value, found.get("high", {}), read) for found in ranges
    )


_INTEGERS = {"tinyint", "smallint", "integer", "bigint"}


def _above(value: str, low: dict[str, Any], read: Any) -> bool:
    if "value" not in low:
        return True
    mine, its = read(value), read(low["value"])
    return bool(mine > its or (mine == its and low["bound"] == "EXACTLY"))


def _below(value: str, high: dict[str, Any], read: Any) -> bool:
    if "value" not in high:
        return True
    mine, its = read(value), read(high["value"])
    return bool(mine < its or (mine == its and high["bound"] == "EXACTLY"))
