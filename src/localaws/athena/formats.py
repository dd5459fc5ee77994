"""Date patterns and JSON paths, from Trino's spellings to DuckDB's.

    mysql("%Y-%m-%d %H:%i")   date_format, date_parse           (Trino's "MySQL date functions")
    joda("yyyy-MM-dd HH:mm")  format_datetime, parse_datetime   (Joda's DateTimeFormat)
    json_path("$.a[0]['b c']")

A part that can't be said in DuckDB's is refused by name.
"""

import re

from localaws.athena.failures import QueryFailure, not_supported

# The specifiers that differ from strftime's; the others in _SAME mean the same.
_MYSQL = {
    "%c": "%-m", "%e": "%-d", "%h": "%I", "%I": "%I", "%i": "%M", "%k": "%-H", "%l": "%-I", "%M": "%B",
    "%r": "%I:%M:%S %p", "%s": "%S", "%T": "%H:%M:%S", "%v": "%V", "%W": "%A", "%x": "%G",
}  # fmt: skip
_SAME = {"%a", "%b", "%d", "%f", "%H", "%j", "%m", "%p", "%S", "%Y", "%y", "%%"}

_REFUSED = {"%D", "%U", "%u", "%V", "%w", "%X"}

_JODA = {
    "y": {1: "%Y", 2: "%y", 4: "%Y"}, "Y": {4: "%Y"}, "x": {4: "%G"}, "M": {1: "%-m", 2: "%m", 3: "%b", 4: "%B"},
    "d": {1: "%-d", 2: "%d"}, "D": {1: "%-j", 3: "%j"}, "E": {1: "%a", 2: "%a", 3: "%a", 4: "%A"}, "e": {1: "%u"},
    "w": {2: "%V"}, "a": {1: "%p", 2: "%p"}, "H": {1: "%-H", 2: "%H"}, "h": {1: "%-I", 2: "%I"},
    "m": {1: "%-M", 2: "%M"}, "s": {1: "%-S", 2: "%S"}, "S": {3: "%g", 6: "%f"},
}  # fmt: skip


def mysql(pattern: str) -> str:
    """A MySQL date format as strftime's."""

    def one(match: re.Match[str]) -> str:
        specifier = match.group()
        if specifier in _SAME:
            return specifier
        if specifier in _REFUSED:
            raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: {specifier} not supported in date format string")
        return _MYSQL.get(specifier, specifier[1:])  # any other letter is itself

    return re.sub(r"%.", one, pattern)


def joda(pattern: str) -> str:
    """A Joda pattern as strftime's. Text in single quotes is literal, two of them are one."""

    def one(match: re.Match[str]) -> str:
        text = match.group()
        if text.startswith("'"):
            return text[1:-1].replace("%", "%%") or "'"
        if not text[0].isalpha():
            return text.replace("%", "%%")
        if len(text) not in _JODA.get(text[0], {}):
            raise not_supported(f"{text} in a date format")
        return _JODA[text[0]][len(text)]

    return re.sub(r"'[^']*'|([A-Za-z])\1*|.", one, pattern)


_STEP = re.compile(r"""\.([^.\[\]*"']+)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|\['([^']*)'\]|\[([^\]"'*\d][^\]"'*]*)\]""")


def json_path(path: str) -> str:
    """A Trino JsonPath ($.a.b[0]["c"]) with every key quoted, as DuckDB wants keys that are not plain words."""
    spelled, position = "$", 1
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            break
        spelled += f"[{step[2]}]" if step[2] else f'."{step[1] or step[3] or step[4] or step[5]}"'
        position = step.end()
    if path[position : position + 2] in {"..", ".*", "[*"}:  # io.trino.operator.scalar.JsonPathTokenizer
        raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: Invalid JSON path: '{path}'")
    if not path.startswith("$") or position < len(path):
        raise not_supported(f"the JSON path {path}")
    return spelled
