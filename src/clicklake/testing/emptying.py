"""The lake as it was before anything was sent: no objects, the day's partitions alone, no message about failures."""

from datetime import date
from typing import Any

from clicklake.errors import RefusedError
from clicklake.glue_tables import partitions, register, table
from clicklake.lake import Lake
from clicklake.target import translated

_PARTITIONS_AT_ONCE = 25  # docs.aws.amazon.com/glue/latest/webapi/API_BatchDeletePartition.html


def empty(lake: Lake, today: date) -> None:
    """The day's partitions are there from the first test on, so that every test finds the same. Raises RefusedError if
    a part of the stack is gone."""
    with translated():
        for page in lake.s3.get_paginator("list_object_versions").paginate(Bucket=lake.bucket):
            _delete(lake, [*page.get("Versions", ()), *page.get("DeleteMarkers", ())])
        prepare(lake, today)
        _empty_queue(lake)


def prepare(lake: Lake, today: date) -> None:
    """Register the day in each table, and no other.

    The function remembers which partitions it has registered, so one that is taken away takes its memory along.
    """
    glue, others = lake.target.client("glue"), False
    wanted = (f"{today:%Y}", f"{today:%m}", f"{today:%d}")
    with translated():
        for known in lake.pipeline.tables:
            there = {tuple(p["Values"]) for p in partitions(glue, lake.names.database, known.name)}
            if wanted not in there:
                register(glue, lake.names.database, table(glue, lake.names.database, known.name), wanted)
            others |= _forget(glue, lake, known.name, there - {wanted})
        if others:
            _restart_function(lake)


def _delete(lake: Lake, versions: list[dict[str, Any]]) -> None:
    """Of a page of a listing, for both have 1,000 at most."""
    if not versions:
        return
    objects = [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in versions]
    done = lake.s3.delete_objects(Bucket=lake.bucket, Delete={"Objects": objects, "Quiet": True})
    for error in done.get("Errors", ()):
        raise RefusedError(f"{error['Key']} can't be deleted: {error['Code']}", code=error["Code"])


def _forget(glue: Any, lake: Lake, name: str, partitions: set[tuple[str, ...]]) -> bool:
    """True if there were any."""
    values = [{"Values": list(values)} for values in partitions]
    for begin in range(0, len(values), _PARTITIONS_AT_ONCE):
        some = values[begin : begin + _PARTITIONS_AT_ONCE]
        glue.batch_delete_partition(DatabaseName=lake.names.database, TableName=name, PartitionsToDelete=some)
    return bool(values)


def _restart_function(lake: Lake) -> None:
    """Another configuration gets other workers, on AWS as here."""
    functions, name = lake.target.client("lambda"), lake.names.function
    now = functions.get_function_configuration(FunctionName=name).get("Description", "")
    functions.update_function_configuration(FunctionName=name, Description=f"{now}.")
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


def _empty_queue(lake: Lake) -> None:
    """Hidden messages too. SQS purges once a minute at most, and only what somebody failed at is there to purge."""
    sqs = lake.target.client("sqs")
    url = sqs.get_queue_url(QueueName=lake.names.failure_queue)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    if any(int(found[name]) for name in names):
        sqs.purge_queue(QueueUrl=url)
