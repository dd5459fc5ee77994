"""Browsers by the dozen: each sends a few events at a time in one dialect, and again until it was told that they were
taken. What it was told goes by the ids in it."""

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

_SECONDS = 10.0
_PAUSE = 0.2
_TRACKER = "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4"


def _native(ids: list[str]) -> tuple[str, Any]:
    return "/v1/events", [{"event_type": "native", "event_id": one, "properties": {"n": one}} for one in ids]


def _segment(ids: list[str]) -> tuple[str, Any]:
    calls = [{"type": "track", "event": "segment", "messageId": one, "anonymousId": "a"} for one in ids]
    return "/v1/batch", {"batch": calls, "sentAt": "2026-01-01T00:00:00Z"}


def _snowplow(ids: list[str]) -> tuple[str, Any]:
    events = [{"e": "se", "se_ca": "c", "se_ac": "a", "eid": one, "p": "web", "tv": "js-4"} for one in ids]
    return "/com.snowplowanalytics.snowplow/tp2", {"schema": _TRACKER, "data": events}


_DIALECTS: tuple[Callable[[list[str]], tuple[str, Any]], ...] = (_native, _segment, _snowplow)


@dataclass
class Crowd:
    """`sent`: ids that a collector may have. `taken`: those that it answered for. `again`: requests sent again."""

    urls: list[str]
    seed: int
    pause: float
    sent: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    again: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self, count: int) -> None:
        self._threads = [threading.Thread(target=self._browse, args=(n,), daemon=True) for n in range(count)]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float) -> bool:
        """They begin nothing new; True when each was told that all of its events were taken."""
        self._stopping.set()
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _browse(self, number: int) -> None:
        chance = random.Random(self.seed * 1000 + number)
        make, url = _DIALECTS[number % len(_DIALECTS)], self.urls[number % len(self.urls)]
        count = 0
        connection: http.client.HTTPConnection | None = None
        while not self._stopping.is_set():
            ids = [f"{number:03}-{count + more:06}" for more in range(chance.randrange(1, 6))]
            count += len(ids)
            connection = self._until_taken(connection, url, *make(ids), ids)
            time.sleep(chance.expovariate(1 / self.pause))

    def _until_taken(
        self, connection: http.client.HTTPConnection | None, url: str, path: str, said: Any, ids: list[str]
    ) -> http.client.HTTPConnection | None:
        """The connection stays, as a browser's does."""
        place, body = urlsplit(url), json.dumps(said).encode()
        with self._lock:
            self.sent.update(ids)
        while True:
            with suppress(OSError, http.client.HTTPException):
                connection = connection or http.client.HTTPConnection(place.netloc, timeout=_SECONDS)
                connection.request("POST", place.path + path, body, {"Content-Type": "text/plain"})
                answer = connection.getresponse()
                answer.read()
                if answer.status == 200:
                    with self._lock:
                        self.taken.update(ids)
                    return connection
            if connection is not None:
                connection.close()
                connection = None
            with self._lock:
                self.again += 1
            time.sleep(_PAUSE)
