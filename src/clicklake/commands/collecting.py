"""The collector that `up` serves below /collect: its events wait in the data directory, and the endpoint takes them.

It is made when the first request comes, for to import it takes longer than `up` may wait; or at the start, if events of
an earlier run wait in its spool. It speaks to the endpoint over HTTP, as a collector on AWS speaks to Firehose.
"""

import asyncio
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from clicklake.collector.reach import is_loopback
from clicklake.errors import ClicklakeError
from clicklake.target import Target

if TYPE_CHECKING:
    from clicklake.collector.app import App
    from clicklake.collector.settings import Settings
    from clicklake.producer import Producer

log = logging.getLogger("clicklake.collector")

PATH = "/collect"
_VARIABLE = "CLICKLAKE_COLLECTOR"


class Collecting:
    """An ASGI application. Raises UsageError for settings that are wrong."""

    def __init__(
        self, data_dir: Path, host: str, config: str | None, pipeline: str | None, environment: str | None
    ) -> None:
        self._spool = data_dir / "collector" / "spool"
        self._pipeline, self._environment = pipeline, environment
        is_told = config is not None or bool(os.environ.get(_VARIABLE))
        self._settings = _settings(config) if is_told else None
        has_sites = self._settings is not None and bool(self._settings.sites)
        self.refusal = "" if has_sites or is_loopback(host) else f"on {host} anybody could send, for there are no sites"
        self._making = threading.Lock()
        self._target: Callable[[], Target] | None = None
        self._producer: Producer | None = None
        self._app: App | None = None
        self._is_closed = False

    def begin(self, target: Callable[[], Target]) -> None:
        """The endpoint answers: send what is left of an earlier run, and take requests from here on."""
        self._target = target
        if any(self._spool.rglob("*.spool")):
            threading.Thread(target=self._made, name="clicklake collector", daemon=True).start()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        app = self._app
        if app is None:
            problem = self.refusal or await asyncio.to_thread(self._made)
            app = self._app
        if app is None:
            hint = "set CLICKLAKE_COLLECTOR or --collector-config: docs/collector.md"
            await _refuse(send, 403 if self.refusal else 503, problem, hint)
            return
        await app(scope, receive, send)

    def _made(self) -> str:
        """Make it, once; why not, if that fails."""
        with self._making:
            if self._app is None:
                if self._target is None or self._is_closed:
                    return "the endpoint does not run"
                try:
                    self._app = self._make(self._target())
                except ClicklakeError as e:
                    log.error("%s", e)  # noqa: TRY400 - what went wrong is in the words
                    return "the collector can't start; the endpoint's log says why"
            return ""

    def _make(self, target: Target) -> "App":
        from clicklake.collector.app import App
        from clicklake.collector.collect import Collector
        from clicklake.collector.delivery import to_spool
        from clicklake.producer import Producer
        from clicklake.producer.ids import Uuid7

        settings = self._settings or _settings(None)
        _rename(self._spool, target.endpoint_url or "")
        self._producer = Producer(
            target=target,
            pipeline=self._pipeline,
            environment=self._environment,
            spool=self._spool,
            handle_sigterm=False,
            fsync=0,
            linger=0.2,
            max_spool=settings.max_spool_bytes,
        )
        return App(Collector(settings, time.time, Uuid7(time.time)), to_spool(self._producer, settings))

    def close(self) -> None:
        """Nobody answers any more, so what is left waits for the next start."""
        with self._making:
            self._is_closed = True
            if self._producer is not None:
                self._producer.close(timeout=0)


def _settings(config: str | None) -> "Settings":
    from clicklake.collector import settings

    return settings.load(config, os.environ)


def _rename(spool: Path, url: str) -> None:
    """What waits is for this endpoint, though it may have another port now."""
    here = spool / quote(urlsplit(url).netloc, safe="")
    for file in [*spool.glob("*/*/*/*")]:
        home = here.joinpath(*file.relative_to(spool).parts[1:])
        if file != home:
            home.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.rename(home)


async def _refuse(send: Any, status: int, problem: str, hint: str) -> None:
    said = json.dumps({"error": {"code": "not_collecting", "message": problem, "hint": hint}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(said)), (b"retry-after", b"2")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": said})
