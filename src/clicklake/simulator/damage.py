"""Records that can't become events: what breaks on the way, and the type of failure that each must be.

Each makes exactly one record of DESIGN.md's kind that fails, and no two have the same bytes: all hold the event's id or
a number made of its time.
"""

from collections.abc import Callable
from dataclasses import dataclass

from clicklake.simulator.chance import Weighted
from clicklake.simulator.visits import Event

OVERSIZED = "longer than 1 MiB"
_LONGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Fault:
    """`failure_type` is clickstream_failed's word for it; `damage` makes the broken bytes of an event and its own."""

    weight: float
    failure_type: str
    damage: Callable[[Event, bytes], bytes]


def _truncated(_: Event, data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def _not_json(event: Event, _: bytes) -> bytes:
    return f"GET /collect?e={event.event_type}&id={event.fields['event_id']} HTTP/1.1".encode()


def _a_string(event: Event, _: bytes) -> bytes:
    return f'"{event.event_type}:{event.fields["event_id"]}"'.encode()


def _a_number(event: Event, _: bytes) -> bytes:
    return f"{event.sent:.6f}".encode()


def _an_array(event: Event, _: bytes) -> bytes:
    return f"[{event.sent:.6f}]".encode()


def _no_event_type(event: Event, data: bytes) -> bytes:
    return data.replace(f'"event_type":"{event.event_type}",'.encode(), b"")


def _empty_event_type(event: Event, data: bytes) -> bytes:
    return data.replace(f'"event_type":"{event.event_type}"'.encode(), b'"event_type":""')


def _an_objects_event_type(event: Event, data: bytes) -> bytes:
    named = f'"event_type":{{"name":"{event.event_type}"}}'
    return data.replace(f'"event_type":"{event.event_type}"'.encode(), named.encode())


def _not_utf8(_: Event, data: bytes) -> bytes:
    return data.replace(b'"page_title":"', b'"page_title":"\xff\xfe', 1)


def _too_deep(_: Event, data: bytes) -> bytes:
    return data.replace(b'"properties":{', b'"properties":{"tree":' + b"[" * 200 + b"]" * 200 + b",", 1)


def _oversized(_: Event, data: bytes) -> bytes:
    """A screenshot in base64, say. Firehose takes no such record at once; a sender that cuts it up gets it through."""
    return data.replace(b'"properties":{', b'"properties":{"screenshot":"' + b"QUJD" * (_LONGEST // 4) + b'",', 1)


FAULTS: dict[str, Fault] = {
    "truncated JSON": Fault(4, "decode_error", _truncated),
    "not JSON": Fault(2, "decode_error", _not_json),
    "a string": Fault(1, "not_an_object", _a_string),
    "a number": Fault(1, "not_an_object", _a_number),
    "an array of a number": Fault(1, "not_an_object", _an_array),
    "no event_type": Fault(3, "missing_field", _no_event_type),
    "empty event_type": Fault(2, "missing_field", _empty_event_type),
    "event_type is an object": Fault(2, "invalid_field", _an_objects_event_type),
    "invalid UTF-8": Fault(2, "decode_error", _not_utf8),
    "nested too deep": Fault(1, "decode_error", _too_deep),
    OVERSIZED: Fault(0, "too_large", _oversized),  # only where it is asked for: Plan.oversized
}
USUAL = Weighted((fault.weight, name) for name, fault in FAULTS.items() if fault.weight)
