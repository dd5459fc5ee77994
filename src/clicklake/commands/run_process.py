"""What `process` does. processing.py imports it, for it needs what a light installation does not have."""

import json
import sys
from contextlib import closing, nullcontext

from clicklake import against, pipeline, process_files
from clicklake.commands.options import Arguments
from clicklake.commands.processing import NAMED
from clicklake.errors import NoError
from clicklake.process_files import Done, RawFile
from clicklake.terminal import Progress, Terminal
from clicklake.transform.process import Settings
from clicklake.user_key import key_of_file


def run(arguments: Arguments) -> int:
    pipe = pipeline.load(arguments.pipeline)
    if arguments.format:
        pipe = pipeline.with_processed_format(pipe, arguments.format)
    key = key_of_file(arguments.key_file) if arguments.key_file else None
    others = [folder for folder in (arguments.out, arguments.against) if folder and folder != arguments.source]
    settings, files = process_files.settings(pipe, key), process_files.find(arguments.source, pipe, others)
    limit = arguments.limit or (None if arguments.json else NAMED)
    keyed = key is not None
    with against.Other(arguments.against, pipe, limit, keyed=keyed) if arguments.against else nullcontext() as other:
        done = _each(files, settings, arguments, other)
        document = process_files.document(done, arguments.out, other.document() if other else None)
    if arguments.json:
        print(json.dumps(document, ensure_ascii=False))
    else:
        print("\n".join(process_files.lines(document)))
        if document["against"]:
            print("\n".join(against.lines(document["against"], arguments.limit or NAMED)))
    return NoError.exit_code if document["against"] and document["against"]["differs"] else 0


def _each(files: list[RawFile], settings: Settings, arguments: Arguments, other: against.Other | None) -> list[Done]:
    """Each file's line is printed when it is done."""
    done: list[Done] = []
    with closing(Progress(Terminal(sys.stderr), "processing  ", len(files))) as progress:
        for file in files:
            done.append(process_files.run(file, settings, arguments.out, other.meet if other else None))
            if not arguments.json:
                print(process_files.file_line(done[-1]), flush=True)
            progress(len(done))
    return done
