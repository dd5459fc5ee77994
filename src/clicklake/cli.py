"""The command line: what is typed -> one call. The only importer of both packages.

A command is one row of COMMANDS. What it does lives in the module of its name; here are only options and output.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from clicklake import __version__, demo, package, pipeline, provision, query, shell
from clicklake.errors import ClicklakeError, NoError, UnreachableError, UsageError
from clicklake.send_file import send_file
from clicklake.target import Target, choose, of_keys
from clicklake.terminal import Terminal
from localaws import credentials, datadir
from localaws.errors import StartError

DATA_DIR = ".clicklake"
_STOP_SECONDS = 30.0
_START_SECONDS = 30.0
_ENV_PATIENCE = 3.0

Arguments = argparse.Namespace


@dataclass(frozen=True, slots=True)
class Command:
    """`add` declares the options, `run` does it and returns the exit code (None is 0)."""

    run: Callable[[Arguments], int | None]
    help: str
    examples: tuple[str, ...]
    add: Callable[[argparse.ArgumentParser], None]


# --- the laptop's endpoint -------------------------------------------------------------------------------------------


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, default=4566, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--host", default="127.0.0.1", help="loopback unless told otherwise (default: %(default)s)")
    parser.add_argument("--bare", action="store_true", help="provision nothing: Terraform will")
    parser.add_argument("--buffer-interval", type=int, metavar="S", help="the stream's buffering interval, 0 to 900 s")
    _add_data_dir(parser)
    _add_stack(parser)


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
        from localaws import runtime  # here, because the extra that it needs may be absent, and only `up` needs it
    except ModuleNotFoundError as e:
        raise UsageError(f"the endpoint needs {e.name}", "install it: pip install 'clicklake[local]'") from e
    region = arguments.region or os.environ.get("AWS_REGION") or "us-east-1"
    settings = runtime.Settings(Path(arguments.data_dir).absolute(), arguments.host, arguments.port, region)
    runtime.serve(settings, on_ready)


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
    _add_data_dir(parser, found=True)


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
    _add_data_dir(parser, found=True)
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


# --- the main job and its parts --------------------------------------------------------------------------------------


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="leave the endpoint running, and say what to type next")
    parser.add_argument("--events", type=_positive, default=demo.EVENTS, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=demo.SEED, metavar="N", help="other traffic (default: %(default)s)")


def _demo(arguments: Arguments) -> None:
    demo.run(Terminal(sys.stdout), arguments.events, arguments.seed, keep=arguments.keep)


def _add_send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE|-", help="NDJSON, a JSON array or objects; gzip too; - is standard input")
    parser.add_argument("--wait", action="store_true", help="return when the events can be queried")
    parser.add_argument("--stream", metavar="NAME", help="default: the pipeline's delivery stream")
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    parser.add_argument("--yes", action="store_true", help="don't ask before sending to AWS")
    _add_target(parser)


def _send(arguments: Arguments) -> None:
    pipe = pipeline.load(arguments.pipeline)
    target = _target(arguments)
    _confirm(target, f"send {arguments.file}", arguments)
    names = pipe.names(arguments.environment)
    screen = Terminal(sys.stderr)
    sent = send_file(target, pipe, names, arguments.file, screen, arguments.stream, wait=arguments.wait)
    if arguments.json:
        print(json.dumps(sent.document()))
    elif sent.arrived is not None:
        print(f'try: clicklake query "{sent.next_query}"')


def _add_query(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sql", metavar="SQL|-", help="one statement; - reads it from standard input")
    parser.add_argument("--json", action="store_true", help="one JSON document; default: a table, or CSV on a pipe")
    parser.add_argument("--workgroup", metavar="NAME", help="default: the pipeline's")
    parser.add_argument("--database", metavar="NAME", help="default: the pipeline's")
    _add_target(parser)


def _query(arguments: Arguments) -> None:
    names = pipeline.load(arguments.pipeline).names(arguments.environment)
    target = _target(arguments)
    sql = sys.stdin.read() if arguments.sql == "-" else arguments.sql
    result = query.run(target, sql, arguments.workgroup or names.workgroup, arguments.database or names.database)
    screen = Terminal(sys.stdout)
    form: query.Form = "json" if arguments.json else "table" if screen.is_live else "csv"
    for line in query.render(result, form, screen.width):
        print(line)
    print(query.summary(result), file=sys.stderr)


def _add_package(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", default="local", help="what it will run on (default: %(default)s)")
    parser.add_argument(
        "--out", metavar="FILE", type=Path, default=Path("dist/processor.zip"), help="default: %(default)s"
    )
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")


def _package(arguments: Arguments) -> None:
    made = package.build(arguments.target, arguments.pipeline, arguments.out)
    print(f"{made} ({query.size(made.stat().st_size)})")


# --- options that many commands share --------------------------------------------------------------------------------


def _add_data_dir(parser: argparse.ArgumentParser, *, found: bool = False) -> None:
    text = "default: the nearest .clicklake here or above" if found else "default: .clicklake"
    parser.add_argument("--data-dir", metavar="DIR", default=None if found else DATA_DIR, help=text)


def _add_stack(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--environment", help="default: dev")
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")
    parser.add_argument("--region", help="as in the aws CLI")


def _add_target(parser: argparse.ArgumentParser) -> None:
    _add_stack(parser)
    parser.add_argument("--endpoint-url", metavar="URL", help="as in the aws CLI; default: AWS_ENDPOINT_URL, else AWS")
    parser.add_argument("--profile", help="as in the aws CLI")


def _positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(text)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 1 to 65535, or 0")
    return int(text)


def _confirm(target: Target, what: str, arguments: Arguments) -> None:
    """Ask before data is changed anywhere but on this machine."""
    if target.is_laptop or arguments.yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"to {what} changes data there, and nobody can be asked", "add --yes")
    print(f"{what} there? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise NoError("nothing was done")


def _target(arguments: Arguments) -> Target:
    """The target, named on stderr."""
    target = choose(arguments.endpoint_url, arguments.region, arguments.profile)
    print(target.describe(), file=sys.stderr)
    return target


# --- the table -------------------------------------------------------------------------------------------------------

COMMANDS: dict[str, Command] = {
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
    "demo": Command(
        _demo, "the main job, with a crash in the middle", ("clicklake demo", "clicklake demo --keep"), _add_demo
    ),
    "send": Command(
        _send,
        "send the events of a file",
        ("clicklake send events.ndjson --wait", "zcat events.gz | clicklake send -"),
        _add_send,
    ),
    "query": Command(
        _query,
        "run Athena SQL",
        ('clicklake query "SELECT event_type, COUNT(*) FROM clickstream_events GROUP BY event_type"',),
        _add_query,
    ),
    "package": Command(_package, "build the function's zip", ("clicklake package --target local",), _add_package),
}


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
