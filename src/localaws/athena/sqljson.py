"""json_value, json_query and json_exists of SQL:2016, with a path of members and indexes and without further clauses.

'strict' makes whatever is missing an error, and an error is NULL (json_exists: false) unless a clause says otherwise.
'lax' goes into arrays where a member is asked for, and takes anything else for an array of one: both are refused when
the data needs them. (trino.io/docs/current/functions/json.html)
"""

import re
from collections.abc import Callable, Sequence

from sqlglot import exp

from localaws.athena.failures import not_supported

_MODE = re.compile(r"\s*(lax|strict)\s+(\$.*?)\s*")
_STEP = re.compile(r'\.([A-Za-z_]\w*)|\."([^"\\]*)"|\[(\d+)\]')
_OTHER = "NOT_SUPPORTED: a lax path through {} is not supported by the local Athena yet"

MACROS = {
    "t_sql_json_value(j)": """CASE json_type(j) WHEN 'VARCHAR' THEN json_extract_string(j, '$')
        WHEN 'BOOLEAN' THEN CAST(j AS VARCHAR) WHEN 'BIGINT' THEN CAST(j AS VARCHAR)
        WHEN 'UBIGINT' THEN CAST(j AS VARCHAR) WHEN 'DOUBLE'
        THEN t_fail('NOT_SUPPORTED: json_value of a fraction is not supported by the local Athena yet') END""",
    # what Trino would write in another way: escapes and fractions
    "t_sql_json_query(j)": """CASE WHEN regexp_matches(CAST(j AS VARCHAR), '\\\\|\\d[.eE]') THEN
        t_fail('NOT_SUPPORTED: json_query of escapes and fractions is not supported by the local Athena yet')
        ELSE CAST(j AS VARCHAR) END""",
    "t_sql_json_exists(s, j)": "CASE WHEN s IS NOT NULL THEN j IS NOT NULL END",
    "t_lax_member(j)": f"CASE json_type(j) WHEN 'ARRAY' THEN CAST(t_fail('{_OTHER.format('an array')}') AS JSON) "
    "ELSE j END",
    "t_lax_index(j)": "CASE WHEN json_type(j) <> 'ARRAY' "
    f"THEN CAST(t_fail('{_OTHER.format('a value as an array')}') AS JSON) ELSE j END",
}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _found(a: Sequence[exp.Expr]) -> exp.Expr:
    """The item at the path, or NULL."""
    path = a[1].name if isinstance(a[1], exp.Literal) and a[1].is_string else ""
    mode = _MODE.fullmatch(path)
    steps = mode[2][1:] if mode else ""
    if mode is None or not re.fullmatch(f"(?:{_STEP.pattern})*", steps):
        raise not_supported(f"the SQL/JSON path {path or 'that is not a literal'}")
    item = _call("t_json", a[0].copy())
    for step in _STEP.finditer(steps):
        if mode[1] == "lax":
            item = _call("t_lax_index" if step[3] else "t_lax_member", item)
        one = f"$[{step[3]}]" if step[3] else f'$."{step[1] or step[2]}"'
        item = _call("json_extract", item, exp.Literal.string(one))
    return item


def exists(a: Sequence[exp.Expr]) -> exp.Expr:
    return _call("t_sql_json_exists", a[0], _found(a))


def one(function: str) -> Callable[[Sequence[exp.Expr]], exp.Expr]:
    return lambda a: _call(function, _found(a))
