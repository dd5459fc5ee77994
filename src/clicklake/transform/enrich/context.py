"""What an enrichment is, and what it may know besides the event."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clicklake.transform.redact import Address


@dataclass(frozen=True, slots=True)
class Context:
    """What is the same for every event that one worker meets.

    `buffer_ms` is the longest that Firehose holds an event back; `redact` splits an address and removes private parts;
    `user_key` is None if ids are only removed; `geo` is an open MMDB (a maxminddb.Reader), or None.
    """

    buffer_ms: int
    redact: Callable[[str], Address]
    user_key: bytes | None = None
    geo: Any | None = None


@dataclass(frozen=True, slots=True)
class Enrichment:
    """Columns that are a pure function of a few values: `make(context, *reads) -> makes`.

    `reads` are input fields, `headers.<lower-case name>` for one header, `received_ts`, or columns that an earlier
    enrichment makes; each is str, int, float or None. `makes` are the columns in the order of what `make` returns, NULL
    as None. It never raises, whatever it reads. Answers are remembered, so a `make` needs no memory of its own;
    `memo` is off where that would cost more than it saves.
    """

    reads: tuple[str, ...]
    makes: tuple[str, ...]
    make: Callable[..., tuple[Any, ...]]
    memo: bool = True


@dataclass(frozen=True, slots=True)
class Group:
    """Enrichments that mostly repeat together, in their order. It means what its steps mean one after the other."""

    steps: tuple[Enrichment, ...]

    @property
    def makes(self) -> tuple[str, ...]:
        return tuple(name for step in self.steps for name in step.makes)

    @property
    def reads(self) -> tuple[str, ...]:
        """What its steps read and none of them makes before."""
        reads: dict[str, None] = {}
        made: set[str] = set()
        for step in self.steps:
            reads |= dict.fromkeys(name for name in step.reads if name not in made)
            made |= set(step.makes)
        return tuple(reads)
