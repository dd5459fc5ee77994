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


def _firehose(metric: str, unit: str = "Count", scale: float = 1.0, samples: str = "", **only: str) -> Feed:
    dimensions = ((("DeliveryStreamName", "stream"),),)
    return Feed("AWS/Firehose", metric, unit, dimensions, scale, only, samples)


def _lambda(metric: str, unit: str = "Count", scale: float = 1.0, samples: str = "") -> Feed:
    by_function = (("FunctionName", "function"),)
    by_resource = (("FunctionName", "function"), ("Resource", "function"))
    return Feed("AWS/Lambda", metric, unit, (by_function, by_resource, ()), scale, {}, samples)


def _athena(metric: str, unit: str, scale: float = 1.0) -> Feed:
    group, kind, state = ("WorkGroup", "workgroup"), ("QueryType", "type"), ("QueryState", "state")
    return Feed("AWS/Athena", metric, unit, ((group,), (state, kind, group)), scale)


def _sqs(metric: str, unit: str = "Count", samples: str = "") -> Feed:
    return Feed("AWS/SQS", metric, unit, ((("QueueName", "queue"),),), samples=samples)


def _http_api(metric: str, unit: str = "Count", scale: float = 1.0, samples: str = "") -> Feed:
    api, stage = ("ApiId", "api"), ("Stage", "stage")
    return Feed("AWS/ApiGateway", metric, unit, ((api,), (api, stage)), scale, samples=samples)


_MILLISECONDS = 1000.0
_REQUEST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LONG = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
_INVOCATIONS = "clicklake_lambda_invocations_total"

_STREAM, _PUT, _FUNCTION, _QUEUE = ("stream",), ("stream", "operation"), ("function",), ("queue",)
_QUERY = ("workgroup", "type", "state")
_STAGE, _HTTP_REQUESTS = ("api", "stage"), "clicklake_http_api_requests_total"


def _counter(name: str, text: str, labels: tuple[str, ...] = (), *feeds: Feed) -> Definition:
    return Definition(name, Kind.COUNTER, text, labels, feeds)


def _gauge(name: str, text: str, labels: tuple[str, ...] = (), *feeds: Feed) -> Definition:
    return Definition(name, Kind.GAUGE, text, labels, feeds)


def _histogram(name: str, text: str, labels: tuple[str, ...], buckets: tuple[float, ...], *feeds: Feed) -> Definition:
    return Definition(name, Kind.HISTOGRAM, text, labels, feeds, buckets)


DEFINITIONS: tuple[Definition, ...] = (
    _gauge("clicklake_build_info", "1; the labels say what runs.", ("version", "python", "data_format")),
    # The front door
    _counter(
        "clicklake_requests_total",
        "Requests that were answered, by AWS's name of the operation.",
        ("service", "operation", "status"),
    ),
    _histogram(
        "clicklake_request_duration_seconds",
        "From a request's head to the end of its answer.",
        ("service", "operation"),
        _REQUEST,
    ),
    # Firehose
    _counter(
        "clicklake_firehose_requests_total",
        "PutRecord and PutRecordBatch requests that were acknowledged.",
        _PUT,
        _firehose("IncomingPutRequests"),
        _firehose("{operation}.Requests"),
    ),
    _counter(
        "clicklake_firehose_records_total",
        "Records that were acknowledged.",
        _PUT,
        _firehose("IncomingRecords"),
        _firehose("PutRecordBatch.Records", operation="PutRecordBatch"),
    ),
    _counter(
        "clicklake_firehose_bytes_total",
        "Bytes of the records that were acknowledged.",
        _PUT,
        _firehose("IncomingBytes", "Bytes"),
        _firehose("{operation}.Bytes", "Bytes"),
    ),
    _histogram(
        "clicklake_firehose_put_duration_seconds",
        "From a put request to its acknowledgement, which is when its records are on disk.",
        _PUT,
        _REQUEST,
        _firehose("{operation}.Latency", "Milliseconds", _MILLISECONDS),
    ),
    _counter(
        "clicklake_firehose_throttled_records_total",
        "Records that were refused because the stream's backlog is at its limit.",
        _STREAM,
        _firehose("ThrottledRecords"),
    ),
    _gauge("clicklake_firehose_backlog_bytes", "Acknowledged and not yet delivered.", _STREAM),
    _gauge(
        "clicklake_firehose_oldest_record_age_seconds",
        "Age of the oldest record that is not delivered; 0 if there is none.",
        _STREAM,
        _firehose("DeliveryToS3.DataFreshness", "Seconds"),
    ),
    _histogram(
        "clicklake_firehose_delivery_freshness_seconds",
        "Age of an object's oldest record when the object was delivered.",
        _STREAM,
        (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0),
        _firehose("DeliveryToS3.DataFreshness", "Seconds"),
    ),
    _counter(
        "clicklake_firehose_delivered_objects_total",
        "Objects that were delivered to S3.",
        _STREAM,
        _firehose("DeliveryToS3.ObjectCount"),
    ),
    _counter(
        "clicklake_firehose_delivered_records_total",
        "Records that were delivered to S3.",
        _STREAM,
        _firehose("DeliveryToS3.Records"),
    ),
    _counter(
        "clicklake_firehose_delivered_bytes_total",
        "Bytes that were delivered to S3, before compression.",
        _STREAM,
        _firehose("DeliveryToS3.Bytes", "Bytes"),
    ),
    _counter("clicklake_firehose_delivery_attempts_total", "Attempts to put an object to S3.", _STREAM),
    _counter(
        "clicklake_firehose_delivery_successes_total",
        "Attempts to put an object to S3 that succeeded.",
        _STREAM,
        _firehose("DeliveryToS3.Success", samples="clicklake_firehose_delivery_attempts_total"),
    ),
    # S3 events
    _gauge("clicklake_events_queued", "S3 event notifications that no target has taken yet."),
    # Lambda
    _counter(
        _INVOCATIONS, "Invocations of the function's code.", _FUNCTION, _lambda("Invocations", samples=_INVOCATIONS)
    ),
    _counter(
        "clicklake_lambda_errors_total",
        "Invocations that ended in an error of the function, timeouts included.",
        _FUNCTION,
        _lambda("Errors", samples=_INVOCATIONS),
    ),
    _counter(
        "clicklake_lambda_throttles_total",
        "Invocations that were refused because too many were running.",
        _FUNCTION,
        _lambda("Throttles", samples="clicklake_lambda_throttles_total"),
    ),
    _histogram(
        "clicklake_lambda_duration_seconds",
        "How long an invocation ran, without the start of its worker.",
        _FUNCTION,
        _LONG,
        _lambda("Duration", "Milliseconds", _MILLISECONDS),
    ),
    _gauge(
        "clicklake_lambda_concurrent_executions",
        "Invocations that run or wait for a worker.",
        _FUNCTION,
        _lambda("ConcurrentExecutions"),
    ),
    _counter(
        "clicklake_lambda_async_events_total",
        "Events that were accepted for asynchronous invocation.",
        _FUNCTION,
        _lambda("AsyncEventsReceived", samples="clicklake_lambda_async_events_total"),
    ),
    _counter(
        "clicklake_lambda_async_events_dropped_total",
        "Events that were given up: too old, or out of retries.",
        _FUNCTION,
        _lambda("AsyncEventsDropped", samples="clicklake_lambda_async_events_dropped_total"),
    ),
    _counter(
        "clicklake_lambda_recursive_invocations_dropped_total",
        "Events that were given up because the function invokes itself.",
        _FUNCTION,
        _lambda("RecursiveInvocationsDropped", samples="clicklake_lambda_recursive_invocations_dropped_total"),
    ),
    _gauge("clicklake_lambda_async_queued", "Events that wait, or run.", _FUNCTION),
    _gauge(
        "clicklake_lambda_async_oldest_event_age_seconds",
        "Age of the oldest event that waits or runs; 0 if there is none.",
        _FUNCTION,
        _lambda("AsyncEventAge", "Milliseconds", _MILLISECONDS),
    ),
    _counter(
        "clicklake_lambda_dead_letter_errors_total",
        "Events that could not be sent to the dead-letter queue.",
        _FUNCTION,
        _lambda("DeadLetterErrors", samples="clicklake_lambda_dead_letter_errors_total"),
    ),
    _counter(
        "clicklake_lambda_destination_failures_total",
        "Records of invocations that could not be sent to a destination.",
        _FUNCTION,
        _lambda("DestinationDeliveryFailures", samples="clicklake_lambda_destination_failures_total"),
    ),
    # Athena
    _histogram(
        "clicklake_athena_query_duration_seconds",
        "From a query's submission to its end.",
        _QUERY,
        _LONG,
        _athena("TotalExecutionTime", "Milliseconds", _MILLISECONDS),
    ),
    _histogram(
        "clicklake_athena_engine_duration_seconds",
        "How long the engine worked on a query, planning included.",
        _QUERY,
        _LONG,
        _athena("EngineExecutionTime", "Milliseconds", _MILLISECONDS),
    ),
    _histogram(
        "clicklake_athena_queue_duration_seconds",
        "How long a query waited for its turn.",
        _QUERY,
        _LONG,
        _athena("QueryQueueTime", "Milliseconds", _MILLISECONDS),
    ),
    _histogram(
        "clicklake_athena_planning_duration_seconds",
        "How long a query was planned.",
        _QUERY,
        _LONG,
        _athena("QueryPlanningTime", "Milliseconds", _MILLISECONDS),
    ),
    _histogram(
        "clicklake_athena_scanned_bytes",
        "Bytes that a query read.",
        _QUERY,
        (0.0, 1000.0, 10000.0, 100000.0, 1000000.0, 10000000.0, 100000000.0, 1000000000.0, 10000000000.0),
        _athena("ProcessedBytes", "Bytes"),
    ),
    # SQS
    _gauge(
        "clicklake_sqs_messages_visible",
        "Messages that can be received.",
        _QUEUE,
        _sqs("ApproximateNumberOfMessagesVisible"),
    ),
    _gauge(
        "clicklake_sqs_messages_not_visible",
        "Messages that were received and not deleted.",
        _QUEUE,
        _sqs("ApproximateNumberOfMessagesNotVisible"),
    ),
    _gauge(
        "clicklake_sqs_messages_delayed",
        "Messages whose delay is not over.",
        _QUEUE,
        _sqs("ApproximateNumberOfMessagesDelayed"),
    ),
    _counter("clicklake_sqs_messages_sent_total", "Messages that were sent.", _QUEUE, _sqs("NumberOfMessagesSent")),
    _counter(
        "clicklake_sqs_sent_bytes_total",
        "Bytes of the messages that were sent, without attributes.",
        _QUEUE,
        _sqs("SentMessageSize", "Bytes", samples="clicklake_sqs_messages_sent_total"),
    ),
    _counter(
        "clicklake_sqs_messages_received_total",
        "Messages that were received, each as often as it was.",
        _QUEUE,
        _sqs("NumberOfMessagesReceived"),
    ),
    _counter(
        "clicklake_sqs_messages_deleted_total",
        "Messages that were deleted by those who received them.",
        _QUEUE,
        _sqs("NumberOfMessagesDeleted"),
    ),
    # HTTP APIs
    _counter(
        _HTTP_REQUESTS, "Requests of HTTP APIs that were answered, by a function or not.", _STAGE, _http_api("Count")
    ),
    _counter(
        "clicklake_http_api_client_errors_total",
        "Answers of 4xx.",
        _STAGE,
        _http_api("4xx", samples=_HTTP_REQUESTS),
    ),
    _counter(
        "clicklake_http_api_server_errors_total",
        "Answers of 5xx.",
        _STAGE,
        _http_api("5xx", samples=_HTTP_REQUESTS),
    ),
    _counter(
        "clicklake_http_api_bytes_total",
        "Bytes of the requests' bodies and the answers'.",
        _STAGE,
        _http_api("DataProcessed", "Bytes", samples=_HTTP_REQUESTS),
    ),
    _histogram(
        "clicklake_http_api_duration_seconds",
        "From a request's head to its answer.",
        _STAGE,
        _REQUEST,
        _http_api("Latency", "Milliseconds", _MILLISECONDS),
    ),
    _histogram(
        "clicklake_http_api_integration_duration_seconds",
        "How long Lambda was waited for.",
        _STAGE,
        _REQUEST,
        _http_api("IntegrationLatency", "Milliseconds", _MILLISECONDS),
    ),
    # The endpoint's process
    _gauge("clicklake_control_journal_bytes", "The control plane's journal."),
    _gauge("clicklake_data_free_bytes", "What the data directory's file system has left."),
    _counter("process_cpu_seconds_total", "User and system time."),
    _gauge("process_resident_memory_bytes", "Physical memory of the endpoint, without its workers."),
    _gauge("process_open_fds", "Open file descriptors; Linux and macOS only."),
    _gauge("process_max_fds", "How many there may be."),
    _gauge("process_threads", "Python's threads."),
    _gauge("process_start_time_seconds", "When the endpoint started, epoch seconds."),
)

BY_NAME: Mapping[str, Definition] = {definition.name: definition for definition in DEFINITIONS}
