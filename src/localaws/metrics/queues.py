"""SQS queues' depths as metrics."""

from collections.abc import Iterator, Mapping

from localaws.control.backend import Depth
from localaws.metrics.registry import Reading


def readings(queues: Mapping[str, Depth]) -> Iterator[Reading]:
    for queue, depth in queues.items():
        yield Reading("clicklake_sqs_messages_visible", (queue,), depth.visible)
        yield Reading("clicklake_sqs_messages_not_visible", (queue,), depth.not_visible)
        yield Reading("clicklake_sqs_messages_delayed", (queue,), depth.delayed)
