"""What a worker process may take: its memory is watched, its files are bounded by the kernel where that can be told."""

import contextlib
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "File descriptors".
_OPEN_FILES = 1024

# How often a running worker's memory should be read: a file on Linux, a process elsewhere.
WATCH_SECONDS = 0.1 if sys.platform == "linux" else 1.0


def limit(pid: int, storage: int) -> None:
    """`storage` is in MB. On Linux only: elsewhere a process can set limits for itself alone."""
    if hasattr(resource, "prlimit"):
        most = {resource.RLIMIT_FSIZE: storage << 20, resource.RLIMIT_CORE: 0, resource.RLIMIT_NOFILE: _OPEN_FILES}
        with contextlib.suppress(ProcessLookupError):
            for kind, bound in most.items():
                resource.prlimit(pid, kind, (bound, bound))


def memory_mb(pid: int) -> int:
    """The physical memory of a process in MB: on Linux its peak, or with its children's if that is more now. 0 if it
    is gone."""
    try:
        if sys.platform == "linux":
            now, peak = _resident_kb(pid)
            return max(peak, now + sum(_resident_kb(child)[0] for child in _children(pid))) >> 10
        kilobytes = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, check=False).stdout
        return int(kilobytes or 0) >> 10
    except (OSError, ValueError):
        return 0


def _resident_kb(pid: int) -> tuple[int, int]:
    """(now, at its peak), by proc_pid_status(5); zeros for a process that has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    fields = dict(line.partition(":")[::2] for line in status.splitlines())
    now, peak = (int(fields.get(name, "0 kB").split()[0]) for name in ("VmRSS", "VmHWM"))
    return now, peak


def _children(pid: int) -> Iterator[int]:
    """All that it started and that still run; none where the kernel does not tell (CONFIG_PROC_CHILDREN)."""
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                yield int(child)
                yield from _children(int(child))
