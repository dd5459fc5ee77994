"""How a dialect's table is read: a row says where a value stands, and what the input event calls it.

    Row("context.page.url", "page_url")

What a row names moves; what no row names stays where it is, beside the fields, and the transform puts it into
`properties`. Where two rows name one field the first that has a value wins; another value stays in its old place.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Row:
    """`at`: names from the outside in, with dots between. `field`: of the input event."""

    at: str
    field: str


class Table:
    """Reads a dialect's objects by its rows: call it with one, get a new one under the names of the input event."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._tree: dict[str, Any] = {}
        for rank, row in enumerate(self.rows):
            *outer, last = row.at.split(".")
            branch = self._tree
            for name in outer:
                branch = branch.setdefault(name, {})
            branch[last] = (rank, row)

    def __call__(self, said: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, tuple[int, Row, Any]] = {}
        lost: list[tuple[Row, Any]] = []
        left = _walk(said, self._tree, found, lost)
        for row, value in lost:
            _put(left, row.at.split("."), value)
        for field, (_, _, value) in found.items():
            if field in left:
                left[f"_event.{field}"] = left[field]
            left[field] = value
        return left


def _walk(
    said: Mapping[str, Any],
    tree: Mapping[str, Any],
    found: dict[str, tuple[int, Row, Any]],
    lost: list[tuple[Row, Any]],
) -> dict[str, Any]:
    """What no row names; the rest goes to `found` by its field, or to `lost` if a row before has that."""
    left: dict[str, Any] = {}
    for name, value in said.items():
        branch = tree.get(name)
        if branch is None:
            left[name] = value
        elif type(branch) is dict:
            if not isinstance(value, dict):
                left[name] = value
            elif inner := _walk(value, branch, found, lost):
                left[name] = inner
        elif value is not None and value != "":
            _take(branch, value, found, lost)
    return left


def _take(
    place: tuple[int, Row], value: Any, found: dict[str, tuple[int, Row, Any]], lost: list[tuple[Row, Any]]
) -> None:
    rank, row = place
    held = found.get(row.field)
    if held is None:
        found[row.field] = (rank, row, value)
    elif held[2] == value:
        return
    elif held[0] < rank:
        lost.append((row, value))
    else:
        lost.append((held[1], held[2]))
        found[row.field] = (rank, row, value)


def _put(left: dict[str, Any], path: list[str], value: Any) -> None:
    *outer, last = path
    for name in outer:
        left = left.setdefault(name, {})
    left[last] = value
