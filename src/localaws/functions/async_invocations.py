"""Asynchronous invocations: accepted durably, run at least once, retried, and never lost in silence.

The rules are those of docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: an error of the
function is retried twice; being throttled is retried with growing pauses until the event is too old. Only the pauses
after errors are shorter here (AWS: one minute, two minutes). What is given up goes, as the invocation record that AWS
sends to destinations, to the durable queue "lambda.failed".

Not done: sending that record to an on-failure destination or a dead-letter queue.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from localaws.errors import AwsError
from localaws.functions.settings import RetryPolicy
from localaws.functions.workers import Outcome
from localaws.pump import Pump
from localaws.store import Item, Queue, Store

# "The retry interval increases exponentially from 1 second ... to a maximum of 5 minutes" (the page above).
_THROTTLE_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
_QUEUE = "lambda.async/"


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted invocation, as the queue keeps it. `payload` and `client_context` are JSON text."""

    id: str
    payload: str
    qualifier: str
    accepted: float
    client_context: str = ""
    attempts: int = 0
    throttles: int = 0


@dataclass(frozen=True, slots=True)
class Again:
    """To be tried again, not before `due` (epoch seconds)."""

    event: Event
    due: float


@dataclass(frozen=True, slots=True)
class GivenUp:
    """`condition` is AWS's word for the reason, as in its invocation records."""

    event: Event
    condition: str


def next_step(
    event: Event, throttled: bool, policy: RetryPolicy, now: float, delays: Sequence[float]
) -> Again | GivenUp:
    """What becomes of `event` when the function has failed on it, or could not run now."""
    if throttled:
        tried = replace(event, throttles=event.throttles + 1)
        pause = min(_THROTTLE_PAUSE * 2 ** min(event.throttles, 16), _LONGEST_PAUSE)
    else:
        tried = replace(event, attempts=event.attempts + 1)
        if tried.attempts > policy.retries:
            return GivenUp(tried, "RetriesExhausted")
        pause = delays[min(event.attempts, len(delays) - 1)]
    if now + pause - event.accepted > policy.age:
        return GivenUp(tried, "EventAgeExceeded")
    return Again(tried, now + pause)


class AsyncInvocations:
    """Those of one function: a durable queue and `width` threads that take from it.

    `invoke` runs an event to its end (AwsError TooManyRequestsException if it is throttled, others if it can't run at
    all); `policy` is asked after every failure; `give_up` is durable on return, and then the event leaves the queue.
    """

    def __init__(
        self,
        store: Store,
        function: str,
        width: int,
        invoke: Callable[[Event], Outcome],
        policy: Callable[[str], RetryPolicy],
        give_up: Callable[[GivenUp, Outcome | None], None],
        clock: Callable[[], float],
        delays: Sequence[float],
    ) -> None:
        self._queue = Queue(store, _QUEUE + function)
        self._invoke = invoke
        self._policy = policy
        self._give_up = give_up
        self._clock = clock
        self._delays = delays
        self._pump = Pump(
            self._queue, self._attempt, clock, name=f"async {function}", pause=_THROTTLE_PAUSE, width=width
        )

    def put(self, event: Event) -> None:
        """Durable on return; inside the caller's own `store.write()` block with that."""
        self._queue.put(asdict(event))

    def depth(self) -> int:
        return self._queue.depth()

    def oldest(self) -> float | None:
        """When the oldest event that waits or runs was accepted."""
        body = self._queue.oldest()
        return None if body is None else float(body["accepted"])

    def start(self) -> None:
        self._pump.start()

    def ask_to_stop(self) -> None:
        """No further event is begun. What runs is put back as it was, whatever its outcome."""
        self._pump.ask_to_stop()

    def join(self) -> None:
        """After `ask_to_stop`; the invocations that run must have ended or been killed."""
        self._pump.join()

    def discard(self, condition: str) -> None:
        """Give up whatever waits; after `join`."""
        waiting = list(iter(lambda: self._queue.take(float("inf")), None))
        for item in waiting:
            self._settle(item, GivenUp(Event(**item.body), condition), None)

    def _attempt(self, item: Item) -> None:
        event = Event(**item.body)
        outcome = self._outcome(event)
        if outcome is not None and not outcome.failed:
            self._queue.done(item)
        elif self._pump.is_stopping:
            self._queue.retry(item, item.body, 0.0)
        else:
            step = next_step(event, outcome is None, self._policy(event.qualifier), self._clock(), self._delays)
            self._settle(item, step, outcome)

    def _outcome(self, event: Event) -> Outcome | None:
        try:
            return self._invoke(event)
        except AwsError as e:
            if e.code == "TooManyRequestsException":
                return None
            return Outcome(json.dumps({"errorMessage": e.message, "errorType": e.code}).encode(), True)

    def _settle(self, item: Item, step: Again | GivenUp, outcome: Outcome | None) -> None:
        match step:
            case Again(event, due):
                self._queue.retry(item, asdict(event), due)
            case GivenUp():
                self._give_up(step, outcome)  # a kill between the two keeps it twice, never not at all
                self._queue.done(item)


def queued_functions(store: Store) -> set[str]:
    """The functions for which anything waits."""
    query = "SELECT DISTINCT queue FROM queue WHERE queue >= ? AND queue < ?"
    rows = store.read().execute(query, (_QUEUE, _QUEUE + "\U0010ffff"))
    return {queue.removeprefix(_QUEUE) for (queue,) in rows}


def invocation_record(given_up: GivenUp, outcome: Outcome | None, arn: str, now: float) -> dict[str, Any]:
    """What AWS sends to destinations (docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html)."""
    event = given_up.event
    moment = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    context = {
        "requestId": event.id,
        "functionArn": f"{arn}:{event.qualifier}",
        "condition": given_up.condition,
        "approximateInvokeCount": event.attempts,
    }
    record: dict[str, Any] = {
        "version": "1.0",
        "timestamp": moment,
        "requestContext": context,
        "requestPayload": json.loads(event.payload),
    }
    if outcome is not None:
        answer = {"statusCode": 200, "executedVersion": event.qualifier, "functionError": "Unhandled"}
        record |= {"responseContext": answer, "responsePayload": json.loads(outcome.payload or b"null")}
    return record
