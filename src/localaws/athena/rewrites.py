"""Functions whose translation needs the syntax tree: lambdas, units, formats, arguments that are looked at.

A rewrite takes the call's arguments and gives the expression that replaces it; arguments are already rewritten. What
can't be translated is refused by name.
"""

import re

from sqlglot import exp

from localaws.athena import (
    aggregates,
    arrays,
    formatter,
    lambdas,
    numbers,
    regexps,
    replacements,
    sqljson,
    sqljson_made,
    temporal,
    zones,
)
from localaws.athena.calls import Arguments, Rewrite, call, text
from localaws.athena.failures import QueryFailure, not_supported
from localaws.athena.formats import joda, json_path, mysql

# unit -> (amount, DuckDB's interval unit)
_UNITS = {
    "millisecond": ("1", "MILLISECOND"),
    "second": ("1", "SECOND"),
    "minute": ("1", "MINUTE"),
    "hour": ("1", "HOUR"),
    "day": ("1", "DAY"),
    "week": ("7", "DAY"),
    "month": ("1", "MONTH"),
    "quarter": ("3", "MONTH"),
    "year": ("1", "YEAR"),
}


def _literal(argument: exp.Expr, what: str) -> str:
    if not (isinstance(argument, exp.Literal) and argument.is_string):
        raise not_supported(f"{what} that is not a literal")
    return str(argument.this)


def _unit(argument: exp.Expr) -> str:
    unit = _literal(argument, "a date unit").lower()
    if unit not in _UNITS:
        raise not_supported(f"the date unit '{unit}'")
    return unit


def _cast(argument: exp.Expr, kind: str) -> exp.Expr:
    return exp.Cast(this=argument, to=exp.DataType.build(kind, dialect="duckdb"))


# Dates


def _date_add(a: Arguments) -> exp.Expr:
    amount, unit = _UNITS[_unit(a[0])]
    interval = exp.Interval(this=text(amount), unit=exp.Var(this=unit))
    times = exp.Mul(this=exp.Paren(this=a[1]), expression=interval)
    return zones.plus(a[2], _unit(a[0]), times) if zones.is_zoned(a[2]) else temporal.plus(a[2], times)


def _date_diff(a: Arguments) -> exp.Expr:
    """date_sub counts whole units, as Trino does; DuckDB's own date_diff counts the boundaries in between."""
    return call("date_sub", text(_unit(a[0])), a[1], a[2])


def _date_trunc(a: Arguments) -> exp.Expr:
    return temporal.truncated(text(_unit(a[0])), a[1])


def _date_parse(a: Arguments) -> exp.Expr:
    """Without a year it is 1970; of two digits it is one of 1970 to 2069; 12 of half a day that isn't named is 0."""
    written = _literal(a[1], "a date format")
    names = set(re.findall("%(.)", written))
    format_ = mysql(written)
    value = a[0]
    if not names & set("YyxXv"):
        value, format_ = exp.Paren(this=exp.DPipe(this=text("1970 "), expression=a[0], safe=False)), f"%Y {format_}"
    parsed = call("strptime", value, text(format_))
    if "y" in names:
        parsed = call("t_pivot", parsed)
    return call("t_midnight", parsed) if names & set("hIl") and "p" not in names else parsed


# Strings and JSON


def _concat(a: Arguments) -> exp.Expr:
    """NULL if any part is NULL: DuckDB's concat() skips NULLs, its || does not."""
    joined = a[0]
    for part in a[1:]:
        joined = exp.DPipe(this=joined, expression=part, safe=False)
    return exp.Paren(this=joined)


def _concat_ws(a: Arguments) -> exp.Expr:
    """An array that is NULL gives NULL; a string that is NULL is left out."""
    if len(a) == 1:
        raise QueryFailure("INVALID_FUNCTION_ARGUMENT: There must be two or more concatenation arguments")
    return call("t_concat_ws" if len(a) == 2 else "concat_ws", *a)


def _sign(a: Arguments) -> exp.Expr:
    return call("t_sign_of_double" if numbers.kind(a[0]) == "double" else "sign", a[0])


def _json(function: str) -> Rewrite:
    def rewrite(a: Arguments) -> exp.Expr:
        path = a[1]
        if isinstance(path, exp.Literal):
            path = text(json_path(_literal(path, "a JSON path")))
        return call(function, a[0], path)

    return rewrite


# Comparisons


def _unless_null(function: str) -> Rewrite:
    """NULL if any argument is NULL, where DuckDB ignores NULLs."""

    def rewrite(a: Arguments) -> exp.Expr:
        null: exp.Expr = exp.Is(this=a[0].copy(), expression=exp.Null())
        for other in a[1:]:
            null = exp.Or(this=null, expression=exp.Is(this=other.copy(), expression=exp.Null()))
        return exp.Case(ifs=[exp.If(this=null, true=exp.Null())], default=call(function, *a))

    return rewrite


def _zip(a: Arguments) -> exp.Expr:
    return _unless_null("list_zip")(a)


def _normalize(a: Arguments) -> exp.Expr:
    """DuckDB has the form NFC, the default, and none of the others."""
    form = a[1].name.upper() if len(a) == 2 and isinstance(a[1], exp.Column) else "NFC" if len(a) == 1 else ""
    if form != "NFC":
        raise not_supported(f"normalize with a form other than NFC ({form or 'an expression'})")
    return call("nfc_normalize", a[0])


def _combinations(a: Arguments) -> exp.Expr:
    """Index lists, one element longer each time, ordered by their last elements first as Trino's are."""
    most = 5  # ArrayCombinationsFunction.MAX_COMBINATION_LENGTH
    if not (isinstance(a[1], exp.Literal) and str(a[1].this).isdigit() and 0 < int(a[1].this) <= most):
        raise not_supported(f"combinations of a length that is not a literal from 1 to {most}")
    indexes = call("t_singles", a[0])
    for _ in range(int(a[1].this) - 1):
        indexes = call("t_longer", a[0].copy(), indexes)
    return call("t_chosen", a[0].copy(), indexes)


def _typeof(a: Arguments) -> exp.Expr:
    """A literal's length is in its type."""
    literal = isinstance(a[0], exp.Literal) and a[0].is_string
    return text(f"varchar({len(a[0].name)})") if literal else call("t_typeof", a[0])


def _element_at(a: Arguments) -> exp.Expr:
    """NULL of what isn't there, but an error of an array's index 0, which only another literal certainly isn't."""
    index = a[1].this if isinstance(a[1], exp.Neg) else a[1]
    if isinstance(index, exp.Literal) and str(index.this) != "0":
        return exp.Bracket(this=a[0], expressions=[a[1]], offset=1)
    return call("t_element_at", *a)


# name -> (fewest arguments, most, rewrite)
def _sequence(a: Arguments) -> exp.Expr:
    return call("t_integers" if any(map(numbers.is_integer, a[:2])) else "t_sequence", *a)


def _moment(node: type[exp.Expr]) -> Rewrite:
    """current_timestamp(3) is current_timestamp; the others have types that are not known here."""

    def rewrite(a: Arguments) -> exp.Expr:
        if a[0].name != "3":
            raise not_supported("a current time with other than three digits")
        return node()

    return rewrite


REWRITES: dict[str, tuple[int, int, Rewrite]] = {
    **lambdas.REWRITES,
    **aggregates.REWRITES,
    "approx_distinct": (1, 2, lambda a: call("approx_count_distinct", a[0])),
    "at_timezone": (2, 2, lambda a: zones.at_zone(a[0], a[1])),
    # DuckDB's is unsigned: one less than 0 would be an error
    "cardinality": (1, 1, lambda a: _cast(call("cardinality", a[0]), "BIGINT")),
    "combinations": (2, 2, _combinations),
    "concat": (2, 255, _concat),
    "concat_ws": (1, 255, _concat_ws),
    "sign": (1, 1, _sign),
    "current_timestamp": (1, 1, _moment(exp.CurrentTimestamp)),
    "date": (1, 1, lambda a: _cast(a[0], "DATE")),
    "date_add": (3, 3, _date_add),
    "date_diff": (3, 3, _date_diff),
    "date_format": (2, 2, lambda a: call("strftime", a[0], text(mysql(_literal(a[1], "a date format"))))),
    "date_parse": (2, 2, _date_parse),
    "date_trunc": (2, 2, _date_trunc),
    "element_at": (2, 2, _element_at),
    "format": (2, 255, formatter.formatted),
    "format_datetime": (2, 2, lambda a: call("strftime", a[0], text(joda(_literal(a[1], "a date format"))))),
    "from_iso8601_date": (1, 1, lambda a: call("t_from_iso_date", a[0])),
    "from_iso8601_timestamp": (1, 1, zones.from_iso8601),
    "from_unixtime": (1, 3, zones.from_unixtime),
    "greatest": (1, 255, _unless_null("greatest")),
    "json_array": (0, 255, sqljson_made.array),
    "json_exists": (2, 3, sqljson.exists),
    "json_extract": (2, 2, _json("t_json_extract")),
    "json_extract_scalar": (2, 2, _json("t_json_extract_scalar")),
    "json_object": (0, 255, sqljson_made.made),
    "json_query": (2, 6, sqljson.query),
    "json_size": (2, 2, _json("t_json_size")),
    "json_value": (2, 5, sqljson.value),
    "least": (1, 255, _unless_null("least")),
    "localtimestamp": (1, 1, _moment(exp.Localtimestamp)),
    "map_concat": (2, 255, _unless_null("map_concat")),
    "normalize": (1, 2, _normalize),
    "parse_datetime": (
        2,
        2,
        lambda a: _cast(call("strptime", a[0], text(joda(_literal(a[1], "a date format")))), "TIMESTAMPTZ"),
    ),
    "parse_data_size": (1, 1, lambda a: _cast(call("t_parse_data_size", a[0]), "DECIMAL(38, 0)")),
    "parse_presto_data_size": (1, 1, lambda a: _cast(call("t_parse_data_size", a[0]), "DECIMAL(38, 0)")),
    "regexp_extract": (2, 3, regexps.extract),
    "regexp_extract_all": (2, 3, lambda a: regexps.extract(a, every=True)),
    "regexp_replace": (2, 3, replacements.replaced),
    "sequence": (2, 3, _sequence),
    "reverse": (1, 1, lambda a: call("list_reverse" if arrays.is_array(a[0]) else "t_reverse", a[0])),
    "set_agg": (1, 1, lambda a: call("list", exp.Distinct(expressions=[a[0]]))),
    "timezone": (1, 1, zones.zone_name),
    "timezone_hour": (1, 1, lambda a: zones.offset(a, "hour")),
    "timezone_minute": (1, 1, lambda a: zones.offset(a, "minute")),
    "to_iso8601": (1, 1, zones.iso8601),
    "typeof": (1, 1, _typeof),
    "with_timezone": (2, 2, lambda a: zones.with_zone(a[0], a[1])),
    "zip": (2, 5, _zip),
}
