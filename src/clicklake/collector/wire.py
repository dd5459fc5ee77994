"""ASGI's messages (asgi.readthedocs.io) <-> Request and Answer."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from clicklake.collector import body
from clicklake.collector.collect import PREFIX
from clicklake.collector.request import Answer, HeadTooLargeError, Request, SlowError, TransferCodingError
from clicklake.collector.room import Room

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

MOST_HEAD_BYTES = 64 * 1024
BODY_SECONDS = 60.0
# A look into a dict is cheaper than to decode the name again, and a browser sends twenty.
_BROWSERS = (
    "accept accept-encoding accept-language authorization connection content-encoding content-length content-type "
    "cookie dnt host origin priority referer sec-ch-ua sec-ch-ua-mobile sec-ch-ua-platform sec-fetch-dest "
    "sec-fetch-mode sec-fetch-site sec-gpc user-agent x-forwarded-for x-forwarded-proto x-write-key"
)
_USUAL = {name.encode(): name for name in _BROWSERS.split()}
_CONTROLS = bytes((*range(9), *range(10, 32), 127))


def head(scope: Scope, is_proxy: Callable[[str], bool]) -> Request:
    """`is_proxy(peer)`: may who is at this address say what the client asked it for?"""
    headers = _headers(scope["headers"])
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    peer = (scope.get("client") or ("",))[0]
    scheme = scope["scheme"]
    if headers.get("x-forwarded-proto") == "https" and is_proxy(peer):
        scheme = "https"
    base = f"{scheme}://{headers.get('host', '')}"
    if path.startswith(PREFIX) and path[len(PREFIX) : len(PREFIX) + 1] in {"", "/"}:
        path, base = path[len(PREFIX) :] or "/", base + PREFIX
    return Request(scope["method"], path, scope["query_string"].decode("latin-1"), headers, b"", peer, base)


def _headers(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    usual = _USUAL.get
    headers = {usual(name) or name.decode("latin-1"): value.decode("latin-1") for name, value in raw}
    if len(headers) == len(raw):
        return headers
    several: dict[str, list[str]] = {}
    for raw_name, raw_value in raw:
        several.setdefault(raw_name.decode("latin-1"), []).append(raw_value.decode("latin-1"))
    return {name: ("; " if name == "cookie" else ", ").join(values) for name, values in several.items()}


def check_size(request: Request) -> None:
    """Raises HeadTooLargeError. What has no end the connection has ended before."""
    headers = request.headers
    size = len(request.path) + len(request.query) + len("".join(headers)) + len("".join(headers.values()))
    if size > MOST_HEAD_BYTES:
        raise HeadTooLargeError(f"the request's head has more than {MOST_HEAD_BYTES:,} bytes", "send it in the body")


def check_coding(request: Request) -> None:
    """Raises TransferCodingError for a body that is packed for the way: only its chunks are taken apart here."""
    coding = request.headers.get("transfer-encoding")
    if coding is not None and coding.strip().lower() != "chunked":
        raise TransferCodingError("the Transfer-Encoding is another than chunked", "say it as Content-Encoding: gzip")


async def whole_body(receive: Receive, most: int, room: Room, seconds: float = BODY_SECONDS) -> bytes | None:
    """None if the client went away. Raises TooLargeError as soon as it is, BusyError if there is no room for it, and
    SlowError when so many seconds are over."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        whole: bytes = message.get("body", b"")
        return whole
    try:
        async with asyncio.timeout(seconds):
            return await _rest(message, receive, most, room)
    except TimeoutError:
        raise SlowError(f"the body was not there after {seconds:g} s", "send less at once") from None


async def _rest(message: MutableMapping[str, Any], receive: Receive, most: int, room: Room) -> bytes | None:
    pieces: list[bytes] = []
    size = 0
    try:
        while message["type"] == "http.request":
            piece = message.get("body", b"")
            if size + len(piece) > most:
                raise body.too_large(most)
            room.take(len(piece))
            size += len(piece)
            pieces.append(piece)
            if not message.get("more_body"):
                return b"".join(pieces)
            message = await receive()
        return None
    finally:
        room.leave(size)


async def send_answer(send: Send, answer: Answer, request: Request) -> None:
    headers = [_header(name, value) for name, value in answer.headers]
    if answer.body:
        headers.append(_header("content-type", answer.content_type))
    if answer.status != 204:
        headers.append((b"content-length", b"%d" % len(answer.body)))
    if answer.status >= 300 and "expect" in request.headers:
        # Nobody knows whether the body still comes: the next request must not be taken for it (RFC 9110, 10.1.1).
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else answer.body})


@lru_cache(500)
def _header(name: str, value: str) -> tuple[bytes, bytes]:
    """It can't end its line, whatever a client had us say (RFC 9110, 5.5)."""
    return name.encode("latin-1"), value.encode("latin-1", "replace").translate(None, _CONTROLS)
