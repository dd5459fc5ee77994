"""Which bytes, and only if: ranges and conditional requests. Pure.

RFC 9110, sections 13.2.2 (precedence of the conditions) and 14.2 (ranges), with S3's own answers
(docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html).
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from localaws.errors import AwsError
from localaws.wire import Parameters

_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


def is_unchanged(p: Parameters, etag: str, modified: float, now: float) -> bool:
    """True: answer 304. Raises PreconditionFailed when If-Match or If-Unmodified-Since say so.

    `etag` is without quotes, `modified` and `now` in epoch seconds: S3 ignores an If-Modified-Since that lies ahead.
    """
    if p.get("IfMatch") is not None:
        if not _names(p["IfMatch"], etag):
            raise failed("If-Match")
    elif (since := _moment(p.get("IfUnmodifiedSince"))) is not None and int(modified) > since:
        raise failed("If-Unmodified-Since")
    if p.get("IfNoneMatch") is not None:
        return _names(p["IfNoneMatch"], etag)
    since = _moment(p.get("IfModifiedSince"))
    return since is not None and int(modified) <= since <= now


def check_source(p: Parameters, etag: str, modified: float, now: float) -> None:
    """The x-amz-copy-source-if-* conditions: each that fails is a PreconditionFailed."""
    member, header = "CopySource", "x-amz-copy-source-"
    own = {name.removeprefix(member): value for name, value in p.items() if name.startswith(member + "If")}
    try:
        unchanged = is_unchanged(own, etag, modified, now)
    except AwsError as e:
        raise failed(header + e.details["Condition"]) from e
    if unchanged:
        raise failed(header + ("If-None-Match" if "IfNoneMatch" in own else "If-Modified-Since"))


def check_writing(p: Parameters) -> None:
    """A write has one condition, If-None-Match: * or If-Match with an ETag; S3 refuses all others."""
    given = [name for name, member in (("If-Match", "IfMatch"), ("If-None-Match", "IfNoneMatch")) if p.get(member)]
    if len(given) > 1:
        raise _not_implemented(given, "Multiple conditional request headers present in the request")
    if given and (p.get("IfMatch") == "*" or p.get("IfNoneMatch", "*").strip() != "*"):
        raise _not_implemented(given, f"We don't accept the provided value of {given[0]} header for this API")


def _not_implemented(headers: list[str], why: str) -> AwsError:
    text = "A header you provided implies functionality that is not implemented"
    return AwsError("NotImplemented", text, 501, Header=",".join(headers), additionalMessage=why)


def check_write(p: Parameters, etag: str | None) -> None:
    """If-None-Match: * (there is no such object yet) and If-Match (it is still that one); `etag` None: no object."""
    if p.get("IfNoneMatch") is not None and etag is not None:
        raise failed("If-None-Match")
    if p.get("IfMatch") is not None:
        if etag is None:
            raise AwsError("NoSuchKey", "The specified key does not exist.", 404, Key=str(p.get("Key", "")))
        if not _names(p["IfMatch"], etag):
            raise failed("If-Match")


def check_undisturbed(p: Parameters, before: int | None, now: int | None) -> None:
    """S3 completes an upload under a condition only if its key was not written since the upload began: `before` and
    `now` are the generations of the object then and now."""
    for name, member in (("If-Match", "IfMatch"), ("If-None-Match", "IfNoneMatch")):
        if p.get(member) is not None and before != now:
            text = "The conditional request cannot succeed due to a conflicting operation against this resource."
            raise AwsError("ConditionalRequestConflict", text, 409, Condition=name, Key=str(p["Key"]))


def failed(condition: str) -> AwsError:
    text = "At least one of the pre-conditions you specified did not hold"
    return AwsError("PreconditionFailed", text, 412, Condition=condition)


def _names(header: str, etag: str) -> bool:
    """Is `etag` in the list of an If-Match or If-None-Match header?"""
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    return "*" in tags or etag in tags


def _moment(header: str | None) -> int | None:
    """An HTTP date in epoch seconds; None for none and for what is no date (RFC 9110: then the field is ignored)."""
    try:
        moment = parsedate_to_datetime(header or "")
    except ValueError:
        return None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def slice_of(header: str | None, size: int) -> tuple[int, int] | None:
    """(start, length) of a Range header; None for the whole object: no header, several ranges, not one at all.

    Raises InvalidRange for a range that lies outside.
    """
    found = _RANGE.fullmatch(header.strip()) if header else None
    if header is None or found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if first == "":
        start, end = max(size - int(last), 0), size
        good = size > 0 and int(last) > 0
    else:
        start, end = int(first), min(int(last or size) + 1, size)
        if last and int(last) < start:
            return None
        good = start < size
    if not good:
        details = {"RangeRequested": header, "ActualObjectSize": str(size)}
        raise AwsError("InvalidRange", "The requested range is not satisfiable", 416, **details)
    return start, end - start


def copy_slice(header: str | None, size: int) -> tuple[int, int]:
    """(start, length) of x-amz-copy-source-range, which must be `bytes=first-last` and lie inside."""
    if header is None:
        return 0, size
    found = _RANGE.fullmatch(header)
    if found is None or "" in found.groups() or int(found[1]) > int(found[2]):
        text = "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
        text += "zero-based offsets of the first and last bytes to copy"
        raise AwsError("InvalidArgument", text, ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    if int(found[1]) >= size:
        raise AwsError("InvalidRequest", "The specified copy range is invalid for the source object size")
    if int(found[2]) >= size:
        text = f"Range specified is not valid for source object of size: {size}"
        raise AwsError("InvalidArgument", text, ArgumentName="x-amz-copy-source-range", ArgumentValue=header)
    return int(found[1]), int(found[2]) - int(found[1]) + 1


def seconds(moment: float) -> datetime:
    """S3 tells times to the second."""
    return datetime.fromtimestamp(int(moment), UTC)
