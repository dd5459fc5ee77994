"""One delivery stream at work: acknowledge when durable, buffer by size and time, deliver until S3 has it.

Group commit with no timer: while one fsync runs, the requests that arrive wait together for the next (measured best in
research, and it needs no tuning). Everything here runs on the event loop but the file work, which runs on threads.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from isal import igzip

from localaws.durable import make_directories
from localaws.errors import AwsError
from localaws.firehose import log as write_ahead
from localaws.firehose import prefix as prefixes
from localaws.firehose.stats import Counters, Stats

log = logging.getLogger("localaws.firehose")

PutObject = Callable[[str, str, bytes], object]

# AWS retries a failing destination for 24 hours and then drops; we never drop.
_RETRY_SECONDS = (0.2, 0.5, 1, 2, 5, 10)
# Undelivered bytes of one stream above which it answers ServiceUnavailableException, as AWS does when it throttles.
_BACKLOG_LIMIT = 2 * 2**30


@dataclass(frozen=True, slots=True)
class Destination:
    """Where and how a stream delivers; `interval` in seconds, `size` in bytes before compression."""

    bucket: str
    prefix: str
    size: int
    interval: float
    gzip: bool
    extension: str
    time_zone: str
    delimiter: bytes


@dataclass(slots=True)
class _Waiting:
    """Requests that wait for the next commit."""

    frames: list[bytes] = field(default_factory=list)
    records: int = 0
    answers: list[asyncio.Future[None]] = field(default_factory=list)


class Delivery:
    def __init__(
        self,
        stream: str,
        version: str,
        destination: Destination,
        folder: Path,
        put_object: PutObject,
        clock: Callable[[], float],
        ids: Callable[[], str],
    ) -> None:
        self._stream = stream
        self._version = version
        self._destination = destination
        self._folder = folder
        self._put_object = put_object
        self._clock = clock
        self._ids = ids
        self._waiting = _Waiting()
        self._segment: write_ahead.Segment | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = False
        self._backlog = 0
        self._undelivered: dict[Path, tuple[int, int]] = {}
        self.counters = Counters()
        self._wanted = asyncio.Event()
        self._sealed: asyncio.Queue[Path] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Deliver what an earlier run left, and open for records."""
        make_directories(self._folder)
        for path in write_ahead.segments(self._folder):
            self._hand_over(path, _size(path), 0)
        self._tasks = [asyncio.create_task(self._commit()), asyncio.create_task(self._deliver())]

    async def put(self, records: list[bytes]) -> None:
        """Returns when the records are on disk. They are delivered one behind the other, as AWS does."""
        if self._backlog > _BACKLOG_LIMIT:
            self.counters.throttled_records += len(records)
            raise AwsError("ServiceUnavailableException", "Slow down.", 503)
        after = self._destination.delimiter
        data = after.join(records) + after if after else b"".join(records)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.frames.append(write_ahead.frame(data))
        self._waiting.records += len(records)
        self._waiting.answers.append(answer)
        self._wanted.set()
        await answer

    async def _commit(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            batch, self._waiting = self._waiting, _Waiting()
            if batch.frames:
                await self._commit_batch(batch)
            if self._segment is not None and (self._due or self._segment.bytes >= self._destination.size):
                self._seal()

    async def _commit_batch(self, batch: _Waiting) -> None:
        try:
            await asyncio.to_thread(self._append, batch.frames, batch.records)
        except Exception as error:  # whatever it is, the stream must go on
            log.warning("%s: the log can't be written: %r", self._stream, error)
            refusal = AwsError("ServiceUnavailableException", f"The record can't be made durable: {error}", 503)
            for answer in batch.answers:
                if not answer.done():
                    answer.set_exception(refusal)
            if self._segment is not None:
                self._seal()
            return
        for answer in batch.answers:
            if not answer.done():
                answer.set_result(None)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._destination.interval, self.flush)

    def _append(self, frames: list[bytes], records: int) -> None:
        if self._segment is None:
            self._segment = write_ahead.Segment(self._folder, int(self._clock() * 1000), self._ids())
        self._segment.append(frames)
        self._segment.records += records

    def flush(self) -> None:
        """Deliver what is buffered now, whatever its size and age."""
        self._due = True
        self._wanted.set()

    def _seal(self) -> None:
        assert self._segment is not None
        segment, self._segment = self._segment, None
        self._due = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._hand_over(segment.seal(), segment.bytes, segment.records)

    def _hand_over(self, path: Path, size: int, records: int) -> None:
        self._backlog += size
        self._undelivered[path] = (size, records)
        self._sealed.put_nowait(path)

    async def _deliver(self) -> None:
        while True:
            path = await self._sealed.get()
            attempt = 0
            while not await asyncio.to_thread(self._deliver_segment, path):
                self.counters.failed_attempts += 1
                await asyncio.sleep(_RETRY_SECONDS[min(attempt, len(_RETRY_SECONDS) - 1)])
                attempt += 1
            size, records = self._undelivered.pop(path)
            self._backlog -= size
            self.counters.delivered_objects += 1
            self.counters.delivered_records += records
            self.counters.delivered_bytes += size
            self._sealed.task_done()

    def _deliver_segment(self, path: Path) -> bool:
        """Put the segment's object and forget the segment. False when S3 refused; try again."""
        try:
            data, torn = write_ahead.read(path) if path.exists() else (b"", 0)
            if data:
                content = igzip.compress(data, compresslevel=1, mtime=0) if self._destination.gzip else data
                self._put_object(self._destination.bucket, self._key(path), content)
            if torn:
                kept = write_ahead.set_aside(path)
                log.warning("%s: %d bytes are no whole record; kept in %s", self._stream, torn, kept)
            else:
                write_ahead.remove(path)
        except Exception as error:  # a full disk has many names; what was acknowledged must never wait for a restart
            log.warning("%s: can't deliver %s yet: %r", self._stream, path.name, error)
            return False
        return True

    def _key(self, path: Path) -> str:
        arrival_ms, _, name = path.stem.partition("-")
        destination = self._destination
        time = datetime.fromtimestamp(int(arrival_ms) / 1000, UTC)
        local = time.astimezone(ZoneInfo(destination.time_zone)) if destination.time_zone != "UTC" else time
        prefix = prefixes.expand(destination.prefix, local, name)
        return prefix + prefixes.object_name(self._stream, int(self._version), local, name, destination.extension)

    def stats(self) -> Stats:
        open_ = self._segment
        arrivals = [int(path.name.partition("-")[0]) for path in self._undelivered]
        if open_ is not None:
            arrivals.append(open_.arrival_ms)
        backlog = self._backlog + (open_.bytes if open_ is not None else 0)
        return Stats(replace(self.counters), backlog, min(arrivals) / 1000 if arrivals else None)

    async def stop(self, *, drain_seconds: float = 0) -> bool:
        """Stop taking records. With `drain_seconds`, wait that long for everything to be delivered; True if it was."""
        drained = False
        if drain_seconds:
            self.flush()
            await asyncio.sleep(0)
            try:
                async with asyncio.timeout(drain_seconds):
                    while self._segment is not None or self._waiting.frames or self._wanted.is_set():
                        self.flush()
                        await asyncio.sleep(0.01)
                    await self._sealed.join()
                drained = True
            except TimeoutError:
                log.warning("%s: not everything could be delivered; it stays in %s", self._stream, self._folder)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        return drained


def _size(path: Path) -> int:
    """Bytes; 0 for a segment that somebody has deleted by hand."""
    return path.stat().st_size if path.exists() else 0
