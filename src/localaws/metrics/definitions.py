"""Every metric that the endpoint has. docs/observability.md is made from this table.

Names follow prometheus.io/docs/practices/naming: base units, counters end in `_total`. A feed names the metric of
CloudWatch that gets the same numbers; its words are AWS's (the monitoring pages of the services' developer guides).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Kind(Enum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Feed:
    """`metric` may name labels: "{operation}.Requests". `dimensions`: sets of (dimension, label); one metric for each
    set. `scale` makes AWS's unit of the base unit. Only what has the labels of `only` is fed.

    `samples` names the counter that counts what this one adds up (with the same labels), so that an average is one of
    invocations and not one of looks at a counter; by default a look is a sample."""

    namespace: str
    metric: str
    unit: str
    dimensions: tuple[tuple[tuple[str, str], ...], ...]
    scale: float = 1.0
    only: Mapping[str, str] = field(default_factory=dict)
    samples: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """`buckets` are a histogram's upper bounds, without the last, which is +Inf."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    feeds: tuple[Feed, ...] = ()
    buckets: tuple[float, ...] = ()


def _firehose(metric: str, unit: str = "Count", scale: float = 1.0, **only: str) -> Feed:
    dimensions = ((("DeliveryStreamName", "stream"),),)
    return Feed("AWS/Firehose", metric, unit, dimensions, scale, only)


def _lambda(metric: str, unit: str = "Count", scale: float = 1.0, samples: str = "") -> Feed:
    by_function = (("FunctionName", "function"),)
    by_resource = (("FunctionName", "function"), ("Resource", "function"))
    return Feed("AWS/Lambda", metric, unit, (by_function, by_resource, ()), scale, {}, samples)


def _athena(metric: str, unit: str, scale: float = 1.0) -> Feed:
    group, kind, state = ("WorkGroup", "workgroup"), ("QueryType", "type"), ("QueryState", "state")
    return Feed("AWS/Athena", metric, unit, ((group,), (state, kind, group)), scale)


def _sqs(metric: str, unit: str = "Count", samples: str = "") -> Feed:
    return Feed("AWS/SQS", metric, unit, ((("QueueName", "queue"),),), samples=samples)


_MILLISECONDS = 1000.0
_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
_INVOCATIONS = "clicklake_lambda_invocations_total"

COUNTER, GAUGE, HISTOGRAM = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

DEFINITIONS: tuple[Definition, ...] = (
    Definition("clicklake_build_info", GAUGE, "1; the labels say what runs.", ("version", "python", "data_format")),
    # The front door
    Definition(
        "clicklake_requests_total",
        COUNTER,
        "Requests that were answered, by AWS's name of the operation.",
        ("service", "operation", "status"),
    ),
    Definition(
        "clicklake_request_duration_seconds",
        HISTOGRAM,
        "From a request's head to the end of its answer.",
        ("service", "operation"),
        buckets=_REQUEST,
    ),
    # Firehose
    Definition(
        "clicklake_firehose_requests_total",
        COUNTER,
        "PutRecord and PutRecordBatch requests that were acknowledged.",
        ("stream", "operation"),
        (_firehose("IncomingPutRequests"), _firehose("{operation}.Requests")),
    ),
    Definition(
        "clicklake_firehose_records_total",
        COUNTER,
        "Records that were acknowledged.",
        ("stream", "operation"),
        (_firehose("IncomingRecords"), _firehose("PutRecordBatch.Records", operation="PutRecordBatch")),
    ),
    Definition(
        "clicklake_firehose_bytes_total",
        COUNTER,
        "Bytes of the records that were acknowledged.",
        ("stream", "operation"),
        (_firehose("IncomingBytes", "Bytes"), _firehose("{operation}.Bytes", "Bytes")),
    ),
    Definition(
        "clicklake_firehose_put_duration_seconds",
        HISTOGRAM,
        "From a put request to its acknowledgement, which is when its records are on disk.",
        ("stream", "operation"),
        (_firehose("{operation}.Latency", "Milliseconds", _MILLISECONDS),),
        _REQUEST,
    ),
    Definition(
        "clicklake_firehose_throttled_records_total",
        COUNTER,
        "Records that were refused because the stream's backlog is at its limit.",
        ("stream",),
        (_firehose("ThrottledRecords"),),
    ),
    Definition("clicklake_firehose_backlog_bytes", GAUGE, "Acknowledged and not yet delivered.", ("stream",)),
    Definition(
        "clicklake_firehose_oldest_record_age_seconds",
        GAUGE,
        "Age of the oldest record that is not delivered; 0 if there is none.",
        ("stream",),
    ),
    Definition(
        "clicklake_firehose_delivery_freshness_seconds",
        HISTOGRAM,
        "Age of an object's oldest record when the object was delivered.",
        ("stream",),
        (_firehose("DeliveryToS3.DataFreshness", "Seconds"),),
        (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0),
    ),
    Definition(
        "clicklake_firehose_delivered_objects_total",
        COUNTER,
        "Objects that were delivered to S3.",
        ("stream",),
        (_firehose("DeliveryToS3.ObjectCount"),),
    ),
    Definition(
        "clicklake_firehose_delivered_records_total",
        COUNTER,
        "Records that were delivered to S3.",
        ("stream",),
        (_firehose("DeliveryToS3.Records"),),
    ),
    Definition(
        "clicklake_firehose_delivered_bytes_total",
        COUNTER,
        "Bytes that were delivered to S3, before compression.",
        ("stream",),
        (_firehose("DeliveryToS3.Bytes", "Bytes"),),
    ),
    Definition(
        "clicklake_firehose_delivery_attempts_total",
        COUNTER,
        "Attempts to put an object to S3.",
        ("stream",),
    ),
    Definition(
        "clicklake_firehose_delivery_successes_total",
        COUNTER,
        "Attempts to put an object to S3 that succeeded.",
        ("stream",),
        (
            Feed(
                "AWS/Firehose",
                "DeliveryToS3.Success",
                "Count",
                ((("DeliveryStreamName", "stream"),),),
                samples="clicklake_firehose_delivery_attempts_total",
            ),
        ),
    ),
    # S3 events
    Definition("clicklake_events_queued", GAUGE, "S3 event notifications that no target has taken yet."),
    # Lambda
    Definition(
        _INVOCATIONS,
        COUNTER,
        "Invocations of the function's code.",
        ("function",),
        (_lambda("Invocations", samples=_INVOCATIONS),),
    ),
    Definition(
        "clicklake_lambda_errors_total",
        COUNTER,
        "Invocations that ended in an error of the function, timeouts included.",
        ("function",),
        (_lambda("Errors", samples=_INVOCATIONS),),
    ),
    Definition(
        "clicklake_lambda_throttles_total",
        COUNTER,
        "Invocations that were refused because too many were running.",
        ("function",),
        (_lambda("Throttles", samples="clicklake_lambda_throttles_total"),),
    ),
    Definition(
        "clicklake_lambda_duration_seconds",
        HISTOGRAM,
        "How long an invocation ran, without the start of its worker.",
        ("function",),
        (_lambda("Duration", "Milliseconds", _MILLISECONDS),),
        _LONG,
    ),
    Definition(
        "clicklake_lambda_concurrent_executions",
        GAUGE,
        "Invocations that run or wait for a worker.",
        ("function",),
        (_lambda("ConcurrentExecutions"),),
    ),
    Definition(
        "clicklake_lambda_async_events_total",
        COUNTER,
        "Events that were accepted for asynchronous invocation.",
        ("function",),
        (_lambda("AsyncEventsReceived", samples="clicklake_lambda_async_events_total"),),
    ),
    Definition(
        "clicklake_lambda_async_events_dropped_total",
        COUNTER,
        "Events that were given up: too old, or out of retries.",
        ("function",),
        (_lambda("AsyncEventsDropped", samples="clicklake_lambda_async_events_dropped_total"),),
    ),
    Definition(
        "clicklake_lambda_recursive_invocations_dropped_total",
        COUNTER,
        "Events that were given up because the function invokes itself.",
        ("function",),
        (_lambda("RecursiveInvocationsDropped", samples="clicklake_lambda_recursive_invocations_dropped_total"),),
    ),
    Definition("clicklake_lambda_async_queued", GAUGE, "Events that wait, or run.", ("function",)),
    Definition(
        "clicklake_lambda_async_oldest_event_age_seconds",
        GAUGE,
        "Age of the oldest event that waits or runs; 0 if there is none.",
        ("function",),
        (_lambda("AsyncEventAge", "Milliseconds", _MILLISECONDS),),
    ),
    Definition(
        "clicklake_lambda_dead_letter_errors_total",
        COUNTER,
        "Events that could not be sent to the dead-letter queue.",
        ("function",),
        (_lambda("DeadLetterErrors", samples="clicklake_lambda_dead_letter_errors_total"),),
    ),
    Definition(
        "clicklake_lambda_destination_failures_total",
        COUNTER,
        "Records of invocations that could not be sent to a destination.",
        ("function",),
        (_lambda("DestinationDeliveryFailures", samples="clicklake_lambda_destination_failures_total"),),
    ),
    # Athena
    Definition(
        "clicklake_athena_query_duration_seconds",
        HISTOGRAM,
        "From a query's submission to its end.",
        ("workgroup", "type", "state"),
        (_athena("TotalExecutionTime", "Milliseconds", _MILLISECONDS),),
        _LONG,
    ),
    Definition(
        "clicklake_athena_engine_duration_seconds",
        HISTOGRAM,
        "How long the engine worked on a query, planning included.",
        ("workgroup", "type", "state"),
        (_athena("EngineExecutionTime", "Milliseconds", _MILLISECONDS),),
        _LONG,
    ),
    Definition(
        "clicklake_athena_queue_duration_seconds",
        HISTOGRAM,
        "How long a query waited for its turn.",
        ("workgroup", "type", "state"),
        (_athena("QueryQueueTime", "Milliseconds", _MILLISECONDS),),
        _LONG,
    ),
    Definition(
        "clicklake_athena_planning_duration_seconds",
        HISTOGRAM,
        "How long a query was planned.",
        ("workgroup", "type", "state"),
        (_athena("QueryPlanningTime", "Milliseconds", _MILLISECONDS),),
        _LONG,
    ),
    Definition(
        "clicklake_athena_scanned_bytes",
        HISTOGRAM,
        "Bytes that a query read.",
        ("workgroup", "type", "state"),
        (_athena("ProcessedBytes", "Bytes"),),
        (0.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10),
    ),
    # SQS
    Definition(
        "clicklake_sqs_messages_visible",
        GAUGE,
        "Messages that can be received.",
        ("queue",),
        (_sqs("ApproximateNumberOfMessagesVisible"),),
    ),
    Definition(
        "clicklake_sqs_messages_not_visible",
        GAUGE,
        "Messages that were received and not deleted.",
        ("queue",),
        (_sqs("ApproximateNumberOfMessagesNotVisible"),),
    ),
    Definition(
        "clicklake_sqs_messages_delayed",
        GAUGE,
        "Messages whose delay is not over.",
        ("queue",),
        (_sqs("ApproximateNumberOfMessagesDelayed"),),
    ),
    Definition(
        "clicklake_sqs_messages_sent_total",
        COUNTER,
        "Messages that were sent.",
        ("queue",),
        (_sqs("NumberOfMessagesSent"),),
    ),
    Definition(
        "clicklake_sqs_sent_bytes_total",
        COUNTER,
        "Bytes of the messages that were sent, without attributes.",
        ("queue",),
        (_sqs("SentMessageSize", "Bytes", "clicklake_sqs_messages_sent_total"),),
    ),
    Definition(
        "clicklake_sqs_messages_received_total",
        COUNTER,
        "Messages that were received, each as often as it was.",
        ("queue",),
        (_sqs("NumberOfMessagesReceived"),),
    ),
    Definition(
        "clicklake_sqs_messages_deleted_total",
        COUNTER,
        "Messages that were deleted by those who received them.",
        ("queue",),
        (_sqs("NumberOfMessagesDeleted"),),
    ),
    # The endpoint's process
    Definition("clicklake_control_journal_bytes", GAUGE, "The control plane's journal."),
    Definition("clicklake_data_free_bytes", GAUGE, "What the data directory's file system has left."),
    Definition("process_cpu_seconds_total", COUNTER, "User and system time."),
    Definition("process_resident_memory_bytes", GAUGE, "Physical memory of the endpoint, without its workers."),
    Definition("process_open_fds", GAUGE, "Open file descriptors; Linux and macOS only."),
    Definition("process_max_fds", GAUGE, "How many there may be."),
    Definition("process_threads", GAUGE, "Python's threads."),
    Definition("process_start_time_seconds", GAUGE, "When the endpoint started, epoch seconds."),
)

BY_NAME: Mapping[str, Definition] = {definition.name: definition for definition in DEFINITIONS}
