"""The process of an endpoint: its lock, its socket, its signals and its event loop, from start to stop."""

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import uvicorn
import uvloop

from localaws import datadir
from localaws.connections import Connection, most_connections
from localaws.errors import StartError
from localaws.runtime import Runtime, Settings

_THREADS = 64


def serve(settings: Settings, on_ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. `on_ready(url)` is called on a thread once requests are answered; what it raises
    ends the endpoint and is raised here. StartError if the port or the data directory can't be had.

    Whoever calls it has disabled the garbage collector: it begins when all is loaded that stays."""
    if not settings.data_dir.exists():
        _listen(settings).close()  # a port in use must not leave a new directory behind
    lock = datadir.claim(settings.data_dir)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until it serves, both end in KeyboardInterrupt below
    try:
        with _listen(settings) as listener:
            host, port = listener.getsockname()[:2]
            url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
            uvloop.run(_serve(Runtime(settings, url), listener, settings, on_ready))
    except KeyboardInterrupt:
        pass
    finally:
        os.close(lock)


def _listen(settings: Settings) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(1024)
    except OSError as e:
        listener.close()
        where = f"port {settings.port} on {settings.host}"
        if e.errno == errno.EADDRINUSE:
            raise StartError(f"{where} is in use", "choose another: --port") from e
        raise StartError(f"{where} can't be opened ({e.strerror})", "choose another: --port") from e
    return listener


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: uvicorn's own raises the signal again when it has shut down, before the services are stopped."""
        yield


def _settle(runtime: Runtime, settings: Settings) -> None:
    """Load the rest, and have the garbage collector pass over what is there by then."""
    try:
        if settings.warm:
            runtime.warm()
    finally:
        gc.freeze()
        gc.enable()


async def _tell(on_ready: Callable[[str], None], url: str, server: uvicorn.Server) -> None:
    """Call it on a thread. What it raises because the endpoint was stopped meanwhile is no error."""
    try:
        await asyncio.to_thread(on_ready, url)
    except Exception:
        if not server.should_exit:
            raise


async def _serve(
    runtime: Runtime, listener: socket.socket, settings: Settings, on_ready: Callable[[str], None]
) -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS))
    Connection.most = most_connections()
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # broken bytes of a client are no event of ours
    fresh = not (settings.data_dir / "control.journal").exists()
    await runtime.start()
    config = uvicorn.Config(
        runtime.app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=5,
    )
    server = _Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, server.handle_exit, number, None)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        while not server.started and not serving.done():  # noqa: ASYNC110 - uvicorn offers no event to wait for
            await asyncio.sleep(0.002)
        if fresh and settings.warm:  # whoever makes a stack now will need moto, which takes a second to load
            threading.Thread(target=runtime.warm, daemon=True).start()
        await _tell(on_ready, runtime.url, server)
        threading.Thread(target=_settle, args=(runtime, settings), daemon=True).start()
        await serving
    finally:
        server.should_exit = True
        await serving
        await runtime.stop()
