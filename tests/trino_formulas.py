"""SQL expressions over the columns of a table, and what each must be worth, row by row.

FORMULAS    the expressions; they stand in TRY(), which makes NULL where Trino fails
COLUMNS     of the table: name -> Hive's type; DUCKDB has the other types' names
ROWS        strategy of its rows
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from hypothesis import strategies as st

from trino_model import (
    Refused,
    array_position,
    arrays_overlap,
    between,
    bigint,
    bigint_of_text,
    concat_ws,
    contains,
    date_add,
    date_diff,
    date_trunc,
    days,
    distinct,
    divide,
    element_at,
    equal,
    extreme,
    greatest,
    is_json_scalar,
    java_double,
    json_array_contains,
    json_array_length,
    json_extract,
    json_extract_scalar,
    json_size,
    key,
    least,
    like,
    longest,
    match,
    moment,
    pad,
    refuse,
    regexp_extract,
    regexp_extract_all,
    regexp_like,
    regexp_position,
    regexp_replace,
    regexp_split,
    remainder,
    replace,
    sequence,
    slice_,
    sorted_,
    split,
    split_part,
    subscript,
    substr,
    text,
    to_bigint,
    to_integer,
)

Row = dict[str, Any]

# Columns

COLUMNS = {
    "number": "int", "i": "bigint", "j": "bigint", "n": "int", "big": "bigint", "d": "double", "g": "double", "s": "string",
    "z": "string", "p": "string", "r": "string", "js": "string", "dt": "date", "du": "date", "ts": "timestamp",
    "tu": "timestamp", "l": "array<int>", "o": "array<int>", "m": "map<string,int>", "q": "boolean",
}  # fmt: skip

DUCKDB = {"string": "VARCHAR", "array<int>": "INTEGER[]", "map<string,int>": "MAP(VARCHAR, INTEGER)"}

LETTERS = "ab1 A.é-,ß😀\u0301"
TEXTS = st.text(LETTERS, max_size=8)
SMALL = st.integers(-5, 5)
DATES = st.dates(date(1890, 1, 1), date(2110, 12, 31)) | st.sampled_from(
    [date(2020, 2, 29), date(2021, 2, 28), date(2021, 1, 31), date(2020, 12, 31), date(1969, 12, 31)]
)
MOMENTS = st.builds(
    lambda d, ms: datetime.combine(d, time()) + timedelta(milliseconds=ms), DATES, st.integers(0, 86_399_999)
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False, width=64) | st.integers(-2000, 2000).map(lambda n: n / 8)
ARRAYS = st.lists(st.none() | SMALL, max_size=5)
MAPS = st.dictionaries(st.sampled_from(["a", "b", "é"]), st.none() | SMALL, max_size=3)

_ATOMS = st.sampled_from(["a", "b", "1", " ", ".", "[ab]", "[^a]", r"\d", r"\w", r"\.", "(a|b)", "(ab)", "(1+)", "é"])
_PIECES = st.builds(lambda atom, many: atom + many, _ATOMS, st.sampled_from(["", "", "", "*", "+", "?", "{1,2}", "+?"]))
PATTERNS = st.builds(
    lambda before, pieces, after: before + "".join(pieces) + after,
    st.sampled_from(["", "", "", "^"]), st.lists(_PIECES, min_size=1, max_size=3), st.sampled_from(["", "", "", "$", "|b"]),
)  # fmt: skip
_SCALARS = st.none() | st.booleans() | SMALL | st.sampled_from([1.5, -0.25]) | st.sampled_from(["", "a", 'q"é', "1\n"])
_NAMES = st.sampled_from(["a", "b", "a b", "é"])
JSON = st.recursive(_SCALARS, lambda v: st.lists(v, max_size=3) | st.dictionaries(_NAMES, v, max_size=3), max_leaves=6)
JSON_TEXTS = JSON.map(json.dumps) | JSON.map(lambda v: json.dumps(v, ensure_ascii=False, separators=(" , ", " : ")))

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "i": SMALL, "j": SMALL, "n": SMALL, "big": st.integers(-(2**63), 2**63 - 1) | SMALL, "d": FLOATS, "g": FLOATS,
    "s": TEXTS, "z": st.text(LETTERS, max_size=2), "p": PATTERNS, "r": st.sampled_from(["", "x", "[$0]", "<é>"]),
    "js": JSON_TEXTS | st.sampled_from(["", "{", "nope", '{"a" 1}', "[1,"]), "dt": DATES, "du": DATES, "ts": MOMENTS,
    "tu": MOMENTS, "l": ARRAYS, "o": ARRAYS, "m": MAPS, "q": st.booleans(),
}  # fmt: skip
ROWS = st.lists(
    st.fixed_dictionaries({n: st.one_of(v, v, v, v, v, v, st.none()) for n, v in _VALUES.items()}),
    min_size=1, max_size=12,
)  # fmt: skip


# The table


@dataclass(frozen=True, slots=True)
class Formula:
    """`worth` gets the values of `columns`; with `lax` it is asked for NULLs, too."""

    sql: str
    columns: tuple[str, ...]
    worth: Callable[..., Any]
    lax: bool = False

    def of(self, row: Row) -> str | None:
        values = [row[c] for c in self.columns]
        if not self.lax and None in values:
            return None
        try:
            return text(self.worth(*values))
        except Refused:
            return None


def _f(sql: str, columns: str, worth: Callable[..., Any], lax: bool = False) -> Formula:
    return Formula(sql, tuple(columns.split()), worth, lax)


def _plus(x: int | None, y: int) -> int | None:
    return None if x is None else x + y


NUMBERS = [
    _f("i / j", "i j", divide),
    _f("big / j", "big j", divide),
    _f("i % j", "i j", remainder),
    _f("mod(big, i)", "big i", remainder),
    _f("n / 2", "n", lambda n: divide(n, 2)),
    _f("n / CAST(2 AS double)", "n", lambda n: n / 2),
    _f("big + i", "big i", lambda a, b: bigint(a + b)),
    _f("big * i", "big i", lambda a, b: bigint(a * b)),
    _f("-big", "big", lambda a: bigint(-a)),
    _f("abs(big)", "big", lambda a: bigint(abs(a))),
    _f("CAST(d AS bigint)", "d", to_bigint),
    _f("CAST(d AS integer)", "d", to_integer),
    _f("CAST(big AS integer)", "big", to_integer),
    _f("CAST(s AS bigint)", "s", bigint_of_text),
    _f("TRY_CAST(s AS bigint)", "s", bigint_of_text),
    _f("CAST(d AS varchar)", "d", java_double),
    _f("CAST(big AS varchar)", "big", str),
    _f("CAST(q AS varchar)", "q", lambda q: "true" if q else "false"),
    _f("d", "d", lambda d: d),
    _f("floor(d)", "d", lambda d: float(math.floor(d))),
    _f("ceil(d)", "d", lambda d: math.copysign(float(math.ceil(d)), d)),
    _f("truncate(d)", "d", lambda d: math.copysign(float(math.trunc(d)), d)),
    _f("sign(i)", "i", lambda i: (i > 0) - (i < 0)),
    _f("bitwise_and(i, j)", "i j", lambda a, b: a & b),
    _f("bitwise_xor(i, j)", "i j", lambda a, b: a ^ b),
    _f("bitwise_not(i)", "i", lambda a: ~a),
    _f("greatest(i, j, 0)", "i j", lambda a, b: greatest(a, b, 0), lax=True),
    _f("least(d, g)", "d g", least, lax=True),
    _f("greatest(s, z)", "s z", lambda a, b: max(a, b, key=str.encode)),
    _f("coalesce(i, j, 0)", "i j", lambda a, b: a if a is not None else b if b is not None else 0, lax=True),
    _f("nullif(i, j)", "i j", lambda a, b: None if a == b else a, lax=True),
    _f("IF(i > 0, j)", "i j", lambda a, b: b if a is not None and a > 0 else None, lax=True),
    _f("i IS DISTINCT FROM j", "i j", lambda a, b: a != b, lax=True),
    _f("d < g", "d g", lambda a, b: a < b),
    _f("i BETWEEN j AND n", "i j n", between, lax=True),
    _f("from_base(CAST(abs(i) AS varchar), 8)", "i", lambda i: int(str(abs(i)), 8)),
    _f("to_base(abs(i) + 30, 16)", "i", lambda i: f"{abs(i) + 30:x}"),
]

STRINGS = [
    _f("length(s)", "s", len),
    _f("substr(s, i)", "s i", substr),
    _f("substr(s, i, j)", "s i j", substr),
    _f("substring(s FROM n)", "s n", substr),
    _f("split_part(s, z, i)", "s z i", split_part),
    _f("split_part(s, 'a', i)", "s i", lambda s, i: split_part(s, "a", i)),
    _f("split(s, z)", "s z", split),
    _f("strpos(s, z)", "s z", lambda s, z: s.find(z) + 1),
    _f("position(z IN s)", "s z", lambda s, z: s.find(z) + 1),
    _f("replace(s, z)", "s z", lambda s, z: replace(s, z, "")),
    _f("replace(s, 'a', z)", "s z", lambda s, z: replace(s, "a", z)),
    _f("lpad(s, i, z)", "s i z", lambda s, i, z: pad(s, i, z, True)),
    _f("rpad(s, i + 5, z)", "s i z", lambda s, i, z: pad(s, i + 5, z, False)),
    _f("reverse(s)", "s", lambda s: s[::-1]),
    _f("s || z", "s z", lambda s, z: s + z),
    _f("concat(s, '-', z)", "s z", lambda s, z: f"{s}-{z}"),
    _f("concat_ws('-', s, z)", "s z", lambda s, z: concat_ws("-", s, z), lax=True),
    _f("concat_ws(z, s, s)", "z s", lambda z, s: concat_ws(z, s, s), lax=True),
    _f("upper(s)", "s", lambda s: "".join(c if c == "ß" else c.upper() for c in s)),
    _f("lower(s)", "s", str.lower),
    _f("trim(s)", "s", lambda s: s.strip(" ")),
    _f("ltrim(s)", "s", lambda s: s.lstrip(" ")),
    _f("rtrim(s)", "s", lambda s: s.rstrip(" ")),
    _f("trim(BOTH 'a' FROM s)", "s", lambda s: s.strip("a")),
    _f("starts_with(s, z)", "s z", str.startswith),
    _f("s LIKE '%a_'", "s", lambda s: like(s, "%a_")),
    _f("s LIKE z", "s z", like),
    _f("s < z", "s z", lambda a, b: a.encode() < b.encode()),
    _f("translate(s, 'ab', 'x')", "s", lambda s: s.translate(str.maketrans({"a": "x", "b": None}))),
    _f("CAST(s AS varchar(3))", "s", lambda s: s[:3]),
    _f("to_hex(to_utf8(s))", "s", lambda s: s.encode().hex().upper()),
    _f("from_utf8(to_utf8(s))", "s", lambda s: s),
    _f("to_utf8(s)", "s", lambda s: s.encode().hex(" ")),
    _f("codepoint(CAST(substr(s, 1, 1) AS varchar(1)))", "s", lambda s: ord(s[0]) if s else refuse()),
    _f("chr(i)", "i", lambda i: chr(i) if i > 0 else "\0" if i == 0 else refuse()),
]

_GROUPS = [(r"(\d+)", 1), ("a(b)?", 1), ("(a|b)+1", 1), (r"^([^-]*)-(\w)", 2), ("(a)|(b)", 2), ("((?:a|é)b?) ?", 1)]


def _group(function: Callable[..., Any], pattern: str, group: int) -> Callable[[str], Any]:
    return lambda s: function(s, pattern, group)


REGEXPS = [
    _f("regexp_like(s, p)", "s p", regexp_like),
    _f("regexp_extract(s, p)", "s p", regexp_extract),
    _f("regexp_extract_all(s, p)", "s p", regexp_extract_all),
    *(
        _f(f"{name}(s, '{p}', {g})", "s", _group(function, p, g))
        for p, g in _GROUPS
        for name, function in (("regexp_extract", regexp_extract), ("regexp_extract_all", regexp_extract_all))
    ),
    _f("regexp_count(s, p)", "s p", lambda s, p: len(regexp_extract_all(s, p))),
    _f("regexp_position(s, p)", "s p", regexp_position),
    _f("regexp_replace(s, p)", "s p", regexp_replace),
    _f("regexp_replace(s, p, r)", "s p r", regexp_replace),
    _f("regexp_split(s, p)", "s p", regexp_split),
]

_PATHS: list[tuple[str, tuple[str | int, ...]]] = [
    ("$", ()), ("$.a", ("a",)), ("$.a.b", ("a", "b")), ("$[0]", (0,)), ("$.a[1]", ("a", 1)), ('$["a b"]', ("a b",)),
    ("$.b[0].a", ("b", 0, "a")), ("$[1][0]", (1, 0)),
]  # fmt: skip


def _at_path(function: Callable[..., Any], path: tuple[str | int, ...]) -> Callable[[str], Any]:
    return lambda s: function(s, *path)


JSONS = [
    *(_f(f"{name}(js, '{path}')", "js", _at_path(function, steps))
      for path, steps in _PATHS
      for name, function in (("json_extract_scalar", json_extract_scalar), ("json_extract", json_extract),
                             ("json_size", json_size))),
    _f("json_array_length(js)", "js", json_array_length),
    _f("json_array_contains(js, i)", "js i", json_array_contains),
    _f("is_json_scalar(js)", "js", is_json_scalar),
]  # fmt: skip

_UNITS = ("day", "week", "month", "quarter", "year")
DATES_ = [
    *(_f(f"date_diff('{u}', dt, du)", "dt du", lambda a, b, u=u: date_diff(u, a, b)) for u in _UNITS),
    *(_f(f"date_diff('{u}', ts, tu)", "ts tu", lambda a, b, u=u: date_diff(u, a, b))
      for u in ("millisecond", "second", "minute", "hour", *_UNITS)),
    *(_f(f"date_add('{u}', i, dt)", "i dt", lambda n, x, u=u: date_add(u, n, x)) for u in _UNITS),
    *(_f(f"date_add('{u}', i, ts)", "i ts", lambda n, x, u=u: date_add(u, n, x))
      for u in ("millisecond", "second", "minute", "hour", *_UNITS)),
    *(_f(f"date_trunc('{u}', dt)", "dt", lambda x, u=u: date_trunc(u, x)) for u in _UNITS),
    *(_f(f"date_trunc('{u}', ts)", "ts", lambda x, u=u: date_trunc(u, x))
      for u in ("second", "minute", "hour", *_UNITS)),
    _f("dt + INTERVAL '1' MONTH", "dt", lambda x: date_add("month", 1, x)),
    _f("ts - INTERVAL '36' HOUR", "ts", lambda x: date_add("hour", -36, x)),
    _f("day_of_week(dt)", "dt", date.isoweekday),
    _f("day_of_year(ts)", "ts", lambda x: x.timetuple().tm_yday),
    _f("week(dt)", "dt", lambda x: x.isocalendar()[1]),
    _f("year_of_week(dt)", "dt", lambda x: x.isocalendar()[0]),
    _f("EXTRACT(QUARTER FROM dt)", "dt", lambda x: (x.month - 1) // 3 + 1),
    _f("millisecond(ts)", "ts", lambda x: x.microsecond // 1000),
    _f("last_day_of_month(dt)", "dt", lambda x: x.replace(day=days(x.year, x.month))),
    _f("CAST(ts AS date)", "ts", datetime.date),
    _f("CAST(dt AS timestamp)", "dt", moment),
    _f("dt < CAST(tu AS date)", "dt tu", lambda a, b: a < b.date()),
    _f("CAST(ts AS varchar)", "ts", lambda x: x),
    _f("date_format(ts, '%Y/%m/%d %H:%i:%s')", "ts", lambda x: x.strftime("%Y/%m/%d %H:%M:%S")),
    _f("format_datetime(ts, 'yyyy-MM-dd HH:mm')", "ts", lambda x: x.strftime("%Y-%m-%d %H:%M")),
    _f("date_parse(date_format(ts, '%Y-%m-%d %H:%i:%s'), '%Y-%m-%d %H:%i:%s')", "ts", lambda x: x.replace(microsecond=0)),
    _f("to_unixtime(ts)", "ts", lambda x: (x - datetime.combine(date(1970, 1, 1), time())) / timedelta(seconds=1)),
]  # fmt: skip

COLLECTIONS = [
    _f("element_at(l, i)", "l i", element_at),
    _f("element_at(l, n)", "l n", element_at),
    _f("l[i]", "l i", subscript),
    _f("l[2]", "l", lambda v: subscript(v, 2)),
    _f("element_at(m, z)", "m z", lambda m, z: m.get(z)),
    _f("element_at(m, 'a')", "m", lambda m: m.get("a")),
    _f("m[z]", "m z", key),
    _f("m['a']", "m", lambda m: key(m, "a")),
    _f("cardinality(l)", "l", len),
    _f("cardinality(m)", "m", len),
    _f("slice(l, i, j)", "l i j", slice_),
    _f("l || o", "l o", lambda a, b: a + b),
    _f("array_position(l, i)", "l i", array_position),
    _f("array_remove(l, i)", "l i", lambda v, x: [e for e in v if e != x]),
    _f("array_distinct(l)", "l", distinct),
    _f("array_sort(l)", "l", sorted_),
    _f("array_max(l)", "l", extreme(max)),
    _f("array_min(l)", "l", extreme(min)),
    _f("contains(l, i)", "l i", contains),
    _f("array_join(l, '-')", "l", lambda v: "-".join(str(e) for e in v if e is not None)),
    _f("array_join(l, z, '?')", "l z", lambda v, z: z.join("?" if e is None else str(e) for e in v)),
    _f("arrays_overlap(l, o)", "l o", arrays_overlap),
    _f("array_sort(array_union(l, o))", "l o", lambda a, b: sorted_(distinct(a + b))),
    _f("array_sort(array_intersect(l, o))", "l o", lambda a, b: sorted_(distinct([e for e in a if e in b]))),
    _f("array_sort(array_except(l, o))", "l o", lambda a, b: sorted_(distinct([e for e in a if e not in b]))),
    _f("reverse(l)", "l", lambda v: v[::-1]),
    _f("transform(l, x -> x + 1)", "l", lambda v: [_plus(e, 1) for e in v]),
    _f("transform(l, x -> coalesce(x, i))", "l i", lambda v, i: v and [i if e is None else e for e in v], lax=True),
    _f("filter(l, x -> x > i)", "l i",
       lambda v, i: v and [e for e in v if None not in (e, i) and e > i], lax=True),
    _f("any_match(l, x -> x > 0)", "l", lambda v: match(v, lambda e: None if e is None else e > 0, False)),
    _f("all_match(l, x -> x > 0)", "l", lambda v: match(v, lambda e: None if e is None else e > 0, True)),
    _f("none_match(l, x -> x IS NULL)", "l", lambda v: None not in v),
    _f("reduce(l, 0, (a, x) -> a + coalesce(x, 0), a -> a * 2)", "l", lambda v: 2 * sum(e or 0 for e in v)),
    _f("zip_with(l, o, (x, y) -> coalesce(x, 0) - coalesce(y, 0))", "l o",
       lambda a, b: [(x or 0) - (y or 0) for x, y in longest(a, b)]),
    _f("sequence(i, j)", "i j", sequence),
    _f("repeat(i, abs(n))", "i n", lambda i, n: None if n is None else [i] * abs(n), lax=True),
    _f("flatten(ARRAY[l, o])", "l o", lambda a, b: (a or []) + (b or []), lax=True),
    _f("trim_array(l, abs(n))", "l n", lambda v, n: v[: len(v) - abs(n)] if abs(n) <= len(v) else refuse()),
    _f("array_sort(map_keys(m))", "m", lambda m: sorted(m, key=str.encode)),
    _f("array_sort(map_values(m))", "m", lambda m: sorted_(list(m.values()))),
    _f("map_filter(m, (k, v) -> v > 0)['a']", "m", lambda m: m["a"] if (m.get("a") or 0) > 0 else refuse()),
    _f("transform_values(m, (k, v) -> v * 2)['a']", "m", lambda m: None if key(m, "a") is None else m["a"] * 2),
    _f("map_concat(m, MAP(ARRAY['a'], ARRAY[9]))['a']", "m", lambda _: 9),
    _f("ARRAY[i, j] = ARRAY[j, i]", "i j", lambda a, b: equal([a, b], [b, a]), lax=True),
    _f("l = o", "l o", equal),
    _f("l <> o", "l o", lambda a, b: None if equal(a, b) is None else not equal(a, b)),
    _f("l IS DISTINCT FROM o", "l o", lambda a, b: a != b, lax=True),
    _f("ROW(i, j) = ROW(j, n)", "i j n", lambda i, j, n: equal([i, j], [j, n]), lax=True),
    _f("contains(ARRAY[j, n], i)", "j n i", lambda j, n, i: None if i is None else contains([j, n], i), lax=True),
    _f("i IN (j, n)", "j n i", lambda j, n, i: None if i is None else contains([j, n], i), lax=True),
]  # fmt: skip

FORMULAS = NUMBERS + STRINGS + REGEXPS + JSONS + DATES_ + COLLECTIONS
