"""json_object and json_array of SQL:2016. (trino.io/docs/current/functions/json.html#json-object)

An object's members come in the order of the java.util.HashMap that Trino collects them in
(io.trino.operator.scalar.json.JsonObjectFunction): by the hashes of their keys, in a table that is never more than
three quarters full.
"""

import functools
import json
from collections.abc import Sequence

from sqlglot import exp

from localaws.athena.calls import call, text
from localaws.athena.failures import QueryFailure, not_supported

_DUPLICATE = "NOT_SUPPORTED: cannot construct a JSON object with duplicate key"
_DUPLICATE_IS_ERROR = "INVALID_FUNCTION_ARGUMENT: duplicate key passed to JSON_OBJECT function"
_BEYOND = "a key of json_object with letters beyond the basic plane is not supported by the local Athena yet"
_SMALL = 12  # keys, up to which a HashMap keeps its first size
_TEXTS = {exp.DType.VARCHAR, exp.DType.TEXT}

# The lambdas are local variables: a macro's argument is copied to every place that names it (macros.py).
MACROS = {
    # A value's text in JSON; what is neither text, number nor boolean is its varchar. NULL is NULL.
    "t_json_member(x)": """list_transform([{'v': t_varchar(x), 'k': typeof(x)}], lambda t__p: CASE
        WHEN t__p.v IS NULL THEN NULL
        WHEN t__p.k = 'BLOB' OR regexp_matches(t__p.k, '\\]$|^(MAP|STRUCT|TUPLE)')
          THEN t_fail('INVALID_FUNCTION_ARGUMENT: a value of ' || t__p.k || ' cannot be converted to JSON')
        WHEN t__p.k IN ('BOOLEAN', 'TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT') THEN t__p.v
        WHEN t__p.k IN ('DOUBLE', 'FLOAT') THEN regexp_replace(t__p.v, '^(NaN|-?Infinity)$', '"\\1"')
        WHEN starts_with(t__p.k, 'DECIMAL') THEN t_json_decimal(t__p.v)
        ELSE CAST(to_json(t__p.v) AS VARCHAR) END)[1]""",
    "t_json_decimal(t)": """CASE WHEN regexp_matches(t, '^-?0\\.000000')
        THEN t_fail('NOT_SUPPORTED: a DECIMAL that small in JSON is not supported by the local Athena yet')
        ELSE t END""",
    # FORMAT JSON: as Trino writes it again. What it would write otherwise is refused.
    "t_json_given(s)": """list_transform([s], lambda t__s: CASE WHEN t__s IS NULL THEN NULL
        WHEN NOT json_valid(t__s) THEN t_fail('JSON_INPUT_CONVERSION_ERROR: conversion to JSON failed: ')
        WHEN contains(t__s, '\\') OR len(t_json_keys(t__s)) <> len(list_distinct(t_json_keys(t__s)))
          THEN t_fail('NOT_SUPPORTED: FORMAT JSON of escapes and of keys that stand twice is not supported by '
            || 'the local Athena yet')
        ELSE t_sql_json_query(TRY_CAST(t__s AS JSON)) END)[1]""",
    "t_json_keys(s)": """regexp_extract_all(s, '"([^"]*)"\\s*:', 1)""",
    # java.lang.String.hashCode and java.util.HashMap.hash
    "t_java_hash(s)": "list_reduce(list_transform(string_split(s, ''), lambda t__c: CASE WHEN unicode(t__c) > 65535 "
    f"THEN CAST(t_bad_bigint('{_BEYOND}') AS BIGINT) WHEN t__c = '' THEN 0 "
    "ELSE CAST(unicode(t__c) AS BIGINT) END), lambda t__h, t__c: (t__h * 31 + t__c) & 4294967295, "
    "CAST(0 AS BIGINT))",
    "t_java_spread(s)": "list_transform([t_java_hash(s)], lambda t__h: xor(t__h, t__h >> 16))[1]",
    "t_java_table(n)": "list_filter([16, 32, 64, 128, 256, 512, 1024, 2048], lambda t__t: n <= t__t * 3 // 4)[1]",
    "t_json_key(k)": "CASE WHEN k IS NULL THEN t_bad_varchar("
    "'null value passed for JSON object key to JSON_OBJECT function') ELSE k END",
    # of rows of a key `k` and a member `v`, which is NULL where it is absent
    "t_json_object(l, d)": """list_transform([list_filter(l, lambda t__e: t__e.v IS NOT NULL)], lambda t__l:
        CASE WHEN len(list_distinct(list_transform(t__l, lambda t__e: t__e.k))) <> len(t__l) THEN t_fail(d) ELSE
        '{' || array_to_string(list_transform(list_sort(list_transform(t__l, lambda t__e, t__i: {
          'b': t_java_spread(t__e.k) & (t_java_table(len(t__l)) - 1), 'i': t__i,
          't': CAST(to_json(t__e.k) AS VARCHAR) || ':' || t__e.v})), lambda t__s: t__s.t), ',')
        || '}' END)[1]""",
}


def array(a: Sequence[exp.Expr]) -> exp.Expr:
    """json_array: NULL is left out unless NULL ON NULL."""
    values, clauses = _split(a)
    items = [_member(v, null=_word(clauses, "on_null") == "NULL") for v in values]
    return _returned(_joined("[", items, "]"), clauses)


def made(a: Sequence[exp.Expr]) -> exp.Expr:
    """json_object: NULL is null unless ABSENT ON NULL. The arguments are keys and values by turns."""
    values, clauses = _split(a)
    if "unique" in clauses and any(isinstance(v, exp.PropertyEQ) and v.name == "given" for v in values):
        behaviour = "WITH UNIQUE KEYS behavior is not supported for JSON_OBJECT function"
        raise QueryFailure(f"NOT_SUPPORTED: line 1:8: {behaviour} when input expression has FORMAT")
    keys = values[::2]
    members = [_member(v, null=_word(clauses, "on_null") != "ABSENT") for v in values[1::2]]
    names = [k.name for k in keys if isinstance(k, exp.Literal) and k.is_string]
    if len(set(names)) < len(names) and not clauses.keys() & {"unique", "on_null"}:
        raise QueryFailure(_DUPLICATE)  # which TRY doesn't catch
    duplicate = _DUPLICATE_IS_ERROR if "unique" in clauses else _DUPLICATE
    if (
        len(names) < len(keys)
        or len(set(names)) < len(names)
        or len(names) > _SMALL
        or max("".join(names), default="") > "\uffff"
    ):
        entries = [
            exp.Struct(expressions=[_field("k", call("t_json_key", key)), _field("v", member)])
            for key, member in zip(keys, members, strict=True)
        ]
        return _returned(call("t_json_object", exp.Array(expressions=entries), text(duplicate)), clauses)
    items = [
        exp.DPipe(this=text(json.dumps(name, ensure_ascii=False) + ":"), expression=member, safe=False)
        for name, member in sorted(zip(names, members, strict=True), key=lambda item: _bucket(item[0]))
    ]
    return _returned(_joined("{", items, "}"), clauses)


def _bucket(key: str) -> int:
    """Where a HashMap of up to twelve keys has this one."""
    hashed = functools.reduce(lambda h, c: (h * 31 + ord(c)) & 0xFFFFFFFF, key, 0)
    return (hashed ^ hashed >> 16) & 15


def _joined(opening: str, items: Sequence[exp.Expr], closing: str) -> exp.Expr:
    """Those that aren't NULL."""
    if not items:
        return text(opening + closing)
    listed = call("array_to_string", exp.Array(expressions=list(items)), text(","))
    return call("concat", text(opening), listed, text(closing))


def _split(a: Sequence[exp.Expr]) -> tuple[list[exp.Expr], dict[str, exp.Expr]]:
    """Values, and clauses by their names (sqljson_grammar.py)."""
    clauses = {c.name: c.expression for c in a if isinstance(c, exp.PropertyEQ) and c.name not in {"given", "nested"}}
    return [v for v in a if not (isinstance(v, exp.PropertyEQ) and v.name in clauses)], clauses


def _word(clauses: dict[str, exp.Expr], name: str) -> str:
    return clauses[name].name if name in clauses else ""


def _field(name: str, value: exp.Expr) -> exp.PropertyEQ:
    return exp.PropertyEQ(this=exp.to_identifier(name), expression=value)


def _member(value: exp.Expr, *, null: bool) -> exp.Expr:
    written = _written(value)
    return call("coalesce", written, text("null")) if null else written


def _written(value: exp.Expr) -> exp.Expr:
    """A value's text in JSON: `given` is JSON already, by FORMAT JSON; `nested` by the function that made it."""
    if isinstance(value, exp.PropertyEQ):
        return call("t_json_given", value.expression) if value.name == "given" else value.expression
    return call("t_json_member", value)


def _returned(made: exp.Expr, clauses: dict[str, exp.Expr]) -> exp.Expr:
    kind = clauses.get("returning")
    if kind is None:
        return made
    if not isinstance(kind, exp.DataType) or kind.this not in {*_TEXTS, exp.DType.VARBINARY}:
        raise not_supported(f"RETURNING {kind.sql(dialect='trino').upper()}")
    if kind.this == exp.DType.VARBINARY:
        return call("encode", made)
    return call("left", made, kind.expressions[0].this) if kind.expressions else made
