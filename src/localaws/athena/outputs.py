"""In which form a statement writes its files: from WITH's properties, or from the table that it inserts into.

docs.aws.amazon.com/athena/latest/ug/ctas-considerations-limitations.html and compression-support-hive.html: Parquet
without a format, GZIP without a compression, \\001 between fields of text. What Athena writes and this
doesn't is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from localaws.athena.catalog import Document
from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.table_clauses import FORMATS
from localaws.athena.writing import Properties, Value

_TEXT_CODECS = {"GZIP": ("gzip", ".gz"), "ZSTD": ("zstd", ".zst"), "NONE": ("none", "")}
# format -> Athena's word for a compression -> (DuckDB's, the end of the file's name)
_CODECS: dict[str, dict[str, tuple[str, str]]] = {
    "PARQUET": {w: (w.lower(), "") for w in ("GZIP", "SNAPPY", "ZSTD")} | {"NONE": ("uncompressed", "")},
    "TEXTFILE": _TEXT_CODECS,
    "JSON": _TEXT_CODECS,
}
_STORED_AS = {"PARQUET": "PARQUET", "TEXTFILE": "TEXTFILE", "JSON": "JSONFILE"}
_SERDES = {FORMATS[stored][2]: form for form, stored in _STORED_AS.items()}
_CLASSIFICATION = {"PARQUET": "parquet", "TEXTFILE": "csv", "JSON": "json"}
_COMPRESSIONS = ("write_compression", "parquet_compression", "compression")
_KNOWN = {
    "format",
    "partitioned_by",
    "field_delimiter",
    "external_location",
    "table_type",
    "is_external",
    *_COMPRESSIONS,
}
# What a table may say of its SerDe and is written to all the same.
_SERDE_OPTIONS = {"serialization.format", "field.delim"}
_DEFAULT_DELIMITER = "\x01"


@dataclass(frozen=True, slots=True)
class Output:
    """`form` is PARQUET, TEXTFILE or JSON; `compression` Athena's word; `keys` the partition columns."""

    form: str
    compression: str = "GZIP"
    keys: tuple[str, ...] = ()
    delimiter: str = _DEFAULT_DELIMITER

    @property
    def codec(self) -> str:
        return _CODECS[self.form][self.compression][0]

    @property
    def suffix(self) -> str:
        return _CODECS[self.form][self.compression][1]

    def storage(self, location: str, columns: list[Document]) -> Document:
        """Glue's StorageDescriptor."""
        reads, writes, serde = FORMATS[_STORED_AS[self.form]]
        delimiter = self.delimiter if self.form == "TEXTFILE" and self.delimiter != _DEFAULT_DELIMITER else None
        options = {"field.delim": delimiter, "serialization.format": delimiter} if delimiter else {}
        return {
            "Columns": columns,
            "Location": location,
            "InputFormat": reads,
            "OutputFormat": writes,
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": {"SerializationLibrary": serde, "Parameters": {"serialization.format": "1"} | options},
            "BucketColumns": [],
            "SortColumns": [],
        }

    def parameters(self) -> dict[str, str]:
        """Glue's table parameters."""
        key = "parquet.compression" if self.form == "PARQUET" else "write.compression"
        classified = {"classification": _CLASSIFICATION[self.form], key: self.compression}
        return {"EXTERNAL": "TRUE", "has_encrypted_data": "false"} | classified


def asked(properties: Properties) -> Output:
    """Of CREATE TABLE AS and UNLOAD. Raises QueryFailure."""
    for name in properties:
        if name not in _KNOWN:
            raise not_supported(f"the property {name}")
    if _text(properties.get("table_type", "HIVE")).upper() != "HIVE":
        raise not_supported(f"table_type = '{_text(properties['table_type'])}'")
    if _text(properties.get("is_external", "true")).lower() != "true":
        raise not_supported("is_external = false: of an Iceberg table only")
    form = _text(properties.get("format", "PARQUET")).upper()
    if form not in _CODECS:
        raise not_supported(f"writing the format {form}")
    keys = properties.get("partitioned_by", ())
    if isinstance(keys, str):
        raise QueryFailure("INVALID_TABLE_PROPERTY: partitioned_by must be an ARRAY of column names")
    delimiter = _text(properties.get("field_delimiter", _DEFAULT_DELIMITER))
    return Output(form, _compression(form, properties), tuple(k.lower() for k in keys), _character(delimiter))


def _compression(form: str, properties: Mapping[str, Value]) -> str:
    words = {_text(properties[p]).upper() for p in _COMPRESSIONS if p in properties} or {"GZIP"}
    word = min(words)
    if len(words) > 1 or word not in _CODECS[form]:
        raise not_supported(f"writing {form} with the compression {' and '.join(sorted(words))}")
    return word


def of_table(table: Document) -> Output:
    """Of INSERT INTO, from Glue's Table. Raises QueryFailure."""
    storage = table["StorageDescriptor"]
    serde = storage.get("SerdeInfo", {})
    library = serde.get("SerializationLibrary", "")
    options = {k.lower(): v for k, v in (serde.get("Parameters") or {}).items()}
    parameters = {k.lower(): v for k, v in (table.get("Parameters") or {}).items()}
    if library not in _SERDES or parameters.get("table_type", "").upper() == "ICEBERG":
        raise not_supported(f"INSERT INTO a table of the SerDe {library or '(none)'}")
    if parameters.get("projection.enabled", "").lower() == "true":
        raise not_supported("INSERT INTO a table with partition projection")
    if int(parameters.get("skip.header.line.count") or 0):
        raise not_supported("INSERT INTO a table with skip.header.line.count")
    form = _SERDES[library]
    others = set(options) - _SERDE_OPTIONS if form != "PARQUET" else set()
    if options.get("line.delim") == "\n":
        others -= {"line.delim"}
    if others:
        raise not_supported(f"INSERT INTO a table with the SerDe property {min(others)}")
    word = parameters.get("parquet.compression") if form == "PARQUET" else None
    word = (word or parameters.get("write.compression") or "GZIP").upper()
    compression = _compression(form, {"compression": "NONE" if word == "UNCOMPRESSED" else word})
    delimiter = options.get("field.delim", options.get("serialization.format", _DEFAULT_DELIMITER))
    keys = tuple(k["Name"].lower() for k in table.get("PartitionKeys") or [])
    return Output(form, compression, keys, _character(chr(int(delimiter)) if delimiter.isdigit() else delimiter))


def _character(delimiter: str) -> str:
    character = delimiter.encode().decode("unicode_escape") if "\\" in delimiter else delimiter
    if len(character) != 1 or character in "\r\n":
        raise not_supported(f"the field delimiter {delimiter!r}")
    return character


def _text(value: Value) -> str:
    return value if isinstance(value, str) else ",".join(value)
