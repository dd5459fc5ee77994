"""json_value, json_query and json_exists of SQL:2016, with a path of members, indexes, [last] and [*].

'strict' makes whatever is missing an error, and an error is NULL (json_exists: false) unless ON ERROR says otherwise;
in a 'lax' path what is missing is empty, for which ON EMPTY speaks.
'lax' goes into arrays where a member is asked for, and takes anything else for an array of one: both are refused when
the data needs them. (trino.io/docs/current/functions/json.html)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from localaws.athena.failures import not_supported

_MODE = re.compile(r"\s*(lax|strict)\s+(\$.*?)\s*")
_STEP = re.compile(r'\.([A-Za-z_]\w*)|\."([^"\\]*)"|\[(\d+|last|\*)\]')
_OTHER = "NOT_SUPPORTED: a lax path through {} is not supported by the local Athena yet"

MACROS = {
    "t_sql_json_value(j)": """CASE json_type(j) WHEN 'VARCHAR' THEN json_extract_string(j, '$')
        WHEN 'BOOLEAN' THEN CAST(j AS VARCHAR) WHEN 'BIGINT' THEN CAST(j AS VARCHAR)
        WHEN 'UBIGINT' THEN CAST(j AS VARCHAR) WHEN 'DOUBLE' THEN t_double_text(TRY_CAST(j AS DOUBLE)) END""",
    # Written anew, as by Jackson; DuckDB reads integers of more than 64 bits as doubles.
    "t_sql_json_query(j)": """CASE WHEN regexp_matches(CAST(j AS VARCHAR), '\\d{19}') THEN
        t_fail('NOT_SUPPORTED: json_query of numbers of 19 digits is not supported by the local Athena yet')
        ELSE t_json_numbers(CAST(json(j) AS VARCHAR)) END""",
    "t_sql_json_listed(l)": "'[' || array_to_string(list_transform(l, lambda t__e: t_sql_json_query(t__e)), ',') || "
    "']'",
    # the types on the way to a [*]: of one value, or of several
    "t_lax_each(k)": "CASE WHEN k <> 'ARRAY' THEN t_fail('" + _OTHER.format("a value as an array") + "') ELSE '' END",
    "t_lax_every(l)": "CASE WHEN len(list_filter(l, lambda t__k: t__k <> 'ARRAY')) > 0 "
    "THEN t_fail('" + _OTHER.format("a value as an array") + "') ELSE '' END",
    "t_lax_one(k)": "CASE WHEN k = 'ARRAY' THEN t_fail('" + _OTHER.format("an array") + "') ELSE '' END",
    "t_lax_none(l)": "CASE WHEN list_contains(l, 'ARRAY') THEN t_fail('" + _OTHER.format("an array") + "') ELSE '' END",
    "t_sql_json_wrapped(j, t)": "'[' || t || ']'",
    "t_sql_json_perhaps_wrapped(j, t)": "CASE WHEN json_type(j) IN ('ARRAY', 'OBJECT') THEN t ELSE '[' || t || ']' END",
    "t_sql_json_bare(j, t)": "CASE json_type(j) WHEN 'VARCHAR' THEN json_extract_string(j, '$') ELSE t END",
    "t_lax_member(j)": f"CASE json_type(j) WHEN 'ARRAY' THEN CAST(t_fail('{_OTHER.format('an array')}') AS JSON) "
    "ELSE j END",
    "t_lax_index(j)": "CASE WHEN json_type(j) <> 'ARRAY' "
    f"THEN CAST(t_fail('{_OTHER.format('a value as an array')}') AS JSON) ELSE j END",
}


_RETURNED = frozenset(
    exp.DType[n] for n in ("VARCHAR", "TEXT", "BIGINT", "INT", "SMALLINT", "TINYINT", "DOUBLE", "BOOLEAN", "DATE")
)
_BEHAVIOURS: dict[str, exp.Expr] = {
    "NULL": exp.Null(), "UNKNOWN": exp.Null(), "TRUE": exp.Boolean(this=True), "FALSE": exp.Boolean(this=False),
    "EMPTY ARRAY": exp.Literal.string("[]"), "EMPTY OBJECT": exp.Literal.string("{}"),
}  # fmt: skip
_FAILURES = {
    "on_error": "PATH_EVALUATION_ERROR: path evaluation failed",
    "on_empty": "JSON_VALUE_RESULT_ERROR: cannot extract SQL scalar from JSON: JSON path found no items",
}
_WRAPPERS = {"WITH": "wrapped", "UNCONDITIONAL": "wrapped", "CONDITIONAL": "perhaps_wrapped"}


def _call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _text(written: str) -> exp.Expr:
    return exp.Literal.string(written)


@dataclass(frozen=True, slots=True)
class _Call:
    """A call taken apart: the item at the path (or NULL), and the clauses by their names (sqljson_grammar.py)."""

    document: exp.Expr
    item: exp.Expr
    strict: bool
    items: exp.Expr | None  # all of them, of a path with [*]; `item` is the first then
    clauses: dict[str, exp.Expr]

    @classmethod
    def of(cls, a: Sequence[exp.Expr]) -> "_Call":
        path = a[1].name if isinstance(a[1], exp.Literal) and a[1].is_string else ""
        mode = _MODE.fullmatch(path)
        steps = mode[2][1:] if mode else ""
        if mode is None or not re.fullmatch(f"(?:{_STEP.pattern})*", steps):
            raise not_supported(f"the SQL/JSON path {path or 'that is not a literal'}")
        clauses = {c.this.name: c.expression for c in a[2:]}
        if "[*]" in steps:
            if mode[1] == "strict":
                raise not_supported(f"the SQL/JSON path {path}")
            items = _every(a[0], steps)
            return cls(a[0], _call("list_extract", items, exp.Literal.number(1)), False, items, clauses)
        item = _call("t_json", a[0].copy())
        for step in _STEP.finditer(steps):
            if mode[1] == "lax":
                item = _call("t_lax_index" if step[3] else "t_lax_member", item)
            item = _call("json_extract", item, _text("$" + _said(step)))
        return cls(a[0], item, mode[1] == "strict", None, clauses)

    def answered(
        self, value: exp.Expr, kind: exp.DataType, impossible: exp.Expr | None = None, *, several: bool = False
    ) -> exp.Expr:
        """`value` of type `kind`, unless there is no document, no item, more than one where that isn't allowed, or
        `impossible` is true."""
        error = self._otherwise("on_error", kind)
        null = exp.Null()
        missing = error if self.strict else self._otherwise("on_empty", kind)
        branches = [
            (_is_null(self.document.copy()), null),
            (_is_null(_call("t_json", self.document.copy())), error),
            (_is_null(self.item.copy()), missing),
            *([(impossible, error)] if impossible is not None else []),
            *([(self._several(), error)] if self.items is not None and not several else []),
        ]
        return exp.Case(ifs=[exp.If(this=c, true=t.copy()) for c, t in branches], default=value)

    def _several(self) -> exp.Expr:
        assert self.items is not None
        return exp.GT(this=_call("len", self.items.copy()), expression=exp.Literal.number(1))

    def _otherwise(self, clause: str, kind: exp.DataType) -> exp.Expr:
        does = self.clauses.get(clause)
        if not isinstance(does, exp.Var):
            return exp.Cast(this=does.copy(), to=kind.copy()) if does is not None else exp.Null()
        if does.name == "ERROR":
            return exp.Cast(this=_call("t_fail", _text(_FAILURES[clause])), to=kind.copy())
        if does.name not in _BEHAVIOURS:
            raise not_supported(f"{does.name} {clause.replace('_', ' ').upper()}")
        return _BEHAVIOURS[does.name].copy()


def _said(step: re.Match[str]) -> str:
    """In DuckDB's words."""
    return f"[{'#-1' if step[3] == 'last' else step[3]}]" if step[3] else f'."{step[1] or step[2]}"'


def _every(document: exp.Expr, steps: str) -> exp.Expr:
    """The items of a lax path with [*], where it goes into arrays there and nowhere else."""
    path, many = "$", False
    checks: list[exp.Expr] = []
    for step in _STEP.finditer(steps):
        kinds = _call("json_type", _call("t_json", document.copy()), _text(path))
        if step[3]:
            checks.append(_call("t_lax_every" if many else "t_lax_each", kinds))
        else:
            checks.append(_call("t_lax_none" if many else "t_lax_one", kinds))
        many = many or step[3] == "*"
        path += _said(step)
    allowed = exp.NEQ(this=_call("concat", *checks), expression=_text("-"))
    items = _call("json_extract", _call("t_json", document.copy()), _text(path))
    kind = exp.DataType.build("JSON[]", dialect="duckdb")
    return exp.Cast(this=exp.Case(ifs=[exp.If(this=allowed, true=items)]), to=kind)


def _is_null(node: exp.Expr) -> exp.Expr:
    return exp.Is(this=node, expression=exp.Null())


def _kind(call_: _Call, known: frozenset[exp.DType]) -> exp.DataType:
    found = call_.clauses.get("returning")
    if found is None:
        return exp.DataType.build("VARCHAR")
    if not isinstance(found, exp.DataType) or found.this not in known or found.expressions:
        raise not_supported(f"RETURNING {found.sql(dialect='trino').upper()}")
    return found


def value(a: Sequence[exp.Expr]) -> exp.Expr:
    """json_value: a scalar as text, or as the type that is RETURNING; NULL is NULL."""
    parts = _Call.of(a)
    kind = _kind(parts, _RETURNED)
    written = _call("t_sql_json_value", parts.item.copy())
    if not kind.is_type("varchar"):
        text = _call("json_extract_string", parts.item.copy(), _text("$"))
        written = exp.TryCast(this=text, to=kind.copy())
    null = exp.EQ(this=_call("json_type", parts.item.copy()), expression=_text("NULL"))
    no_value = exp.And(this=exp.Not(this=null), expression=_is_null(written.copy()))
    return parts.answered(written, kind, no_value)


def query(a: Sequence[exp.Expr]) -> exp.Expr:
    """json_query: the item as text."""
    parts = _Call.of(a)
    kind = _kind(parts, frozenset({exp.DType.VARCHAR, exp.DType.TEXT}))
    wrapper = parts.clauses.get("wrapper", exp.Var(this="WITHOUT")).name
    written = _call("t_sql_json_query", parts.item.copy())
    if "quotes" in parts.clauses and parts.clauses["quotes"].name == "OMIT":
        if wrapper != "WITHOUT":
            raise not_supported("OMIT QUOTES with a wrapper")
        return parts.answered(_call("t_sql_json_bare", parts.item.copy(), written), kind)
    if parts.items is not None and wrapper != "WITHOUT":
        if _WRAPPERS[wrapper] != "wrapped":
            raise not_supported("a conditional wrapper of a path with [*]")
        return parts.answered(_call("t_sql_json_listed", parts.items.copy()), kind, several=True)
    if wrapper != "WITHOUT":
        written = _call(f"t_sql_json_{_WRAPPERS[wrapper]}", parts.item.copy(), written)
    return parts.answered(written, kind)


def exists(a: Sequence[exp.Expr]) -> exp.Expr:
    """json_exists: is there an item? An error is FALSE."""
    parts = _Call.of(a)
    clauses = {"on_error": exp.Var(this="FALSE")} | parts.clauses | {"on_empty": exp.Var(this="FALSE")}
    whole = _Call(parts.document, parts.item, parts.strict, parts.items, clauses)
    return whole.answered(exp.Boolean(this=True), exp.DataType.build("BOOLEAN"), several=True)
