"""`process`: the transform on files of this machine. It speaks to nobody."""

import argparse
import json
import sys
from contextlib import closing, nullcontext
from pathlib import Path

from clicklake import against, pipeline, process_files
from clicklake.commands.options import Arguments, Command, positive
from clicklake.errors import NoError
from clicklake.process_files import Done, RawFile
from clicklake.terminal import Progress, Terminal
from clicklake.transform.process import Settings
from clicklake.user_key import key_of_file

REFUSALS = (pipeline.PipelineError,)
_NAMED = 10  # events of a kind, as text


def _add_process(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", metavar="FILE|DIR", type=Path, help="raw objects: gzipped or not, a file or many")
    out = "write processed, failed and ledger objects below it, as the lake would have them; default: write nothing"
    parser.add_argument("--out", metavar="DIR", type=Path, help=out)
    other = "compare with the events of another processor: Parquet or JSON, gzipped or not"
    parser.add_argument("--against", metavar="DIR", type=Path, help=other)
    parser.add_argument("--pipeline", metavar="FILE", help="default: CLICKLAKE_PIPELINE, else the one in the package")
    parser.add_argument("--format", choices=("parquet", "json"), help="of processed objects; default: the pipeline's")
    key = "the key of user_key, as the function has it; without it user_key is NULL"
    parser.add_argument("--key-file", metavar="FILE", help=key)
    named = f"name at most N events of a kind; default: {_NAMED}, and all with --json"
    parser.add_argument("--limit", type=positive, metavar="N", help=named)
    parser.add_argument("--json", action="store_true", help="print what was found as one JSON object")


def _process(arguments: Arguments) -> int:
    pipe = pipeline.load(arguments.pipeline)
    if arguments.format:
        pipe = pipeline.with_processed_format(pipe, arguments.format)
    key = key_of_file(arguments.key_file) if arguments.key_file else None
    settings, files = process_files.settings(pipe, key), process_files.find(arguments.source, pipe)
    limit = arguments.limit or (None if arguments.json else _NAMED)
    with against.Other(arguments.against, pipe, limit) if arguments.against else nullcontext() as other:
        done = _run(files, settings, arguments, other)
        document = process_files.document(done, arguments.out, other.document() if other else None)
    if arguments.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print("\n".join(process_files.lines(document)))
        if document["against"]:
            print("\n".join(against.lines(document["against"], arguments.limit or _NAMED)))
    return NoError.exit_code if document["against"] and document["against"]["differs"] else 0


def _run(files: list[RawFile], settings: Settings, arguments: Arguments, other: against.Other | None) -> list[Done]:
    """Each file's line is printed when it is done."""
    done: list[Done] = []
    with closing(Progress(Terminal(sys.stderr), "processing  ", len(files))) as progress:
        for file in files:
            done.append(process_files.run(file, settings, arguments.out, other.meet if other else None))
            if not arguments.json:
                print(process_files.file_line(done[-1]), flush=True)
            progress(len(done))
    return done


COMMANDS: dict[str, Command] = {
    "process": Command(
        _process,
        "run the transform on raw files, without AWS and without an endpoint",
        (
            "clicklake process events.ndjson",
            "clicklake process raw/ --out lake/",
            "clicklake process raw/ --against processed/ --json",
        ),
        _add_process,
    ),
}
