"""Files of JSON, an object a line, as a table's columns, by the rules of their SerDe.

    openx  org.openx.data.jsonserde.JsonSerDe, with its properties case.insensitive, dots.in.keys, mapping.*,
           ignore.malformed.json and use.null.for.invalid.data. It makes every key lower case, at any depth, in maps and
           in text that holds an object; a line that begins with no { is a row of NULLs.
    hive   org.apache.hive.hcatalog.data.JsonSerDe: keys of columns and of rows match without regard to case, and every
           line must be an object.

DuckDB reads a file directly if it can: one object a line, every column's key in one spelling. Other files are read as
lines, whose keys are spelled anew before they are parsed.
(docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html, github.com/rcongiu/Hive-JSON-Serde)
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from localaws.athena.facts import Facts, Keys
from localaws.athena.failures import not_supported
from localaws.athena.json_values import Rules, is_nested, of_json, of_text, quoted, row
from localaws.athena.lake import File
from localaws.athena.quoting import listed, literal, name
from localaws.athena.table import Table, selected
from localaws.athena.types import Type

_NOT_JSON = "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"
_LONGEST = 16 * 2**20  # bytes of a line: DuckDB's limit for an object
# A text with its quotes, and the colon that makes it a key; or what lies between texts.
_PIECES = r"""'"(?:[^"\\]|\\.)*"\s*:?|[^"]+'"""


@dataclass(frozen=True, slots=True)
class _Format:
    """A table's SerDe: `keys` are the columns' in the files; `renamed` the keys of fields within columns, as the
    folding leaves them, to those fields' names; `names` all of columns and fields."""

    rules: Rules
    folds: bool
    dots: bool
    skips_malformed: bool
    keys: dict[str, str]
    renamed: dict[str, str]
    names: tuple[str, ...]


def openx(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    folds = table.options.get("case.insensitive", "true").strip().lower() == "true"
    mapped = {
        k.removeprefix("mapping."): v.lower() if folds else v
        for k, v in table.options.items()
        if k.startswith("mapping.")
    }
    lenient = table.option_is_true("use.null.for.invalid.data")
    form = _Format(
        Rules(True, lenient),
        folds,
        table.option_is_true("dots.in.keys"),
        table.option_is_true("ignore.malformed.json"),
        {c.name: mapped.get(c.name, c.name) for c in table.columns},
        _renamed(table, mapped),
        (*(c.name for c in table.columns), *(f for c in table.columns for f in _fields(c.type))),
    )
    return _read(table, form, files, facts, source)


def hive(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    if table.options.get("timestamp.formats"):
        raise not_supported("the JSON SerDe's timestamp.formats")
    form = _Format(Rules(False, False), True, False, False, {c.name: c.name for c in table.columns}, {}, ())
    return _read(table, form, files, facts, source)


def _renamed(table: Table, mapped: dict[str, str]) -> dict[str, str]:
    """mapping.* counts for fields within columns, too."""
    inner = {field for c in table.columns for field in _fields(c.type)}
    found = {key: field for field, key in mapped.items() if field in inner}
    columns = {c.name for c in table.columns}
    for key, field in found.items():
        if field in columns or key in inner or key in columns:
            raise not_supported(f"mapping.{field}, whose field or key means something else, too,")
    return found


def _fields(kind: Type) -> Iterator[str]:
    yield from kind.fields
    for child in kind.children:
        yield from _fields(child)


def _read(table: Table, form: _Format, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    direct: dict[tuple[frozenset[str], bool], list[File]] = {}
    by_line = []
    for file, known, odd in zip(files, facts.keys(files), _odd(table, form, files, facts), strict=True):
        if _is_plain(table, form, known):
            wanted = set(form.keys.values())
            spelled = frozenset(k for k in known.top if k.lower() in wanted) if form.folds else frozenset()
            direct.setdefault((spelled, odd), []).append(file)
        else:
            by_line.append(file)
    branches = [_direct(table, form, group, spelled, odd, source) for (spelled, odd), group in direct.items()]
    return [*branches, *([_by_line(table, form, by_line, source)] if by_line else [])]


def _is_plain(table: Table, form: _Format, known: Keys) -> bool:
    """Can DuckDB read the file directly?"""
    if known.has_other_lines or form.dots or form.renamed or _differ_in_case_alone(form.keys.values()):
        return False
    nested = {k.lower() for k in known.nested} if form.folds else set()
    within = [c for c in table.columns if form.keys[c.name].lower() in nested]
    for column in within:
        if not form.rules.openx and "map<" in column.type.hive():
            what = f"capital letters in the keys below {column.name}, which has a map,"
            raise not_supported(f"{what} with Hive's JSON SerDe")
    if any(is_nested(c.type) or c.type.name == "varchar" for c in within):
        return False
    spelled = [k.lower() for k in known.top] if form.folds else []
    return all(spelled.count(k) <= 1 for k in form.keys.values())


def _differ_in_case_alone(keys: Iterable[str]) -> bool:
    """DuckDB's names of columns don't; a key that two columns read is one key."""
    return len({k.lower() for k in keys}) < len(set(keys))


# Directly


# The values that DuckDB reads as a column of such a type and the SerDe doesn't, or not so.
_ODD = {
    **dict.fromkeys(("tinyint", "smallint", "integer", "bigint"), '"|true|false|-?[0-9]+[.eE]'),
    **dict.fromkeys(("real", "double"), '"|true|false'),
    "boolean": '"|[-0-9]',
}


def _odd(table: Table, form: _Format, files: Sequence[File], facts: Facts) -> list[bool]:
    """Has each file such values? Without them DuckDB reads the types itself, which is much faster."""
    odd = _ODD if form.rules.openx else _ODD | {"varchar": "[{\\[]"}
    kinds: dict[str, list[str]] = {}
    for column in table.columns:
        if column.type.name in odd:
            kinds.setdefault(odd[column.type.name], []).append(re.escape(quoted(form.keys[column.name])))
    if not kinds:
        return [False] * len(files)
    forms = (f"(?:{'|'.join(keys)})\\s*:\\s*(?:{values})" for values, keys in kinds.items())
    return facts.lines(files, f"(?i).*(?:{'|'.join(forms)}).*")


def _direct(table: Table, form: _Format, files: Sequence[File], spelled: frozenset[str], odd: bool, source: str) -> str:
    by_key = {k.lower(): k for k in spelled}
    read: dict[str, str] = {}
    columns = []
    for column in table.columns:
        key = form.keys[column.name]
        key = by_key.get(key.lower(), key) if form.folds else key
        kind, value = _read_as(column.type, form, odd)
        if read.setdefault(key, kind) != kind:
            raise not_supported(f"columns of several types with the key {key}")
        columns.append(f"{value.replace('{}', name(key))} AS {name(column.name)}")
    # Without `records` DuckDB looks at each file first, and keeps 32 MiB of every one until the query's end.
    options = ", ".join(f"{literal(k)}: {literal(v)}" for k, v in read.items())
    options = f"columns = {{{options}}}, format = 'newline_delimited', records = true, {_malformed(form)}"
    return selected(table, columns, f"read_json({listed(f.path for f in files)}, {options}, {source})", source)


def _read_as(kind: Type, form: _Format, odd: bool) -> tuple[str, str]:
    """(the type that DuckDB reads, what becomes of its value {}). When DuckDB may pass over what is malformed, it makes
    NULL of what doesn't fit, too; so it must not see the types."""
    strict = not form.skips_malformed and not form.rules.lenient
    if strict and (is_nested(kind) or (kind.name in {*_ODD, "varchar"} and not kind.precision and not odd)):
        return kind.duckdb(), "{}"
    if form.rules.openx and not is_nested(kind):
        return "VARCHAR", of_text("{}", kind, form.rules)
    return "JSON", of_json("{}", kind, form.rules)


def _malformed(form: _Format) -> str:
    return f"ignore_errors = {str(form.skips_malformed).lower()}"


# By line


def _by_line(table: Table, form: _Format, files: Sequence[File], source: str) -> str:
    options = (
        "columns = {'t_read': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false, auto_detect = false, "
        f"null_padding = true, strict_mode = false, max_line_size = {_LONGEST}"
    )
    text = "trim(coalesce(t_read, ''), ' \t\r')"
    keys = {c.name: _folded(form.keys[c.name], form) for c in table.columns}
    reader = f"read_csv({listed(f.path for f in files)}, {options}, {source})"
    lines = f"SELECT *, {_object(text, form)} AS t_object FROM {reader}"
    if _differ_in_case_alone(keys.values()):
        values = {k: f"json_extract(t_object, {literal('$.' + quoted(k))})" for k in keys.values()}
    else:
        values = {k: f"t_row.{name(k)}" for k in keys.values()}
        lines = f"SELECT *, {row('t_object', tuple(values))} AS t_row FROM ({lines})"
    columns = [f"{of_json(values[keys[c.name]], c.type, form.rules)} AS {name(c.name)}" for c in table.columns]
    return selected(table, columns, f"({lines})", source)


def _folded(key: str, form: _Format) -> str:
    key = key.lower() if form.folds else key
    return form.renamed.get(key, key)


def _object(text: str, form: _Format) -> str:
    """The line's object with its keys spelled anew; NULL for a line that is none."""
    again = (
        f"array_to_string(list_transform(regexp_extract_all({text}, {_PIECES}), lambda t_piece: {_spelled(form)}), '')"
    )
    doubled = "len(json_keys(t_text)) <> len(list_distinct(json_keys(t_text)))"
    fail = f"{literal(_NOT_JSON + ' - JSONException: Duplicate key')}"
    once = f"list_transform([{again}], lambda t_text: CASE WHEN {doubled} THEN t_fail({fail}) ELSE t_text END)[1]"
    malformed = "NULL" if form.skips_malformed else f"t_fail({literal(_NOT_JSON)})"
    array = "t_fail('NOT_SUPPORTED: a line that is an array of JSON is not supported by the local Athena yet')"
    other = "NULL" if form.rules.openx else f"t_fail({literal(_NOT_JSON)})"
    return (
        f"CASE WHEN starts_with({text}, '{{') THEN CASE WHEN json_valid({text}) THEN {once} ELSE {malformed} END "
        f"WHEN starts_with({text}, '[') THEN {array} ELSE {other} END"
    )


def _spelled(form: _Format) -> str:
    """A piece of the line: if it is a key, the key as the columns and fields know it."""
    key = "rtrim(rtrim(t_piece, ':'), ' \t')"
    spelled = f"lower({key})" if form.folds else key
    for old, new in form.renamed.items():
        spelled = f"CASE WHEN {spelled} = {_literal(old)} THEN {_literal(new)} ELSE {spelled} END"
    if form.dots:
        dotless = f"replace({spelled}, '.', '_')"
        spelled = f"CASE WHEN {dotless} IN ({', '.join(map(_literal, form.names))}) THEN {dotless} ELSE {spelled} END"
    return f"CASE WHEN starts_with(t_piece, '\"') AND ends_with(t_piece, ':') THEN {spelled} || ':' ELSE t_piece END"


def _literal(key: str) -> str:
    return literal(quoted(key))
