"""Versions of objects: which status a bucket has, and what a version's id says. Pure, but for the bucket's row.

docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html. In a bucket that was never versioned, and in
one whose versioning is suspended, an object is written as its version "null"; a put overwrites that one and no other.

An id is opaque to clients. Inside it is the number of the change that made the version, so that a listing can go on
behind a version that was deleted meanwhile, and a check sum, so that what was never an id is refused as S3 does.
"""

import base64
import hashlib
import uuid
import zlib
from collections.abc import Callable

from localaws.errors import AwsError
from localaws.s3.buckets import Buckets
from localaws.s3.xml import malformed
from localaws.wire import Parameters

NULL = "null"
ENABLED = "Enabled"
STATUSES = frozenset({ENABLED, "Suspended"})
_ALTERNATIVE = b"._"  # what S3's ids have beside letters and digits


def new_id(change: int, ids: Callable[[], str]) -> str:
    """32 characters, as S3's."""
    content = change.to_bytes(8, "big") + uuid.UUID(ids()).bytes[:12]
    mask = _mask(content[8:])
    hidden = bytes(a ^ b for a, b in zip(content[:8], mask, strict=True)) + content[8:]
    return base64.b64encode(hidden + zlib.crc32(hidden).to_bytes(4, "big"), altchars=_ALTERNATIVE).decode()


def change_of(version: str) -> int | None:
    """The number of the change that made the version; None for what is no id."""
    try:
        content = base64.b64decode(version, altchars=_ALTERNATIVE, validate=True)
    except ValueError:
        return None
    if len(content) != 24 or zlib.crc32(content[:-4]).to_bytes(4, "big") != content[-4:]:
        return None
    return int.from_bytes(bytes(a ^ b for a, b in zip(content[:8], _mask(content[8:20]), strict=True)), "big")


def _mask(seed: bytes) -> bytes:
    """So that ids made one after the other don't look alike."""
    return hashlib.blake2b(seed, digest_size=8).digest()


def wanted(p: Parameters) -> str | None:
    """The version that a request names, None for the current one. Raises InvalidArgument."""
    version = p.get("VersionId")
    if version is None or version == NULL or change_of(version) is not None:
        return version
    text = "Invalid version id specified" if version else "Version id cannot be the empty string"
    raise AwsError("InvalidArgument", text, 400, ArgumentName="versionId", ArgumentValue=version)


def told(version: str) -> str | None:
    """What the answer to a write says: nothing of "null"."""
    return None if version == NULL else version


class Versioning:
    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

    def get_bucket_versioning(self, p: Parameters) -> Parameters:
        return {"Status": self._buckets.get(p["Bucket"]).versioning or None}

    def put_bucket_versioning(self, p: Parameters) -> Parameters:
        """Durable on return. MFA delete needs a device that nobody has here."""
        bucket = self._buckets.get(p["Bucket"])
        configuration = p.get("VersioningConfiguration", {})
        if configuration.get("MFADelete") == ENABLED:
            raise AwsError("NotImplemented", "MFA delete is not implemented", 501)
        if "Status" not in configuration:
            text = "The Versioning element must be specified"
            raise AwsError("IllegalVersioningConfigurationException", text)
        if configuration["Status"] not in STATUSES:
            raise malformed()
        if configuration["Status"] != ENABLED and "object-lock" in bucket.settings:
            text = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            raise AwsError("InvalidBucketState", text, 409)
        self._buckets.set_versioning(p["Bucket"], configuration["Status"])
        return {}
