"""CREATE EXTERNAL TABLE's columns and clauses, read into a Glue TableInput.

docs.aws.amazon.com/athena/latest/ug/create-table.html; what a table has without a clause is what Athena itself stores.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from localaws.athena.catalog import Document
from localaws.athena.failures import not_supported
from localaws.athena.reader import Reader

_LINES = ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat")
_HIVE = "org.apache.hadoop.hive.ql.io"
# STORED AS -> (input format, output format, SerDe)
FORMATS = {
    "TEXTFILE": (*_LINES, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
    "JSONFILE": (*_LINES, "org.apache.hive.hcatalog.data.JsonSerDe"),
    "PARQUET": (
        f"{_HIVE}.parquet.MapredParquetInputFormat",
        f"{_HIVE}.parquet.MapredParquetOutputFormat",
        f"{_HIVE}.parquet.serde.ParquetHiveSerDe",
    ),
    "ORC": (f"{_HIVE}.orc.OrcInputFormat", f"{_HIVE}.orc.OrcOutputFormat", f"{_HIVE}.orc.OrcSerde"),
}
_DELIMITERS = {
    ("FIELDS", "TERMINATED", "BY"): "field.delim",
    ("ESCAPED", "BY"): "escape.delim",
    ("COLLECTION", "ITEMS", "TERMINATED", "BY"): "collection.delim",
    ("MAP", "KEYS", "TERMINATED", "BY"): "mapkey.delim",
    ("LINES", "TERMINATED", "BY"): "line.delim",
    ("NULL", "DEFINED", "AS"): "serialization.null.format",
}


@dataclass(slots=True)
class _Definition:
    """A table as its clauses are read."""

    columns: list[Document]
    keys: list[Document] = field(default_factory=list)
    form: str = "TEXTFILE"
    formats: tuple[str, str] | None = None
    serde: str | None = None
    options: dict[str, str] = field(default_factory=lambda: {"serialization.format": "1"})
    location: str | None = None
    properties: dict[str, str] = field(default_factory=lambda: {"EXTERNAL": "TRUE"})

    def table_input(self, name: str) -> Document:
        *formats, serde = FORMATS[self.form]
        reads, writes = self.formats or formats
        return {
            "Name": name,
            "TableType": "EXTERNAL_TABLE",
            "PartitionKeys": self.keys,
            "Parameters": self.properties,
            "StorageDescriptor": {
                "Columns": self.columns,
                "Location": self.location,
                "InputFormat": reads,
                "OutputFormat": writes,
                "SerdeInfo": {"SerializationLibrary": self.serde or serde, "Parameters": self.options},
                "NumberOfBuckets": -1,
                "BucketColumns": [],
                "SortColumns": [],
            },
        }


def table_input(r: Reader, name: str) -> Document:
    """From the columns' opening bracket to the end of the statement."""
    table = _Definition(r.columns())
    while r.peek() is not None:
        for words, read in _CLAUSES.items():
            if r.take(*words):
                read(r, table)
                break
        else:
            r.fail()
    if table.location is None:
        raise r.failure("CREATE EXTERNAL TABLE needs a LOCATION", None)
    return table.table_input(name)


def _comment(r: Reader, table: _Definition) -> None:
    table.properties["comment"] = r.string()


def _partitioned(r: Reader, table: _Definition) -> None:
    table.keys = r.columns()


def _serde(r: Reader, table: _Definition) -> None:
    table.serde = r.string()


def _serde_properties(r: Reader, table: _Definition) -> None:
    table.options |= r.properties()


def _delimited(r: Reader, table: _Definition) -> None:
    while (option := next((o for words, o in _DELIMITERS.items() if r.take(*words)), None)) is not None:
        table.options[option] = r.string()
    if "field.delim" in table.options:
        table.options["serialization.format"] = table.options["field.delim"]


def _formats(r: Reader, table: _Definition) -> None:
    reads = r.string()
    r.expect("OUTPUTFORMAT")
    table.formats = reads, r.string()


def _stored_as(r: Reader, table: _Definition) -> None:
    table.form = r.identifier().upper()
    if table.form not in FORMATS:
        raise not_supported(f"STORED AS {table.form}")


def _location(r: Reader, table: _Definition) -> None:
    table.location = r.string()


def _properties(r: Reader, table: _Definition) -> None:
    table.properties |= r.properties()


def _clustered(_: Reader, __: _Definition) -> None:
    raise not_supported("CLUSTERED BY")


_CLAUSES: dict[tuple[str, ...], Callable[[Reader, _Definition], None]] = {
    ("COMMENT",): _comment,
    ("PARTITIONED", "BY"): _partitioned,
    ("CLUSTERED", "BY"): _clustered,
    ("ROW", "FORMAT", "SERDE"): _serde,
    ("WITH", "SERDEPROPERTIES"): _serde_properties,
    ("ROW", "FORMAT", "DELIMITED"): _delimited,
    ("STORED", "AS", "INPUTFORMAT"): _formats,
    ("STORED", "AS"): _stored_as,
    ("LOCATION",): _location,
    ("TBLPROPERTIES",): _properties,
}
