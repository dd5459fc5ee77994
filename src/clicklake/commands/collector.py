"""`collector`: the way in for web clients, on a machine of one's own, for any endpoint."""

import argparse
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from clicklake import pipeline
from clicklake.collector.reach import is_loopback
from clicklake.commands.aiming import target
from clicklake.commands.options import Arguments, Command, add_target, port
from clicklake.errors import UsageError
from clicklake.producer import Producer, SpoolError, packing, spool
from clicklake.producer.ids import Uuid7
from clicklake.producer.stream import Stream

if TYPE_CHECKING:
    from clicklake.collector.delivery import Delivery
    from clicklake.collector.settings import Settings

REFUSALS = (pipeline.PipelineError, SpoolError)
log = logging.getLogger("clicklake.collector")
_AT_ONCE = 4  # calls, without a spool


def _add_collector(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=port, default=4580, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless told otherwise (default: %(default)s)")
    parser.add_argument(
        "--config", metavar="FILE", help="its settings, JSON; default: the variable CLICKLAKE_COLLECTOR"
    )
    parser.add_argument("--stream", metavar="NAME", help="default: the pipeline's delivery stream")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--spool", metavar="DIR", help="where events wait; default: as the producer")
    where.add_argument("--no-spool", action="store_true", help="answer when the stream has them; nothing waits here")
    add_target(parser)


def _collector(arguments: Arguments) -> None:
    try:
        # Here, because the extra that they need may be absent.
        from clicklake.collector import serving
        from clicklake.collector import settings as told
        from clicklake.collector.app import App
        from clicklake.collector.collect import Collector
        from localaws.connections import Connection, most_connections
    except ModuleNotFoundError as e:
        raise UsageError(f"the collector needs {e.name}", "install it: pip install 'clicklake[collector]'") from e
    settings = told.load(arguments.config, os.environ)
    _check_reach(arguments.host, settings)
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.WARNING)
    Connection.most = most_connections()
    delivery, stream, end = _delivery(arguments, settings)
    app = App(Collector(settings, time.time, Uuid7(time.time)), delivery)

    def ready(url: str) -> None:
        print(f"clicklake collects at {url} for {stream}", flush=True)

    try:
        serving.serve(app, Connection, arguments.host, arguments.port, ready)
    finally:
        left = end()
    taken = app.counts.taken.total()
    print(f"{taken:,} {'event was' if taken == 1 else 'events were'} taken; {left}", flush=True)


def _delivery(arguments: Arguments, settings: "Settings") -> "tuple[Delivery, str, Callable[[], str]]":
    """Also the stream's name, and what ends it and says what is left."""
    from clicklake.collector import delivery
    from clicklake.collector.direct import Direct

    aim = target(arguments)
    if arguments.no_spool:
        name = arguments.stream or pipeline.load(arguments.pipeline).names(arguments.environment).delivery_stream
        streams = [Stream(aim, name, connect_seconds=2, read_seconds=4) for _ in range(_AT_ONCE)]
        directs = [Direct(stream, settings.retry_after_seconds, log.error) for stream in streams]
        return delivery.to_stream(directs, settings), name, lambda: "none waits here"
    producer = Producer(
        arguments.stream,
        target=aim,
        pipeline=arguments.pipeline,
        environment=arguments.environment,
        spool=arguments.spool or True,
        handle_sigterm=False,
        fsync=0,
        call_bytes=packing.BYTES_PER_CALL,  # as much waits only where that comes in a second
        max_spool=settings.max_spool_bytes,
    )
    for whose, size in spool.stranded(Path(arguments.spool) if arguments.spool else spool.default()).items():
        log.warning("%s bytes wait in the spool for %s: a collector for that must send them", f"{size:,}", whose)

    def end() -> str:
        producer.close()
        left = producer.counters.waiting
        return f"{left:,} of them wait in the spool for the next start" if left else "none waits in the spool"

    return delivery.to_spool(producer, settings), producer.stream, end


def _check_reach(host: str, settings: "Settings") -> None:
    """Beyond this machine anybody could fill the lake."""
    if not is_loopback(host) and not settings.sites:
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
