"""How a dialect's table is read: a row says where a value stands, and what the input event calls it.

    Row("context.page.url", "page_url")

What stands at the top of an event moves, unless the transform itself knows its name; what stands within an object is
copied, so that `context` and `properties` are whole for those who know them. What no row names stays where it is,
beside the fields, and the transform puts it into `properties`. Where several values are meant for one field, the
field's own name comes first (as in the transform), then the rows in their order. A value of a type that the field does
not take stays in its place alone.

There are two readers of a table, and the rows in the lake are the same. `Table` makes a dict of a dict. `Slices` leaves
the text of an event as it was sent and writes the fields behind it, which costs a third; it refuses what is odd.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Union

import msgspec

from clicklake.collector.event import written
from clicklake.collector.request import TooLargeError, encode

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
NOT_SENT = (None, "")  # what counts as if it had not been; a 0 is a value
# Names that the transform itself knows for a field (pipeline.json, "aliases"): what stands under them may stay there.
ALIASES: Mapping[str, str] = {
    "messageId": "event_id",
    "event": "event_type",
    "originalTimestamp": "event_time",
    "timestamp": "event_time",
    "sentAt": "sent_time",
    "userId": "user_id",
    "anonymousId": "anonymous_id",
}


@dataclass(frozen=True, slots=True)
class Row:
    """`at`: names from the outside in, with dots between. `field`: of the input event."""

    at: str
    field: str


def _needed(rows: tuple[Row, ...]) -> list[Row]:
    """Without those that the transform does by itself: by its order an alias is the last for its field."""
    last = {row.field: row.at for row in rows}
    return [row for row in rows if row.at != row.field and not (row.at in ALIASES and last[row.field] == row.at)]


class Table:
    """Reads a dialect's objects by its rows: call it with one, get a new one under the names of the input event."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = tuple(rows)
        self._steps: list[tuple[list[str], str, str, tuple[type, ...]]] = []
        for row in _needed(self.rows):
            *path, name = row.at.split(".")
            self._steps.append((path, name, row.field, TAKES.get(row.field, _ANY)))

    def __call__(self, said: Mapping[str, Any]) -> dict[str, Any]:
        made = dict(said)
        for path, name, field, takes in self._steps:
            inside: Any = made
            for outer in path:
                inside = inside.get(outer)
                if type(inside) is not dict:
                    break
            else:
                value = inside.get(name)
                if type(value) in takes:
                    own = made.get(field)
                    if own is None or own == "":
                        made[field] = value
                    elif own != value and value != "":
                        continue
                elif value is not None:
                    continue
                if inside is made and name not in ALIASES:
                    made.pop(name, None)
        return made


class Slices:
    """Reads an event by a table from its own text: `type` is what msgspec is to decode it as, and `end` writes what to
    put behind it. `type` fails for what is odd and has to go the other way: a value of a wrong type, a field under its
    own name. `seen`: other names that the dialect looks at, with dots between, and what they may be; `made`: fields
    that it makes itself."""

    def __init__(self, rows: Iterable[Row], seen: Mapping[str, Any], made: Iterable[str] = (), **options: Any) -> None:
        places: dict[str, list[str]] = {}
        for row in _needed(tuple(rows)):
            places.setdefault(row.field, []).append(row.at)
        names = (*places, *made)
        guarded = dict.fromkeys(names, msgspec.UnsetType)
        types = {at: _type_of(field) for field, found in places.items() for at in found}
        self.type = _struct("Item", {**types, **seen, **guarded}, options)
        self._first = attrgetter(*(found[0] for found in places.values()))
        self._others = [(slot, attrgetter(at)) for slot, found in enumerate(places.values()) for at in found[1:]]
        self._fields = msgspec.defstruct("Fields", [(n, Any, None) for n in names], omit_defaults=True, gc=False)

    def end(self, item: Any, *made: Any) -> bytes:
        """The fields as a JSON object. In few steps, for each event of a request takes them."""
        values = [*self._first(item)]
        for slot, other in self._others:
            value = values[slot]
            if value is None or value == "":
                values[slot] = other(item)
        return encode(self._fields(*values, *made))


def _type_of(field: str) -> Any:
    return Union[(*TAKES.get(field, (str, int, float)), None)]


def _struct(name: str, types: Mapping[str, Any], options: Mapping[str, Any]) -> type[msgspec.Struct]:
    """`types` by names with dots between. What is an object must be one, if it is there."""
    leaves: list[tuple[str, Any, Any]] = []
    objects: dict[str, dict[str, Any]] = {}
    for at, kind in types.items():
        first, _, rest = at.partition(".")
        if rest:
            objects.setdefault(first, {})[rest] = kind
        else:
            leaves.append((at, kind, msgspec.UNSET if kind is msgspec.UnsetType else None))
    inner = ((at, _struct(at, found, {})) for at, found in objects.items())
    leaves += [(at, kind, kind()) for at, kind in inner]
    return msgspec.defstruct(name, leaves, frozen=True, gc=False, **options)


MOST_INHERITED = 4_000_000  # bytes: half a request said of each of the thousands in the other half would be gigabytes
_MERGED_LEVELS = 4


def inherit(items: list[Any], whole: Mapping[str, Any]) -> None:
    """Give each object of the items what the whole request says of all, unless it says that itself; objects are
    merged. Raises TooLargeError."""
    if not whole:
        return
    check_inherited(len(written(whole)), len(items))
    for item in items:
        if type(item) is dict:
            _inherit(item, whole, 0)


def check_inherited(size: int, count: int) -> None:
    """Raises TooLargeError."""
    if size * count > MOST_INHERITED:
        problem = f"what the request says of all its {count:,} events makes {size * count:,} bytes of them"
        raise TooLargeError(problem, f"it may make {MOST_INHERITED:,}; send fewer events at once")


def _inherit(item: dict[str, Any], whole: Mapping[str, Any], level: int) -> None:
    for name, value in whole.items():
        own = item.get(name)
        if own is None:
            item[name] = value
        elif type(own) is dict and type(value) is dict and level < _MERGED_LEVELS:
            _inherit(own, value, level + 1)
