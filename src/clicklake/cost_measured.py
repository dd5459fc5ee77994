"""Sizes of events, measured: of a sample file that goes through the transform, or by the ledger of a lake.

of_sample(path, pipeline)               what Firehose would make of it, and the function
of_ledger(target, pipeline, names)      what they made; asks Athena one query of the ledger, 10 MB at least
DEMO                                    the demo's traffic
"""

import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from pathlib import Path

from clicklake import query, records
from clicklake.cost import NDJSON, PARQUET, Stored
from clicklake.errors import NoError, RefusedError, UsageError
from clicklake.lake import Days
from clicklake.pipeline import Format, Names, Pipeline, with_processed_format
from clicklake.target import Target, translated

_MOST = 50_000  # events of a sample: seconds
_FEWEST = 20
_LEVEL = 6  # zlib's own; Firehose does not say which it takes
# docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html: points of a day are kept for 455 days
_METRICS_KEPT = timedelta(days=455)
_FORMS: dict[Format, Stored] = {"parquet": PARQUET, "json": NDJSON}


@dataclass(frozen=True, slots=True)
class Measured:
    """`stored` by format; a format that could not be measured is the demo's. The last two are known of a lake:
    `events_per_record` if its stream has counted records."""

    source: str
    events: int
    event_bytes: float
    compression: float
    failed_bytes: float
    stored: dict[Format, Stored]
    events_per_day: float | None = None
    events_per_record: float | None = None


DEMO = Measured("the demo's traffic", 150_000, 730, 5, 3, _FORMS)


# --- a sample --------------------------------------------------------------------------------------------------------


def of_sample(file: Path, pipeline: Pipeline) -> Measured:
    """At most 50,000 events of it. Raises UsageError for what can't be read, and for less than 20."""
    try:
        with file.open("rb") as source:
            events = list(islice(records.read(source, str(file)), _MOST))
    except OSError as e:
        raise UsageError(f"{file}: {e.strerror or e}", "name a file of events, as clicklake send takes it") from e
    if len(events) < _FEWEST:
        raise UsageError(f"{file} has {len(events)} events", f"{_FEWEST} at least, and better some thousands")
    plain = b"".join(events)
    raw, every = len(gzip.compress(plain, _LEVEL, mtime=0)), list(_steps(len(events)))
    stored: dict[Format, Stored] = {}
    failed = 0
    for form, like in _FORMS.items():
        steps = every if form == pipeline.processed_format else [step for step in every if step <= _MOST // 5]
        points = []
        for step in steps:
            size, failed_size = _process(events[:step], pipeline, form)
            failed = failed_size if step == len(events) else failed
            if size:
                points.append((float(step), float(size)))
        if not points:
            raise UsageError(f"nothing of {file} is an event", f"see why: clicklake process {file}")
        if len(points) == 1:  # those before were none
            points.insert(0, (points[0][0] / 2, points[0][1] / 2))
        stored[form] = Stored(tuple(points), like.share_read, like.gets)
    each = len(plain) / len(events)
    return Measured(f"{file.name}", len(events), each, len(plain) / raw, failed / len(events), stored)


def _steps(events: int) -> Iterator[int]:
    """How many events to look at: a fifth, or 100 and ten times as many, and all."""
    step = 100 if events > 100 else max(1, events // 5)
    while step < events:
        yield step
        step *= 10
    yield events


def _process(events: list[bytes], pipeline: Pipeline, form: Format) -> tuple[int, int]:
    """Bytes of the processed and of the failed object."""
    # Not above: what the transform needs is not in the light install.
    try:
        from clicklake.transform.process import Settings, process
    except ModuleNotFoundError as e:
        raise UsageError(f"{e.name} is missing", "--sample needs: pip install 'clicklake[transform]'") from e
    settings = Settings(with_processed_format(pipeline, form), user_key=bytes(32))
    batch = process(b"".join(events), f"{pipeline.zones.raw}sample", 1_764_152_100_000, settings)
    return tuple(out.written.size if out else 0 for out in (batch.processed, batch.failed))  # type: ignore[return-value]


# --- a lake ----------------------------------------------------------------------------------------------------------

_QUESTION = """
SELECT count(*), sum(records_in), sum(bytes_in), sum(bytes_decoded), sum(processed_bytes), sum(failed_bytes),
       count(DISTINCT {day}), date_diff('day', date_parse(min({day}), '%Y%m%d'), date_parse(max({day}), '%Y%m%d')) + 1
FROM {table} WHERE {where}
"""


def of_ledger(target: Target, pipeline: Pipeline, names: Names, days: Days, form: Format) -> Measured:
    """Of what arrived in these days. `form` is what the lake writes. Raises NoError if there is no event."""
    day = " || ".join(pipeline.partition_keys)
    bounds = [f"{day} >= '{days.first:%Y%m%d}'"] if days.first else []
    bounds += [f"{day} <= '{days.last:%Y%m%d}'"] if days.last else []
    asked = _QUESTION.format(day=day, table=pipeline.tables.ledger.name, where=" AND ".join(bounds) or "true")
    (row,) = query.run(target, asked, names.workgroup, names.database).rows
    objects, events, packed, plain, processed, failed, _, span = (int(value or 0) for value in row)
    if not events or not plain or not processed:
        raise NoError(f"the ledger has no events ({days})", "measure a file instead: --sample FILE")
    like = _FORMS[form]
    factor = processed / objects / like.size(events / objects)
    points = tuple((number, size * factor) for number, size in like.points)
    return Measured(
        source=f"the ledger, {span} day" if span == 1 else f"the ledger, {span} days",
        events=events,
        event_bytes=plain / events,
        compression=plain / packed,
        failed_bytes=failed / events,
        stored=_FORMS | {form: Stored(points, like.share_read, like.gets)},
        events_per_day=events / span,
        events_per_record=_packing(target, names, days, events),
    )


def _packing(target: Target, names: Names, days: Days, events: int) -> float | None:
    """Events in a Firehose record, by the stream's own count of records: one of Firehose's free metrics."""
    first, last = days.first or date.min, days.last or datetime.now(UTC).date()
    until = datetime.combine(last + timedelta(days=1), time(), UTC)
    since = max(datetime.combine(first, time(), UTC), until - _METRICS_KEPT)
    try:
        with translated():
            found = target.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/Firehose",
                MetricName="IncomingRecords",
                Dimensions=[{"Name": "DeliveryStreamName", "Value": names.delivery_stream}],
                StartTime=since,
                EndTime=until,
                Period=86_400,
                Statistics=["Sum"],
            )
    except RefusedError:  # who may query the lake need not be allowed to see metrics
        return None
    counted = sum(point["Sum"] for point in found["Datapoints"])
    return max(1.0, events / counted) if counted else None
