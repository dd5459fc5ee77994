"""S3 event notifications: from the durable queue that S3 fills to the bucket's targets, at least once.

An item leaves the queue when every target that the bucket's configuration names for it has accepted it. A target that
can't is tried again with growing pauses, alone, while other items go on; a deployment in the wrong order thus loses
nothing. The configuration is read when an item is delivered (AWS: when it happens).

Not done: EventBridge; a limit to the age of an event.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_plus

from localaws.errors import AwsError
from localaws.pump import Pump
from localaws.store import Item, Queue

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0

# Where botocore's shape of a bucket's NotificationConfiguration keeps each kind of target, and its ARN.
_KINDS = (
    ("LambdaFunctionConfigurations", "LambdaFunctionArn"),
    ("QueueConfigurations", "QueueArn"),
    ("TopicConfigurations", "TopicArn"),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One target of one event. `id` is the configuration's, as it goes into the record."""

    id: str
    arn: str


def deliveries(configuration: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Delivery]:
    """The targets that the bucket's `configuration` names for an event's `record`."""
    key = unquote_plus(record["s3"]["object"]["key"])
    for kind, arn in _KINDS:
        for entry in configuration.get(kind, []):
            if _wanted(entry["Events"], record["eventName"]) and _passes(entry.get("Filter", {}), key):
                yield Delivery(entry.get("Id", ""), entry[arn])


def payload(record: Mapping[str, Any], configuration_id: str) -> dict[str, Any]:
    """The message (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html)."""
    s3 = {"s3SchemaVersion": "1.0", "configurationId": configuration_id, **record["s3"]}
    return {"Records": [{**record, "s3": {**s3, "configurationId": configuration_id}}]}


def _wanted(events: list[str], name: str) -> bool:
    """`events` are like "s3:ObjectCreated:*", `name` is like "ObjectCreated:Put"."""
    happened = f"s3:{name}"
    return any(happened == e or (e.endswith("*") and happened.startswith(e[:-1])) for e in events)


def _passes(filters: Mapping[str, Any], key: str) -> bool:
    return all(_rule_holds(rule, key) for rule in filters.get("Key", {}).get("FilterRules", []))


def _rule_holds(rule: Mapping[str, str], key: str) -> bool:
    """The value may be URL-encoded: AWS wants it so for special characters
    (docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html)."""
    test = key.startswith if rule["Name"].lower() == "prefix" else key.endswith
    value = rule.get("Value", "")
    return test(value) or test(unquote_plus(value))


class Events:
    """`notifications(bucket)` is the bucket's configuration; `targets` maps an ARN's service ("lambda", "sqs", "sns")
    to deliver(arn, payload), which returns when the target has it durably and raises otherwise."""

    def __init__(
        self,
        queue: Queue,
        notifications: Callable[[str], dict[str, Any]],
        targets: Mapping[str, Callable[[str, dict[str, Any]], None]],
        clock: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._notifications = notifications
        self._targets = targets
        self._clock = clock
        self._pump = Pump(queue, self._handle, clock, name="S3 events", pause=_FIRST_PAUSE)

    def start(self) -> None:
        self._pump.start()

    def stop(self) -> None:
        """Returns when the item in hand is done or put back."""
        self._pump.ask_to_stop()
        self._pump.join()

    def _handle(self, item: Item) -> None:
        body = item.body
        accepted = set(body.get("accepted", []))
        failed = False
        for delivery in deliveries(self._configuration(body["bucket"]), body["record"]):
            if delivery.arn not in accepted:
                taken = self._deliver(delivery, body)
                accepted |= {delivery.arn} if taken else set()
                failed |= not taken
        if not failed:
            self._queue.done(item)
            return
        attempts = body.get("attempts", 0)
        pause = min(_FIRST_PAUSE * 2 ** min(attempts, 16), _LONGEST_PAUSE)
        again = {**body, "attempts": attempts + 1, "accepted": sorted(accepted)}
        self._queue.retry(item, again, self._clock() + pause)

    def _configuration(self, bucket: str) -> dict[str, Any]:
        try:
            return self._notifications(bucket)
        except AwsError as e:
            if e.code == "NoSuchBucket":
                return {}
            raise

    def _deliver(self, delivery: Delivery, body: Mapping[str, Any]) -> bool:
        """Whether the target has taken it; why not is logged at the first attempt."""
        try:
            self._targets[delivery.arn.split(":")[2]](delivery.arn, payload(body["record"], delivery.id))
        except Exception as e:
            if not body.get("attempts"):
                _log.warning("%s did not accept an event of %s, trying again: %s", delivery.arn, body["bucket"], e)
            return False
        return True
