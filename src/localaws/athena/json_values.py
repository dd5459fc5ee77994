"""A JSON value in a column of some type, by the rules of two SerDes, as an expression in DuckDB's SQL.

    of_text(value, type, rules)   from the value's text without quotes, which is what DuckDB reads fastest
    of_json(value, type, rules)   from the value as JSON; arrays, maps and rows at any depth

A value that doesn't fit its column fails the query; with use.null.for.invalid.data it is NULL. OpenX: numbers and
booleans may stand in quotes, and text takes any value as it is written. Hive's SerDe: numbers may not, text takes no
arrays and objects, and whatever is not true is false.
(docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html, hive-json-serde.html; the rules for single values are those
of the SerDes' readers in Trino, lib/trino-hive-formats.)
"""

from collections.abc import Callable
from dataclasses import dataclass

from localaws.athena.failures import not_supported
from localaws.athena.quoting import literal, name
from localaws.athena.types import Type

_INTEGERS = {"tinyint", "smallint", "integer", "bigint"}
_HIVE_TIMESTAMP = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,9})?"
_DATE = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
_NUMBER = r"-?[0-9].*"


@dataclass(frozen=True, slots=True)
class Rules:
    """`openx` or Hive's SerDe; `lenient` makes NULL of what doesn't fit."""

    openx: bool
    lenient: bool


def is_nested(kind: Type) -> bool:
    return kind.name in {"array", "map", "row"}


def of_text(value: str, kind: Type, rules: Rules) -> str:
    """The type must not be nested."""
    if kind.name in {"varchar", "char"}:
        return f"left({value}, {kind.precision})" if kind.precision else value
    if kind.name not in _READ:
        raise not_supported(f"the type {kind.hive()} with a JSON SerDe")
    read = _READ[kind.name](value, kind)
    if rules.lenient:
        return read
    return f"CASE WHEN {value} IS NOT NULL THEN coalesce({read}, {_failing(value, kind)}) END"


def of_json(value: str, kind: Type, rules: Rules, depth: int = 0) -> str:
    if is_nested(kind):
        return _nested(value, kind, rules, depth)
    text = f"json_extract_string({value}, '$')"
    if rules.openx:
        return of_text(text, kind, rules)
    fits = _HIVE.get(kind.name, "json_type(<json>) NOT IN ('ARRAY', 'OBJECT')")
    wrong = f"{value} IS NOT NULL AND NOT ({fits.replace('<json>', value).replace('<text>', text)})"
    if kind.name == "boolean":
        right = f"CASE WHEN {value} IS NOT NULL THEN lower({text}) = 'true' END"
    elif kind.name in _INTEGERS:  # Jackson cuts the fraction off
        right = f"TRY_CAST(trunc(TRY_CAST({text} AS DECIMAL(38, 9))) AS {kind.duckdb()})"
        right = f"CASE WHEN {value} IS NOT NULL THEN coalesce({right}, {_failing(text, kind)}) END"
    elif kind.name == "decimal":  # what is no number is NULL
        right = f"TRY_CAST({text} AS {kind.duckdb()})"
    else:
        right = of_text(text, kind, rules)
    return f"CASE WHEN {wrong} THEN {_failing(text, kind)} ELSE {right} END"


# What DuckDB would read and Java doesn't is kept out; NULL for what doesn't fit.
_READ: dict[str, Callable[[str, Type], str]] = {
    **dict.fromkeys(
        _INTEGERS,
        lambda v, k: (
            f"CASE WHEN NOT contains({v}, '.') AND NOT contains({v}, '_') THEN TRY_CAST({v} AS {k.duckdb()}) END"
        ),
    ),
    **dict.fromkeys(("real", "double", "decimal"), lambda v, k: f"TRY_CAST({v} AS {k.duckdb()})"),
    "boolean": lambda v, _: (
        f"CASE WHEN lower({v}) = 'true' THEN true WHEN NOT regexp_full_match({v}, '{_NUMBER}') "
        f"AND NOT regexp_matches({v}, '^[\\[{{]') THEN false END"
    ),
    "date": lambda v, _: f"CASE WHEN regexp_full_match({v}, '{_DATE}') THEN TRY_CAST({v} AS DATE) END",
    "timestamp": lambda v, _: f"TRY(t_json_timestamp({v}))",
    "varbinary": lambda v, _: f"TRY(from_base64({v}))",
}
# What a value must be like; <json> stands for it, <text> for its text.
_NUMERIC = f"regexp_full_match(<text>, '{_NUMBER}') AND json_type(<json>) <> 'VARCHAR'"
_HIVE = {
    **dict.fromkeys((*_INTEGERS, "real", "double"), _NUMERIC),
    "date": f"regexp_full_match(<text>, '{_DATE}')",
    "timestamp": f"regexp_full_match(<text>, '{_HIVE_TIMESTAMP}')",
}


def _failing(value: str, kind: Type) -> str:
    """In Athena's words, which also tell the column's number."""
    wrong = f"'HIVE_BAD_DATA: Error parsing field value: ' || {literal(kind.trino())} || ' expected, not ' || {value}"
    return f"CAST(t_fail({wrong}) AS {kind.duckdb()})"


def _nested(value: str, kind: Type, rules: Rules, depth: int) -> str:
    item = f"t_item{depth}"
    if kind.name == "array":
        each = of_json(item, kind.children[0], rules, depth + 1)
        read = f"list_transform(json_transform({value}, '\"JSON[]\"'), lambda {item}: {each})"
        return _of_type(value, "ARRAY", read, kind, rules)
    if kind.name == "map":
        key, inner = kind.children
        if key.name != "varchar":
            raise not_supported(f"the type {kind.hive()} in JSON whose keys must be read one by one")
        each = f"{{'key': {item}.key, 'value': {of_json(f'{item}.value', inner, rules, depth + 1)}}}"
        entries = f"map_entries(json_transform({value}, '\"MAP(VARCHAR, JSON)\"'))"
        read = f"map_from_entries(list_transform({entries}, lambda {item}: {each}))"
        return _of_type(value, "OBJECT", read, kind, rules)
    fields = [
        f"{name(f)}: {of_json(f'{item}.{name(f)}', k, rules, depth + 1)}"
        for f, k in zip(kind.fields, kind.children, strict=True)
    ]
    read = f"list_transform([{row(value, kind.fields)}], lambda {item}: {{{', '.join(fields)}}})[1]"
    return _of_type(value, "OBJECT", read, kind, rules)


def row(value: str, keys: tuple[str, ...]) -> str:
    """The values of these keys of an object, as JSON."""
    inner = ", ".join(f'{quoted(k)}: "JSON"' for k in keys)
    return f"json_transform({value}, {literal(f'{{{inner}}}')})"


def quoted(key: str) -> str:
    """The key as JSON has it."""
    return '"' + key.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _of_type(value: str, wanted: str, read: str, kind: Type, rules: Rules) -> str:
    other = f"CAST(NULL AS {kind.duckdb()})" if rules.lenient else _failing(f"CAST({value} AS VARCHAR)", kind)
    return f"CASE WHEN {value} IS NULL THEN NULL WHEN json_type({value}) = '{wanted}' THEN {read} ELSE {other} END"
