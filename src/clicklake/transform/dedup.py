"""Repeats inside one object: producers retry, and Firehose delivers at least once.

The same `(app_id, event_id)` with equal content is a duplicate and dropped. Other content under the same id is another
event and gets an id of its own. What the transport adds to a retry is no content.
"""

from typing import Any, Literal

import orjson

from clicklake.transform.event import Fields

Verdict = Literal["new", "duplicate", "other"]

TRANSPORT_FIELDS = frozenset({"sent_time", "collector_time", "ip", "headers"})
RETRY_COUNTERS = frozenset({"attempt", "retries", "retry", "retry_count", "retryCount"})


class Seen:
    """The events of one object so far. Contents are kept as 64-bit hashes: 10^6 repeats of ids with other content
    in one object would meet a false match once in 10^13 objects."""

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._content = tuple(name for name in fields if name not in TRANSPORT_FIELDS and name != "properties")
        self._first: dict[tuple[str | None, str], int] = {}
        self._others: set[tuple[str | None, str, int]] = set()

    def judge(self, fields: Fields, properties: bytes) -> Verdict:
        """`properties` are the event's as canonical JSON. An event without an id is always new."""
        event_id = fields.get("event_id")
        if event_id is None:
            return "new"
        key = (fields.get("app_id"), event_id)
        content = hash((_without_counters(fields["properties"], properties), *map(fields.get, self._content)))
        first = self._first.get(key)
        if first is None:
            self._first[key] = content
            return "new"
        if first == content or (*key, content) in self._others:
            return "duplicate"
        self._others.add((*key, content))
        return "other"


def _without_counters(sent: dict[str, Any], properties: bytes) -> bytes:
    if RETRY_COUNTERS.isdisjoint(sent):
        return properties
    rest = {name: value for name, value in sent.items() if name not in RETRY_COUNTERS}
    return orjson.dumps(rest, option=orjson.OPT_SORT_KEYS)
