"""SQS queues as metrics."""

from collections.abc import Iterator, Mapping

from localaws.control.backend import QueueStats
from localaws.metrics.registry import Reading

_PREFIX = "clicklake_sqs_"
# Of the metric: the field.
_FIELDS = {
    "messages_visible": "visible",
    "messages_not_visible": "not_visible",
    "messages_delayed": "delayed",
    "messages_sent_total": "sent",
    "sent_bytes_total": "sent_bytes",
    "messages_received_total": "received",
    "messages_deleted_total": "deleted",
}


def readings(queues: Mapping[str, QueueStats]) -> Iterator[Reading]:
    for queue, stats in queues.items():
        for metric, field in _FIELDS.items():
            yield Reading(_PREFIX + metric, (queue,), getattr(stats, field))
