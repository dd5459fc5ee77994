"""`package`, `schema`, `user-key` and `rebuild`: what is made of the pipeline file, and what it takes to change it."""

import argparse
import sys
import typing
from pathlib import Path

from clicklake import package, pipeline, query, rebuild, schema, user_key
from clicklake.commands.aiming import confirm, target
from clicklake.commands.options import Arguments, Command, add_target
from clicklake.pipeline import Format
from clicklake.terminal import Terminal

REFUSALS = (package.PackageError, pipeline.PipelineError)


def _add_package(parser: argparse.ArgumentParser) -> None:
    where = "what it will run on; default: Lambda on the architecture that the pipeline file names"
    parser.add_argument("--target", choices=package.TARGETS, help=where)
    functions = tuple(package.FUNCTIONS)
    parser.add_argument("--function", choices=functions, help="one alone; default: both, or with --out the processor")
    parser.add_argument("--out", metavar="FILE", type=Path, help="default: dist/FUNCTION-TARGET.zip")
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")


def _package(arguments: Arguments) -> None:
    target = arguments.target or package.target_of(pipeline.load(arguments.pipeline))
    if target in package.AWS:
        print(f"fetching the wheels for {target}", file=sys.stderr)
    chosen = arguments.function or ("processor" if arguments.out else None)
    for function in [chosen] if chosen else package.FUNCTIONS:
        out = arguments.out or Path(f"dist/{function}-{target}.zip")
        made = package.build(target, arguments.pipeline, out, package.FUNCTIONS[function])
        print(f"{made} ({query.size(made.stat().st_size)})")


def _add_schema(parser: argparse.ArgumentParser) -> None:
    forms = (*typing.get_args(schema.Form), "markdown")
    parser.add_argument("--format", choices=forms, default=forms[0], help="default: %(default)s")
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")
    parser.add_argument("--environment", help="default: dev")
    parser.add_argument("--bucket", metavar="NAME", help="where the tables of the DDL lie (default: the laptop's)")


def _schema(arguments: Arguments) -> None:
    pipe = pipeline.load(arguments.pipeline)
    if arguments.format == "markdown":
        from clicklake import contract  # here, because its examples go through the transform, which is an extra

        print("\n".join(contract.page(pipe)))
    else:
        print(schema.render(arguments.format, pipe, arguments.environment, arguments.bucket), end="")


def _add_user_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key-file", metavar="FILE", help="a file with the key; default: ask for the function's own")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, with user_id and user_key")
    add_target(parser)


def _user_key(arguments: Arguments) -> None:
    if arguments.key_file:
        key = user_key.key_of_file(arguments.key_file)
    else:
        names = pipeline.load(arguments.pipeline).names(arguments.environment)
        key = user_key.key_of_function(target(arguments), names.function)
    for line in user_key.render(user_key.user_keys(sys.stdin.buffer, key), arguments.json):
        print(line)


def _add_rebuild(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", required=True, choices=typing.get_args(Format), help="what processed/ shall be")
    parser.add_argument("--yes", action="store_true", help="don't ask before changing data on AWS")
    add_target(parser)


def _rebuild(arguments: Arguments) -> None:
    pipe = pipeline.load(arguments.pipeline)
    aws = target(arguments)
    lake = rebuild.open_lake(aws, pipe, pipe.names(arguments.environment), arguments.format)
    found = rebuild.plan(lake)
    confirm(aws, f"rebuild {len(found.stale)} objects as {arguments.format}", arguments)
    done = rebuild.rebuild(lake, Terminal(sys.stderr))
    print(f"{done.objects} objects were made again; everything is {done.format} now")


COMMANDS: dict[str, Command] = {
    "package": Command(
        _package,
        "build the functions' zips",
        ("clicklake package                   # for AWS", "clicklake package --target local    # for this machine"),
        _add_package,
    ),
    "schema": Command(
        _schema,
        "the event's contract as JSON Schema, DDL, dbt sources or Markdown",
        (
            "clicklake schema > event.schema.json",
            "clicklake schema --format ddl --bucket my-lake",
            "clicklake schema --format dbt > models/sources.yml",
            "clicklake schema --format markdown --pipeline ours.json",
        ),
        _add_schema,
    ),
    "user-key": Command(
        _user_key,
        "the user_key of ids, one a line",
        ("clicklake user-key < ids.txt", "echo ada | clicklake user-key --json"),
        _add_user_key,
    ),
    "rebuild": Command(
        _rebuild,
        "make processed/ again from raw/ in the other format",
        ("clicklake rebuild --format json",),
        _add_rebuild,
    ),
}
