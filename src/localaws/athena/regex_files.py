"""Text files that a regular expression parts into columns (RegexSerDe): the n-th group is the n-th column.

A line that doesn't match as a whole is a row of NULLs, and so is what doesn't fit its column's type. The expression is
Java's, and run by RE2 here: what RE2 doesn't know, and groups that may take no part in a match (NULL to Java, empty to
RE2), are refused by name. (docs.aws.amazon.com/athena/latest/ug/regex-serde.html)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from localaws.athena import delimited
from localaws.athena.facts import Facts
from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.lake import File
from localaws.athena.quoting import literal
from localaws.athena.table import Table
from localaws.athena.text_files import lines
from localaws.athena.types import Type

# Of Java's expressions what RE2 lacks, or means something else by.
_FOREIGN = (
    (r"\(\?<?[=!]", "a look ahead or behind"),
    (r"\(\?>|[+*?}]\+", "a possessive part"),
    (r"\\[1-9k]", "a reference to a group"),
    (r"\\[GRXhHvZeNcx0]|\\[pP]\{", "an escape that RE2 lacks"),
    (r"&&", "&&"),
    (r"\(\?<[A-Za-z]|\(\?[a-zA-Z]*[xuUd]", "a group with a name or a flag"),
)
_UNLIKE = re.compile(r"\^?\(\?!([^][()|\\.*+?{}^$]+)\)")  # (?!#) at the beginning: AWS's example for CloudFront's logs
_PIECE = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]])*\]|\(\?:|\(|\)|\||.", re.DOTALL)


def read(table: Table, files: Sequence[File], facts: Facts, source: str) -> list[str]:  # noqa: ARG001 - every reader's
    pattern = table.options.get("input.regex")
    if pattern is None:
        raise QueryFailure("HIVE_BAD_DATA: Schema does not have required 'input.regex' property")
    unlike = _UNLIKE.match(pattern)
    if unlike:
        pattern = pattern[unlike.end() :]
    for foreign, what in _FOREIGN:
        if re.search(foreign, pattern.replace("\\\\", "")):
            raise not_supported(f"{what} in input.regex")
    groups = _groups(pattern)
    flags = literal("si" if table.option_is_true("input.regex.case.insensitive") else "s")
    matches = f"regexp_full_match(t_line, {literal(pattern)}, {flags})"
    if unlike:
        matches = f"{matches} AND NOT starts_with(t_line, {literal(unlike[1])})"
    values = [
        f"CASE WHEN {matches} THEN regexp_extract(t_line, {literal(pattern)}, {i}, {flags}) END"
        if i <= groups
        else "CAST(NULL AS VARCHAR)"
        for i in range(1, len(table.columns) + 1)
    ]
    return [lines(table, files, source, values, _value)]


def _value(value: str, kind: Type) -> str:
    if kind.name == "boolean":  # Boolean.parseBoolean
        return f"lower({value}) = 'true'"
    if kind.name not in delimited.SCALARS:
        raise not_supported(f"the type {kind.hive()} with the RegexSerDe")
    return delimited.lazy(value, kind, {})


@dataclass(slots=True)
class _Open:
    """A group that has not ended: does it capture, has it a capturing group in it, and a choice?"""

    captures: bool
    within: bool = False
    choice: bool = False


def _groups(pattern: str) -> int:
    """How many groups capture; each must take part in every match."""
    pieces = [m.group() for m in _PIECE.finditer(pattern)]
    levels, count = [_Open(False)], 0
    for piece, following in zip([*pieces, ")"], [*pieces[1:], "", ""], strict=True):
        if piece in {"(", "(?:"}:
            levels.append(_Open(piece == "("))
            count += piece == "("
        elif piece == "|":
            levels[-1].choice = True
        elif piece == ")":
            group = levels.pop()
            inside = group.captures or group.within
            if (group.choice and group.within) or (inside and following in {"?", "*", "{"}):
                raise not_supported("a group of input.regex that need not match")
            if levels:
                levels[-1].within |= inside
            else:
                break
    return count
