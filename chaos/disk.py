"""A disk that can be filled: a small file system in memory, or a limit to what one process may write.

SmallDisk    a tmpfs of its own, if this user may mount one (root on Linux)
Limit        no file of the endpoint's may grow: the closest to it that any user can do (Linux)
"""

import contextlib
import errno
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Protocol

_MEGABYTES = 512
_PAGE = 4096


class Filling(Protocol):
    """`fill` leaves about `left` bytes to the process `pid`; `free` takes it back; `close` when all is over."""

    what: str

    def fill(self, pid: int, left: int) -> None: ...

    def free(self, pid: int) -> None: ...

    def close(self) -> None: ...


def small(folder: Path) -> Filling:
    """What of the two can be had, for a data directory at `folder`, which exists and is empty."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_MEGABYTES}m", "clicklake-chaos", str(folder)]
    if (
        sys.platform == "linux"
        and shutil.which("mount")
        and not subprocess.run(command, check=False, capture_output=True).returncode
    ):
        return SmallDisk(folder)
    return Limit()


class SmallDisk:
    def __init__(self, folder: Path) -> None:
        self.what = f"a tmpfs of {_MEGABYTES} MiB"
        self._folder = folder
        self._filler = folder / "filler"

    def fill(self, pid: int, left: int) -> None:  # noqa: ARG002 - it is full for everybody
        with self._filler.open("wb") as file:
            while (size := shutil.disk_usage(self._folder).free - left) >= _PAGE:
                try:  # half of it, for others write meanwhile, and what does not fit is not taken at all
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), max(size // 2, _PAGE))
                except OSError as e:
                    if e.errno != errno.ENOSPC:
                        raise

    def free(self, pid: int) -> None:  # noqa: ARG002
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self._folder)], check=False, capture_output=True)


class Limit:
    """RLIMIT_FSIZE (setrlimit(2)): a write beyond it fails with EFBIG."""

    def __init__(self) -> None:
        can = sys.platform == "linux"
        self.what = "a limit to the size of files (no tmpfs can be mounted)" if can else "never full on this system"

    def fill(self, pid: int, left: int) -> None:
        self._limit(pid, left)

    def free(self, pid: int) -> None:
        self._limit(pid, resource.RLIM_INFINITY)

    def _limit(self, pid: int, size: int) -> None:
        if sys.platform == "linux":
            with contextlib.suppress(ProcessLookupError):  # it was killed, and its limit with it
                resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

    def close(self) -> None:
        pass
