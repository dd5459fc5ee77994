"""What a program asks of the kernel, as strace tells it: the calls that change files and directories, those that make
such changes durable, and those that send.

`command` is what goes before the program's own words, `read` gives the calls of the trace that it left, in the order in
which they happened.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

_CALLS = (
    *("openat", "write", "writev", "pwrite64", "ftruncate", "copy_file_range", "sendto", "sendmsg"),
    *("rename", "link", "unlink", "rmdir", "mkdir", "fsync", "fdatasync"),
)
# Other ways to change a file or a directory: a trace that has one of these is not understood.
UNKNOWN = (
    *("creat", "truncate", "fallocate", "sendfile", "pwritev", "pwritev2", "splice"),
    *("renameat", "renameat2", "unlinkat", "mkdirat", "linkat", "symlink", "symlinkat"),
)


def command(trace: Path, failing: str = "") -> tuple[str, ...]:
    """What goes before a program's own words. Strings come whole and in hexadecimal, descriptors with their paths.
    `failing` says when an fsync fails with EIO, counted in each thread (strace(1), "inject": first+step)."""
    calls = "trace=" + ",".join(_CALLS + UNKNOWN)
    tampering = ("-e", f"inject=fsync,fdatasync:error=EIO:when={failing}") if failing else ()
    return (
        "strace",
        *tampering,
        "-f",
        "--seccomp-bpf",
        "-qqq",
        "-yy",
        "-xx",
        "-s",
        "100000000",
        "-o",
        str(trace),
        "-e",
        calls,
    )


def can_trace() -> bool:
    """Is there a strace that may trace (in some containers it may not) and that knows these calls (x86-64 has them)?"""
    if shutil.which("strace") is None:
        return False
    return subprocess.run([*command(Path(os.devnull)), "true"], capture_output=True).returncode == 0


@dataclass(frozen=True, slots=True)
class Call:
    """`ended` is False when it begins and True when it is over; `number` is the same for both, and `result` is -1 for
    one that has failed. `fds` are
    (descriptor, path or "" if that is deleted), `strings` what stands in quotes, `rest` what follows the last of them."""

    ended: bool
    number: int
    name: str
    fds: tuple[tuple[int, str], ...]
    strings: tuple[bytes, ...]
    rest: str
    result: int


_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>(.*)|(\w+)\((.*))$")
_FD = re.compile(r"(\d+|AT_FDCWD)<([^<>]*)(?:<[^<>]*>)?>(\(deleted\))?")
_STRING = re.compile(r'"([^"]*)"')
_RESULT = re.compile(r" = (-?\d+)(?:<.*| E.*)?$")
_LONGEST_RESULT = 20_000  # a descriptor and its path, in hexadecimal
_UNFINISHED = " <unfinished ...>"


def read(lines: Iterable[str]) -> Iterator[Call]:
    """The trace's calls, each when it begins and when it has ended."""
    unfinished: dict[str, Call] = {}
    for number, line in enumerate(lines):
        if (found := _LINE.match(line)) is None:
            continue  # a process has ended
        thread, resumed, tail, name, text = found.groups()
        if resumed:
            call, text = unfinished.pop(thread), tail
        else:
            call = _begun(number, name, text)
            yield call
            if text.endswith(_UNFINISHED):
                unfinished[thread] = call
                continue
        if result := _RESULT.search(text[-_LONGEST_RESULT:]):
            yield replace(call, ended=True, result=int(result[1]))


def _begun(number: int, name: str, text: str) -> Call:
    strings = tuple(_unquoted(found) for found in _STRING.findall(text))
    plain = _STRING.sub('""', text).removesuffix(_UNFINISHED).partition(") ")[0]
    fds = [(fd, "" if deleted else _unquoted(path).decode()) for fd, path, deleted in _FD.findall(plain)]
    opened = tuple((int(fd), path) for fd, path in fds if fd != "AT_FDCWD")
    return Call(False, number, name, opened, strings, plain.rpartition('""')[2], 0)


def _unquoted(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", "")) if text.startswith("\\x") else text.encode()
