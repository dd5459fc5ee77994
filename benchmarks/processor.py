"""The function's process as Lambda starts it: import to the first byte out, and peak memory on large objects.

Local numbers, not Lambda's cold start: the zip is unpacked, the disk is warm.
"""

import gzip
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from benchmarks.measure import Row, median_seconds
from clicklake import package

ROUNDS = 5
_MIB = 2**20
# The child: process one object with nothing but the zip and the standard library on its path; say its peak memory.
_CHILD = """
import resource, sys
sys.path[:0] = [sys.argv[1]]
from pathlib import Path
from clicklake import pipeline
from clicklake.processor import spool
from clicklake.transform.process import Settings, process
key = "raw/year=2026/month=11/day=22/s-1-2026-11-22-10-00-00-0.gz"
with Path(sys.argv[2]).open("rb") as raw:
    batch = process(raw, key, 0, Settings(pipeline.load()), spool=spool)
if sys.platform == "darwin":
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
else:  # there ru_maxrss would begin with the peak of whoever started this process
    print(next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def run() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "task"
        with zipfile.ZipFile(package.build(target="local", out=Path(folder) / "processor.zip")) as archive:
            archive.extractall(root)
        one = _object(Path(folder) / "one.gz", 1)
        _child(root, one)  # compiles the bytecode, as an unpacked function has it
        seconds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            _child(root, one)
            seconds.append(time.perf_counter() - began)
        peaks = [_child(root, _object(Path(folder) / f"{mib}.gz", mib * _MIB)) for mib in (64, 256)]
    return [
        Row("processor import to first byte", f"{median_seconds(seconds) * 1000:.0f} ms", "", None, "500 ms", "300 ms"),
        Row("processor peak memory, 64 MiB object", f"{peaks[0] / _MIB:.0f} MiB", "", None, "600 MB", "300 MB"),
        Row(
            "the same, 256 MiB", f"{peaks[1] / _MIB:.0f} MiB", "the 64 MiB object", peaks[1] / peaks[0], "1.3x", "1.3x"
        ),
    ]


def _object(file: Path, size: int) -> Path:
    """A gzip object of at least `size` bytes of distinct events, decompressed."""
    lines: list[bytes] = []
    total = 0
    while total < size or not lines:
        number = len(lines)
        line = (
            f'{{"event_id":"{number}","event_type":"page_view","event_time":"2026-11-22T09:59:00Z",'
            f'"anonymous_id":"v{number % 5000}","page_url":"https://shop.example/p/{number % 9000}?utm_source=news",'
            f'"ip":"203.0.113.{number % 250}","properties":{{"text":"{"x" * 380}"}}}}\n'
        ).encode()
        lines.append(line)
        total += len(line)
    file.write_bytes(gzip.compress(b"".join(lines), 1))
    return file


def _child(root: Path, file: Path) -> int:
    command = [sys.executable, "-I", "-S", "-c", _CHILD, str(root), str(file)]
    return int(subprocess.run(command, check=True, capture_output=True).stdout)
