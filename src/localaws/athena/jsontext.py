"""Trino's JSON functions: DuckDB reads the documents, and the text is written as Trino's (that is, Jackson) writes it.

A value of type JSON has its objects' keys sorted once it was parsed, doubles as Java prints them (1.0E10), and decimals
with all their digits; json_extract_scalar gives a number as the document spells it.
(trino.io/docs/current/functions/json.html; io.trino.util.JsonUtil and operator.scalar.JsonExtract of its sources)
"""

_STRING = r'"(?:[^"\\]|\\.)*"'
_NUMBER = r"-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
_FRACTION = r"-?\d+(?:\.\d+(?:[eE][-+]?\d+)?|[eE][-+]?\d+)"
_TOKENS = rf'{_STRING}|-?Infinity|NaN|{_NUMBER}|[^"\dNI-]+|[NI-]'
# Numbers that are not spelled alike everywhere: with an exponent, with zeros at their ends, very long or very small.
_UNSURE = r"\d[eE]|\.\d*0(?:\D|$)|\d{16}|0\.000"
_JAVAS = r"\d[eE][-+]?\d|\d{8}\.\d|0\.000|NaN|Infinity"


def _other(what: str) -> str:
    return f"t_fail('NOT_SUPPORTED: {what} is not supported by the local Athena yet')"


MACROS = {
    # a text that isn't JSON gives NULL (json.html: "NULL if the value ... malformed")
    "t_json(j)": "TRY_CAST(j AS JSON)",
    "t_json_token(t)": "CASE WHEN t IN ('NaN', 'Infinity', '-Infinity') THEN '\"' || t || '\"' "
    "WHEN NOT starts_with(t, '\"') AND regexp_matches(t, '\\d[.eE]') THEN t_double_text(TRY_CAST(t AS DOUBLE)) "
    "ELSE t END",
    "t_json_numbers(t)": f"CASE WHEN regexp_matches(t, '{_JAVAS}') THEN array_to_string(list_transform("
    f"regexp_extract_all(t, '{_TOKENS}'), lambda t__t: t_json_token(t__t)), '') ELSE t END",
    "t_json_written(j)": "CAST(t_json_numbers(CAST(j AS VARCHAR)) AS JSON)",
    "t_json_spelled(d, s)": f"CASE WHEN regexp_matches(d, '{_UNSURE}') OR contains(s, 'e') THEN list_transform("
    f"[list_distinct(list_filter(regexp_extract_all(regexp_replace(d, '{_STRING}', '', 'g'), '{_FRACTION}'), "
    "lambda t__n: TRY_CAST(t__n AS DOUBLE) = TRY_CAST(s AS DOUBLE)))], lambda t__l: "
    "CASE len(t__l) WHEN 0 THEN s WHEN 1 THEN t__l[1] ELSE "
    f"{_other('a number that a JSON document spells in two ways')} END)[1] ELSE s END",
    "t_json_extract(j, p)": "t_json_written(json_extract(t_json(j), p))",
    "t_json_extract_scalar(j, p)": "CASE json_type(t_json(j), p) WHEN 'OBJECT' THEN NULL WHEN 'ARRAY' THEN NULL "
    "WHEN 'NULL' THEN NULL WHEN 'DOUBLE' THEN t_json_spelled(CAST(j AS VARCHAR), json_extract_string(t_json(j), p)) "
    "ELSE json_extract_string(t_json(j), p) END",
    "t_json_parse(s)": "CASE WHEN json_valid(s) THEN t_json_written(CAST(json_normalize(t_json(s)) AS JSON)) "
    "WHEN s IS NOT NULL THEN CAST(t_fail('INVALID_FUNCTION_ARGUMENT: Cannot convert value to JSON: ''' || s || '''') "
    "AS JSON) END",
    "t_json_format(j)": "CAST(j AS VARCHAR)",
    "t_json_text(j)": "CASE json_type(j) WHEN 'DOUBLE' THEN t_double_text(TRY_CAST(j AS DOUBLE)) WHEN 'NULL' THEN NULL "
    "WHEN 'OBJECT' THEN t_fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(j AS VARCHAR) || ''' to varchar') "
    "WHEN 'ARRAY' THEN t_fail('INVALID_CAST_ARGUMENT: Cannot cast ''' || CAST(j AS VARCHAR) || ''' to varchar') "
    "ELSE json_extract_string(j, '$') END",
    "t_json_array_length(j)": "CASE WHEN json_type(t_json(j)) = 'ARRAY' "
    "THEN CAST(json_array_length(t_json(j)) AS BIGINT) END",
    # A string without its quotes, as Trino's documentation warns
    "t_json_array_get(j, i)": "t_json_item(j, '$[' || CASE WHEN i < 0 THEN '#' ELSE '' END || i || ']')",
    "t_json_item(j, p)": "CASE json_type(t_json(j), p) WHEN 'DOUBLE' "
    "THEN t_json_spelled(CAST(j AS VARCHAR), json_extract_string(t_json(j), p)) WHEN 'OBJECT' "
    "THEN CAST(t_json_extract(j, p) AS VARCHAR) WHEN 'ARRAY' THEN CAST(t_json_extract(j, p) AS VARCHAR) "
    "ELSE json_extract_string(t_json(j), p) END",
    "t_json_size(j, p)": "CASE json_type(t_json(j), p) "
    "WHEN 'ARRAY' THEN CAST(json_array_length(t_json(j), p) AS BIGINT) "
    "WHEN 'OBJECT' THEN len(json_keys(t_json(j), p)) ELSE nullif(length(json_type(t_json(j), p)), 0) * 0 END",
    "t_is_json_scalar(j)": "CASE WHEN json_valid(j) THEN json_type(json(j)) NOT IN ('OBJECT', 'ARRAY') "
    "WHEN j IS NOT NULL THEN t_bad_boolean('Cannot convert value to JSON: ' || j) END",
    # CAST(x AS JSON): DuckDB's to_json drops the last zeros of decimals, writes reals as doubles, doesn't sort maps.
    "t_to_json(x)": f"""CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(t_json_token(CASE typeof(x) WHEN 'FLOAT'
          THEN t_double_text(TRY_CAST(x AS FLOAT)) ELSE t_double_text(TRY_CAST(x AS DOUBLE)) END) AS JSON)
        WHEN typeof(x) IN ('TIMESTAMP', 'TIMESTAMP_MS') THEN to_json(t_varchar(x))
        WHEN regexp_full_match(typeof(x), 'DECIMAL\\(\\d+,\\d+\\)') THEN CAST(t_decimal_text(x) AS JSON)
        WHEN regexp_full_match(typeof(x), '(FLOAT|DECIMAL\\(\\d+,\\d+\\))\\[\\]') THEN
          CAST(t_json_list(CAST(x AS VARCHAR), typeof(x)) AS JSON)
        WHEN regexp_matches(typeof(x), 'TIMESTAMP(_MS|[^_])|FLOAT') OR contains(typeof(x), 'DECIMAL')
          AND regexp_matches(CAST(x AS VARCHAR), '\\.\\d*0(?:\\D|$)')
          THEN CAST({_other("JSON of a map or row of decimals, reals or timestamps")} AS JSON)
        WHEN contains(typeof(x), 'MAP(') THEN t_json_of_map(to_json(x), typeof(x))
        WHEN contains(typeof(x), 'DOUBLE') THEN t_json_written(to_json(x)) ELSE to_json(x) END""",
    "t_json_list(t, kind)": "CASE WHEN starts_with(kind, 'FLOAT') THEN t_json_numbers(replace(replace(replace(replace("
    "replace(t, ', ', ','), 'NULL', 'null'), '-inf', '-Infinity'), 'inf', 'Infinity'), 'nan', 'NaN')) "
    "ELSE regexp_replace(replace(replace(t, ', ', ','), 'NULL', 'null'), '(^|[\\[,]-?)\\.', '\\10.', 'g') END",
    "t_json_of_map(j, kind)": "CASE WHEN regexp_matches(kind, 'STRUCT|TUPLE|JSON') AND json_normalize(j) <> CAST(j AS "
    f"VARCHAR) THEN CAST({_other('JSON of a map with rows in it whose keys are not sorted')} AS JSON) "
    "ELSE t_json_written(CAST(json_normalize(j) AS JSON)) END",
}


def _contains(kind: str, types: str, value: str) -> dict[str, str]:
    items = "CAST(json_extract(t_json(j), '$[*]') AS JSON[])"
    found = f"len(list_filter({items}, lambda t__e: json_type(t__e) IN ({types}) AND {value} = v)) > 0"
    return {
        f"t_json_array_contains(j, v {kind})": f"CASE WHEN json_type(t_json(j)) = 'ARRAY' AND v IS NOT NULL "
        f"THEN {found} END"
    }


MACROS |= {
    **_contains("BOOLEAN", "'BOOLEAN'", "TRY_CAST(t__e AS BOOLEAN)"),
    **_contains("BIGINT", "'BIGINT', 'UBIGINT'", "TRY_CAST(t__e AS BIGINT)"),
    **_contains("DOUBLE", "'DOUBLE'", "TRY_CAST(t__e AS DOUBLE)"),
    **_contains("VARCHAR", "'VARCHAR'", "json_extract_string(t__e, '$')"),
}
