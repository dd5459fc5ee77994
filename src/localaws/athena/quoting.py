"""Names and texts as DuckDB's SQL has them."""

from collections.abc import Iterable


def name(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def listed(texts: Iterable[str | None]) -> str:
    """A list of text literals and NULLs."""
    return "[" + ", ".join("NULL" if t is None else literal(t) for t in texts) + "]::VARCHAR[]"
