"""format(): java.util.Formatter's patterns, as far as DuckDB's SQL can say them.

The pattern must be a literal: it is read here, and each conversion becomes an expression of its own. What a conversion
is given is checked when the query runs (%d takes integers only, as in Java, where %f takes no integers).
(trino.io/docs/current/functions/conversion.html#format; docs.oracle.com/en/java/javase/21/docs/api/java.base/java/
util/Formatter.html)
"""

import re
from collections.abc import Sequence

from sqlglot import exp

from localaws.athena.failures import QueryFailure, not_supported

_CONVERSION = re.compile(r"%(\d+\$)?([-#+ 0,(<]*)(\d+)?(\.\d+)?(t[a-zA-Z]|[a-zA-Z%])")
_DATES = {"A": "%A", "a": "%a", "B": "%B", "b": "%b", "d": "%d", "e": "%-d", "F": "%Y-%m-%d", "H": "%H", "I": "%I",
          "j": "%j", "k": "%-H", "l": "%-I", "L": "%g", "M": "%M", "m": "%m", "R": "%H:%M", "S": "%S", "T": "%H:%M:%S",
          "Y": "%Y", "y": "%y", "D": "%m/%d/%y"}  # fmt: skip

MACROS = {
    "t_is(x, kinds, c)": "CASE WHEN x IS NULL OR "
    "list_contains(string_split(kinds, ','), regexp_replace(typeof(x), '\\(.*\\)$', '')) THEN '' "
    "ELSE t_fail('INVALID_FUNCTION_ARGUMENT: Invalid format string: %' || c || ' of a value of ' || typeof(x)) END",
    "t_format_s(x)": "t_is(x, 'VARCHAR,BOOLEAN,TINYINT,SMALLINT,INTEGER,BIGINT,DOUBLE,DECIMAL,DATE,TIMESTAMP', 's') "
    "|| coalesce(CASE typeof(x) WHEN 'TIMESTAMP' THEN t_java_time(TRY_CAST(x AS TIMESTAMP)) ELSE t_varchar(x) END, "
    "'null')",
    # java.time.LocalDateTime.toString: seconds and their fraction only as far as they are not zero
    "t_java_time(t)": "strftime(t, '%Y-%m-%dT%H:%M') || CASE "
    "WHEN microsecond(t) % 1000 <> 0 THEN strftime(t, ':%S.%f') "
    "WHEN microsecond(t) % 1000000 <> 0 THEN strftime(t, ':%S.%g') WHEN second(t) <> 0 THEN strftime(t, ':%S') "
    "ELSE '' END",
    "t_format_d(x)": "t_is(x, 'TINYINT,SMALLINT,INTEGER,BIGINT,HUGEINT', 'd') || CAST(x AS VARCHAR)",
    # rounded half up in decimal digits, as they are written
    "t_format_f(x, n)": "t_is(x, 'DOUBLE,DECIMAL,FLOAT', 'f') || CASE WHEN abs(x) >= 1e15 "
    "THEN t_fail('NOT_SUPPORTED: %f of a number from 1e15 is not supported by the local Athena yet') "
    "ELSE CASE WHEN x < 0 OR CAST(x AS VARCHAR) = '-0.0' THEN '-' ELSE '' END || "
    "t_decimals(abs(CAST(CAST(x AS VARCHAR) AS DECIMAL(38, 20))), n) END",
    "t_decimals(x, n)": "CAST(CASE n WHEN 0 THEN CAST(CAST(x AS DECIMAL(38, 0)) AS VARCHAR) "
    + " ".join(f"WHEN {n} THEN CAST(CAST(x AS DECIMAL(38, {n})) AS VARCHAR)" for n in range(1, 16))
    + " END AS VARCHAR)",
    "t_grouped(s)": "regexp_extract(s, '^-?') || reverse(rtrim(regexp_replace("
    "reverse(regexp_extract(s, '\\d+')), '(\\d{3})', '\\1,', 'g'), ',')) || regexp_extract(s, '\\..*$')",
}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _text(value: str) -> exp.Expr:
    return exp.Literal.string(value)


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def formatted(a: Sequence[exp.Expr]) -> exp.Expr:
    """format(pattern, ...) as the text's pieces joined."""
    pattern = a[0]
    if not (isinstance(pattern, exp.Literal) and pattern.is_string):
        raise not_supported("format with a pattern that is not a literal")
    pieces: list[exp.Expr] = []
    position, following = 0, 1
    for match in _CONVERSION.finditer(pattern.name):
        pieces.append(_plain(pattern.name[position : match.start()]))
        position = match.end()
        if match[5] in {"%", "n"}:
            pieces.append(_text("%" if match[5] == "%" else "\n"))
            continue
        index = int(match[1][:-1]) if match[1] else following
        following += 0 if match[1] else 1
        if index >= len(a):
            raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: Invalid format string: {pattern.name}")
        pieces.append(_converted(match, a[index].copy()))
    joined: exp.Expr = _text("")
    for piece in [*pieces, _plain(pattern.name[position:])]:
        joined = exp.DPipe(this=joined, expression=piece, safe=False)
    return exp.Paren(this=joined)


def _plain(text: str) -> exp.Expr:
    if "%" in text:
        raise QueryFailure(f"INVALID_FUNCTION_ARGUMENT: Invalid format string: {text}")
    return _text(text)


def _converted(match: re.Match[str], value: exp.Expr) -> exp.Expr:
    flags, width, precision, kind = match[2], match[3], match[4], match[5]
    if kind[0] == "t" and kind[1:] in _DATES and not flags and not precision:
        return _padded(_call("strftime", value, _text(_DATES[kind[1:]])), flags, width)
    if kind not in "sdf" or set(flags) - set("-,0") or (precision and kind == "d"):
        raise not_supported(f"{match[0]} in format")
    if kind == "s":
        if set(flags) - set("-"):
            raise not_supported(f"{match[0]} in format")
        written = _call("t_format_s", value)
        written = _call("left", written, _number(int(precision[1:]))) if precision else written
        return _padded(written, flags, width)
    digits = int(precision[1:]) if precision else 6
    if digits > 15:
        raise not_supported(f"{match[0]} in format")
    written = _call("t_format_d", value) if kind == "d" else _call("t_format_f", value, _number(digits))
    return _padded(_call("t_grouped", written) if "," in flags else written, flags, width)


def _padded(written: exp.Expr, flags: str, width: str | None) -> exp.Expr:
    """A NULL is the word null, which zeros don't stand before."""
    some = _call("coalesce", written, _text("null"))
    if not width:
        return some
    if "0" in flags:
        return _call("t_zero_padded", written, _number(int(width)))
    return _call("t_right_padded" if "-" in flags else "t_left_padded", some, _number(int(width)))


MACROS |= {
    "t_left_padded(s, n)": "repeat(' ', greatest(n - length(s), 0)) || s",
    "t_right_padded(s, n)": "s || repeat(' ', greatest(n - length(s), 0))",
    "t_zero_padded(s, n)": "CASE WHEN s IS NULL THEN t_left_padded('null', n) "
    "ELSE regexp_extract(s, '^-?') || repeat('0', greatest(n - length(s), 0)) || ltrim(s, '-') END",
}
