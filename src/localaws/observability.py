"""What the endpoint shows of itself: its pages, CloudWatch's metrics, and a line in the log for every request.

    /_clicklake/health     health.py
    /_clicklake/metrics    for Prometheus; metrics/definitions.py is the list

Built before the services, which tell it what they see, and told of them by `watch`.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from pathlib import Path

from localaws import datadir, health
from localaws.cloudwatch.series import Series
from localaws.metrics import http_apis, process, queries, requests
from localaws.metrics.exposition import CONTENT_TYPE, render
from localaws.metrics.registry import Reading, Registry
from localaws.metrics.sampling import Sampling, Source
from localaws.store import Store
from localaws.wire import Response, Span

_access = logging.getLogger("localaws.access")

Page = Callable[[], Awaitable[Response]]


class Observability:
    """`version` is that of the product which the endpoint is a part of."""

    def __init__(self, store: Store, root: Path, clock: Callable[[], float], version: str) -> None:
        self._root = root
        self._version = version
        self._clock = clock
        self._started = clock()
        self._registry = Registry()
        self.query_ended = queries.observer(self._registry)
        self.api_answered = http_apis.observer(self._registry)
        self._count = requests.observer(self._registry)
        self.series = Series(store)
        self.pages: Mapping[str, Page] = {"/_clicklake/health": self._health, "/_clicklake/metrics": self._metrics}
        self._sampling = Sampling(self._registry, self.series, clock)
        self._checks: Mapping[str, health.Check] = {}

    def watch(self, here: Sequence[Source], away: Sequence[Source], checks: Mapping[str, health.Check]) -> None:
        """`here` are asked on the event loop, `away` on a thread."""
        self._checks = checks
        self._sampling.watch(here, [*away, self._process])

    def start(self) -> None:
        self._sampling.start()

    async def stop(self) -> None:
        await self._sampling.stop()

    def invocation_ran(self, function: str, seconds: float) -> None:
        self._registry.histogram("clicklake_lambda_duration_seconds", function).observe(seconds)

    def delivered(self, stream: str, age: float) -> None:
        """An object of Firehose's; `age` is its oldest record's, in seconds."""
        self._registry.histogram("clicklake_firehose_delivery_freshness_seconds", stream).observe(age)

    async def look(self) -> None:
        """CloudWatch's metrics are up to date on return."""
        await self._sampling.look()

    def note(self, span: Span) -> None:
        """A request was answered. Neither its query nor its headers are written down: signatures are in there."""
        self._count(span)
        if _access.isEnabledFor(logging.INFO):
            fields = {
                "request_id": span.request_id,
                "service": span.service,
                "operation": span.operation,
                "method": span.method,
                "path": span.path,
                "status": span.status,
                "duration_ms": round(span.seconds * 1000, 3),
            }
            text = "%s %s -> %d", span.method, span.path, span.status
            _access.info(*text, extra={"fields": fields})

    async def _metrics(self) -> Response:
        readings = await self._sampling.look()
        text = await asyncio.to_thread(render, readings, self._registry.histograms())
        return Response(200, {"content-type": CONTENT_TYPE, "cache-control": "no-store"}, text)

    async def _health(self) -> Response:
        known = {
            "version": self._version,
            "data_format": datadir.FORMAT,
            "uptime_seconds": round(self._clock() - self._started, 3),
        }
        return await health.answer(self._checks, known)

    def _process(self) -> Iterable[Reading]:
        return process.readings(self._root, self._version, datadir.FORMAT, self._started)
