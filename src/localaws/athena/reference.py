"""The rarer chapters of Trino's function reference, in DuckDB's SQL: bits, texts, statistics, bags.

FUNCTIONS and MACROS are in the form of functions.py and macros.py, which add them to theirs.
(trino.io/docs/current/functions/bitwise.html, math.html, string.html, array.html, map.html, json.html)
"""


def _shifts(name: str, body: str) -> dict[str, str]:
    """One overload per integer type: the result has the value's type."""
    widths = {"TINYINT": 8, "SMALLINT": 16, "INTEGER": 32, "BIGINT": 64}
    return {
        f"t_{name}(x {kind}, n)": f"CAST(CASE WHEN n < 0 THEN "
        f"t_bad_hugeint('a negative shift') {body.format(bits=bits)} END AS {kind})"
        for kind, bits in widths.items()
    }


FUNCTIONS = {
    "bit_count": "t_bit_count/2", "bitwise_left_shift": "t_bitwise_left_shift/2",
    "bitwise_right_shift": "t_bitwise_right_shift/2",
    "bitwise_right_shift_arithmetic": "t_bitwise_right_shift_arithmetic/2",
    "cosh": "cosh/1", "sinh": "sinh/1", "tanh": "tanh/1",
    "soundex": "t_soundex/1", "luhn_check": "t_luhn_check/1", "format_number": "t_format_number/1",
    "human_readable_seconds": "t_human_readable_seconds/1", "parse_duration": "t_parse_duration/1",
    "to_milliseconds": "t_to_milliseconds/1", "regexp_position": "t_regexp_position/2-4",
    "wilson_interval_lower": "t_wilson_lower/3", "wilson_interval_upper": "t_wilson_upper/3",
    "cosine_similarity": "t_cosine_similarity/2", "cosine_distance": "t_cosine_distance/2",
    "dot_product": "t_dot_product/2", "euclidean_distance": "t_euclidean_distance/2",
    "ngrams": "t_ngrams/2", "trim_array": "t_trim_array/2",
    "shuffle": "t_shuffle/1", "contains_sequence": "t_contains_sequence/2",
    "multimap_from_entries": "t_multimap_from_entries/1", "split_to_multimap": "t_split_to_multimap/3",
    "json_array_contains": "t_json_array_contains/2", "is_json_scalar": "t_is_json_scalar/1",
    "typeof": "t_typeof/1", "current_timezone": "t_current_timezone/0",
}  # fmt: skip

AGGREGATES = {f"regr_{name}": f"regr_{name}/2" for name in ("avgx", "avgy", "count", "r2", "sxx", "sxy", "syy")}

_ERRORS = {
    f"t_bad_{kind}(message)": f"CAST(t_fail('INVALID_FUNCTION_ARGUMENT: ' || message) AS {kind.upper()})"
    for kind in ("boolean", "integer", "bigint", "hugeint", "double", "varchar", "interval")
}

_BITS = {
    "t_power(n)": "CAST(1 AS HUGEINT) << CAST(n AS INTEGER)",
    "t_unsigned(x, n)": "(CAST(x AS HUGEINT) % t_power(n) + t_power(n)) % t_power(n)",
    "t_signed(x, n)": "t_unsigned(x, n) - CASE WHEN t_unsigned(x, n) >= t_power(n - 1) THEN t_power(n) ELSE 0 END",
    "t_bit_count(x, n)": """CASE
        WHEN n < 2 OR n > 64 THEN t_bad_bigint('Bits specified in bit_count must be between 2 and 64, got ' || n)
        WHEN x >= t_power(n - 1) OR x < -t_power(n - 1)
        THEN t_bad_bigint('Number must be representable with the bits specified. ' || x ||
          ' cannot be represented with ' || n || ' bits') ELSE CAST(bit_count(t_unsigned(x, n)) AS BIGINT) END""",
    **_shifts("bitwise_left_shift", "WHEN n >= 64 THEN 0 ELSE t_signed(CAST(x AS HUGEINT) * t_power(n % 64), {bits})"),
    **_shifts("bitwise_right_shift", "WHEN n = 0 THEN x WHEN n >= 64 THEN 0 ELSE t_unsigned(x, {bits}) >> n"),
    **_shifts(
        "bitwise_right_shift_arithmetic",
        "WHEN x >= 0 THEN CASE WHEN n >= 64 THEN 0 ELSE CAST(x AS HUGEINT) >> n END "
        "ELSE CASE WHEN n >= 64 THEN -1 ELSE -((-CAST(x AS HUGEINT) - 1) >> n) - 1 END",
    ),
}

_STRINGS = {
    # Apache Commons Codec's Soundex.US_ENGLISH: H and W don't part equal codes, vowels do.
    "t_runs(s)": "regexp_replace(" * 7 + "s" + "".join(f", '{d}+', '{d}', 'g')" for d in range(7)),
    "t_soundex_code(s)": "left(s, 1) || substr(rpad(replace(substr(t_runs(translate(left(s, 1) || "
    "regexp_replace(substr(s, 2), '[HW]', '', 'g'), 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', '01230120022455012623010202')), 2), "
    "'0', ''), 3, '0'), 1, 3)",
    "t_soundex(s)": "list_transform([upper(regexp_replace(s, '[^\\pL]', '', 'g'))], lambda t__s: CASE "
    "WHEN t__s = '' THEN '' WHEN regexp_full_match(t__s, '[A-Z]+') THEN t_soundex_code(t__s) "
    "ELSE t_bad_varchar('The character is not mapped: ' || regexp_extract(t__s, '[^A-Z]')) END)[1]",
    "t_luhn_check(s)": "CASE WHEN regexp_full_match(s, '[0-9]+') THEN list_sum(list_transform("
    "string_split(reverse(s), ''), lambda t__c, t__i: CASE WHEN t__i % 2 = 1 THEN CAST(t__c AS INTEGER) "
    "ELSE CAST(t__c AS INTEGER) * 2 // 10 + CAST(t__c AS INTEGER) * 2 % 10 END)) % 10 = 0 "
    "WHEN s IS NOT NULL THEN t_bad_boolean('Input is not a string of digits: ' || s) END",
    "t_short(f)": "regexp_replace(CAST(CAST(round(f, CASE WHEN f < 10 THEN 2 WHEN f < 100 THEN 1 ELSE 0 END) "
    "AS DECIMAL(18, 2)) AS VARCHAR), '\\.?0+$', '')",
    "t_format_number(x)": "list_transform([CAST(trunc(x) AS BIGINT)], lambda t__x: CASE "
    + " ".join(
        f"WHEN t__x >= 1{zeros} OR t__x <= -1{zeros} THEN t_short(t__x / CAST(1{zeros} AS DOUBLE)) || '{unit}'"
        for unit, zeros in (("Q", "0" * 15), ("T", "0" * 12), ("B", "0" * 9), ("M", "0" * 6), ("K", "000"))
    )
    + " ELSE CAST(t__x AS VARCHAR) END)[1]",
    "t_counted(n, u)": "CASE n WHEN 0 THEN NULL WHEN 1 THEN '1 ' || u ELSE n || ' ' || u || 's' END",
    "t_human_readable_seconds(x)": "list_transform([CAST(round(CASE WHEN x < 0 OR NOT isfinite(CAST(x AS DOUBLE)) "
    "THEN t_bad_double('Invalid argument found: ' || x) ELSE x END) AS BIGINT)], lambda t__x: "
    "CASE WHEN t__x IS NOT NULL THEN coalesce(nullif(concat_ws(', ', t_counted(t__x // 604800, 'week'), "
    "t_counted(t__x // 86400 % 7, 'day'), t_counted(t__x // 3600 % 24, 'hour'), "
    "t_counted(t__x // 60 % 60, 'minute'), t_counted(t__x % 60, 'second')), ''), '0 seconds') END)[1]",
    # io.airlift.units.Duration.valueOf, to the nearest millisecond
    "t_parse_duration(s)": "CASE WHEN regexp_full_match(s, '\\s*\\d+(\\.\\d+)?\\s*(ns|us|ms|s|m|h|d)\\s*') "
    "THEN to_milliseconds(CAST(floor(CAST(regexp_extract(s, '[\\d.]+') AS DOUBLE) * "
    "CASE regexp_extract(s, '[a-z]+') WHEN 'ns' THEN 1e-6 WHEN 'us' THEN 1e-3 WHEN 'ms' THEN 1e0 WHEN 's' THEN 1e3 "
    "WHEN 'm' THEN 6e4 WHEN 'h' THEN 36e5 ELSE 864e5 END + 0.5) AS BIGINT)) "
    "WHEN s IS NOT NULL THEN t_bad_interval('duration is not a valid data duration string: ' || s) END",
    "t_to_milliseconds(i)": "CAST(round(epoch(i) * 1000) AS BIGINT)",
    # io.trino.operator.scalar.DataSizeFunctions
    "t_data_size(v, u)": "CAST(replace(v, '.', '') AS HUGEINT) * (CAST(1 AS HUGEINT) << "
    "CAST((list_position(['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'], u) - 1) * 10 AS INTEGER)) "
    "// CAST('1' || repeat('0', length(split_part(v, '.', 2))) AS HUGEINT)",
    "t_parse_data_size(s)": "CASE WHEN regexp_full_match(s, '(\\d+\\.?\\d*|\\.\\d+)([kMGTPEZY]?B)') "
    "THEN t_data_size(regexp_extract(s, '^[\\d.]+'), regexp_extract(s, '[kMGTPEZY]?B$')) "
    "WHEN s IS NOT NULL THEN t_bad_hugeint('Invalid data size: ''' || s || '''') END",
    "t_up_to(p, n)": "'^((?:(?s:.*?)(?:' || p || ')){' || (n - 1) || '}(?s:.*?))(?:' || p || ')'",
    "t_before(s, p, n)": "regexp_extract(s, t_up_to(p, n), 1)",
    "t_found(s, p, n)": "regexp_matches(s, t_up_to(p, n))",
    "t_regexp_position(s, p)": "CASE WHEN s IS NOT NULL AND p = '' THEN 1 "
    "WHEN t_found(s, p, 1) THEN length(t_before(s, p, 1)) + 1 "
    "WHEN s IS NOT NULL AND p IS NOT NULL THEN -1 END",
    "t_regexp_position(s, p, i)": "CASE WHEN i < 1 THEN "
    "t_bad_bigint('start position cannot be smaller than 1') WHEN i > length(s) THEN -1 WHEN p = '' THEN i "
    "WHEN t_found(substr(s, i), p, 1) THEN length(t_before(substr(s, i), p, 1)) + i "
    "WHEN s IS NOT NULL AND p IS NOT NULL AND i IS NOT NULL THEN -1 END",
    "t_regexp_position(s, p, i, n)": "CASE WHEN i < 1 OR n < 1 THEN "
    "t_bad_bigint('start position and occurrence cannot be smaller than 1') WHEN i > length(s) THEN -1 "
    "WHEN p = '' THEN CASE WHEN i + n - 1 <= length(s) + 1 THEN i + n - 1 ELSE -1 END "
    "WHEN t_found(substr(s, i), p, n) THEN length(t_before(substr(s, i), p, n)) + i "
    "WHEN s IS NOT NULL AND p IS NOT NULL AND i IS NOT NULL AND n IS NOT NULL THEN -1 END",
    # Only types whose name is the same however it came about: a varchar has a length there, a timestamp a precision.
    "t_typeof(x)": "CASE typeof(x) WHEN 'BOOLEAN' THEN 'boolean' WHEN 'TINYINT' THEN 'tinyint' "
    "WHEN 'SMALLINT' THEN 'smallint' WHEN 'INTEGER' THEN 'integer' WHEN 'BIGINT' THEN 'bigint' "
    "WHEN 'DOUBLE' THEN 'double' WHEN 'FLOAT' THEN 'real' WHEN 'DATE' THEN 'date' WHEN 'BLOB' THEN 'varbinary' "
    "WHEN 'JSON' THEN 'json' WHEN '\"NULL\"' THEN 'unknown' "
    "WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp(3) with time zone' ELSE CASE WHEN regexp_full_match(typeof(x), "
    "'DECIMAL\\(\\d+,\\d+\\)') THEN lower(typeof(x)) ELSE t_fail('NOT_SUPPORTED: typeof of a value of ' || "
    "typeof(x) || ' is not supported by the local Athena yet') END END",
    "t_current_timezone()": "'UTC'",
    "t_split(s, d, n)": "list_transform([string_split(s, CASE WHEN d = '' "
    "THEN t_bad_varchar('The delimiter may not be the empty string') ELSE d END)], lambda t__p: CASE WHEN n <= 0 "
    "THEN [t_bad_varchar('Limit must be positive')] WHEN len(t__p) <= n THEN t__p "
    "WHEN s IS NOT NULL THEN list_append(t__p[1:n - 1], substr(s, length(array_to_string("
    "list_transform(t__p[1:n - 1], lambda t__e: t__e || d), '')) + 1)) END)[1]",
    "t_overlay(s, r, i)": "t_overlay_of(s, r, i, length(r))",
    "t_overlay(s, r, i, n)": "t_overlay_of(s, r, i, n)",
    "t_overlay_of(s, r, i, n)": "left(s, i - 1) || r || substr(s, i + n)",
    "t_places(s, x)": "list_filter(range(1, length(s) - length(x) + 2), lambda t__i: substr(s, t__i, length(x)) = x)",
    "t_strpos(s, x, n)": "CASE WHEN n = 0 THEN t_bad_bigint('''instance'' must be a positive or negative number.') "
    "WHEN s IS NOT NULL AND n IS NOT NULL AND x = '' THEN 1 "
    "WHEN s IS NOT NULL AND x IS NOT NULL AND n IS NOT NULL THEN coalesce(t_places(s, x)[n], 0) END",
    # DuckDB's own count bytes. One row of the table of distances after another.
    "t_row_of_distances(c, b, r)": "list_reduce(range(1, length(b) + 1), lambda t__n, t__j: list_append(t__n, "
    "least(t__n[t__j] + 1, r[t__j + 1] + 1, r[t__j] + CASE WHEN substr(b, t__j, 1) = c THEN 0 ELSE 1 END)), "
    "[r[1] + 1])",
    "t_levenshtein(a, b)": "CASE WHEN strlen(a) = length(a) AND strlen(b) = length(b) THEN levenshtein(a, b) ELSE "
    "list_reduce(range(1, length(a) + 1), lambda t__r, t__i: t_row_of_distances(substr(a, t__i, 1), b, t__r), "
    "range(0, length(b) + 1))[-1] END",
    "t_hamming(a, b)": "CASE WHEN length(a) <> length(b) "
    "THEN t_bad_bigint('The input strings to hamming_distance function must have the same length') "
    "WHEN a IS NOT NULL AND b IS NOT NULL THEN len(list_filter(range(1, length(a) + 1), "
    "lambda t__i: substr(a, t__i, 1) <> substr(b, t__i, 1))) END",
    "t_truncate(x, n)": "t_fail('NOT_SUPPORTED: truncate of other than a DECIMAL to a number of digits is not "
    "supported by the local Athena yet')",
    "t_random(m, n)": "CASE WHEN m >= n THEN t_bad_bigint('min value must be less than max value') "
    "ELSE CAST(m AS BIGINT) + CAST(floor(random() * (CAST(n AS DOUBLE) - m)) AS BIGINT) END",
}

_WILSON = (
    "list_transform([CAST(n AS DOUBLE)], lambda t__n: (s / t__n + z * z / (2 * t__n) {sign} "
    "z * sqrt(s / t__n * (1 - s / t__n) / t__n + z * z / (4 * t__n * t__n))) / (1 + z * z / t__n))[1]"
)
_NO_WILSON = (
    "WHEN s < 0 THEN t_bad_double('number of successes must not be negative') "
    "WHEN n <= 0 THEN t_bad_double('number of trials must be positive') "
    "WHEN s > n THEN t_bad_double('number of successes must not be larger than number of trials') "
    "WHEN z < 0 THEN t_bad_double('z-score must not be negative')"
)

_STATISTICS = {
    "t_wilson_lower(s, n, z)": f"CASE {_NO_WILSON} ELSE {_WILSON.format(sign='-')} END",
    "t_wilson_upper(s, n, z)": f"CASE {_NO_WILSON} ELSE {_WILSON.format(sign='+')} END",
    "t_norm(m)": "sqrt(list_sum(list_transform(map_values(m), lambda t__v: CAST(t__v AS DOUBLE) * t__v)))",
    "t_cosine_similarity(a, b)": "CASE WHEN len(map_values(a)) = list_count(map_values(a)) "
    "AND len(map_values(b)) = list_count(map_values(b)) THEN coalesce(list_sum(list_transform(map_entries(a), "
    "lambda t__e: CAST(t__e.value AS DOUBLE) * map_extract_value(b, t__e.key))), 0) / (t_norm(a) * t_norm(b)) END",
    # of arrays (trino.io/docs/current/functions/array.html: the vectors have one length, and none is zero)
    "t_cosine_similarity(a DOUBLE[], b DOUBLE[])": "CASE WHEN list_dot_product(a, a) = 0 OR list_dot_product(b, b) = 0 "
    "THEN t_bad_double('Vector magnitude cannot be zero') ELSE list_cosine_similarity(a, b) END",
    "t_cosine_distance(a, b)": "1 - t_cosine_similarity(a, b)",
    "t_dot_product(a, b)": "list_dot_product(CAST(a AS DOUBLE[]), CAST(b AS DOUBLE[]))",
    "t_euclidean_distance(a, b)": "list_distance(CAST(a AS DOUBLE[]), CAST(b AS DOUBLE[]))",
    # what a comparator gives, by which an array is sorted
    "t_order(c)": "CASE WHEN c IN (-1, 0, 1) THEN c "
    "ELSE t_bad_bigint('Lambda comparator must return either -1, 0, or 1') END",
}

_BAGS = {
    # (a list's errors are raised by a cast in an index: t_fail is a text)
    "t_ngrams(l, n)": "CASE WHEN l IS NOT NULL AND n IS NOT NULL THEN "
    "list_transform(range(1, 2 + greatest(len(l) - CASE WHEN n > 0 THEN n "
    "ELSE t_bad_bigint('N must be positive') END, 0)), lambda t__i: list_slice(l, t__i, t__i + n - 1)) END",
    "t_trim_array(l, n)": "list_slice(l, 1, CASE WHEN n < 0 "
    "THEN t_bad_bigint('size must not be negative: ' || n) WHEN n > len(l) "
    "THEN t_bad_bigint('size must not exceed array cardinality ' || len(l) || ': ' || n) "
    "ELSE len(l) - n END)",
    "t_singles(l)": "list_transform(range(1, len(l) + 1), lambda t__i: [t__i])",
    "t_longer(l, c)": "flatten(list_transform(c, lambda t__c: "
    "list_transform(range(t__c[1] + 1, len(l) + 1), lambda t__j: list_prepend(t__j, t__c))))",
    "t_chosen(l, c)": "CASE WHEN len(c) * len(c[1]) > 100000 THEN list_slice([], 1, "
    "t_bad_bigint('combinations exceed max size')) ELSE "
    "list_transform(list_sort(c), lambda t__c: list_transform(list_reverse(t__c), lambda t__i: l[t__i])) END",
    "t_shuffle(l)": "list_transform(list_sort(list_transform(l, lambda t__e: {'r': random(), 'e': t__e})), "
    "lambda t__s: t__s.e)",
    "t_contains_sequence(l, s)": "list_contains(list_transform(range(1, len(l) - len(s) + 2), "
    "lambda t__i: list_slice(l, t__i, t__i + len(s) - 1)), s)",
    "t_multimap(k, v)": "map_from_entries(list_transform("
    "t_array_distinct(list_filter(k, lambda t__k: t__k IS NOT NULL)), lambda t__n: {'k': t__n, 'v': list_transform("
    "list_filter(list_zip(k, v), lambda t__p: t__p[1] = t__n), lambda t__q: t__q[2])}))",
    "t_multimap_from_entries(l)": "t_multimap(list_transform(l, lambda t__e: struct_extract_at(t__e, 1)), "
    "list_transform(l, lambda t__e: struct_extract_at(t__e, 2)))",
    "t_part(e, k, i)": "CASE WHEN len(string_split(e, k)) = 2 THEN split_part(e, k, i) ELSE "
    "t_bad_varchar('Key-value delimiter must appear exactly once in each entry. Bad input: ' || e) END",
    "t_pieces(s, d)": "string_split(CASE WHEN ends_with(s, d) THEN left(s, length(s) - length(d)) ELSE s END, d)",
    "t_split_to_multimap(s, d, k)": "CASE WHEN s = '' THEN t_multimap(CAST([] AS VARCHAR[]), CAST([] AS VARCHAR[])) "
    "ELSE t_multimap(list_transform(t_pieces(s, d), lambda t__e: t_part(t__e, k, 1)), "
    "list_transform(t_pieces(s, d), lambda t__e: t_part(t__e, k, 2))) END",
}


MACROS = {**_ERRORS, **_BITS, **_STRINGS, **_STATISTICS, **_BAGS}
