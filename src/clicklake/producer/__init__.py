"""Send events to a delivery stream: cheaply, and without losing any.

producer.py asynchronous.py   track(), flush(), close(), for threads and for asyncio
event.py ids.py               an event becomes a line: its id, its times
memory.py                     lines that wait in memory
log.py segments.py spool.py   lines that wait on the disk; the directory that many producers share
waiting.py sender.py          whose turn it is; the threads that send
packing.py                    lines -> Firehose records -> calls; pure, and for others to use
stream.py pace.py             one call; how fast, and how long to wait after one that failed
ending.py                     exit, SIGTERM, fork
settings.py errors.py         what can be set and counted; what is raised

The names below are imported when they are asked for: the collector's function on Lambda has packing.py and stream.py
alone, and threads and asyncio would be a sixth of its start.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clicklake.producer.asynchronous import AsyncProducer
    from clicklake.producer.errors import (
        ClosedError,
        EventError,
        FullError,
        ProducerError,
        SpoolError,
        UndeliveredError,
    )
    from clicklake.producer.producer import Producer
    from clicklake.producer.settings import Counters, Delivery, Settings

__all__ = [
    "AsyncProducer",
    "ClosedError",
    "Counters",
    "Delivery",
    "EventError",
    "FullError",
    "Producer",
    "ProducerError",
    "Settings",
    "SpoolError",
    "UndeliveredError",
]

_MODULES = {
    "AsyncProducer": "asynchronous",
    "Counters": "settings",
    "Delivery": "settings",
    "Producer": "producer",
    "Settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"{__name__}.{_MODULES.get(name, 'errors')}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
