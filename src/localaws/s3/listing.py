"""Listings, a page at a time, in byte order. Pure: what there is comes from a `Scan`.

A page costs what is on it, not what lies under the prefix: after a common prefix the walk jumps behind all its keys.
docs.aws.amazon.com/AmazonS3/latest/userguide/ListingKeysUsingAPIs.html.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar
from urllib.parse import quote

from localaws.errors import AwsError
from localaws.s3 import versions as s3_versions
from localaws.s3.access import BUCKET_OWNER
from localaws.s3.accounts import owner
from localaws.s3.rows import Stored, Version, after_prefix
from localaws.wire import Parameters

MOST = 1000


class Keyed(Protocol):
    @property
    def key(self) -> str: ...


T = TypeVar("T", bound=Keyed)
Scan = Callable[[bytes, bytes | None, int], Iterator[T]]
"""(start, stop, at most): those with start <= key < stop, in byte order."""
Versions = Callable[[bytes, bytes | None, int | None, int], Iterator[Version]]
"""(start, stop, before, at most): the same of all versions, the newest of a key first; of the key `start` only those
that were born before the change `before`, if it is given."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`last` is the last key or common prefix on it: the next page begins after that."""

    found: list[T]
    prefixes: list[str]
    last: str
    truncated: bool


def page(scan: Scan[T], prefix: str, delimiter: str, after: str, limit: int, within: bool = False) -> Page[T]:
    """At most `limit` keys and common prefixes that follow `after` ("": from the beginning). `within`: the key `after`
    itself may have more to list."""
    found: list[T] = []
    prefixes: list[str] = []
    begin = _behind(after, prefix, delimiter, within)
    last, start, stop = after, max(prefix.encode(), begin), after_prefix(prefix.encode())
    jumped = limit > 0
    while jumped:
        jumped = False
        for item in scan(start, stop, limit - len(found) - len(prefixes) + 1):
            if len(found) + len(prefixes) == limit:
                return Page(found, prefixes, last, True)
            common = common_prefix(item.key, prefix, delimiter)
            if common is not None:
                prefixes.append(common)
                last, start, jumped = common, _behind(common, prefix, delimiter), True
                break
            found.append(item)
            last = item.key
    return Page(found, prefixes, last, False)


def common_prefix(key: str, prefix: str, delimiter: str) -> str | None:
    """The key up to its first delimiter after the prefix; None if it has none."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return None if end < 0 else key[: end + len(delimiter)]


def _behind(after: str, prefix: str, delimiter: str, within: bool = False) -> bytes:
    """Where to go on after a key or a common prefix. A key inside a common prefix counts as that: it was listed."""
    common = common_prefix(after, prefix, delimiter) if after.startswith(prefix) else None
    if common is None:
        return after.encode() + (b"" if within else b"\0") if after else b""
    behind = after_prefix(common.encode())
    assert behind is not None  # no UTF-8 text ends with the byte 0xff
    return behind


def list_objects(p: Parameters, scan: Scan[Stored]) -> Parameters:
    limit, text = limit_of(p, "MaxKeys"), text_of(p)
    got = page(scan, p.get("Prefix", ""), p.get("Delimiter", ""), p.get("Marker", ""), limit)
    more = got.truncated and p.get("Delimiter")
    return {
        "Name": p["Bucket"],
        "Prefix": text(p.get("Prefix", "")),
        "Marker": text(p.get("Marker", "")),
        "NextMarker": text(got.last) if more else None,
        "Contents": [_content(item, text) | _owner(item, p) for item in got.found],
        **_shared(p, got, limit, text),
    }


def list_objects_v2(p: Parameters, scan: Scan[Stored]) -> Parameters:
    limit, text = limit_of(p, "MaxKeys"), text_of(p)
    continued = "ContinuationToken" in p  # which decides over StartAfter, as S3 does
    after = _read_token(p["ContinuationToken"]) if continued else p.get("StartAfter", "")
    got = page(scan, p.get("Prefix", ""), p.get("Delimiter", ""), after, limit)
    return {
        "Name": p["Bucket"],
        "Prefix": text(p.get("Prefix", "")),
        "StartAfter": text(p["StartAfter"]) if "StartAfter" in p and not continued else None,
        "ContinuationToken": p.get("ContinuationToken"),
        "NextContinuationToken": _token(got.last) if got.truncated else None,
        "KeyCount": len(got.found) + len(got.prefixes),
        "Contents": [_content(item, text) | (_owner(item, p) if p.get("FetchOwner") else {}) for item in got.found],
        **_shared(p, got, limit, text),
    }


def list_object_versions(p: Parameters, versions: Versions, change_of: Callable[[str, str], int | None]) -> Parameters:
    """`change_of(key, version)`: the change that made it; None if that can't be told any more, and then the key is
    listed from its newest version on: whoever deletes page by page misses none."""
    limit, encoded = limit_of(p, "MaxKeys"), text_of(p)
    after, marker = p.get("KeyMarker", ""), _version_marker(p)
    before = change_of(after, marker) if marker else None

    def scan(start: bytes, stop: bytes | None, most: int) -> Iterator[Version]:
        return versions(start, stop, before if start == after.encode() else None, most)

    got = page(scan, p.get("Prefix", ""), p.get("Delimiter", ""), after, limit, within=marker != "")
    ended_in_key = got.truncated and got.found and got.found[-1].key == got.last
    return {
        "Name": p["Bucket"],
        "Prefix": encoded(p.get("Prefix", "")),
        "KeyMarker": encoded(after),
        "VersionIdMarker": marker,
        "NextKeyMarker": encoded(got.last) if got.truncated else None,
        "NextVersionIdMarker": got.found[-1].stored.version if ended_in_key else None,
        "Versions": [_content(v.stored, encoded) | _version(v, p) for v in got.found if not v.stored.is_marker],
        "DeleteMarkers": [_marker(v, encoded, p) for v in got.found if v.stored.is_marker],
        **_shared(p, got, limit, encoded),
    }


def _version_marker(p: Parameters) -> str:
    marker: str = p.get("VersionIdMarker", "")
    if marker and not p.get("KeyMarker"):
        text = "A version-id marker cannot be specified without a key marker."
        raise AwsError("InvalidArgument", text, 400, ArgumentName="version-id-marker", ArgumentValue=marker)
    s3_versions.wanted({"VersionId": marker or None})
    return marker


def _version(version: Version, p: Parameters) -> Parameters:
    return {"VersionId": version.stored.version, "IsLatest": version.is_latest} | _owner(version.stored, p)


def _marker(version: Version, text: Callable[[str], str], p: Parameters) -> Parameters:
    return {"Key": text(version.key), "LastModified": version.stored.modified} | _version(version, p)


def _owner(stored: Stored, p: Parameters) -> Parameters:
    return {"Owner": owner(stored.description.access.get("Owner", p[BUCKET_OWNER]))}


def _shared(p: Parameters, got: Page[T], limit: int, text: Callable[[str], str]) -> Parameters:
    return {
        "MaxKeys": limit,
        "Delimiter": text(p["Delimiter"]) if p.get("Delimiter") else None,
        "EncodingType": p.get("EncodingType"),
        "IsTruncated": got.truncated,
        "CommonPrefixes": [{"Prefix": text(prefix)} for prefix in got.prefixes],
    }


def _content(item: Stored, text: Callable[[str], str]) -> Parameters:
    checksums = item.description.checksums
    return {
        "Key": text(item.key),
        "LastModified": item.modified,
        "ETag": f'"{item.etag}"',
        "ChecksumAlgorithm": list(checksums),
        "ChecksumType": item.description.checksum_type if checksums else None,
        "Size": item.size,
        "StorageClass": item.description.fields.get("StorageClass", "STANDARD"),
    }


def limit_of(p: Parameters, member: str) -> int:
    """How many the client wants, MOST at most."""
    limit = int(p.get(member, MOST))
    if not 0 <= limit < 2**31:
        name = {"MaxKeys": "max-keys", "MaxUploads": "max-uploads", "MaxParts": "max-parts"}[member]
        text = f"Argument {name.replace('-k', 'K')} must be an integer between 0 and 2147483647"
        raise AwsError("InvalidArgument", text, 400, ArgumentName=name, ArgumentValue=str(limit))
    return min(limit, MOST)


def text_of(p: Parameters) -> Callable[[str], str]:
    """How names are written: as they are, or URL-encoded when the client wants (XML can't hold every character)."""
    encoding = p.get("EncodingType")
    if encoding not in {None, "url"}:
        text = "Invalid Encoding Method specified in Request"
        raise AwsError("InvalidArgument", text, 400, ArgumentName="encoding-type", ArgumentValue=str(encoding))
    return str if encoding is None else lambda name: quote(name, safe="/*")


def _token(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        last = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as e:
        raise _bad_token(token) from e
    if not last:
        raise _bad_token(token)
    return last


def _bad_token(token: str) -> AwsError:
    text = "The continuation token provided is incorrect"
    given = {"ArgumentValue": token} if token else {}
    return AwsError("InvalidArgument", text, 400, ArgumentName="continuation-token", **given)
