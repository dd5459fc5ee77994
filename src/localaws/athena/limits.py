"""How much of the machine queries may take, and how many there may be. What the environment can change, it names here.

CLICKLAKE_ATHENA_QUERIES       run at once, each in a process of its own (2)
CLICKLAKE_ATHENA_ACTIVE        are queued or run, before StartQueryExecution refuses more (200, AWS's own for DML:
                               docs.aws.amazon.com/athena/latest/ug/service-limits.html)
CLICKLAKE_ATHENA_MEMORY_BYTES  of one query's working memory (a quarter of the machine's, but 1 GiB at least);
                               what does not fit is spilled to the disk where the operation can do that
CLICKLAKE_ATHENA_SPILL_BYTES   of one query's spilled data (8 GiB, but never more than half of what is free)
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass

from localaws.errors import StartError

_GIB = 1 << 30
_LEAST_MEMORY = 64 << 20  # below that DuckDB can't read a Parquet file


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory` and `spill` are in bytes, of one query; `threads`, too, are one query's."""

    queries: int = 2
    active: int = 200
    memory: int = _GIB
    spill: int = 8 * _GIB
    threads: int = 2


def limits_of(environment: Mapping[str, str]) -> Limits:
    """Raises StartError."""
    return Limits(
        _number(environment, "CLICKLAKE_ATHENA_QUERIES", Limits().queries, 1),
        _number(environment, "CLICKLAKE_ATHENA_ACTIVE", Limits().active, 1),
        _number(environment, "CLICKLAKE_ATHENA_MEMORY_BYTES", max(_physical() // 4, _GIB), _LEAST_MEMORY),
        _number(environment, "CLICKLAKE_ATHENA_SPILL_BYTES", Limits().spill, 0),
        os.cpu_count() or 2,
    )


def _number(environment: Mapping[str, str], name: str, otherwise: int, least: int) -> int:
    text = environment.get(name) or str(otherwise)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise StartError(f"{name} is {text!r}, which is no whole number from {least} on", "give one, or unset it")
    return int(text)


def _physical() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
