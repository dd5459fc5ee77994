"""Values as Athena writes them: the expression, in DuckDB's SQL, that turns a column into its text.

Observed forms (docs.aws.amazon.com/athena/latest/ug/querying-finding-output-files.html only says "CSV"): timestamps
with milliseconds, doubles as Java prints them, arrays [1, 2], maps {a=1}, rows {x=1, y=a}, binary as hexadecimal pairs.
"""

from localaws.athena.failures import not_supported
from localaws.athena.types import Type

_DEEPEST = 12  # DuckDB binds a lambda twice, those in it four times ...

_SCALARS = {
    "varchar": "{}",
    "char": "{}",
    "decimal": "t_decimal_text({})",
    "real": "t_double_text({})",
    "double": "t_double_text({})",
    "timestamp": "strftime(CAST({} AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')",
    "timestamp with time zone": "strftime(CAST({} AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') || ' UTC'",
    # '2014-02-02 (BC)' is -2013-02-02
    "date": "t_date_text({})",
    "time": "strftime(DATE '2000-01-01' + {}, '%H:%M:%S.%g')",
    "time with time zone": "strftime(DATE '2000-01-01' + CAST({} AS TIME), '%H:%M:%S.%g') || '+00:00'",
    "varbinary": "rtrim(regexp_replace(lower(hex({})), '(..)', '\\1 ', 'g'))",
    "interval day to second": "t_interval_text({})",
}


def written(value: str, kind: Type, depth: int = 0) -> str:
    """`value` (an expression of this type) as VARCHAR; NULL stays NULL, and inside of others it is the word null."""
    if kind.name == "array":
        items = _each(value, kind.children[0], depth)
        return _unless_null(value, f"'[' || {_listed(items)} || ']'")
    if kind.name == "map":
        keys = _each(f"map_keys({value})", kind.children[0], depth)
        values = _each(f"map_values({value})", kind.children[1], depth)
        pairs = f"list_transform(list_zip({keys}, {values}), lambda e{depth}: e{depth}[1] || '=' || e{depth}[2])"
        return _unless_null(value, f"'{{' || {_listed(pairs)} || '}}'")
    if kind.name == "row":
        return _row(value, kind, depth)
    if kind.name == "timestamp with time zone" and kind.fields:
        return f"t_zoned_text({value})"
    return _SCALARS.get(kind.name, "CAST({} AS VARCHAR)").format(value)


def _listed(items: str) -> str:
    """DuckDB's array_to_string is a macro that says its list twice: nested, each level would double the time."""
    return f"coalesce(list_aggregate({items}, 'string_agg', ', '), '')"


def _each(value: str, kind: Type, depth: int) -> str:
    item = f"e{depth}"
    if depth == _DEEPEST:
        raise not_supported(f"a result with arrays and maps nested deeper than {_DEEPEST} levels")
    return f"list_transform({value}, lambda {item}: coalesce({written(item, kind, depth + 1)}, 'null'))"


def _row(value: str, kind: Type, depth: int) -> str:
    parts = []
    for i, (name, child) in enumerate(zip(kind.fields, kind.children, strict=True), 1):
        label = f"'{name.replace(chr(39), chr(39) * 2)}=' || " if name else ""
        inner = written(f"struct_extract_at({value}, {i})", child, depth)
        parts.append(f"{label}coalesce({inner}, 'null')")
    joined = " || ', ' || ".join(parts)
    return _unless_null(value, f"'{{' || {joined} || '}}'")


def _unless_null(value: str, text: str) -> str:
    return f"CASE WHEN {value} IS NOT NULL THEN {text} END"
