"""A query's result -> a Parquet file, with the types that Athena named.

GetQueryResults gives text; each column is cast to what its type is in Parquet. Arrays, maps, rows, json, times of day
and whatever has a time zone keep Athena's own text. UNLOAD would keep some of their types, too, but it leaves several
files in a bucket, refuses what has a time zone, and takes neither SHOW nor DESCRIBE.
"""

from typing import BinaryIO

from clicklake.errors import UsageError
from clicklake.query import Result, distinct

_LARGEST_DECIMAL = 38


def write(result: Result, file: BinaryIO) -> None:
    """Raises UsageError if a value is not what its column's type says, or if the writer is not installed."""
    # Not above: arro3 is not part of the light install.
    try:
        from arro3.core import Array, DataType, Field, RecordBatch, Schema
        from arro3.io import write_parquet
    except ModuleNotFoundError as e:
        raise UsageError(f"{e.name} is missing", "Parquet needs: pip install 'clicklake[transform]'") from e
    types = {
        "boolean": DataType.bool(),
        "tinyint": DataType.int8(),
        "smallint": DataType.int16(),
        "integer": DataType.int32(),
        "int": DataType.int32(),
        "bigint": DataType.int64(),
        "real": DataType.float32(),
        "float": DataType.float32(),
        "double": DataType.float64(),
        "date": DataType.date32(),
        "timestamp": DataType.timestamp("us"),
    }
    arrays, fields = [], []
    for at, (column, name) in enumerate(zip(result.columns, distinct([c.name for c in result.columns]), strict=True)):
        texts = [row[at] for row in result.rows]
        kind = types.get(column.type, DataType.string())
        if column.type == "decimal":
            kind = DataType.decimal128(column.precision or _LARGEST_DECIMAL, column.scale)
        if column.type == "varbinary":  # pairs of hex digits: 68 69
            array = Array([_bytes(text) for text in texts], type=DataType.binary())
        else:
            array = Array(texts, type=DataType.string()).cast(kind)
        if array.null_count != texts.count(None):  # what a cast can't read is NULL
            raise UsageError(f"{column.name} has a value that is no {column.type} of Parquet's", "CAST it AS varchar")
        arrays.append(array)
        fields.append(Field(name, array.type))
    if not fields:
        raise UsageError("the statement has no result", "Parquet is for statements that return rows")
    schema = Schema(fields)
    write_parquet(RecordBatch.from_arrays(arrays, schema=schema), file, compression="zstd(1)", skip_arrow_metadata=True)


def _bytes(text: str | None) -> bytes | None:
    return None if text is None else bytes.fromhex(text)
