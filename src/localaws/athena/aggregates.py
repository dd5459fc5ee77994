"""Aggregates that are more than one call of DuckDB's: with a number of results, with weights, into maps.

What DuckDB has to aggregate is marked, so that FILTER and OVER behind the whole go to it. REWRITES and MACROS are in
the form of rewrites.py and macros.py, which add them to theirs. (trino.io/docs/current/functions/aggregate.html)
"""

from sqlglot import exp

from localaws.athena import arrays
from localaws.athena.calls import Arguments, Rewrite, call

_MARK = "aggregated"

MACROS = {
    # of all values of one key the last
    "t_map_union(l)": "CASE WHEN list_count(l) > 0 THEN list_reduce(list_filter(l, "
    "lambda t__m: t__m IS NOT NULL), lambda t__a, t__b: map_concat(t__a, t__b)) END",
    # The smallest value at which the weights, summed up in the values' order, are that part of their sum.
    "t_weighted(x, w)": "list_sort(list_transform(list_filter(list_zip(x, w), "
    "lambda t__p: t__p[1] IS NOT NULL AND t__p[2] IS NOT NULL), lambda t__q: {'x': t__q[1], 'w': CASE WHEN t__q[2] > 0 "
    "THEN CAST(t__q[2] AS DOUBLE) ELSE t_bad_double('percentile weight must be > 0') END}))",
    "t_at_weight(s, p)": "list_filter(s, lambda t__e, t__i: list_sum(list_transform(s[1:t__i], lambda t__f: t__f.w)) "
    ">= p * list_sum(list_transform(s, lambda t__g: t__g.w)))[1].x",
    "t_weighted_percentile(x, w, p)": "list_transform([t_weighted(x, w)], lambda t__s: t_at_weight(t__s, p))[1]",
    "t_weighted_percentiles(x, w, l)": "CASE WHEN list_count(x) > 0 THEN list_transform([t_weighted(x, w)], "
    "lambda t__s: list_transform(l, lambda t__p: t_at_weight(t__s, t__p)))[1] END",
    # of no key at all NULL
    "t_map_of(k, v)": "CASE WHEN list_count(k) > 0 THEN t_map_agg(k, v) END",
    "t_multimap_of(k, v)": "CASE WHEN list_count(k) > 0 THEN t_multimap(k, v) END",
    # The most frequent values with how often they are there: exactly, where Trino's counts may be too large.
    "t_most_frequent(m, n)": "map_from_entries(list_transform(list_slice(list_sort(list_transform(map_entries(m), "
    "lambda t__e, t__i: {'n': -CAST(t__e.value AS BIGINT), 'i': t__i, 'k': t__e.key})), 1, n), "
    "lambda t__s: {'k': t__s.k, 'v': -t__s.n}))",
    # io.trino.operator.aggregation.NumericHistogram: of the neighbours whose values' spread grows the least by it, two
    # become one, until there are no more than `n`. Of more than 4 n values those beside each other are put together
    # before, where Trino does that whenever a buffer is full: what is added up is exact, where it is parted may differ.
    "t_bucket(l)": "{'v': list_sum(list_transform(l, lambda t__e: t__e.v * t__e.w)) / "
    "list_sum(list_transform(l, lambda t__f: t__f.w)), 'w': list_sum(list_transform(l, lambda t__g: t__g.w))}",
    "t_weights(x, w)": "list_sort(list_transform(map_entries(t_multimap(x, w)), lambda t__m: "
    "{'v': t__m.key, 'w': list_sum(t__m.value)}))",
    "t_coarse(s, n)": "CASE WHEN len(s) <= 4 * n THEN s ELSE list_transform(range(0, 4 * n), lambda t__i: "
    "t_bucket(s[t__i * len(s) // (4 * n) + 1:(t__i + 1) * len(s) // (4 * n)])) END",
    "t_penalties(s)": "list_transform(range(1, len(s)), lambda t__i: (s[t__i].v - s[t__i + 1].v) * "
    "(s[t__i].v - s[t__i + 1].v) * s[t__i].w * s[t__i + 1].w / (s[t__i].w + s[t__i + 1].w))",
    "t_merged(s)": "list_transform([list_transform([t_penalties(s)], lambda t__p: "
    "list_position(t__p, list_min(t__p)))[1]], lambda t__k: list_concat(list_append(s[1:t__k - 1], "
    "t_bucket(s[t__k:t__k + 1])), s[t__k + 2:]))[1]",
    "t_numeric_histogram(x, w, n)": "CASE WHEN list_count(x) > 0 THEN "
    "list_transform([t_coarse(t_weights(x, w), CASE WHEN n < 2 "
    "THEN t_bad_bigint('numeric_histogram bucket count must be greater than one') ELSE n END)], lambda t__s: "
    "map_from_entries(list_transform(list_reduce(range(0, greatest(len(t__s) - n, 0)), "
    "lambda t__a, t__r: t_merged(t__a), t__s), lambda t__b: {'k': t__b.v, 'v': t__b.w})))[1] END",
    "t_listed(s)": "CASE WHEN strlen(s) > 1048576 THEN t_fail('NOT_SUPPORTED: LISTAGG with ON OVERFLOW TRUNCATE of "
    "more than 1,048,576 bytes is not supported by the local Athena yet') ELSE s END",
    "t_width_bucket(x, b)": "CASE WHEN len(b) = 0 THEN t_bad_bigint('Bins cannot be an empty array') "
    "WHEN isnan(CAST(x AS DOUBLE)) THEN t_bad_bigint('Operand cannot be NaN') "
    "WHEN len(b) <> list_count(b) THEN t_bad_bigint('Bin values are not sorted in ascending order') "
    "WHEN x IS NOT NULL THEN CAST(len(list_filter(b, lambda t__b: t__b <= x)) AS BIGINT) END",
}


def marked(aggregate: exp.Expr) -> exp.Expr:
    aggregate.meta[_MARK] = True
    return aggregate


def behind(node: exp.Filter | exp.Window, _: bool) -> exp.Expr:
    """FILTER (...) or OVER (...) behind a function of aggregates: behind each of those."""
    if node.this.meta.get(_MARK):
        return node
    inner = [n for n in node.this.find_all(exp.Anonymous, exp.GroupConcat) if n.meta.get(_MARK)]
    for aggregate in inner:
        whole = aggregate.parent if isinstance(aggregate.parent, exp.Filter) else aggregate
        own = node.copy()
        own.set("this", whole.copy())
        whole.replace(own)
    return node.this if inner else node


def _percentile(a: Arguments) -> exp.Expr:
    """approx_percentile(x, p) or (x, weight, p); p is one or an array."""
    several = arrays.is_array(a[-1])
    if len(a) == 3:
        name = "t_weighted_percentiles" if several else "t_weighted_percentile"
        return call(name, marked(call("list", a[0])), marked(call("list", a[1])), a[2])
    part = exp.DataType.build("FLOAT[]" if several else "FLOAT", dialect="duckdb")
    return call("approx_quantile", a[0], exp.Cast(this=a[1], to=part))


def _several_by(function: str) -> Rewrite:
    """max_by(x, y, n): the x of the n largest y. A row around x lets it be NULL."""

    def rewrite(a: Arguments) -> exp.Expr:
        if len(a) == 2:
            return call(f"{function}_null", *a)
        field = exp.PropertyEQ(this=exp.to_identifier("v"), expression=a[0])
        found = marked(call(function, exp.Struct(expressions=[field]), a[1], a[2]))
        item = exp.Dot(this=exp.to_identifier("t__r"), expression=exp.to_identifier("v"))
        return call("list_transform", found, exp.Lambda(this=item, expressions=[exp.to_identifier("t__r")]))

    return rewrite


def _pairs(function: str) -> Rewrite:
    return lambda a: call(function, marked(call("list", a[0])), marked(call("list", a[1])))


def _histogram(a: Arguments) -> exp.Expr:
    """numeric_histogram(buckets, x[, weight])"""
    value, weight = _double(a[1]), _double(a[2] if len(a) == 3 else exp.Literal.number(1))
    weighed = exp.Not(this=exp.Is(this=weight.copy(), expression=exp.Null()))
    lists = [marked(call("list", v)) for v in (exp.Case(ifs=[exp.If(this=weighed, true=value)]), weight)]
    return call("t_numeric_histogram", *lists, a[0])


def _double(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node, to=exp.DataType.build("DOUBLE"))


REWRITES: dict[str, tuple[int, int, Rewrite]] = {
    "approx_most_frequent": (3, 3, lambda a: call("t_most_frequent", marked(call("histogram", a[1])), a[0])),
    "approx_percentile": (2, 3, _percentile),
    "map_agg": (2, 2, _pairs("t_map_of")),
    "map_union": (1, 1, lambda a: call("t_map_union", marked(call("list", a[0])))),
    "max": (1, 2, lambda a: call("max", *a)),
    "max_by": (2, 3, _several_by("arg_max")),
    "min": (1, 2, lambda a: call("min", *a)),
    "min_by": (2, 3, _several_by("arg_min")),
    "numeric_histogram": (2, 3, _histogram),
    "multimap_agg": (2, 2, _pairs("t_multimap_of")),
}
