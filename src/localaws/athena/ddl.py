"""Hive's DDL as Athena takes it, parsed: a statement's tokens in, one command out. Nothing is done here.

docs.aws.amazon.com/athena/latest/ug/ddl-reference.html has the grammar; a clause that is not understood is refused with
its place, never skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from localaws.athena.failures import QueryFailure, not_supported, position
from localaws.athena.statements import Statement, Token
from localaws.athena.types import parse_hive

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Name:
    """A table or view; `database` is "" when it is the query's own."""

    database: str
    name: str


@dataclass(frozen=True, slots=True)
class CreateDatabase:
    database: Document  # a Glue DatabaseInput
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class DropDatabase:
    name: str
    if_exists: bool
    cascade: bool


@dataclass(frozen=True, slots=True)
class CreateTable:
    name: Name
    table: Document  # a Glue TableInput
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class CreateView:
    name: Name
    query: str
    replace: bool


@dataclass(frozen=True, slots=True)
class Drop:
    """A table or a view; `what` says which."""

    what: str
    name: Name
    if_exists: bool


@dataclass(frozen=True, slots=True)
class PartitionSpec:
    values: dict[str, str]
    location: str | None = None


@dataclass(frozen=True, slots=True)
class AddPartitions:
    name: Name
    partitions: tuple[PartitionSpec, ...]
    if_not_exists: bool


@dataclass(frozen=True, slots=True)
class DropPartitions:
    name: Name
    partitions: tuple[PartitionSpec, ...]
    if_exists: bool


@dataclass(frozen=True, slots=True)
class SetLocation:
    name: Name
    location: str


@dataclass(frozen=True, slots=True)
class SetProperties:
    name: Name
    properties: dict[str, str]


@dataclass(frozen=True, slots=True)
class AddColumns:
    name: Name
    columns: tuple[Document, ...]
    replace: bool


@dataclass(frozen=True, slots=True)
class Repair:
    name: Name


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW and DESCRIBE: `what` is the statement's kind ("SHOW_TABLES"), `pattern` its LIKE or regular expression."""

    what: str
    name: Name = field(default_factory=lambda: Name("", ""))
    pattern: str = ""


Command = (
    CreateDatabase | DropDatabase | CreateTable | CreateView | Drop | AddPartitions | DropPartitions | SetLocation
    | SetProperties | AddColumns | Repair | Show
)  # fmt: skip

_JSON_FORMATS = ("org.apache.hadoop.mapred.TextInputFormat", "org.apache.hadoop.hive.ql.io.IgnoreKeyTextOutputFormat")
_FORMATS = {
    "TEXTFILE": (*_JSON_FORMATS, "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"),
    "PARQUET": (
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
    ),
    "ORC": (
        "org.apache.hadoop.hive.ql.io.orc.OrcInputFormat",
        "org.apache.hadoop.hive.ql.io.orc.OrcOutputFormat",
        "org.apache.hadoop.hive.ql.io.orc.OrcSerde",
    ),
    "JSONFILE": (*_JSON_FORMATS, "org.apache.hive.hcatalog.data.JsonSerDe"),
}
_DELIMITERS = {
    ("FIELDS", "TERMINATED", "BY"): "field.delim",
    ("ESCAPED", "BY"): "escape.delim",
    ("COLLECTION", "ITEMS", "TERMINATED", "BY"): "collection.delim",
    ("MAP", "KEYS", "TERMINATED", "BY"): "mapkey.delim",
    ("LINES", "TERMINATED", "BY"): "line.delim",
    ("NULL", "DEFINED", "AS"): "serialization.null.format",
}


def parse(statement: Statement) -> Command:
    """Raises QueryFailure with the place of what isn't understood."""
    return _PARSERS[statement.kind](_Reader(statement), statement)


class _Reader:
    """The tokens of a statement, taken one after the other."""

    def __init__(self, statement: Statement) -> None:
        self.text = statement.text
        self._tokens = statement.tokens
        self._next = 0

    def peek(self) -> Token | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def take(self, *words: str) -> bool:
        """Go past these words or symbols, if they come next."""
        following = self._tokens[self._next : self._next + len(words)]
        found = len(following) == len(words) and all(
            t.word() == w or (t.kind == "symbol" and t.text == w) for t, w in zip(following, words, strict=True)
        )
        self._next += len(words) if found else 0
        return found

    def expect(self, *words: str) -> None:
        if not self.take(*words):
            self.fail()

    def pop(self, *kinds: str) -> Token:
        token = self.peek()
        if token is None or token.kind not in kinds:
            self.fail()
        self._next += 1
        return token

    def identifier(self) -> str:
        return self.pop("word", "quoted").text.lower()

    def string(self) -> str:
        token = self.pop("string", "quoted")
        return token.text.encode().decode("unicode_escape") if "\\" in token.text else token.text

    def name(self) -> Name:
        parts = [self.identifier()]
        while self.take("."):
            parts.append(self.identifier())
        return Name(parts[-2] if len(parts) > 1 else "", parts[-1])

    def properties(self) -> dict[str, str]:
        self.expect("(")
        found: dict[str, str] = {}
        while True:
            key = self.string()
            self.expect("=")
            found[key] = self.string()
            if not self.take(","):
                self.expect(")")
                return found

    def columns(self) -> list[Document]:
        self.expect("(")
        found = []
        while True:
            column = {"Name": self.identifier(), "Type": self._type()}
            if self.take("COMMENT"):
                column["Comment"] = self.string()
            found.append(column)
            if not self.take(","):
                self.expect(")")
                return found

    def _type(self) -> str:
        """A Hive type: its tokens up to the comma, bracket or COMMENT that ends it."""
        start = self.peek()
        depth, parts = 0, ""
        while (token := self.peek()) is not None and not (depth == 0 and self._ends_type(token, parts)):
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(token.text, 0)
            parts += token.text.lower() if token.kind == "word" else token.text
            self._next += 1
        try:
            parse_hive(parts)
        except ValueError as e:
            raise self.failure(str(e), start) from e
        return parts

    def _ends_type(self, token: Token, parts: str) -> bool:
        return (
            token.text in {",", ")"} or token.word() == "COMMENT" or (bool(parts) and token.kind in {"word", "string"})
        )

    def rest(self) -> str:
        """The text from here on."""
        token = self.peek()
        if token is None:
            self.fail()
        self._next = len(self._tokens)
        return self.text[token.start :]

    def end(self) -> None:
        if self.peek() is not None:
            self.fail()

    def fail(self) -> NoReturn:
        token = self.peek()
        raise self.failure(f"mismatched input '{token.text if token else '<EOF>'}'", token)

    def failure(self, problem: str, token: Token | None) -> QueryFailure:
        offset = token.start if token else len(self.text)
        return QueryFailure(f"FAILED: ParseException line {position(self.text, offset)} {problem}")


def _create_database(r: _Reader, _: Statement) -> Command:
    r.expect("CREATE")
    if not r.take("DATABASE"):
        r.expect("SCHEMA")
    unless = r.take("IF", "NOT", "EXISTS")
    database: Document = {"Name": r.identifier()}
    while r.peek() is not None:
        if r.take("COMMENT"):
            database["Description"] = r.string()
        elif r.take("LOCATION"):
            database["LocationUri"] = r.string()
        elif r.take("WITH", "DBPROPERTIES"):
            database["Parameters"] = r.properties()
        else:
            r.fail()
    return CreateDatabase(database, unless)


def _drop_database(r: _Reader, _: Statement) -> Command:
    r.expect("DROP")
    if not r.take("DATABASE"):
        r.expect("SCHEMA")
    if_exists = r.take("IF", "EXISTS")
    name = r.identifier()
    cascade = r.take("CASCADE") or (r.take("RESTRICT") and False)
    r.end()
    return DropDatabase(name, if_exists, cascade)


def _create_table(r: _Reader, _: Statement) -> Command:
    r.expect("CREATE", "EXTERNAL", "TABLE")
    unless = r.take("IF", "NOT", "EXISTS")
    name = r.name()
    storage: Document = {"Columns": r.columns(), "NumberOfBuckets": -1, "BucketColumns": [], "SortColumns": []}
    table: Document = {
        "Name": name.name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [],
        "Parameters": {"EXTERNAL": "TRUE"},
    }
    serde: Document = {"Parameters": {"serialization.format": "1"}}
    _formats(storage, serde, "TEXTFILE")
    while r.peek() is not None:
        _table_clause(r, table, storage, serde)
    if "Location" not in storage:
        raise r.failure("CREATE EXTERNAL TABLE needs a LOCATION", None)
    table["StorageDescriptor"] = storage | {"SerdeInfo": serde}
    return CreateTable(name, table, unless)


def _table_clause(r: _Reader, table: Document, storage: Document, serde: Document) -> None:
    if r.take("COMMENT"):
        table["Parameters"]["comment"] = r.string()
    elif r.take("PARTITIONED", "BY"):
        table["PartitionKeys"] = r.columns()
    elif r.take("ROW", "FORMAT", "SERDE"):
        serde["SerializationLibrary"] = r.string()
    elif r.take("WITH", "SERDEPROPERTIES"):
        serde["Parameters"] |= r.properties()
    elif r.take("ROW", "FORMAT", "DELIMITED"):
        _delimiters(r, serde)
    elif r.take("STORED", "AS", "INPUTFORMAT"):
        storage["InputFormat"] = r.string()
        r.expect("OUTPUTFORMAT")
        storage["OutputFormat"] = r.string()
    elif r.take("STORED", "AS"):
        _stored_as(r, storage, serde)
    elif r.take("LOCATION"):
        storage["Location"] = r.string()
    elif r.take("TBLPROPERTIES"):
        table["Parameters"] |= r.properties()
    elif r.take("CLUSTERED", "BY"):
        raise not_supported("CLUSTERED BY")
    else:
        r.fail()


def _stored_as(r: _Reader, storage: Document, serde: Document) -> None:
    form = r.identifier().upper()
    if form not in _FORMATS:
        raise not_supported(f"STORED AS {form}")
    named = serde["SerializationLibrary"] if serde["SerializationLibrary"] != _FORMATS["TEXTFILE"][2] else None
    _formats(storage, serde, form)
    if named:  # ROW FORMAT SERDE comes first, and wins
        serde["SerializationLibrary"] = named


def _formats(storage: Document, serde: Document, form: str) -> None:
    storage["InputFormat"], storage["OutputFormat"], serde["SerializationLibrary"] = _FORMATS[form]


def _delimiters(r: _Reader, serde: Document) -> None:
    while True:
        for words, option in _DELIMITERS.items():
            if r.take(*words):
                serde["Parameters"][option] = r.string()
                break
        else:
            break
    delimiter = serde["Parameters"].get("field.delim")
    if delimiter is not None:
        serde["Parameters"]["serialization.format"] = delimiter


def _create_view(r: _Reader, _: Statement) -> Command:
    r.expect("CREATE")
    replace = r.take("OR", "REPLACE")
    r.expect("VIEW")
    name = r.name()
    r.expect("AS")
    return CreateView(name, r.rest(), replace)


def _drop(what: str) -> Callable[[_Reader, Statement], Command]:
    def parse_drop(r: _Reader, _: Statement) -> Command:
        r.expect("DROP", what)
        if_exists = r.take("IF", "EXISTS")
        name = r.name()
        r.end()
        return Drop(what, name, if_exists)

    return parse_drop


def _alter_table(r: _Reader, _: Statement) -> Command:
    r.expect("ALTER", "TABLE")
    name = r.name()
    if r.take("ADD", "COLUMNS"):
        return AddColumns(name, tuple(r.columns()), replace=False)
    if r.take("REPLACE", "COLUMNS"):
        return AddColumns(name, tuple(r.columns()), replace=True)
    if r.take("SET", "LOCATION"):
        return SetLocation(name, r.string())
    if r.take("SET", "TBLPROPERTIES"):
        return SetProperties(name, r.properties())
    if r.take("ADD"):
        unless = r.take("IF", "NOT", "EXISTS")
        return AddPartitions(name, _partitions(r), unless)
    if r.take("DROP"):
        if_exists = r.take("IF", "EXISTS")
        return DropPartitions(name, _partitions(r), if_exists)
    token = r.peek()
    raise not_supported(f"ALTER TABLE {token.text.upper() if token else ''}".rstrip())


def _partitions(r: _Reader) -> tuple[PartitionSpec, ...]:
    found = []
    while r.take("PARTITION"):
        values = {}
        r.expect("(")
        while True:
            key = r.identifier()
            r.expect("=")
            values[key] = r.pop("string", "number", "word", "quoted").text
            if not r.take(","):
                break
        r.expect(")")
        found.append(PartitionSpec(values, r.string() if r.take("LOCATION") else None))
        r.take(",")
    if not found:
        r.fail()
    r.end()
    return tuple(found)


def _repair(r: _Reader, _: Statement) -> Command:
    r.expect("MSCK", "REPAIR", "TABLE")
    name = r.name()
    r.end()
    return Repair(name)


def _show(r: _Reader, statement: Statement) -> Command:
    """SHOW <what> [[IN | FROM] name] [[LIKE] 'pattern'], DESCRIBE [EXTENDED | FORMATTED] name."""
    kind = statement.kind
    for _ in range(1 if kind == "DESCRIBE_TABLE" else kind.count("_") + 1):
        r.pop("word")
    if kind == "DESCRIBE_TABLE" and (r.take("EXTENDED") or r.take("FORMATTED")):
        raise not_supported("DESCRIBE EXTENDED and DESCRIBE FORMATTED")
    named = r.take("IN") or r.take("FROM")
    token = r.peek()
    name = r.name() if token is not None and token.kind != "string" and token.word() != "LIKE" else Name("", "")
    if kind == "SHOW_COLUMNS" and (r.take("IN") or r.take("FROM")):
        name = Name(r.identifier(), name.name)
    if named and kind in {"SHOW_TABLES", "SHOW_VIEWS"}:
        name = Name(name.name, "")
    r.take("LIKE")
    pattern = r.string() if r.peek() is not None and kind != "SHOW_TBLPROPERTIES" else ""
    if kind == "SHOW_TBLPROPERTIES" and r.take("("):
        pattern = r.string()
        r.expect(")")
    r.end()
    return Show(kind, name, pattern)


_PARSERS: dict[str, Callable[[_Reader, Statement], Command]] = {
    "CREATE_DATABASE": _create_database,
    "DROP_DATABASE": _drop_database,
    "CREATE_TABLE": _create_table,
    "CREATE_VIEW": _create_view,
    "DROP_TABLE": _drop("TABLE"),
    "DROP_VIEW": _drop("VIEW"),
    "ALTER_TABLE": _alter_table,
    "MSCK_REPAIR_TABLE": _repair,
    "SHOW_DATABASES": _show,
    "SHOW_TABLES": _show,
    "SHOW_VIEWS": _show,
    "SHOW_PARTITIONS": _show,
    "SHOW_COLUMNS": _show,
    "SHOW_CREATE_TABLE": _show,
    "SHOW_CREATE_VIEW": _show,
    "SHOW_TBLPROPERTIES": _show,
    "DESCRIBE_TABLE": _show,
}
