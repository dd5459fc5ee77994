"""Trino's functions written in DuckDB's SQL, where DuckDB has none of the same meaning.

One macro a line group, named `t_` + Trino's name; functions.py says which function uses which. Where the result's type
depends on the argument's, a macro has one typed overload per type. They keep Trino's rules: no match is NULL and not
'', indexes start at 1, a missing map key or a failed lookup is NULL, counts are of whole units.
(trino.io/docs/current/functions/*.html; an error is raised by a cast that fails, because TRY can catch that one.)
Parameters of lambdas begin with t__, so that they never stand before a column of the query that is passed in.
"""

import functools
import operator

from localaws.athena import (
    aggregates,
    arrays,
    binary,
    comparisons,
    formatter,
    jsontext,
    reference,
    regexps,
    replacements,
    sqljson,
    sqljson_made,
    temporal,
    zones,
)

_SPACES = r"E' \t\n\r\f\v'"

# parts of a URL, as java.net.URI splits it; RFC 3986, appendix B
_AUTHORITY = "'^[^:/?#]+://(?:[^/?#@]*@)?(\\[[^\\]]*\\]|[^:/?#]*)'"
_VALID_URL = "regexp_full_match(u, '[^\\s<>\"{}|\\\\^`]*')"


def _url_part(pattern: str) -> str:
    return f"CASE WHEN {_VALID_URL} THEN regexp_extract(u, {pattern}, 1) END"


def _hmac(hash_: str) -> str:
    """HMAC (RFC 2104) of blob `m` with key `k`, by a hash of 64-byte blocks. The lambda is a local variable."""
    key = f"CASE WHEN octet_length(k) > 64 THEN unhex({hash_}(k)) ELSE k END"
    inner = f"unhex({hash_}(t_hmac_pad(t__k, '36') || m))"
    return f"list_transform([t_hmac_key({key})], lambda t__k: unhex({hash_}(t_hmac_pad(t__k, '5c') || {inner})))[1]"


MACROS: dict[str, str] = {
    # errors
    "t_fail(message)": "CAST(CAST('ATHENA ' || message AS INTEGER) AS VARCHAR)",
    # casts (trino.io/docs/current/functions/conversion.html)
    # A double as java.lang.Double.toString writes it. The lambdas are local variables: a macro's argument is copied to
    # every place that names it, and copies of copies take longer to plan than most queries to run.
    "t_scientific(r)": """list_transform([CASE
        WHEN contains(r, 'e') THEN
          {'d': replace(split_part(r, 'e', 1), '.', ''), 'e': CAST(split_part(r, 'e', 2) AS INTEGER)}
        WHEN starts_with(r, '0.') THEN
          {'d': ltrim(substr(r, 3), '0'), 'e': CAST(length(ltrim(substr(r, 3), '0')) - length(r) + 1 AS INTEGER)}
        ELSE {'d': replace(r, '.', ''), 'e': CAST(strpos(r, '.') - 2 AS INTEGER)} END],
        lambda t__s: regexp_replace(t__s.d, '^(.)(.*?)0*$', '\\1.\\2')
          || CASE WHEN rtrim(substr(t__s.d, 2), '0') = '' THEN '0' ELSE '' END || 'E' || t__s.e)[1]""",
    "t_double_text(x)": """CASE
        WHEN abs(x) >= 0.001 AND abs(x) < 10000000 OR x = 0 THEN CAST(x AS VARCHAR)
        ELSE list_transform([CAST(x AS VARCHAR)], lambda t__t: CASE t__t
          WHEN 'nan' THEN 'NaN' WHEN 'inf' THEN 'Infinity' WHEN '-inf' THEN '-Infinity'
          ELSE CASE WHEN starts_with(t__t, '-') THEN '-' ELSE '' END ||
            list_transform([ltrim(t__t, '-')], lambda t__r: t_scientific(t__r))[1] END)[1] END""",
    "t_decimal_text(x)": "regexp_replace(CAST(x AS VARCHAR), '^(-?)\\.', '\\10.')",  # DuckDB writes .5 of DECIMAL(1, 1)
    "t_date_text(d)": "CASE WHEN year(d) < 0 THEN strftime(d, '%Y-%m-%d') ELSE CAST(d AS VARCHAR) END",
    # CURRENT_TIME, the only one there is
    "t_time_text(t)": "rpad(t || CASE WHEN contains(t, '.') THEN '' ELSE '.' END, 12, '0') || '+00:00'",
    "t_varchar(x)": """CASE typeof(x)
        WHEN 'DOUBLE' THEN t_double_text(TRY_CAST(x AS DOUBLE))
        WHEN 'FLOAT' THEN t_double_text(TRY_CAST(x AS FLOAT))
        WHEN 'TIMESTAMP_MS' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
        WHEN 'TIMESTAMP' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g')
        WHEN 'TIMESTAMP WITH TIME ZONE' THEN strftime(TRY_CAST(x AS TIMESTAMP), '%Y-%m-%d %H:%M:%S.%g') || ' UTC'
        WHEN 'STRUCT(t_at TIMESTAMP WITH TIME ZONE, t_zone VARCHAR)' THEN
          t_fail('NOT_SUPPORTED: a timestamp with a time zone as text is not supported by the local Athena yet')
        WHEN 'TIME WITH TIME ZONE' THEN t_time_text(split_part(CAST(x AS VARCHAR), '+', 1))
        WHEN 'DATE' THEN t_date_text(TRY_CAST(x AS DATE))
        WHEN 'JSON' THEN t_json_text(TRY_CAST(x AS JSON))
        ELSE CASE WHEN starts_with(typeof(x), 'DECIMAL') THEN t_decimal_text(x) ELSE CAST(x AS VARCHAR) END END""",
    "t_varchar_of(x, n)": """CASE
        WHEN typeof(x) IN ('VARCHAR', 'JSON') THEN left(t_varchar(x), n)
        WHEN length(t_varchar(x)) > n THEN t_fail('INVALID_CAST_ARGUMENT: Value ' || t_varchar(x)
          || ' cannot be represented as varchar(' || n || ')')
        ELSE t_varchar(x) END""",
    "t_integral(x)": """CASE
        WHEN typeof(x) IN ('DOUBLE', 'FLOAT') THEN CAST(round(TRY_CAST(x AS DOUBLE)) AS HUGEINT)
        WHEN typeof(x) = 'VARCHAR' AND NOT regexp_full_match(CAST(x AS VARCHAR), '[+-]?\\d+')
          THEN CAST('Cannot cast ''' || CAST(x AS VARCHAR) || ''' to an integer' AS HUGEINT)
        ELSE CAST(x AS HUGEINT) END""",
    "t_interval_text(i)": "CASE WHEN date_part('year', i) <> 0 OR date_part('month', i) <> 0 "
    "THEN date_part('year', i) || '-' || date_part('month', i) ELSE CAST(trunc(epoch(i) / 86400) AS BIGINT) || ' ' || "
    "strftime(TIMESTAMP '2000-01-01' + i, '%H:%M:%S.%g') END",
    # strings
    "t_substr(s, i)": "CASE WHEN s IS NOT NULL AND (i = 0 OR i < -length(s)) THEN '' ELSE substr(s, i) END",
    "t_substr(s, i, n)": "CASE WHEN s IS NULL OR i IS NULL OR n IS NULL THEN NULL "
    "WHEN i = 0 OR i < -length(s) OR n <= 0 THEN '' ELSE substr(s, i, n) END",
    "t_chr(n)": "chr(CAST(n AS INTEGER))",
    "t_codepoint(s)": "CASE WHEN length(s) = 1 THEN unicode(s) "
    "WHEN s IS NOT NULL THEN t_bad_integer('Input string must be a single character string') END",
    # DuckDB counts graphemes there
    "t_reverse(s)": "CASE WHEN strlen(s) = length(s) THEN reverse(s) "
    "ELSE array_to_string(list_reverse(regexp_extract_all(s, '(?s).')), '') END",
    # The one letter whose upper case is another one in DuckDB: java.lang.Character.toUpperCase leaves it alone.
    "t_upper(s)": "CASE WHEN contains(s, 'ß') THEN array_to_string(list_transform(string_split(s, 'ß'), "
    "lambda t__s: upper(t__s)), 'ß') ELSE upper(s) END",
    "t_padding(n, p)": "CASE WHEN n < 0 THEN t_bad_integer('Target length must be in the range [0..2147483647]') "
    "WHEN p = '' THEN t_bad_integer('Padding string must not be empty') ELSE CAST(n AS INTEGER) END",
    "t_lpad(s, n, p)": "lpad(s, t_padding(n, p), p)",
    "t_rpad(s, n, p)": "rpad(s, t_padding(n, p), p)",
    "t_split(s, d)": "CASE WHEN d = '' THEN string_split(s, "
    "t_bad_varchar('The delimiter may not be the empty string')) "
    "WHEN d IS NOT NULL THEN string_split(s, d) END",
    "t_split_part(s, d, i)": "CASE WHEN s IS NULL OR d IS NULL OR (s = '' AND d = '') THEN NULL "
    "WHEN i > 0 THEN string_split(s, d)[i] "
    "ELSE t_fail('INVALID_FUNCTION_ARGUMENT: Index must be greater than zero') END",
    "t_trim(s)": f"trim(s, {_SPACES})",
    "t_trim(s, c)": "trim(s, c)",
    "t_ltrim(s)": f"ltrim(s, {_SPACES})",
    "t_ltrim(s, c)": "ltrim(s, c)",
    "t_rtrim(s)": f"rtrim(s, {_SPACES})",
    "t_rtrim(s, c)": "rtrim(s, c)",
    "t_concat_ws(s, x)": "CASE WHEN x IS NOT NULL OR NOT ends_with(typeof(x), '[]') THEN concat_ws(s, x) END",
    "t_replace(s, a)": "replace(s, a, '')",
    "t_replace(s, a, b)": "replace(s, a, b)",
    "t_strpos(s, x)": "strpos(s, x)",
    "t_split_to_map(s, d, k)": "map_from_entries(list_transform(string_split(s, d), "
    "lambda t__e: {'k': split_part(t__e, k, 1), 'v': substr(t__e, strpos(t__e, k) + length(k))}))",
    "t_md5(b)": "unhex(md5(b))",
    "t_sha1(b)": "unhex(sha1(b))",
    "t_sha256(b)": "unhex(sha256(b))",
    # Trino takes no empty key: javax.crypto.spec.SecretKeySpec, "Empty key".
    "t_hmac_key(k)": "CASE WHEN octet_length(k) = 0 THEN encode(t_fail('GENERIC_INTERNAL_ERROR: Empty key')) "
    "ELSE k || repeat(unhex('00'), 64 - octet_length(k)) END",
    "t_hmac_pad(k, b)": "CAST(xor(CAST(k AS BIT), CAST(repeat(unhex(b), 64) AS BIT)) AS BLOB)",
    "t_hmac_md5(m, k)": _hmac("md5"),
    "t_hmac_sha1(m, k)": _hmac("sha1"),
    "t_hmac_sha256(m, k)": _hmac("sha256"),
    "t_midnight(t)": "CASE WHEN hour(t) = 12 THEN t - INTERVAL 12 HOUR ELSE t END",
    "t_pivot(t)": "CASE WHEN year(t) = 1969 THEN t + INTERVAL 100 YEAR ELSE t END",
    # numbers
    "t_divide_half_up(n, d)": "(abs(n) * 2 + abs(d)) // (abs(d) * 2) * sign(n) * sign(d)",
    # They keep the argument's type, a decimal's and an integer's, and of doubles -0.0 and the infinities.
    "t_whole(x)": "x % 1 = 0 OR isnan(CAST(x % 1 AS DOUBLE))",
    "t_ceil(x)": "CASE WHEN t_whole(x) THEN x WHEN x > 0 THEN x - x % 1 + 1 ELSE -(-x - (-x) % 1) END",
    "t_floor(x)": "CASE WHEN t_whole(x) THEN x WHEN x > 0 THEN x - x % 1 ELSE -(-x - (-x) % 1) - 1 END",
    "t_truncate(x)": "CASE WHEN t_whole(x) THEN x WHEN x > 0 THEN x - x % 1 ELSE -(-x - (-x) % 1) END",
    "t_no_decimal(x)": "CASE WHEN starts_with(typeof(x), 'DECIMAL') AND t_fail('NOT_SUPPORTED: a DECIMAL here (CAST it "
    "AS DOUBLE) is not supported by the local Athena yet') = '' THEN NULL ELSE x END",
    "t_sign_of_double(x)": "CASE WHEN isnan(x) THEN x ELSE CAST(sign(x) AS DOUBLE) END",
    "t_e()": "exp(1)",
    "t_random()": "random()",
    "t_random(n)": "CASE WHEN n <= 0 THEN CAST(t_fail('INVALID_FUNCTION_ARGUMENT: bound must be positive') AS BIGINT) "
    "ELSE CAST(floor(random() * n) AS BIGINT) END",
    "t_nan()": "CAST('NaN' AS DOUBLE)",
    "t_infinity()": "CAST('Infinity' AS DOUBLE)",
    "t_is_finite(x)": "isfinite(x)",
    "t_bitwise_and(a, b)": "a & b",
    "t_bitwise_or(a, b)": "a | b",
    "t_bitwise_xor(a, b)": "xor(a, b)",
    "t_bitwise_not(a)": "~a",
    "t_mod(a, b)": "a % b",
    "t_width_bucket(x, lo, hi, n)": "CASE WHEN x < lo THEN 0 WHEN x >= hi THEN n + 1 "
    "ELSE CAST(floor((x - lo) / CAST(hi - lo AS DOUBLE) * n) AS BIGINT) + 1 END",
    # dates
    # What has no zone, as most have, is read four times as fast.
    "t_json_timestamp(s)": "CASE WHEN strlen(s) = 23 AND substr(s, 20, 2) BETWEEN '.0' AND '.9' "
    "OR strlen(s) = 19 AND substr(s, 17, 1) = ':' THEN CAST(s AS TIMESTAMP) WHEN regexp_full_match(s, '\\d+') "
    "THEN make_timestamp(CAST(s AS BIGINT) * CASE WHEN length(s) <= 10 THEN 1000000 ELSE 1000 END) "
    "ELSE CAST(CAST(s AS TIMESTAMPTZ) AS TIMESTAMP) END",
    "t_to_iso8601(t DATE)": "strftime(t, '%Y-%m-%d')",
    "t_to_iso8601(t TIMESTAMP)": "strftime(t, '%Y-%m-%dT%H:%M:%S.%g')",
    "t_to_iso8601(t TIMESTAMPTZ)": "strftime(CAST(t AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%gZ')",
    "t_plus(t DATE, i)": "CAST(t + i AS DATE)",
    "t_plus(t TIMESTAMP, i)": "t + i",
    "t_plus(t TIMESTAMPTZ, i)": "t + i",
    "t_plus(t TIME, i)": "t + i",
    "t_plus(t INTERVAL, i)": "t + i",
    "t_trunc(u, t DATE)": "CAST(date_trunc(u, t) AS DATE)",
    "t_trunc(u, t TIMESTAMP)": "date_trunc(u, t)",
    "t_trunc(u, t TIMESTAMPTZ)": "date_trunc(u, t)",
    "t_trunc(u, t TIME)": "CAST(date_trunc(u, DATE '2000-01-01' + t) AS TIME)",
    "t_unixtime(t)": "epoch(CAST(t AS TIMESTAMPTZ))",
    # URLs
    "t_url_extract_host(u)": _url_part(_AUTHORITY),
    "t_url_extract_path(u)": _url_part("'^(?:[^:/?#]+:)?(?://[^/?#]*)?([^?#]*)'"),
    "t_url_extract_query(u)": _url_part("'^[^?#]*\\?([^#]*)'"),
    "t_url_extract_fragment(u)": _url_part("'#(.*)$'"),
    "t_url_extract_protocol(u)": _url_part("'^([^:/?#]+):'"),
    "t_url_extract_port(u)": "TRY_CAST(" + _url_part("'^[^:/?#]+://(?:[^/?#@]*@)?[^:/?#]*:(\\d+)'") + " AS BIGINT)",
    "t_url_extract_parameter(u, name)": "url_decode(replace(list_extract(list_transform(list_filter(string_split("
    "t_url_extract_query(u), '&'), lambda t__q: split_part(t__q, '=', 1) = name), "
    "lambda t__q: substr(t__q, length(name) + 2)), 1), '+', ' '))",
}


def definitions() -> dict[str, str]:
    """Name -> CREATE MACRO statement; the overloads of one name are one statement."""
    overloads: dict[str, list[str]] = {}
    modules = (
        zones, aggregates, arrays, binary, regexps, replacements, reference, formatter, sqljson, sqljson_made, jsontext,
        comparisons, temporal,
    )  # fmt: skip
    every = functools.reduce(operator.or_, (m.MACROS for m in modules), MACROS)
    for head, body in every.items():
        name, _, parameters = head.partition("(")
        overloads.setdefault(name, []).append(f"({parameters} AS {body}")
    return {name: f"CREATE MACRO {name} {', '.join(heads)}" for name, heads in overloads.items()}
