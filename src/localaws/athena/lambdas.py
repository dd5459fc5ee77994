"""Functions that take lambdas, in DuckDB's words: its list functions take one parameter where Trino's maps have two.

REWRITES is in the form of rewrites.py, which adds it to its own. (trino.io/docs/current/functions/lambda.html)
"""

from collections.abc import Sequence

from sqlglot import exp

from localaws.athena import aggregates
from localaws.athena.calls import Arguments, Rewrite, call
from localaws.athena.failures import not_supported


def _lambda(argument: exp.Expr, parameters: int) -> exp.Lambda:
    if not isinstance(argument, exp.Lambda) or len(argument.expressions) != parameters:
        raise not_supported(f"an argument that is not a lambda of {parameters}")
    return argument


def _apply(function: exp.Lambda, values: Sequence[exp.Expr]) -> exp.Expr:
    """The lambda's body with its parameters replaced by `values`."""
    names = {p.name: v for p, v in zip(function.expressions, values, strict=True)}
    body = exp.Paren(this=function.this.copy())
    for node in list(body.find_all(exp.Identifier)):
        owner = node.parent
        if node.name in names and not (isinstance(owner, exp.Dot) and node.arg_key == "expression"):
            (owner if isinstance(owner, exp.Column) else node).replace(names[node.name].copy())
    return body


def _matched(test: str) -> Rewrite:
    def rewrite(a: Arguments) -> exp.Expr:
        return call(test, call("list_transform", a[0], _lambda(a[1], 1)))

    return rewrite


def _none_match(a: Arguments) -> exp.Expr:
    return exp.Not(this=_matched("t_any")(a))


def _reduced(a: Arguments) -> exp.Expr:
    """The finaliser, which DuckDB doesn't have, is applied to the reduction."""
    return _apply(_lambda(a[3], 1), [call("list_reduce", a[0], _lambda(a[2], 2), a[1])])


def _each(item: str, body: exp.Expr) -> exp.Lambda:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(item)])


def _field(item: str, name: str) -> exp.Expr:
    return exp.Dot(this=exp.to_identifier(item), expression=exp.to_identifier(name))


def _entry(function: exp.Expr) -> exp.Lambda:
    """(k, v) -> body, as a lambda over a map's entries."""
    return _each("t_entry", _apply(_lambda(function, 2), [_field("t_entry", "key"), _field("t_entry", "value")]))


def _zip_with(a: Arguments) -> exp.Expr:
    item = exp.to_identifier("t_pair")
    parts = [call("struct_extract_at", item.copy(), exp.Literal.number(i)) for i in (1, 2)]
    return call("list_transform", call("t_both", a[0], a[1]), _each("t_pair", _apply(_lambda(a[2], 2), parts)))


def _map_filter(a: Arguments) -> exp.Expr:
    return call("map_from_entries", call("list_filter", call("map_entries", a[0]), _entry(a[1])))


def _transform_keys(a: Arguments) -> exp.Expr:
    keys = call("list_transform", call("map_entries", a[0].copy()), _entry(a[1]))
    return call("map", keys, call("map_values", a[0]))


def _transform_values(a: Arguments) -> exp.Expr:
    values = call("list_transform", call("map_entries", a[0].copy()), _entry(a[1]))
    return call("map", call("map_keys", a[0]), values)


def _map_zip_with(a: Arguments) -> exp.Expr:
    """Of every key of either map, with NULL for the value that one of them doesn't have."""
    key = exp.to_identifier("t_key")
    values = [call("map_extract_value", m.copy(), key.copy()) for m in a[:2]]
    body = _apply(_lambda(a[2], 3), [key, *values])
    keys = call("t_array_union", *(call("map_keys", m.copy()) for m in a[:2]))
    return call("map", keys, call("list_transform", keys.copy(), _each("t_key", body)))


def _reduce_agg(a: Arguments) -> exp.Expr:
    """The function that combines states has nothing to do: there is one group state. NULLs are left out."""
    _lambda(a[3], 2)
    there = exp.Not(this=exp.Is(this=exp.to_identifier("t_item"), expression=exp.Null()))
    values = call("list_filter", aggregates.marked(call("list", a[0])), _each("t_item", there))
    reduced = call("list_reduce", values, _lambda(a[2], 2), a[1])
    some = exp.GT(this=aggregates.marked(call("count", a[0].copy())), expression=exp.Literal.number(0))
    return exp.Case(ifs=[exp.If(this=some, true=reduced)])


def _array_sort(a: Arguments) -> exp.Expr:
    """With a comparator each element is put behind those that are not larger: stable, as Java's sort is."""
    if len(a) == 1:
        return call("t_array_sort", a[0])
    items, item, other = (exp.to_identifier(n) for n in ("t_items", "t_item", "t_other"))
    order, zero = call("t_order", _apply(_lambda(a[1], 2), [other, item])), exp.Literal.number(0)
    before = call("list_filter", items.copy(), _each("t_other", exp.LTE(this=order, expression=zero)))
    after = call("list_filter", items.copy(), _each("t_other", exp.GT(this=order.copy(), expression=zero.copy())))
    put = exp.Lambda(
        this=call("list_concat", call("list_append", before, item.copy()), after), expressions=[items, item]
    )
    empty = call("list_slice", a[0].copy(), exp.Literal.number(1), zero.copy())
    return call("list_reduce", a[0], put, empty)


REWRITES: dict[str, tuple[int, int, Rewrite]] = {
    "all_match": (2, 2, _matched("t_all")),
    "any_match": (2, 2, _matched("t_any")),
    "array_sort": (1, 2, _array_sort),
    "filter": (2, 2, lambda a: call("list_filter", a[0], _lambda(a[1], 1))),
    "map_filter": (2, 2, _map_filter),
    "map_zip_with": (3, 3, _map_zip_with),
    "none_match": (2, 2, _none_match),
    "reduce": (4, 4, _reduced),
    "reduce_agg": (4, 4, _reduce_agg),
    "transform": (2, 2, lambda a: call("list_transform", a[0], _lambda(a[1], 1))),
    "transform_keys": (2, 2, _transform_keys),
    "transform_values": (2, 2, _transform_values),
    "zip_with": (3, 3, _zip_with),
}
