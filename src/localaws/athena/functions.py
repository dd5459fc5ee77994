"""Which of Trino's functions are answered, and by what: the allow-list.

A function that is in none of these tables is refused by name; nothing is ever passed through to DuckDB. Entries read
"target/arguments": `target` is DuckDB's own function where it means the same, or a macro of macros.py (`t_...`);
"1-2" is a range, "1+" has no upper end. What needs the syntax tree (lambdas, formats, units) is in rewrites.py.
"""

from dataclasses import dataclass

from localaws.athena import binary, reference

_SCALARS = {
    # conditional
    "coalesce": "coalesce/2+", "nullif": "nullif/2", "try": "try/1",
    # strings
    "chr": "t_chr/1", "codepoint": "t_codepoint/1", "concat_ws": "concat_ws/2+", "from_utf8": "decode/1",
    "hamming_distance": "t_hamming/2", "length": "t_length/1", "levenshtein_distance": "t_levenshtein/2",
    "lower": "lower/1",
    "lpad": "t_lpad/3", "ltrim": "t_ltrim/1-2", "replace": "t_replace/2-3", "rpad": "t_rpad/3",
    "rtrim": "t_rtrim/1-2", "split": "t_split/2-3", "split_part": "t_split_part/3",
    "split_to_map": "t_split_to_map/3", "starts_with": "starts_with/2", "strpos": "t_strpos/2-3",
    "substr": "t_substr/2-3", "substring": "t_substr/2-3", "to_utf8": "encode/1", "translate": "translate/3",
    "trim": "t_trim/1-2", "upper": "t_upper/1", "uuid": "uuid/0",
    # regular expressions
    "regexp_count": "t_regexp_count/2",
    "regexp_like": "regexp_matches/2",
    "regexp_split": "t_regexp_split/2",
    # binary
    "from_base64": "from_base64/1", "from_hex": "unhex/1", "hmac_md5": "t_hmac_md5/2", "hmac_sha1": "t_hmac_sha1/2",
    "hmac_sha256": "t_hmac_sha256/2", "md5": "t_md5/1", "sha1": "t_sha1/1", "sha256": "t_sha256/1",
    "to_base64": "to_base64/1", "to_hex": "hex/1",
    # numbers
    "abs": "abs/1", "acos": "acos/1", "asin": "asin/1", "atan": "atan/1", "atan2": "atan2/2",
    "bitwise_and": "t_bitwise_and/2", "bitwise_not": "t_bitwise_not/1", "bitwise_or": "t_bitwise_or/2",
    "bitwise_xor": "t_bitwise_xor/2", "cbrt": "cbrt/1", "ceil": "t_ceil/1", "ceiling": "t_ceil/1", "cos": "cos/1",
    "degrees": "degrees/1", "e": "t_e/0", "exp": "exp/1", "floor": "t_floor/1", "infinity": "t_infinity/0",
    "is_finite": "t_is_finite/1", "is_infinite": "isinf/1", "is_nan": "isnan/1", "ln": "ln/1", "log": "log/2",
    "log10": "log10/1", "log2": "log2/1", "mod": "t_mod/2", "nan": "t_nan/0", "pi": "pi/0", "pow": "pow/2",
    "power": "pow/2", "radians": "radians/1", "rand": "t_random/0-2", "random": "t_random/0-2", "round": "round/1-2",
    "sign": "sign/1", "sin": "sin/1", "sqrt": "sqrt/1", "tan": "tan/1", "truncate": "t_truncate/1-2",
    "width_bucket": "t_width_bucket/2-4",
    # dates
    "day": "day/1", "day_of_month": "day/1", "day_of_week": "isodow/1", "day_of_year": "dayofyear/1",
    "dow": "isodow/1", "doy": "dayofyear/1", "hour": "t_hour/1",
    "last_day_of_month": "last_day/1", "millisecond": "t_millisecond/1", "minute": "t_minute/1", "month": "month/1",
    "now": "now/0", "quarter": "quarter/1", "second": "t_second/1",
    "to_unixtime": "t_unixtime/1", "week": "week/1", "week_of_year": "week/1", "year": "year/1",
    "year_of_week": "isoyear/1", "yow": "isoyear/1",
    # JSON
    "json_array_get": "t_json_array_get/2", "json_array_length": "t_json_array_length/1",
    "json_format": "t_json_format/1", "json_parse": "t_json_parse/1",
    # URLs
    "url_decode": "url_decode/1", "url_encode": "url_encode/1", "url_extract_fragment": "t_url_extract_fragment/1",
    "url_extract_host": "t_url_extract_host/1", "url_extract_parameter": "t_url_extract_parameter/2",
    "url_extract_path": "t_url_extract_path/1", "url_extract_port": "t_url_extract_port/1",
    "url_extract_protocol": "t_url_extract_protocol/1", "url_extract_query": "t_url_extract_query/1",
    # arrays and maps
    "array_distinct": "t_array_distinct/1", "array_except": "t_array_except/2",
    "array_intersect": "t_array_intersect/2", "array_join": "t_array_join/2-3", "array_max": "t_array_max/1",
    "array_min": "t_array_min/1", "array_position": "t_array_position/2", "array_remove": "t_array_remove/2",
    "array_sort": "t_array_sort/1", "array_union": "t_array_union/2", "arrays_overlap": "t_arrays_overlap/2",
    "contains": "t_contains/2", "flatten": "flatten/1", "map": "t_map/0-2",
    "map_entries": "t_map_entries/1", "map_from_entries": "map_from_entries/1",
    "map_keys": "map_keys/1", "map_values": "map_values/1", "repeat": "t_repeat/2", "row": "row/1+",
    "slice": "t_slice/3",
}  # fmt: skip

_AGGREGATES = {
    "any_value": "any_value/1", "arbitrary": "any_value/1",
    "array_agg": "list/1", "avg": "avg/1",
    "bitwise_and_agg": "bit_and/1", "bitwise_or_agg": "bit_or/1", "bitwise_xor_agg": "bit_xor/1",
    "bool_and": "bool_and/1", "bool_or": "bool_or/1", "corr": "corr/2", "count": "count/0-1", "count_if": "count_if/1",
    "covar_pop": "covar_pop/2", "covar_samp": "covar_samp/2", "every": "bool_and/1",
    "geometric_mean": "geomean/1", "grouping": "grouping/1+", "histogram": "histogram/1", "kurtosis": "kurtosis/1",
    "regr_intercept": "regr_intercept/2",
    "regr_slope": "regr_slope/2", "skewness": "skewness/1", "stddev": "stddev_samp/1",
    "stddev_pop": "stddev_pop/1", "stddev_samp": "stddev_samp/1", "sum": "sum/1", "var_pop": "var_pop/1",
    "var_samp": "var_samp/1", "variance": "var_samp/1",
}  # fmt: skip

_WINDOWS = {
    "cume_dist": "cume_dist/0", "dense_rank": "dense_rank/0", "first_value": "first_value/1", "lag": "lag/1-3",
    "last_value": "last_value/1", "lead": "lead/1-3", "nth_value": "nth_value/2", "ntile": "ntile/1",
    "percent_rank": "percent_rank/0", "rank": "rank/0", "row_number": "row_number/0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Function:
    """`target` takes the same arguments, from `least` to `most` of them."""

    target: str
    least: int
    most: int

    @classmethod
    def of(cls, entry: str) -> "Function":
        target, _, count = entry.partition("/")
        least, _, most = count.partition("-")
        if count.endswith("+"):
            return cls(target, int(count[:-1]), 255)
        return cls(target, int(least), int(most or least))


_EVERY = _SCALARS | binary.FUNCTIONS | reference.FUNCTIONS | _AGGREGATES | reference.AGGREGATES | _WINDOWS
FUNCTIONS = {name: Function.of(entry) for name, entry in _EVERY.items()}
VOLATILE = frozenset({"t_random", "t_shuffle", "uuid"})

# Functions that Trino has for other numbers of arguments, too.
PARTLY = frozenset({"split_to_map"})

# Functions of Trino that are not answered here: refused as unsupported; any other name is not a function at all.
# trino.io/docs/current/functions/list.html
UNSUPPORTED = frozenset(
    """
    approx_set beta_cdf bing_tile bing_tile_at char2hexint checksum convex_hull_agg
    current_catalog current_groups current_schema current_user
    empty_approx_set evaluate_classifier_predictions features from_encoded_polyline
    from_geojson_geometry from_iso8601_timestamp_nanos from_unixtime_nanos
    geometry_from_hadoop_shape geometry_to_bing_tiles geometry_union great_circle_distance hash_counts hmac_sha512
    index intersection_cardinality inverse_beta_cdf inverse_normal_cdf jaccard_index
    learn_classifier learn_libsvm_classifier learn_libsvm_regressor learn_regressor make_set_digest merge
    merge_set_digest murmur3 normal_cdf objectid_timestamp
    qdigest_agg quantile_at_value render rgb sha512 simplify_geometry spooky_hash_v2_32 spooky_hash_v2_64 st_area
    st_asbinary st_astext st_boundary st_buffer st_centroid st_contains st_convexhull st_difference st_disjoint
    st_distance st_equals st_geometryfromtext st_intersection st_intersects st_length st_point st_polygon st_within
    st_x st_y tdigest_agg timestamp_objectid to_char to_date to_encoded_polyline to_geojson_geometry
    to_geometry to_spherical_geography to_timestamp value_at_quantile values_at_quantiles
    version word_stem xxhash64
    """.split()  # noqa: SIM905 - one name a line would be pages
)
