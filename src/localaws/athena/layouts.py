"""How Hive writes a table down: DESCRIBE's columns padded to 20 and parted by tabs, CREATE TABLE's clauses, and a
partition's key1=v/key2=v. (docs.aws.amazon.com/athena/latest/ug/describe-table.html, show-create-table.html)
"""

import re
from collections.abc import Sequence

from localaws.athena.catalog import Document

_DEFAULT_OPTION = ("serialization.format", "1")  # which Hive leaves out (DDLTask.showCreateTable)


def describe(table: Document) -> list[str]:
    """DESCRIBE's lines."""
    lines = [_described(c) for c in columns(table)]
    if table.get("PartitionKeys"):
        lines += ["\t \t ", "# Partition Information\t \t ", _padded("# col_name", "data_type", "comment"), "\t \t "]
        lines += [_described(c) for c in table["PartitionKeys"]]
    return lines


def _described(column: Document) -> str:
    return _padded(column["Name"], column.get("Type", ""), column.get("Comment", ""))


def _padded(*parts: str) -> str:
    return "\t".join(f"{p:<20}" for p in parts)


def create_table(table: Document, named: str) -> str:
    """The statement that makes the table, as SHOW CREATE TABLE lays it out; `named` as that statement named it
    (awswrangler's test_athena, on AWS)."""
    storage, serde = table["StorageDescriptor"], table["StorageDescriptor"].get("SerdeInfo", {})
    parts = [f"CREATE EXTERNAL TABLE `{named}`(", _defined(storage["Columns"]) + ")"]
    if table.get("PartitionKeys"):
        parts += ["PARTITIONED BY ( ", _defined(table["PartitionKeys"]) + ")"]
    parts += ["ROW FORMAT SERDE ", f"  '{serde.get('SerializationLibrary', '')}' "]
    options = {k: v for k, v in (serde.get("Parameters") or {}).items() if (k, v) != _DEFAULT_OPTION}
    if options:
        parts += ["WITH SERDEPROPERTIES ( ", _properties(options)]
    parts += ["STORED AS INPUTFORMAT ", f"  '{storage.get('InputFormat', '')}' "]
    parts += ["OUTPUTFORMAT ", f"  '{storage.get('OutputFormat', '')}'"]
    parts += ["LOCATION", f"  '{storage.get('Location', '')}'"]
    if table.get("Parameters"):
        parts += ["TBLPROPERTIES (", _properties(table["Parameters"])]
    return "\n".join(parts)


def _defined(columns: Sequence[Document]) -> str:
    lines = []
    for column in columns:
        comment = f" COMMENT '{column['Comment']}'" if column.get("Comment") else ""
        lines.append(f"  `{column['Name']}` {column['Type']}{comment}")
    return ", \n".join(lines)


def _properties(properties: dict[str, str]) -> str:
    return ", \n".join(f"  '{k}'='{v}'" for k, v in sorted(properties.items())) + ")"


def columns(table: Document) -> list[Document]:
    """With the partition keys, last."""
    return [*table.get("StorageDescriptor", {}).get("Columns", []), *table.get("PartitionKeys", [])]


def names(table: Document) -> list[str]:
    return [c["Name"].lower() for c in columns(table)]


def keys(table: Document) -> list[str]:
    return [k["Name"].lower() for k in table.get("PartitionKeys", [])]


def partition_spec(names: Sequence[str], values: Sequence[str]) -> str:
    return "/".join(f"{n}={_escaped(v)}" for n, v in zip(names, values, strict=True))


# Hive writes these characters of a partition's value as %XX (FileUtils.escapePathName).
_ESCAPED = set("\"#%'*/:=?\\{[]^\x7f") | {chr(i) for i in range(1, 32)}


def _escaped(value: str) -> str:
    return "".join(f"%{ord(c):02X}" if c in _ESCAPED else c for c in value)


def unescaped(value: str) -> str:
    """The value that a directory's name stands for."""
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda m: chr(int(m[1], 16)), value)
