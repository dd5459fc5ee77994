"""Names and texts as DuckDB's SQL has them."""

from collections.abc import Iterable


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str]) -> str:
    """A list of text literals."""
    return "[" + ", ".join(map(literal, texts)) + "]"
