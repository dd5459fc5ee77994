"""A page in docs/ that describes a command's --json in tables of `name`, type and meaning: the document is as it says."""

import re
from typing import Any

from proven_lake import ROOT


class Absent:
    """Of a value that a document need not have."""


_ROW = re.compile(r"^\| `([\w.\[\]<>-]+)` \| ([a-z ,]+) \|", re.MULTILINE)
_TYPES: dict[str, tuple[type, ...]] = {
    "number": (int, float),
    "text": (str,),
    "true or false": (bool,),
    "object": (dict,),
    "list": (list,),
    "null": (type(None),),
    "any": (object,),
    "absent": (Absent,),
}


def described(page: str) -> dict[str, tuple[type, ...]]:
    """Types by path: `files[].good`, and `columns.<name>` for names that are not known before."""
    text = (ROOT / "docs" / page).read_text().partition("## For programs")[2]
    rows = dict(_ROW.findall(text))
    assert rows
    return {path: tuple(kind for name in kinds.split(", ") for kind in _TYPES[name]) for path, kinds in rows.items()}


def undescribed(document: dict[str, Any], page: str) -> list[str]:
    """Paths of the document that the page does not have, or has with another type, and paths of the page whose parent is
    in the document without them."""
    known = described(page)
    found: dict[str, list[Any]] = {}
    _walk(document, "", known, found)
    wrong = [
        f"{path} is {type(value).__name__}"
        for path, values in found.items()
        for value in values
        if path not in known
        or not isinstance(value, known[path])
        or (type(value) is bool and not {bool, object} & {*known[path]})
    ]
    for path in known.keys() - found.keys():
        parent, _, name = path.rpartition(".")
        holders = [document] if not parent else found.get(parent.removesuffix("[]"), [])
        items = [item for held in holders for item in (held if isinstance(held, list) else [held])]
        if not name.startswith("<") and Absent not in known[path] and any(isinstance(item, dict) for item in items):
            wrong.append(f"{path} is not there")
    return wrong


def _walk(value: Any, path: str, known: dict[str, Any], found: dict[str, list[Any]]) -> None:
    if isinstance(value, dict):
        free = next(
            (name for name in known if name.rpartition(".")[0] == path and "<" in name.rpartition(".")[2]), None
        )
        for name, item in value.items():
            inside = free or (f"{path}.{name}" if path else name)
            found.setdefault(inside, []).append(item)
            if object not in known.get(inside, ()):
                _walk(item, inside, known, found)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict | list):
                _walk(item, f"{path}[]", known, found)
