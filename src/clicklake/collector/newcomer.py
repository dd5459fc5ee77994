"""The id of a visitor who has no cookie yet. It is made of the request's own first event, so that a request whose
answer was lost, cookie and all, is the same at its next try: an id by chance would make another event of it."""

import uuid
from collections.abc import Iterable

from clicklake.collector import body
from clicklake.collector.event import Event

_SPACE = uuid.UUID("82f46d1c-7a47-48d1-81bf-07f97e7d32d8")  # of these ids alone (RFC 9562, 5.5 and 6.6)
_SHORTEST = 16  # characters: "1" is many visitors' first event
_IDS = ("event_id", "messageId")
_TIMES = ("event_time", "timestamp", "ts", "event_ts", "originalTimestamp", "event_timestamp")


def id_of(events: Iterable[Event], app_id: str) -> str:
    """A UUID, version 5, of the app and the first event's id and time; empty if none of them has an id that is sure to
    be its own. Of an event that the visitor's id isn't for nothing is taken."""
    for event in events:
        if event.has_anonymous_id or event.voice == "other" or event.problem:
            continue
        said = body.value(event.text)
        named = next((said[name] for name in _IDS if said.get(name)), "")
        if isinstance(named, str) and len(named) >= _SHORTEST:
            when = next((said[name] for name in _TIMES if said.get(name)), "")
            return str(uuid.uuid5(_SPACE, ascii((app_id, named, when))))
    return ""
