"""The default stack, made once for all tests of a run: a data directory of `clicklake up`, of which each test that asks
for a stack gets a copy. Starting on a copy takes a second; making it takes four, and writes 70 MB."""

import compileall
import fcntl
import os
import shutil
from pathlib import Path

from endpoint_process import EndpointProcess

# Never written again: the function's package, and what it was unpacked to, under the hash of its content.
_SHARED = "functions"


def copy_of_a_stack(made_in: Path, data_dir: Path) -> Path:
    """A copy at `data_dir` of the stack in the folder `made_in`, which is made by whoever comes first."""
    made_in.mkdir(parents=True, exist_ok=True)
    with (made_in / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (made_in / "whole").exists():
            _make(made_in / "data")
            (made_in / "whole").touch()
    return copy_of(made_in / "data", data_dir)


def copy_of(stopped: Path, data_dir: Path) -> Path:
    """A copy of an endpoint's data directory; nothing may run on it."""
    shutil.copytree(stopped, data_dir, ignore=shutil.ignore_patterns(_SHARED))
    shutil.copytree(stopped / _SHARED, data_dir / _SHARED, copy_function=os.link, symlinks=True)
    return data_dir


def _make(data_dir: Path) -> None:
    shutil.rmtree(data_dir, ignore_errors=True)
    endpoint = EndpointProcess(data_dir)
    endpoint.start()
    endpoint.stop()
    # A worker writes no bytecode, as it can't on Lambda; so each of the many that the tests start would compile it all.
    compileall.compile_dir(data_dir / _SHARED, quiet=1)
