"""What a traced program did to a directory, and what a power cut would have left of that.

Every file has its live bytes, which the program would read back, and its kept ones, which are on the disk for certain;
every directory has live and kept entries. Nothing is kept but what POSIX promises: an fsync keeps the bytes of that one
file, or the entries of that one directory, as they were when it began. Beyond POSIX there is one assumption, which every
journaling file system makes true: a rename is never half done, so a file's old name goes when the new one is kept, and
not before.

An fsync that fails is worse than none (fsync(2), "EIO"): Linux may then take the pages for written, and no later fsync
writes them, unless they are written to again.

What is mapped into memory and written there is not seen: of our files that is SQLite's -shm, which it makes anew.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from traced_calls import UNKNOWN, Call

_PAGE = 4096


@dataclass(eq=False)
class File:
    """`dirty` are the pages that were written to since the last fsync, `lost` those that no fsync will write."""

    live: bytearray = field(default_factory=bytearray)
    kept: bytes = b""
    dirty: set[int] = field(default_factory=set)
    lost: set[int] = field(default_factory=set)


@dataclass(eq=False)
class Directory:
    live: dict[str, "Node"] = field(default_factory=dict)
    kept: dict[str, "Node"] = field(default_factory=dict)
    changes: list["_Change"] = field(default_factory=list)  # of its entries, that no fsync has kept


Node = File | Directory


@dataclass(eq=False)
class _Change:
    """The entry `name` became `node`, or went (None). A rename is two: what comes, with `source`, and what goes, with
    `target`: that has to wait until the other is kept."""

    name: str
    node: Node | None
    source: tuple[Directory, str] | None = None
    target: "_Change | None" = None
    kept: bool = False


class Disk:
    """One directory and everything below it but what is `ignored`, names of directories in it. It is empty when the
    trace begins, and its own name is kept."""

    def __init__(self, root: Path, ignored: tuple[str, ...] = ()) -> None:
        self.root = root
        self._ignored = tuple(f"{root}/{name}" for name in ignored)
        self._top = Directory()
        self._positions: dict[tuple[int, File], int | None] = {}  # of (descriptor, file); None: always its end
        self._begun: dict[int, tuple[File, bytes, set[int]] | tuple[Directory, list[_Change]]] = {}
        self._act: Mapping[str, Callable[[Call], None]] = {
            "openat": self._open,
            "write": self._write,
            "writev": self._write,
            "pwrite64": self._write_at,
            "ftruncate": self._truncate,
            "copy_file_range": self._copy,
            "rename": self._rename,
            "link": self._link,
            "unlink": self._remove,
            "rmdir": self._remove,
            "mkdir": self._make_directory,
        }

    def follow(self, call: Call) -> None:
        inside = any(self._names(path) is not None for path in self._paths(call))
        if inside and call.name in UNKNOWN:
            raise ValueError(f"{call.name} is not understood")
        if call.name in {"fsync", "fdatasync"}:
            (self._sync if call.ended else self._begin_sync)(call)
        elif call.ended and call.result >= 0 and inside and call.name in self._act:
            self._act[call.name](call)

    def live(self) -> dict[str, bytes]:
        """Every file's path below the root, and its bytes as the program would read them."""
        return {path: bytes(file.live) for path, file in _files(self._top, kept=False)}

    def kept(self) -> dict[str, bytes]:
        """The files that a power cut leaves at the least, and their bytes."""
        return {path: file.kept for path, file in _files(self._top, kept=True)}

    def kept_directories(self) -> list[str]:
        return list(_directories(self._top))

    def named(self, *, kept: bool) -> set[File]:
        """The files that a program can reach, now or (`kept`) after a power cut."""
        return {file for _, file in _files(self._top, kept=kept)}

    def at_risk(self) -> dict[str, set[str]]:
        """Path -> what a power cut would take of it: its "entry", and with that all of it, or some of its "bytes"."""
        found, named = {}, self.named(kept=True)
        for path, file in _files(self._top, kept=False):
            lost = set() if file in named else {"entry"}
            if lost := lost | ({"bytes"} if file.live != file.kept else set()):
                found[path] = lost
        return found

    # The calls

    def _open(self, call: Call) -> None:
        path = call.strings[0].decode()
        home, name = self._home(path)
        node = home.live.get(name)
        if node is None:
            if "O_CREAT" not in call.rest:
                return  # the root itself
            node = File()
            self._change(home, _Change(name, node))
        if isinstance(node, File):
            if "O_TRUNC" in call.rest:
                node.live.clear()
            self._positions[call.result, node] = None if "O_APPEND" in call.rest else 0

    def _write(self, call: Call) -> None:
        if (file := self._file(call.fds[0])) is not None:
            fd = call.fds[0][0]
            position = self._positions[fd, file]
            _put(file, len(file.live) if position is None else position, b"".join(call.strings)[: call.result])
            self._positions[fd, file] = None if position is None else position + call.result

    def _write_at(self, call: Call) -> None:
        if (file := self._file(call.fds[0])) is not None:
            _put(file, int(call.rest.rpartition(", ")[2]), call.strings[0][: call.result])

    def _truncate(self, call: Call) -> None:
        if (file := self._file(call.fds[0])) is not None:
            size = int(call.rest.rpartition(", ")[2])
            del file.live[size:]
            file.live.extend(bytes(size - len(file.live)))

    def _copy(self, call: Call) -> None:
        source, target = (self._file(fd) for fd in call.fds)
        assert source is not None
        assert target is not None
        start = int(call.rest.partition("[")[2].partition("]")[0])
        position = self._positions[call.fds[1][0], target]
        assert position is not None
        _put(target, position, bytes(source.live[start : start + call.result]))
        self._positions[call.fds[1][0], target] = position + call.result

    def _rename(self, call: Call) -> None:
        (source, old), (target, new) = (self._home(path.decode()) for path in call.strings)
        comes = _Change(new, source.live[old], source=(source, old))
        self._change(source, _Change(old, None, target=comes))
        self._change(target, comes)

    def _link(self, call: Call) -> None:
        node = self._node(call.strings[0].decode())
        home, name = self._home(call.strings[1].decode())
        assert isinstance(node, File)
        self._change(home, _Change(name, node))

    def _remove(self, call: Call) -> None:
        home, name = self._home(call.strings[0].decode())
        self._change(home, _Change(name, None))

    def _make_directory(self, call: Call) -> None:
        path = call.strings[0].decode()
        if path != str(self.root):
            home, name = self._home(path)
            self._change(home, _Change(name, Directory()))

    def _change(self, home: Directory, change: _Change) -> None:
        if change.node is None:
            del home.live[change.name]
        else:
            home.live[change.name] = change.node
        home.changes.append(change)

    def _begin_sync(self, call: Call) -> None:
        node = self._node(call.fds[0][1])
        if isinstance(node, File):
            self._begun[call.number] = (node, bytes(node.live), node.dirty)
            node.dirty = set()
        elif node is not None:
            self._begun[call.number] = (node, list(node.changes))

    def _sync(self, call: Call) -> None:
        match self._begun.pop(call.number, None):
            case File() as file, bytes(), pages if call.result < 0:
                file.lost |= pages
            case File() as file, bytes() as data, pages:
                file.lost -= pages
                file.kept = _without(data, file)
            case Directory() as home, list() as changes if call.result == 0:
                for change in changes:
                    _keep(home, change)

    # Places

    def _paths(self, call: Call) -> list[str]:
        return [path for _, path in call.fds] + [text.decode("utf-8", "replace") for text in self._strings(call)]

    def _strings(self, call: Call) -> tuple[bytes, ...]:
        return () if call.name in {"write", "writev", "pwrite64", "sendto", "sendmsg"} else call.strings

    def _names(self, path: str) -> list[str] | None:
        """The steps from the root to the path; None if it is elsewhere."""
        if (path != str(self.root) and not path.startswith(f"{self.root}/")) or path.startswith(self._ignored):
            return None
        return [name for name in path.removeprefix(str(self.root)).split("/") if name]

    def _node(self, path: str) -> Node | None:
        names = self._names(path)
        node: Node | None = self._top if names is not None else None
        for name in names or ():
            node = node.live.get(name) if isinstance(node, Directory) else None
        return node

    def _file(self, fd: tuple[int, str]) -> File | None:
        node = self._node(fd[1])
        return node if isinstance(node, File) else None

    def _home(self, path: str) -> tuple[Directory, str]:
        """The directory that holds the path's entry, and the entry's name."""
        parent, _, name = path.rpartition("/")
        home = self._node(parent)
        return (home, name) if isinstance(home, Directory) else (Directory(), name)


def _put(file: File, position: int, data: bytes) -> None:
    file.live.extend(bytes(max(0, position - len(file.live))))
    file.live[position : position + len(data)] = data
    file.dirty.update(range(position // _PAGE, (position + len(data) - 1) // _PAGE + 1))


def _without(data: bytes, file: File) -> bytes:
    """The bytes, but for the file's lost pages, which are as they were kept before."""
    kept = bytearray(data)
    for page in file.lost:
        part = slice(page * _PAGE, min(len(data), (page + 1) * _PAGE))
        kept[part] = file.kept[part].ljust(len(kept[part]), b"\0")
    return bytes(kept)


def _keep(home: Directory, change: _Change) -> None:
    if change.kept or (change.target is not None and not change.target.kept):
        return
    change.kept = True
    home.changes.remove(change)
    if change.node is not None:
        home.kept[change.name] = change.node
    elif change.target is None or home.kept.get(change.name) is change.target.node:
        home.kept.pop(change.name, None)
    if change.source is not None:
        source, old = change.source
        if source.kept.get(old) is change.node:
            del source.kept[old]


def _files(top: Directory, *, kept: bool, path: str = "") -> Iterator[tuple[str, File]]:
    for name, node in (top.kept if kept else top.live).items():
        if isinstance(node, File):
            yield path + name, node
        else:
            yield from _files(node, kept=kept, path=f"{path}{name}/")


def _directories(top: Directory, path: str = "") -> Iterator[str]:
    for name, node in top.kept.items():
        if isinstance(node, Directory):
            yield path + name
            yield from _directories(node, f"{path}{name}/")
