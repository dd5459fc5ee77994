"""How a dialect's table is read: a row says where a value stands, and what the input event calls it.

    Row("context.page.url", "page_url")

What a row names moves; what no row names stays where it is, beside the fields, and the transform puts it into
`properties`. Where several values are meant for one field, the field's own name comes first (as in the transform), then
the rows in their order; another value stays in its old place. So does one of a type that the field does not take.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clicklake.collector.event import written
from clicklake.collector.request import TooLargeError

# What fields take, as pipeline.json says it. Not those of who it was: these move whatever they are, for the transform
# removes a wrong one by the field's name.
_TEXT, _ID, _NUMBER, _TIME = (str,), (str, int), (int, float), (str, int, float)
_ANY = (str, int, float, bool, list, dict)
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


class Table:
    """Reads a dialect's objects by its rows: call it with one, get a new one under the names of the input event."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        places = {"": 0}
        self._objects: list[tuple[int, str]] = []  # that rows look into, outside in; 0 is the whole
        self._steps: list[tuple[int, str, str, tuple[type, ...]]] = []
        for row in self.rows:
            outer, _, name = row.at.rpartition(".")
            if row.at != row.field:
                self._steps.append((self._object(outer, places), name, row.field, TAKES.get(row.field, _ANY)))

    def _object(self, path: str, places: dict[str, int]) -> int:
        if path not in places:
            outer, _, name = path.rpartition(".")
            self._objects.append((self._object(outer, places), name))
            places[path] = len(self._objects)
        return places[path]

    def __call__(self, said: Mapping[str, Any]) -> dict[str, Any]:
        made = dict(said)
        objects = [made]
        for at, name in self._objects:
            inner = objects[at].get(name)
            if type(inner) is dict:
                objects[at][name] = inner = inner.copy()
                objects.append(inner)
            else:
                objects.append({})
        # In one loop and without calls, for this is half of what a request costs.
        for at, name, field, takes in self._steps:
            value = objects[at].get(name)
            if value is not None and type(value) in takes:
                own = made.get(field)
                if own is None or own == "":
                    made[field] = value
                    del objects[at][name]
                elif own == value or value == "":
                    del objects[at][name]
        self._leave_out_emptied(objects)
        return made

    def _leave_out_emptied(self, objects: list[dict[str, Any]]) -> None:
        for place in range(len(self._objects), 0, -1):
            if not objects[place]:
                at, name = self._objects[place - 1]
                if objects[at].get(name) is objects[place]:
                    del objects[at][name]


MOST_INHERITED = 4_000_000  # bytes: half a request said of each of the thousands in the other half would be gigabytes
_MERGED_LEVELS = 4


def inherit(items: list[Any], whole: Mapping[str, Any]) -> None:
    """Give each object of the items what the whole request says of all, unless it says that itself; objects are
    merged. Raises TooLargeError."""
    if not whole:
        return
    size = len(written(whole)) * len(items)
    if size > MOST_INHERITED:
        problem = f"what the request says of all its {len(items):,} events makes {size:,} bytes of them"
        raise TooLargeError(problem, f"it may make {MOST_INHERITED:,}; send fewer events at once")
    for item in items:
        if type(item) is dict:
            _inherit(item, whole, 0)


def _inherit(item: dict[str, Any], whole: Mapping[str, Any], level: int) -> None:
    for name, value in whole.items():
        own = item.get(name)
        if own is None:
            item[name] = value
        elif type(own) is dict and type(value) is dict and level < _MERGED_LEVELS:
            _inherit(own, value, level + 1)
