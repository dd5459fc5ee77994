"""The data directory: who may use it, in which format, and where its endpoint answers.

DATA_DIR/format          the format's version; another one is refused
DATA_DIR/lock            held by the endpoint while it runs
DATA_DIR/endpoint.json   {"url": ..., "pid": ...} of the endpoint that is ready, or that was last
DATA_DIR/credentials     the owner's keys
DATA_DIR/state.db        the Store
DATA_DIR/control.journal, s3/ s3-staging/ s3-versions/ firehose/ functions/ layers/ athena/ logs/   their services'
DATA_DIR/tmp/            what nobody needs after a restart
"""

import fcntl
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from localaws.durable import make_directories, replace_file, sync_directory
from localaws.errors import StartError

FORMAT = 2
_LEAST_FREE = 2**20


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str
    pid: int


def claim(path: Path) -> int:
    """Make the directory if need be, check its format and hold its lock; the descriptor keeps the lock."""
    try:
        if not path.is_dir():
            make_directories(path)
            path.chmod(0o700)  # records and objects are their owner's alone, whatever the umask
        sync_directory(path)  # whoever made what is in it may have been killed before that was durable
        lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as e:
        raise StartError(
            f"the data directory {path} can't be written ({e.strerror})", "choose another: --data-dir"
        ) from e
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as e:
        os.close(lock)
        owner = find(path)
        by = f" by process {owner.pid} at {owner.url}" if owner else ""
        raise StartError(f"the data directory {path} is in use{by}", "stop it: clicklake down") from e
    _check_format(path)
    (path / "endpoint.json").unlink(missing_ok=True)
    shutil.rmtree(path / "tmp", ignore_errors=True)
    make_directories(path / "tmp")
    return lock


def _check_format(path: Path) -> None:
    file = path / "format"
    if not file.exists():
        replace_file(file, f"{FORMAT}\n".encode())
    found = int(file.read_text())
    if found != FORMAT:
        advice = "upgrade clicklake" if found > FORMAT else "start anew with another: --data-dir"
        raise StartError(f"the data directory {path} has format {found}, this version reads {FORMAT}", advice)


def is_full(path: Path) -> bool:
    """Is there no room for an endpoint to start? Its database alone wants some pages."""
    return path.is_dir() and shutil.disk_usage(path).free < _LEAST_FREE


def is_held(path: Path) -> bool:
    """True while an endpoint runs on the directory."""
    try:
        lock = os.open(path / "lock", os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


def announce(path: Path, url: str) -> None:
    """Tell `clicklake env` and friends where this directory's endpoint answers."""
    replace_file(path / "endpoint.json", json.dumps({"url": url, "pid": os.getpid()}).encode())


def find(path: Path) -> Endpoint | None:
    """What `announce` last said, true or not any more."""
    try:
        said = json.loads((path / "endpoint.json").read_bytes())
        return Endpoint(said["url"], said["pid"])
    except (OSError, ValueError, KeyError):
        return None
