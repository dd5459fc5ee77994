"""`clicklake demo`: the whole pipeline on this machine, with a crash in the middle and every record accounted for.

The scenes: an endpoint starts; events are sent, and half-way it is killed and started again; the events arrive; they
are queried; what was sent is compared with what is there.
"""

import os
import shlex
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from clicklake import pipeline, query, reckoning, table
from clicklake.arrival import Arrived, look, wait_until_queryable
from clicklake.endpoint import Endpoint
from clicklake.errors import ClicklakeError, NoError
from clicklake.pipeline import Names, Pipeline
from clicklake.producer.packing import Sizes
from clicklake.send import SendReport, send
from clicklake.simulator.traffic import Plan, Record, Truth, generate
from clicklake.terminal import Progress, Style, Terminal

EVENTS = 20_000
SEED = 7
_SPAN_SECONDS = 500
_SMALL_CALLS = Sizes(call=300 * 1024)  # some 400 events, one call at a time: so there is a middle to crash in
_HEAD_START = timedelta(seconds=840)  # nothing is sent from the future, or longer ago than a right clock may say
_MID_CALL_SECONDS = 0.002  # the request is on its way, its answer is not there yet


def run(screen: Terminal, events: int = EVENTS, seed: int = SEED, *, keep: bool = False) -> None:
    """Play it on a temporary data directory and a free port, which are gone afterwards unless `keep`.

    Raises NoError if what is in the lake is not exactly what was sent.
    """
    folder = Path(tempfile.mkdtemp(prefix="clicklake-demo-"))
    endpoint = Endpoint(folder / "data")
    kept = False
    try:
        with _signals_interrupt():
            _play(_Stage(screen, endpoint, pipeline.load(pipeline.FILE)), events, seed)
        kept = keep
    except ClicklakeError:
        kept = keep and endpoint.is_running
        raise
    finally:
        if kept:
            _say_what_next(screen, endpoint)
        else:
            endpoint.end()
            _remove(folder)


def _remove(folder: Path) -> None:
    """The endpoint's own children end a moment after it, and may write until then."""
    for _ in range(20):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.05)


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """A closed terminal and `kill` clean up as Ctrl-C does."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(number, signal.default_int_handler) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where it is played."""

    screen: Terminal
    endpoint: Endpoint
    pipeline: Pipeline

    @property
    def names(self) -> Names:
        return self.pipeline.names()

    def tell(self, what: str, text: str, style: Style | None = None) -> None:
        self.screen.line(f"{_label(what)}{self.screen.styled(text, style)}")

    def query(self, sql: str) -> query.Result:
        return query.run(self.endpoint.target(), sql, self.names.workgroup, self.names.database)


def _label(what: str) -> str:
    return f"  {what:<11}"


def _play(stage: _Stage, events: int, seed: int) -> None:
    began = time.monotonic()
    stage.screen.line(f"clicklake demo: a clickstream pipeline on this machine, {events:,} events", "bold")
    stage.screen.line()
    seconds = stage.endpoint.start()
    stage.tell("endpoint", f"{stage.endpoint.url} ready in {seconds:.1f} s, with stream, bucket, function and tables")
    day = datetime.now(UTC)
    truth, report = _send(stage, events, seed, day)
    _show_queries(stage, day)
    _show_reckoning(stage, truth, report.unanswered)
    stage.screen.line()
    verdict = f"Every event that was sent is there exactly once, the crash included. {time.monotonic() - began:.1f} s."
    stage.screen.line(verdict, "green")


# --- sending, and a crash --------------------------------------------------------------------------------------------


def _send(stage: _Stage, events: int, seed: int, now: datetime) -> tuple[Truth, SendReport]:
    """Send seeded events, kill the endpoint half-way, and wait until all of them can be queried."""
    target = stage.endpoint.target()
    landmark = look(target, stage.pipeline, stage.names.delivery_stream)
    plan = Plan(seed, now - _HEAD_START, rate=max(40.0, events / _SPAN_SECONDS))
    crash = _Crash(stage, events // 2)
    truth = Truth()
    progress = Progress(stage.screen, _label("sending"), events)
    target.session.events.register("before-send.firehose.PutRecordBatch", crash.on_request)
    records = _drawn(islice(generate(plan), events), truth, crash)

    def on_sent(report: SendReport) -> None:
        progress(report.records)

    report = send(target, landmark.stream, records, on_sent, sizes=_SMALL_CALLS, connections=1)
    seconds = progress.close()
    crash.join()
    stage.tell("sent", f"{report.records:,} events, {query.size(report.bytes)}, in {seconds:.1f} s, the crash included")
    at_most = report.records + report.unanswered
    progress = Progress(stage.screen, _label("arriving"), report.records)

    def on_progress(arrived: Arrived) -> None:
        progress(min(arrived.records_in, report.records))

    arrived = wait_until_queryable(target, stage.pipeline, landmark, report.records, at_most, on_progress)
    seconds = progress.close()
    stage.tell("delivered", f"all of them, in {arrived.objects} objects, processed and queryable {seconds:.1f} s later")
    return truth, report


def _drawn(records: Iterable[Record], truth: Truth, crash: "_Crash") -> Iterator[bytes]:
    for record in records:
        truth.add(record)
        crash.drawn += 1
        yield record.data


class _Crash:
    """Kills the endpoint in the middle of the PutRecordBatch that carries the middle record, and starts it again."""

    def __init__(self, stage: _Stage, middle: int) -> None:
        self.drawn = 0
        self._stage = stage
        self._middle = middle
        self._thread: threading.Thread | None = None
        self._error: ClicklakeError | None = None

    def on_request(self, **_: Any) -> None:
        """botocore calls it when a request is about to go out; the thread strikes while it is under way."""
        if self._thread is None and self.drawn > self._middle:
            self._thread = threading.Thread(target=self._strike, name="crash", daemon=True)
            self._thread.start()

    def _strike(self) -> None:
        stage, endpoint = self._stage, self._stage.endpoint
        time.sleep(_MID_CALL_SECONDS)
        pid = endpoint.pid
        endpoint.kill()
        stage.tell("kill -9", f"process {pid}, in the middle of a PutRecordBatch", "yellow")
        try:
            seconds = endpoint.start()
        except ClicklakeError as e:
            self._error = e
        else:
            again = "the batch that got no answer is sent again"
            stage.tell("restart", f"same data, same port, ready in {seconds:.1f} s; {again}", "yellow")

    def join(self) -> None:
        """Wait until the endpoint is back; raises what kept it from coming back."""
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error


# --- asking ----------------------------------------------------------------------------------------------------------


def _show_queries(stage: _Stage, day: datetime) -> None:
    """The seed's three queries."""
    events = f"{stage.names.database}.{stage.pipeline.tables.events.name}"
    _show(stage, f"SELECT *\nFROM {events}\nLIMIT 10")
    _show(stage, f"SELECT *\nFROM {events}\nWHERE {day:year='%Y' AND month='%m' AND day='%d'}\nLIMIT 10", rows=3)
    sql = reckoning.by_type_sql(stage.pipeline, stage.names)
    result = _ask(stage, sql)
    stage.screen.lines(table.bars(reckoning.counts(result), min(80, stage.screen.width - 4)), "  ")
    _sum_up(stage, result)


def _show(stage: _Stage, sql: str, rows: int = 10) -> None:
    result = _ask(stage, sql)
    names, numbers = [c.name for c in result.columns], [c.is_number for c in result.columns]
    stage.screen.lines(table.lines(names, result.rows[:rows], numbers, stage.screen.width - 4), "  ")
    if len(result.rows) > rows:
        stage.screen.line(f"  … and {len(result.rows) - rows} more rows")
    _sum_up(stage, result)


def _ask(stage: _Stage, sql: str) -> query.Result:
    stage.screen.line()
    stage.screen.line(f"{sql.replace(chr(10), ' ')};", "bold")
    return stage.query(sql)


def _sum_up(stage: _Stage, result: query.Result) -> None:
    stage.screen.line(f"  ({query.summary(result)})", "dim")


# --- the reckoning ---------------------------------------------------------------------------------------------------


def _show_reckoning(stage: _Stage, truth: Truth, unanswered: int) -> None:
    """What was sent and what became of it, by event type. Raises NoError that names what does not match."""
    screen = stage.screen
    lake = reckoning.ask(stage.query, stage.pipeline, stage.names)
    screen.line()
    screen.line("What was sent, and what became of it", "bold")
    header = ("", "sent", "of these repeats", "distinct", f"in {stage.names.unique_view}")
    rows = [_row(truth, lake, name) for name, _ in truth.distinct.most_common()]
    rows.append(("malformed", f"{truth.malformed:,}", "", f"{truth.malformed:,}", f"{lake.failed_once:,} (failed)"))
    screen.lines(table.lines(header, rows, (False, True, True, True, True), screen.width - 4), "  ")
    screen.line()
    screen.line(
        f"  in {lake.records_in:,} = good {lake.good:,} + duplicate {lake.duplicate:,} + failed {lake.failed:,}"
    )
    screen.lines(_explain(truth, lake), "  ")
    wrong = [check for check in reckoning.checks(truth, lake, unanswered) if not check.holds]
    if wrong:
        says = "; ".join(f"{c.what}: expected {c.expected:,}, found {c.found:,}" for c in wrong)
        raise NoError(f"the lake does not match what was sent: {says}")


def _row(truth: Truth, lake: reckoning.Lake, name: str) -> tuple[str, ...]:
    distinct, repeats = truth.distinct[name], truth.repeats[name]
    return (name, f"{distinct + repeats:,}", f"{repeats:,}", f"{distinct:,}", f"{lake.ids[name]:,}")


def _explain(truth: Truth, lake: reckoning.Lake) -> Iterator[str]:
    """Where the repeats came from and where they went."""
    again = lake.records_in - truth.sent
    if again:
        yield f"in {lake.records_in:,} = sent {truth.sent:,} + {again:,} stored twice, as their batch got no answer"
    fates = [(lake.duplicate, "dropped within an object"), (reckoning.hidden(lake), "hidden by the view")]
    fates += [(reckoning.failed_again(lake), "failed twice")]
    went = ", ".join(f"{number:,} {fate}" for number, fate in fates if number)
    yield f"{truth.repeats.total() + again:,} repeats: {went}"


def _say_what_next(screen: Terminal, endpoint: Endpoint) -> None:
    """The endpoint runs on; what to type now."""
    names = pipeline.load(pipeline.FILE).names()
    program = "clicklake" if shutil.which("clicklake") else os.path.relpath(Path(sys.executable).with_name("clicklake"))
    where = f"--data-dir {shlex.quote(str(endpoint.data_dir))}"
    hello = '"{\\"Data\\": \\"$(echo \'{"event_type":"hello"}\' | base64)\\"}"'
    screen.line()
    screen.line(f"The endpoint runs on at {endpoint.url} (process {endpoint.pid}). Now type:", "bold")
    lines = (
        f'eval "$({program} env {where})"',
        f"aws firehose put-record --delivery-stream-name {names.delivery_stream} --record {hello}",
        f'{program} query "SELECT event_type, event_ts FROM clickstream_events ORDER BY received_ts DESC LIMIT 5"',
        f"{program} down {where}",
        f"rm -r {shlex.quote(str(endpoint.data_dir.parent))}",
    )
    screen.lines(lines, "  ")
