"""Which AWS a command speaks to, and whether it may change something there. It brings boto3 along."""

import sys

from clicklake.commands.options import Arguments
from clicklake.errors import NoError, UsageError
from clicklake.lake import Days
from clicklake.target import Target, choose


def confirm(target: Target, what: str, arguments: Arguments) -> None:
    """Ask before data is changed anywhere but on this machine."""
    if target.is_laptop or arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"to {what} changes data there, and nobody can be asked", "add --yes")
    print(f"{what} there? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise NoError("nothing was done")


def target(arguments: Arguments) -> Target:
    """The target, named on stderr."""
    target = choose(arguments.endpoint_url, arguments.region, arguments.profile)
    print(target.describe(), file=sys.stderr)
    return target


def days(arguments: Arguments) -> Days:
    """What `add_days` of options.py asked for."""
    if arguments.first and arguments.last and arguments.first > arguments.last:
        raise UsageError(f"--from {arguments.first} is after --to {arguments.last}", "both days are included")
    return Days(arguments.first, arguments.last)
