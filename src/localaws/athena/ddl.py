"""Hive's DDL as Athena takes it, parsed: a statement's tokens in, one command out. Nothing is done here.

docs.aws.amazon.com/athena/latest/ug/ddl-reference.html has the grammar; a clause that is not understood is refused with
its place, never skipped.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from localaws.athena import alter
from localaws.athena.alter import Alteration
from localaws.athena.catalog import Document
from localaws.athena.failures import not_supported
from localaws.athena.reader import Name, Reader, in_place
from localaws.athena.statements import Statement
from localaws.athena.table_clauses import table_input


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
class Repair:
    name: Name


@dataclass(frozen=True, slots=True)
class Show:
    """SHOW and DESCRIBE: `what` is the statement's kind ("SHOW_TABLES"), `pattern` its LIKE or regular expression."""

    what: str
    name: Name = field(default_factory=lambda: Name("", ""))
    pattern: str = ""


Command = CreateDatabase | DropDatabase | CreateTable | CreateView | Drop | Repair | Show | Alteration


def parse(statement: Statement) -> Command:
    """Raises QueryFailure with the place of what isn't understood."""
    return _PARSERS[statement.kind](Reader(statement), statement)


def _create_database(r: Reader, _: Statement) -> Command:
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


def _drop_database(r: Reader, _: Statement) -> Command:
    r.expect("DROP")
    if not r.take("DATABASE"):
        r.expect("SCHEMA")
    if_exists = r.take("IF", "EXISTS")
    name = r.identifier()
    cascade = r.take("CASCADE") or (r.take("RESTRICT") and False)
    r.end()
    return DropDatabase(name, if_exists, cascade)


def _create_table(r: Reader, _: Statement) -> Command:
    r.expect("CREATE", "EXTERNAL", "TABLE")
    unless = r.take("IF", "NOT", "EXISTS")
    name = r.name()
    return CreateTable(name, table_input(r, name.name), unless)


def _create_view(r: Reader, _: Statement) -> CreateView:
    r.expect("CREATE")
    replace = r.take("OR", "REPLACE")
    r.expect("VIEW")
    name = r.name()
    if r.take("COMMENT") or r.take("SECURITY"):
        raise not_supported("CREATE VIEW with COMMENT or SECURITY")
    r.expect("AS")
    return CreateView(name, r.rest(), replace)


def view_query(statement: Statement) -> str:
    """The query of a CREATE VIEW, at its line and column."""
    query = _create_view(Reader(statement), statement).query
    return in_place(statement.text, len(statement.text) - len(query), len(statement.text))


def _drop(what: str) -> Callable[[Reader, Statement], Command]:
    def parse_drop(r: Reader, _: Statement) -> Command:
        r.expect("DROP", what)
        if_exists = r.take("IF", "EXISTS")
        name = r.name()
        r.end()
        return Drop(what, name, if_exists)

    return parse_drop


def _repair(r: Reader, _: Statement) -> Command:
    r.expect("MSCK", "REPAIR", "TABLE")
    name = r.name()
    r.end()
    return Repair(name)


def _show(r: Reader, statement: Statement) -> Command:
    """SHOW <what> [[IN | FROM] name] [[LIKE] 'pattern']"""
    kind = statement.kind
    for _ in range(kind.count("_") + 1):
        r.pop("word")
    named = r.take("IN") or r.take("FROM")
    token = r.peek()
    name = r.name() if token is not None and token.kind != "string" and token.word() != "LIKE" else Name("", "")
    if kind == "SHOW_COLUMNS" and (r.take("IN") or r.take("FROM")):
        name = Name(r.identifier(), name.name)
    if kind == "SHOW_COLUMNS" and r.peek() is not None:
        raise not_supported("SHOW COLUMNS with a pattern")
    if named and kind in {"SHOW_TABLES", "SHOW_VIEWS"}:
        name = Name(name.name, "")
    r.take("LIKE")
    pattern = r.string() if r.peek() is not None and kind != "SHOW_TBLPROPERTIES" else ""
    if kind == "SHOW_TBLPROPERTIES" and r.take("("):
        pattern = r.string()
        r.expect(")")
    r.end()
    return Show(kind, name, pattern)


def _describe(r: Reader, _: Statement) -> Command:
    """DESCRIBE [EXTENDED | FORMATTED] name [PARTITION (...)] [column]: only the name is understood."""
    r.pop("word")
    for word in ("EXTENDED", "FORMATTED"):
        if r.take(word):
            raise not_supported(f"DESCRIBE {word}")
    name = r.name()
    if name.name == "database" and r.peek() is not None:
        raise not_supported("DESCRIBE DATABASE")
    if r.peek() is not None:
        raise not_supported("DESCRIBE of a partition or of a column")
    return Show("DESCRIBE_TABLE", name)


_PARSERS: dict[str, Callable[[Reader, Statement], Command]] = {
    "CREATE_DATABASE": _create_database,
    "DROP_DATABASE": _drop_database,
    "CREATE_TABLE": _create_table,
    "CREATE_VIEW": _create_view,
    "DROP_TABLE": _drop("TABLE"),
    "DROP_VIEW": _drop("VIEW"),
    "ALTER_TABLE": lambda r, _: alter.parse_table(r),
    "ALTER_DATABASE": lambda r, _: alter.parse_database(r),
    "MSCK_REPAIR_TABLE": _repair,
    "SHOW_DATABASES": _show,
    "SHOW_TABLES": _show,
    "SHOW_VIEWS": _show,
    "SHOW_PARTITIONS": _show,
    "SHOW_COLUMNS": _show,
    "SHOW_CREATE_TABLE": _show,
    "SHOW_CREATE_VIEW": _show,
    "SHOW_TBLPROPERTIES": _show,
    "DESCRIBE_TABLE": _describe,
}
