"""A query's rows written into files, in a worker: the COPY that does it, and the files that it left.

An order is plain JSON values: `directory`, `form` (outputs.py), `codec`, `delimiter`, `columns` (name, Hive type and
number of the query's column, None for NULL) and how many of them, at the end, are partition `keys`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.query import Engine, Plan
from localaws.athena.text import written
from localaws.athena.types import Type, parse_hive

Order = dict[str, Any]

_NULL = "__HIVE_DEFAULT_PARTITION__"  # what Hive and DuckDB call a partition whose key is NULL
_KEY_TYPES = {"varchar", "boolean", "tinyint", "smallint", "integer", "bigint", "date"}


def write(engine: Engine, plan: Plan, sql: str, order: Order) -> dict[str, Any]:
    """rows written, bytes read, files as (path, values of the partition keys). Raises QueryFailure."""
    directory = Path(order["directory"])
    directory.mkdir(parents=True)
    target = directory / ("keys" if order["keys"] else "data")
    rows, read = engine.copy(_copy(plan, order, target), plan, sql)
    return {"rows": rows, "bytes": read, "files": _found(target, order["keys"]) if rows else []}


def _copy(plan: Plan, order: Order, target: Path) -> str:
    columns = [_Column(i, c["name"], parse_hive(c["type"]), c["source"]) for i, c in enumerate(order["columns"])]
    count = len(columns) - order["keys"]
    cells = [_cell(c, order["form"]) for c in columns[:count]] + [_key(c) for c in columns[count:]]
    options = [_FORMATS[order["form"]](order), f"COMPRESSION {order['codec']}"]
    if order["keys"]:
        options.append(f"PARTITION_BY ({', '.join(_quoted(c.alias) for c in columns[count:])})")
    names = ", ".join(f"c{i}" for i in range(len(plan.names)))
    text = str(target).replace("'", "''")
    rows = f"SELECT {', '.join(cells)} FROM ({plan.sql}) AS q({names}) UNION ALL {_nothing(len(columns))}"
    return f"COPY ({rows}) TO '{text}' ({', '.join(options)})"


def _nothing(width: int) -> str:
    """No rows, in which NULL could be: DuckDB makes a column of Parquet REQUIRED if it knows that it is never NULL, and
    Athena's are all OPTIONAL."""
    return f"SELECT {', '.join(['NULL'] * width)} FROM range(0)"


class _Column:
    """`value` is the query's, as the column's type."""

    def __init__(self, number: int, name: str, kind: Type, source: int | None) -> None:
        self.name, self.type, self.alias = name, kind, f"t_key_{number}"
        self.value = f"CAST({'NULL' if source is None else f'c{source}'} AS {kind.duckdb()})"


def _cell(column: _Column, form: str) -> str:
    return f"{_VALUES[form](column)} AS {_quoted(column.name)}"


def _key(column: _Column) -> str:
    if column.type.name not in _KEY_TYPES:
        raise not_supported(f"a partition column of type {column.type.trino()}")
    return f"CAST({column.value} AS VARCHAR) AS {_quoted(column.alias)}"


def _parquet_value(column: _Column) -> str:
    return column.value


def _text_value(column: _Column) -> str:
    if column.type.children or column.type.name == "varbinary":
        raise not_supported(f"writing {column.type.trino()} as TEXTFILE")
    return written(column.value, column.type)


def _json_value(column: _Column) -> str:
    """A float with the digits that it was written with, binary as base64, timestamps with milliseconds."""
    name = column.type.name
    if name == "real":
        return f"CAST(CAST({column.value} AS VARCHAR) AS DOUBLE)"
    if name == "varbinary":
        return f"to_base64({column.value})"
    return written(column.value, column.type) if name == "timestamp" else column.value


_VALUES: dict[str, Callable[[_Column], str]] = {
    "PARQUET": _parquet_value,
    "TEXTFILE": _text_value,
    "JSON": _json_value,
}


def _text_options(order: Order) -> str:
    """As LazySimpleSerDe without an escape character: no quotes, \\N for NULL."""
    delimiter = order["delimiter"].replace("'", "''")
    return f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '{delimiter}', NULLSTR '\\N'"


_FORMATS: dict[str, Callable[[Order], str]] = {
    "PARQUET": lambda _: "FORMAT parquet, WRITE_TIMESTAMP_AS_INT96 true",  # as Athena: pyarrow reads nanoseconds
    "TEXTFILE": _text_options,
    "JSON": lambda _: "FORMAT json, TIMESTAMPFORMAT '%Y-%m-%d %H:%M:%S.%g'",
}


def _found(target: Path, keys: int) -> list[tuple[str, list[str]]]:
    files = sorted(f for f in target.rglob("*") if f.is_file()) if keys else [target]
    return [(str(f), [_value(part) for part in f.relative_to(target).parts[:-1]] if keys else []) for f in files]


def _value(directory: str) -> str:
    """A key's value from DuckDB's k=v."""
    value = unquote(directory.partition("=")[2])
    if value in {"", _NULL}:
        raise not_supported("writing NULL or an empty text into a partition column")
    if not all(" " <= c <= "~" for c in value):
        told = "Hive partition keys can only contain printable ASCII characters (0x20 - 0x7E). Invalid value: "
        raise QueryFailure(f"HIVE_INVALID_PARTITION_VALUE: {told}{value.encode().hex(' ').upper()}")
    return value


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
