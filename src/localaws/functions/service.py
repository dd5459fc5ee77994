"""The Lambda service: its operations, and who is handed what.

What would make a thing that is not done here is refused by name (`_NOT_DONE`); operations that are in no table go to
`otherwise`, which knows of no such things.
"""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any

from localaws.functions import constraints
from localaws.functions.aliases import Aliases
from localaws.functions.config import (
    LATEST,
    Configuration,
    Reference,
    invalid,
    not_found,
    reference,
    while_created,
    while_updated,
)
from localaws.functions.event_invoke import EventInvoke
from localaws.functions.executions import Executions, Send
from localaws.functions.invoke import answer, call_of, check_size, trace_of
from localaws.functions.launch import Launcher
from localaws.functions.layers import Layers
from localaws.functions.lineage import made_by_a_function
from localaws.functions.registry import Registry
from localaws.functions.settings import Settings
from localaws.functions.stats import Stats
from localaws.functions.urls import Urls
from localaws.functions.workers import Outcome
from localaws.rest_json import rest_json_service
from localaws.store import Store
from localaws.wire import Handler, Operation, Parameters, Request

_NOT_DONE = {
    "CreateEventSourceMapping": "event source mappings: S3 notifications and destinations are what invokes functions",
    "PutProvisionedConcurrencyConfig": "provisioned concurrency: workers stay warm for five minutes",
    "InvokeWithResponseStream": "response streaming",
    "CreateCodeSigningConfig": "code signing",
    "PutFunctionCodeSigningConfig": "code signing",
    "CreateCapacityProvider": "capacity providers",
}

# After the first error and the second (AWS: one minute, two minutes).
_RETRY_DELAYS = (1.0, 2.0)
# Of one function at once; where more are asked for they wait.
_WORKERS = max(2, os.cpu_count() or 1)


class Functions:
    """`environment(role_arn, function)` gives the AWS_* variables of a worker; `log(access_key, group, stream, lines)`
    takes its lines; `fetch(bucket, key)` reads a package from S3; `targets` maps a service ("sqs", "sns") to send(arn,
    text, attributes), which returns when the target has it durably. `observe` is told of every invocation that ran, and
    how long that took. `failures(access_key)` says how many calls of a worker this endpoint has failed: what fails for
    that uses up no retry. `admit_report(role, function, arn)` raises AwsError if the role may not tell the target;
    `address(url_id)` is where a function URL is.
    """

    def __init__(
        self,
        store: Store,
        root: Path,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        environment: Callable[[str, str], Mapping[str, str]],
        log: Callable[[str, str, str, list[str]], None],
        fetch: Callable[[str, str], bytes],
        otherwise: Handler,
        targets: Mapping[str, Send],
        observe: Callable[[str, float], None] = lambda _name, _seconds: None,
        failures: Callable[[str], int] = lambda _access_key: 0,
        admit_report: Callable[[str, str, str], None] = lambda _role, _function, _arn: None,
        address: Callable[[str], str] = lambda url_id: f"https://{url_id}.lambda-url.localhost/",
    ) -> None:
        root = root.absolute()
        self._ids = ids
        layers = Layers(store, root, clock, account, region, fetch)
        self._registry = Registry(store, root, clock, ids, account, region, fetch, layers.attached)
        self._settings = settings = Settings(self._registry, ids)
        event_invoke = EventInvoke(self._registry, clock)
        self._urls = urls = Urls(store, self._registry, clock, ids, address)
        self.url = urls.find
        launcher = Launcher(self._registry, root, layers.folders, clock, ids, environment, log, failures)
        self._executions = Executions(
            store,
            self._registry,
            event_invoke,
            launcher,
            clock,
            ids,
            targets,
            _RETRY_DELAYS,
            _WORKERS,
            observe,
            admit_report,
        )
        self._lifecycle = threading.Lock()  # one function is made or unmade at a time
        operations: dict[str, Operation] = {
            **self._registry.operations,
            **settings.operations,
            **event_invoke.operations,
            **layers.operations,
            **Aliases(self._registry, ids, urls.forget).operations,
            **urls.operations,
            **self._operations(),
            **{name: partial(_refuse, what) for name, what in _NOT_DONE.items()},
        }
        self.handler: Handler = rest_json_service("lambda", operations, otherwise, _beside, partial(_check, region))

    def _operations(self) -> dict[str, Operation]:
        """Those that change what runs, or run something."""
        return {
            "CreateFunction": self._create,
            "UpdateFunctionCode": partial(self._update, self._registry.update_code),
            "UpdateFunctionConfiguration": partial(self._update, self._registry.update_configuration),
            "DeleteFunction": self._delete,
            "Invoke": self._invoke,
        }

    def start(self) -> None:
        """Take up the asynchronous invocations that wait. Workers start when they are needed."""
        self._registry.sweep_code()
        self._executions.start()

    def stop(self) -> None:
        """Kill the workers; what they were doing asynchronously is done again after the next start."""
        self._executions.stop()

    def stats(self) -> dict[str, Stats]:
        """Every function's, by name. It asks the database: call it on a thread."""
        return self._executions.stats()

    def invoke_async(self, arn: str, payload: dict[str, Any], trace: str = "") -> None:
        """Accept an asynchronous invocation; durable on return. ResourceNotFoundException. `trace` is the
        X-Amzn-Trace-Id of the request that caused it."""
        self._executions.accept(reference(arn), self._ids(), json.dumps(payload), "", trace_of(trace))

    def submit(self, arn: str, payload: str, trace: str) -> Future[Outcome]:
        """Run what the ARN names, a function or one of its versions or aliases, as Invoke does; `payload` is JSON.
        ResourceNotFoundException, RequestTooLargeException, TooManyRequestsException."""
        check_size(len(payload.encode()), "RequestResponse")
        trace = trace_of(trace)
        return self._executions.submit(reference(arn), self._ids(), payload, "", trace, made_by_a_function(trace))

    def policy(self, arn: str) -> Mapping[str, Any] | None:
        """The resource policy of what the ARN names, {} for none; None if there is no such function."""
        return self._settings.policy(reference(arn))

    def _create(self, parameters: Parameters) -> Parameters:
        with self._lifecycle:
            configuration = self._registry.create(parameters)
            self._executions.of(configuration["FunctionName"])
        unqualified = {"FunctionArn": self._registry.arn(Reference(configuration["FunctionName"], LATEST))}
        return while_created(configuration | unqualified, self._ids())

    def _update(self, update: Callable[[Parameters], Configuration], parameters: Parameters) -> Parameters:
        configuration = update(parameters)
        self._executions.retire(configuration["FunctionName"])
        return configuration if parameters.get("DryRun") else while_updated(configuration, self._ids())

    def _delete(self, parameters: Parameters) -> Parameters:
        named = reference(parameters["FunctionName"], parameters.get("Qualifier"))
        if parameters.get("Qualifier") == LATEST:
            raise invalid("$LATEST version cannot be deleted without deleting the function.")
        if named.qualifier == LATEST:
            with self._lifecycle:
                self._executions.close(named.name, partial(self._registry.delete, named))
                self._registry.forget_code(named.name)
                self._urls.forget(named)
        else:
            self._registry.delete(named)
            self._executions.retire(named.name)
        return {"StatusCode": 204}

    async def _invoke(self, parameters: Parameters) -> Parameters:
        call = call_of(parameters)
        if call.kind == "Event":
            await asyncio.to_thread(
                self._executions.accept, call.named, call.request_id, call.payload, call.client_context, call.trace
            )
            return {"StatusCode": 202}
        if call.kind == "DryRun":
            await asyncio.to_thread(self._registry.configuration, call.named)
            return {"StatusCode": 204}
        nested = made_by_a_function(call.trace)
        future = await asyncio.to_thread(
            self._executions.submit, call.named, call.request_id, call.payload, call.client_context, call.trace, nested
        )
        return answer(await asyncio.wrap_future(future), call.with_log)


def _beside(request: Request) -> Parameters:
    """An invocation's id is the request's, and its lineage the request's too."""
    return {"RequestId": request.id, "TraceId": request.headers.get("x-amzn-trace-id", "")}


def _refuse(what: str, _: Parameters) -> Parameters:
    raise invalid(f"localaws has no {what}")


def _check(region: str, shape: Any, parameters: Parameters) -> None:
    """What AWS refuses whatever the operation is."""
    constraints.check(shape, parameters)
    arn = str(parameters.get("FunctionName") or parameters.get("Resource") or "").split(":")
    if len(arn) > 3 and arn[0] == "arn" and arn[3] != region:
        raise not_found(f"Functions from '{arn[3]}' are not reachable in this region ('{region}')")
