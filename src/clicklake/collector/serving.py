"""The process of a collector of one's own: its socket, its signals and its event loop, from start to stop."""

import asyncio
import contextlib
import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
import uvloop

from clicklake.collector.app import App
from clicklake.collector.collect import Collector
from clicklake.collector.delivery import Delivery
from clicklake.errors import UsageError


def serve(collector: Collector, delivery: Delivery, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `on_ready(url)` is called once requests are answered. UsageError if the port can't
    be had."""
    with _listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(App(collector, delivery), delivery, listener, on_ready))


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as e:
        listener.close()
        why = "is in use" if e.errno == errno.EADDRINUSE else f"can't be opened ({e.strerror})"
        raise UsageError(f"port {port} on {host} {why}", "choose another: --port") from e
    return listener


def configured(app: Any) -> uvicorn.Config:
    """How any ASGI application is served here; the benchmark serves a bare one so."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # broken bytes of a client are no event of ours
    return uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )


async def _serve(app: App, delivery: Delivery, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    host, port = listener.getsockname()[:2]
    server = uvicorn.Server(configured(app))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.002)
    on_ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    try:
        await serving
    finally:
        await delivery.close()
