"""Values of delimited text by the rules of two SerDes: what a piece of text means in a column of some type.

    lazy    LazySimpleSerDe: what doesn't fit is NULL; arrays, maps and structs are parted by further delimiters
    quoted  OpenCSVSerde: what doesn't fit fails the query; timestamps and dates are counted from 1970

docs.aws.amazon.com/athena/latest/ug/csv-serde.html and lazy-simple-serde.html. Each gives an expression in DuckDB's
SQL.
"""

from collections.abc import Callable, Mapping

from localaws.athena.failures import not_supported
from localaws.athena.types import Type

_INTEGERS = {"tinyint", "smallint", "integer", "bigint"}
# What Java reads and no more: DuckDB also takes 1.5 for an integer, 1 for a boolean and inf for a double.
_FORMS = dict.fromkeys(_INTEGERS, r"[+-]?[0-9]+") | {
    "real": r" *[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?) *",
    "double": r" *[+-]?(NaN|Infinity|([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?) *",
    "decimal": r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?",
    "boolean": "(?i)true|false",
    "date": r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
    "timestamp": r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2} [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]{1,9})?",
}
SCALARS = {"varchar", *_FORMS}
# The delimiters that Hive uses inside of a value, from the outermost in.
_INNER = ("collection.delim", "mapkey.delim", "", "", "")


def lazy(value: str, kind: Type, options: Mapping[str, str], depth: int = 0) -> str:
    if kind.name == "varchar":
        return f"left({value}, {kind.precision})" if kind.precision else value
    if kind.name in _FORMS:
        form = _string(_FORMS[kind.name])
        return f"CASE WHEN regexp_full_match({value}, {form}) THEN TRY_CAST({value} AS {kind.duckdb()}) END"
    if kind.name == "varbinary":
        return _base64(value)
    if kind.name == "array":
        return _split(value, options, depth, lambda e: _item(e, kind.children[0], options, depth + 1))
    if kind.name == "map":
        return f"map_from_entries({_split(value, options, depth, lambda e: _entry(e, kind, options, depth + 1))})"
    if kind.name == "row":
        return _row(value, kind, options, depth)
    raise not_supported(f"the type {kind.hive()} with the LazySimpleSerDe")


def _base64(value: str) -> str:
    """Hive's LazyBinary decodes what is Base64 and takes the bytes of what isn't; for the latter Trino has rules of its
    own, so it is refused where it occurs."""
    four = "[A-Za-z0-9+/]"
    form = _string(f"(?:{four}{{4}})*(?:{four}{{2}}==|{four}{{3}}=)?")
    refused = "t_fail('NOT_SUPPORTED: binary that is not Base64 is not supported by the local Athena yet')"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN regexp_full_match({value}, {form}) THEN from_base64({value}) "
        f"ELSE from_base64(CAST({refused} AS VARCHAR)) END"
    )


def _split(value: str, options: Mapping[str, str], depth: int, each: Callable[[str], str]) -> str:
    """An empty text is an empty list."""
    item = f"t_part{depth}"
    listed = f"list_transform(string_split({value}, {_inner(options, depth)}), lambda {item}: {each(item)})"
    return f"CASE WHEN {value} = '' THEN [] ELSE {listed} END"


def _entry(entry: str, kind: Type, options: Mapping[str, str], depth: int) -> str:
    """What stands before the first delimiter is the key; without a delimiter the value is NULL."""
    between = _inner(options, depth)
    place = f"strpos({entry}, {between})"
    key = f"CASE WHEN {place} = 0 THEN {entry} ELSE left({entry}, {place} - 1) END"
    value = f"CASE WHEN {place} > 0 THEN substr({entry}, {place} + 1) END"
    keyed = _item(f"({key})", kind.children[0], options, depth + 1)
    return f"{{'key': {keyed}, 'value': {_item(f'({value})', kind.children[1], options, depth + 1)}}}"


def _row(value: str, kind: Type, options: Mapping[str, str], depth: int) -> str:
    parts = f"string_split({value}, {_inner(options, depth)})"
    fields = [
        f'"{name}": {_item(f"{parts}[{i}]", child, options, depth + 1)}'
        for i, (name, child) in enumerate(zip(kind.fields, kind.children, strict=True), 1)
    ]
    return f"CASE WHEN {value} IS NOT NULL THEN {{{', '.join(fields)}}} END"


def _item(value: str, kind: Type, options: Mapping[str, str], depth: int) -> str:
    null = _string(options.get("serialization.null.format", "\\N"))
    return lazy(f"nullif({value}, {null})", kind, options, depth)


def _inner(options: Mapping[str, str], depth: int) -> str:
    if depth >= len(_INNER):
        raise not_supported("a type that is nested so deeply in delimited text")
    given = options.get(_INNER[depth])
    return _string(delimiter(given) if given else chr(depth + 2))


def delimiter(text: str) -> str:
    """A delimiter is written as itself, as an escape (\\t) or as a character's number."""
    if text.isdecimal():
        return chr(int(text))
    return text if len(text) == 1 else text.encode().decode("unicode_escape")


def quoted(value: str, kind: Type, null_for_invalid: bool) -> str:
    """`null_for_invalid` is the table's property use.null.for.invalid.data."""
    if kind.name == "varchar":
        return f"left({value}, {kind.precision})" if kind.precision else value
    if kind.name not in _FORMS:
        raise not_supported(f"the type {kind.hive()} with the OpenCSVSerde")
    counted = {
        "timestamp": "make_timestamp(TRY_CAST({} AS BIGINT) * 1000)",
        "date": "DATE '1970-01-01' + TRY_CAST({} AS INTEGER)",
    }
    form = _FORMS["integer"] if kind.name in counted else _FORMS[kind.name]
    read = counted.get(kind.name, "TRY_CAST({} AS " + kind.duckdb() + ")").format(value)
    found = f"CASE WHEN regexp_full_match({value}, {_string(form)}) THEN {read} END"
    if null_for_invalid:
        return found
    wrong = f"'HIVE_BAD_DATA: Error parsing column of type {kind.trino()}: ' || {value}"
    failing = f"CAST(t_fail({wrong}) AS {kind.duckdb()})"
    return f"CASE WHEN {value} IS NULL THEN NULL ELSE coalesce({found}, {failing}) END"


def _string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
