"""clicklake.Producer: events in, from any thread; a thread of its own sends them."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from clicklake import pipeline as pipelines
from clicklake import target as targets
from clicklake.producer import ending, spool
from clicklake.producer.errors import ClosedError, EventError, FullError, SpoolError, UndeliveredError
from clicklake.producer.event import Lines
from clicklake.producer.ids import Uuid7
from clicklake.producer.log import Log
from clicklake.producer.memory import Memory
from clicklake.producer.sender import Queue, Sender
from clicklake.producer.settings import Counters, OnDelivery, OnError, Place, Settings
from clicklake.producer.stream import Stream

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
        stream = Stream(self._target, self.stream)
        own, orphans = self._queues(stream)
        self._log = own if isinstance(own, Log) else None
        self._sender = Sender(stream, own, orphans, self.settings, self._clock, self._jitter, *self._callbacks)
        self._changed = self._sender.changed
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sender.run, name="clicklake producer", daemon=True)
        self._thread.start()
        if self._log is not None and self.settings.fsync:
            threading.Thread(target=self._keep_syncing, name="clicklake spool", daemon=True).start()
        self._begins = threading.Lock()
        self._is_forked = False

    def _queues(self, stream: Stream) -> tuple[Queue, Callable[[], Iterator[Log]] | None]:
        if self._place is False:
            return Memory(self.settings.max_memory), None
        root = spool.default() if self._place is True else Path(self._place)
        kept = spool.Spool(
            root, stream.endpoint_url, stream.region, self.stream, self.settings.max_spool, self.settings.max_memory
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
        if self._closed:
            raise ClosedError("the producer is closed", "make another one")
        if self._is_forked:
            with self._begins:
                if self._is_forked:
                    self._begin()
        sender = self._sender
        with self._changed:
            try:
                event_id, line = self._lines(event)
                if not sender.own.append(line):
                    self._append_later(line, self.settings.max_block if max_block is None else max_block)
            except (EventError, FullError, SpoolError):
                sender.counts["refused"] += 1
                raise
            sender.counts["accepted"] += 1
            if sender.own.is_behind:
                sender.counts["spooled"] += 1
            if sender.since is None:
                sender.since = time.monotonic()
                self._changed.notify_all()
            elif sender.own.size >= self.settings.call_bytes:
                self._changed.notify_all()
        if self.settings.fsync == 0 and self._log is not None:
            self._log.sync()
        return event_id

    def _append_later(self, line: bytes, max_block: float) -> None:
        """Wait until there is room for it. Under the lock, which is free meanwhile."""
        sender = self._sender
        if self._changed.wait_for(lambda: sender.closing or sender.own.append(line), max_block) and not sender.closing:
            return
        if sender.closing:
            raise ClosedError("the producer was closed meanwhile", "make another one")
        kept = "max_memory" if self._log is None else "max_spool"
        why = f": {sender.failing}" if sender.failing else ""
        raise FullError(f"no room for the event within {max_block:g} s{why}", f"try it again later, or raise {kept}")

    # --- and out -----------------------------------------------------------------------------------------------------

    @property
    def counters(self) -> Counters:
        if self._is_forked:
            return Counters()
        with self._changed:
            return self._sender.counters()

    def flush(self, timeout: float | None = None) -> bool:
        """Send now what was accepted until now; True when all of it is acknowledged, False when the seconds are
        over."""
        if self._is_forked:
            return True  # what its parent accepted is its parent's
        sender = self._sender
        with self._changed:
            upto = sender.counts["accepted"]
            sender.flush_upto = max(sender.flush_upto, upto)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: sender.acknowledged >= upto or sender.aborted, timeout) and (
                sender.acknowledged >= upto
            )

    def close(self, timeout: float | None = None) -> None:
        """Send what was accepted, for at most `timeout` seconds (default: `exit_timeout`), and end. What is left then
        stays in the spool, and is sent by the next producer that uses it; without one it is lost, and UndeliveredError
        says so.
        """
        if self._closed:
            return
        self._closed = True
        ending.forget(self)
        if self._is_forked:
            return
        left = self._end(self.settings.exit_timeout if timeout is None else timeout)
        if left and self._log is None:
            raise UndeliveredError(
                f"{left:,} events were not sent and are lost", "spool=True keeps them on the disk", left
            )

    def _end(self, timeout: float) -> int:
        """How many events are left."""
        sender = self._sender
        with self._changed:
            sender.closing = True
            self._changed.notify_all()
        self._thread.join(timeout)
        self._stopped.set()
        with self._changed:
            sender.aborted = True
            left = sender.counters().waiting
            if self._log is not None:
                sender.counts["spooled"] += left
            for queue in (sender.own, *sender.adopted):
                queue.close()
            self._changed.notify_all()
        return left

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def after_fork(self) -> None:
        """In the child: let go of the parent's files. It begins anew with its first event."""
        if not self._is_forked and self._log is not None:
            for kept in (self._log, *self._sender.adopted):
                kept.abandon()
        self._begins = threading.Lock()
        self._is_forked = True
