"""What an object's bytes must add up to: its ETag, Content-MD5 and the x-amz-checksum-* values.

Every byte is read once: `measure` runs MD5 (the ETag) and all checksums that are wanted side by side. An upload without
a checksum gets a CRC64NVME, as on AWS
(docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html).
"""

import base64
import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from awscrt import checksums as crt

from localaws.checksums import ALGORITHMS
from localaws.errors import AwsError
from localaws.wire import Body, Parameters

DEFAULT = "CRC64NVME"
# The algorithm's name in S3's enumeration, and the member of requests and answers that carries its value.
FIELDS = {name.upper(): f"Checksum{name.upper()}" for name in ALGORITHMS}
# A multipart object's checksum is of the whole object or of its parts' checksums ("COMPOSITE"); the user guide's table
# says which algorithm can be which. The first is the default.
TYPES: Mapping[str, tuple[str, ...]] = {
    "CRC32": ("COMPOSITE", "FULL_OBJECT"),
    "CRC32C": ("COMPOSITE", "FULL_OBJECT"),
    "CRC64NVME": ("FULL_OBJECT",),
    "SHA1": ("COMPOSITE",),
    "SHA256": ("COMPOSITE",),
}
_COMBINE = {"CRC32": crt.combine_crc32, "CRC32C": crt.combine_crc32c, "CRC64NVME": crt.combine_crc64nvme}
_UNKNOWN = ("ChecksumSHA512", "ChecksumMD5", "ChecksumXXHASH64", "ChecksumXXHASH3", "ChecksumXXHASH128")
_PIECE = 2**20


@dataclass(frozen=True, slots=True)
class Measured:
    """`md5` raw; `checksums` by algorithm, base64 as on the wire."""

    size: int
    md5: bytes
    checksums: Mapping[str, str]


def measure(body: Body, algorithms: Collection[str]) -> Measured:
    """Read `body` once."""
    md5 = hashlib.md5(usedforsecurity=False)
    running = {name: ALGORITHMS[name.lower()]() for name in algorithms}
    size = 0
    for piece in _pieces(body):
        size += len(piece)
        for digest in (md5, *running.values()):
            digest.update(piece)
    return Measured(size, md5.digest(), {name: _text(digest.digest()) for name, digest in running.items()})


def _pieces(body: Body) -> Iterator[bytes]:
    if body.file is None:
        yield body.data
        return
    with body.file.open("rb", buffering=0) as file:
        while piece := file.read(_PIECE):
            yield piece


def _text(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def wanted(p: Parameters) -> str:
    """The algorithm that an upload's parameters ask for: by its value, by its name, or none: the default.

    Raises InvalidRequest for two values at once, a value that can't be one, or a name without a value.
    """
    if any(p.get(field) for field in _UNKNOWN):
        raise AwsError("NotImplemented", "Checksums are CRC32, CRC32C, CRC64NVME, SHA1 and SHA256 here", 501)
    given = [name for name, field in FIELDS.items() if p.get(field)]
    if len(given) > 1:
        text = "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
        raise AwsError("InvalidRequest", text)
    named = str(p.get("ChecksumAlgorithm") or "").upper()
    if named and named not in FIELDS:
        raise AwsError("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
    if given and named and given != [named]:
        raise AwsError("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")
    return given[0] if given else named or DEFAULT


def of_copy(p: Parameters, source: Mapping[str, str]) -> str:
    """The algorithm of a copy: what its request asks for, else its source's. Raises InvalidRequest."""
    return wanted({"ChecksumAlgorithm": p.get("ChecksumAlgorithm") or next(iter(source), DEFAULT)})


def verify(p: Parameters, measured: Measured) -> None:
    """The Content-MD5 and the checksum value among `p` must be those of the bytes that came: else BadDigest."""
    if p.get("ContentMD5") is not None:
        if len(_raw(p["ContentMD5"])) != 16:
            named = {"Content-MD5": p["ContentMD5"]}
            raise AwsError("InvalidDigest", "The Content-MD5 you specified was invalid.", 400, **named)
        if _raw(p["ContentMD5"]) != measured.md5:
            text = "The Content-MD5 you specified did not match what we received."
            digests = {"ExpectedDigest": _raw(p["ContentMD5"]).hex(), "CalculatedDigest": _text(measured.md5)}
            raise AwsError("BadDigest", text, 400, **digests)
    for name, value in measured.checksums.items():
        given = p.get(FIELDS[name])
        if given is None or given == value:
            continue
        if len(_raw(given)) != len(_raw(value)):
            raise AwsError("InvalidRequest", f"Value for x-amz-checksum-{name.lower()} header is invalid.")
        raise AwsError("BadDigest", f"The {name} you specified did not match the calculated checksum.")


def _raw(text: str) -> bytes:
    """Base64 decoded; b"" if it is none."""
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        return b""


def etag_of_parts(md5s: Sequence[bytes]) -> str:
    """`<md5 of the parts' md5s>-<number of parts>`, without quotes."""
    return f"{hashlib.md5(b''.join(md5s), usedforsecurity=False).hexdigest()}-{len(md5s)}"


def of_parts(algorithm: str, kind: str, parts: Iterable[tuple[str, int]]) -> str:
    """A multipart object's checksum from its parts' (checksum, size), without reading a byte again."""
    values = [(_raw(value), size) for value, size in parts]
    if kind == "COMPOSITE":
        digest = ALGORITHMS[algorithm.lower()]()
        digest.update(b"".join(value for value, _ in values))
        return f"{_text(digest.digest())}-{len(values)}"
    total = 0
    for value, size in values:
        total = _COMBINE[algorithm](total, int.from_bytes(value, "big"), size)
    return _text(total.to_bytes(len(values[0][0]), "big"))


def fields(checksums: Mapping[str, str], kind: str = "") -> Parameters:
    """The checksums as members of an answer."""
    answer: Parameters = {FIELDS[name]: value for name, value in checksums.items()}
    return answer | ({"ChecksumType": kind} if kind and checksums else {})
