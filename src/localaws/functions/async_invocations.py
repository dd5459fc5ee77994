"""Asynchronous invocations: accepted durably, run at least once, retried, and never lost in silence.

The rules are those of docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html: an error of the
function is retried twice; being throttled is retried with growing pauses until the event is too old, and so is a system
error, which is no fault of the function's: neither a full disk nor a process that somebody kills uses up retries. Only
the pauses after errors are shorter here (AWS: one minute, two minutes). What becomes of an event whose end has come is
destinations.py's matter.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace

from localaws.errors import AwsError
from localaws.functions.event_invoke import RetryPolicy
from localaws.functions.workers import Outcome
from localaws.pump import Pump
from localaws.store import Item, Queue, Store

# "The retry interval increases exponentially from 1 second ... to a maximum of 5 minutes" (the page above).
_THROTTLE_PAUSE, _LONGEST_PAUSE = 1.0, 300.0
_QUEUE = "lambda.async/"


@dataclass(frozen=True, slots=True)
class Event:
    """One accepted invocation, as the queue keeps it. `payload` and `client_context` are JSON text, `trace` is the
    X-Amzn-Trace-Id that it came with."""

    id: str
    payload: str
    qualifier: str
    accepted: float
    client_context: str = ""
    attempts: int = 0
    throttles: int = 0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """To be tried again, not before `due` (epoch seconds)."""

    event: Event
    due: float


@dataclass(frozen=True, slots=True)
class Concluded:
    """`condition` is AWS's word for how it ended, as in its invocation records: "Success", or why it was given up.
    FunctionDeleted and RecursiveLoop are ours, for AWS documents none."""

    event: Event
    condition: str


def next_step(
    event: Event, throttled: bool, policy: RetryPolicy, now: float, delays: Sequence[float]
) -> Again | Concluded:
    """What becomes of `event` when the function has failed on it, or (`throttled`) could not run now, or not to its
    end."""
    if throttled:
        tried = replace(event, throttles=event.throttles + 1)
        pause = min(_THROTTLE_PAUSE * 2 ** min(event.throttles, 16), _LONGEST_PAUSE)
    else:
        tried = replace(event, attempts=event.attempts + 1)
        if tried.attempts > policy.retries:
            return Concluded(tried, "RetriesExhausted")
        pause = delays[min(event.attempts, len(delays) - 1)]
    if now + pause - event.accepted > policy.age:
        return Concluded(tried, "EventAgeExceeded")
    return Again(tried, now + pause)


class AsyncInvocations:
    """Those of one function: a durable queue and `width` threads that take from it.

    `invoke` runs an event to its end (AwsError
    TooManyRequestsException if it is throttled, RecursiveInvocationException if it may
    not run, others if it can't run); `policy` is asked after every failure; `conclude` is called in the
    transaction in which the event leaves the queue.
    """

    def __init__(
        self,
        store: Store,
        function: str,
        width: int,
        invoke: Callable[[Event], Outcome],
        policy: Callable[[str], RetryPolicy],
        conclude: Callable[[Concluded, Outcome | None], None],
        clock: Callable[[], float],
        delays: Sequence[float],
    ) -> None:
        self._store = store
        self._queue = Queue(store, _QUEUE + function)
        self._invoke = invoke
        self._policy = policy
        self._conclude = conclude
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

    @property
    def is_stopping(self) -> bool:
        return self._pump.is_stopping

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
            self._settle(item, Concluded(Event(**item.body), condition), None)

    def _attempt(self, item: Item) -> None:
        event = Event(**item.body)
        try:
            outcome = self._outcome(event)
        except _StoppedLoopError:
            self._settle(item, Concluded(event, "RecursiveLoop"), None)
            return
        except NoConcurrencyError:
            self._settle(item, Concluded(event, "ZeroReservedConcurrency"), None)
            return
        if outcome is not None and not outcome.failed:
            self._settle(item, Concluded(replace(event, attempts=event.attempts + 1), "Success"), outcome)
        elif self._pump.is_stopping:
            self._queue.retry(item, item.body, 0.0)
        else:
            postponed = outcome is None or outcome.system_error
            step = next_step(event, postponed, self._policy(event.qualifier), self._clock(), self._delays)
            self._settle(item, step, outcome)

    def _outcome(self, event: Event) -> Outcome | None:
        """None if it was throttled."""
        try:
            return self._invoke(event)
        except AwsError as e:
            if e.code == "TooManyRequestsException":
                return None
            if e.code == "RecursiveInvocationException":
                raise _StoppedLoopError from e
            return Outcome(json.dumps({"errorMessage": e.message, "errorType": e.code}).encode(), True)

    def _settle(self, item: Item, step: Again | Concluded, outcome: Outcome | None) -> None:
        match step:
            case Again(event, due):
                self._queue.retry(item, asdict(event), due)
            case Concluded():
                with self._store.write():
                    self._conclude(step, outcome)
                    self._queue.done(item)


class NoConcurrencyError(Exception):
    """Nothing may run at all, by the function's own configuration, and there is somebody to be told of it
    (docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html). Else events wait; AWS drops them."""


class _StoppedLoopError(Exception):
    """The recursion guard let the event not run."""


def queued_functions(store: Store) -> set[str]:
    """The functions for which anything waits."""
    query = "SELECT DISTINCT queue FROM queue WHERE queue >= ? AND queue < ?"
    rows = store.read().execute(query, (_QUEUE, _QUEUE + "\U0010ffff"))
    return {queue.removeprefix(_QUEUE) for (queue,) in rows}
