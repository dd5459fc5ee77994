"""Repeats inside one object: producers retry, and Firehose delivers at least once.

The same `(app_id, event_id)` with equal content is a duplicate and dropped. Other content under the same id is another
event and gets an id of its own. What the transport adds to a retry is no content: `sent_time`, how often it was tried,
and what a collector takes from each request. So a page that was not answered may send again from another network, or
from the next version of its browser.
"""

from array import array
from typing import Any, Literal

from clicklake.pipeline import Field
from clicklake.transform.clean import canonical
from clicklake.transform.event import Layout, Values

Verdict = Literal["new", "duplicate", "other"]

TRANSPORT_FIELDS = frozenset({"sent_time", "collector_time", "ip", "user_agent", "headers"})
# In `properties`: counters, what Segment's clients say of themselves (analytics.js counts its tries there), and a time
# of sending that is no field's, for its request says a later one or it is no time. If the sender's own properties have
# such a name, too, it is `_event.<name>` there.
_BESIDE = ("attempt", "retries", "retry", "retry_count", "retryCount", "_metadata", "sent_time", "sentAt")
TRANSPORT_PROPERTIES = frozenset({*_BESIDE, *(f"_event.{name}" for name in _BESIDE)})
_AS_NUMBERS = frozenset({"time", "number"})  # what fields hold numbers, by what they accept
_SMALLEST = 1 << 10  # slots, a power of two


class Seen:
    """The events of one object so far, as 64-bit hashes of ids and contents. An event is only dropped if both match one
    before: by chance once in 10^26 pairs.

    An open-addressing table in two arrays (Knuth, TAOCP 3, 6.4, algorithm L): 32 bytes an event, where a dict of ids
    takes some 250, which would make the function's memory grow with the object.
    """

    def __init__(self, layout: Layout, fields: tuple[Field, ...]) -> None:
        self._identity = layout.reader(("app_id", "event_id"))
        self._sent = layout.slot["properties"]
        content = [field for field in fields if field.name not in TRANSPORT_FIELDS and field.name != "properties"]
        self._texts = layout.reader(field.name for field in content if field.accepts not in _AS_NUMBERS)
        self._numbers = layout.reader(field.name for field in content if field.accepts in _AS_NUMBERS)
        self._ids, self._contents = _empty(_SMALLEST), _empty(_SMALLEST)
        self._used = 0
        self._others: set[tuple[int, int]] = set()

    def judge(self, values: Values, properties: bytes) -> Verdict:
        """`properties` are the event's as canonical JSON. An event without an id is always new."""
        identity = self._identity(values)
        if identity[1] is None:
            return "new"
        sent = values[self._sent]
        if not TRANSPORT_PROPERTIES.isdisjoint(sent):
            properties = _without_transport(sent)
        key = hash(identity) or 1  # 0 is an empty slot
        # Numbers as text: Python's hash of -1 is that of -2.
        content = hash((properties, self._texts(values), repr(self._numbers(values))))
        ids, mask = self._ids, len(self._ids) - 1
        at = key & mask
        while (found := ids[at]) and found != key:
            at = (at + 1) & mask
        if not found:
            ids[at], self._contents[at] = key, content
            self._used += 1
            if 2 * self._used > mask:
                self._grow()
            return "new"
        if self._contents[at] == content or (key, content) in self._others:
            return "duplicate"
        self._others.add((key, content))
        return "other"

    def _grow(self) -> None:
        ids, contents = self._ids, self._contents
        self._ids, self._contents = _empty(2 * len(ids)), _empty(2 * len(ids))
        mask = len(self._ids) - 1
        for key, content in zip(ids, contents, strict=True):
            if key:
                at = key & mask
                while self._ids[at]:
                    at = (at + 1) & mask
                self._ids[at], self._contents[at] = key, content


def _empty(size: int) -> "array[int]":
    return array("q", bytes(8 * size))


def _without_transport(sent: dict[str, Any]) -> bytes:
    return canonical({name: value for name, value in sent.items() if name not in TRANSPORT_PROPERTIES})
