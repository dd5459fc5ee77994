"""`up`: the endpoint on this machine, and the default stack on it."""

import argparse
import gc
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from clicklake import __version__, package, pipeline, provision
from clicklake.commands.collecting import PATH, Collecting
from clicklake.commands.options import Arguments, Command, add_data_dir, add_stack, port
from clicklake.errors import UsageError
from clicklake.target import Target, of_keys
from localaws import credentials, datadir, log_lines
from localaws.errors import StartError

REFUSALS = (StartError, package.PackageError, pipeline.PipelineError)


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=port, default=4566, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless told otherwise (default: %(default)s)")
    parser.add_argument("--bare", action="store_true", help="provision nothing: Terraform will")
    parser.add_argument("--buffer-interval", type=int, metavar="S", help="the stream's buffering interval, 0 to 900 s")
    told = "of the collector below /collect, JSON; default: the variable CLICKLAKE_COLLECTOR"
    parser.add_argument("--collector-config", metavar="FILE", help=told)
    of_roles = "let nobody but the owner do what their IAM policies don't allow, functions and streams included"
    parser.add_argument("--enforce-iam", action="store_true", help=of_roles)
    form, levels = log_lines.FORMATS, log_lines.LEVELS
    parser.add_argument("--log-format", choices=form, default="text", help="of stderr (default: %(default)s)")
    at = "info: a line for every request (default: %(default)s)"
    parser.add_argument("--log-level", choices=levels, default="warning", help=at)
    add_data_dir(parser)
    add_stack(parser)


def _up(arguments: Arguments) -> None:
    began = time.monotonic()
    place = Path(arguments.data_dir).absolute(), arguments.host, arguments.collector_config
    collecting = Collecting(*place, arguments.pipeline, arguments.environment)

    def ready(url: str) -> None:
        collecting.begin(lambda: _owner(arguments, url))
        said = "no stack yet: --bare" if arguments.bare else _provision(arguments, url)
        datadir.announce(Path(arguments.data_dir).absolute(), url)
        seconds = time.monotonic() - began
        print(f"clicklake is ready at {url} in {seconds:.1f} s ({said}); data in {arguments.data_dir}")
        print(f"clicklake collects at {url}{PATH}" if not collecting.refusal else collecting.refusal, flush=True)

    try:
        _serve(arguments, ready, collecting)
    finally:
        collecting.close()


def _serve(arguments: Arguments, on_ready: Callable[[str], None], collecting: Collecting) -> None:
    gc.disable()  # `serve` enables it when all that stays is there: to look through that again and again takes long
    try:
        # Here, because the extra that they need may be absent, and only `up` needs it.
        from localaws import runtime, serving
    except ModuleNotFoundError as e:
        raise UsageError(f"the endpoint needs {e.name}", "install it: pip install 'clicklake[local]'") from e
    log_lines.configure(arguments.log_format, arguments.log_level)
    named = (arguments.region, os.environ.get("AWS_REGION"), os.environ.get("AWS_DEFAULT_REGION"))
    region = next(filter(None, named), "us-east-1")
    data_dir = Path(arguments.data_dir).absolute()
    settings = runtime.Settings(
        data_dir,
        arguments.host,
        arguments.port,
        region,
        version=__version__,
        enforce_iam=arguments.enforce_iam,
        mounts={PATH: collecting},
    )
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
    provision.provision(_owner(arguments, url), pipe, archive, buffer, arguments.environment)
    return f"delivers after {buffer.mib} MiB or {buffer.seconds} s"


def _owner(arguments: Arguments, url: str) -> Target:
    owner = credentials.load_or_make(Path(arguments.data_dir) / "credentials")
    return of_keys(url, owner.access_key, owner.secret_key, arguments.region or "us-east-1")


COMMANDS: dict[str, Command] = {
    "up": Command(
        _up,
        "run the pipeline on this machine",
        (
            "clicklake up",
            "clicklake up --bare        # for terraform apply",
            "clicklake up --enforce-iam # are the roles enough?",
            "clicklake up --port 0 --data-dir /var/lib/clicklake",
        ),
        _add_up,
    ),
}
