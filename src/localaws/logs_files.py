"""Log streams as plain files that `tail -f` reads.

DATA_DIR/logs/<group>/<stream>.log, one `<epoch ms> <text>` a line; a "/" in a stream's name is kept as "%2F". Times
never go back while the endpoint runs. Lines survive a kill at once; a thread makes them survive power loss too, all
files together, `_SYNC_SECONDS` later at most: what a function prints is not worth an fsync before its answer.
"""

import hashlib
import logging
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote

from localaws import durable

_log = logging.getLogger(__name__)

_SYNC_SECONDS = 5.0
_LONGEST_NAME = 200  # of a file; file systems take 255 bytes
_TAIL = 1 << 16
_CLOCK_SLACK = 60_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an event is, in the order in which FilterLogEvents tells them: epoch ms, stream, offset in its file."""

    time: int
    stream: str
    offset: int


@dataclass(frozen=True, slots=True)
class Line:
    place: Place
    text: str


class Files:
    """`made(group)` is told, on a thread of its own, of a group's first line ever."""

    def __init__(self, root: Path, clock: Callable[[], float], made: Callable[[str], None]) -> None:
        self._root = root
        self._clock = clock
        self._made = made
        self._lock = threading.Lock()
        self._latest = 0
        self._dirty: set[Path] = set()
        self._new: list[str] = []
        self._stopping = False
        self._hurry = threading.Event()
        self._syncer = threading.Thread(target=self._keep_synced, name="logs", daemon=True)

    def start(self) -> None:
        self._syncer.start()

    def stop(self) -> None:
        """Everything that was written is durable on return."""
        self._stopping = True
        self._hurry.set()
        if self._syncer.is_alive():
            self._syncer.join()
        self._sync()

    def write(self, group: str, stream: str, lines: list[str]) -> None:
        """Append lines under the current time; a line end inside a line begins a new one."""
        parts = [part for line in lines for part in line.splitlines() or [""]]
        file = self._folder(group) / (quote(stream, safe="") + ".log")
        with self._lock:
            self._latest = max(self._latest, int(self._clock() * 1000))
            if not file.parent.is_dir():
                file.parent.mkdir(parents=True, exist_ok=True)
                self._new.append(group)
                self._hurry.set()
            with file.open("a", encoding="utf-8") as log:
                log.write("".join(f"{self._latest} {part}\n" for part in parts))
            self._dirty.add(file)

    def streams(self, group: str) -> dict[str, Path]:
        """Those of a group by name; none of a group that nothing here has written to."""
        folder = self._folder(group)
        files = sorted(folder.glob("*.log")) if folder.is_dir() else []
        return {unquote(file.stem): file for file in files}

    def delete(self, group: str, stream: str | None = None) -> None:
        """A stream, or all of a group: what is kept in folders inside of its folder belongs to other groups."""
        files = self.streams(group)
        with self._lock:
            for name, file in files.items():
                if stream in {None, name}:
                    file.unlink(missing_ok=True)
                    self._dirty.discard(file)
            folder = self._folder(group)
            if folder.is_dir() and not any(folder.iterdir()):
                shutil.rmtree(folder)

    def _folder(self, group: str) -> Path:
        return self._root.joinpath(*(_file_name(part) for part in group.strip("/").split("/")))

    def _keep_synced(self) -> None:
        while not self._stopping:
            self._hurry.wait(_SYNC_SECONDS)
            self._hurry.clear()
            self._sync()

    def _sync(self) -> None:
        with self._lock:
            dirty, self._dirty = self._dirty, set()
            new, self._new = self._new, []
        for group in new:
            _try(self._made, group)
        for file in dirty:
            _try(durable.sync_file, file)
        for folder in {folder for file in dirty for folder in file.parents if folder.is_relative_to(self._root)}:
            _try(durable.sync_directory, folder)


def lines(stream: str, file: Path, start: int) -> Iterator[Line]:
    """Those from the time `start` (epoch ms) on."""
    try:
        if file.stat().st_mtime * 1000 < start - _CLOCK_SLACK:
            return
        log = file.open("rb")
    except FileNotFoundError:
        return  # deleted meanwhile
    with log:
        offset = 0
        for raw in log:
            stamp, _, text = raw.rstrip(b"\n").partition(b" ")
            if stamp.isdigit() and int(stamp) >= start:  # a torn line begins with something else
                yield Line(Place(int(stamp), stream, offset), text.decode("utf-8", "replace"))
            offset += len(raw)


def span(file: Path) -> tuple[int, int]:
    """The times of the first line and of the last; zeros for an empty file."""
    with file.open("rb") as log:
        first = log.readline(_TAIL)
        log.seek(max(0, file.stat().st_size - _TAIL))
        ends = [part.partition(b" ")[0] for part in log.read().splitlines()]
    stamps = [int(stamp) for stamp in (first.partition(b" ")[0], *ends) if stamp.isdigit()]
    return (stamps[0], stamps[-1]) if stamps else (0, 0)


def _try(do: Callable[[T], None], subject: T) -> None:
    """Logs are no reason to stop: what fails is told, and the next line tries again."""
    try:
        do(subject)
    except FileNotFoundError:
        pass  # deleted meanwhile
    except Exception as e:
        _log.warning("logs: %s failed for %s: %s", getattr(do, "__name__", "it"), subject, e)


def _file_name(part: str) -> str:
    """A part of a log group's name as a file's: it can't lead out of the directory, and it is not too long for one."""
    quoted = quote(part, safe="")
    plain = quoted.strip(".") and len(quoted) <= _LONGEST_NAME
    return quoted if plain else "%." + hashlib.sha256(part.encode()).hexdigest()
