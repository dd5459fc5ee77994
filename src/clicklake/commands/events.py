"""`demo` and `send`: events in."""

import argparse
import json
import sys

from clicklake import demo, pipeline
from clicklake.commands.aiming import confirm, target
from clicklake.commands.options import Arguments, Command, add_target, positive
from clicklake.send_file import send_file
from clicklake.terminal import Terminal

REFUSALS = (pipeline.PipelineError,)


def _add_demo(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep", action="store_true", help="leave the endpoint running, and say what to type next")
    parser.add_argument("--events", type=positive, default=demo.EVENTS, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=demo.SEED, metavar="N", help="other traffic (default: %(default)s)")


def _demo(arguments: Arguments) -> None:
    demo.run(Terminal(sys.stdout), arguments.events, arguments.seed, keep=arguments.keep)


def _add_send(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE|-", help="NDJSON, a JSON array or objects; gzip too; - is standard input")
    parser.add_argument("--wait", action="store_true", help="return when the events can be queried")
    parser.add_argument("--resume", action="store_true", help="go on where an interrupted send of the file stopped")
    parser.add_argument("--stream", metavar="NAME", help="default: the pipeline's delivery stream")
    parser.add_argument("--json", action="store_true", help="print what was done as one JSON object")
    parser.add_argument("--yes", action="store_true", help="don't ask before sending to AWS")
    add_target(parser)


def _send(arguments: Arguments) -> None:
    pipe = pipeline.load(arguments.pipeline)
    aws = target(arguments)
    confirm(aws, f"send {arguments.file}", arguments)
    names = pipe.names(arguments.environment)
    screen = Terminal(sys.stderr)
    sent = send_file(
        aws, pipe, names, arguments.file, screen, arguments.stream, wait=arguments.wait, resume=arguments.resume
    )
    if arguments.json:
        print(json.dumps(sent.document()))
    elif sent.arrived is not None:
        print(f'try: clicklake query "{sent.next_query}"')


COMMANDS: dict[str, Command] = {
    "demo": Command(
        _demo, "the main job, with a crash in the middle", ("clicklake demo", "clicklake demo --keep"), _add_demo
    ),
    "send": Command(
        _send,
        "send the events of a file",
        (
            "clicklake send events.ndjson --wait",
            "clicklake send events.ndjson.gz --resume",
            "journalctl -o cat -u shop | clicklake send -",
        ),
        _add_send,
    ),
}
