"""The endpoint's own process and data directory as metrics. What a system does not tell is left out."""

import os
import platform
import resource
import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from localaws.metrics.registry import Reading

_FDS = Path("/proc/self/fd" if sys.platform == "linux" else "/dev/fd")


def readings(root: Path, version: str, data_format: int, started: float) -> Iterator[Reading]:
    """`started` in epoch seconds."""
    yield Reading("clicklake_build_info", (version, platform.python_version(), str(data_format)), 1.0)
    yield Reading("clicklake_data_free_bytes", (), shutil.disk_usage(root).free)
    yield Reading("process_cpu_seconds_total", (), sum(os.times()[:2]))
    yield Reading("process_max_fds", (), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield Reading("process_threads", (), threading.active_count())
    yield Reading("process_start_time_seconds", (), started)
    for name, ask in _ASKED.items():
        value = _known(lambda ask=ask: ask(root))  # type: ignore[misc]
        if value is not None:
            yield Reading(name, (), value)


def _known(ask: Callable[[], float]) -> float | None:
    try:
        return ask()
    except (OSError, ValueError, IndexError):
        return None


def _resident(_root: Path) -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


_ASKED: dict[str, Callable[[Path], float]] = {
    "clicklake_control_journal_bytes": lambda root: (root / "control.journal").stat().st_size,
    "process_resident_memory_bytes": _resident,
    "process_open_fds": lambda _root: len(list(_FDS.iterdir())),
}
