"""ASGI on one side (asgi.readthedocs.io), a request's head and body and its answer on the other."""

import asyncio
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from typing import Any

from localaws.errors import AwsError
from localaws.sigv4 import Head
from localaws.wire import FileSlice, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SERVICE = "localaws.service"
"""In a scope: who answers it, as metrics call it."""
_PIECE = 256 * 2**10
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def head_of(scope: Scope) -> Head:
    headers: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    path = scope["raw_path"].decode("latin-1").partition("?")[0]
    return Head(scope["method"], path, scope["query_string"].decode("latin-1"), headers)


async def chunks(receive: Receive) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise AwsError("RequestTimeout", "The client went away before its request was whole")
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def send_response(send: Send, response: Response, request_id: str) -> None:
    names = {"x-amzn-requestid": request_id, "x-amz-request-id": request_id}
    names |= {name.lower(): value for name, value in response.headers.items()}
    body = response.body
    length = body.length if isinstance(body, FileSlice) else len(body)
    if response.status not in {204, 304}:
        names.setdefault("content-length", str(length))
    headers = [(name.encode("latin-1"), field_value(value)) for name, value in names.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if isinstance(body, bytes):
        await send({"type": "http.response.body", "body": body})
        return
    try:
        await _send_file(send, body)
    finally:
        body.file.close()


def field_value(value: str) -> bytes:
    """A header's value can't end its line, whatever a client had us keep for it (RFC 9110, 5.5)."""
    return _CONTROL.sub(" ", value).encode("latin-1", "replace")


async def _send_file(send: Send, part: FileSlice) -> None:
    position, left = part.start, part.length
    while left:
        piece = os.pread(part.file.fileno(), min(_PIECE, left), position)
        if not piece:
            raise OSError("the file became shorter while it was sent")
        sent = piece if part.change is None else await asyncio.to_thread(part.change, position, piece)
        position, left = position + len(piece), left - len(piece)
        await send({"type": "http.response.body", "body": sent, "more_body": bool(left)})
    if not part.length:
        await send({"type": "http.response.body", "body": b""})
