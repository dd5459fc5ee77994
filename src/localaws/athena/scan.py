"""A Glue table as a relation over its files: Glue's columns in Glue's order and types, the partition keys last, then
the hidden columns that are asked for.

Each format has a reader that selects the columns by name from some files; files that must be read in different ways are
branches of one UNION ALL. A column that a file doesn't have is NULL, one that Glue doesn't have is not read.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from localaws.athena import json_files, parquet_files, regex_files, text_files
from localaws.athena.facts import Facts
from localaws.athena.failures import not_supported
from localaws.athena.lake import File, Partition
from localaws.athena.layouts import partition_spec
from localaws.athena.quoting import listed, literal, name
from localaws.athena.table import Column, Scan, Table, TableReader
from localaws.athena.types import VARCHAR, Type

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")  # a value that stands in a path as it is
_READERS: dict[str, TableReader] = {
    "org.openx.data.jsonserde.JsonSerDe": json_files.openx,
    "org.apache.hive.hcatalog.data.JsonSerDe": json_files.hive,
    "org.apache.hadoop.hive.serde2.JsonSerDe": json_files.hive,
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": parquet_files.read,
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe": text_files.lazy,
    "org.apache.hadoop.hive.serde2.OpenCSVSerde": text_files.quoted,
    "org.apache.hadoop.hive.serde2.RegexSerDe": regex_files.read,
}


def relation(scan: Scan, facts: Facts) -> str:
    """The scan as the text of a SELECT in DuckDB's SQL."""
    table = scan.table
    hidden = hidden_columns(scan.hidden)
    if not scan.files():
        return _nothing([*table.columns, *table.keys, *hidden])
    reader = _reader(table)
    if reader is not parquet_files.read:
        _check_compression(scan.files())
    in_paths = _in_paths(scan)
    types = ", ".join(f"{literal(k.name)}: {literal(k.type.duckdb())}" for k in table.keys)
    hive = f"hive_partitioning = true, hive_types = {{{types}}}"
    source = hive if in_paths and table.keys else "hive_partitioning = false"
    branches = reader(table, scan.files(), facts, f"{source}, filename = 't_file'")
    added = [*([] if in_paths else table.keys), *hidden]
    every = " UNION ALL ".join(_with(added, b, scan) for b in branches)
    return f"SELECT {', '.join(name(c.name) for c in [*table.columns, *table.keys, *hidden])} FROM ({every})"


def _nothing(columns: Sequence[Column]) -> str:
    nulls = ", ".join(f"CAST(NULL AS {c.type.duckdb()}) AS {name(c.name)}" for c in columns)
    return f"SELECT {nulls} WHERE false"


def _in_paths(scan: Scan) -> bool:
    """Do the directories of every file say k=v for exactly this table's keys? Then DuckDB reads the values there."""
    names = [k.name for k in scan.table.keys]
    for partition, files in scan.partitions:
        tail = "/".join(f"{k}={v}" for k, v in zip(names, partition.values, strict=True))
        if not all(_PLAIN.fullmatch(v) for v in partition.values):
            return False
        for file in files:
            directory, _, _ = file.path.rpartition("/")
            if not (directory == tail or directory.endswith("/" + tail)):
                return False
    return True


def _with(added: Sequence[Column], branch: str, scan: Scan) -> str:
    """A branch with columns whose values each file has once: they come from a table of the files."""
    if not added:
        return branch
    files = [(f, p) for p, files in scan.partitions for f in files]
    told = [{k.name: v for k, v in zip(scan.table.keys, p.keys(), strict=True)} for _, p in files]
    lists = [f"unnest({listed(f.path for f, _ in files)}) AS t_file"]
    for column in added:
        hidden = _HIDDEN.get(column.name)
        values = [
            hidden[1](scan.table, f, p) if hidden else keys[column.name]
            for (f, p), keys in zip(files, told, strict=True)
        ]
        lists.append(f"CAST(unnest({listed(values)}) AS {column.type.duckdb()}) AS {name(column.name)}")
    return f"SELECT * FROM ({branch}) JOIN (SELECT {', '.join(lists)}) USING (t_file)"


# Columns that * doesn't give: "$path" of docs.aws.amazon.com/athena/latest/ug/select.html, and its like in Trino.


def _path(_: Table, file: File, partition: Partition) -> str:
    return f"s3://{partition.location.partition('://')[2].partition('/')[0]}/{file.key}"


def _modified(_: Table, file: File, __: Partition) -> str:
    """S3's LastModified, in whole seconds."""
    return datetime.fromtimestamp(int(file.modified), UTC).isoformat()


def _partition(table: Table, _: File, partition: Partition) -> str:
    return partition_spec([k.name for k in table.keys], partition.values)


_HIDDEN: dict[str, tuple[Type, Callable[[Table, File, Partition], str]]] = {
    "$path": (VARCHAR, _path),
    "$file_size": (Type("bigint"), lambda _, file, __: str(file.size)),
    "$file_modified_time": (Type("timestamp with time zone"), _modified),
    "$partition": (VARCHAR, _partition),
}
_REFUSED = ("$bucket", "$row_id")
_NOT_DECOMPRESSED = {"bz2", "deflate", "lz4", "lzo", "lzo_deflate", "snappy"}


def hidden_columns(names: Iterable[str]) -> list[Column]:
    """Those of the names that are hidden columns."""
    named = set(names)
    for refused in _REFUSED:
        if refused in named:
            raise not_supported(f'the column "{refused}"')
    return [Column(n, kind) for n, (kind, _) in _HIDDEN.items() if n in named]


def _check_compression(files: Sequence[File]) -> None:
    """How text is compressed the end of its file's name says (Athena's compression-formats.html),
    and DuckDB would read what it doesn't know as it is."""
    for file in files:
        ending = file.key.rpartition(".")[2].lower()
        if ending in _NOT_DECOMPRESSED:
            raise not_supported(f"reading files compressed as .{ending} (.gz and .zst are read)")


def _reader(table: Table) -> TableReader:
    if table.parameters.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("an Iceberg table")
    if table.serde not in _READERS:
        raise not_supported(f"the SerDe {table.serde or '(none)'}")
    return _READERS[table.serde]
