"""Notifications: from the moment when something happened to the target that is to hear of it, at least once.

Whoever has something to tell puts it here, in the transaction in which it happens; for each target there is an item of
its own, which leaves its queue when the target has accepted it. A target that can't is tried again with growing pauses
while other items go on, for as long as somebody wants it told: so a function that is deployed after its trigger misses
nothing, and what is addressed to a target that is gone for good does not stay for ever. Each kind of target has its own
queue and threads, so that a slow kind holds up no other.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from localaws.pump import Pump
from localaws.store import Item, Queue

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
# Lambda's threads share their commits, the others wait for one another in the control plane.
_WIDTHS = {"lambda": 8, "sqs": 1, "sns": 1, "events": 1}

Deliver = Callable[[str, dict[str, Any], str], None]
"""(ARN, message, trace): returns when the target has it durably, raises if not."""


class Events:
    """`queue(name)` makes a durable queue."""

    def __init__(self, queue: Callable[[str], Queue], clock: Callable[[], float]) -> None:
        self._queues = {kind: queue(f"s3.events/{kind}") for kind in _WIDTHS}
        self._clock = clock
        self._pumps: list[Pump] = []

    def put(self, arn: str, source: str, message: dict[str, Any], trace: str) -> None:
        """Durable on return; inside the caller's own `store.write()` block with that. `source` is the bucket."""
        self._queues[_kind(arn)].put({"arn": arn, "source": source, "message": message, "trace": trace})

    def depth(self) -> int:
        """What no target has accepted yet."""
        return sum(queue.depth() for queue in self._queues.values())

    def start(
        self,
        targets: Mapping[str, Deliver],
        wants: Callable[[str, str], bool],
        admit: Callable[[str, str], None] = lambda _source, _arn: None,
    ) -> None:
        """`targets` by the ARN's service; `wants(source, arn)`: is it still to be told, if it can't be now? `admit`
        raises AwsError while it must not be."""
        for kind, queue in self._queues.items():
            handle = partial(self._handle, queue, targets[kind], wants, admit)
            pump = Pump(
                queue, handle, self._clock, name=f"S3 events to {kind}", pause=_FIRST_PAUSE, width=_WIDTHS[kind]
            )
            self._pumps.append(pump)
            pump.start()

    def stop(self) -> None:
        """Returns when the items in hand are done or put back."""
        for pump in self._pumps:
            pump.ask_to_stop()
        for pump in self._pumps:
            pump.join()

    def _handle(
        self,
        queue: Queue,
        deliver: Deliver,
        wants: Callable[[str, str], bool],
        admit: Callable[[str, str], None],
        item: Item,
    ) -> None:
        body = item.body
        attempts = body.get("attempts", 0)
        try:
            admit(body["source"], body["arn"])
            deliver(body["arn"], body["message"], body["trace"])
        except Exception as e:
            if not wants(body["source"], body["arn"]):
                _log.warning("%s is gone, and %s tells it nothing any more: %s", body["arn"], body["source"], e)
                queue.done(item)
                return
            if not attempts:
                _log.warning("%s did not accept an event of %s, trying again: %s", body["arn"], body["source"], e)
            pause = min(_FIRST_PAUSE * 2 ** min(attempts, 16), _LONGEST_PAUSE)
            queue.retry(item, {**body, "attempts": attempts + 1}, self._clock() + pause)
        else:
            queue.done(item)


def _kind(arn: str) -> str:
    return arn.split(":")[2]
