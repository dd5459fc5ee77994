"""Which types may be written where: into a Hive table at all, and into a column of one that is there.

Trino inserts what it would coerce by itself and nothing else (trino.io/docs/current/language/types.html; TypeCoercion),
and its Hive tables have no times, zones, JSON or intervals.
"""

import re
from collections.abc import Sequence

from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.types import Type

_FOREIGN = re.compile(r"timestamp\(\d+\) with time zone|time\(\d+\)|\bjson\b|interval day to second|\buuid\b")
_ANONYMOUS = re.compile(r"\brow\((?!\w+ )")  # a row whose first field is a type alone
_INTEGERS = {"tinyint": 3, "smallint": 5, "integer": 10, "bigint": 19}  # digits
_WIDER: dict[str, set[str]] = {
    "tinyint": {"smallint", "integer", "bigint", "real", "double"},
    "smallint": {"integer", "bigint", "real", "double"},
    "integer": {"bigint", "real", "double"},
    "bigint": {"real", "double"},
    "real": {"double"},
    "decimal": {"real", "double"},
    "date": {"timestamp"},
}


def check_storable(names: Sequence[str], trino: Sequence[str]) -> None:
    """Raises QueryFailure if a new table's column is of a type that no Hive table has."""
    for name, kind in zip(names, trino, strict=True):
        if re.search(r"\bunknown\b", kind):
            raise QueryFailure(f"COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: {name}")
        foreign = _FOREIGN.search(kind)
        if foreign:
            raise QueryFailure(f"NOT_SUPPORTED: Unsupported Hive type: {foreign.group()}")
        if has_anonymous(kind):
            told = "Anonymous row type is not supported in Hive. Please give each field a name"
            raise QueryFailure(f"NOT_SUPPORTED: {told}: {kind}")


def is_foreign(trino: str) -> bool:
    """Has no Hive table this type?"""
    return _FOREIGN.search(trino) is not None


def has_anonymous(trino: str) -> bool:
    """Is a row without names in this type?"""
    return _ANONYMOUS.search(trino) is not None


def assignable(source: Type, target: Type, by_place: bool = False) -> bool:
    """Does Trino coerce a value of `source` into a column of `target`? `by_place`: the source's rows have no names."""
    if source.name == target.name == "decimal":
        return target.scale >= source.scale and target.precision - target.scale >= source.precision - source.scale
    if target.name == "decimal":
        return target.precision - target.scale >= _INTEGERS.get(source.name, 99)
    if source.name == target.name == "row" and not by_place and source.fields != target.fields:
        raise not_supported("INSERT INTO a row whose fields have other names")  # Trino goes by place, DuckDB by name
    if source.name == target.name:
        pairs = zip(source.children, target.children, strict=False)
        return len(source.children) == len(target.children) and all(assignable(s, t, by_place) for s, t in pairs)
    return target.name in _WIDER.get(source.name, ())
