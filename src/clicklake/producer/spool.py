"""A directory that producers share, of one or of many processes: each has its log, and adopts those of the dead.

    <spool>/<endpoint>/<region>/<stream>/
        <owner>.lock               locked as long as its producer lives
        <owner>.00000001.spool     its segments
        <owner>.00000001.damaged   one that could not be read to its end, set aside

Below the endpoint, region and stream, so that nothing that was meant for a laptop is ever sent to AWS. A local disk:
flock(2) over the network depends on the server.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from clicklake.producer.errors import SpoolError
from clicklake.producer.log import Log, lock_path
from clicklake.producer.segments import HEADER_BYTES, acknowledged

_HINT = "name a directory that can be written: spool=DIR; or keep events in memory alone: spool=False"


def default() -> Path:
    """Where programs keep their state: specifications.freedesktop.org/basedir-spec."""
    state = os.environ.get("XDG_STATE_HOME")
    try:
        return (Path(state) if state else Path.home() / ".local" / "state") / "clicklake" / "spool"
    except RuntimeError as e:  # no home
        raise SpoolError("there is no home directory for a spool", _HINT) from e


class Spool:
    """The directory of one stream."""

    def __init__(
        self, root: Path, endpoint_url: str, region: str, stream: str, most: int, memory: int, *, syncs: bool = True
    ) -> None:
        """`most`: bytes on the disk of each producer; `memory`: bytes of each log in memory; `syncs`: as Log's."""
        self.folder = root.joinpath(*(quote(part, safe="") for part in (urlsplit(endpoint_url).netloc, region, stream)))
        self._most, self._memory, self._syncs = most, memory, syncs
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.own = self._new()
        except OSError as e:
            raise SpoolError(f"the spool {self.folder} can't be used ({e.strerror})", _HINT) from e

    def _new(self) -> Log:
        while True:
            owner = secrets.token_hex(8)
            path = lock_path(self.folder, owner)
            fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            if _locked(fd, path):  # if not, another producer took it for a dead one's in this very moment
                return Log(self.folder, owner, fd, self._most, self._memory, syncs=self._syncs)

    def orphans(self) -> Iterator[Log]:
        """Logs whose producers are dead, or closed with something left. They are this one's now."""
        for path in sorted(self.folder.glob("*.lock")):
            owner = path.stem
            if owner == self.own.owner:
                continue
            try:
                fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            if not _locked(fd, path):
                continue
            log = Log(self.folder, owner, fd, self._most, self._memory)
            if log.is_empty:
                log.close()
            else:
                yield log


def stranded(root: Path) -> dict[str, int]:
    """Bytes that wait for streams to which no producer sends now, by `<stream> in <region> at <host>`. They are sent
    when one for that stream begins."""
    found: dict[str, int] = {}
    for folder in sorted(root.glob("*/*/*")):
        size = sum(map(_unacknowledged, folder.glob("*.spool")))
        if size and not any(map(_is_owned, folder.glob("*.lock"))):
            host, region, stream = map(unquote, folder.relative_to(root).parts)
            found[f"{stream} in {region} at {host}"] = size
    return found


def _unacknowledged(path: Path) -> int:
    try:
        with path.open("rb") as file:
            return max(0, os.fstat(file.fileno()).st_size - acknowledged(file.read(HEADER_BYTES)))
    except OSError:  # it was sent meanwhile, or is not ours to read
        return 0


def _is_owned(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False


def _locked(fd: int, path: Path) -> bool:
    """Lock it, if nobody else has, and if it is still the file of that name; else close it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.stat().st_ino == os.fstat(fd).st_ino:
            return True
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(fd)
    return False
