"""`clicklake send FILE|-`: a file's events into the stream and, with --wait, until they can be queried.

What was interrupted goes on where it stopped with --resume: see resume.py.
"""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from clicklake import query, records
from clicklake.arrival import Arrived, look, wait_until_queryable
from clicklake.errors import ClicklakeError, UsageError
from clicklake.pipeline import Names, Pipeline
from clicklake.resume import Bookmark
from clicklake.send import SendReport, send
from clicklake.target import Target
from clicklake.terminal import Progress, Terminal


@dataclass(frozen=True, slots=True)
class Sent:
    """`skipped` records had been sent before (--resume). `arrived` is None unless it was waited for."""

    stream: str
    skipped: int
    report: SendReport
    arrived: Arrived | None
    next_query: str

    def document(self) -> dict[str, Any]:
        """For --json."""
        arrived = asdict(self.arrived) if self.arrived else None
        done = {"stream": self.stream, "skipped": self.skipped, **asdict(self.report)}
        return {**done, "arrived": arrived, "query": self.next_query}


def send_file(
    target: Target,
    pipeline: Pipeline,
    names: Names,
    file: str,
    screen: Terminal,
    stream: str | None = None,
    *,
    wait: bool,
    resume: bool = False,
) -> Sent:
    """Send the events of `file` (`-` is standard input) to `stream` (default: the pipeline's), showing progress on
    `screen`; with `resume` those that an interrupted send had not sent. Raises what `records.read`, `send`,
    `Bookmark.go_on` and `wait_until_queryable` raise; the screen then says how far it came.
    """
    stream = stream or names.delivery_stream
    if resume and file == "-":
        raise UsageError("standard input can't be resumed", "write it into a file first")
    bookmark = None if file == "-" else Bookmark(file, target.describe(), stream)
    day = datetime.now(UTC)
    landmark = look(target, pipeline, stream) if wait else None
    skipped, report = _Sending(target, stream, file, screen, bookmark).send(resume=resume)
    arrived = None
    if landmark is not None and report.records:
        screen.line(f"the stream delivers within {landmark.interval_seconds} s, or earlier when its buffer is full")
        at_most = report.records + report.unanswered
        progress = Progress(screen, "waiting  ", report.records)
        arrived = wait_until_queryable(
            target,
            pipeline,
            landmark,
            report.records,
            at_most,
            lambda arrived: progress(min(arrived.records_in, report.records)),
        )
        seconds = progress.close()
        screen.line(f"queryable {seconds:.1f} s later: {arrived}")
    return Sent(stream, skipped, report, arrived, _query(pipeline, names, day))


class _Sending:
    """A file's records into a stream. Without a `bookmark` it can't be resumed."""

    def __init__(self, target: Target, stream: str, file: str, screen: Terminal, bookmark: Bookmark | None) -> None:
        self._target, self._stream, self._file, self._screen = target, stream, file, screen
        self._bookmark = bookmark
        self._progress = Progress(screen, "sending  ", None)
        self._reached = SendReport()

    def send(self, *, resume: bool) -> tuple[int, SendReport]:
        """How many records were sent before, and what was done now."""
        with _opened(self._file) as source:
            lines = records.read(source, self._file)
            skipped = self._skip(lines, resume=resume)
            try:
                report = send(self._target, self._stream, lines, self._on_progress, self._on_taken)
            except (ClicklakeError, KeyboardInterrupt):
                self._say_how_far()
                raise
        seconds = self._progress.close()
        if self._bookmark is not None:
            self._bookmark.remove()
        self._screen.line(f"sent {_counted(report)} to {self._stream} in {seconds:.1f} s")
        return skipped, report

    def _skip(self, lines: Iterator[bytes], *, resume: bool) -> int:
        earlier = self._bookmark.found() if self._bookmark is not None else None
        if self._bookmark is None or earlier is None:
            return 0
        if not resume:
            self._screen.line(
                f"an earlier send of it stopped after {earlier.records:,} records; "
                "this one begins anew, --resume would have gone on"
            )
            return 0
        self._bookmark.go_on(lines, earlier)
        self._screen.line(f"going on after {earlier.records:,} records that were sent before")
        return earlier.records

    def _on_progress(self, report: SendReport) -> None:
        self._reached = report
        self._progress(report.records)

    def _on_taken(self, count: int, data: list[bytes]) -> None:
        if self._bookmark is None:
            return
        try:
            self._bookmark.move(count, data)
        except OSError as e:
            self._screen.line(f"{self._bookmark.path} can't be written ({e.strerror}): it can't be resumed", "yellow")
            self._bookmark = None

    def _say_how_far(self) -> None:
        self._progress.close()
        self._screen.line(f"{self._reached.records:,} records had been accepted by {self._stream}")
        if self._bookmark is not None and self._bookmark.reached.records:
            self._screen.line(f"to go on from there: clicklake send {shlex.quote(self._file)} --resume")


def _counted(report: SendReport) -> str:
    text = f"{report.records:,} record{'' if report.records == 1 else 's'} ({query.size(report.bytes)}"
    text += f", billed as {query.size(report.billed_bytes)})"
    if report.refused:
        text += f", {report.refused:,} of them at a later attempt"
    if report.unanswered:
        text += f", {report.unanswered:,} of them again because no answer came"
    return text


def _query(pipeline: Pipeline, names: Names, day: datetime) -> str:
    """The newest events of that day of arrival; only its partition is read."""
    events = f"{names.database}.{pipeline.tables.events.name}"
    columns = "received_ts, event_ts, event_type, page_path, visitor_id"
    where = f"{day:year = '%Y' AND month = '%m' AND day = '%d'}"
    return f"SELECT {columns} FROM {events} WHERE {where} ORDER BY received_ts DESC LIMIT 10"


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    try:
        source = Path(file).open("rb")  # noqa: SIM115 - errors inside of the caller's block are not ours to translate
    except OSError as e:
        raise UsageError(f"{file} can't be read ({e.strerror})", "name a file, or - for standard input") from e
    with source:
        yield source
