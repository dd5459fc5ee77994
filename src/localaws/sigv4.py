"""Signature Version 4: is this request really from the owner of its access key, unchanged and recent?

Pure: a request head, the hash of its payload, the secret and the time go in; nothing or an AwsError comes out. After
docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html and, for S3's presigned URLs and
aws-chunked bodies, docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html and sigv4-streaming.html.

    claim(head)                  who the request says it is from: parsed, not yet believed
    check_time(...)              not skewed, not expired
    check_signature(...)         the signature is the one that the secret makes
    ChunkSigner                  the chain of signatures inside an aws-chunked body
"""

import functools
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, unquote, unquote_to_bytes

from localaws.errors import AwsError

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
MAX_SKEW_SECONDS = 15 * 60
MAX_PRESIGNED_SECONDS = 7 * 24 * 3600
_STAMP = re.compile("([0-9]{4})([0-9]{2})([0-9]{2})T([0-9]{2})([0-9]{2})([0-9]{2})Z")

Protocol = Literal["json", "rest-json", "query", "rest-xml", "rpc-v2-cbor"]
Trouble = Literal["missing", "malformed", "unknown key", "mismatch", "skewed", "expired", "ended", "denied"]

# The same trouble has another name and status in each protocol ("Common Errors" of the API references; S3's own list).
_ERRORS: dict[Trouble, dict[Protocol, tuple[str, int]]] = {
    "missing": {
        "json": ("MissingAuthenticationTokenException", 400),
        "rest-json": ("MissingAuthenticationTokenException", 403),
        "query": ("MissingAuthenticationToken", 403),
        "rest-xml": ("AccessDenied", 403),
    },
    "malformed": {
        "json": ("IncompleteSignatureException", 400),
        "rest-json": ("IncompleteSignatureException", 403),
        "query": ("IncompleteSignature", 400),
        "rest-xml": ("AuthorizationHeaderMalformed", 400),
    },
    "unknown key": {
        "json": ("UnrecognizedClientException", 400),
        "rest-json": ("UnrecognizedClientException", 403),
        "query": ("InvalidClientTokenId", 403),
        "rest-xml": ("InvalidAccessKeyId", 403),
    },
    "mismatch": {
        "json": ("InvalidSignatureException", 400),
        "rest-json": ("InvalidSignatureException", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "rest-xml": ("SignatureDoesNotMatch", 403),
    },
    "skewed": {
        "json": ("InvalidSignatureException", 400),
        "rest-json": ("InvalidSignatureException", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "rest-xml": ("RequestTimeTooSkewed", 403),
    },
    "expired": {
        "json": ("InvalidSignatureException", 400),
        "rest-json": ("InvalidSignatureException", 403),
        "query": ("SignatureDoesNotMatch", 403),
        "rest-xml": ("AccessDenied", 403),
    },
    "ended": {
        "json": ("ExpiredTokenException", 400),
        "rest-json": ("ExpiredTokenException", 403),
        "query": ("ExpiredToken", 403),
        "rest-xml": ("ExpiredToken", 400),
    },
    "denied": {
        "json": ("AccessDeniedException", 400),
        "rest-json": ("AccessDeniedException", 403),
        "query": ("AccessDenied", 403),
        "rest-xml": ("AccessDenied", 403),
    },
}


def refuse(trouble: Trouble, protocol: Protocol, message: str) -> AwsError:
    of_protocol = _ERRORS[trouble]
    code, status = of_protocol["json"] if protocol == "rpc-v2-cbor" else of_protocol[protocol]
    return AwsError(code, message, status)


@dataclass(frozen=True, slots=True)
class Head:
    """What of a request is signed, as on the wire; header names in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Claim:
    access_key: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    time: datetime
    session_token: str | None
    expires: int | None = None
    """Seconds that a presigned URL is good for; None for a signature in the headers."""

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def claim(head: Head, protocol: Protocol = "rest-xml") -> Claim | None:
    """What the request says of its sender, or None if it is not signed at all. AwsError, in `protocol`'s words, if it
    can't be read."""
    authorization = head.headers.get("authorization")
    is_presigned = "X-Amz-Signature=" in head.query or "X-Amz-Credential=" in head.query
    if authorization is not None:
        if is_presigned:
            raise AwsError("InvalidArgument", "Only one auth mechanism allowed")
        return _from_header(authorization, head.headers, protocol)
    if is_presigned:
        return _from_query(head)
    return None


def _from_header(authorization: str, headers: Mapping[str, str], protocol: Protocol) -> Claim:
    pairs = re.findall(r"(Credential|SignedHeaders|Signature)=([^,\s]+)", authorization)
    fields, stamp = dict(pairs), headers.get("x-amz-date", "")
    if not authorization.startswith(ALGORITHM + " ") or len(fields) != 3 or len(pairs) != 3:
        raise refuse("malformed", protocol, "The authorization header is not AWS4-HMAC-SHA256 with its three fields")
    return _claim(fields, stamp, headers.get("x-amz-security-token"), None, protocol)


def _from_query(head: Head) -> Claim:
    given = {unquote(name): unquote(value) for name, value in _pairs(head.query)}
    fields = {name: given.get(f"X-Amz-{name}", "") for name in ("Credential", "SignedHeaders", "Signature")}
    expires = given.get("X-Amz-Expires", "")
    if given.get("X-Amz-Algorithm") != ALGORITHM or not expires or not all(fields.values()):
        raise AwsError("AuthorizationQueryParametersError", "Query-string authentication needs all X-Amz-* parameters")
    if not re.fullmatch("[0-9]{1,6}", expires) or not 1 <= int(expires) <= MAX_PRESIGNED_SECONDS:
        raise AwsError("AuthorizationQueryParametersError", "X-Amz-Expires must be between 1 and 604800 seconds")
    return _claim(fields, given.get("X-Amz-Date", ""), given.get("X-Amz-Security-Token"), int(expires), "rest-xml")


def _claim(fields: Mapping[str, str], stamp: str, token: str | None, expires: int | None, protocol: Protocol) -> Claim:
    parts = fields["Credential"].split("/")
    try:
        time = _time(stamp)
        access_key, day, region, service, _terminator = parts[-5:]
    except ValueError as e:
        raise refuse("malformed", protocol, "The credential scope or the X-Amz-Date is malformed") from e
    names = tuple(fields["SignedHeaders"].lower().split(";"))
    return Claim(
        "/".join([*parts[:-5], access_key]), day, region, service, names, fields["Signature"], time, token, expires
    )


def _time(stamp: str) -> datetime:
    """strptime takes five times as long, which is a tenth of a small request. ValueError if it is no time."""
    found = _STAMP.fullmatch(stamp)
    if found is None:
        raise ValueError(stamp)
    year, month, day, hour, minute, second = map(int, found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def check_time(claim: Claim, now: float, protocol: Protocol) -> None:
    age = now - claim.time.timestamp()
    if claim.expires is not None:
        if age > claim.expires:
            raise refuse("expired", protocol, "Request has expired")
        if age < -MAX_SKEW_SECONDS:
            raise refuse("expired", protocol, "Request is not valid yet")
    elif abs(age) > MAX_SKEW_SECONDS:
        text = "The difference between the request time and the current time is too large."
        raise refuse("skewed", protocol, text if protocol == "rest-xml" else f"Signature expired: {text}")
    if claim.time.strftime("%Y%m%d") != claim.day:
        raise refuse("mismatch", protocol, "The date in the credential scope is not the date of the request")


def check_signature(claim: Claim, head: Head, payload_hash: str, secret: str, protocol: Protocol) -> None:
    """`payload_hash` is what the client signed: the body's SHA-256 in hex, UNSIGNED-PAYLOAD or a STREAMING-... word."""
    if "host" not in claim.signed_headers:
        raise refuse("malformed", protocol, "The host header must be signed")
    _check_all_signed(claim, head, protocol)
    request = "\n".join(
        (
            head.method,
            _canonical_path(head.path, claim.service),
            _canonical_query(head.query),
            "".join(f"{name}:{_trim(head.headers.get(name, ''))}\n" for name in claim.signed_headers),
            ";".join(claim.signed_headers),
            payload_hash,
        )
    )
    stamp = claim.time.strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(request.encode("latin-1", "replace")).hexdigest()
    text = "\n".join((ALGORITHM, stamp, claim.scope, digest))
    expected = _hmac(signing_key(secret, claim), text).hex()
    if not _equal(expected, claim.signature):
        raise refuse(
            "mismatch", protocol, "The request signature we calculated does not match the signature you provided"
        )


def _check_all_signed(claim: Claim, head: Head, protocol: Protocol) -> None:
    """No x-amz- header counts that is not signed: x-amz-copy-source would make a presigned PUT read any object, and
    x-amz-target another operation of a JSON request. What is implied in the signature or checked by itself may stay
    out."""
    implied = {"x-amz-content-sha256", "x-amz-date", "x-amz-security-token"}
    extra = {name for name in head.headers if name.startswith("x-amz-")} - implied - set(claim.signed_headers)
    if extra and claim.service != "s3":
        raise refuse("mismatch", protocol, f"{min(extra)!r} must be a 'SignedHeader' in the AWS Authorization.")
    if extra:
        text = "There were headers present in the request which were not signed"
        raise AwsError("AccessDenied", text, 403, HeadersNotSigned=", ".join(sorted(extra)))


def _equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def _canonical_path(path: str, service: str) -> str:
    """Each byte encoded once for S3, twice for all others, which also resolve "." and ".." (the guide's step 1). An
    encoded slash, in an ARN say, is none of those between the parts."""
    if path == "/":  # that of every service but S3 and Lambda
        return path
    if service == "s3":
        return quote(unquote_to_bytes(path), safe="/-_.~")
    once = "/".join(quote(unquote_to_bytes(part), safe="-_.~") for part in path.split("/"))
    return quote(once, safe="/-_.~")


def _canonical_query(query: str) -> str:
    pairs = [tuple(quote(unquote_to_bytes(part), safe="-_.~") for part in pair) for pair in _pairs(query)]
    return "&".join(f"{name}={value}" for name, value in sorted(pairs) if name != "X-Amz-Signature")


def _pairs(query: str) -> list[tuple[str, str]]:
    split = [part.partition("=") for part in query.split("&") if part]
    return [(name, value) for name, _, value in split]


def _trim(value: str) -> str:
    return " ".join(value.split())


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


def signing_key(secret: str, claim: Claim) -> bytes:
    return _signing_key(secret, claim.day, claim.region, claim.service)


@functools.lru_cache(maxsize=256)
def _signing_key(secret: str, day: str, region: str, service: str) -> bytes:
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        key = _hmac(key, part)
    return key


class ChunkSigner:
    """Each chunk's signature covers the one before it, beginning with the request's own (sigv4-streaming.html)."""

    def __init__(self, claim: Claim, secret: str) -> None:
        self._key = signing_key(secret, claim)
        self._prefix = (claim.time.strftime("%Y%m%dT%H%M%SZ"), claim.scope)
        self._previous = claim.signature

    def check_chunk(self, signature: str, data_sha256: str) -> None:
        self._check("AWS4-HMAC-SHA256-PAYLOAD", signature, EMPTY_SHA256, data_sha256)

    def check_trailer(self, signature: str, trailer: bytes) -> None:
        """`trailer`: the trailing headers but the signature, as `name:value\\n` lines."""
        self._check("AWS4-HMAC-SHA256-TRAILER", signature, hashlib.sha256(trailer).hexdigest())

    def _check(self, algorithm: str, signature: str, *hashes: str) -> None:
        expected = _hmac(self._key, "\n".join((algorithm, *self._prefix, self._previous, *hashes))).hex()
        if not _equal(expected, signature):
            raise refuse(
                "mismatch", "rest-xml", "The chunk signature we calculated does not match the one you provided"
            )
        self._previous = signature
