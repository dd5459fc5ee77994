"""What a producer can be told, and what it tells."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from clicklake.errors import ClicklakeError, UsageError
from clicklake.producer.packing import Sizes

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Settings:
    """Seconds and bytes. See docs/producer.md for what each is good for."""

    linger: float = 1.0
    record_bytes: int = Sizes().record
    call_bytes: int = Sizes().call
    max_memory: int = 16 * MIB
    max_spool: int = 1024 * MIB
    max_block: float = 1.0
    max_bytes_per_second: float | None = None
    fsync: float | None = 1.0
    exit_timeout: float = 5.0
    connections: int = 2

    def __post_init__(self) -> None:
        negative = [name for name in ("linger", "max_block", "exit_timeout", "fsync") if (getattr(self, name) or 0) < 0]
        if negative:
            raise UsageError(f"{negative[0]} is below 0", "seconds, 0 or more")
        _ = self.sizes  # which checks itself
        if self.max_memory < self.call_bytes:
            raise UsageError(
                f"max_memory ({self.max_memory:,}) is less than a call", f"at least {self.call_bytes:,} bytes"
            )
        if self.max_spool < 8 * MIB:
            raise UsageError(f"max_spool is {self.max_spool:,} bytes", f"at least {8 * MIB:,}")
        if self.connections < 1:
            raise UsageError(f"connections is {self.connections}", "1 or more")
        if self.max_bytes_per_second is not None and self.max_bytes_per_second <= 0:
            raise UsageError("max_bytes_per_second is not above 0", "None is as fast as the stream takes it")

    @property
    def sizes(self) -> Sizes:
        return Sizes(self.record_bytes, self.call_bytes)


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the producer was made. Events: `accepted` by track(), `refused` by it (an error was raised), `sent` and
    acknowledged, `recovered` of these from dead producers' logs, `retried` (sent again: not taken, or no answer came),
    `spooled` (waited on the disk because they could not be sent soon), `waiting` now. What was sent: `calls`,
    `records`, `bytes`, and the `billed_bytes` that Firehose makes of them."""

    accepted: int = 0
    refused: int = 0
    sent: int = 0
    recovered: int = 0
    retried: int = 0
    spooled: int = 0
    waiting: int = 0
    calls: int = 0
    records: int = 0
    bytes: int = 0
    billed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Delivery:
    """Events that the stream has acknowledged, as the JSON lines that were sent."""

    lines: tuple[bytes, ...]
    records: int
    bytes: int
    billed_bytes: int


OnDelivery = Callable[[Delivery], None]
OnError = Callable[[ClicklakeError], None]
Place = bool | str | Path
