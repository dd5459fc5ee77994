"""From an upload's parameters to what is kept of it beside its bytes: content headers, user metadata, tags. Pure."""

import re
from collections.abc import Mapping, Sequence
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from typing import Any
from urllib.parse import parse_qsl

from localaws.errors import AwsError
from localaws.s3 import tags as s3_tags
from localaws.s3.customer_keys import fields_of as customer_fields_of
from localaws.s3.customer_keys import key_of
from localaws.wire import Parameters

# Members of PutObject, CopyObject and CreateMultipartUpload that GetObject and HeadObject answer as they were put.
_KEPT = (
    "CacheControl",
    "ContentDisposition",
    "ContentEncoding",
    "ContentLanguage",
    "ContentType",
    "Expires",
    "Metadata",
    "StorageClass",
    "WebsiteRedirectLocation",
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "BucketKeyEnabled",
)
ENCRYPTION = (
    "ServerSideEncryption",
    "SSEKMSKeyId",
    "BucketKeyEnabled",
    "SSECustomerAlgorithm",
    "SSECustomerKeyMD5",
)
LOCK = "ObjectLock"
"""Among an operation's parameters: the lock that what it makes will have."""
BUCKETS_ENCRYPTION = "BucketEncryption"
"""Among an operation's parameters: the members that its bucket's default encryption sets."""
_STORAGE_CLASSES = frozenset(
    {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE"}
    | {"GLACIER_IR"}
)
_ENCRYPTIONS = frozenset({"AES256", "aws:kms", "aws:kms:dsse"})
# Promises that this endpoint can't keep, so it does not take them.
_REFUSED = {
    "WriteOffsetBytes": "appending to an object",
}
_CHUNKED = re.compile(r"aws-chunked\s*,?\s*")  # a coding of the transfer, not of the object
_MOST_METADATA = 2048
_MOST_TAGS = 10


def fields_of(p: Parameters) -> Parameters:
    """The members of `p` that are kept.

    ServerSideEncryption is answered as on AWS, where every object has one; the files here are plain, but for those with
    a customer's key.
    """
    refuse_unsupported(p)
    fields = {name: p[name] for name in _KEPT if p.get(name)}
    if "Metadata" in fields:
        fields["Metadata"] = {name: _plain(value) for name, value in fields["Metadata"].items()}
    fields.setdefault("ContentType", "binary/octet-stream")
    _check_alone(p)
    if (key := key_of(p)) is not None:
        fields |= customer_fields_of(key)
    elif "ServerSideEncryption" not in fields and "SSEKMSKeyId" not in fields:
        fields |= p.get(BUCKETS_ENCRYPTION, {"ServerSideEncryption": "AES256"})
    if kept := _CHUNKED.sub("", fields.pop("ContentEncoding", "")).strip(", "):
        fields["ContentEncoding"] = kept
    if fields.pop("StorageClass", "STANDARD") != "STANDARD":
        fields["StorageClass"] = p["StorageClass"]
    _check(p)
    lock: Parameters = p.get(LOCK, {})
    return fields | lock


def is_sealed_anew(p: Parameters, fields: Mapping[str, Any]) -> bool:
    """Does a copy of what has `fields` get another encryption because nothing is said of it, or because its bucket says
    so? S3 then takes the copy of an object to itself."""
    return fields.get("ServerSideEncryption", "AES256") != "AES256" or BUCKETS_ENCRYPTION in p


def encryption(fields: Mapping[str, Any]) -> Parameters:
    """What the answer to an upload tells of the object's encryption."""
    return {name: fields.get(name) for name in ENCRYPTION}


def _plain(value: str) -> str:
    """S3 keeps as plain text what is said in RFC 2047's way without need; what needs it stays as it came."""
    if not value.startswith("=?"):
        return value
    try:
        plain = str(make_header(decode_header(value)))
    except (ValueError, LookupError, HeaderParseError):
        return value
    return plain if plain.isascii() and plain.isprintable() else value


def refuse_unsupported(p: Parameters) -> None:
    for member, what in _REFUSED.items():
        if p.get(member) is not None:
            raise AwsError("NotImplemented", f"{what} is not implemented", 501)


def _check(p: Parameters) -> None:
    if p.get("StorageClass", "STANDARD") not in _STORAGE_CLASSES:
        text = "The storage class you specified is not valid"
        raise AwsError("InvalidStorageClass", text, 400, StorageClassRequested=p["StorageClass"])
    if p.get("ServerSideEncryption", "AES256") not in _ENCRYPTIONS:
        raise AwsError("InvalidArgument", "The encryption method specified is not supported")
    if p.get("SSEKMSKeyId") and not p.get("ServerSideEncryption", "").startswith("aws:kms"):
        text = "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : "
        raise AwsError("InvalidArgument", text + "aws:kms", 400, ArgumentName="x-amz-server-side-encryption")
    size = sum(len(name) + len(value.encode()) for name, value in p.get("Metadata", {}).items())
    if size > _MOST_METADATA:
        details = {"Size": str(size), "MaxSizeAllowed": str(_MOST_METADATA)}
        raise AwsError(
            "MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400, **details
        )


def _check_alone(p: Parameters) -> None:
    if p.get("SSECustomerAlgorithm") and (p.get("ServerSideEncryption") or p.get("SSEKMSKeyId")):
        text = "Server Side Encryption with Customer provided key is incompatible with the encryption method specified"
        details = {"ArgumentName": "x-amz-server-side-encryption", "ArgumentValue": p.get("ServerSideEncryption", "")}
        raise AwsError("InvalidArgument", text, 400, **details)


def tags_of_header(header: str | None) -> dict[str, str]:
    """The x-amz-tagging header: a query string."""
    pairs = parse_qsl(header or "", keep_blank_values=True)
    is_raw = any(pair.count("=") > 1 for pair in (header or "").split("&"))  # "a=1,b=2" is no query string of two
    if is_raw or len({name for name, _ in pairs}) < len(pairs):
        text = "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag "
        given = {"ArgumentName": "x-amz-tagging", "ArgumentValue": header or ""}
        raise AwsError("InvalidArgument", text + "name duplicates.", 400, **given)
    return _checked_tags(pairs)


def tags_of_document(tagging: Parameters) -> dict[str, str]:
    return _checked_tags([(tag["Key"], tag["Value"]) for tag in tagging["TagSet"]])


def _checked_tags(tags: Sequence[tuple[str, str]]) -> dict[str, str]:
    if len(tags) > _MOST_TAGS:
        raise AwsError("BadRequest", "Object tags cannot be greater than 10")
    s3_tags.check(tags, "Your TagKey cannot be prefixed with aws:")
    return dict(tags)
