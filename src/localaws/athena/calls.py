"""DuckDB's calls as expressions, and what a rewrite of one of Trino's is."""

from collections.abc import Callable, Sequence

from sqlglot import exp

Arguments = Sequence[exp.Expr]
Rewrite = Callable[[Arguments], exp.Expr]


def call(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def text(value: str) -> exp.Expr:
    return exp.Literal.string(value)
