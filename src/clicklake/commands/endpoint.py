"""`down` and `env`: the endpoint that runs on this machine."""

import argparse
import os
import signal
import sys
import time
from pathlib import Path

from clicklake import shell
from clicklake.commands.options import DATA_DIR, Arguments, Command, add_data_dir
from clicklake.errors import NoError, UnreachableError
from localaws import credentials, datadir
from localaws.errors import StartError

REFUSALS = (StartError,)
_STOP_SECONDS = 30.0
_START_SECONDS = 30.0
_ENV_PATIENCE = 6.0


def _keys(data_dir: Path) -> tuple[str, str]:
    owner = credentials.load_or_make(data_dir / "credentials")
    return owner.access_key, owner.secret_key


def _add_down(parser: argparse.ArgumentParser) -> None:
    add_data_dir(parser, found=True)


def _down(arguments: Arguments) -> None:
    data_dir, endpoint = _running(arguments.data_dir)
    os.kill(endpoint.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while datadir.is_held(data_dir):
        if time.monotonic() > deadline:
            raise NoError(f"process {endpoint.pid} did not stop in {_STOP_SECONDS:.0f} s", f"kill -9 {endpoint.pid}")
        time.sleep(0.02)
    print(f"stopped {endpoint.url}", file=sys.stderr)


def _running(given: str | None, patience: float = 0.0) -> tuple[Path, datadir.Endpoint]:
    """The data directory that is meant and the endpoint that runs on it. Waits for one that is starting, and so many
    seconds for one to begin."""
    began = time.monotonic()
    while True:
        data_dir = Path(given) if given else _find_data_dir(Path.cwd())
        starting = data_dir is not None and datadir.is_held(data_dir)
        endpoint = datadir.find(data_dir) if data_dir is not None and starting else None
        if data_dir is not None and endpoint is not None:
            return data_dir, endpoint
        if time.monotonic() - began > (_START_SECONDS if starting else patience):
            where = f"on {data_dir}" if data_dir else "in this directory or above it"
            raise UnreachableError(f"no endpoint is running {where}", "start one: clicklake up")
        time.sleep(0.05)


def _find_data_dir(start: Path) -> Path | None:
    """The nearest data directory at `start` or above, as git finds its own."""
    found = (folder / DATA_DIR for folder in (start, *start.parents) if (folder / DATA_DIR / "format").exists())
    return next(found, None)


def _add_env(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--unset", action="store_true", help="bring back what was there before")
    add_data_dir(parser, found=True)
    parser.add_argument("--region", help="default: us-east-1")


def _env(arguments: Arguments) -> None:
    if arguments.unset:
        lines = shell.undo(os.environ)
    else:
        try:  # `clicklake up &` may have been typed just before
            data_dir, endpoint = _running(arguments.data_dir, _ENV_PATIENCE)
        except UnreachableError:
            print("false")  # so that `eval "$(clicklake env)"` fails too, and nobody goes on against AWS unawares
            raise
        variables = shell.laptop(endpoint.url, *_keys(data_dir), arguments.region or "us-east-1")
        lines = shell.exports(variables, os.environ)
    print("\n".join(lines))


COMMANDS: dict[str, Command] = {
    "down": Command(_down, "stop it", ("clicklake down",), _add_down),
    "env": Command(
        _env,
        "print the lines that make every AWS tool use it",
        ('eval "$(clicklake env)"', 'eval "$(clicklake env --unset)"'),
        _add_env,
    ),
}
