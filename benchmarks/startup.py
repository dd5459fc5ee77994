"""`clicklake up` to the ready line: on an empty directory with the stack to make, on one that has it, and bare."""

import signal
import subprocess
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row, median_seconds, start

ROUNDS = 5


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        first = [_seconds(Path(folder) / f"first-{i}") for i in range(ROUNDS)]
        again = [_seconds(Path(folder) / "first-0") for _ in range(ROUNDS)]
        bare = [_seconds(Path(folder) / f"bare-{i}", "--bare") for i in range(ROUNDS)]
    return [
        Row("clicklake up to ready, stack there", f"{median_seconds(again):.2f} s", "", None, "1.5 s", "0.5 s"),
        Row("the same, first start: stack made", f"{median_seconds(first):.2f} s", "", None, "", ""),
        Row("the same, --bare", f"{median_seconds(bare):.2f} s", "", None, "", ""),
    ]


def _seconds(data_dir: Path, *options: str) -> float:
    began = time.perf_counter()
    process = start(data_dir, *options)
    seconds = time.perf_counter() - began
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert process.stdout is not None
    process.stdout.close()
    assert process.returncode in {0, -signal.SIGTERM}, subprocess.list2cmdline(process.args)  # type: ignore[arg-type]
    return seconds
