"""The collector as an ASGI application, for any server of such and under any prefix.

    head -> admitted -> body -> lines -> durable -> answer

Two pages of its own: /health, and /metrics for this machine alone.
"""

import logging

from clicklake.collector import counts, wire
from clicklake.collector.collect import Collector
from clicklake.collector.delivery import Delivery
from clicklake.collector.reach import is_loopback, names_loopback
from clicklake.collector.request import (
    Answer,
    MethodError,
    NotFoundError,
    Request,
    RequestError,
    UnavailableError,
)
from clicklake.collector.trouble import described
from clicklake.collector.wire import Receive, Scope, Send

log = logging.getLogger("clicklake.collector")

_PROXIED = ("x-forwarded-for", "forwarded", "via")


class App:
    def __init__(self, collector: Collector, delivery: Delivery) -> None:
        self._collector, self._delivery = collector, delivery
        self._most, self._is_proxy = collector.settings.max_bytes, collector.is_proxy
        self._pages = {"/health": self._health, "/metrics": self._metrics}
        self.counts = counts.Counts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            await self._serve(scope, receive, send)
        except Exception as error:
            # Not to the server, which would log a traceback, and that may quote somebody; it answers 500 all the same.
            log.error("a request failed: %s", described(error))  # noqa: TRY400

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = wire.head(scope, self._is_proxy)
        try:
            wire.check_size(request)
            answer = self._page(request) or self._collector.admit(request) or await self._take(request, receive)
        except RequestError as error:
            answer = self._collector.refused(request, error)
        if answer is None:
            return  # the client is gone
        if request.path not in self._pages:
            self.counts.requests[self._collector.route_of(request), answer.status] += 1
        await wire.send_answer(send, answer, request)

    async def _take(self, request: Request, receive: Receive) -> Answer | None:
        """None if nobody waits for an answer any more. Raises RequestError. What we did not foresee is an answer, too,
        and says nothing of the request."""
        wire.check_coding(request)
        whole = await wire.whole_body(receive, self._most, self._delivery.room)
        if whole is None:
            return None
        try:
            collected = self._collector.collect(request.with_body(whole))
            del whole  # what waits now are its lines
            if collected.lines:
                await self._delivery.take(collected.lines)
        except RequestError:
            raise
        except Exception as error:
            log.error("a request failed: %s", described(error))  # noqa: TRY400 - a traceback may quote an event
            raise UnavailableError("the collector failed", "its log says where") from error
        self.counts.taken[collected.dialect] += collected.count
        self.counts.failing[collected.dialect] += collected.failing
        self.counts.unwanted[collected.dialect] += collected.unwanted
        return collected.answer

    async def close(self) -> None:
        await self._delivery.close()

    # --- pages of its own --------------------------------------------------------------------------------------------

    def _page(self, request: Request) -> Answer | None:
        page = self._pages.get(request.path)
        if page is None:
            return None
        if request.method not in {"GET", "HEAD"}:
            raise MethodError("this path takes GET", "", (("allow", "GET"),))
        return page(request).with_headers((("cache-control", "no-store"),))

    def _health(self, _: Request) -> Answer:
        """For a load balancer: 503 when events can't be kept."""
        trouble = self._delivery.trouble()
        return Answer.of(503, {"status": "troubled", "why": trouble}) if trouble else Answer.of(200, {"status": "ok"})

    def _metrics(self, request: Request) -> Answer:
        """What a proxy on this machine passes on comes from elsewhere."""
        is_near = is_loopback(request.peer) and names_loopback(request.header("host"))
        if not is_near or any(name in request.headers for name in _PROXIED):
            raise NotFoundError("there is nothing at this path", "/metrics is for this machine alone, as 127.0.0.1")
        return Answer(200, self.counts.text(self._delivery.room.used), counts.CONTENT_TYPE)
