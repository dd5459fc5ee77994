"""Encryption with keys that the client brings with each request (SSE-C).

docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html. The key is never kept, only its
MD5, which the answers repeat. The bytes on the disk are AES-256 in counter mode, so that a range can be read by itself.
Each segment (an object, or a part of one) begins at a counter that key and content make, as RFC 5297 does it: no two
contents share one, and the same part sent twice is the same. It is also the segment's ETag.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from localaws.errors import AwsError
from localaws.wire import Parameters

_BLOCK = 16
_KEY_SIZE = 32
_MUST = "Requests specifying Server Side Encryption with Customer provided keys must provide "

Segments = Sequence[tuple[int, str]]
"""(size, first counter in hex) of each segment."""


@dataclass(frozen=True, slots=True)
class Cipher:
    key: bytes
    segments: Segments

    def __call__(self, position: int, piece: bytes) -> bytes:
        """`piece`, which begins at `position` of the object: encrypted if it was plain, plain if it was encrypted."""
        # Here, not above: few need it, and `clicklake up` must not wait for it.
        from cryptography.hazmat.primitives.ciphers import Cipher as Aes
        from cryptography.hazmat.primitives.ciphers.algorithms import AES256
        from cryptography.hazmat.primitives.ciphers.modes import CTR

        done = b""
        for counter, offset, part in self._split(position, piece):
            start = (int(counter, 16) + offset // _BLOCK) % 2 ** (8 * _BLOCK)
            stream = Aes(AES256(self.key), CTR(start.to_bytes(_BLOCK, "big"))).encryptor()
            stream.update(bytes(offset % _BLOCK))
            done += stream.update(part)
        return done

    def _split(self, position: int, piece: bytes) -> Iterator[tuple[str, int, bytes]]:
        """(first counter, offset in the segment, bytes) of each segment that the piece touches."""
        for size, counter in self.segments:
            if 0 <= position < size:
                part, piece = piece[: size - position], piece[size - position :]
                yield counter, position, part
                position += len(part)
            position -= size


def counter_of(key: bytes, sha256: bytes) -> str:
    """The first counter of a segment whose content has this hash."""
    return hmac.digest(key, sha256, "sha256")[:_BLOCK].hex()


def key_of(p: Parameters, prefix: str = "") -> bytes | None:
    """The key that the request brings, None if it brings none. `prefix`: "CopySource" for that of a copy's source."""
    algorithm, key, md5 = (p.get(f"{prefix}SSECustomer{name}") for name in ("Algorithm", "Key", "KeyMD5"))
    if (algorithm, key, md5) == (None, None, None):
        return None
    if algorithm is None:
        raise _invalid(_MUST + "a valid encryption algorithm.")
    if algorithm != "AES256":
        text = "The Encryption request you specified is not valid. Supported value: AES256."
        details = {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": algorithm}
        raise AwsError("InvalidEncryptionAlgorithmError", text, 400, **details)
    if not key:
        raise _invalid(_MUST + "an appropriate secret key.")
    if not md5:
        raise _invalid(_MUST + "the client calculated MD5 of the secret key.")
    try:
        raw = base64.b64decode(key, validate=True)
    except ValueError:
        raw = b""
    if len(raw) != _KEY_SIZE:
        raise _invalid("The secret key was invalid for the specified algorithm.")
    if _md5(raw) != md5:
        raise _invalid("The calculated MD5 hash of the key did not match the hash that was provided.")
    return raw


def fields_of(key: bytes) -> Parameters:
    """What is kept of the key, and answered."""
    return {"SSECustomerAlgorithm": "AES256", "SSECustomerKeyMD5": _md5(key)}


def key_for_reading(p: Parameters, fields: Mapping[str, Any], prefix: str = "") -> bytes | None:
    """The key of a stored object with these `fields`; None if it needs none. Raises if the request brings another."""
    key, kept = key_of(p, prefix), fields.get("SSECustomerKeyMD5")
    if kept is None and key is not None:
        raise AwsError("InvalidRequest", "The encryption parameters are not applicable to this object.")
    if kept is not None and key is None:
        text = "The object was stored using a form of Server Side Encryption. The correct parameters must be provided "
        raise AwsError("InvalidRequest", text + "to retrieve the object.")
    if key is not None and _md5(key) != kept:
        raise AwsError("AccessDenied", _MUST + "the correct secret key.", 403)
    return key


def key_for_part(p: Parameters, fields: Mapping[str, Any]) -> bytes | None:
    """The key of an upload with these `fields`."""
    key, kept = key_of(p), fields.get("SSECustomerKeyMD5")
    if (kept is None) != (key is None):
        text = "The multipart upload initiate requested encryption. Subsequent part requests must include the "
        raise AwsError("InvalidRequest", text + "appropriate encryption parameters.")
    if (_md5(key) if key else None) != kept:
        text = "The provided encryption parameters did not match the ones used originally."
        raise AwsError("InvalidRequest", text)
    return key


def _md5(key: bytes) -> str:
    return base64.b64encode(hashlib.md5(key, usedforsecurity=False).digest()).decode()


def _invalid(text: str) -> AwsError:
    return AwsError("InvalidArgument", text, 400, ArgumentName="x-amz-server-side-encryption")
