"""Text files as a table's columns, line by line, by the rules of their SerDe; what a value means is delimited.py's.

lazy    LazySimpleSerDe
quoted  OpenCSVSerde
"""

import functools
import re
from collections.abc import Callable, Sequence

from localaws.athena import delimited
from localaws.athena.facts import Facts
from localaws.athena.failures import not_supported
from localaws.athena.lake import File
from localaws.athena.quoting import listed, literal, name
from localaws.athena.table import TRUE, Table, selected
from localaws.athena.types import Type


def lazy(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    """LazySimpleSerDe: no quotes; a value that doesn't fit its type is NULL."""
    escape = table.options.get("escape.delim")
    if escape and any(facts.lines(files, ".*" + re.escape(delimited.delimiter(escape)) + ".*")):
        raise not_supported("delimited text in which the character of ESCAPED BY occurs")
    between = delimited.delimiter(table.options.get("field.delim", table.options.get("serialization.format", "\x01")))
    null = literal(table.options.get("serialization.null.format", "\\N"))
    split = f"string_split(t_line, {literal(between)})"
    values = [f"nullif({split}[{i}], {null})" for i in range(1, len(table.columns) + 1)]
    return [lines(table, files, source, values, lambda v, kind: delimited.lazy(v, kind, table.options))]


def quoted(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:
    """OpenCSVSerde. A quote within quotes is written twice or behind the escape character; DuckDB knows one way a file,
    so a file with escape characters must have nothing else that could be meant in two ways."""
    between, quote, escape = (
        delimited.delimiter(table.options.get(option, default))
        for option, default in (("separatorchar", ","), ("quotechar", '"'), ("escapechar", "\\"))
    )
    s, q, e = (re.escape(c) for c in (between, quote, escape))
    field = f"(?:{q}(?:[^{q}{e}]|{e}[{q}{e}])*{q}|[^{s}{q}{e}]*)"
    escaped = facts.lines(files, f".*{e}.*") if escape != quote else [False] * len(files)
    groups: dict[str, list[File]] = {}
    for file, found in zip(files, escaped, strict=True):
        groups.setdefault(escape if found else quote, []).append(file)
    if (
        escape in groups
        and escape != quote
        and any(facts.lines(groups[escape], f"{field}(?:{s}{field})*", unlike=True))
    ):
        raise not_supported(f"{escape} other than before a quote or itself, inside of quotes, in CSV")
    lenient = table.parameters.get("use.null.for.invalid.data", "").lower() == TRUE
    convert = functools.partial(delimited.quoted, null_for_invalid=lenient)
    branches = []
    for used, group in groups.items():
        form = f"delim = {literal(between)}, quote = {literal(quote)}, escape = {literal(used)}, nullstr = '\x02'"
        branches.append(_text(table, group, source, form, convert))
    if any(facts.lines(files, "")):  # DuckDB passes over an empty line; to the SerDe it is a row with one empty field
        values = ["''", *["CAST(NULL AS VARCHAR)"] * (len(table.columns) - 1)]
        branches.append(lines(table, files, source, values, convert) + " WHERE t_line = ''")
    return branches


def lines(
    table: Table, files: Sequence[File], source: str, values: Sequence[str], convert: Callable[[str, Type], str]
) -> str:
    """Each line as t_line, of which `values` are the columns' texts."""
    options = (
        "columns = {'t_read': 'VARCHAR'}, delim = '', quote = '', escape = '', header = false, auto_detect = false, "
        f"skip = {_skipped(table)}, null_padding = true, strict_mode = false"
    )
    columns = [f"{convert(v, c.type)} AS {name(c.name)}" for v, c in zip(values, table.columns, strict=True)]
    paths = listed(f.path for f in files)
    read = f"SELECT coalesce(t_read, '') AS t_line, * FROM read_csv({paths}, {options}, {source})"
    return selected(table, columns, f"({read})", source)


def _skipped(table: Table) -> int:
    return int(table.parameters.get("skip.header.line.count", "0") or 0)


def _text(table: Table, files: Sequence[File], source: str, form: str, convert: Callable[[str, Type], str]) -> str:
    read = ", ".join(f"{literal(c.name)}: 'VARCHAR'" for c in table.columns)
    options = (
        f"columns = {{{read}}}, {form}, header = false, skip = {_skipped(table)}, auto_detect = false, "
        "null_padding = true, strict_mode = false"
    )
    columns = [f"{convert(name(c.name), c.type)} AS {name(c.name)}" for c in table.columns]
    return selected(table, columns, f"read_csv({listed(f.path for f in files)}, {options}, {source})", source)
