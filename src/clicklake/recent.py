"""The newest objects of a zone, without a look at the rest of their day: what status and tail ask again and again.

Firehose names an object `<stream>-<version>-<YYYY-MM-DD-HH-MM-SS>-<id>` after its oldest record, in UTC
(docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html), and what is made of it keeps that name (keys.py). S3
lists keys in their order. So a page that ends before the time that is asked for is the last of the old ones: the next
begins at that time. A day with a hundred thousand objects costs two requests, not a hundred.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from clicklake.lake import Lake, Stored, contents
from clicklake.target import translated

_NAME = re.compile(r"(.*-\d+-)(\d{4}(?:-\d{2}){5})-[^/]*", re.ASCII)
_FORM = "%Y-%m-%d-%H-%M-%S"
_FIRST_PAGE = 100  # objects: when most of a day is skipped, a small page is enough to learn how


@dataclass(frozen=True, slots=True)
class Span:
    """From one moment to another, both in UTC."""

    since: datetime
    until: datetime

    @property
    def days(self) -> Iterator[datetime]:
        for number in range((self.until.date() - self.since.date()).days + 1):
            yield self.since + timedelta(days=number)


def recent(lake: Lake, prefix: str, span: Span, keys: Iterable[str] = ("year", "month", "day")) -> Iterator[Stored]:
    """Objects in the folders of the span's days that are named for its time or later, or are named without a time."""
    since = span.since.replace(microsecond=0)
    for day in span.days:
        parts = zip(keys, (f"{day:%Y}", f"{day:%m}", f"{day:%d}"), strict=True)
        folder = prefix + "".join(f"{key}={value}/" for key, value in parts)
        yield from _of_folder(lake, folder, since)


def _of_folder(lake: Lake, folder: str, since: datetime) -> Iterator[Stored]:
    after, size = folder, _FIRST_PAGE
    while True:
        with translated():
            page: dict[str, Any] = lake.s3.list_objects_v2(
                Bucket=lake.bucket, Prefix=folder, StartAfter=after, MaxKeys=size
            )
        found = list(contents(page))
        for stored in found:
            named = named_time(stored.key)
            if named is None or named >= since:
                yield stored
        if not page["IsTruncated"]:
            return
        after, size = _next(page["Contents"][-1]["Key"], since), 1000


def _next(last: str, since: datetime) -> str:
    """Where to go on after the last key of a page: behind all that has its stream's name and is too old, if it is."""
    found, named = _NAME.fullmatch(last), named_time(last)
    return f"{found[1]}{since:{_FORM}}" if found and named and named < since else last


def named_time(key: str) -> datetime | None:
    """The time in the object's name; None if it has none."""
    found = _NAME.fullmatch(key)
    try:
        return datetime.strptime(found[2], _FORM).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
