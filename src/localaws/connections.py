"""Connections that can't be held: a head must be whole within seconds, a body must go on arriving, an answer must be
read, and when there are too many connections, one that only waits makes room.

uvicorn has a limit on idle connections alone. Here a slow client costs a file descriptor and a few kilobytes for some
seconds, and never a thread.
"""

import asyncio
import resource
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""From a request's first byte to the end of its head."""
LARGEST_HEAD = 256 * 2**10
"""Bytes of it. server.py answers what is a little too large; this ends what has no end."""
STALLED_SECONDS = 20.0
SLOWEST_BYTES = 1024
"""A body of which fewer bytes arrive in STALLED_SECONDS is given up, if we did want to read it."""
UNREAD_SECONDS = 120.0
"""An answer of which nothing is read for so long is given up."""
_MOST = 4096
_SPARE_FILES = 256


def most_connections() -> int:
    """As many as there may be open files, less those that the services need. Raises the soft limit first."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST + _SPARE_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST + _SPARE_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        soft = wanted
    return max(64, min(_MOST, soft - _SPARE_FILES))


class _Gathering:
    """A transport that holds an answer's head back until its body comes: a small answer is one packet then, and one
    system call, which is a tenth of what a PutRecord costs. A head without a body leaves at the loop's next turn."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._transport.is_closing():  # the client went away, and uvloop says so by an error
            self._held = b""
        elif self._held:
            held, self._held = self._held, b""
            self._transport.writelines((held, data))
        else:
            self._held = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._held and not self._transport.is_closing():
            held, self._held = self._held, b""
            self._transport.write(held)


class Connection(HttpToolsProtocol):
    """uvicorn's, with time limits. Its states: between requests, in a head, in a body, waiting for the answer."""

    most = _MOST

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Gathering(transport, self.loop))  # type: ignore[arg-type]  # it passes the rest on
        self._body_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._begin_head()
        if len(self.connections) > self.most:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        was_in_head = self._in_head
        super().data_received(data)
        if was_in_head and self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > LARGEST_HEAD:
                self.give_up()

    def on_message_begin(self) -> None:
        self._begin_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()
        self._watch_body()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop()
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_reader(self.transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop()
        if self._in_head:  # the next request's, which has begun meanwhile
            self._start(HEAD_SECONDS, self.give_up)

    @property
    def is_waiting(self) -> bool:
        """For a request, or for the rest of its head."""
        return self._in_head or self.cycle is None or self.cycle.response_complete

    def give_up(self) -> None:
        self._stop()
        self.transport.abort()

    def _begin_head(self) -> None:
        self._in_head, self._head_bytes, self.since = True, 0, self.loop.time()
        self._start(HEAD_SECONDS, self.give_up)

    def _watch_body(self) -> None:
        """Look again whenever STALLED_SECONDS are over. Bytes that nobody waits for can't be late."""
        before, wanted = self._body_bytes, self._is_body_wanted()
        self._start(STALLED_SECONDS, lambda: self._check_body(before, wanted))

    def _check_body(self, before: int, wanted: bool) -> None:
        is_late = wanted and self._is_body_wanted() and self._body_bytes - before < SLOWEST_BYTES
        if is_late or self.cycle.response_complete:  # refused, and it sends on
            self.give_up()
        else:
            self._watch_body()

    def _is_body_wanted(self) -> bool:
        return not self.flow.read_paused and not self.cycle.waiting_for_100_continue

    def _watch_reader(self, unread: int) -> None:
        self._start(UNREAD_SECONDS, lambda: self._check_reader(unread))

    def _check_reader(self, unread: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left >= unread:
            self.give_up()
        else:
            self._watch_reader(left)

    def _make_room(self) -> None:
        """End the connection that has been waiting longest for a client; the newest, if none is."""
        waiting = (other for other in self.connections if isinstance(other, Connection) and other.is_waiting)
        min(waiting, key=lambda other: other.since, default=self).give_up()

    def _start(self, seconds: float, then: Any) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, then)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
