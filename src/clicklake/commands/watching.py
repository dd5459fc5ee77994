"""`status` and `tail`: does data flow, and what is it."""

import argparse
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from clicklake import pipeline, tail
from clicklake.commands.aiming import target
from clicklake.commands.options import Arguments, Command, add_target, positive
from clicklake.errors import NoError, UnreachableError, UsageError
from clicklake.lake import Lake, open_lake
from clicklake.status import report
from clicklake.status.judging import Flowing, Verdict, judge
from clicklake.status.numbers import Numbers
from clicklake.status.reading import Gauges
from clicklake.terminal import Style, Terminal

REFUSALS = (pipeline.PipelineError,)
_POLL_SECONDS, _POLL_SECONDS_ON_AWS = 0.5, 5.0  # there each look is paid for: docs/tail.md
_WATCH_SECONDS, _WATCH_SECONDS_ON_AWS = 2, 30
_CLEAR = "\x1b[H\x1b[2J"
_STYLES: dict[Flowing, Style] = {"yes": "green", "idle": "green", "partly": "yellow", "no": "red"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def _lake(arguments: Arguments) -> Lake:
    pipe = pipeline.load(arguments.pipeline)
    return open_lake(target(arguments), pipe, pipe.names(arguments.environment))


def _now() -> datetime:
    return datetime.now(UTC)


# --- status ----------------------------------------------------------------------------------------------------------


def _add_status(parser: argparse.ArgumentParser) -> None:
    watch = "look again every so many seconds, until Ctrl-C; default: 2 on the laptop, 30 on AWS"
    parser.add_argument("--watch", nargs="?", type=positive, const=True, metavar="SECONDS", help=watch)
    parser.add_argument("--json", action="store_true", help="print one JSON object, or with --watch one a line")
    add_target(parser)


def _status(arguments: Arguments) -> int:
    lake = _lake(arguments)
    look = _Look(Gauges(lake), lake, lake.target.describe(), arguments, Terminal(sys.stdout))
    if not arguments.watch:
        return look()
    pause = _WATCH_SECONDS if lake.target.is_laptop else _WATCH_SECONDS_ON_AWS
    if arguments.watch is not True:
        pause = arguments.watch
    while True:
        try:
            look()
        except UnreachableError as e:
            _say_outage(e)
        sys.stdout.flush()
        time.sleep(pause)


@dataclass(frozen=True, slots=True)
class _Look:
    """Called, it looks, prints what it found, and returns the exit code."""

    gauges: Gauges
    lake: Lake
    target: str
    arguments: Arguments
    screen: Terminal

    def __call__(self) -> int:
        numbers = self.gauges.read(_now())
        verdict = judge(numbers, self.lake.names)
        if self.arguments.json:
            print(json.dumps(report.document(numbers, verdict, self.target)))
        elif self.arguments.watch and not self.screen.is_live:
            print(f"{numbers.moment:%H:%M:%S}  {' '.join([verdict.sentence, *verdict.notes])}")
        else:
            self._draw(numbers, verdict)
        return 0 if verdict.is_well else NoError.exit_code

    def _draw(self, numbers: Numbers, verdict: Verdict) -> None:
        if self.arguments.watch:
            print(_CLEAR, end="")
        sentence, *rest = report.lines(numbers, verdict)
        self.screen.line(sentence, _STYLES[verdict.flowing])
        self.screen.lines(rest)


# --- tail ------------------------------------------------------------------------------------------------------------


def _add_tail(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--failed", action="store_true", help="only records that could not become an event")
    since = "begin with what landed that long ago: 90s, 10m, 3h, 1d; default: what lands from now on"
    parser.add_argument("--since", type=_duration, metavar="TIME", help=since)
    parser.add_argument("--event-type", metavar="TYPE", help="only events of this type")
    parser.add_argument("--count", type=positive, metavar="N", help="end after N lines; default: on Ctrl-C")
    parser.add_argument("--json", action="store_true", help="print each as one JSON object")
    add_target(parser)


def _duration(text: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,6})([smhd])", text, re.ASCII)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 90s, 10m, 3h or 1d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def _tail(arguments: Arguments) -> None:
    if arguments.failed and arguments.event_type:
        raise UsageError("a failed record has no event type", "leave out --event-type or --failed")
    reader = _no_rows if arguments.failed else _reader()
    lake, screen = _lake(arguments), Terminal(sys.stdout)
    since = _now() - arguments.since if arguments.since else None
    follower = tail.Follower(lake, tail.Asked(since, arguments.failed, arguments.event_type), reader)
    pause = _POLL_SECONDS if lake.target.is_laptop else _POLL_SECONDS_ON_AWS
    shown, began = 0, False
    for landed in tail.follow(follower, pause, _say_outage, _now):
        if not began:  # from here on nothing that lands is missed
            print(f"following s3://{lake.bucket}; times are UTC; Ctrl-C ends", file=sys.stderr)
            began = True
        if landed is None:
            sys.stdout.flush()
            continue
        print(_as_text(landed, lake, arguments, screen))
        shown += 1
        if shown == arguments.count:
            return


def _as_text(landed: tail.Landed, lake: Lake, arguments: Arguments, screen: Terminal) -> str:
    if arguments.json:
        return json.dumps(tail.document(landed), ensure_ascii=False)
    text = tail.line(landed, lake.bucket, _now().date())
    return screen.styled(text, "red" if landed.kind == "failed" else None)


def _say_outage(error: UnreachableError) -> None:
    print(f"{error.problem}; it goes on when there is an answer", file=sys.stderr)


def _no_rows(_: BinaryIO) -> Iterator[Any]:
    return iter(())


def _reader() -> tail.Reader:
    """Imported here, because a light installation has none; failed records need none."""
    try:
        from clicklake.processed_rows import rows
    except ModuleNotFoundError as e:
        hint = "install it: pip install 'clicklake[transform]', or look at failed records only: clicklake tail --failed"
        raise UsageError(f"to read events it needs {e.name}", hint) from e
    return rows


COMMANDS: dict[str, Command] = {
    "status": Command(
        _status,
        "is data flowing, and if not, where does it stop",
        ("clicklake status", "clicklake status --watch", "clicklake status --json | jq -r .sentence"),
        _add_status,
    ),
    "tail": Command(
        _tail,
        "show each event as it lands, and each record that fails",
        (
            "clicklake tail",
            "clicklake tail --failed --since 1h",
            "clicklake tail --event-type purchase --count 10",
            "clicklake tail --json | jq -r .page_path",
        ),
        _add_tail,
    ),
}
