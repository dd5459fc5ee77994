"""The collector as an ASGI application (asgi.readthedocs.io), for any server of such and under any prefix."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from typing import Any

from clicklake.collector import body
from clicklake.collector.collect import PREFIX, Collector
from clicklake.collector.delivery import Delivery
from clicklake.collector.request import Answer, Request, RequestError, UnavailableError

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = logging.getLogger("clicklake.collector")


class App:
    def __init__(self, collector: Collector, delivery: Delivery) -> None:
        self._collector, self._delivery = collector, delivery

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = _head(scope)
        answer = self._collector.admit(request)
        if answer is None:
            try:
                whole = await _body(receive, self._collector.settings.max_bytes)
                if whole is None:
                    return  # the client is gone
                request = replace(request, body=whole)
                answer = await self._answer(request)
            except RequestError as error:
                answer = self._collector.refused(request, error)
        await _send(send, answer, request.method == "HEAD")

    async def _answer(self, request: Request) -> Answer:
        """Raises RequestError. What we did not foresee is an answer, too, and says nothing of the request."""
        try:
            collected = self._collector.collect(request)
            if collected.lines:
                await self._delivery.take(collected.lines)
        except RequestError:
            raise
        except Exception as error:
            log.exception("a request to %s failed", request.path[:60])
            raise UnavailableError("the collector failed", "its log says why") from error
        return collected.answer


def _head(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]}{'; ' if name == 'cookie' else ', '}{value}" if name in headers else value
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    base = f"{scope['scheme']}://{headers.get('host', '')}"
    if path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in {"", "/"}:
        path, base = path[len(PREFIX) :] or "/", base + PREFIX
    peer = scope.get("client") or ("",)
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, b"", peer[0], base)


async def _body(receive: Receive, most: int) -> bytes | None:
    """Raises RequestError as soon as it is too large; None if the client went away."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        return whole
    pieces: list[bytes] = []
    size = 0
    while message["type"] == "http.request":
        pieces.append(message.get("body", b""))
        size += len(pieces[-1])
        if size > most:
            raise body.too_large(most)
        if not message.get("more_body"):
            return b"".join(pieces)
        message = await receive()
    return None


async def _send(send: Send, answer: Answer, only_head: bool) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1", "replace")) for name, value in answer.headers]
    if answer.body:
        headers.append((b"content-type", answer.content_type.encode("latin-1")))
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if only_head else answer.body})
