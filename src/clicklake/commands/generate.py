"""`generate`: traffic whose truth is known, into a file or into the stream."""

import argparse
import json
import re
import sys
from datetime import UTC, datetime, timedelta

from clicklake import generate, pipeline, query
from clicklake.commands.aiming import confirm, target
from clicklake.commands.options import Arguments, Command, add_target, positive
from clicklake.errors import UsageError
from clicklake.generate import Made, Order
from clicklake.terminal import Progress, Terminal

REFUSALS = (pipeline.PipelineError,)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _add_generate(parser: argparse.ArgumentParser) -> None:
    how_many = f"how many records (default: {generate.EVENTS:,}, unless --duration says when to stop)"
    parser.add_argument("--events", type=positive, metavar="N", help=how_many)
    parser.add_argument("--duration", type=_seconds, metavar="D", help="of simulated time, such as 90s, 10m, 2h, 1d")
    parser.add_argument(
        "--rate", type=_rate, default=generate.RATE, metavar="R", help="events a second (default: %(default)s)"
    )
    parser.add_argument(
        "--seed", type=int, default=generate.SEED, metavar="N", help="other traffic (default: %(default)s)"
    )
    when = (
        f"the first moment: ISO 8601, now or '10m ago' (default: {generate.START:%Y-%m-%dT%H:%M:%SZ}; with --send now)"
    )
    parser.add_argument("--start", type=_moment, metavar="T", help=when)
    parser.add_argument("--truth", metavar="FILE", help="what is true of each record, a line each")
    parser.add_argument("--out", metavar="FILE|-", help="a file, gzipped if it ends in .gz (default: standard output)")
    parser.add_argument("--send", action="store_true", help="into the stream instead, each record when its time comes")
    parser.add_argument("--clean", action="store_true", help="nothing broken, late, repeated, or by a wrong clock")
    large = "a share of records longer than 1 MiB, such as 0.001; not with --send"
    parser.add_argument("--oversized", type=_share, default=0.0, metavar="SHARE", help=large)
    parser.add_argument("--stream", metavar="NAME", help="default: the pipeline's delivery stream")
    parser.add_argument("--json", action="store_true", help="print what was made as one JSON object")
    parser.add_argument("--yes", action="store_true", help="don't ask before sending to AWS")
    add_target(parser)


def _generate(arguments: Arguments) -> None:
    start = arguments.start or (datetime.now(UTC) if arguments.send else generate.START)
    order = Order(
        start,
        arguments.events,
        arguments.duration,
        arguments.rate,
        arguments.seed,
        arguments.clean,
        arguments.oversized,
    )
    _check(arguments)
    made = _sent(arguments, order) if arguments.send else generate.write(order, arguments.out or "-", arguments.truth)
    said = ", ".join(f"{made.kinds[kind]:,} {kind}" for kind in ("good", "late", "repeat", "malformed"))
    again = f"--seed {order.seed} --start {order.start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    print(f"{made.records:,} records ({query.size(made.bytes)}): {said}; again: {again}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(made.document(order)))


def _check(arguments: Arguments) -> None:
    if arguments.send and arguments.out:
        raise UsageError("--send and --out exclude each other", "write a file, then: clicklake send FILE")
    if arguments.send and arguments.oversized:
        raise UsageError(
            "Firehose takes no record longer than 1,000 KiB", "--oversized is for files that are processed"
        )
    if arguments.json and not arguments.send and (arguments.out or "-") == "-":
        raise UsageError("--json would stand among the events on standard output", "add --out FILE")


def _sent(arguments: Arguments, order: Order) -> Made:
    pipe = pipeline.load(arguments.pipeline)
    aws = target(arguments)
    confirm(aws, "send generated events", arguments)
    stream = arguments.stream or pipe.names(arguments.environment).delivery_stream
    progress = Progress(Terminal(sys.stderr), "sending  ", order.events)
    made = generate.send_live(order, aws, stream, arguments.truth, lambda made: progress(made.records))
    progress.close()
    return made


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no duration: a number and s, m, h or d, such as 10m")
    return float(found[1]) * _UNITS[found[2]]


def _rate(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/s)?", text)
    if not found or not float(found[1]):
        raise argparse.ArgumentTypeError(f"{text!r} is no rate: events a second, such as 40 or 0.5")
    return float(found[1])


def _share(text: str) -> float:
    if not re.fullmatch(r"0?\.\d+|0|1", text):
        raise argparse.ArgumentTypeError(f"{text!r} is no share: a number from 0 to 1")
    return float(text)


def _moment(text: str) -> datetime:
    if text == "now":
        return datetime.now(UTC)
    if text.endswith(" ago"):
        return datetime.now(UTC) - timedelta(seconds=_seconds(text.removesuffix(" ago")))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: ISO 8601, such as 2026-11-22T12:00:00Z") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


COMMANDS: dict[str, Command] = {
    "generate": Command(
        _generate,
        "make traffic whose truth is known",
        (
            "clicklake generate | head -3",
            "clicklake generate --events 100000 --out events.ndjson.gz --truth truth.ndjson",
            "clicklake generate --send --rate 20 --duration 10m --truth truth.ndjson",
        ),
        _add_generate,
    ),
}
