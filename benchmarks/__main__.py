"""`python -m benchmarks [NAME ...]`: run, print, and, when all ran, rewrite docs/benchmarks.md."""

import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.measure import Row
from clicklake import __version__

NAMES = ("transform", "ingest", "producer", "collector", "athena", "startup", "processor", "end_to_end")
PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main(names: list[str]) -> None:
    rows = []
    for name in names or NAMES:
        print(f"{name} ...", file=sys.stderr, flush=True)
        rows += importlib.import_module(f"benchmarks.{name}").run()
    page = f"{_head()}\n{table(rows)}"
    print(page)
    if not names:
        PAGE.write_text(page)


def table(rows: list[Row]) -> str:
    lines = ["| what | measured | against | ratio | floor | aim |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row.ratio is None else f"**{row.ratio:.2f}x**"
        lines.append(f"| {row.what} | {row.measured} | {row.baseline} | {ratio} | {row.floor} | {row.aim} |")
    return "\n".join(lines) + "\n"


def _head() -> str:
    return (
        "# Benchmarks\n\n"
        "Made by `make bench`; the budgets are DESIGN.md's section 5. Trust the ratios, which come from one run, more\n"
        "than the numbers, which are this machine's. Where a floor is not reached yet, the ratio says so.\n\n"
        f"Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; clicklake {__version__}, {datetime.now(UTC):%Y-%m-%d}.\n"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


main(sys.argv[1:])
