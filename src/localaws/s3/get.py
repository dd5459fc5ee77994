"""Reading objects: get, head, attributes."""

from typing import Any

from localaws.errors import AwsError
from localaws.s3 import checksums as s3_checksums
from localaws.s3 import conditions as s3_conditions
from localaws.s3 import versions as s3_versions
from localaws.s3.customer_keys import Cipher, key_for_reading
from localaws.s3.objects import Objects
from localaws.s3.rows import Description, Stored
from localaws.s3.wire import STATUS
from localaws.wire import FileSlice, Parameters

_OVERRIDES = ("CacheControl", "ContentDisposition", "ContentEncoding", "ContentLanguage", "ContentType", "Expires")
_ATTRIBUTES = frozenset({"ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"})
_MOST_PARTS = 1000


class Get:
    def __init__(self, objects: Objects) -> None:
        self._objects = objects

    def get_object(self, p: Parameters) -> Parameters:
        stored, file = self._objects.open(p["Bucket"], p["Key"], s3_versions.wanted(p))
        try:
            key = key_for_reading(p, stored.description.fields)
            start, length, answer = self._answer(p, stored)
        except AwsError:
            file.close()
            raise
        if answer.get(STATUS) == 304:
            file.close()
            return answer
        cipher = None if key is None else Cipher(key, stored.description.sealed)
        return {**answer, "Body": FileSlice(file, start, length, cipher)}

    def head_object(self, p: Parameters) -> Parameters:
        stored = self._objects.get(p["Bucket"], p["Key"], s3_versions.wanted(p))
        key_for_reading(p, stored.description.fields)
        _, _, answer = self._answer(p, stored)
        return answer

    def _answer(self, p: Parameters, stored: Stored) -> tuple[int, int, Parameters]:
        """(start, length, GetObject's or HeadObject's answer without the body)."""
        start, length, answer = _answer(p, stored, self._objects.now())
        return start, length, {**answer, "VersionId": self._objects.shown_version(p["Bucket"], stored)}

    def get_object_attributes(self, p: Parameters) -> Parameters:
        stored = self._objects.get(p["Bucket"], p["Key"], s3_versions.wanted(p))
        key_for_reading(p, stored.description.fields)
        wanted = set(p["ObjectAttributes"])
        if wanted - _ATTRIBUTES:
            raise AwsError("InvalidArgument", "Invalid attribute name specified.")
        description = stored.description
        all_of_them = {
            "ETag": stored.etag,
            "Checksum": _attribute(description) or None,
            "ObjectParts": _parts(p, stored) if description.parts else None,
            "StorageClass": description.fields.get("StorageClass", "STANDARD"),
            "ObjectSize": stored.size,
        }
        identity = {"LastModified": stored.modified, "VersionId": self._objects.shown_version(p["Bucket"], stored)}
        return identity | {name: all_of_them[name] for name in wanted}


def _answer(p: Parameters, stored: Stored, now: float) -> tuple[int, int, Parameters]:
    identity: Parameters = {"ETag": f'"{stored.etag}"', "LastModified": stored.modified}
    if s3_conditions.is_unchanged(p, stored.etag, stored.modified, now):
        return 0, 0, {STATUS: 304, **identity}
    start, length, partial = _slice(p, stored)
    description = stored.description
    answer = {
        **description.fields,
        **_overrides(p),
        **identity,
        **partial,
        "AcceptRanges": "bytes",
        "ContentLength": length,
        "TagCount": len(description.tags) or None,
    }
    if p.get("ChecksumMode", "").upper() == "ENABLED" and (length == stored.size or "PartNumber" in p):
        answer |= _checksum(p.get("PartNumber"), stored)
    return start, length, answer


def _overrides(p: Parameters) -> Parameters:
    """Headers that the client wants in the answer: what a header can't say is refused, as S3 does."""
    wanted = {name: p[f"Response{name}"] for name in _OVERRIDES if f"Response{name}" in p}
    for value in wanted.values():
        if any(not " " <= character <= "\xff" for character in value):
            text = "Header value cannot be represented using ISO-8859-1."
            raise AwsError("InvalidArgument", text, 400, ArgumentValue=value)
    return wanted


def _checksum(number: int | None, stored: Stored) -> Parameters:
    """The object's, or that of the part which is asked for, if S3 keeps one: not of parts of an object whose checksum
    is that of all its bytes, unless it is the only one."""
    description = stored.description
    for part in description.parts if number else ():
        if part["PartNumber"] == number:
            own = {name: part[field] for name, field in s3_checksums.FIELDS.items() if field in part}
            is_kept = description.checksum_type == "COMPOSITE" or len(description.parts) == 1
            return s3_checksums.fields(own, description.checksum_type) if is_kept else {}
    return s3_checksums.fields(description.checksums, description.checksum_type)


def _attribute(description: Description) -> Parameters:
    """GetObjectAttributes tells a checksum of parts without their number."""
    values = {name: value.partition("-")[0] for name, value in description.checksums.items()}
    return s3_checksums.fields(values, description.checksum_type)


def _slice(p: Parameters, stored: Stored) -> tuple[int, int, Parameters]:
    if "PartNumber" in p:
        if p.get("Range"):
            raise AwsError("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        return _part(p["PartNumber"], stored)
    slice_ = s3_conditions.slice_of(p.get("Range"), stored.size)
    if slice_ is None:
        return 0, stored.size, {}
    start, length = slice_
    return start, length, {STATUS: 206, "ContentRange": f"bytes {start}-{start + length - 1}/{stored.size}"}


def _part(number: int, stored: Stored) -> tuple[int, int, Parameters]:
    """A part of a multipart object; of any other object the first part is all of it."""
    parts = stored.description.parts
    start = 0
    for part in parts or ({"PartNumber": 1, "Size": stored.size},):
        length: int = part["Size"]
        if part["PartNumber"] == number:
            extra: Parameters = {STATUS: 206, "PartsCount": len(parts) or None}
            if length:
                extra["ContentRange"] = f"bytes {start}-{start + length - 1}/{stored.size}"
            return start, length, extra
        start += length
    details = {"PartNumberRequested": str(number), "ActualPartCount": str(len(parts) or 1)}
    raise AwsError("InvalidPartNumber", "The requested partnumber is not satisfiable", 416, **details)


def _parts(p: Parameters, stored: Stored) -> dict[str, Any]:
    """The parts, of which only those with checksums are listed, as on AWS."""
    marker, limit = p.get("PartNumberMarker", 0), min(p.get("MaxParts", _MOST_PARTS), _MOST_PARTS)
    parts = stored.description.parts
    left = [dict(part) for part in parts if part["PartNumber"] > marker]
    listed = left[:limit]
    answer: dict[str, Any] = {"TotalPartsCount": len(parts)}
    if stored.description.checksum_type == "FULL_OBJECT":
        return answer
    return answer | {
        "PartNumberMarker": marker,
        "NextPartNumberMarker": listed[-1]["PartNumber"] if listed else 0,
        "MaxParts": limit,
        "IsTruncated": len(left) > limit,
        "Parts": listed,
    }
