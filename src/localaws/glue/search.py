"""The tables that SearchTables finds by a text, which may be anywhere in their metadata, or their database's name."""

from collections.abc import Iterator
from typing import Any

from localaws.glue.catalog import Document


def says(table: Document, text: str) -> bool:
    """Is the text somewhere in a table's metadata? "Specifying a value in quotes filters based on an exact match to the
    value" (API_SearchTables.html)."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1] in set(_texts(table))
    return any(text in said for said in _texts(table))


def _texts(metadata: Any, named: bool = False) -> Iterator[str]:
    """Each text in it, in lower case; `named`: its keys were given by a user, too."""
    if isinstance(metadata, dict):
        for key, value in metadata.items():
            yield from [key.lower()] if named else []
            yield from _texts(value, named=key == "Parameters")
    elif isinstance(metadata, list):
        for item in metadata:
            yield from _texts(item)
    elif isinstance(metadata, str):
        yield metadata.lower()
