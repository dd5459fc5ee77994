"""DuckDB's errors in Athena's words. A name that can't be resolved is looked up in the statement for its place."""

import re
from collections.abc import Callable

import duckdb

from localaws.athena.failures import SYSTEM, QueryFailure, position

Told = Callable[[re.Match[str], str], str]


def _column(match: re.Match[str], sql: str) -> str:
    name = match[1]
    return (
        f"COLUMN_NOT_FOUND: line {_place(name, sql)}: Column '{name.lower()}' cannot be resolved or requester is not "
        "authorized to access requested resources"
    )


def _member(match: re.Match[str], sql: str) -> str:
    table, name = match[1], match[2]
    return (
        f"COLUMN_NOT_FOUND: line {_place(table, sql)}: Column '{table}.{name.lower()}' cannot be resolved or requester is "
        "not authorized to access requested resources"
    )


def _place(name: str, sql: str) -> str:
    found = re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", sql, re.IGNORECASE)
    return position(sql, found.start() if found else 0)


def _said(text: str) -> Told:
    """A message with the pattern's groups in it."""
    return lambda match, _: match.expand(text) if match.re.groups else text


_PATTERNS: tuple[tuple[str, Told], ...] = (
    (r"Could not convert string 'ATHENA ((?:[^']|'')*)' to INT32", _said(r"\1")),
    (r"Could not convert string '(Cannot cast .* to an integer)' to INT128", _said(r"INVALID_CAST_ARGUMENT: \1")),
    (r'Table "([^"]+)" does not have a column named "([^"]+)"', _member),
    (r'Referenced column "([^"]+)" not found', _column),
    (r'Referenced table "([^"]+)" not found', _column),
    (r'Ambiguous reference to column name "([^"]+)"', lambda m, s: f"SYNTAX_ERROR: line {_place(m[1], s)}: Column '{m[1]}' is ambiguous"),
    (r'column "?([^" ]+)"? must appear in the GROUP BY clause', lambda m, s: f"EXPRESSION_NOT_AGGREGATE: line {_place(m[1], s)}: '{m[1]}' must be an aggregate expression or appear in GROUP BY clause"),
    (r"Division by zero", _said("DIVISION_BY_ZERO: Division by zero")),
    (r"(?s)Macro \"?T?_?(\w+)\"?\(\) (?:has multiple overloads|does not support).*", _said(r"NOT_SUPPORTED: the function \1 over an argument whose type can't be known is not supported by the local Athena yet (CAST the argument)")),
    (r'No function matches the given name and argument types \'([^\']*)\'', _said(r"TYPE_MISMATCH: Unexpected parameters for function: \1")),
    (r"(?s)JSON transform error in file \"([^\"]*)\", in line \d+: (.*)", _said(r"HIVE_BAD_DATA: Error parsing field value: \2")),
    (r"Malformed JSON in file", _said("HIVE_CURSOR_ERROR: Row is not a valid JSON Object")),
    (r"maximum_object_size", _said("HIVE_CURSOR_ERROR: Row is not a valid JSON Object: it is too long")),
    (r"(?:No files found|Cannot open file|could not be opened|No such file)", _said("HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split: a file is no longer there")),
    (r"(?s)(?:too small to be a Parquet file|No magic bytes found|not a parquet file).*", _said("HIVE_BAD_DATA: Not valid Parquet file")),
    (r"UNNEST\(\) (.*)", _said(r"TYPE_MISMATCH: UNNEST \1")),
    (r"Maximum recursion depth|Max expression depth limit", _said("SYNTAX_ERROR: statement is too large (stack overflow during analysis)")),
    (r"More than one row returned by a subquery", _said("SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows")),
)  # fmt: skip


def translate(error: duckdb.Error, sql: str) -> QueryFailure:
    """The failure that Athena would report; `sql` is the statement as it was sent."""
    said = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryFailure("EXCEEDED_LOCAL_MEMORY_LIMIT: Query exhausted resources at this scale factor")
    for pattern, told in _PATTERNS:
        match = re.search(pattern, said)
        if match:
            return QueryFailure(told(match, sql))
    first = re.sub(r"^[\w ]+ Error: ", "", said.partition("\n")[0])
    kinds: tuple[tuple[type[duckdb.Error], str], ...] = (
        (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
        (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
        (duckdb.BinderException, "SYNTAX_ERROR"),
        (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
    )
    for kind, code in kinds:
        if isinstance(error, kind):
            return QueryFailure(f"{code}: {first}")
    return QueryFailure(f"GENERIC_INTERNAL_ERROR: {first}", SYSTEM)
