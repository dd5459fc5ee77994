"""Where asynchronous invocations report: destinations for success and failure, and the dead-letter queue.

What is reported waits in the durable queue "lambda.destinations" from the transaction on in which its invocation ends,
and stays there, tried again and again, while its target can't be had: at least once. What the target refuses for good
(too long a message) goes to "lambda.failed", where failures without any target are kept too.

Messages are those of docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html: a destination gets the
invocation record, a dead-letter queue gets the event itself with RequestID, ErrorCode and ErrorMessage as attributes.

Not done, and refused by name where they are configured: EventBridge and S3 destinations, FIFO queues.
"""

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from localaws.errors import AwsError
from localaws.functions.async_invocations import Concluded
from localaws.functions.event_invoke import Targets
from localaws.functions.workers import Outcome
from localaws.pump import Pump
from localaws.store import Item, Queue, Store

_log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 60.0
# A message that is refused so is refused for ever.
_FOR_GOOD = frozenset(
    {"InvalidParameterValue", "InvalidParameter", "InvalidMessageContents", "RequestTooLargeException"}
)
_LONGEST_ERROR = 1024


@dataclass(frozen=True, slots=True)
class Message:
    """One report on its way. `failure` is the counter that counts its failed attempts; `trace` carries the lineage."""

    function: str
    arn: str
    text: str
    failure: str
    trace: str
    attributes: dict[str, tuple[str, str]] = field(default_factory=dict)
    attempts: int = 0


def messages(
    function: str, concluded: Concluded, outcome: Outcome | None, targets: Targets, record: Mapping[str, Any]
) -> list[Message]:
    """What is to be sent about an invocation that has come to its end."""
    event = concluded.event
    succeeded = concluded.condition == "Success"
    sent = []
    if arn := targets.on_success if succeeded else targets.on_failure:
        sent.append(Message(function, arn, json.dumps(record), "destination_delivery_failures", event.trace))
    if targets.dead_letter and not succeeded:
        told = _dead_letter_attributes(event.id, concluded.condition, outcome)
        sent.append(Message(function, targets.dead_letter, event.payload, "dead_letter_errors", event.trace, told))
    return sent


def _dead_letter_attributes(request_id: str, condition: str, outcome: Outcome | None) -> dict[str, tuple[str, str]]:
    """ "ErrorCode: the HTTP status code. ErrorMessage: the first 1 KB of the error message" (the page above)."""
    document = json.loads(outcome.payload or b"null") if outcome is not None else None
    said = document.get("errorMessage") if isinstance(document, dict) else None
    text = str(said or condition).encode()[:_LONGEST_ERROR].decode(errors="ignore")
    code = "200" if outcome is not None else "429"
    return {"RequestID": ("String", request_id), "ErrorCode": ("Number", code), "ErrorMessage": ("String", text)}


def invocation_record(concluded: Concluded, outcome: Outcome | None, arn: str, now: float) -> dict[str, Any]:
    """What AWS sends to destinations."""
    event = concluded.event
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context = {
        "requestId": event.id,
        "functionArn": f"{arn}:{event.qualifier}",
        "condition": concluded.condition,
        "approximateInvokeCount": event.attempts,
    }
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": moment,
        "requestContext": context,
        "requestPayload": json.loads(event.payload),
    }
    if outcome is not None:
        answer = {"statusCode": 200, "executedVersion": outcome.version or event.qualifier}
        error = {"functionError": "Unhandled"} if outcome.failed else {}
        record |= {"responseContext": answer | error, "responsePayload": json.loads(outcome.payload or b"null")}
    return record


class Destinations:
    """`targets` maps an ARN's service to deliver(message), which returns when the target has it durably and raises
    otherwise; `failed(message)` is told of every attempt that failed."""

    def __init__(
        self,
        store: Store,
        targets: Mapping[str, Callable[[Message], None]],
        kept: Queue,
        clock: Callable[[], float],
        failed: Callable[[Message], None],
    ) -> None:
        self._store = store
        self._queue = Queue(store, "lambda.destinations")
        self._targets = targets
        self._kept = kept
        self._clock = clock
        self._failed = failed
        self._pump = Pump(self._queue, self._handle, clock, name="Lambda destinations", pause=_FIRST_PAUSE)

    def put(self, message: Message) -> None:
        """Durable on return; inside the caller's own `store.write()` block with that."""
        self._queue.put(asdict(message))

    def start(self) -> None:
        self._pump.start()

    def stop(self) -> None:
        """Returns when the message in hand is delivered or put back."""
        self._pump.ask_to_stop()
        self._pump.join()

    def _handle(self, item: Item) -> None:
        message = Message(**item.body)
        try:
            self._targets[message.arn.split(":")[2]](message)
        except Exception as e:
            self._failed(message)
            self._put_off(item, message, e)
        else:
            self._queue.done(item)

    def _put_off(self, item: Item, message: Message, error: Exception) -> None:
        if isinstance(error, AwsError) and error.code in _FOR_GOOD:
            _log.error("%s refuses what %s reports, which is kept: %s", message.arn, message.function, error.code)
            with self._store.write():
                self._kept.put(item.body)
                self._queue.done(item)
            return
        if not message.attempts:
            _log.warning("%s can't be had by %s, trying again: %s", message.arn, message.function, _what(error))
        pause = min(_FIRST_PAUSE * 2 ** min(message.attempts, 16), _LONGEST_PAUSE)
        self._queue.retry(item, asdict(replace(message, attempts=message.attempts + 1)), self._clock() + pause)


def _what(error: Exception) -> str:
    """Not the text: it may quote the message."""
    return error.code if isinstance(error, AwsError) else type(error).__name__
