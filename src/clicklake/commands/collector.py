"""`collector`: the way in for web clients, on a machine of one's own, for any endpoint."""

import argparse
import ipaddress
import os
import time
from pathlib import Path

from clicklake import pipeline
from clicklake import target as targets
from clicklake.collector import settings as told
from clicklake.commands.aiming import target
from clicklake.commands.options import Arguments, Command, add_target, port
from clicklake.errors import UsageError
from clicklake.producer import Producer, SpoolError
from clicklake.producer.ids import Uuid7

REFUSALS = (pipeline.PipelineError, SpoolError)
VARIABLE = "CLICKLAKE_COLLECTOR"


def _add_collector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=port, default=4580, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless told otherwise (default: %(default)s)")
    parser.add_argument("--config", metavar="FILE", help=f"its settings, JSON; default: the variable {VARIABLE}")
    parser.add_argument("--stream", metavar="NAME", help="default: the pipeline's delivery stream")
    parser.add_argument(
        "--spool", metavar="DIR", help="where events wait; default: CLICKLAKE_SPOOL, or as the producer"
    )
    add_target(parser)


def _collector(arguments: Arguments) -> None:
    settings = _settings(arguments.config)
    _check_reach(arguments.host, settings)
    try:
        # Here, because the extra that they need may be absent.
        from clicklake.collector import serving
        from clicklake.collector.collect import Collector
        from clicklake.collector.delivery import Spooled
    except ModuleNotFoundError as e:
        raise UsageError(f"the collector needs {e.name}", "install it: pip install 'clicklake[collector]'") from e
    aim: targets.Target = target(arguments)
    producer = Producer(
        arguments.stream,
        target=aim,
        pipeline=arguments.pipeline,
        environment=arguments.environment,
        spool=arguments.spool or True,
        handle_sigterm=False,
        fsync=0,
    )
    delivery = Spooled(producer, settings.retry_after_seconds, settings.max_waiting_bytes)
    collector = Collector(settings, time.time, Uuid7(time.time))

    def ready(url: str) -> None:
        print(f"clicklake collects at {url} for {producer.stream}", flush=True)

    serving.serve(collector, delivery, arguments.host, arguments.port, ready)


def _settings(file: str | None) -> told.Settings:
    if file is None:
        return told.read(os.environ.get(VARIABLE) or "{}")
    try:
        return told.read(Path(file).read_bytes())
    except OSError as e:
        raise UsageError(f"{file} can't be read ({e.strerror})", "name the file of the collector's settings") from e


def _check_reach(host: str, settings: told.Settings) -> None:
    """Beyond this machine anybody could fill the lake."""
    try:
        is_loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_loopback = False
    if not is_loopback and not settings.sites:
        raise UsageError(f"on {host} anybody could send, for there are no `sites`", "give each a write key: --config")


COMMANDS: dict[str, Command] = {
    "collector": Command(
        _collector,
        "take events from browsers and servers, in their own dialects",
        (
            "clicklake collector",
            "clicklake collector --config collector.json --port 8080",
            "clicklake collector --endpoint-url http://127.0.0.1:4566",
        ),
        _add_collector,
    ),
}
