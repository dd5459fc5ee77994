"""The wire between the endpoint and a worker: frames of a 4-byte big-endian length and that much JSON."""

import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct(">I")


def send(pipe: IO[bytes], message: dict[str, Any]) -> None:
    data = json.dumps(message, separators=(",", ":")).encode()
    pipe.write(_LENGTH.pack(len(data)) + data)
    pipe.flush()


def receive(pipe: IO[bytes]) -> dict[str, Any] | None:
    """The next message, or None when the other side has gone."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        return None
    message: dict[str, Any] = json.loads(data)
    return message
