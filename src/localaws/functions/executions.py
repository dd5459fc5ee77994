"""What runs for every function: its workers, and its queue of asynchronous invocations.

What differs from AWS, on purpose: an invocation waits for a free worker where AWS would start a thousandth one
(`width` workers for each function), and the pauses between asynchronous retries are `retry_delays`.
"""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from localaws.errors import AwsError
from localaws.functions import lineage
from localaws.functions.async_invocations import (
    AsyncInvocations,
    Concluded,
    Event,
    NoConcurrencyError,
    queued_functions,
)
from localaws.functions.concurrency import ACCOUNT, LEAST_UNRESERVED, Concurrency
from localaws.functions.config import LATEST, Reference, reference
from localaws.functions.destinations import Destinations, Message, invocation_record, messages
from localaws.functions.event_invoke import EventInvoke
from localaws.functions.launch import Launcher
from localaws.functions.pool import Pool
from localaws.functions.registry import Registry
from localaws.functions.runtime_api import Invocation
from localaws.functions.stats import Stats, Tally
from localaws.functions.workers import Outcome
from localaws.store import Queue, Store

_log = logging.getLogger(__name__)

# send(arn, text, attributes); an attribute is a type and a value.
Send = Callable[[str, str, Mapping[str, tuple[str, str]]], None]

_IDLE_SECONDS = 300.0
_HOUSEKEEPING_SECONDS = 30.0
_PATIENCE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Live:
    """What runs for one function."""

    pool: Pool
    waiting: AsyncInvocations
    tally: Tally


class Executions:
    """`targets` maps an ARN's service to what sends a text to it, durably; `observe` is told of every invocation that
    ran, and how long that took. `admit_report` is asked before a target is told."""

    def __init__(
        self,
        store: Store,
        registry: Registry,
        event_invoke: EventInvoke,
        launcher: Launcher,
        clock: Callable[[], float],
        ids: Callable[[], str],
        targets: Mapping[str, Send],
        retry_delays: Sequence[float],
        width: int,
        observe: Callable[[str, float], None],
        admit_report: Callable[[str, str, str], None],
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._registry = registry
        self._event_invoke = event_invoke
        self._launcher = launcher
        self._clock = clock
        self._ids = ids
        self._retry_delays = retry_delays
        self._width = width
        self._observe = observe
        self._admit_report = admit_report
        self._chance = chance
        self._kept = Queue(store, "lambda.failed")
        reached = {service: partial(self._send, send) for service, send in targets.items()} | {"lambda": self._deliver}
        self._destinations = Destinations(store, reached, self._kept, clock, self._count_failed_delivery)
        self._concurrency = Concurrency()
        self._live: dict[str, _Live] = {}
        self._changing = threading.RLock()  # `_live`, and that it agrees with the registry; taken before a write
        self._running = False
        self._stopping = threading.Event()

    def start(self) -> None:
        """Take up the asynchronous invocations that wait. Workers start when they are needed."""
        self._launcher.prepare()
        with self._changing:
            self._running = True
            for name in self._registry.names():
                self.of(name)
        for name in queued_functions(self._store) - set(self._registry.names()):  # killed while deleting them
            self._waiting(name).discard("FunctionDeleted")
        self._destinations.start()
        threading.Thread(target=self._keep_house, name="idle workers", daemon=True).start()

    def stop(self) -> None:
        """Kill the workers; what they were doing asynchronously is done again after the next start."""
        self._stopping.set()
        with self._changing:
            everything, self._live, self._running = list(self._live.values()), {}, False
        for live in everything:
            live.waiting.ask_to_stop()
        for live in everything:
            live.pool.stop()
            live.waiting.join()
        self._destinations.stop()

    def stats(self) -> dict[str, Stats]:
        with self._changing:
            everything = dict(self._live)
        return {
            name: Stats(live.tally.read(), live.pool.in_flight, live.waiting.depth(), live.waiting.oldest())
            for name, live in everything.items()
        }

    def of(self, name: str) -> _Live:
        """What runs for a function that exists."""
        with self._changing:
            if name not in self._live:
                pool = Pool(name, self._width, self._launcher.start, self._clock)
                pool.keep(self._registry.revisions(name))
                waiting = self._waiting(name)
                self._live[name] = _Live(pool, waiting, Tally())
                if self._running:
                    waiting.start()
            return self._live[name]

    def _waiting(self, name: str) -> AsyncInvocations:
        run, conclude = partial(self._run_event, name), partial(self._conclude, name)
        policy = partial(self._event_invoke.retry_policy, name)
        return AsyncInvocations(self._store, name, self._width, run, policy, conclude, self._clock, self._retry_delays)

    def close(self, name: str, delete: Callable[[], None]) -> None:
        """End what runs for a function while `delete` takes it out of the registry."""
        with self._changing:
            live = self.of(name)
            live.waiting.ask_to_stop()
            delete()
            del self._live[name]
        live.pool.stop()
        live.waiting.join()
        live.waiting.discard("FunctionDeleted")

    def retire(self, name: str) -> None:
        """Workers of replaced code or configuration finish what they do, and no more."""
        with self._changing:
            self.of(name).pool.keep(self._registry.revisions(name))

    def accept(self, named: Reference, request_id: str, payload: str, client_context: str, trace: str) -> None:
        """An asynchronous invocation; durable on return. ResourceNotFoundException."""
        event = Event(request_id, payload, named.qualifier, self._clock(), client_context, trace=trace)
        live = self.of(named.name)

        def put(_db: sqlite3.Connection) -> None:
            self._registry.configuration(named)  # so that the function can't be deleted in between
            live.waiting.put(event)

        self._store.together(put)
        live.tally.add(async_events_received=1)

    def submit(
        self,
        named: Reference,
        request_id: str,
        payload: str,
        client_context: str,
        trace: str,
        nested: bool = False,
        patient: Callable[[], bool] = lambda: False,
    ) -> Future[Outcome]:
        """Run it; `nested` if a function may be waiting for it. ResourceNotFoundException; TooManyRequestsException
        beyond the concurrency, unless `patient`; RecursiveInvocationException if the recursion guard stops it."""
        self._registry.configuration(named)
        live = self.of(named.name)
        document = self._registry.find(named.name)
        version = self._registry.resolve(named, self._chance())
        carried = self._carry(named, trace, document["RecursiveLoop"] == "Allow", live.tally)
        share = self._enter(named.name, document["Reserved"], live.tally, patient)
        invocation = Invocation(request_id, payload.encode(), self._registry.arn(named), client_context, carried)
        try:
            future = live.pool.submit(partial(self._launcher.spec, version), invocation, nested)
        except BaseException:
            self._concurrency.leave(share)
            raise
        future.add_done_callback(partial(self._landed, named.name, live.tally, share))
        return future

    def _carry(self, named: Reference, trace: str, allowed: bool, tally: Tally) -> str:
        """The trace that the function's own calls carry."""
        root = lineage.new_root(self._clock(), self._ids().replace("-", "")[:24])
        link = lineage.link(trace, self._registry.arn(Reference(named.name, LATEST)), root)
        if link.runs > lineage.MOST_RUNS and not allowed:
            tally.add(recursive_invocations_dropped=1)
            raise lineage.stopped()
        return link.trace

    def _enter(self, name: str, reserved: int | None, tally: Tally, patient: Callable[[], bool]) -> str:
        """The share of the account's concurrency that the invocation counts in."""
        share, limit = ("", LEAST_UNRESERVED) if reserved is None else (name, reserved)
        if not share and self._concurrency.busy(share) >= limit:  # only then is it worth to add up all reserved ones
            limit = ACCOUNT - self._registry.reserved()
        try:
            self._concurrency.enter(share, limit, patient)
        except AwsError:
            tally.add(throttles=1)
            raise
        return share

    def _landed(self, name: str, tally: Tally, share: str, future: Future[Outcome]) -> None:
        self._concurrency.leave(share)
        if future.cancelled() or future.exception() is not None:
            return  # it never ran
        outcome = future.result()
        tally.add(invocations=1, errors=int(outcome.failed), duration=outcome.duration)
        self._observe(name, outcome.duration)

    def _run_event(self, name: str, event: Event) -> Outcome:
        """A thread that has an event waits a little for its turn: pauses between attempts soon become long."""
        if self._registry.find(name)["Reserved"] == 0 and self._event_invoke.targets(name, event.qualifier).of_failures:
            raise NoConcurrencyError
        named, until = Reference(name, event.qualifier), time.monotonic() + _PATIENCE_SECONDS
        waiting = self.of(name).waiting
        run = self.submit(
            named,
            event.id,
            event.payload,
            event.client_context,
            event.trace,
            patient=lambda: time.monotonic() < until and not waiting.is_stopping,
        )
        return run.result()

    def _conclude(self, name: str, concluded: Concluded, outcome: Outcome | None) -> None:
        """Report what an asynchronous invocation came to. A failure that nobody wants to know of is kept."""
        event = concluded.event
        targets = self._event_invoke.targets(name, event.qualifier)
        failed = concluded.condition != "Success"
        if not failed and not targets.on_success:
            return
        arn = self._registry.arn(Reference(name, LATEST))
        record = invocation_record(concluded, outcome, arn, self._clock())
        reports = messages(name, concluded, outcome, targets, record)
        for report in reports:
            self._destinations.put(report)
        if failed:
            if not reports:
                self._kept.put(record)
            self._count(name, async_events_dropped=1)
            text = "%s gave up request %s after %d attempts: %s"
            _log.error(text, name, event.id, event.attempts, concluded.condition)

    def _send(self, send: Send, message: Message) -> None:
        self._admit(message)
        send(message.arn, message.text, message.attributes)

    def _deliver(self, message: Message) -> None:
        """To a function as the destination."""
        self._admit(message)
        self.accept(reference(message.arn), self._ids(), message.text, "", message.trace)

    def _admit(self, message: Message) -> None:
        """One of a function that is gone had its role, too."""
        if message.function in self._registry.names():
            role = self._registry.find(message.function)["Configuration"]["Role"]
            self._admit_report(role, message.function, message.arn)

    def _count_failed_delivery(self, message: Message) -> None:
        self._count(message.function, **{message.failure: 1})

    def _count(self, name: str, **amounts: float) -> None:
        live = self._live.get(name)
        if live is not None:
            live.tally.add(**amounts)

    def _keep_house(self) -> None:
        while not self._stopping.wait(_HOUSEKEEPING_SECONDS):
            with self._changing:
                everything = list(self._live.values())
            for live in everything:
                live.pool.reap(_IDLE_SECONDS)
