"""clicklake.Producer: events in, from any thread; a thread of its own sends them."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from clicklake import pipeline as pipelines
from clicklake import target as targets
from clicklake.producer import ending, spool
from clicklake.producer.errors import ClosedError, EventError, FullError, SpoolError, UndeliveredError
from clicklake.producer.event import STAMP_BYTES, Lines
from clicklake.producer.ids import Uuid7
from clicklake.producer.log import Log
from clicklake.producer.memory import Memory
from clicklake.producer.packing import BYTES_PER_RECORD, events_in
from clicklake.producer.sender import Sender
from clicklake.producer.settings import Counters, OnDelivery, OnError, Place, Settings
from clicklake.producer.stream import Stream
from clicklake.producer.waiting import Queue

log = logging.getLogger("clicklake.producer")


class Producer:
    """Sends events to a delivery stream, many in each Firehose record.

        with clicklake.Producer() as producer:
            producer.track({"event_type": "page_view", "page_url": "https://shop.example/"})

    With a spool (the default) an event is on the disk before track() returns, and is sent, by this process or by a
    later one, whatever happens to this one. Without it, `spool=False`, events wait in memory, and those that were not
    sent are lost with the process. docs/producer.md says what is promised when, and what every setting is good for.
    """

    def __init__(
        self,
        stream: str | None = None,
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        profile: str | None = None,
        target: targets.Target | None = None,
        pipeline: Path | str | None = None,
        environment: str | None = None,
        spool: Place = True,
        on_delivery: OnDelivery | None = None,
        on_error: OnError | None = None,
        handle_sigterm: bool = True,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] | None = None,
        jitter: Callable[[], float] = random.random,
        **settings: Any,
    ) -> None:
        """`stream`: by default the pipeline's, of `environment`. Where it is, `endpoint_url`, `region` and `profile`
        and the environment say as for the aws CLI, or a `target` does. `spool`: a directory, True for the default one,
        or False. `settings` are those of Settings. The callbacks are called by the thread that sends. `clock` (seconds
        since 1970), `ids` and `jitter` (0 to 1) are for tests.

        Raises UsageError, PipelineError, or SpoolError if the spool can't be used.
        """
        described = pipelines.load(pipeline)
        self.settings = Settings(**settings)
        self.stream = stream or described.names(environment).delivery_stream
        self._target = target or targets.choose(endpoint_url, region, profile)
        self._described, self._clock, self._given_ids, self._jitter = described, clock, ids, jitter
        self._callbacks = (on_delivery, on_error)
        self._place = spool
        self._closed = False
        self._begin()
        ending.remember(self, handle_sigterm=handle_sigterm)

    def _begin(self) -> None:
        """In this process: a forked child has none of its parent's threads, connections and locks."""
        self._lines = Lines(self._described, self._clock, self._given_ids or Uuid7(self._clock))
        streams = [Stream(self._target, self.stream) for _ in range(self.settings.connections)]
        own, orphans = self._queues(streams[0])
        self._log = own if isinstance(own, Log) else None
        self._sender = Sender(streams, own, orphans, self.settings, self._clock, self._jitter, *self._callbacks)
        self._waiting = self._sender.waiting
        self._stopped, self._ended = threading.Event(), threading.Event()
        self._sender.start()
        if self._log is not None and self.settings.fsync:
            threading.Thread(target=self._keep_syncing, name="clicklake spool", daemon=True).start()
        self._begins = threading.Lock()
        self._is_forked = False

    def _queues(self, stream: Stream) -> tuple[Queue, Callable[[], Iterator[Log]] | None]:
        if self._place is False:
            return Memory(self.settings.max_memory), None
        root = spool.default() if self._place is True else Path(self._place)
        kept = spool.Spool(
            root,
            stream.endpoint_url,
            stream.region,
            self.stream,
            self.settings.max_spool,
            self.settings.max_memory,
            syncs=self.settings.fsync is not None,
        )
        return kept.own, kept.orphans

    def _keep_syncing(self) -> None:
        assert self._log is not None
        while not self._stopped.wait(self.settings.fsync):
            try:
                self._log.sync()
            except OSError as e:
                log.warning("the spool can't be synced (%s): power loss may lose events", e.strerror)

    # --- events in ---------------------------------------------------------------------------------------------------

    def track(self, event: Mapping[str, Any], *, max_block: float | None = None) -> str:
        """Accept an event; its `event_id`, which is made if it has none, as `event_time` is. The event is not changed.

        From then on it is sent until it is acknowledged, in this process or a later one: Producer says what of that
        holds without a spool. Waits for room, at most `max_block` seconds (default: the producer's). Raises EventError
        for what is no event, FullError or SpoolError if there is no room for it, ClosedError after close(); what was
        raised for was not accepted.
        """
        self._begin_if_forked()
        with self._waiting.lock:
            event_id, line = self._line(event)
            since = self._failures()
            self._accept([line], max_block, 1)
        self._sync(since)
        return event_id

    def offer(self, event: Mapping[str, Any]) -> str | None:
        """As track(), but None at once where there is no room: then the event was not accepted."""
        self._begin_if_forked()
        with self._waiting.lock:
            event_id, line = self._line(event)
            since = self._failures()
            if not self._waiting.own.append([line]):
                return None
            self._accepted(1)
        self._sync(since)
        return event_id

    def track_many(self, events: Iterable[Mapping[str, Any]], *, max_block: float | None = None) -> list[str]:
        """Accept all of them, or none: what is raised holds for all. Cheaper than one by one, also on the disk."""
        self._begin_if_forked()
        with self._waiting.lock:
            made = [self._line(event) for event in events]
            since = self._failures()
            if made:
                self._accept([line for _, line in made], max_block, len(made))
        self._sync(since)
        return [event_id for event_id, _ in made]

    def track_lines(self, pieces: Sequence[bytes], *, max_block: float | None = None) -> None:
        """As track_many(), for events that are written already: a piece is the line of one, or of several, each a JSON
        object that ends in LF. They are sent as they are, without `event_id`, `event_time` and `sent_time` being put
        in. A piece is kept or sent as cheaply as an event."""
        self._begin_if_forked()
        for piece in pieces:
            if not (piece.startswith(b"{") and piece.endswith(b"}\n")) or len(piece) > BYTES_PER_RECORD - STAMP_BYTES:
                raise EventError("a line is no JSON object that ends in LF, or too large", "write it as one")
        with self._waiting.lock:
            since = self._failures()
            if pieces:
                self._accept(list(pieces), max_block, sum(map(events_in, pieces)))
        self._sync(since)

    def _begin_if_forked(self) -> None:
        if self._closed:
            raise ClosedError("the producer is closed", "make another one")
        if self._is_forked:
            with self._begins:
                if self._is_forked:
                    self._begin()

    def _line(self, event: Mapping[str, Any]) -> tuple[str, bytes]:
        try:
            return self._lines(event)
        except EventError:
            self._sender.counts["refused"] += 1
            raise

    def _accept(self, pieces: list[bytes], max_block: float | None, count: int) -> None:
        """Under the lock, which is free while there is no room."""
        try:
            if not self._waiting.own.append(pieces):
                self._append_later(pieces, self.settings.max_block if max_block is None else max_block)
        except (FullError, SpoolError):
            self._sender.counts["refused"] += count
            raise
        self._accepted(count)

    def _accepted(self, count: int) -> None:
        counts = self._sender.counts
        counts["accepted"] += count
        if self._waiting.own.is_behind:
            counts["spooled"] += count
        self._waiting.came()

    def _failures(self) -> int:
        """Of syncs, until now. Under the lock."""
        return 0 if self._log is None else self._log.failures

    def _sync(self, since: int) -> None:
        if self.settings.fsync == 0 and self._log is not None:
            try:
                self._log.sync(since)
            except OSError as e:
                raise SpoolError(f"the spool can't be synced ({e.strerror})", "power loss may lose the event") from e

    def _append_later(self, pieces: list[bytes], max_block: float) -> None:
        """Wait until there is room for them. Under the lock, which is free meanwhile."""
        waiting = self._waiting
        if waiting.changed.wait_for(lambda: waiting.closing or waiting.own.append(pieces), max_block):
            if not waiting.closing:
                return
            raise ClosedError("the producer was closed meanwhile", "make another one")
        kept = "max_memory" if self._log is None else "max_spool"
        why = f": {self._sender.failing}" if self._sender.failing else ""
        raise FullError(f"no room for the event within {max_block:g} s{why}", f"try it again later, or raise {kept}")

    # --- and out -----------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        if self._is_forked:
            return Counters()
        return self._sender.counters()

    @property
    def room(self) -> int:
        """Bytes of events for which there is room now: in memory, or in the spool and on its disk."""
        if self._is_forked:
            return self.settings.max_memory if self._place is False else self.settings.max_spool
        with self._waiting.lock:
            return self._waiting.own.room

    def flush(self, timeout: float | None = None) -> bool:
        """Send now what was accepted until now; True when all of it is acknowledged, False when the seconds are
        over."""
        if self._is_forked:
            return True  # what its parent accepted is its parent's
        waiting = self._waiting
        with waiting.changed:
            upto = self._sender.counts["accepted"]
            waiting.flush_upto = max(waiting.flush_upto, upto)
            waiting.changed.notify_all()
            waiting.changed.wait_for(lambda: waiting.acknowledged >= upto or waiting.aborted, timeout)
            return waiting.acknowledged >= upto

    def close(self, timeout: float | None = None) -> None:
        """Send what was accepted, for at most `timeout` seconds (default: `exit_timeout`), and end. What is left then
        stays in the spool, and is sent by the next producer that uses it; without one it is lost, and UndeliveredError
        says so.
        """
        timeout = self.settings.exit_timeout if timeout is None else timeout
        with self._begins:
            is_first, self._closed = not self._closed, True
        if not is_first:
            self._ended.wait(timeout)  # SIGTERM's thread may be at it while the process exits
            return
        left = 0 if self._is_forked else self._end(timeout)
        self._ended.set()
        ending.forget(self)
        if left and self._log is None:
            raise UndeliveredError(
                f"{left:,} events were not sent and are lost", "spool=True keeps them on the disk", left
            )

    def _end(self, timeout: float) -> int:
        """How many events are left."""
        waiting = self._waiting
        with waiting.changed:
            waiting.closing = True
            waiting.changed.notify_all()
        self._sender.join(timeout)
        self._stopped.set()
        with waiting.changed:
            waiting.aborted = True
            left = self._sender.counters().waiting
            if self._log is not None:
                self._sender.counts["spooled"] += left
            waiting.close()
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def after_fork(self) -> None:
        """In the child: let go of the parent's files. It begins anew with its first event."""
        if not self._is_forked and self._log is not None:
            for kept in (self._log, *self._waiting.adopted):
                kept.abandon()
        self._begins, self._ended = threading.Lock(), threading.Event()
        self._is_forked = True
