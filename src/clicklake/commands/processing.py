"""`process`, `diff` and `explain`: what the transform makes of files, of a lake's raw objects, and of one event.

What they do is in run_process.py, run_diff.py and run_explain.py, each imported only when it is typed: they need what a
light installation does not have.
"""

import argparse
import importlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from clicklake import pipeline
from clicklake.commands.options import Arguments, Command, add_days, add_target, day, positive
from clicklake.errors import UsageError

REFUSALS = (pipeline.PipelineError,)
NAMED = 10  # events of a kind, as text


def _of(module: str) -> Callable[[Arguments], int]:
    def run(arguments: Arguments) -> int:
        try:
            found = importlib.import_module(f"clicklake.commands.{module}")
        except ModuleNotFoundError as e:
            raise UsageError(f"it needs {e.name}", "install it: pip install 'clicklake[transform]'") from e
        return int(found.run(arguments))

    return run


def _add_process(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|DIR", type=Path, help="raw objects: gzipped or not, a file or many")
    out = "write processed, failed and ledger objects below it, as the lake would have them; default: write nothing"
    parser.add_argument("--out", metavar="DIR", type=Path, help=out)
    other = "compare with the events of another processor: Parquet or JSON, gzipped or not"
    parser.add_argument("--against", metavar="DIR", type=Path, help=other)
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")
    parser.add_argument("--format", choices=("parquet", "json"), help="of processed objects; default: the pipeline's")
    key = "the key of user_key, as the function has it; without it user_key is NULL"
    parser.add_argument("--key-file", metavar="FILE", help=key)
    named = f"name at most N events of a kind; default: {NAMED}, and all with --json"
    parser.add_argument("--limit", type=positive, metavar="N", help=named)
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")


# --- diff -----------------------------------------------------------------------------------------------------------


def _add_diff(parser: argparse.ArgumentParser) -> None:
    zipped = "the processor to try: a zip of clicklake package --target local"
    parser.add_argument("--processor", metavar="ZIP", type=Path, required=True, help=zipped)
    add_days(parser)
    base = "compare with what this processor makes; default: with what the lake has"
    parser.add_argument("--base", metavar="ZIP", type=Path, help=base)
    some = "only N raw objects, evenly spread over the days"
    parser.add_argument("--limit", type=positive, metavar="N", help=some)
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")
    add_target(parser)


# --- explain ---------------------------------------------------------------------------------------------------------


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "event_id", nargs="?", metavar="EVENT_ID", help="as it stands in clickstream_events, or was sent"
    )
    parser.add_argument("--app", metavar="APP", help="of this app_id; default: of any")
    parser.add_argument("--day", type=day, metavar="DAY", help="UTC day of arrival: reads that day only; default: all")
    record = "a record by its place instead, as clickstream_failed has it"
    parser.add_argument("--record", type=_record, metavar="RAW_KEY:INDEX", help=record)
    parser.add_argument("--event", metavar="FILE|-", help="what would become of these events, if they were sent")
    parser.add_argument(
        "--received", type=_moment, metavar="MOMENT", help="with --event: when they arrive; default: now"
    )
    key = "with --event: the key of user_key; without it user_key is NULL"
    parser.add_argument("--key-file", metavar="FILE", help=key)
    parser.add_argument("--show-private", action="store_true", help="show values that are private, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object, of several events one a line")
    add_target(parser)


def _record(text: str) -> tuple[str, int]:
    raw_key, _, index = text.rpartition(":")
    if not raw_key or not index.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is no record: RAW_KEY:INDEX, such as raw/year=2025/.../a.gz:7")
    return raw_key, int(index)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no moment: 2025-11-26T10:15:00Z") from None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


COMMANDS: dict[str, Command] = {
    "process": Command(
        _of("run_process"),
        "run the transform on raw files, without AWS and without an endpoint",
        (
            "clicklake process events.ndjson",
            "clicklake process raw/ --out lake/",
            "clicklake process raw/ --against processed/ --json",
        ),
        _add_process,
    ),
    "diff": Command(
        _of("run_diff"),
        "run another processor over existing raw objects, and say what would change",
        (
            "clicklake package --target local --out new.zip",
            "clicklake diff --from yesterday --to yesterday --processor new.zip",
            "clicklake diff --from 2025-11-01 --to 2025-11-30 --limit 100 --processor new.zip --json",
            "clicklake diff --from 2025-11-24 --processor new.zip --base old.zip",
        ),
        _add_diff,
    ),
    "explain": Command(
        _of("run_explain"),
        "say what became of one event, and why; or what would become of a new one",
        (
            "clicklake explain 0199f2d4-6c1e-7000-8000-3f1b2a9d4c55 --day 2025-11-26",
            "clicklake explain --record raw/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00-a.gz:7",
            "clicklake explain --event sample-event.json",
            'echo \'{"event": "click"}\' | clicklake explain --event - --json',
        ),
        _add_explain,
    ),
}
