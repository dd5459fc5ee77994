"""`package`, `schema`, `user-key` and `rebuild`: what is made of the pipeline file, and what it takes to change it."""

import argparse
from pathlib import Path

from clicklake import package, query
from clicklake.commands.options import Arguments, Command


def _add_package(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", default="local", help="what it will run on (default: %(default)s)")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("dist/processor.zip"), help="default: %(default)s"
    )
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")


def _package(arguments: Arguments) -> None:
    made = package.build(arguments.target, arguments.pipeline, arguments.out)
    print(f"{made} ({query.size(made.stat().st_size)})")


CONTRACT: dict[str, Command] = {
    "package": Command(_package, "build the function's zip", ("clicklake package --target local",), _add_package),
}
