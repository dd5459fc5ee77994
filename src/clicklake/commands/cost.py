"""`cost`: a month's bill on AWS, before there is one."""

import argparse
import json
import math
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from clicklake import cost_deployed, cost_measured, cost_report, pipeline, price_list
from clicklake.commands.aiming import days, target
from clicklake.commands.options import Arguments, Command, add_days, add_target, positive
from clicklake.cost import DAYS, Function, Queries, Use, packed
from clicklake.cost_savings import Packing
from clicklake.errors import UsageError
from clicklake.lake import Days
from clicklake.terminal import Terminal

REFUSALS = (pipeline.PipelineError,)
_NUMBER = re.compile(r"(\d+(?:[._]\d+)*)(k|m|b|e\d{1,2})?", re.IGNORECASE)
_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9}


def _add_cost(parser: argparse.ArgumentParser) -> None:
    events = "such as 250000, 250k, 1.5M; with --lake the default is what came"
    parser.add_argument("--events-per-day", type=_events, metavar="N", help=events)
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--sample", metavar="FILE", type=Path, help="measure your events: any file that `send` takes")
    lake = "measure a lake by its ledger, and take the settings of the deployed stack"
    sizes.add_argument("--lake", action="store_true", help=lake)
    sent = parser.add_mutually_exclusive_group()
    sent.add_argument(
        "--packed", action="store_true", help="events are sent by clicklake.Producer; default: one a record"
    )
    sent.add_argument(
        "--events-per-record", type=positive, metavar="N", help="default: 1, or what the lake's stream has counted"
    )
    collected = "events come through the collector on AWS, so many a request, and a record each"
    sent.add_argument("--collector", type=positive, metavar="N", help=collected)
    parser.add_argument("--producers", type=positive, metavar="N", default=1, help="that share the events; default: 1")
    linger = "seconds that a producer waits for more events; default: 1"
    parser.add_argument("--linger", type=_above_zero, metavar="S", default=1.0, help=linger)
    parser.add_argument("--queries-per-day", type=_number, metavar="N", default=10, help="default: %(default)s")
    parser.add_argument("--query-days", type=positive, metavar="N", default=DAYS, help="of each; default: %(default)s")
    parser.add_argument("--months", type=positive, metavar="N", default=12, help="of events kept; default: %(default)s")
    prices = "a changed copy of the package's prices.json, such as for another region"
    parser.add_argument("--price-file", metavar="FILE", type=Path, default=price_list.FILE, help=prices)
    parser.add_argument("--json", action="store_true", help="print the bill as one JSON object")
    add_days(parser)
    add_target(parser)


def _number(text: str) -> float:
    found = _NUMBER.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no number such as 250000, 250k or 1.5M")
    digits, unit = found[1].replace("_", ""), (found[2] or "").lower()
    try:
        return float(digits + unit) if unit.startswith("e") else float(digits) * _FACTORS[unit]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number such as 250000, 250k or 1.5M") from None


def _above_zero(text: str) -> float:
    if (found := _number(text)) > 0:
        return found
    raise argparse.ArgumentTypeError(f"{text!r} is not above 0")


def _events(text: str) -> float:
    if (found := _above_zero(text)) <= 1e12:
        return found
    raise argparse.ArgumentTypeError(f"{text!r}: more than a trillion events a day are nobody's")


def _cost(arguments: Arguments) -> None:
    if not arguments.lake and arguments.events_per_day is None:
        raise UsageError("how many events come is not known", "clicklake cost --events-per-day 1M, or --lake")
    if not arguments.lake and (arguments.first or arguments.last):
        raise UsageError("--from and --to are days of a lake", "add --lake")
    prices = price_list.read(arguments.price_file)
    measured, settings = _lake(arguments) if arguments.lake else _file(arguments)
    packing = Packing(arguments.linger, arguments.producers)
    use = _use(arguments, measured, settings, packing)
    asked = cost_report.Asked(use, measured, settings, packing, prices, arguments.price_file.name)
    document = cost_report.document(asked)
    if arguments.json:
        print(json.dumps(document))
    else:
        print("\n".join(cost_report.lines(document, Terminal(sys.stdout).width)))


def _file(arguments: Arguments) -> tuple[cost_measured.Measured, cost_deployed.Settings]:
    pipe = pipeline.load(arguments.pipeline)
    measured = cost_measured.of_sample(arguments.sample, pipe) if arguments.sample else cost_measured.DEMO
    return measured, cost_deployed.of_pipeline(pipe)


def _lake(arguments: Arguments) -> tuple[cost_measured.Measured, cost_deployed.Settings]:
    pipe = pipeline.load(arguments.pipeline)
    names, wanted, aws = pipe.names(arguments.environment), days(arguments), target(arguments)
    if wanted.first is None and wanted.last is None:
        wanted = Days(datetime.now(UTC).date() - timedelta(days=DAYS), None)
    settings = cost_deployed.of_stack(aws, pipe, names)
    return cost_measured.of_ledger(aws, pipe, names, wanted, settings.form), settings


def _use(
    arguments: Arguments, measured: cost_measured.Measured, settings: cost_deployed.Settings, packing: Packing
) -> Use:
    events = (arguments.events_per_day or measured.events_per_day or math.nan) * DAYS
    use = Use(
        events=events,
        event_bytes=measured.event_bytes,
        events_per_record=arguments.events_per_record or measured.events_per_record or 1,
        buffer_mib=settings.buffer_mib,
        buffer_seconds=settings.buffer_seconds,
        compression=measured.compression,
        raw_days=settings.raw_days,
        failed_days=settings.failed_days,
        noncurrent_days=settings.noncurrent_days,
        failed_bytes=measured.failed_bytes,
        processed=measured.stored[settings.form],
        kept_months=arguments.months,
        function=Function(settings.memory_mib / 1024, architecture=settings.architecture),
        traced=settings.traced,
        queries=Queries(arguments.queries_per_day * DAYS, arguments.query_days),
        alarms=settings.alarms,
        dashboards=settings.dashboards,
        keys=settings.keys,
    )
    if arguments.collector:
        fits = packed(1e15, use.event_bytes, 1, 1)  # as many as a record takes
        return replace(use, requests=events / arguments.collector, events_per_record=min(arguments.collector, fits))
    if not arguments.packed:
        return use
    per_record = packed(events, use.event_bytes, packing.linger, packing.producers)
    return replace(use, events_per_record=per_record)


COMMANDS: dict[str, Command] = {
    "cost": Command(
        _cost,
        "what a month on AWS costs, and what would save",
        (
            "clicklake cost --events-per-day 1M",
            "clicklake cost --events-per-day 1M --sample events.ndjson --packed",
            "clicklake cost --events-per-day 1M --collector 8",
            "clicklake cost --lake --json",
        ),
        _add_cost,
    )
}
