"""`demo`, `send` and `query`: events in, rows out."""

import argparse
import json
import sys
from collections.abc import Iterable

from clicklake import demo, pipeline, query
from clicklake.commands.aiming import confirm, target
from clicklake.commands.options import Arguments, Command, add_target, positive
from clicklake.saved_queries import SavedQuery, saved_queries, saved_query
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


def _add_query(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("sql", metavar="SQL|-", nargs="?", help="one statement; - reads it from standard input")
    what.add_argument("--name", help="one of the saved queries instead of SQL")
    what.add_argument("--list", action="store_true", help="what the saved queries are called, and what each asks")
    parser.add_argument("--json", action="store_true", help="one JSON document; default: a table, or CSV on a pipe")
    parser.add_argument("--workgroup", metavar="NAME", help="default: the pipeline's")
    parser.add_argument("--database", metavar="NAME", help="default: the pipeline's")
    add_target(parser)


def _query(arguments: Arguments) -> None:
    pipe = pipeline.load(arguments.pipeline)
    if arguments.list:
        _list(saved_queries(pipe, arguments.environment), as_json=arguments.json)
        return
    names = pipe.names(arguments.environment)
    saved = saved_query(arguments.name, pipe, arguments.environment) if arguments.name else None
    aws = target(arguments)
    sql = saved.sql if saved else sys.stdin.read() if arguments.sql == "-" else arguments.sql
    result = query.run(aws, sql, arguments.workgroup or names.workgroup, arguments.database or names.database)
    screen = Terminal(sys.stdout)
    form: query.Form = "json" if arguments.json else "table" if screen.is_live else "csv"
    for line in query.render(result, form, screen.width):
        print(line)
    print(query.summary(result), file=sys.stderr)


def _list(queries: Iterable[SavedQuery], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([{"name": saved.name, "question": saved.question} for saved in queries]))
        return
    for saved in queries:
        print(f"{saved.name:<20} {saved.question}")


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
    "query": Command(
        _query,
        "run Athena SQL",
        (
            'clicklake query "SELECT event_type, COUNT(*) FROM clickstream_events GROUP BY event_type"',
            "clicklake query --name daily_visitors",
            "clicklake query --list",
        ),
        _add_query,
    ),
}
