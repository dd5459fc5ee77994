"""The process of a collector of one's own: its socket, its signals and its event loop, from start to stop."""

import asyncio
import contextlib
import errno
import gc
import logging
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn
import uvloop

from clicklake.collector.app import App
from clicklake.errors import UsageError

DRAIN_SECONDS = 5


def serve(app: App, connection: type, host: str, port: int, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; what was begun by then is answered. Each connection is a `connection`, one of
    uvicorn's protocols. `on_ready(url)` is called once requests are answered. UsageError if the port can't be had."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until it serves, both end in KeyboardInterrupt below
    with _listen(host, port) as listener, contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_serve(app, connection, listener, on_ready))


def _listen(host: str, port: int) -> socket.socket:
    """`::` takes IPv4 as well."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as e:
        raise UsageError(f"{host} is no address of this machine", "such as 127.0.0.1, or ::1") from e
    listener = socket.socket(family, kind, protocol)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(1024)
    except OSError as e:
        listener.close()
        why = "is in use" if e.errno == errno.EADDRINUSE else f"can't be opened ({e.strerror})"
        raise UsageError(f"port {port} on {host} {why}", "choose another: --port") from e
    return listener


def configured(app: Any, connection: Any = "auto") -> uvicorn.Config:
    """How any ASGI application is served here; the benchmark serves a bare one so."""
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # broken bytes of a client are no event of ours
    return uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn's own raises the signal again when it has shut down, before the delivery is closed."""
        yield


async def _serve(app: App, connection: type, listener: socket.socket, on_ready: Callable[[str], None]) -> None:
    host, port = listener.getsockname()[:2]
    server = _Server(configured(app, connection))
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
        await asyncio.sleep(0.002)
    _spare_the_garbage_collector()
    on_ready(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")
    try:
        await serving
    finally:
        await app.close()


def _spare_the_garbage_collector() -> None:
    """What is there now stays. A request leaves next to no cycles behind, and to look for them after each seven hundred
    new objects was a fifth of what it cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
