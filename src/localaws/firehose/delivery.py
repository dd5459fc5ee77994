"""One delivery stream at work: acknowledge when durable, buffer by size and time, hand over to a courier.

Group commit with no timer: while one fsync runs, the requests that arrive wait together for the next (measured best in
research, and it needs no tuning). Everything here runs on the event loop but the file work, which runs on threads:
`_advance` begins what there is to do, and is called whenever something has changed. No task waits in between, for that
would cost a single record more than everything else here.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from pathlib import Path

from localaws.durable import make_directories
from localaws.errors import AwsError
from localaws.firehose import log as write_ahead
from localaws.firehose.courier import Admit, Courier, Destination, PutObject, Report, is_gone
from localaws.firehose.log import Sealed, Segment
from localaws.firehose.stats import Counters, Stats

log = logging.getLogger("localaws.firehose")

# With an interval of 0 s a lone record is delivered at once; in a steady flow objects are at least this far apart.
_SHORTEST_INTERVAL = 0.1


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a delivery needs of the world. `committing` has the threads that write logs. `backlog_limit`: bytes of one
    stream, acknowledged and not yet in S3, above which it takes no more. `report` is told, on a thread, of segments
    that S3 refuses, and `delivered` of every object: its stream, and the age of its oldest record in seconds. `admit`
    raises AwsError if a stream's role may not put an object."""

    put_object: PutObject
    report: Report
    clock: Callable[[], float]
    ids: Callable[[], str]
    backlog_limit: int
    committing: Executor
    delivered: Callable[[str, float], None] = lambda _stream, _age: None
    admit: Admit = lambda _role, _bucket, _key: None


@dataclass(slots=True)
class _Waiting:
    """Requests that wait for the next commit."""

    frames: list[bytes] = field(default_factory=list)
    bytes: int = 0
    records: int = 0
    answers: list[asyncio.Future[None]] = field(default_factory=list)


class Delivery:
    """What was acknowledged under an earlier configuration (`earlier`) is delivered under it; if its bucket is gone,
    under the current one."""

    def __init__(
        self,
        stream: str,
        destination: Destination,
        earlier: Sequence[Destination],
        folder: Path,
        surroundings: Surroundings,
    ) -> None:
        self._stream = stream
        self._destination = destination
        self._folder = folder
        self._surroundings = surroundings
        self._waiting = _Waiting()
        self._segment: Segment | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = False
        self._not_before = 0.0
        self._open_version = destination.version
        self._backlog = 0
        self._undelivered: dict[Path, Sealed] = {}
        self._is_refused = False
        self._is_failing = False
        self.counters = Counters()
        self._is_committing = False
        self._couriers = {place.version: self._courier(place) for place in (*earlier, destination)}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def _courier(self, destination: Destination) -> Courier:
        world = self._surroundings
        return Courier(
            self._stream, destination, world.put_object, self._delivered, self._failed, world.report, world.admit
        )

    def start(self) -> None:
        """Deliver what an earlier run left, and open for records."""
        make_directories(self._folder)
        for segment in write_ahead.segments(self._folder):
            self._backlog += segment.bytes
            self._hand_over(segment)
        self._tasks = {version: asyncio.create_task(courier.run()) for version, courier in self._couriers.items()}

    async def put(self, records: Sequence[bytes], size: int) -> int:
        """How many of the records, from the first on, are on disk now: all of them, unless the backlog is at its
        limit. They are delivered one behind the other, as AWS does. `size` is theirs together, in bytes."""
        taken = records if self._backlog + size <= self._surroundings.backlog_limit else self._fitting(records)
        self.counters.throttled_records += len(records) - len(taken)
        if taken:
            after = self._destination.delimiter
            data = after.join(taken) + after if after else b"".join(taken)
            loop = asyncio.get_running_loop()
            answer: asyncio.Future[None] = loop.create_future()
            waiting = self._waiting
            if not waiting.frames and not self._is_committing:  # with those that the loop has read at the same time
                loop.call_soon(self._advance)
            waiting.frames.append(write_ahead.frame(data))
            waiting.bytes += len(data)
            waiting.records += len(taken)
            waiting.answers.append(answer)
            self._backlog += len(data)
            await answer
        return len(taken)

    def _fitting(self, records: Sequence[bytes]) -> Sequence[bytes]:
        room = self._surroundings.backlog_limit - self._backlog
        for count, data in enumerate(records):
            room -= len(data)
            if room < 0:
                return records[:count]
        return records

    def switch(self, destination: Destination) -> None:
        """Records that come from now on are for `destination`."""
        for version in self._couriers.keys() - self.versions():  # they have nothing left to do
            self._tasks.pop(version).cancel()
            del self._couriers[version]
        courier = self._couriers[destination.version] = self._courier(destination)
        self._tasks[destination.version] = asyncio.create_task(courier.run())
        self._destination = destination
        self._advance()
        for courier in self._couriers.values():
            courier.wake()

    def versions(self) -> set[int]:
        """The versions of the configuration that records may still be delivered under."""
        waiting = {self._version_of(segment) for segment in self._undelivered.values()}
        return waiting | {self._destination.version, self._open_version}

    def _advance(self) -> None:
        """Seal the segment if it is full, due or of an earlier configuration; then commit what has come meanwhile."""
        if self._is_committing:
            return
        segment = self._segment
        if segment is not None and (segment.version != self._destination.version or self._is_ready(segment)):
            self._seal(segment)
        if self._waiting.frames:
            self._commit()

    def _is_ready(self, segment: Segment) -> bool:
        """A segment that is due while another is being delivered grows on: it would have to wait anyway, and a bucket
        that can't be reached for an hour shall not get thousands of small objects afterwards."""
        return segment.bytes >= self._destination.size or (self._due and self._couriers[segment.version].is_idle)

    def _commit(self) -> None:
        batch, self._waiting = self._waiting, _Waiting()
        self._is_committing, self._open_version = True, self._destination.version
        loop = asyncio.get_running_loop()
        self._surroundings.committing.submit(self._append, batch, self._open_version, loop)

    def _append(self, batch: _Waiting, version: int, loop: asyncio.AbstractEventLoop) -> None:
        """On a thread: the batch is on disk, or is told why not."""
        error = None
        try:
            if self._segment is None:
                now, name = self._surroundings.clock(), self._surroundings.ids()
                self._segment = Segment(self._folder, int(now * 1000), version, name)
            self._segment.append(batch.frames)
            self._segment.records += batch.records
        except Exception as e:  # whatever it is, the stream must go on
            error = e
        loop.call_soon_threadsafe(self._settle, batch, error)

    def _settle(self, batch: _Waiting, error: Exception | None) -> None:
        self._is_committing = False
        if error is None:
            for answer in batch.answers:
                if not answer.done():
                    answer.set_result(None)
            if self._timer is None:
                loop = asyncio.get_running_loop()
                at = max(loop.time() + self._destination.interval, self._not_before)
                self._timer = loop.call_at(at, self.flush)
        else:
            self._refuse(batch, error)
        self._advance()

    def _refuse(self, batch: _Waiting, error: Exception) -> None:
        log.warning("%s: the log can't be written: %r", self._stream, error)
        self._backlog -= batch.bytes
        refusal = AwsError("ServiceUnavailableException", f"The record can't be made durable: {error}", 503)
        for answer in batch.answers:
            if not answer.done():
                answer.set_exception(refusal)
        if self._segment is not None:
            self._seal(self._segment)

    def flush(self) -> None:
        """Deliver what is buffered now, whatever its size and age."""
        self._due = True
        self._advance()

    def _seal(self, segment: Segment) -> None:
        self._segment = None
        self._due = False
        self._not_before = asyncio.get_running_loop().time() + _SHORTEST_INTERVAL
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._hand_over(segment.seal())

    def _hand_over(self, segment: Sealed) -> None:
        self._undelivered[segment.path] = segment
        self._couriers[self._version_of(segment)].take(segment)

    def _version_of(self, segment: Sealed) -> int:
        return segment.version if segment.version in self._couriers else self._destination.version

    def _delivered(self, segment: Sealed) -> None:
        del self._undelivered[segment.path]
        self._backlog -= segment.bytes
        self._is_refused = self._is_failing = False
        self._surroundings.delivered(self._stream, self._surroundings.clock() - segment.arrival_ms / 1000)
        self.counters.delivered_objects += bool(segment.bytes)
        self.counters.delivered_records += segment.records
        self.counters.delivered_bytes += segment.bytes
        if self._due:
            self._advance()

    def _failed(self, courier: Courier, segment: Sealed, error: Exception) -> bool:
        self.counters.failed_attempts += 1
        self._is_failing = True
        current = self._destination
        self._is_refused = is_gone(error)
        if not self._is_refused or courier.destination is current:
            return False
        try:
            moved = write_ahead.reassign(segment, current.version)
        except OSError as e:
            log.warning("%s: %s can't be given to another bucket: %r", self._stream, segment.path.name, e)
            return False
        del self._undelivered[segment.path]
        self._hand_over(moved)
        return True

    def stats(self) -> Stats:
        arrivals = [segment.arrival_ms for segment in self._undelivered.values()]
        if self._segment is not None:
            arrivals.append(self._segment.arrival_ms)
        oldest = min(arrivals) / 1000 if arrivals else None
        return Stats(replace(self.counters), self._backlog, oldest, self._is_failing)

    async def drain(self, seconds: float) -> bool:
        """Deliver everything now; True if it was. Gives up after `seconds`, and as soon as the bucket is gone."""
        self._is_refused = False
        for courier in self._couriers.values():
            courier.wake()
        try:
            async with asyncio.timeout(seconds):
                while self._is_holding and not self._is_refused:
                    self.flush()
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pass
        if self._is_holding:
            log.warning("%s: not everything could be delivered; it stays in %s", self._stream, self._folder)
        return not self._is_holding

    @property
    def _is_holding(self) -> bool:
        return bool(self._waiting.frames or self._undelivered) or self._segment is not None or self._backlog > 0

    async def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        await asyncio.gather(*(courier.finish() for courier in self._couriers.values()))
