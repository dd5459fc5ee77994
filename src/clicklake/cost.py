"""What a month on AWS costs: a price list times what is used. Pure, and without any free tier.

Use         what comes in, and how it is stored, read and kept
bill()      lines: an amount times one price
cost()      USD a month by service

A month has 30 days. docs/cost.md says what is assumed.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from clicklake.price_list import Prices
from clicklake.producer.packing import BILLED_STEP, EVENTS_PER_RECORD, Sizes

DAYS = 30
_MONTH_SECONDS = DAYS * 86_400
MIB, GIB, TIB = 1024**2, 1024**3, 1024**4
BILLED_QUERY = 10_000_000  # aws.amazon.com/athena/pricing: what a query costs at least
_LOGGED = 2_000  # bytes that an invocation writes to its log, the platform's lines included
_LEDGER_ROW = 550  # bytes of the ledger's object, measured
# The collector's function: its memory by default; the time of a request, most of which Firehose takes (estimated); a
# line of the access log, with the 26 bytes that CloudWatch counts for any.
_COLLECTOR_GIB, _COLLECTOR_SECONDS, _COLLECTOR_LOGGED = 0.5, 0.03, 220
_VCPU_GIB = 1769 / 1024  # docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html: 1,769 MB are one vCPU
_FREE_CATALOG_REQUESTS = 1e6  # aws.amazon.com/glue/pricing; not a trial: each month, for everybody


@dataclass(frozen=True, slots=True)
class Stored:
    """How processed events lie in S3. `points` are measured, in rising order: events of a raw object, and bytes of the
    processed one, which is not as many times larger: a Parquet file says each word once, and has a footer.

    `share_read` is what a query reads of the bytes, `gets` its requests to S3 for each file.
    """

    points: tuple[tuple[float, float], ...]
    share_read: float
    gets: int

    def size(self, events: float) -> float:
        """Bytes of the processed object of so many events: a power law between two points, what the first two say of a
        file's beginning below them, and beyond the last as many bytes an event as there."""
        (few, small), (most, large) = self.points[0], self.points[-1]
        if events >= most:
            return large * events / most
        if events <= few:
            (more, larger) = self.points[1]
            return max(small - (few - events) * (larger - small) / (more - few), small * events / few)
        (few, small), (many, larger) = next(pair for pair in pairwise(self.points) if events <= pair[1][0])
        return small * math.pow(events / few, math.log(larger / small) / math.log(many / few))


# Measured on the demo's traffic (150,000 events at 2,000 a second); the share is that of the saved queries, through the
# view, which need no more of JSON than all of it.
_PARQUET_POINTS = ((100, 34_134), (1_000, 146_020), (10_000, 1_050_450), (50_000, 4_363_729), (150_000, 12_274_024))
PARQUET = Stored(_PARQUET_POINTS, share_read=0.4, gets=3)
NDJSON = Stored(((100, 25_881), (1_000, 250_655), (10_000, 2_544_090)), share_read=1, gets=1)


@dataclass(frozen=True, slots=True)
class Function:
    """The processor at work: `events_per_second` of a whole GiB (estimated from a slower core), `overhead` the seconds
    that any invocation takes. Less memory is less of a core, more than a core does not help it."""

    memory_gib: float = 1
    events_per_second: float = 10_000
    overhead: float = 0.5
    architecture: str = "arm64"

    def seconds(self, objects: float, events: float) -> float:
        return objects * self.overhead + events / (self.events_per_second * min(self.memory_gib, _VCPU_GIB))


@dataclass(frozen=True, slots=True)
class Queries:
    """`number` a month, each of `days`."""

    number: float = 300
    days: float = DAYS


@dataclass(frozen=True, slots=True)
class Use:
    """A month's `events`, and the rest as Terraform's defaults have it. Events have `event_bytes`, their LF included,
    and gzip makes one byte of `compression` of them; `failed_bytes` an event is what could not become one. What
    expires is kept for `noncurrent_days` more, as an old version; None keeps it. Processed events and the ledger are
    kept for ever: the bill is that of `kept_months`. `files_per_day` is None, or how many a day are left once it was
    compacted. `requests` are a month's to the collector on AWS, if events come through it."""

    events: float
    event_bytes: float = 730
    events_per_record: float = 1
    buffer_mib: float = 128
    buffer_seconds: float = 300
    compression: float = 5
    raw_days: float | None = 90
    failed_days: float | None = 30
    noncurrent_days: float = 30
    failed_bytes: float = 3
    processed: Stored = PARQUET
    kept_months: float = 12
    files_per_day: float | None = None
    function: Function = Function()
    puts_per_object: int = 5  # raw, processed, ledger; to look for failed and the other format costs the same
    traced: bool = True
    queries: Queries = Queries()
    log_months: float = 1
    failed_invocations: float = 0
    alarms: int = 0
    dashboards: int = 0
    keys: int = 0
    requests: float = 0

    @property
    def objects(self) -> float:
        """Raw objects a month: a full buffer each, or what came within the interval; none without events."""
        full = self.events * self.event_bytes / (self.buffer_mib * MIB)
        waited = _MONTH_SECONDS / max(1.0, self.buffer_seconds)  # 0 s: as soon as it can, taken for a second
        return min(self.events / self.events_per_record, max(full, waited))

    @property
    def files(self) -> float:
        """Processed files a month."""
        return self.objects if self.files_per_day is None else min(self.objects, self.files_per_day * DAYS)

    @property
    def processed_bytes(self) -> float:
        """A month's, as they are kept."""
        return self.files * self.processed.size(self.events / self.files) if self.files else 0

    @property
    def record_bytes(self) -> float:
        """What Firehose counts for a record."""
        return math.ceil(self.events_per_record * self.event_bytes / BILLED_STEP) * BILLED_STEP


def packed(events: float, event_bytes: float, linger: float, producers: float) -> float:
    """Events a record of clicklake.Producer, of which `producers` share a month's events: what comes within `linger`
    seconds, as far as a record takes it."""
    fits = min(EVENTS_PER_RECORD, max(1, Sizes().record // math.ceil(event_bytes)))
    return float(min(fits, max(1, math.floor(events / _MONTH_SECONDS / producers * linger))))


# --- the bill --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """`amount` times the price of that name."""

    service: str
    what: str
    amount: float
    price: str

    def usd(self, prices: Prices) -> float:
        return self.amount * prices[self.price]


def bill(use: Use) -> tuple[Line, ...]:
    """A month's lines, when as much is stored as is kept."""
    queries, days = use.queries, min(use.queries.days, use.kept_months * DAYS) / DAYS
    read = max(use.processed_bytes * days * use.processed.share_read, BILLED_QUERY)
    seconds = use.function.seconds(use.objects, use.events)
    architecture = "arm" if use.function.architecture == "arm64" else "x86"
    writes = use.objects * use.puts_per_object
    logged = use.objects * _LOGGED / GIB
    collecting = use.requests * _COLLECTOR_SECONDS * _COLLECTOR_GIB
    collected = use.requests * _COLLECTOR_LOGGED / GIB
    lines = (
        ("API Gateway", "requests to the collector", use.requests, "http_api_request"),
        ("Lambda", "the collector's invocations", use.requests, "lambda_request"),
        ("Lambda", "the collector's time", collecting, f"lambda_{architecture}_gib_second"),
        ("CloudWatch", "the collector's access log", collected, "logs_gib"),
        ("CloudWatch", "that log kept", collected * use.log_months, "logs_gib_month"),
        ("Firehose", "taken in", use.events / use.events_per_record * use.record_bytes / GIB, "firehose_gib"),
        ("S3", "raw/ kept", use.events * use.event_bytes / use.compression * _months(use, use.raw_days) / GIB, _KEPT),
        ("S3", "processed/ kept", use.processed_bytes * use.kept_months / GIB, _KEPT),
        ("S3", "failed/ kept", use.events * use.failed_bytes * _months(use, use.failed_days) / GIB, _KEPT),
        ("S3", "ledger/ kept", use.objects * _LEDGER_ROW * use.kept_months / GIB, _KEPT),
        ("S3", "writes of the pipeline", writes, "s3_put"),
        ("S3", "reads of the function", use.objects, "s3_get"),
        ("S3", "reads of queries", queries.number * days * use.files * use.processed.gets, "s3_get"),
        ("Lambda", "invocations", use.objects, "lambda_request"),
        ("Lambda", "time", seconds * use.function.memory_gib, f"lambda_{architecture}_gib_second"),
        ("Glue", "requests", max(0, 2 * use.objects + queries.number * 3 - _FREE_CATALOG_REQUESTS), "glue_request"),
        ("Athena", "read by queries", queries.number * read / TIB, "athena_tib"),
        ("CloudWatch", "logs", logged, "logs_gib"),
        ("CloudWatch", "logs kept", logged * use.log_months, "logs_gib_month"),
        ("CloudWatch", "alarms", use.alarms, "alarm_month"),
        ("CloudWatch", "dashboards", use.dashboards, "dashboard_month"),
        ("X-Ray", "traces", use.objects if use.traced else 0, "xray_trace"),
        ("SQS", "failed invocations", 3 * use.failed_invocations, "sqs_request"),  # sent, received, deleted
        ("KMS", "keys", use.keys, "kms_key_month"),
        # At most: with a bucket key, as Terraform sets it, S3 asks far less often than once an object.
        ("KMS", "requests", (writes + use.objects) * bool(use.keys), "kms_request"),
    )
    return tuple(Line(*line) for line in lines)


_KEPT = "s3_gib_month"


def _months(use: Use, days: float | None) -> float:
    return use.kept_months if days is None else (days + use.noncurrent_days) / DAYS


def cost(use: Use, prices: Prices) -> dict[str, float]:
    """USD a month by service."""
    sums: dict[str, float] = {}
    for line in bill(use):
        sums[line.service] = sums.get(line.service, 0) + line.usd(prices)
    return sums
