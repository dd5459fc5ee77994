"""Have the deployed function process raw objects again, as S3's own event would; and wait for its answer.

A run overwrites what runs before it made of the same raw object (processor.py), so it may be repeated, by a retry of
the client's own, too. Invocations are synchronous: one that fails is an answer here, and no message in the failure
queue.

Needs lambda:GetFunctionConfiguration, lambda:GetFunctionEventInvokeConfig and lambda:InvokeFunction.
"""

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Literal
from urllib.parse import quote_plus

from clicklake.pipeline import Names
from clicklake.target import Target, translated

AT_ONCE = 8
_MARGIN_SECONDS = 30  # that a client waits longer than the function may run
# Before the first and the second retry: docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
_RETRY_SECONDS = (60, 120)
# A function at its limit of concurrency is throttled (429): the client's retries slow down with it.
_RETRIES = {"mode": "standard", "max_attempts": 6}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`gone`: there is no such raw object any more. `problem` is what the function said when it failed."""

    raw_key: str
    status: Literal["processed", "gone", "failed"]
    problem: str = ""


@dataclass(frozen=True)
class Processor:
    """The function of a stack, for raw objects of one bucket, with `at_once` invocations at the same time."""

    target: Target
    names: Names
    bucket: str
    at_once: int = AT_ONCE

    @cached_property
    def configuration(self) -> dict[str, Any]:
        """As Lambda describes it, once no update is under way. Raises RefusedError if there is no such function."""
        with translated():
            client = self.target.client("lambda")
            found: dict[str, Any] = client.get_function_configuration(FunctionName=self.names.function)
            if found.get("LastUpdateStatus") == "InProgress":
                client.get_waiter("function_updated").wait(FunctionName=self.names.function)
                found = client.get_function_configuration(FunctionName=self.names.function)
        return found

    @property
    def timeout(self) -> int:
        """Seconds that an invocation may take."""
        return int(self.configuration["Timeout"])

    @property
    def deployed(self) -> datetime:
        """When its code or its configuration last changed."""
        return datetime.strptime(self.configuration["LastModified"], "%Y-%m-%dT%H:%M:%S.%f%z")

    @cached_property
    def processing_time(self) -> timedelta:
        """How long an invocation by S3 may take with its retries, if the function is not throttled."""
        client, retries = self.target.client("lambda"), len(_RETRY_SECONDS)
        with translated():
            try:
                config = client.get_function_event_invoke_config(FunctionName=self.names.function)
                retries = int(config.get("MaximumRetryAttempts", retries))
            except client.exceptions.ResourceNotFoundException:
                pass  # Lambda's defaults
        return timedelta(seconds=self.timeout * (1 + retries) + sum(_RETRY_SECONDS[:retries]))

    def seconds_for(self, runs: int, rate: float | None = None) -> int:
        """How long so many runs take at most, `rate` of them begun in a second."""
        rounds = math.ceil(runs / self.at_once) + 1
        return rounds * (self.timeout + _MARGIN_SECONDS) + math.ceil(runs / rate if rate else 0)

    @cached_property
    def _client(self) -> Any:
        patience = self.timeout + _MARGIN_SECONDS
        return self.target.client("lambda", read_timeout=patience, max_pool_connections=self.at_once, retries=_RETRIES)

    def run(self, raw_key: str) -> Outcome:
        """One raw object. Raises RefusedError or UnreachableError if the function could not be asked."""
        record = {"s3": {"bucket": {"name": self.bucket}, "object": {"key": quote_plus(raw_key, safe="/")}}}
        with translated():
            answer = self._client.invoke(FunctionName=self.names.function, Payload=json.dumps({"Records": [record]}))
            said = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            return Outcome(raw_key, "failed", str(said.get("errorMessage", said)))
        return Outcome(raw_key, "processed" if said.get("processed") else "gone")

    def run_all(
        self,
        raw_keys: Iterable[str],
        rate: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> Iterator[Outcome]:
        """Outcomes in the order of the keys; no more than `rate` runs are begun in a second."""
        self._client  # noqa: B018 - made here, for threads must not make it together
        running: deque[Future[Outcome]] = deque()
        due = clock()
        with ThreadPoolExecutor(self.at_once) as pool:
            try:
                for raw_key in raw_keys:
                    while running and running[0].done():
                        yield running.popleft().result()
                    if rate:
                        sleep(max(0.0, due - clock()))
                        due = max(due, clock()) + 1 / rate
                    running.append(pool.submit(self.run, raw_key))
                    if len(running) >= 2 * self.at_once:
                        yield running.popleft().result()
                while running:
                    yield running.popleft().result()
            finally:  # what is not begun is left, when somebody wants no more
                pool.shutdown(cancel_futures=True)
