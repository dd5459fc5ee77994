"""`verify` and `replay`: is all of it there, and what to do when it is not."""

import argparse
import json
import sys
import typing
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

from clicklake import pipeline, replay, replay_report, verify
from clicklake.commands.aiming import confirm, days, target
from clicklake.commands.options import Arguments, Command, add_days, add_target, positive
from clicklake.dead_letters import FailureQueue
from clicklake.errors import NoError, UsageError
from clicklake.lake import Lake, open_lake
from clicklake.reprocess import AT_ONCE, Processor
from clicklake.terminal import Progress, Terminal
from clicklake.transform.event import FailureType

REFUSALS = (pipeline.PipelineError,)


def _lake(arguments: Arguments) -> Lake:
    pipe = pipeline.load(arguments.pipeline)
    return open_lake(target(arguments), pipe, pipe.names(arguments.environment))


def _processor(lake: Lake, arguments: Arguments) -> Processor:
    return Processor(lake.target, lake.names, lake.bucket, arguments.parallel)


def _add_shared(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--parallel",
        type=positive,
        default=AT_ONCE,
        metavar="N",
        help="runs of the function at once; default: %(default)s",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")
    parser.add_argument("--yes", action="store_true", help="don't ask before changing data on AWS")
    add_target(parser)


# --- verify ----------------------------------------------------------------------------------------------------------


def _add_verify(parser: argparse.ArgumentParser) -> None:
    add_days(parser)
    parser.add_argument("--repair", action="store_true", help="mend what can be mended, and verify again")
    parser.add_argument("--rebuild", action="store_true", help="recompute every raw object here, and compare contents")
    parser.add_argument("--quick", action="store_true", help="don't read the bytes of files that look sound")
    grace = "how long a run may take: what is younger is pending; default: what the function's settings allow"
    parser.add_argument("--grace", type=_seconds, metavar="SECONDS", help=grace)
    _add_shared(parser)


def _seconds(text: str) -> timedelta:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds")
    return timedelta(seconds=int(text))


def _verify(arguments: Arguments) -> int:
    lake, screen = _lake(arguments), Terminal(sys.stderr)
    processor = _processor(lake, arguments)
    recompute = _recompute() if arguments.rebuild else None
    options = verify.Options(days(arguments), arguments.grace, arguments.quick, recompute)
    report = verify.verify(lake, processor, options, screen)
    if arguments.repair and (wanted := verify.plan(report.findings)):
        confirm(lake.target, str(wanted), arguments)
        report = verify.mend(lake, processor, wanted, options, screen)
    if arguments.json:
        print(json.dumps(verify.document(report, lake.target.describe())))
    else:
        print("\n".join(verify.lines(report)))
    return 0 if report.balanced else NoError.exit_code


def _recompute() -> verify.Recompute:
    """Imported here, because the transform needs what a light installation does not have."""
    try:
        from clicklake.verify.recompute import recompute
    except ModuleNotFoundError as e:
        raise UsageError(f"--rebuild needs {e.name}", "install it: pip install 'clicklake[local]'") from e
    return recompute


# --- replay ----------------------------------------------------------------------------------------------------------


def _add_replay(parser: argparse.ArgumentParser) -> None:
    add_days(parser)
    types = typing.get_args(FailureType)
    parser.add_argument("--failed", action="store_true", help="only raw objects that have failed records")
    parser.add_argument("--type", choices=types, metavar="TYPE", help=f"of this type: {', '.join(types)}")
    parser.add_argument("--dlq", action="store_true", help="the raw objects of the failure queue's messages instead")
    parser.add_argument("--dry-run", action="store_true", help="say which raw objects it would be, and do nothing")
    parser.add_argument("--rate", type=_rate, metavar="N", help="begin at most N runs a second")
    since = "what was processed after this moment is done (ISO 8601, or now: nothing is); default: the last deployment"
    parser.add_argument("--since", type=_moment, metavar="MOMENT", help=since)
    _add_shared(parser)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0
    if not 0 < rate < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return rate


def _moment(text: str) -> datetime:
    try:
        moment = datetime.now(UTC) if text == "now" else datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment: 2025-11-26T10:15:00Z, or now") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _replay(arguments: Arguments) -> int:
    _refuse_combinations(arguments)
    lake = _lake(arguments)
    processor = _processor(lake, arguments)
    document = (_replay_messages if arguments.dlq else _replay_selected)(lake, processor, arguments)
    head = {"version": replay_report.VERSION, "target": lake.target.describe(), "dry_run": arguments.dry_run}
    document = head | document
    print(json.dumps(document) if arguments.json else "\n".join(replay_report.lines(document)))
    return 0 if replay_report.is_whole(document) else NoError.exit_code


def _refuse_combinations(arguments: Arguments) -> None:
    ranged = arguments.first or arguments.last
    if not (ranged or arguments.failed or arguments.dlq):
        raise UsageError("what to replay is not said", "name days (--from, --to), --failed or --dlq")
    if arguments.dlq and (ranged or arguments.failed or arguments.since):
        raise UsageError("--dlq replays what the messages say", "leave out days, --failed and --since")
    if arguments.type and not arguments.failed:
        raise UsageError("--type needs --failed", f"clicklake replay --failed --type {arguments.type}")


def _replay_selected(lake: Lake, processor: Processor, arguments: Arguments) -> dict[str, Any]:
    asked = replay.Asked(days(arguments), arguments.failed and (arguments.type or True), arguments.since)
    selection = replay.select(lake, processor, asked)
    raw_keys = [found.place.raw_key for found in selection.chosen]
    if arguments.dry_run or not raw_keys:
        return replay_report.of_selection(selection, None, None)
    confirm(lake.target, f"process {len(raw_keys):,} raw objects again", arguments)
    with closing(Progress(Terminal(sys.stderr), "replaying   ", len(raw_keys))) as progress:
        done = replay.replay(processor, raw_keys, arguments.rate, progress)
    failed_after = replay.failed_now(lake, selection, asked) if arguments.failed else None
    return replay_report.of_selection(selection, done, failed_after)


def _replay_messages(lake: Lake, processor: Processor, arguments: Arguments) -> dict[str, Any]:
    queue = FailureQueue(lake)
    if arguments.dry_run:
        return replay_report.of_messages(replay.look(queue), None)
    messages = queue.size()
    if messages:
        confirm(lake.target, f"process the raw objects of about {messages:,} messages again", arguments)
    with closing(Progress(Terminal(sys.stderr), "messages    ", messages or None)) as progress:
        return replay_report.of_messages([], replay.answer(queue, processor, arguments.rate, progress))


COMMANDS: dict[str, Command] = {
    "verify": Command(
        _verify,
        "prove that every record is accounted for, and mend what is not",
        (
            "clicklake verify",
            "clicklake verify --from yesterday --to yesterday --json",
            "clicklake verify --from 2025-11-24 --repair",
            "clicklake verify --from 2025-11-24 --to 2025-11-24 --rebuild",
        ),
        _add_verify,
    ),
    "replay": Command(
        _replay,
        "process raw objects again, with the function as it is now",
        (
            "clicklake replay --from 2025-11-24 --to 2025-11-26 --dry-run",
            "clicklake replay --failed --type missing_field",
            "clicklake replay --dlq",
            "clicklake replay --from 2025-11-24 --rate 5 --since now",
        ),
        _add_replay,
    ),
}
