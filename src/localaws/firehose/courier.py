"""Delivers the segments of one destination to S3: one behind the other, and again until S3 has them.

AWS tries for 24 hours and then drops ("Data delivery frequency" of the developer guide); we never drop. Runs on the
event loop but for the attempts themselves, which run on threads.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain, repeat
from zoneinfo import ZoneInfo

from isal import igzip

from localaws.errors import AwsError
from localaws.firehose import log as write_ahead
from localaws.firehose import prefix as prefixes
from localaws.firehose.log import Sealed

log = logging.getLogger("localaws.firehose")

PutObject = Callable[[str, str, bytes], object]

_RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 5.0)
_LONGEST_RETRY_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Destination:
    """Where and how a stream delivers in one `version` of its configuration; `interval` in seconds, `size` in bytes
    before compression. `log` is the CloudWatch log group and stream that is told of failures, if there is one; `role`
    the ARN of the one in whose name it delivers."""

    version: int
    bucket: str
    prefix: str
    size: int
    interval: float
    gzip: bool
    extension: str
    time_zone: str
    delimiter: bytes
    log: tuple[str, str] | None = None
    role: str = ""


Report = Callable[[str, Destination, Exception], None]
Admit = Callable[[str, str, str], None]
"""(role, bucket, key): raises AwsError if the role may not put it there."""


class Courier:
    """`delivered(segment)` is told of success. `failed(courier, segment, error)` is told of each failed attempt, and
    answers True if it has given the segment to somebody else. `report(stream, destination, error)` is told, on a
    thread, of the first failure of each segment; `admit` is asked before each attempt."""

    def __init__(
        self,
        stream: str,
        destination: Destination,
        put_object: PutObject,
        delivered: Callable[[Sealed], None],
        failed: Callable[["Courier", Sealed, Exception], bool],
        report: Report,
        admit: Admit,
    ) -> None:
        self.destination = destination
        self._stream = stream
        self._put_object = put_object
        self._delivered = delivered
        self._failed = failed
        self._report = report
        self._admit = admit
        self._queue: asyncio.Queue[Sealed] = asyncio.Queue()
        self._in_hand = 0
        self._awake = asyncio.Event()
        self._attempting: asyncio.Future[Exception | None] | None = None

    @property
    def is_idle(self) -> bool:
        return not self._in_hand

    def take(self, segment: Sealed) -> None:
        self._in_hand += 1
        self._queue.put_nowait(segment)

    def wake(self) -> None:
        """Try again now: something may have changed."""
        self._awake.set()

    async def finish(self) -> None:
        """After `run` was cancelled: the attempt in hand goes on until it returns, and S3 must be there until then."""
        if self._attempting is not None:
            await asyncio.wait((self._attempting,))

    async def run(self) -> None:
        while True:
            segment = await self._queue.get()
            await self._deliver(segment)

    async def _deliver(self, segment: Sealed) -> None:
        for attempt, pause in enumerate(chain(_RETRY_SECONDS, repeat(_LONGEST_RETRY_SECONDS))):
            self._awake.clear()
            self._attempting = asyncio.ensure_future(asyncio.to_thread(self._attempt, segment, attempt == 0))
            error = await asyncio.shield(self._attempting)
            if error is None or self._failed(self, segment, error):
                break
            try:
                await asyncio.wait_for(self._awake.wait(), pause)
            except TimeoutError:
                continue
        self._in_hand -= 1
        if error is None:
            self._delivered(segment)

    def _attempt(self, segment: Sealed, is_first: bool) -> Exception | None:
        """Put the segment's object and forget the segment; or what S3 or the disk has against it."""
        try:
            data, torn = write_ahead.read(segment.path) if segment.path.exists() else (b"", 0)
            if data:
                content = igzip.compress(data, compresslevel=1, mtime=0) if self.destination.gzip else data
                key = self._key(segment)
                self._admit(self.destination.role, self.destination.bucket, key)
                self._put_object(self.destination.bucket, key, content)
            if torn:
                kept = write_ahead.aside(segment.path)  # told first: a crash in between must not keep it quiet
                log.warning("%s: %d bytes are no whole record; kept in %s", self._stream, torn, kept)
                write_ahead.set_aside(segment.path)
            else:
                write_ahead.remove(segment.path)
        except Exception as error:  # a full disk has many names; what was acknowledged must never wait for a restart
            if is_first:
                to, name = self.destination.bucket, segment.path.name
                log.warning("%s: can't deliver %s to %s yet: %r", self._stream, name, to, error)
                self._tell(error)
            return error
        return None

    def _tell(self, error: Exception) -> None:
        try:
            self._report(self._stream, self.destination, error)
        except Exception as e:  # the log may be on the disk that is full; and no stream ends of what can't be told
            log.warning("%s: the failure can't be logged: %r", self._stream, e)

    def _key(self, segment: Sealed) -> str:
        destination = self.destination
        time = datetime.fromtimestamp(segment.arrival_ms / 1000, UTC)
        if destination.time_zone != "UTC":
            time = time.astimezone(ZoneInfo(destination.time_zone))
        prefix = prefixes.expand(destination.prefix, time, segment.name)
        name = prefixes.object_name(self._stream, destination.version, time, segment.name, destination.extension)
        return prefix + name


def is_gone(error: Exception) -> bool:
    """The bucket is not there: so an earlier attempt that seemed to fail has left no object either."""
    return isinstance(error, AwsError) and error.code == "NoSuchBucket"
