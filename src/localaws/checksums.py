"""S3's checksum algorithms, by the names that its headers use.

docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html; a value on the wire is base64 of the
big-endian digest.
"""

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import Protocol

from awscrt import checksums as crt


class Checksum(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc:
    """A running CRC with hashlib's interface."""

    def __init__(self, step: Callable[[bytes, int], int], length: int) -> None:
        self._step = step
        self._length = length
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = self._step(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(self._length, "big")


ALGORITHMS: dict[str, Callable[[], Checksum]] = {
    "crc32": lambda: _Crc(zlib.crc32, 4),
    "crc32c": lambda: _Crc(crt.crc32c, 4),
    "crc64nvme": lambda: _Crc(crt.crc64nvme, 8),
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


def of_header(header: str) -> Callable[[], Checksum] | None:
    """The algorithm of a header such as `x-amz-checksum-crc32`, None for any other header."""
    prefix, _, name = header.rpartition("-")
    return ALGORITHMS.get(name) if prefix == "x-amz-checksum" else None


def text(checksum: Checksum) -> str:
    return base64.b64encode(checksum.digest()).decode()
