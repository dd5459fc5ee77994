"""A Glue table as a relation over its files: Glue's columns in Glue's order and types, the partition keys last.

Each format has a reader that selects the columns by name from some files; files whose schemas differ are read by
branches of one UNION ALL. A column that a file doesn't have is NULL, one that Glue doesn't have is not read.
"""

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from localaws.athena import delimited
from localaws.athena.facts import Facts
from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.lake import File, Partition
from localaws.athena.types import Type, parse_hive

_PLAIN = re.compile(r"[A-Za-z0-9_.-]+")  # a value that stands in a path as it is
_TRUE = "true"


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type: Type


@dataclass(frozen=True, slots=True)
class Table:
    """What a scan needs of Glue's Table."""

    database: str
    name: str
    columns: tuple[Column, ...]
    keys: tuple[Column, ...]
    location: str
    serde: str
    options: Mapping[str, str]
    parameters: Mapping[str, str]

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> "Table":
        storage = document.get("StorageDescriptor", {})
        serde = storage.get("SerdeInfo", {})
        return cls(
            document["DatabaseName"],
            document["Name"],
            _columns(storage.get("Columns", [])),
            _columns(document.get("PartitionKeys", [])),
            storage.get("Location", ""),
            serde.get("SerializationLibrary", ""),
            {k.lower(): v for k, v in serde.get("Parameters", {}).items()},
            document.get("Parameters", {}),
        )

    def types(self) -> dict[str, Type]:
        return {c.name: c.type for c in (*self.columns, *self.keys)}


@dataclass(slots=True)
class Scan:
    """One place where a query reads a table; `partitions` are those left after pruning, with their files."""

    table: Table
    partitions: list[tuple[Partition, list[File]]] = field(default_factory=list)
    with_path: bool = False
    where: str = ""  # what chose the partitions

    def files(self) -> list[File]:
        return [f for _, files in self.partitions for f in files]


def _columns(columns: Sequence[Mapping[str, str]]) -> tuple[Column, ...]:
    try:
        return tuple(Column(c["Name"].lower(), parse_hive(c.get("Type", "string"))) for c in columns)
    except ValueError as e:
        raise QueryFailure(f"HIVE_INVALID_METADATA: {e}") from e


# A reader: (scan's table, files, facts, options of where the keys come from) -> SELECTs of the table's columns
Reader = Callable[[Table, Sequence[File], Facts, str], list[str]]


def relation(scan: Scan, facts: Facts) -> str:
    """The scan as the text of a SELECT in DuckDB's SQL."""
    table = scan.table
    if not scan.files():
        return _nothing(scan)
    reader = _reader(table)
    hive = _in_paths(scan)
    types = ", ".join(f"{_string(k.name)}: {_string(k.type.duckdb())}" for k in table.keys)
    source = (
        f"hive_partitioning = true, hive_types = {{{types}}}" if hive and table.keys else "hive_partitioning = false"
    )
    branches = reader(table, scan.files(), facts, f"{source}, filename = 't_file'")
    names = [*(f"{_name(c.name)}" for c in table.columns), *(_name(k.name) for k in table.keys)]
    every = " UNION ALL ".join(_with_keys(b, scan, hive) for b in branches)
    path = [f"{_path(scan)} AS {_name('$path')}"] if scan.with_path else []
    return f"SELECT {', '.join([*names, *path])} FROM ({every})"


def _nothing(scan: Scan) -> str:
    columns = [*scan.table.columns, *scan.table.keys, *([Column("$path", Type("varchar"))] if scan.with_path else [])]
    nulls = ", ".join(f"CAST(NULL AS {c.type.duckdb()}) AS {_name(c.name)}" for c in columns)
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


def _with_keys(branch: str, scan: Scan, hive: bool) -> str:
    """Add the partition keys to a branch: they are there already, or they come from a table of the files."""
    if hive or not scan.table.keys:
        return branch
    keys = scan.table.keys
    rows = [(f.path, *p.values) for p, files in scan.partitions for f in files]
    lists = [f"unnest([{', '.join(_string(r[i]) for r in rows)}])" for i in range(len(keys) + 1)]
    casts = [f"CAST({u} AS {k.type.duckdb()}) AS {_name(k.name)}" for u, k in zip(lists[1:], keys, strict=True)]
    return f"SELECT * FROM ({branch}) JOIN (SELECT {lists[0]} AS t_file, {', '.join(casts)}) USING (t_file)"


def _path(scan: Scan) -> str:
    """ "$path" of a row: the object's URL. Files lie under one root by their keys, so it is a piece of their path."""
    bucket = scan.table.location.partition("://")[2].partition("/")[0]
    file = scan.files()[0]
    root = file.path.removesuffix(file.key)
    if any(f.path != root + f.key for f in scan.files()):
        raise not_supported('"$path" over objects whose keys are not file names')
    return f"{_string(f's3://{bucket}/')} || substr(t_file, {len(root) + 1})"


# Parquet


def _parquet(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    """By column name, whatever the order; files of one schema are read together."""
    groups: dict[tuple[tuple[str, str], ...], list[File]] = {}
    for file, columns in zip(files, facts.columns(files), strict=True):
        groups.setdefault(columns, []).append(file)
    return [_parquet_branch(table, group, dict(columns), source) for columns, group in groups.items()]


def _parquet_branch(table: Table, files: Sequence[File], present: dict[str, str], source: str) -> str:
    found = {name.lower(): (name, kind) for name, kind in present.items()}
    selected = [_parquet_column(c, found.get(c.name)) for c in table.columns]
    return _select(table, selected, f"read_parquet({_paths(files)}, {source})", source)


def _parquet_column(column: Column, found: tuple[str, str] | None) -> str:
    wanted = column.type.duckdb()
    if found is None:
        return f"CAST(NULL AS {wanted}) AS {_name(column.name)}"
    name, kind = found
    if kind.upper() == wanted.upper():
        return f"{_name(name)} AS {_name(column.name)}"
    return f"CAST({_name(name)} AS {wanted}) AS {_name(column.name)}"


# JSON

# Types that the reader itself doesn't take from JSON as the SerDe does; they are read as text and converted.
_FROM_TEXT = {"timestamp": "t_json_timestamp({})", "decimal": "CAST({} AS {})", "varbinary": "from_base64({})"}


def _json(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    """One object a line. Keys match columns without regard to case, as the SerDe does by default."""
    if table.options.get("dots.in.keys", "").lower() == _TRUE:
        raise not_supported("the JSON SerDe's dots.in.keys")
    keys = {c.name: table.options.get(f"mapping.{c.name}", c.name) for c in table.columns}
    folded = {k.lower() for k in keys.values()}
    exact = table.options.get("case.insensitive", _TRUE).lower() != _TRUE
    spellings = [frozenset[str]()] * len(files) if exact else facts.spellings(files)
    groups: dict[frozenset[str], list[File]] = {}
    for file, spelled in zip(files, spellings, strict=True):
        groups.setdefault(frozenset(s for s in spelled if s.lower() in folded), []).append(file)
    branches = []
    for spelled, group in groups.items():
        found = {c: sorted(s for s in spelled if s.lower() == k.lower()) or [k] for c, k in keys.items()}
        if all(len(names) == 1 for names in found.values()):
            branches.append(_json_branch(table, group, {c: names[0] for c, names in found.items()}, source))
        else:
            branches.append(_json_by_line(table, group, found, source))
    return branches


def _json_branch(table: Table, files: Sequence[File], keys: dict[str, str], source: str) -> str:
    selected, read = [], []
    for column in table.columns:
        key, conversion = keys[column.name], _FROM_TEXT.get(column.type.name)
        read.append(f"{_string(key)}: {_string('VARCHAR' if conversion else column.type.duckdb())}")
        value = conversion.format(_name(key), column.type.duckdb()) if conversion else _name(key)
        selected.append(f"{value} AS {_name(column.name)}")
    # Without `records` DuckDB looks at each file first, and keeps 32 MiB of every one until the query's end.
    options = f"columns = {{{', '.join(read)}}}, format = 'newline_delimited', records = true, {_malformed(table)}"
    return _select(table, selected, f"read_json({_paths(files)}, {options}, {source})", source)


def _json_by_line(table: Table, files: Sequence[File], keys: dict[str, list[str]], source: str) -> str:
    """Files that spell a key in several ways: each line is looked into once for each spelling."""
    selected = []
    for column in table.columns:
        wanted, conversion = column.type.duckdb(), _FROM_TEXT.get(column.type.name)
        text = conversion or ("{}" if column.type.name == "varchar" else "")
        paths = [_string(f'$."{key}"') for key in keys[column.name]]
        if text:
            values = [text.format(f"json_extract_string(json, {p})", wanted) for p in paths]
        else:
            values = [f"CAST(json_extract(json, {p}) AS {wanted})" for p in paths]
        selected.append(f"coalesce({', '.join(values)}, NULL) AS {_name(column.name)}")
    reader = f"read_ndjson_objects({_paths(files)}, {_malformed(table)}, {source})"
    return _select(table, selected, reader, source)


def _malformed(table: Table) -> str:
    return f"ignore_errors = {table.options.get('ignore.malformed.json', 'false').lower() == _TRUE}"


# Delimited text


def _lazy_text(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    """LazySimpleSerDe: no quotes; a value that doesn't fit its type is NULL."""
    escape = table.options.get("escape.delim")
    if escape and any(facts.lines(files, ".*" + re.escape(delimited.delimiter(escape)) + ".*")):
        raise not_supported("delimited text in which the character of ESCAPED BY occurs")
    between = delimited.delimiter(table.options.get("field.delim", table.options.get("serialization.format", "\x01")))
    null = _string(table.options.get("serialization.null.format", "\\N"))
    split = f"string_split(t_line, {_string(between)})"
    values = [f"nullif({split}[{i}], {null})" for i in range(1, len(table.columns) + 1)]
    return [_lines(table, files, source, values, lambda v, kind: delimited.lazy(v, kind, table.options))]


def _quoted_text(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    """OpenCSVSerde. A quote within quotes is written twice or behind the escape character; DuckDB knows one way a file,
    so a file with escape characters must have nothing else that could be meant in two ways."""
    between, quote, escape = (
        delimited.delimiter(table.options.get(name, default))
        for name, default in (("separatorchar", ","), ("quotechar", '"'), ("escapechar", "\\"))
    )
    s, q, e = (re.escape(c) for c in (between, quote, escape))
    field = f"(?:{q}(?:[^{q}{e}]|{e}[{q}{e}])*{q}|[^{s}{q}{e}]*)"
    escaped = facts.lines(files, f".*{e}.*") if escape != quote else [False] * len(files)
    groups: dict[str, list[File]] = {}
    for file, found in zip(files, escaped, strict=True):
        groups.setdefault(escape if found else quote, []).append(file)
    if (
        escape in groups
        and escape != quote
        and any(facts.lines(groups[escape], f"{field}(?:{s}{field})*", unlike=True))
    ):
        raise not_supported(f"{escape} other than before a quote or itself, inside of quotes, in CSV")
    lenient = table.parameters.get("use.null.for.invalid.data", "").lower() == _TRUE
    convert = functools.partial(delimited.quoted, null_for_invalid=lenient)
    branches = []
    for used, group in groups.items():
        form = f"delim = {_string(between)}, quote = {_string(quote)}, escape = {_string(used)}, nullstr = '\x02'"
        branches.append(_text(table, group, source, form, convert))
    if any(facts.lines(files, "")):  # DuckDB passes over an empty line; to the SerDe it is a row with one empty field
        values = ["''", *["CAST(NULL AS VARCHAR)"] * (len(table.columns) - 1)]
        branches.append(_lines(table, files, source, values, convert) + " WHERE t_line = ''")
    return branches


def _lines(
    table: Table, files: Sequence[File], source: str, values: Sequence[str], convert: Callable[[str, Type], str]
) -> str:
    """Each line as t_line, of which `values` are the columns' texts."""
    options = (
        "columns = {'t_read': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false, auto_detect = false, "
        f"skip = {_skipped(table)}, null_padding = true, strict_mode = false"
    )
    columns = [f"{convert(v, c.type)} AS {_name(c.name)}" for v, c in zip(values, table.columns, strict=True)]
    lines = f"SELECT coalesce(t_read, '') AS t_line, * FROM read_csv({_paths(files)}, {options}, {source})"
    return _select(table, columns, f"({lines})", source)


def _skipped(table: Table) -> int:
    return int(table.parameters.get("skip.header.line.count", "0") or 0)


def _text(table: Table, files: Sequence[File], source: str, form: str, convert: Callable[[str, Type], str]) -> str:
    read = ", ".join(f"{_string(c.name)}: 'VARCHAR'" for c in table.columns)
    options = (
        f"columns = {{{read}}}, {form}, header = false, skip = {_skipped(table)}, auto_detect = false, "
        "null_padding = true, strict_mode = false"
    )
    selected = [f"{convert(_name(c.name), c.type)} AS {_name(c.name)}" for c in table.columns]
    return _select(table, selected, f"read_csv({_paths(files)}, {options}, {source})", source)


_READERS: dict[str, Reader] = {
    "org.openx.data.jsonserde.JsonSerDe": _json,
    "org.apache.hive.hcatalog.data.JsonSerDe": _json,
    "org.apache.hadoop.hive.serde2.JsonSerDe": _json,
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe": _parquet,
    "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe": _lazy_text,
    "org.apache.hadoop.hive.serde2.OpenCSVSerde": _quoted_text,
}


def _reader(table: Table) -> Reader:
    if table.parameters.get("table_type", "").upper() == "ICEBERG":
        raise not_supported("an Iceberg table")
    if table.serde not in _READERS:
        raise not_supported(f"the SerDe {table.serde or '(none)'}")
    return _READERS[table.serde]


def _select(table: Table, columns: Sequence[str], reader: str, source: str) -> str:
    keys = [_name(k.name) for k in table.keys] if "hive_types" in source else []
    return f"SELECT {', '.join([*columns, *keys, 't_file'])} FROM {reader}"


def _paths(files: Sequence[File]) -> str:
    return "[" + ", ".join(_string(f.path) for f in files) + "]"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
