"""ALTER TABLE and ALTER DATABASE, parsed: a statement's tokens in, one alteration out. Nothing is done here.

docs.aws.amazon.com/athena/latest/ug/ddl-reference.html has the forms; others are refused by name.
"""

from dataclasses import dataclass

from localaws.athena.catalog import Document
from localaws.athena.failures import not_supported
from localaws.athena.reader import Name, Reader

Values = dict[str, str]


@dataclass(frozen=True, slots=True)
class PartitionSpec:
    values: Values
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
class MovePartition:
    """A partition gets other values, or another location."""

    name: Name
    partition: PartitionSpec
    becomes: PartitionSpec


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
    """Of the table, or of the one partition whose values are given."""

    name: Name
    columns: tuple[Document, ...]
    replace: bool
    partition: PartitionSpec | None = None


@dataclass(frozen=True, slots=True)
class ChangeColumn:
    """`after` is the column that it follows: "" is the first place, None the place that it has."""

    name: Name
    old: str
    column: Document
    after: str | None


@dataclass(frozen=True, slots=True)
class AlterDatabase:
    database: str
    properties: dict[str, str]


Alteration = (
    AddPartitions | DropPartitions | MovePartition | SetLocation | SetProperties | AddColumns | ChangeColumn
    | AlterDatabase
)  # fmt: skip


def parse_database(r: Reader) -> Alteration:
    r.expect("ALTER")
    if not r.take("DATABASE"):
        r.expect("SCHEMA")
    name = r.identifier()
    if not r.take("SET", "DBPROPERTIES"):
        raise _refused(r, "ALTER DATABASE")
    properties = r.properties()
    r.end()
    return AlterDatabase(name, properties)


def parse_table(r: Reader) -> Alteration:
    r.expect("ALTER", "TABLE")
    name = r.name()
    token = r.peek()
    if token is not None and token.word() == "PARTITION":
        alteration = _partition(r, name)
    elif r.take("ADD", "COLUMNS"):
        alteration = AddColumns(name, tuple(r.columns()), replace=False)
    elif r.take("REPLACE", "COLUMNS"):
        alteration = AddColumns(name, tuple(r.columns()), replace=True)
    elif r.take("SET", "LOCATION"):
        alteration = SetLocation(name, r.string())
    elif r.take("SET", "TBLPROPERTIES"):
        alteration = SetProperties(name, r.properties())
    elif r.take("CHANGE"):
        alteration = _change_column(r, name)
    elif r.take("ADD"):
        unless = r.take("IF", "NOT", "EXISTS")
        alteration = AddPartitions(name, _partitions(r), unless)
    elif r.take("DROP"):
        if_exists = r.take("IF", "EXISTS")
        alteration = DropPartitions(name, _partitions(r), if_exists)
    else:
        raise _refused(r, "ALTER TABLE")
    r.end()
    return alteration


def _refused(r: Reader, statement: str) -> Exception:
    """By the next two words: ALTER TABLE SET SERDEPROPERTIES, ALTER TABLE RENAME TO."""
    return not_supported(f"{statement} {r.upcoming(2)}".rstrip())


def _change_column(r: Reader, name: Name) -> ChangeColumn:
    """CHANGE [COLUMN] old new type [COMMENT '...'] [FIRST | AFTER column]"""
    r.take("COLUMN")
    old = r.identifier()
    column = r.column()
    after = "" if r.take("FIRST") else r.identifier() if r.take("AFTER") else None
    return ChangeColumn(name, old, column, after)


def _partition(r: Reader, name: Name) -> Alteration:
    """PARTITION (...) RENAME TO PARTITION (...), SET LOCATION '...', ADD COLUMNS (...), REPLACE COLUMNS (...)"""
    r.expect("PARTITION")
    spec = PartitionSpec(_values(r))
    if r.take("SET", "LOCATION"):
        return MovePartition(name, spec, PartitionSpec(spec.values, r.string()))
    if r.take("RENAME", "TO", "PARTITION"):
        return MovePartition(name, spec, PartitionSpec(_values(r)))
    if r.take("ADD", "COLUMNS"):
        return AddColumns(name, tuple(r.columns()), False, spec)
    if r.take("REPLACE", "COLUMNS"):
        return AddColumns(name, tuple(r.columns()), True, spec)
    raise _refused(r, "ALTER TABLE PARTITION")


def _values(r: Reader) -> Values:
    values = {}
    r.expect("(")
    while True:
        key = r.identifier()
        r.expect("=")
        values[key] = r.value()
        if not r.take(","):
            r.expect(")")
            return values


def _partitions(r: Reader) -> tuple[PartitionSpec, ...]:
    found = []
    while r.take("PARTITION"):
        found.append(PartitionSpec(_values(r), r.string() if r.take("LOCATION") else None))
        r.take(",")
    if not found:
        raise _refused(r, "ALTER TABLE ADD or DROP")
    return tuple(found)
