"""`clicklake send FILE|-`: a file's events into the stream and, with --wait, until they can be queried."""

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
from clicklake.send import SendReport, send
from clicklake.target import Target
from clicklake.terminal import Progress, Terminal


@dataclass(frozen=True, slots=True)
class Sent:
    """`arrived` is None unless it was waited for."""

    stream: str
    report: SendReport
    arrived: Arrived | None
    next_query: str

    def document(self) -> dict[str, Any]:
        """For --json."""
        arrived = asdict(self.arrived) if self.arrived else None
        return {"stream": self.stream, **asdict(self.report), "arrived": arrived, "query": self.next_query}


def send_file(
    target: Target,
    pipeline: Pipeline,
    names: Names,
    file: str,
    screen: Terminal,
    stream: str | None = None,
    *,
    wait: bool,
) -> Sent:
    """Send the events of `file` (`-` is standard input) to `stream` (default: the pipeline's), showing progress on
    `screen`. Raises what `records.read`, `send` and `wait_until_queryable` raise; the screen then says how far it came.
    """
    stream = stream or names.delivery_stream
    day = datetime.now(UTC)
    landmark = look(target, pipeline, stream) if wait else None
    report = _send(target, stream, file, screen)
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
    return Sent(stream, report, arrived, _query(pipeline, names, day))


def _send(target: Target, stream: str, file: str, screen: Terminal) -> SendReport:
    progress = Progress(screen, "sending  ", None)
    reached = SendReport()

    def on_progress(report: SendReport) -> None:
        nonlocal reached
        reached = report
        progress(report.records)

    with _opened(file) as source:
        try:
            report = send(target, stream, records.read(source, file), on_progress)
        except ClicklakeError:
            progress.close()
            screen.line(f"{reached.records:,} records had been accepted by {stream}")
            raise
    seconds = progress.close()
    screen.line(f"sent {_counted(report)} to {stream} in {seconds:.1f} s")
    return report


def _counted(report: SendReport) -> str:
    text = f"{report.records:,} record{'' if report.records == 1 else 's'} ({query.size(report.bytes)})"
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
