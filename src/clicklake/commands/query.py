"""`query`: Athena's SQL, and its answers as tables, files and charts."""

import argparse
import json
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, get_args

from clicklake import chart, parquet_result, pipeline, price_list, query, scan_limit
from clicklake.commands.aiming import target
from clicklake.commands.options import Arguments, Command, add_target
from clicklake.errors import ClicklakeError, NoError, UsageError
from clicklake.pipeline import Pipeline
from clicklake.query import Result, dollars, size
from clicklake.saved_queries import saved_queries, saved_query
from clicklake.sql_file import Statement, statements
from clicklake.target import Target
from clicklake.terminal import Terminal

REFUSALS = (pipeline.PipelineError,)
_FORMS = (*get_args(query.Form), "parquet")
_MOST = 10e9  # bytes of a query on AWS before it is asked: five cents
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)


def _add_query(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group()
    what.add_argument("sql", metavar="SQL|-", nargs="?", help="one statement; - reads it from standard input")
    what.add_argument("--name", help="one of the saved queries instead of SQL")
    what.add_argument("--file", metavar="FILE|-", help="statements, each ending in ; - one after the other")
    what.add_argument("--list", action="store_true", help="what the saved queries are called, and what each asks")
    form = parser.add_mutually_exclusive_group()
    default = "default: by the name of --out; else a table, or CSV on a pipe"
    form.add_argument("--output", choices=_FORMS, help=default)
    form.add_argument("--json", dest="output", action="store_const", const="json", help="the same as --output json")
    drawn = "draw two columns: bars by name, a line in time; default: what fits"
    form.add_argument("--chart", nargs="?", const="auto", metavar="bar|line", help=drawn)
    parser.add_argument("--out", metavar="FILE", type=Path, help="write there; what was there is replaced at the end")
    limit = "ask before a query may read more, and stop it if it does: 500MB, 1TB, none; default: 10GB on AWS"
    parser.add_argument("--max-scan", metavar="SIZE", type=_size, help=limit)
    parser.add_argument("--yes", action="store_true", help="don't ask, whatever it reads")
    parser.add_argument("--workgroup", metavar="NAME", help="default: the pipeline's")
    parser.add_argument("--database", metavar="NAME", help="default: the pipeline's")
    add_target(parser)


def _size(text: str) -> float:
    if text == "none":
        return math.inf
    found = _SIZE.fullmatch(text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is no size such as 500MB or 10GB, nor none")
    thousands = "KMGT".index(found[2].upper()) + 1 if found[2] else 0
    return float(found[1]) * float(1024 if found[3] else 1000) ** thousands


@dataclass(frozen=True, slots=True)
class _Place:
    """Where statements run, and how much one may read; None is no limit."""

    aws: Target
    workgroup: str
    database: str
    limit: int | None


def _query(arguments: Arguments) -> None:
    _take_sql_behind_chart(arguments)
    pipe = pipeline.load(arguments.pipeline)
    if arguments.list:
        _list(pipe, arguments)
        return
    wanted, form = _statements(pipe, arguments), _form(arguments)
    if form == "parquet" and len(wanted) > 1:
        raise UsageError(f"Parquet is of one result, and there are {len(wanted)} statements", "--output csv or json")
    names, aws = pipe.names(arguments.environment), target(arguments)
    where = _Place(
        aws, arguments.workgroup or names.workgroup, arguments.database or names.database, _limit(arguments, aws)
    )
    with _opened(arguments.out, form) as out:
        for number, statement in enumerate(wanted, 1):
            if number > 1 and form in {"table", "csv", "chart"}:
                _write(out, [""])
            try:
                result = _run(where, statement.sql)
                _show(result, form, arguments, out)
            except ClicklakeError as e:
                if len(wanted) > 1:
                    e.args = (f"statement {number} of {len(wanted)}, line {statement.line}: {e}",)
                raise
            print(f"{query.summary(result)}, {_charged(result, aws)}", file=sys.stderr, flush=True)


def _charged(result: Result, aws: Target) -> str:
    """`$0.21`, and whose price it is if it is not the region's."""
    amount = dollars(query.usd(result.scanned_bytes))
    if aws.is_laptop:
        return f"{amount} on AWS"
    priced = price_list.read().region
    return amount if aws.session.region_name == priced else f"{amount} by the price of {priced}"


def _take_sql_behind_chart(arguments: Arguments) -> None:
    """`--chart "SELECT ..."`: argparse takes the statement for the kind of chart."""
    if arguments.chart not in {None, "auto", *get_args(chart.Kind)}:
        if arguments.sql or arguments.name or arguments.file or arguments.list:
            raise UsageError(f"{arguments.chart} is no chart", "--chart bar, or --chart line")
        arguments.sql, arguments.chart = arguments.chart, "auto"
    if not (arguments.sql is not None or arguments.name or arguments.file or arguments.list):
        raise UsageError("there is no statement", 'clicklake query "SHOW TABLES", or --name, --file, --list')


# --- what is asked ---------------------------------------------------------------------------------------------------


def _list(pipe: Pipeline, arguments: Arguments) -> None:
    queries = saved_queries(pipe, arguments.environment)
    if arguments.output == "json":
        print(json.dumps([{"name": saved.name, "question": saved.question} for saved in queries]))
        return
    for saved in queries:
        print(f"{saved.name:<20} {saved.question}")


def _statements(pipe: Pipeline, arguments: Arguments) -> list[Statement]:
    if arguments.name:
        return [Statement(saved_query(arguments.name, pipe, arguments.environment).sql, 1)]
    if not arguments.file:
        return [Statement(sys.stdin.read() if arguments.sql == "-" else arguments.sql, 1)]
    try:
        text = sys.stdin.read() if arguments.file == "-" else Path(arguments.file).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as e:
        why = e.strerror if isinstance(e, OSError) else "it is no UTF-8"
        raise UsageError(f"{arguments.file} can't be read ({why})", "name a file of SQL statements") from e
    found = statements(text, arguments.file)
    if not found:
        raise UsageError(f"{arguments.file} has no statement", "each ends in ;")
    return found


# --- running ---------------------------------------------------------------------------------------------------------


def _limit(arguments: Arguments, aws: Target) -> int | None:
    """On the laptop nothing is charged, so nothing is asked unless a limit is given."""
    limit = arguments.max_scan if arguments.max_scan is not None else math.inf if aws.is_laptop else _MOST
    return None if arguments.yes or math.isinf(limit) else int(limit)


def _run(where: _Place, sql: str) -> Result:
    at_most = where.limit
    if at_most is not None:
        found = scan_limit.expected(where.aws, sql, where.workgroup, where.database)
        if found and found.bytes > at_most:
            _ask(found, at_most)
            at_most = None
    return query.run(where.aws, sql, where.workgroup, where.database, at_most=at_most)


def _ask(found: scan_limit.Expected, limit: int) -> None:
    cost = dollars(query.usd(found.bytes))
    said = f"it may read {size(found.bytes)} ({cost} on AWS) of {', '.join(found.tables)}; the limit is {size(limit)}"
    if not sys.stdin.isatty():
        raise UsageError(said, "ask for fewer days or columns, or add --yes, or --max-scan")
    print(f"{said}. Run it? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise NoError("nothing was run")


# --- answers ---------------------------------------------------------------------------------------------------------


def _form(arguments: Arguments) -> str:
    if arguments.chart:
        return "chart"
    if arguments.output:
        return str(arguments.output)
    if arguments.out:
        named = arguments.out.suffix.removeprefix(".").lower()
        return named if named in _FORMS else "csv"
    return "table" if Terminal(sys.stdout).is_live else "csv"


def _show(result: Result, form: str, arguments: Arguments, out: BinaryIO | None) -> None:
    width = Terminal(sys.stdout).width
    if form == "parquet":
        parquet_result.write(result, out or sys.stdout.buffer)
    elif form == "chart":
        _write(out, _chart(result, arguments.chart, width))
    else:
        _write(out, query.render(result, form, width))  # type: ignore[arg-type]


def _chart(result: Result, kind: str, width: int) -> list[str]:
    """Without plotext bars do, unless a line was asked for by name."""
    try:
        return list(chart.lines(result, None if kind == "auto" else kind, width))  # type: ignore[arg-type]
    except chart.NoPlotextError as e:
        if kind == "line":
            raise
        print(f"drawn as bars: {e.problem}; pip install plotext", file=sys.stderr)
        return list(chart.lines(result, "bar", width))


def _write(out: BinaryIO | None, lines: Iterator[str] | list[str]) -> None:
    if out is None:
        try:
            for line in lines:
                print(line)
        except UnicodeEncodeError as e:
            problem = f"the answer has characters that {e.encoding} has not"
            raise UsageError(problem, "set PYTHONUTF8=1, or write a file: --out") from e
    else:
        out.writelines(f"{line}\n".encode() for line in lines)


@contextmanager
def _opened(path: Path | None, form: str) -> Iterator[BinaryIO | None]:
    """The file gets its name when everything is in it; None is standard output."""
    if path is None:
        if form == "parquet" and sys.stdout.isatty():
            raise UsageError("Parquet is not for a terminal", "--out FILE.parquet")
        yield None
        return
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as e:
        raise UsageError(f"{path} can't be written ({e.strerror or e})", "choose another: --out") from e
    finally:
        part.unlink(missing_ok=True)


COMMANDS: dict[str, Command] = {
    "query": Command(
        _query,
        "run Athena SQL",
        (
            'clicklake query "SELECT event_type, COUNT(*) FROM clickstream_events GROUP BY event_type"',
            "clicklake query --name daily_visitors",
            'clicklake query --chart "SELECT event_date, COUNT(*) FROM clickstream_events GROUP BY 1"',
            "clicklake query --file report.sql --out report.csv",
            'clicklake query "SELECT * FROM clickstream_events_unique" --out events.parquet --max-scan 1GB',
            "clicklake query --list",
        ),
        _add_query,
    ),
}
