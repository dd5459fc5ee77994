"""`clicklake rebuild --format json`: the processed zone again from raw/, in the other format.

A table has one format, and the files of a day change one by one, so a rebuild can't be invisible. But it must never be
silent: a query of a day that has files of another format than the table fails, and one of other days is right. (An
engine that reads partitions by their own format, as Trino does, is right for days that are not begun, too.) The order:

    1. look     what has to be made again; if the raw object of anything has expired, nothing is done at all
    2. switch   the table, then the function. In between, and while a worker of before still lives, the processor
                refuses to write what does not fit its table, and Lambda tries again
    3. wait     for raw objects that a worker of before may be at: until they have their ledger row
    4. rebuild  day by day, the newest first: the function is invoked for each raw object, and each run deletes what
                the run before wrote in the other format. A mixed day's partition says Parquet, for a reader of Parquet
                always stumbles over JSON, while one that counts lines may not stumble over Parquet
    5. look     again, until nothing is left

What is done is what the bucket says: no object of the other format is left. So an interrupted rebuild is repeated with
the same command and goes on where it was, and `ledger/` has the same content hashes before and after.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

from clicklake import catalog
from clicklake import lake as stored
from clicklake.errors import NoError
from clicklake.glue_tables import update_partitions
from clicklake.pipeline import Format, Names, Pipeline
from clicklake.reprocess import AT_ONCE, Processor
from clicklake.target import Target, translated
from clicklake.terminal import Progress, Terminal
from clicklake.transform.keys import SUFFIXES, Place

_PASSES = 3
_POLL_SECONDS = 1.0


@dataclass(frozen=True)
class Lake(stored.Lake):
    """Where to rebuild, with the events table as it shall be."""

    table: catalog.Document

    @property
    def format(self) -> Format:
        """The one that all processed objects shall have."""
        return catalog.format_of(self.table["StorageDescriptor"])


@dataclass(frozen=True, slots=True)
class Survey:
    """`stale` raw objects, the newest day first, have a processed object in another format; for the processed objects
    `lost` there is no raw object any more; `unsettled` raw objects came so lately that a run may still be at them."""

    stale: tuple[Place, ...]
    lost: tuple[str, ...]
    unsettled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    format: Format
    objects: int


def open_lake(target: Target, pipeline: Pipeline, names: Names, form: Format) -> Lake:
    """The lake with its events table as it shall be, in `form`. Raises RefusedError if there is none."""
    found = stored.open_lake(target, pipeline, names)
    with translated():
        glue = target.client("glue")
        table = glue.get_table(DatabaseName=names.database, Name=pipeline.tables.events.name)["Table"]
    return Lake(target, pipeline, names, found.bucket, catalog.in_format(table, form))


def survey(lake: Lake, since: datetime | None = None) -> Survey:
    """What the bucket says; raw objects that came after `since` and have no ledger row are unsettled."""
    others = [form for form in SUFFIXES if form != lake.format]
    processed = {stored.key for stored in lake.objects("processed")}
    ledger = {stored.key for stored in lake.objects("ledger")} if since else set()
    raw = [(found.place, found.stored.modified) for found in lake.raw_objects()]
    stale = [where for where, _ in raw if any(where.processed[form] in processed for form in others)]
    stale.sort(key=lambda where: (where.partition, where.raw_key), reverse=True)
    known = {where.processed[form] for where, _ in raw for form in others}
    lost = sorted(key for key in processed - known if key.endswith(tuple(SUFFIXES[form] for form in others)))
    unsettled = [where.raw_key for where, moment in raw if since and moment > since and where.ledger not in ledger]
    return Survey(tuple(stale), tuple(lost), tuple(unsettled))


def plan(lake: Lake) -> Survey:
    """Step 1. Raises NoError if something could not be made again."""
    found = survey(lake)
    if found.lost:
        raise NoError(
            f"the raw objects of {len(found.lost)} processed ones have expired ({found.lost[0]} ...), so they can't be "
            f"made again as {lake.format}",
            "nothing was changed; keep the format, or move those objects out of the bucket first",
        )
    return found


def rebuild(lake: Lake, screen: Terminal, concurrency: int = AT_ONCE) -> Rebuilt:
    """All steps. Raises NoError if something is lost, or left when it ends; then it can be repeated."""
    plan(lake)
    timeout = switch(lake)
    _wait_for_settled(lake, timeout)
    objects, passes = 0, 0
    while (found := survey(lake)).stale:
        if passes == _PASSES:
            raise NoError(f"{len(found.stale)} objects are still not {lake.format}", "run it again")
        objects += _rebuild(lake, found.stale, screen, concurrency)
        passes += 1
    with translated():
        update_partitions(lake.target.client("glue"), lake.names.database, lake.table)
    if found.lost:
        raise NoError(f"{len(found.lost)} raw objects expired meanwhile ({found.lost[0]} ...)", "look at those")
    return Rebuilt(lake.format, objects)


def switch(lake: Lake) -> int:
    """Step 2; the function's timeout in seconds.

    The format stands in the function's environment until the next deployment brings a pipeline file that says it.
    """
    with translated():
        client = lake.target.client("lambda")
        lake.target.client("glue").update_table(DatabaseName=lake.names.database, TableInput=lake.table)
        found = client.get_function_configuration(FunctionName=lake.names.function)
        variables = found.get("Environment", {}).get("Variables", {})
        wanted = variables | {"CLICKLAKE_PROCESSED_FORMAT": lake.format}
        if wanted != variables:
            client.update_function_configuration(FunctionName=lake.names.function, Environment={"Variables": wanted})
            client.get_waiter("function_updated_v2").wait(FunctionName=lake.names.function)
    return int(found["Timeout"])


def _wait_for_settled(
    lake: Lake,
    timeout: int,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """A run that began before the switch ends within the function's timeout."""
    began = clock()
    since = began - timedelta(seconds=timeout)
    while survey(lake, since).unsettled and clock() < began + timedelta(seconds=timeout):
        sleep(_POLL_SECONDS)


def _rebuild(lake: Lake, stale: tuple[Place, ...], screen: Terminal, concurrency: int) -> int:
    """Invoke the function for each of them; the number of those that succeeded. Raises NoError if none did."""
    progress = Progress(screen, "rebuilding  ", len(stale))
    processor = Processor(lake.target, lake.names, lake.bucket, concurrency)
    glue = lake.target.client("glue")
    done, problems = 0, list[str]()
    with translated():
        for partition, places in groupby(stale, key=lambda where: where.partition):
            if lake.format == "parquet":
                _update_partition(glue, lake, partition)
            for outcome in processor.run_all([where.raw_key for where in places]):
                done += 1
                problems += [outcome.problem] if outcome.status == "failed" else []
                progress(done)
            _update_partition(glue, lake, partition)
    progress.close()
    if len(problems) == len(stale):
        raise NoError(f"the function failed for {len(problems)} objects: {problems[0]}", "read its logs; run it again")
    return done - len(problems)


def _update_partition(glue: Any, lake: Lake, values: tuple[str, ...]) -> None:
    where = {"DatabaseName": lake.names.database, "TableName": lake.table["Name"]}
    try:
        partition = glue.get_partition(**where, PartitionValues=list(values))["Partition"]
    except glue.exceptions.EntityNotFoundException:
        return  # every run of the day failed
    wanted = catalog.partition_like(partition, lake.table)
    glue.update_partition(**where, PartitionValueList=list(values), PartitionInput=wanted)
