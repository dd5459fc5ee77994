"""DuckDB's errors in Athena's words. A name that can't be resolved is looked up in the statement for its place."""

import re

import duckdb

from localaws.athena.failures import EXHAUSTED, SYSTEM, QueryFailure, position

_UNRESOLVED = "cannot be resolved or requester is not authorized to access requested resources"
_TOO_LARGE = "SYNTAX_ERROR: statement is too large (stack overflow during analysis)"
_GONE = "HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split: a file is no longer there"
_NOT_JSON = "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"

# (what DuckDB says, what Athena says): {0} and {1} are the pattern's groups, {place} is {0}'s place in the statement.
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"(?s)Could not convert string 'ATHENA (.*)' to INT32", "{0}"),
    (r"Could not convert string '(Cannot cast .* to an integer)' to INT128", "INVALID_CAST_ARGUMENT: {0}"),
    (
        r'Table "([^"]+)" does not have a column named "([^"]+)"',
        f"COLUMN_NOT_FOUND: line {{place}}: Column '{{0}}.{{1}}' {_UNRESOLVED}",
    ),
    (
        r'Referenced (?:column|table) "([^"]+)" not found',
        f"COLUMN_NOT_FOUND: line {{place}}: Column '{{0}}' {_UNRESOLVED}",
    ),
    (r'Ambiguous reference to column name "([^"]+)"', "AMBIGUOUS_NAME: line {place}: Column '{0}' is ambiguous"),
    (
        r'column "?([^" ]+)"? must appear in the GROUP BY clause',
        "EXPRESSION_NOT_AGGREGATE: line {place}: '{0}' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (r"Division by zero", "DIVISION_BY_ZERO: Division by zero"),
    (
        r"Type INT128 with value (-?\d+) can't be cast .* destination type INT64 when casting from source column c\d",
        "NUMERIC_VALUE_OUT_OF_RANGE: bigint addition overflow: {0}",
    ),
    (
        r'Macro "?[Tt]_(\w+)"?\(\) (?:has multiple overloads|does not support)',
        "NOT_SUPPORTED: {0} of a value of unknown type is not supported by the local Athena yet (CAST the value)",
    ),
    (
        r"No function matches the given name and argument types '(\w+)\([^']*STRUCT\(t_at",
        "NOT_SUPPORTED: {0} of a timestamp with a time zone of its own is not supported by the local Athena yet",
    ),
    (
        r"No function matches the given name and argument types '([^']*)'",
        "TYPE_MISMATCH: Unexpected parameters for function: {0}",
    ),
    (
        r"(?s)JSON transform error in file \"[^\"]*\", in line \d+: ([^\n]*)",
        "HIVE_BAD_DATA: Error parsing field value: {0}",
    ),
    (r"Unknown TimeZone '([^']*)'", "INVALID_FUNCTION_ARGUMENT: '{0}' is not a valid time zone"),
    (r"Failure in decode", "NOT_SUPPORTED: from_utf8 of bytes that are no UTF-8; use try(from_utf8(...))"),
    (r"Malformed JSON in file", _NOT_JSON),
    (r"CSV Error on Line: \d+[\s\S]*[Mm]aximum line size", f"{_NOT_JSON}: it is too long"),
    (r"maximum_object_size", f"{_NOT_JSON}: it is too long"),
    (r"No files found|Cannot open file|could not be opened|No such file", _GONE),
    (r"(?i)no magic bytes|not a parquet file|too small to be a parquet", "HIVE_BAD_DATA: Not valid Parquet file"),
    (r"UNNEST\(\) (.*)", "TYPE_MISMATCH: UNNEST {0}"),
    (r"(?i)maximum recursion depth|max expression depth limit", _TOO_LARGE),
    (
        r"More than one row returned by a subquery",
        "SUBQUERY_MULTIPLE_ROWS: Scalar sub-query has returned multiple rows",
    ),
)
_OTHERS: tuple[tuple[type[duckdb.Error], str], ...] = (
    (duckdb.ConversionException, "INVALID_CAST_ARGUMENT"),
    (duckdb.OutOfRangeException, "NUMERIC_VALUE_OUT_OF_RANGE"),
    (duckdb.BinderException, "SYNTAX_ERROR"),
    (duckdb.InvalidInputException, "INVALID_FUNCTION_ARGUMENT"),
)


def translate(error: duckdb.Error, sql: str) -> QueryFailure:
    """The failure that Athena would report; `sql` is the statement as it was sent."""
    said = str(error)
    if isinstance(error, duckdb.OutOfMemoryException):
        return QueryFailure(EXHAUSTED)
    for pattern, told in _PATTERNS:
        match = re.search(pattern, said)
        if match:
            names = [group.lower() if "NOT_FOUND" in told else group for group in match.groups()]
            return QueryFailure(told.format(*names, place=_place(names[0], sql) if names else ""))
    first = re.sub(r"^[\w ]+ Error: ", "", said.partition("\n")[0])
    for kind, code in _OTHERS:
        if isinstance(error, kind):
            return QueryFailure(f"{code}: {first}")
    return QueryFailure(f"GENERIC_INTERNAL_ERROR: {first}", SYSTEM)


def _place(name: str, sql: str) -> str:
    found = re.search(rf"(?<![\w$]){re.escape(name)}(?![\w$])", sql, re.IGNORECASE)
    return position(sql, found.start() if found else 0)
