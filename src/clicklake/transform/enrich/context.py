"""What is the same for every event of a raw object."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Context:
    """`buffer_ms` is the longest that Firehose holds an event back; `user_key` is None if ids are only removed."""

    received_ms: int
    buffer_ms: int
    user_key: bytes | None
    redact: Callable[[str], str]
