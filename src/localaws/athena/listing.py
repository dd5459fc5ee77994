"""Which files lie under a query's locations, with few listings: one for each location, or one for all that are near."""

from bisect import bisect_left
from collections.abc import Sequence

from localaws.athena.catalog import Files, StoredFile, bucket_and_key

_FEW = 16  # locations that are listed one by one
Entry = tuple[str, str, int, float]  # key, path, size, LastModified


def list_files(files: Files, locations: Sequence[str]) -> list[list[Entry]]:
    """For each location (s3://bucket/prefix) its files; not empty ones, nor those named _x or .x, which Hive hides."""
    places = [_place(location) for location in locations]
    if len(places) <= _FEW or len({bucket for bucket, _ in places}) > 1:
        return [[_entry(f) for f in files(bucket, prefix) if _visible(f)] for bucket, prefix in places]
    shared = _shared(min(prefix for _, prefix in places), max(prefix for _, prefix in places))
    visible = [_entry(f) for f in files(places[0][0], shared) if _visible(f)]
    keys = [key for key, *_ in visible]
    return [_under(visible, keys, prefix) for _, prefix in places]


def _shared(first: str, last: str) -> str:
    """What the first and the last of some sorted texts begin with in common, and so all of them."""
    return next((first[:i] for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), first)


def _place(location: str) -> tuple[str, str]:
    """A location is a directory; one object's own URL is one too, to Athena, only without a slash at its end."""
    bucket, prefix = bucket_and_key(location)
    return bucket, prefix if not prefix or prefix.endswith("/") else prefix + "/"


def _under(visible: list[Entry], keys: list[str], prefix: str) -> list[Entry]:
    start = bisect_left(keys, prefix)
    end = start
    while end < len(keys) and keys[end].startswith(prefix):
        end += 1
    return visible[start:end]


def _visible(file: StoredFile) -> bool:
    name = file.key.rpartition("/")[2]
    return file.size > 0 and not name.startswith(("_", "."))


def _entry(file: StoredFile) -> Entry:
    return file.key, str(file.path), file.size, file.modified
