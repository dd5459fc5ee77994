"""The .metadata object beside a result, from which clients that read results from S3 learn the columns' types.

"Metadata files are in binary format" (docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html), which
is a protobuf message without a published schema. The numbers of its fields are those that burtcorp/athena-jdbc reads
(AthenaMetaDataParser); which of them a type has, what else is written, and for which statements was measured on AWS
(aoyagikouhei/athena-local, CHANGELOG.md, 2026-09-17). Athena names the engine's own query there, and here it is the id
of the execution. For most of SHOW it hides the message, which no client asks for.
"""

from collections.abc import Iterator, Sequence

from localaws.athena.catalog import Document

# What a statement did to a table, by SubstatementType; it has an update count, too.
UPDATES = {"CREATE_TABLE_AS_SELECT": "CREATE TABLE", "INSERT": "INSERT"}
_NULLABLE = {"NOT_NULL": 1, "NULLABLE": 2, "UNKNOWN": 3}
_ALL = ("Precision", "Scale", "CaseSensitive")
# Types that have more than a name; zeros are written, too.
_MORE: dict[str, tuple[str, ...]] = {
    "date": ("Scale", "CaseSensitive"),
    "boolean": ("CaseSensitive",),
    "interval day to second": ("CaseSensitive",),
    "interval year to month": ("CaseSensitive",),
} | dict.fromkeys(
    ("tinyint", "smallint", "integer", "bigint", "double", "float", "decimal", "varchar", "char", "varbinary",
     "timestamp", "time", "timestamp with time zone", "time with time zone"),
    _ALL,
)  # fmt: skip


def message(number: str, columns: Sequence[Document], update: str = "", count: int = 0) -> bytes:
    """`columns` are ColumnInfos; `update` is a word of UPDATES, and `count` what it says of the rows."""
    fields = [_text(1, number)]
    fields += [_text(2, update), _number(3, count)] if update else []
    return b"".join([*fields, *(_bytes(4, b"".join(_column(c))) for c in columns)])


def _column(info: Document) -> Iterator[bytes]:
    more = _MORE.get(info["Type"], ())
    yield _text(1, info["CatalogName"])
    yield _text(4, info["Name"])
    yield _text(5, info["Label"])
    yield _text(6, info["Type"])
    if "Precision" in more:
        yield _number(7, info["Precision"])
    if "Scale" in more:
        yield _number(8, info["Scale"])
    yield _number(9, _NULLABLE[info["Nullable"]])
    if "CaseSensitive" in more:
        yield _number(10, int(info["CaseSensitive"]))


# protobuf.dev/programming-guides/encoding: a key (field << 3 | wire type), then the value.


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])
