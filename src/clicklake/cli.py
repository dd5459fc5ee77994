"""The command line: what is typed -> one call. The commands themselves are in commands/."""

import argparse
import gc
import importlib
import os
import sys
from types import ModuleType

from clicklake import __version__
from clicklake.commands.options import Command
from clicklake.errors import ClicklakeError, UsageError

# Which module of commands/ has a command. Only that one is imported, for some bring along what takes half a second.
_MODULES = {
    "up": "up",
    "down": "endpoint",
    "env": "endpoint",
    "demo": "events",
    "send": "events",
    "query": "query",
    "generate": "generate",
    "package": "contract",
    "schema": "contract",
    "user-key": "contract",
    "rebuild": "contract",
    "process": "processing",
    "diff": "processing",
    "explain": "processing",
    "verify": "proof",
    "replay": "proof",
    "cost": "cost",
    "status": "watching",
    "tail": "watching",
    "collector": "collector",
}


def every_command() -> dict[str, Command]:
    found: dict[str, Command] = {}
    for module in dict.fromkeys(_MODULES.values()):
        found |= _imported(module).COMMANDS
    return found


def _imported(module: str) -> ModuleType:
    return importlib.import_module(f"clicklake.commands.{module}")


def _parser(commands: dict[str, Command]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clicklake",
        description="A serverless clickstream pipeline, on AWS and on one laptop.",
        epilog='first steps:\n  clicklake demo\n  clicklake up\n  eval "$(clicklake env)"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"clicklake {__version__}")
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, command in commands.items():
        examples = "examples:\n  " + "\n  ".join(command.examples)
        sub = subparsers.add_parser(
            name,
            help=command.help,
            description=examples,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add(sub)
    return parser


def main(argv: list[str] | None = None) -> int:
    typed = sys.argv[1:] if argv is None else argv
    if not typed or typed[0] not in _MODULES:
        _parser(every_command()).parse_args(typed)  # prints help, the version or what is wrong, and exits
    module = _imported(_MODULES[typed[0]])
    arguments = _parser(module.COMMANDS).parse_args(typed)
    gc.freeze()
    gc.enable()
    try:
        return int(module.COMMANDS[arguments.command].run(arguments) or 0)
    except ClicklakeError as error:
        print(f"clicklake {arguments.command}: {error}", file=sys.stderr)
        return error.exit_code
    except module.REFUSALS as error:
        print(f"clicklake {arguments.command}: {error}", file=sys.stderr)
        return UsageError.exit_code
    except BrokenPipeError:  # `clicklake query ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
