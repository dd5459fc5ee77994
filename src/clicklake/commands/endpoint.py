"""`up`, `down` and `env`: the endpoint on this machine. The only module of the product that imports localaws."""

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from clicklake import __version__, package, pipeline, provision, shell
from clicklake.commands.options import DATA_DIR, Arguments, Command, add_data_dir, add_stack, port
from clicklake.errors import NoError, UnreachableError, UsageError
from clicklake.target import Target, of_keys
from localaws import credentials, datadir, log_lines
from localaws.errors import StartError

_STOP_SECONDS = 30.0
_START_SECONDS = 30.0
_ENV_PATIENCE = 3.0


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=port, default=4566, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless told otherwise (default: %(default)s)")
    parser.add_argument("--bare", action="store_true", help="provision nothing: Terraform will")
    parser.add_argument("--buffer-interval", type=int, metavar="S", help="the stream's buffering interval, 0 to 900 s")
    form, levels = log_lines.FORMATS, log_lines.LEVELS
    parser.add_argument("--log-format", choices=form, default="text", help="of stderr (default: %(default)s)")
    at = "info: a line for every request (default: %(default)s)"
    parser.add_argument("--log-level", choices=levels, default="warning", help=at)
    add_data_dir(parser)
    add_stack(parser)


def _up(arguments: Arguments) -> None:
    began = time.monotonic()

    def ready(url: str) -> None:
        said = "no stack yet: --bare" if arguments.bare else _provision(arguments, url)
        datadir.announce(Path(arguments.data_dir).absolute(), url)
        seconds = time.monotonic() - began
        print(f"clicklake is ready at {url} in {seconds:.1f} s ({said}); data in {arguments.data_dir}", flush=True)

    _serve(arguments, ready)


def _serve(arguments: Arguments, on_ready: Callable[[str], None]) -> None:
    try:
        # Here, because the extra that they need may be absent, and only `up` needs it.
        from localaws import runtime, serving
    except ModuleNotFoundError as e:
        raise UsageError(f"the endpoint needs {e.name}", "install it: pip install 'clicklake[local]'") from e
    log_lines.configure(arguments.log_format, arguments.log_level)
    region = arguments.region or os.environ.get("AWS_REGION") or "us-east-1"
    data_dir = Path(arguments.data_dir).absolute()
    settings = runtime.Settings(data_dir, arguments.host, arguments.port, region, version=__version__)
    try:
        serving.serve(settings, on_ready)
    except Exception as e:  # a full disk has many names
        if not datadir.is_full(data_dir):
            raise
        raise StartError(f"the disk of {data_dir} is full", "make room, or choose another: --data-dir") from e


def _provision(arguments: Arguments, url: str) -> str:
    """Make the default stack; says what the stream's buffering is."""
    pipe = pipeline.load(arguments.pipeline)
    buffer = pipe.buffering.laptop
    if arguments.buffer_interval is not None:
        buffer = replace(buffer, seconds=arguments.buffer_interval)
    data_dir = Path(arguments.data_dir)
    archive = package.refresh(data_dir / "processor.zip", arguments.pipeline)
    target = _laptop_target(data_dir, url, arguments.region)
    provision.provision(target, pipe, archive, buffer, arguments.environment)
    return f"delivers after {buffer.mib} MiB or {buffer.seconds} s"


def _laptop_target(data_dir: Path, url: str, region: str | None) -> Target:
    keys = _keys(data_dir)
    return of_keys(url, *keys, region or "us-east-1")


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


ENDPOINT: dict[str, Command] = {
    "up": Command(
        _up,
        "run the pipeline on this machine",
        (
            "clicklake up",
            "clicklake up --bare        # for terraform apply",
            "clicklake up --port 0 --data-dir /var/lib/clicklake",
        ),
        _add_up,
    ),
    "down": Command(_down, "stop it", ("clicklake down",), _add_down),
    "env": Command(
        _env,
        "print the lines that make every AWS tool use it",
        ('eval "$(clicklake env)"', 'eval "$(clicklake env --unset)"'),
        _add_env,
    ),
}
