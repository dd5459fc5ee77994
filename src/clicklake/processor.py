"""The Lambda function: S3 event -> get -> process -> put -> register partitions -> ledger. The transform's only I/O.

S3 notifies at least once (docs.aws.amazon.com/AmazonS3/latest/userguide/EventNotifications.html), Lambda retries, and
anyone may replay: every output key is a function of the raw key, so a run overwrites what an earlier one wrote, and the
ledger row, written last, says that all of it is there.

Environment variables:

    CLICKLAKE_ENVIRONMENT           which environment's names to use (default: the pipeline file's, dev)
    CLICKLAKE_USER_KEY_PARAMETER    name of an SSM SecureString, at least 32 bytes, read once at cold start; without it
                                    user_id is removed and user_key is NULL
    CLICKLAKE_PROCESSED_FORMAT      parquet or json instead of the pipeline file's processed_format
    CLICKLAKE_GEO_DATABASE          an MMDB file, absolute (/opt/... of a layer) or inside the zip; without it country,
                                    region and city are what edge headers say

Bucket and key come from the event; all other names from the pipeline file baked into the zip. The role needs
s3:GetObject on raw/, s3:PutObject on processed/, failed/ and ledger/, s3:DeleteObject on processed/ and failed/,
s3:ListBucket (to see what is there; without it S3 answers AccessDenied for an object that is gone), glue:GetTable,
glue:CreatePartition, glue:GetPartition and glue:UpdatePartition (on catalog, database and tables), and ssm:GetParameter
if there is a key.

A raw object that is gone (expired, or deleted by hand) is logged and skipped: a retry could never succeed, and
`clicklake verify` tells an expired object from a gap. Every other failure is raised, once all the event's objects have
had their turn, so that Lambda retries and then hands the event to its on-failure destination.
"""

import dataclasses
import json
import os
import shutil
import sys
import tempfile
import urllib.parse
from functools import cache
from typing import Any, BinaryIO, cast

from clicklake import pipeline
from clicklake.pipeline import Table
from clicklake.transform.process import Batch, Output, Settings, process

_IN_MEMORY = 4 << 20  # bytes of one file
_PIECE = 1 << 18  # bytes read at once

_registered: set[tuple[str, tuple[str, ...]]] = set()
"""Partitions that this worker knows to be in Glue: (table, values)."""


def handler(event: dict[str, Any], context: object) -> dict[str, int]:  # noqa: ARG001 - Lambda's signature
    """Process every object that the S3 event names; returns how many were processed and how many were gone."""
    processed, gone = 0, 0
    errors: list[Exception] = []
    for record in event.get("Records", []):  # S3's test event, sent when a trigger is made, has none
        bucket = record["s3"]["bucket"]["name"]
        # "The s3 key provides information about the bucket and object [...] URL encoded", spaces as +:
        # docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
        key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
        try:
            if process_object(bucket, key):
                processed += 1
            else:
                gone += 1
        except Exception as e:  # the event's other objects must not wait for this one
            _log("error", bucket=bucket, raw_key=key, error=type(e).__name__)
            errors.append(e)
    if errors:
        raise errors[0]
    return {"processed": processed, "gone": gone}


def process_object(bucket: str, key: str) -> bool:
    """Make all outputs of one raw object; False if it is gone. Raises ValueError for a key outside raw/."""
    settings = _settings()
    if not key.startswith(settings.pipeline.zones.raw):
        raise ValueError(f"{key!r} is not under {settings.pipeline.zones.raw}; check the trigger's prefix")
    _refuse_another_format(settings)
    s3 = _client("s3")
    try:
        raw = s3.get_object(Bucket=bucket, Key=key)
    except s3.exceptions.NoSuchKey:
        _log("gone", bucket=bucket, raw_key=key)
        return False
    last_modified_ms = int(raw["LastModified"].timestamp()) * 1000
    with spool() as file:
        shutil.copyfileobj(raw["Body"], file, _PIECE)
        batch = process(file, key, last_modified_ms, settings, spool=spool)
    _write(bucket, batch, settings)
    _log("processed", bucket=bucket, raw_key=key, records_in=batch.tally.records_in, **dataclasses.asdict(batch.tally))
    return True


def _write(bucket: str, batch: Batch, settings: Settings) -> None:
    """In this order: whoever finds the ledger row finds everything that it speaks of, and nothing else."""
    tables = settings.pipeline.tables
    outputs = [(tables.events, batch.processed), (tables.failed, batch.failed)]
    written = [(table, output) for table, output in outputs if output]
    for _, output in written:
        _put(bucket, output)
    for table in (*(table for table, _ in written), tables.ledger):
        _register(table, batch.partition, settings)
    for key in batch.stale:
        _delete(bucket, key)
    _put(bucket, batch.ledger)


def _delete(bucket: str, key: str) -> None:
    """If it is there: in a versioned bucket each deletion of what is not there would leave a delete marker
    (docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html)."""
    s3 = _client("s3")
    found = s3.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    if any(item["Key"] == key for item in found):
        s3.delete_object(Bucket=bucket, Key=key)


def _put(bucket: str, output: Output) -> None:
    with output.file as file:
        file.seek(0)
        _client("s3").put_object(Bucket=bucket, Key=output.key, Body=file, ContentType=output.content_type)


def spool() -> BinaryIO:
    """A file in memory that moves to the disk when it is large, so that memory doesn't grow with the object."""
    return cast("BinaryIO", tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))


def _register(table: Table, values: tuple[str, ...], settings: Settings) -> None:
    """Make the day's partition known to Glue, once per worker; that it is there already is fine."""
    if (table.name, values) in _registered:
        return
    glue, storage = _client("glue"), _storage(_database(settings), table.name)
    day = "/".join(f"{key}={value}" for key, value in zip(settings.pipeline.partition_keys, values, strict=True))
    location = f"{storage['Location'].rstrip('/')}/{day}/"
    where = {"DatabaseName": _database(settings), "TableName": table.name}
    wanted = {"Values": list(values), "StorageDescriptor": storage | {"Location": location}}
    try:
        glue.create_partition(**where, PartitionInput=wanted)
    except glue.exceptions.AlreadyExistsException:
        found = glue.get_partition(**where, PartitionValues=list(values))["Partition"]["StorageDescriptor"]
        # Athena reads a partition by its own columns, which are those of the day's first object until somebody
        # changes them: a column that the table got at noon would be NULL until midnight.
        if any(found.get(part) != storage[part] for part in ("Columns", "InputFormat")):
            glue.update_partition(**where, PartitionValueList=list(values), PartitionInput=wanted)
    _registered.add((table.name, values))


def _refuse_another_format(settings: Settings) -> None:
    """A table has one format: with files of two, every query of it would fail. Lambda tries again, which is right while
    `clicklake rebuild` switches first the table and then the function."""
    database, events = _database(settings), settings.pipeline.tables.events
    if _format(database, events.name) == events.format:
        return
    _storage.cache_clear()
    _registered.clear()
    if (there := _format(database, events.name)) != events.format:
        raise ValueError(f"{database}.{events.name} is {there}, this function writes {events.format}")


def _format(database: str, table: str) -> str:
    return "parquet" if "parquet" in _storage(database, table)["InputFormat"].lower() else "json"


def _database(settings: Settings) -> str:
    return settings.pipeline.names(os.environ.get("CLICKLAKE_ENVIRONMENT")).database


@cache
def _storage(database: str, table: str) -> dict[str, Any]:
    """The table's storage descriptor, which its partitions inherit."""
    descriptor: dict[str, Any] = _client("glue").get_table(DatabaseName=database, Name=table)["Table"][
        "StorageDescriptor"
    ]
    return descriptor


@cache
def _settings() -> Settings:
    described = pipeline.load()
    if wanted := os.environ.get("CLICKLAKE_PROCESSED_FORMAT"):
        described = pipeline.with_processed_format(described, wanted)
    return Settings(described, user_key=_user_key(), geo=_geo_database())


def _user_key() -> bytes | None:
    name = os.environ.get("CLICKLAKE_USER_KEY_PARAMETER")
    if not name:
        return None
    parameter = _client("ssm").get_parameter(Name=name, WithDecryption=True)
    return str(parameter["Parameter"]["Value"]).encode()


def _geo_database() -> Any | None:
    """The open MMDB, mapped into memory; a name without a file is an error, because silence would be NULLs for ever."""
    name = os.environ.get("CLICKLAKE_GEO_DATABASE")
    if not name:
        return None
    import maxminddb

    return maxminddb.open_database(os.path.join(os.environ.get("LAMBDA_TASK_ROOT", ""), name))  # noqa: PTH118


@cache
def _client(service: str) -> Any:
    """One client per service and worker. boto3 comes with the runtime; importing it only here keeps imports cheap."""
    import boto3

    return boto3.client(service)


def _log(outcome: str, **facts: object) -> None:
    """One JSON line for CloudWatch Logs: counts and keys, never anything of an event."""
    sys.stdout.write(json.dumps({"outcome": outcome, **facts}) + "\n")
    sys.stdout.flush()
