"""`python -m benchmarks.bare_asgi`: what the collector is measured against. It reads each body and discards it, on the
same server with the same settings and limits; `plain`: on uvicorn's own connections, without limits.
"""

import asyncio
import socket
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn
import uvloop

from clicklake.collector import serving
from localaws.connections import Connection

_BODY = b'{"success":true}'
_HEADERS = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_BODY))]


async def app(
    scope: MutableMapping[str, Any],
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
    send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


async def _serve() -> None:
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    server = uvicorn.Server(serving.configured(app, "auto" if "plain" in sys.argv[1:] else Connection))
    serves = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.002)
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    await serves


if __name__ == "__main__":
    uvloop.run(_serve())
