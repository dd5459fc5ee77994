"""Random SELECTs, each in Trino's words and in DuckDB's: where both mean the same, with DuckDB's spelling.

QUERIES  strategy of queries over the tables `t` and `u`
TABLES   strategy of their rows; both have COLUMNS

Doubles are multiples of 1/8, so that sums are exact in any order; what an ORDER BY or a window depends on is unique.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from trino_formulas import ARRAYS, DATES, LETTERS, MOMENTS, Row

# name -> (kind, Hive's type, DuckDB's)
COLUMNS = {
    "id": ("int", "bigint", "BIGINT"), "k": ("int", "int", "INTEGER"), "big": ("big", "bigint", "BIGINT"),
    "d": ("double", "double", "DOUBLE"), "s": ("text", "string", "VARCHAR"), "f": ("bool", "boolean", "BOOLEAN"),
    "dt": ("date", "date", "DATE"), "ts": ("moment", "timestamp", "TIMESTAMP"), "l": ("array", "array<int>", "INTEGER[]"),
    "c": ("decimal", "decimal(10,2)", "DECIMAL(10, 2)"),
}  # fmt: skip
_TEXTS = st.text(LETTERS.replace("ß", ""), max_size=4)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-3, 3), "big": st.integers(-(2**62), 2**62) | st.integers(-3, 3),
    "double": st.integers(-160, 160).map(lambda n: n / 8), "text": _TEXTS, "bool": st.booleans(), "date": DATES,
    "moment": MOMENTS, "array": ARRAYS, "decimal": st.decimals(-999, 999, places=2),
}  # fmt: skip
_ROW = st.fixed_dictionaries(
    {name: st.one_of(*[_VALUES[kind]] * 5, st.none()) for name, (kind, *_) in COLUMNS.items() if name != "id"}
)
TABLES: st.SearchStrategy[list[Row]] = st.lists(_ROW, max_size=8).map(
    lambda rows: [row | {"id": n} for n, row in enumerate(rows)]
)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing in both dialects."""

    trino: str
    duck: str

    @staticmethod
    def join(separator: str, parts: Sequence["Said"]) -> "Said":
        return Said(separator.join(p.trino for p in parts), separator.join(p.duck for p in parts))


def both(template: str, *parts: Said, duck: str = "") -> Said:
    return Said(template.format(*(p.trino for p in parts)), (duck or template).format(*(p.duck for p in parts)))


@dataclass(frozen=True, slots=True)
class Query:
    said: Said
    kinds: tuple[str, ...]
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """FROM ...: its columns by name, and those that tell its rows apart."""

    said: Said
    columns: dict[str, str]
    unique: tuple[str, ...]


# kind -> (Trino, DuckDB or "" if it is the same, kinds of the arguments)
_MADE: dict[str, list[tuple[str, str, str]]] = {
    "int": [
        ("({0} + {1})", "", "int int"), ("({0} - {1})", "", "int int"), ("({0} * 2)", "", "int"),
        ("({0} / 3)", "({0} // 3)", "int"), ("({0} % 3)", "", "int"), ("abs({0})", "", "int"), ("(-{0})", "", "int"),
        ("length({0})", "", "text"), ("cardinality({0})", "len({0})", "array"), ("strpos({0}, {1})", "", "text text"),
        ("coalesce({0}, {1})", "", "int int"), ("nullif({0}, {1})", "", "int int"), ("year({0})", "", "moment"),
        ("CASE WHEN {0} THEN {1} ELSE {2} END", "", "bool int int"), ("day_of_week({0})", "isodow({0})", "date"),
        ("CASE {0} WHEN {1} THEN {2} END", "", "text text int"), ("IF({0}, {1})", "CASE WHEN {0} THEN {1} END", "bool int"),
        ("date_diff('day', {0}, {1})", "date_sub('day', {0}, {1})", "date date"), ("EXTRACT(MONTH FROM {0})", "", "date"),
        ("(SELECT max(w.k) FROM u AS w WHERE w.id <= {0})", "", "int"), ("(SELECT count(*) FROM t AS w WHERE w.k = {0})", "", "int"),
        ("cardinality(filter({0}, e -> e > 0))", "len(list_filter({0}, lambda e: e > 0))", "array"),
    ],
    "big": [("coalesce({0}, {1})", "", "big big"), ("CASE WHEN {0} THEN {1} END", "", "bool big")],
    "double": [
        ("({0} + {1})", "", "double double"), ("({0} - {1})", "", "double double"), ("({0} / 4e0)", "", "double"),
        ("({0} * {1})", "", "double int"), ("CAST({0} AS double)", "", "int"), ("abs({0})", "", "double"),
        ("coalesce({0}, {1})", "", "double double"), ("TRY_CAST({0} AS double)", "", "decimal"),
    ],
    "text": [
        ("({0} || {1})", "", "text text"), ("concat({0}, {1})", "({0} || {1})", "text text"), ("lower({0})", "", "text"),
        ("substr({0}, 2)", "", "text"), ("substr({0}, 1, 2)", "", "text"), ("replace({0}, 'a', {1})", "", "text text"),
        ("trim({0})", "", "text"), ("CAST({0} AS varchar)", "", "int"), ("CAST({0} AS varchar)", "", "date"),
        ("coalesce({0}, {1})", "", "text text"), ("CASE WHEN {0} THEN {1} ELSE {2} END", "", "bool text text"),
        ("lpad({0}, 3, 'x')", "", "text"),
    ],
    "bool": [
        ("({0} = {1})", "", "int int"), ("({0} < {1})", "", "int int"), ("({0} >= {1})", "", "big big"),
        ("({0} <> {1})", "", "text text"), ("({0} < {1})", "", "text text"), ("({0} <= {1})", "", "date date"),
        ("({0} > {1})", "", "moment moment"), ("({0} < {1})", "", "double double"), ("({0} > {1})", "", "decimal decimal"),
        ("({0} < {1})", "", "date moment"), ("({0} < {1})", "", "int double"), ("({0} < {1})", "", "decimal double"),
        ("({0} AND {1})", "", "bool bool"), ("({0} OR {1})", "", "bool bool"), ("(NOT {0})", "", "bool"),
        ("({0} IS NULL)", "", "text"), ("({0} IS NOT NULL)", "", "array"), ("({0} IS NULL)", "", "bool"),
        ("({0} IS DISTINCT FROM {1})", "", "text text"), ("({0} BETWEEN {1} AND {2})", "", "int int int"),
        ("({0} IN ({1}, {2}))", "", "text text text"), ("({0} NOT IN ({1}, 1))", "", "int int"), ("({0} LIKE 'a%')", "", "text"),
        ("({0} LIKE '%_.%' ESCAPE '\\')", "", "text"), ("({0} IN (SELECT w.k FROM u AS w))", "", "int"),
        ("({0} NOT IN (SELECT w.s FROM t AS w WHERE w.s IS NOT NULL))", "", "text"),
        ("EXISTS (SELECT 1 FROM u AS w WHERE w.k = {0})", "", "int"), ("regexp_like({0}, '^a')", "regexp_matches({0}, '^a')", "text"),
        ("({0} > ALL (SELECT w.k FROM u AS w))", "", "int"), ("({0} = ANY (SELECT w.s FROM t AS w))", "", "text"),
    ],
    "date": [
        ("({0} + INTERVAL '3' DAY)", "CAST({0} + INTERVAL '3' DAY AS DATE)", "date"), ("CAST({0} AS date)", "", "moment"),
        ("date_trunc('month', {0})", "CAST(date_trunc('month', {0}) AS DATE)", "date"), ("coalesce({0}, {1})", "", "date date"),
        ("date_add('month', {0}, {1})", "CAST({1} + to_months(CAST({0} AS INTEGER)) AS DATE)", "int date"),
    ],
    "moment": [
        ("({0} + INTERVAL '90' MINUTE)", "", "moment"), ("date_trunc('hour', {0})", "", "moment"),
        ("CAST({0} AS timestamp)", "", "date"), ("date_add('hour', {0}, {1})", "({1} + to_hours(CAST({0} AS INTEGER)))", "int moment"),
    ],
    "array": [
        ("({0} || {1})", "", "array array"), ("transform({0}, e -> e + 1)", "list_transform({0}, lambda e: e + 1)", "array"),
        ("filter({0}, e -> e > 0)", "list_filter({0}, lambda e: e > 0)", "array"), ("slice({0}, 1, 2)", "{0}[1:2]", "array"),
    ],
    "decimal": [("coalesce({0}, {1})", "", "decimal decimal"), ("({0} + {1})", "", "decimal decimal"), ("(-{0})", "", "decimal")],
}  # fmt: skip

# (kind of the result or "" for the argument's, Trino, DuckDB, kind of the argument or "" for any that has an order)
_AGGREGATES = [
    ("int", "count({0})", "", ""), ("int", "count(DISTINCT {0})", "", ""), ("int", "sum({0})", "", "int"),
    ("double", "sum({0})", "", "double"), ("decimal", "sum({0})", "", "decimal"), ("", "min({0})", "", ""),
    ("", "max({0})", "", ""), ("double", "avg({0})", "", "double"), ("double", "avg({0})", "", "int"),
    ("bool", "bool_and({0})", "", "bool"), ("bool", "every({0})", "bool_and({0})", "bool"), ("int", "count_if({0})", "", "bool"),
    ("array", "array_agg({0} ORDER BY {0})", "list({0} ORDER BY {0} NULLS LAST)", "int"),
    ("array", "array_agg(DISTINCT {0} ORDER BY {0} DESC)", "list(DISTINCT {0} ORDER BY {0} DESC NULLS LAST)", "int"),
    ("text", "listagg({0}, '/') WITHIN GROUP (ORDER BY {0})", "string_agg({0}, '/' ORDER BY {0})", "text"),
    ("int", "arbitrary({0} * 0)", "any_value({0} * 0)", "int"), ("int", "bitwise_and_agg({0})", "bit_and({0})", "int"),
]  # fmt: skip
# the same, with OVER; {1} is an order that tells all rows apart
_WINDOWS = [
    ("int", "row_number() OVER ({partition} ORDER BY {1})", "", ""), ("int", "rank() OVER ({partition} ORDER BY {0})", "", ""),
    ("int", "dense_rank() OVER ({partition} ORDER BY {0} DESC)", "", ""), ("int", "ntile(3) OVER ({partition} ORDER BY {1})", "", ""),
    ("double", "percent_rank() OVER ({partition} ORDER BY {0})", "", ""), ("double", "cume_dist() OVER ({partition} ORDER BY {0})", "", ""),
    ("", "lag({0}) OVER ({partition} ORDER BY {1})", "", ""), ("", "lead({0}, 2) OVER ({partition} ORDER BY {1})", "", ""),
    ("", "lag({0}) IGNORE NULLS OVER ({partition} ORDER BY {1})", "lag({0} IGNORE NULLS) OVER ({partition} ORDER BY {1})", ""),
    ("", "first_value({0}) OVER ({partition} ORDER BY {1} {frame})", "", ""), ("", "last_value({0}) OVER ({partition} ORDER BY {1} {frame})", "", ""),
    ("", "nth_value({0}, 2) OVER ({partition} ORDER BY {1} {frame})", "", ""), ("", "max({0}) OVER ({partition} ORDER BY {1} {frame})", "", ""),
    ("int", "sum({0}) OVER ({partition} ORDER BY {0})", "", "int"), ("double", "sum({0}) OVER ({partition} ORDER BY {1} {frame})", "", "double"),
    ("int", "count({0}) OVER ({partition})", "", ""), ("int", "sum({0}) OVER (ORDER BY {0} RANGE BETWEEN 1 PRECEDING AND 2 FOLLOWING)", "", "int"),
]  # fmt: skip
_FRAMES = ["", "ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
           "ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING", "ROWS BETWEEN 3 PRECEDING AND 2 PRECEDING"]  # fmt: skip
_ORDERED = tuple(kind for kind in _MADE if kind != "array")
_EVERY = tuple(_MADE)


def literal(kind: str, value: Any) -> Said:
    quoted = "'" + str(value).replace("'", "''") + "'"
    if kind == "array":
        items = ", ".join("NULL" if v is None else str(v) for v in value)
        return Said(f"CAST(ARRAY[{items}] AS array(integer))", f"CAST([{items}] AS INTEGER[])")
    if kind in {"int", "bool"}:
        return both(str(value).lower() if kind == "bool" or value >= 0 else f"({value})")
    words = {
        "big": "CAST({0} AS bigint)", "double": "CAST({0} AS double)", "text": "{0}", "date": "DATE {0}",
        "moment": "TIMESTAMP {0}", "decimal": "CAST({0} AS decimal(10, 2))",
    }  # fmt: skip
    return both(words[kind].format(quoted))


class Writer:
    """Writes down what `draw` decides."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def one_of(self, things: Sequence[Any]) -> Any:
        return self._draw(st.sampled_from(things))

    def value(self, kind: str, source: Source, depth: int = 2) -> Said:
        names = [n for n, k in source.columns.items() if k == kind]
        if depth and self._draw(st.integers(0, 2)):
            trino, duck, arguments = self.one_of(_MADE[kind])
            return both(trino, *(self.value(a, source, depth - 1) for a in arguments.split()), duck=duck)
        if names and self._draw(st.integers(0, 4)):
            return both(self.one_of(names))
        return literal(kind, self._draw(_VALUES[kind]))

    def where(self, source: Source) -> Said:
        return both(" WHERE {0}", self.value("bool", source)) if self._draw(st.integers(0, 2)) == 0 else both("")

    # FROM

    def source(self) -> Source:
        forms = (self._table, self._joined, self._joined, self._using, self._unnested, self._derived)
        made: Source = self.one_of(forms)()
        return made

    def _table(self, table: str = "", alias: str = "a") -> Source:
        table = table or self.one_of("tu")
        columns = {f"{alias}.{name}": kind for name, (kind, *_) in COLUMNS.items()}
        return Source(both(f"{table} AS {alias}"), columns, (f"{alias}.id",))

    def _joined(self) -> Source:
        a, b = self._table(), self._table(alias="b")
        together = Source(a.said, a.columns | b.columns, a.unique + b.unique)
        kind = self.one_of(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
        on = both("") if kind == "CROSS JOIN" else both(" ON a.k = b.k")
        if kind == "LEFT JOIN" and self._draw(st.booleans()):  # Trino takes no correlated subquery there
            on = both(" ON a.k = b.k AND a.id <= b.id")
        if kind == "JOIN" and self._draw(st.booleans()):
            on = both(" ON a.k = b.k AND {0} <= {1}", self.value("int", a, 1), self.value("int", b, 1))
        return Source(both("{0} " + kind + " {1}{2}", a.said, b.said, on), together.columns, together.unique)

    def _using(self) -> Source:
        a, b = self._table(), self._table(alias="b")
        columns = {"k": "int"} | {n: kind for n, kind in (a.columns | b.columns).items() if not n.endswith(".k")}
        kind = self.one_of(["JOIN", "LEFT JOIN", "FULL JOIN"])
        return Source(both("{0} " + kind + " {1} USING (k)", a.said, b.said), columns, a.unique + b.unique)

    def _unnested(self) -> Source:
        a = self._table()
        columns = a.columns | {"w.e": "int", "w.n": "int"}
        duck = "{0} CROSS JOIN (SELECT unnest(a.l) AS e, unnest(range(1, len(a.l) + 1)) AS n) AS w"
        trino = "{0} CROSS JOIN UNNEST(a.l) WITH ORDINALITY AS w(e, n)"
        return Source(both(trino, a.said, duck=duck), columns, (*a.unique, "w.n"))

    def _derived(self) -> Source:
        inner = self._table(alias="i")
        kinds = [self.one_of(_EVERY) for _ in range(2)]
        values = [both(f"{{0}} AS v{n}", self.value(kind, inner)) for n, kind in enumerate(kinds)]
        chosen = Said.join(", ", [both("i.id"), *values])
        said = both("(SELECT {0} FROM {1}{2}) AS a", chosen, inner.said, self.where(inner))
        return Source(said, {"a.id": "int"} | {f"a.v{n}": kind for n, kind in enumerate(kinds)}, ("a.id",))

    # SELECT

    def query(self) -> Query:
        made: Query = self.one_of((self.plain, self.grouped, self.grouped, self.windows, self.together))()
        return made

    def plain(self, kinds: Sequence[str] = ()) -> Query:
        source = self.source()
        distinct = "DISTINCT " if not kinds and self._draw(st.integers(0, 3)) == 0 else ""
        allowed = _ORDERED if distinct else _EVERY
        kinds = kinds or [self.one_of(allowed) for _ in range(self._draw(st.integers(1, 5)))]
        chosen = Said.join(", ", [both(f"{{0}} AS c{n}", self.value(k, source)) for n, k in enumerate(kinds)])
        said = both("SELECT " + distinct + "{0} FROM {1}{2}", chosen, source.said, self.where(source))
        if "array" in kinds or self._draw(st.booleans()):
            return Query(said, tuple(kinds))
        return Query(self._in_order(said, len(kinds)), tuple(kinds), ordered=True)

    def _in_order(self, said: Said, width: int) -> Said:
        """By all columns, so that it doesn't matter which of equal rows LIMIT takes."""
        every = [self.one_of(["", " DESC", " NULLS FIRST", " DESC NULLS FIRST"]) for _ in range(width)]
        trino = ", ".join(f"{n}{how}" for n, how in enumerate(every, 1))
        duck = ", ".join(f"{n}{how if 'NULLS' in how else how + ' NULLS LAST'}" for n, how in enumerate(every, 1))
        end = self.one_of([("", ""), (" LIMIT 3", ""), (" OFFSET 1 LIMIT 2", " LIMIT 2 OFFSET 1"),
                           (" OFFSET 1 ROW FETCH FIRST 2 ROWS ONLY", " LIMIT 2 OFFSET 1")])  # fmt: skip
        return both("{0} ORDER BY {1}", said, Said(trino + end[0], duck + (end[1] or end[0])))

    def _aggregate(self, source: Source, group: str = "") -> tuple[Said, str]:
        result, trino, duck, argument = self.one_of(
            _AGGREGATES if not group else [a for a in _AGGREGATES if a[0] == group]
        )
        kind = argument or self.one_of(_ORDERED)
        said = both(trino, self.value(kind, source, 1), duck=duck)
        if self._draw(st.integers(0, 3)) == 0:
            said = both("{0} FILTER (WHERE {1})", said, self.value("bool", source, 1))
        return said, result or kind

    def grouped(self) -> Query:
        source = self.source()
        aggregates = [self._aggregate(source) for _ in range(self._draw(st.integers(1, 4)))]
        names = [n for n, kind in source.columns.items() if kind != "array"]
        sets = self.one_of(["", "", "ROLLUP ({0}, {1})", "CUBE ({0}, {1})", "GROUPING SETS (({0}), ({1}, {0}), ())"])
        if sets:
            keys = [self.one_of(names), self.one_of(names)]
            kinds = [source.columns[k] for k in keys]
            by = both(" GROUP BY " + sets.format(*keys))
            said = [both(k) for k in keys]
        else:
            kinds = [self.one_of(_ORDERED) for _ in range(self._draw(st.integers(0, 2)))]
            said = [self.value(k, source) for k in kinds]
            by = both(" GROUP BY " + ", ".join(str(n + 1) for n in range(len(kinds)))) if kinds else both("")
        chosen = Said.join(
            ", ", [both("{0} AS c" + str(n), x) for n, x in enumerate([*said, *(a for a, _ in aggregates)])]
        )
        text = both("SELECT {0} FROM {1}{2}{3}", chosen, source.said, self.where(source), by)
        if self._draw(st.booleans()):
            text = both("{0} HAVING {1} > 0", text, self._aggregate(source, "int")[0])
        return Query(text, (*kinds, *(k for _, k in aggregates)))

    def windows(self) -> Query:
        source = self.source()
        order = Said.join(", ", [Said(u, f"{u} NULLS LAST") for u in source.unique])
        chosen, kinds = [], []
        for n in range(self._draw(st.integers(1, 4))):
            result, trino, duck, argument = self.one_of(_WINDOWS)
            kind = argument or self.one_of(_ORDERED)
            value = self.value(kind, source, 1)
            partition = self.one_of(["", "PARTITION BY {2}"])
            words = {"partition": partition, "frame": self.one_of(_FRAMES)}
            filled = [
                t.replace("{partition}", partition).replace("{frame}", words["frame"]) for t in (trino, duck or trino)
            ]
            filled[1] = filled[1].replace("ORDER BY {0} DESC)", "ORDER BY {0} DESC NULLS LAST)")
            filled[1] = (
                filled[1]
                .replace("ORDER BY {0})", "ORDER BY {0} NULLS LAST)")
                .replace("{0} RANGE", "{0} NULLS LAST RANGE")
            )
            said = both(filled[0], value, order, self.value(self.one_of(("int", "text")), source, 1), duck=filled[1])
            chosen.append(both(f"{{0}} AS c{n}", said))
            kinds.append(result or kind)
        return Query(
            both("SELECT {0} FROM {1}{2}", Said.join(", ", chosen), source.said, self.where(source)), tuple(kinds)
        )

    def together(self) -> Query:
        kinds = tuple(self.one_of(_ORDERED) for _ in range(self._draw(st.integers(1, 3))))
        operator = self.one_of(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        parts = [both("({0})", self.plain(kinds).said) for _ in range(2)]
        if self._draw(st.booleans()):
            said = both("WITH x AS {0} SELECT * FROM x " + operator + " SELECT * FROM {1} AS y", *parts)
            return Query(said, kinds)
        return Query(both("{0} " + operator + " {1}", *parts), kinds)


QUERIES: st.SearchStrategy[Query] = st.composite(lambda draw: Writer(draw).query())()
