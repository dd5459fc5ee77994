"""What the tree shows of an expression: that it is certainly a map, a row or a REAL."""

from sqlglot import exp

from localaws.athena import columns

_MAPS = {"map", "t_map", "map_agg", "t_map_of", "map_union", "t_map_union", "histogram", "map_filter", "map_concat",
         "map_from_entries", "split_to_map", "t_split_to_map", "transform_values", "transform_keys", "multimap_agg",
         "t_multimap_of", "numeric_histogram", "t_numeric_histogram", "approx_most_frequent",
         "t_most_frequent"}  # fmt: skip


def is_real(node: exp.Expr) -> bool:
    """Is it known to be a REAL? As a decimal that has the digits that it is written with, not those of a double."""
    node = node.unnest()
    if isinstance(node, exp.Column):
        found = columns.type_of_column(node)
        return found is not None and found.name == "real"
    return isinstance(node, exp.Cast) and bool(node.to.this == exp.DType.FLOAT)


def is_map(node: exp.Expr) -> bool:
    """Is it known to be a map: a function that makes one, or a column that is one?"""
    node = node.unnest()
    if isinstance(node, exp.Cast):
        return bool(node.to.this == exp.DType.MAP)
    if isinstance(node, exp.Column):
        found = columns.type_of_column(node)
        made = columns.origin(node) if found is None else None
        return found.name == "map" if found is not None else made is not None and is_map(made)
    return isinstance(node, exp.Anonymous) and node.name.lower() in _MAPS


def is_row(node: exp.Expr) -> bool:
    """Is it known to be a row?"""
    if isinstance(node, exp.Cast):
        return bool(node.to.this == exp.DType.STRUCT)
    if isinstance(node, exp.Column | exp.Identifier):
        found = columns.type_of_column(node) if isinstance(node, exp.Column) else None
        return found.name == "row" if found is not None else _is_item_of_rows(node)
    return isinstance(node, exp.Anonymous) and node.name.lower() == "row"


def _is_item_of_rows(node: exp.Expr) -> bool:
    """Is it the parameter of a lambda over map_entries(...) or zip(...)?"""
    function = node.find_ancestor(exp.Lambda)
    call = function.parent if function and node.name in {p.name for p in function.expressions} else None
    items = call.expressions[0] if isinstance(call, exp.Anonymous) else None
    return isinstance(items, exp.Anonymous) and items.name.lower() in {
        "map_entries",
        "t_map_entries",
        "zip",
        "list_zip",
    }
