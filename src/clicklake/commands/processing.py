"""`process`: the transform on files of this machine.

What it does is in run_process.py, which is imported only when it is typed: it needs what a light installation does not
have.
"""

import argparse
import importlib
from collections.abc import Callable
from pathlib import Path

from clicklake import pipeline
from clicklake.commands.options import Arguments, Command, positive
from clicklake.errors import UsageError

REFUSALS = (pipeline.PipelineError,)
NAMED = 10  # events of a kind, as text


def _of(module: str) -> Callable[[Arguments], int]:
    def run(arguments: Arguments) -> int:
        try:
            found = importlib.import_module(f"clicklake.commands.{module}")
        except ModuleNotFoundError as e:
            raise UsageError(f"it needs {e.name}", "install it: pip install 'clicklake[transform]'") from e
        return int(found.run(arguments))

    return run


def _add_process(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|DIR", type=Path, help="raw objects: gzipped or not, a file or many")
    out = "write processed, failed and ledger objects below it, as the lake would have them; default: write nothing"
    parser.add_argument("--out", metavar="DIR", type=Path, help=out)
    other = "compare with the events of another processor: Parquet or JSON, gzipped or not"
    parser.add_argument("--against", metavar="DIR", type=Path, help=other)
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")
    parser.add_argument("--format", choices=("parquet", "json"), help="of processed objects; default: the pipeline's")
    key = "the key of user_key, as the function has it; without it user_key is NULL"
    parser.add_argument("--key-file", metavar="FILE", help=key)
    named = f"name at most N events of a kind; default: {NAMED}, and all with --json"
    parser.add_argument("--limit", type=positive, metavar="N", help=named)
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")


COMMANDS: dict[str, Command] = {
    "process": Command(
        _of("run_process"),
        "run the transform on raw files, without AWS and without an endpoint",
        (
            "clicklake process events.ndjson",
            "clicklake process raw/ --out lake/",
            "clicklake process raw/ --against processed/ --json",
        ),
        _add_process,
    ),
}
