"""What is read for a verification, through S3, Glue, SQS and Lambda. Rows are counted in counting.py.

The ledger is read first, then outputs are listed, and raw objects last. So what a row speaks of, which was written
before it, is in the later list; and whatever has no row because it is written meanwhile belongs to a raw object that is
in the list, and is young enough to be pending.
"""

import hashlib
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import botocore.exceptions

from clicklake.dead_letters import NO_QUEUE, FailureQueue
from clicklake.errors import RefusedError
from clicklake.lake import Days, Lake, LedgerRow, Stored
from clicklake.target import translated
from clicklake.verify.account import Output
from clicklake.verify.entries import Entry, Expires, Listing
from clicklake.verify.expiry import expires

AT_ONCE = 16
_PIECE = 1 << 16
_NO_LIFECYCLE = "NoSuchLifecycleConfiguration"

Count = Callable[[int], None]
"""Called with how many are done."""


def listing(lake: Lake, days: Days, on_rows: Count) -> Listing:
    ledger, rows = list(lake.objects("ledger", days)), list[tuple[Stored, LedgerRow | None]]()
    for pair in zip(ledger, lake.ledger_rows(stored.key for stored in ledger), strict=True):
        rows.append(pair)
        on_rows(len(rows))
    outputs = {stored.key: stored for zone in ("processed", "failed") for stored in lake.objects(zone, days)}
    raw = tuple(lake.raw_objects(days))
    return Listing(raw, {key: found for key, found in outputs.items() if not _is_hidden(key)}, tuple(rows))


def _is_hidden(key: str) -> bool:
    """Athena ignores such objects: docs.aws.amazon.com/athena/latest/ug/tables-location-format.html"""
    return key.rpartition("/")[2].startswith(("_", "."))


def lifecycle(lake: Lake) -> Expires:
    try:
        rules = lake.s3.get_bucket_lifecycle_configuration(Bucket=lake.bucket)["Rules"]
    except botocore.exceptions.ClientError as e:
        if e.response["Error"]["Code"] != _NO_LIFECYCLE:
            raise
        rules = []
    return lambda key, size, created: expires(rules, key, size, created)


def expired_raw(lake: Lake, gone: Iterable[Entry], due: Expires, now: datetime) -> frozenset[str]:
    """Which of the raw objects that are gone S3 may have removed. They were made between the time in their name and
    that of their ledger row; only if that leaves it open, the bucket's older versions are asked."""
    found = set[str]()
    for entry in gone:
        assert entry.account is not None
        assert entry.ledger is not None
        key, size = entry.account.raw_key, entry.account.bytes_in
        earliest, latest = (due(key, size, moment) for moment in (entry.account.received, entry.ledger.modified))
        if earliest is None or earliest > now:
            continue
        if latest and latest > now and (made := _last_version(lake, key)):
            latest = due(key, size, made)
        elif latest and latest > now:
            latest = earliest  # no version of it is left: as the lifecycle leaves it
        if latest and latest <= now:
            found.add(key)
    return frozenset(found)


def _last_version(lake: Lake, key: str) -> datetime | None:
    versions = lake.s3.list_object_versions(Bucket=lake.bucket, Prefix=key).get("Versions", ())
    return max((version["LastModified"] for version in versions if version["Key"] == key), default=None)


def expired_outputs(entries: Iterable[Entry], due: Expires, now: datetime) -> frozenset[str]:
    """Outputs whose time was over: they were written just before the ledger row."""
    ended = (
        (output.key, due(output.key, output.size, entry.ledger.modified))
        for entry in entries
        if entry.account and entry.ledger
        for output in entry.account.outputs
    )
    return frozenset(key for key, moment in ended if moment and moment <= now)


def contents(lake: Lake, outputs: list[Output], on_object: Count) -> dict[str, str | int | None]:
    """What the bytes say, by key: judging.Seen. An object that is gone meanwhile is left out."""
    found: dict[str, str | int | None] = {}
    with translated(), ThreadPoolExecutor(AT_ONCE) as pool:
        for done, (key, content) in enumerate(pool.map(lambda output: _content(lake, output), outputs), 1):
            on_object(done)
            if content != "":
                found[key] = content
    return found


def _content(lake: Lake, output: Output) -> tuple[str, str | int | None]:
    try:
        body = lake.s3.get_object(Bucket=lake.bucket, Key=output.key)["Body"]
    except lake.s3.exceptions.NoSuchKey:
        return output.key, ""
    if output.sha256 is None:
        return output.key, _lines(body.iter_chunks(_PIECE))
    digest = hashlib.sha256()
    for piece in body.iter_chunks(_PIECE):
        digest.update(piece)
    return output.key, digest.hexdigest()


def _lines(pieces: Iterator[bytes]) -> int | None:
    """LFs of a gzip file; None if it is damaged."""
    unzip, lines = zlib.decompressobj(31), 0
    try:
        for piece in pieces:
            lines += unzip.decompress(piece).count(b"\n")
    except zlib.error:
        return None
    return lines if unzip.eof and not unzip.unused_data else None


def dead_letters(lake: Lake) -> int | None:
    """About how many messages the failure queue has; None if there is no queue of that name."""
    try:
        return FailureQueue(lake).size()
    except RefusedError as e:
        if e.code not in NO_QUEUE:
            raise
        return None
