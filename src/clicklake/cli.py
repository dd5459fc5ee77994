"""The command line: what is typed -> one call. The commands themselves are in commands/."""

import argparse
import os
import sys

from clicklake import __version__, package, pipeline
from clicklake.commands.contract import CONTRACT
from clicklake.commands.endpoint import ENDPOINT
from clicklake.commands.events import EVENTS
from clicklake.commands.options import Command
from clicklake.errors import ClicklakeError, UsageError
from localaws.errors import StartError

COMMANDS: dict[str, Command] = {**ENDPOINT, **EVENTS, **CONTRACT}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clicklake",
        description="A serverless clickstream pipeline, on AWS and on one laptop.",
        epilog='first steps:\n  clicklake demo\n  clicklake up\n  eval "$(clicklake env)"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"clicklake {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        examples = "examples:\n  " + "\n  ".join(command.examples)
        sub = commands.add_parser(
            name,
            help=command.help,
            description=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add(sub)
    return parser


def main(argv: list[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return COMMANDS[arguments.command].run(arguments) or 0
    except ClicklakeError as error:
        print(f"clicklake {arguments.command}: {error}", file=sys.stderr)
        return error.exit_code
    except (StartError, package.PackageError, pipeline.PipelineError) as error:
        print(f"clicklake {arguments.command}: {error}", file=sys.stderr)
        return UsageError.exit_code
    except BrokenPipeError:  # `clicklake query ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
