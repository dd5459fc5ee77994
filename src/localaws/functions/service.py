"""The Lambda service: its operations, and what runs for each function.

Limits and answers follow the Invoke page of the API reference: 6 MB for a synchronous payload, 1 MB for an asynchronous
one. What differs from AWS, on purpose: an invocation waits for a free worker where AWS would start a thousandth one;
the pauses between asynchronous retries are `retry_delays`, 1 s and 2 s unless told otherwise (AWS: 1 min and 2 min).
Operations that are not in the table (aliases, layers, event source mappings ...) go to `otherwise`.
"""

import asyncio
import base64
import json
import logging
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from localaws.errors import AwsError
from localaws.functions import packages
from localaws.functions.async_invocations import AsyncInvocations, Event, GivenUp, invocation_record, queued_functions
from localaws.functions.config import LATEST, Configuration, Reference, reference
from localaws.functions.pool import Pool
from localaws.functions.registry import Registry
from localaws.functions.runtime_api import Invocation
from localaws.functions.settings import Settings
from localaws.functions.stats import Stats, Tally
from localaws.functions.workers import BOOTSTRAP, Outcome, Spec, Worker
from localaws.store import Queue, Store
from localaws.wire import Handler, Operation, Parameters, rest_json_service

_log = logging.getLogger(__name__)

# docs.aws.amazon.com/lambda/latest/api/API_Invoke.html: "For synchronous invocations, the maximum payload size is 6 MB.
# For asynchronous invocations, the maximum payload size is 1 MB."
_PAYLOAD_LIMITS = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024, "DryRun": 6 * 1024 * 1024}
_IDLE_SECONDS = 300.0
_HOUSEKEEPING_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class _Live:
    """What runs for one function."""

    pool: Pool
    waiting: AsyncInvocations
    tally: Tally


class Functions:
    """`environment(role_arn)` gives the AWS_* variables of a worker, `log(group, stream, lines)` takes its lines,
    `fetch(bucket, key)` reads a package from S3. `concurrency` is the number of workers per function. `observe` is told
    of every invocation that ran, and how long that took."""

    def __init__(
        self,
        store: Store,
        root: Path,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        environment: Callable[[str], Mapping[str, str]],
        log: Callable[[str, str, list[str]], None],
        fetch: Callable[[str, str], bytes],
        otherwise: Handler,
        retry_delays: Sequence[float] = (1.0, 2.0),
        concurrency: int = max(2, os.cpu_count() or 1),
        command: Sequence[str] = BOOTSTRAP,
        observe: Callable[[str, float], None] = lambda _function, _seconds: None,
    ) -> None:
        self._store = store
        self._root = root.absolute()
        self._clock = clock
        self._ids = ids
        self._environment = environment
        self._log = log
        self._retry_delays = retry_delays
        self._concurrency = concurrency
        self._command = command
        self._observe = observe
        self._registry = Registry(store, root, clock, ids, account, region, fetch)
        self._settings = Settings(self._registry, clock, ids)
        self.failed = Queue(store, "lambda.failed")
        self._live: dict[str, _Live] = {}
        self._changing = threading.RLock()  # `_live`, and that it agrees with the registry; taken before a write
        self._lifecycle = threading.Lock()  # one function is made or unmade at a time
        self._running = False
        self._stopping = threading.Event()
        operations: dict[str, Operation] = {
            **self._registry.operations,
            **self._settings.operations,
            "CreateFunction": self._create,
            "UpdateFunctionCode": partial(self._update, self._registry.update_code),
            "UpdateFunctionConfiguration": partial(self._update, self._registry.update_configuration),
            "DeleteFunction": self._delete,
            "Invoke": self._invoke,
        }
        self.handler: Handler = rest_json_service("lambda", operations, otherwise)

    def start(self) -> None:
        """Take up the asynchronous invocations that wait. Workers start when they are needed."""
        shutil.rmtree(self._scratch(), ignore_errors=True)
        self._registry.sweep_code()
        with self._changing:
            self._running = True
            for name in self._registry.names():
                self._of(name)
        for name in queued_functions(self._store) - set(self._registry.names()):  # killed while deleting them
            self._waiting(name).discard("FunctionDeleted")
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

    def invoke_async(self, arn: str, payload: dict[str, Any]) -> None:
        """Accept an asynchronous invocation; durable on return. ResourceNotFoundException."""
        self._accept(reference(arn), json.dumps(payload), "")

    def stats(self) -> dict[str, Stats]:
        """Every function's, by name. It asks the database: call it on a thread."""
        with self._changing:
            everything = dict(self._live)
        return {
            name: Stats(live.tally.read(), live.pool.in_flight, live.waiting.depth(), live.waiting.oldest())
            for name, live in everything.items()
        }

    def _of(self, name: str) -> _Live:
        """What runs for a function that exists."""
        with self._changing:
            if name not in self._live:
                pool = Pool(name, self._concurrency, self._start_worker, self._clock)
                pool.keep(self._registry.revisions(name))
                waiting = self._waiting(name)
                self._live[name] = _Live(pool, waiting, Tally())
                if self._running:
                    waiting.start()
            return self._live[name]

    def _waiting(self, name: str) -> AsyncInvocations:
        run, give_up = partial(self._run_event, name), partial(self._give_up, name)
        policy = partial(self._settings.retry_policy, name)
        width, delays = self._concurrency, self._retry_delays
        return AsyncInvocations(self._store, name, width, run, policy, give_up, self._clock, delays)

    # Operations that change what runs.

    def _create(self, parameters: Parameters) -> Parameters:
        with self._lifecycle:
            configuration = self._registry.create(parameters)
            self._of(configuration["FunctionName"])
        return configuration

    def _update(self, update: Callable[[Parameters], Configuration], parameters: Parameters) -> Parameters:
        configuration = update(parameters)
        self._retire(configuration["FunctionName"])
        return configuration

    def _delete(self, parameters: Parameters) -> Parameters:
        named = reference(parameters["FunctionName"], parameters.get("Qualifier"))
        if named.qualifier == LATEST:
            with self._lifecycle:
                self._close(named)
                self._registry.forget_code(named.name)
        else:
            self._registry.delete(named)
            self._retire(named.name)
        return {"StatusCode": 204}

    def _close(self, named: Reference) -> None:
        with self._changing:
            live = self._of(named.name)
            live.waiting.ask_to_stop()
            self._registry.delete(named)
            del self._live[named.name]
        live.pool.stop()
        live.waiting.join()
        live.waiting.discard("FunctionDeleted")

    def _retire(self, name: str) -> None:
        """Workers of replaced code or configuration finish what they do, and no more."""
        with self._changing:
            self._of(name).pool.keep(self._registry.revisions(name))

    # Invocations.

    async def _invoke(self, parameters: Parameters) -> Parameters:
        kind = parameters.get("InvocationType", "RequestResponse")
        if kind not in _PAYLOAD_LIMITS:
            raise AwsError("InvalidParameterValueException", f"Unknown InvocationType: {kind}", 400, Type="User")
        named = reference(parameters["FunctionName"], parameters.get("Qualifier"))
        payload = _checked_payload(parameters.get("Payload") or b"{}", kind)
        client_context = _client_context(parameters.get("ClientContext"))
        if kind == "Event":
            await asyncio.to_thread(self._accept, named, payload, client_context)
            return {"StatusCode": 202}
        if kind == "DryRun":
            await asyncio.to_thread(self._registry.configuration, named)
            return {"StatusCode": 204}
        future = await asyncio.to_thread(self._submit, named, self._ids(), payload, client_context)
        outcome = await asyncio.wrap_future(future)
        return _answer(named, outcome, parameters.get("LogType") == "Tail")

    def _accept(self, named: Reference, payload: str, client_context: str) -> None:
        event = Event(self._ids(), payload, named.qualifier, self._clock(), client_context)
        waiting = self._of(named.name).waiting
        with self._store.write():  # so that the function can't be deleted in between
            self._registry.configuration(named)
            waiting.put(event)
        self._of(named.name).tally.add(async_events_received=1)

    def _submit(self, named: Reference, request_id: str, payload: str, client_context: str) -> Future[Outcome]:
        """ResourceNotFoundException; TooManyRequestsException beyond the reserved concurrency."""
        self._registry.configuration(named)
        live = self._of(named.name)
        reserved = self._registry.find(named.name)["Reserved"]
        if reserved is not None and live.pool.in_flight >= reserved:
            live.tally.add(throttles=1)
            reason = "ReservedFunctionConcurrentInvocationLimitExceeded"
            raise AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Type="User", Reason=reason)
        invocation = Invocation(request_id, payload.encode(), self._registry.arn(named), client_context)
        future = live.pool.submit(partial(self._spec, named), invocation)
        future.add_done_callback(partial(self._count, named.name, live.tally))
        return future

    def _count(self, name: str, tally: Tally, future: Future[Outcome]) -> None:
        if future.cancelled() or future.exception() is not None:
            return  # it never ran
        outcome = future.result()
        tally.add(invocations=1, errors=int(outcome.failed), duration=outcome.duration)
        self._observe(name, outcome.duration)

    def _run_event(self, name: str, event: Event) -> Outcome:
        named = Reference(name, event.qualifier)
        return self._submit(named, event.id, event.payload, event.client_context).result()

    def _give_up(self, name: str, given_up: GivenUp, outcome: Outcome | None) -> None:
        """The place where issue 4 sends the record to the on-failure destination."""
        arn = self._registry.arn(Reference(name, LATEST))
        self.failed.put(invocation_record(given_up, outcome, arn, self._clock()))
        event = given_up.event
        if name in self._live:
            self._live[name].tally.add(async_events_dropped=1)
        _log.error("%s gave up request %s after %d attempts: %s", name, event.id, event.attempts, given_up.condition)

    # Workers.

    def _spec(self, named: Reference) -> Spec:
        configuration = self._registry.configuration(named)
        return Spec(
            function=named.name,
            version=configuration["Version"],
            revision=configuration["RevisionId"],
            runtime=configuration["Runtime"],
            handler=configuration["Handler"],
            code=packages.folder(self._root, named.name, configuration["CodeSha256"]),
            memory=configuration["MemorySize"],
            timeout=configuration["Timeout"],
            log_group=configuration["LoggingConfig"]["LogGroup"],
            role=configuration["Role"],
            environment=configuration.get("Environment", {}).get("Variables", {}),
        )

    def _start_worker(self, spec: Spec) -> Worker:
        number = self._ids().replace("-", "")
        day = datetime.fromtimestamp(self._clock(), UTC).strftime("%Y/%m/%d")
        stream = f"{day}/[{spec.version}]{number}"
        log = partial(self._log, spec.log_group, stream)
        spec = replace(spec, environment={**spec.environment, **self._environment(spec.role)})
        return Worker(spec, self._scratch() / number, stream, log, self._clock, self._command)

    def _scratch(self) -> Path:
        """Workers' HOME and TMPDIR, wiped when they end."""
        return self._root / "functions" / ".scratch"

    def _keep_house(self) -> None:
        while not self._stopping.wait(_HOUSEKEEPING_SECONDS):
            with self._changing:
                everything = list(self._live.values())
            for live in everything:
                live.pool.reap(_IDLE_SECONDS)


def _checked_payload(payload: bytes, kind: str) -> str:
    if len(payload) > _PAYLOAD_LIMITS[kind]:
        limit = _PAYLOAD_LIMITS[kind]
        text = f"Request must be smaller than {limit} bytes for the InvokeFunction operation"
        raise AwsError("RequestTooLargeException", text, 413, Type="User")
    try:
        json.loads(payload)
        return payload.decode()
    except (ValueError, RecursionError) as e:
        text = f"Could not parse request body into json: {e}"
        raise AwsError("InvalidRequestContentException", text, 400, Type="User") from e


def _client_context(header: str | None) -> str:
    """X-Amz-Client-Context: base64 of a JSON object. Written anew, so that it fits into one header line."""
    if not header:
        return ""
    try:
        document = json.loads(base64.b64decode(header, validate=True))
    except ValueError as e:
        raise AwsError("InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON") from e
    return json.dumps(document)


def _answer(named: Reference, outcome: Outcome, with_log: bool) -> Parameters:
    answer: Parameters = {"StatusCode": 200, "ExecutedVersion": named.qualifier, "Payload": outcome.payload}
    if outcome.failed:
        answer["FunctionError"] = "Unhandled"
    if with_log:
        answer["LogResult"] = base64.b64encode(outcome.log_tail).decode()
    return answer
