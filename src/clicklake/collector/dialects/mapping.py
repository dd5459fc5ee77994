"""How a dialect's table is read: a row says where a value stands, and what the input event calls it.

    Row("context.page.url", "page_url")

What a row names moves; what no row names stays where it is, beside the fields, and the transform puts it into
`properties`. Where several values are meant for one field, the field's own name comes first (as in the transform), then
the rows in their order; another value stays in its old place. So does one of a type that the field does not take.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# What fields take, as pipeline.json says it. Not those of who it was: these move whatever they are, for the transform
# removes a wrong one by the field's name.
_TEXT, _ID, _NUMBER, _TIME = (str,), (str, int), (int, float), (str, int, float)
TAKES: Mapping[str, tuple[type, ...]] = {
    "event_id": _ID,
    "event_type": _TEXT,
    "event_time": _TIME,
    "sent_time": _TIME,
    "app_id": _TEXT,
    "platform": _TEXT,
    "anonymous_id": _ID,
    "session_id": _ID,
    "page_url": _TEXT,
    "page_title": _TEXT,
    "referrer": _TEXT,
    "user_agent": _TEXT,
    "locale": _TEXT,
    "value": _NUMBER,
    "currency": _TEXT,
}


@dataclass(frozen=True, slots=True)
class Row:
    """`at`: names from the outside in, with dots between. `field`: of the input event."""

    at: str
    field: str


@dataclass(slots=True, eq=False)
class _Place:
    """Where the tree of a table ends: its row, whose `rank` is its place in the table."""

    rank: int
    row: Row
    takes: tuple[type, ...] | None


_Tree = dict[str, Any]  # of _Place or _Tree
_Found = dict[str, tuple[_Place, Any]]
_Lost = list[tuple[Row, Any]]


class Table:
    """Reads a dialect's objects by its rows: call it with one, get a new one under the names of the input event."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._tree: _Tree = {}
        for rank, row in enumerate(self.rows):
            *outer, last = row.at.split(".")
            branch = self._tree
            for name in outer:
                branch = branch.setdefault(name, {})
            branch[last] = _Place(rank, row, TAKES.get(row.field))

    def __call__(self, said: Mapping[str, Any]) -> dict[str, Any]:
        found: _Found = {}
        lost: _Lost = []
        left = _walk(said, self._tree, found, lost)
        for field, (place, value) in found.items():
            own = left.get(field)
            if own is None or own == "":
                left[field] = value
            elif own != value:
                lost.append((place.row, value))
        for row, value in lost:
            _put(left, row.at.split("."), value)
        return left


def _walk(said: Mapping[str, Any], tree: _Tree, found: _Found, lost: _Lost) -> dict[str, Any]:
    """What no row names; the rest goes to `found` by its field, or to `lost` if a row before has that."""
    left: dict[str, Any] = {}
    for name, value in said.items():
        branch = tree.get(name)
        if branch is None:
            left[name] = value
        elif type(branch) is dict:
            if type(value) is not dict:
                left[name] = value
            elif inner := _walk(value, branch, found, lost):
                left[name] = inner
        elif branch.takes is not None and type(value) not in branch.takes:
            if value is not None:
                left[name] = value
        elif value is not None and value != "":
            _take(branch, value, found, lost)
    return left


def _take(place: _Place, value: Any, found: _Found, lost: _Lost) -> None:
    field = place.row.field
    held = found.get(field)
    if held is None:
        found[field] = (place, value)
    elif held[1] == value:
        return
    elif held[0].rank < place.rank:
        lost.append((place.row, value))
    else:
        lost.append((held[0].row, held[1]))
        found[field] = (place, value)


def _put(left: dict[str, Any], path: list[str], value: Any) -> None:
    """Back to where it was; if a field has that place now, beside it."""
    *outer, last = path
    for name in outer:
        left = left.setdefault(name, {})
    left[f"_event.{last}" if last in left else last] = value
