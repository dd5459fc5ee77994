"""Trino's functions of arrays and maps in DuckDB's SQL, with what NULL means in them.

MACROS are in the form of macros.py. A NULL array gives NULL, where DuckDB's list functions often give an empty one; a
NULL in an array is a value that is not known: contains() of it is NULL and not false.
(trino.io/docs/current/functions/array.html, map.html; tests/trino_model.py says the same in Python)
"""

from sqlglot import exp

from localaws.athena import columns

MACROS: dict[str, str] = {
    "t_map_entries(m)": "list_transform(map_entries(m), lambda t__e: row(t__e.key, t__e.value))",
    "t_array_sort(l)": "list_sort(l, 'ASC', 'NULLS LAST')",
    "t_array_distinct(l)": "list_transform(list_filter(list_transform(l, lambda t__e, t__i: {'e': t__e, 'i': t__i}), "
    "lambda t__p: list_position(l, t__p.e) = t__p.i), lambda t__q: t__q.e)",
    "t_array_position(l, x)": "CASE WHEN l IS NULL OR x IS NULL THEN NULL ELSE coalesce(list_position(l, x), 0) END",
    "t_array_remove(l, x)": "CASE WHEN x IS NOT NULL THEN list_filter(l, lambda t__e: t__e IS DISTINCT FROM x) END",
    "t_array_max(l)": "CASE WHEN len(l) = list_count(l) THEN list_max(l) END",
    "t_array_min(l)": "CASE WHEN len(l) = list_count(l) THEN list_min(l) END",
    # The separator comes before each element and is taken off in front: array_to_string wants a constant.
    "t_joined(l, d)": "substr(array_to_string(list_transform(l, lambda t__s: d || t__s), ''), length(d) + 1)",
    "t_array_join(l, d)": "t_joined(list_transform(list_filter(l, lambda t__e: t__e IS NOT NULL), "
    "lambda t__e: t_varchar(t__e)), d)",
    "t_array_join(l, d, n)": "t_joined(list_transform(l, lambda t__e: coalesce(t_varchar(t__e), n)), d)",
    "t_array_union(a, b)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN t_array_distinct(list_concat(a, b)) END",
    "t_array_intersect(a, b)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN t_array_distinct(list_filter(a, "
    "lambda t__e: CASE WHEN t__e IS NULL THEN len(b) <> list_count(b) ELSE list_contains(b, t__e) END)) END",
    "t_array_except(a, b)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN t_array_distinct(list_filter(a, "
    "lambda t__e: CASE WHEN t__e IS NULL THEN len(b) = list_count(b) ELSE NOT list_contains(b, t__e) END)) END",
    "t_contains(l, x)": "CASE WHEN x IS NULL THEN NULL WHEN list_contains(l, x) THEN true "
    "WHEN len(l) = list_count(l) THEN false END",
    "t_arrays_overlap(a, b)": "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN true "
    "WHEN len(a) = 0 OR len(b) = 0 OR (len(a) = list_count(a) AND len(b) = list_count(b)) THEN false END",
    "t_both(a, b)": "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN list_zip(a, b) END",
    "t_array_equal(a, b)": "CASE WHEN len(a) <> len(b) THEN false "
    "ELSE t_all(list_transform(t_both(a, b), lambda t__p: t__p[1] = t__p[2])) END",
    # (a list's errors are raised by a cast in an index: t_fail is a text)
    "t_slice(l, i, n)": "CASE WHEN i = 0 THEN list_slice(l, 1, t_bad_bigint('SQL array indices start at 1')) "
    "WHEN n < 0 THEN list_slice(l, 1, t_bad_bigint('length must be greater than or equal to 0')) "
    "WHEN i < -len(l) THEN list_slice(l, 1, n * 0) WHEN i < 0 THEN list_slice(l, len(l) + i + 1, len(l) + i + n) "
    "ELSE list_slice(l, i, i + n - 1) END",
    "t_dates(l)": "list_transform(l, lambda t__d: CAST(t__d AS DATE))",
    # Of parameters with types DuckDB makes an error ("unordered_map::at") in UNNEST of another table's columns.
    "t_integers(a, b)": "generate_series(a, b, CASE WHEN b < a THEN -1 ELSE 1 END)",
    "t_integers(a, b, s)": "generate_series(a, b, s)",
    "t_sequence(a BIGINT, b BIGINT)": "generate_series(a, b, CASE WHEN b < a THEN -1 ELSE 1 END)",
    "t_sequence(a BIGINT, b BIGINT, s BIGINT)": "generate_series(a, b, s)",
    "t_sequence(a DATE, b DATE)": "t_dates(generate_series(a, b, INTERVAL 1 DAY))",
    "t_sequence(a DATE, b DATE, s INTERVAL)": "t_dates(generate_series(a, b, s))",
    "t_sequence(a TIMESTAMP, b TIMESTAMP, s INTERVAL)": "generate_series(a, b, s)",
    "t_repeat(x, n)": "list_transform(range(n), lambda t__i: x)",
    "t_any(l)": "CASE WHEN list_contains(l, true) THEN true WHEN len(l) = list_count(l) THEN false END",
    "t_all(l)": "CASE WHEN list_contains(l, false) THEN false WHEN len(l) = list_count(l) THEN true END",
    "t_item(l, i)": "CASE WHEN i < 1 OR i > len(l) THEN t_bad_item(i, len(l)) ELSE l[i] END",
    # x[i] where it is not known whether x is an array or a map; both are cast to learn what is in there
    "t_at(x, i)": "CASE WHEN ends_with(typeof(x), '[]') AND (TRY_CAST(i AS BIGINT) < 1 "
    "OR TRY_CAST(i AS BIGINT) > len(TRY_CAST(x AS VARCHAR[]))) THEN t_bad_item(i, len(TRY_CAST(x AS VARCHAR[]))) "
    "WHEN starts_with(typeof(x), 'MAP') AND NOT list_contains(map_keys(TRY_CAST(x AS MAP(VARCHAR, VARCHAR))), "
    "CAST(i AS VARCHAR)) THEN t_bad_key(i) ELSE x[i] END",
    "t_element_at(x, i)": "CASE WHEN ends_with(typeof(x), '[]') AND CAST(i AS VARCHAR) = '0' THEN t_bad_item(i, 0) "
    "ELSE x[i] END",
    # Errors of no type. Not in a WHEN: DuckDB's optimizer evaluates a constant one wherever it is, so TRY misses it.
    "t_nothing(message)": "[NULL][CAST('ATHENA INVALID_FUNCTION_ARGUMENT: ' || message AS INTEGER)]",
    "t_bad_item(i, n)": "t_nothing(CASE WHEN CAST(i AS VARCHAR) = '0' THEN 'SQL array indices start at 1' "
    "WHEN starts_with(CAST(i AS VARCHAR), '-') THEN 'Array subscript is negative: ' || i "
    "ELSE 'Array subscript must be less than or equal to array length: ' || i || ' > ' || n END)",
    "t_bad_key(k)": "t_nothing('Key not present in map: ' || CAST(k AS VARCHAR))",
    # maps
    "t_key(m, k)": "CASE WHEN NOT map_contains(m, k) THEN t_bad_key(k) ELSE m[k] END",
    "t_map_agg(k, v)": "map_from_entries(list_filter(list_zip(k, v), lambda t__e, t__i: "
    "t__e[1] IS NOT NULL AND list_position(k, t__e[1]) = t__i))",
    "t_map()": "MAP {}",
    "t_map(k, v)": "map(k, v)",
}

_OF_ARRAYS = {
    "array_distinct", "array_except", "array_intersect", "array_remove", "array_sort", "array_union", "both", "flatten",
    "repeat", "sequence", "slice", "split", "regexp_split", "list_transform", "list_filter", "list", "list_reverse",
    "regexp_extract_all", "map_keys", "map_values", "list_concat", "trim_array", "shuffle", "string_split",
}  # fmt: skip


def is_array(node: exp.Expr) -> bool:
    """Is it known to be one: a constructor, a function that makes one, or a column of that type?"""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return bool(node.to.this == exp.DType.ARRAY)
    if isinstance(node, exp.Column):
        found = columns.type_of_column(node)
        return found is not None and found.name == "array"
    return isinstance(node, exp.Array) or (
        isinstance(node, exp.Anonymous) and node.name.lower().removeprefix("t_") in _OF_ARRAYS
    )


def is_element(node: exp.Expr) -> bool:
    """Is it certainly no array: a literal, or a column of a type of its own?"""
    node = node.unnest()
    if isinstance(node, exp.Column):
        found = columns.type_of_column(node)
        return found is not None and not found.children
    return isinstance(node, exp.Literal | exp.Boolean) or (isinstance(node, exp.Cast) and not node.to.expressions)
