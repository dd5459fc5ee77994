"""What `diff` does. processing.py imports it, for it needs what a light installation does not have."""

import json
import sys
from collections.abc import Iterator
from contextlib import closing, nullcontext
from typing import Any

from clicklake import difference, pipeline, rerun
from clicklake.commands.aiming import days, target
from clicklake.commands.options import Arguments
from clicklake.errors import NoError, UsageError
from clicklake.lake import Days, Lake, open_lake
from clicklake.other_processor import OtherProcessor
from clicklake.rerun import Chosen, Outcome
from clicklake.terminal import Progress, Terminal

_SHOWN = 10  # errors, as text


def run(arguments: Arguments) -> int:
    asked = days(arguments)
    pipe = pipeline.load(arguments.pipeline)
    lake = open_lake(target(arguments), pipe, pipe.names(arguments.environment))
    chosen = rerun.choose(lake, asked, arguments.limit)
    key = rerun.user_key(lake, chosen)
    with (
        OtherProcessor(arguments.processor, key) as after,
        OtherProcessor(arguments.base, key) if arguments.base else nullcontext() as before,
    ):
        outcome = _compared(lake, chosen, after, before)
    head: dict[str, Any] = {"version": rerun.VERSION, "target": lake.target.describe(), "days": _days(asked)}
    head |= {"before": _processor(before), "after": _processor(after), "notes": rerun.notes(lake, chosen, before)}
    document = head | _found(chosen, outcome)
    print(json.dumps(document, ensure_ascii=False) if arguments.json else "\n".join(_lines(document)))
    return NoError.exit_code if document["differs"] else 0


def _compared(lake: Lake, chosen: Chosen, after: OtherProcessor, before: OtherProcessor | None) -> Outcome:
    with closing(Progress(Terminal(sys.stderr), "comparing  ", len(chosen.objects))) as progress:
        try:
            return rerun.compare(lake, chosen, after, before, progress)
        except ValueError as e:
            raise UsageError(str(e), "clicklake verify says which file it is") from e


def _found(chosen: Chosen, outcome: Outcome) -> dict[str, Any]:
    found = outcome.difference.document()
    objects = {"found": chosen.found, "unprocessed": chosen.unprocessed}
    return {
        "raw_objects": objects | {"compared": outcome.compared, "gone": outcome.gone},
        "errors": outcome.errors,
        **found,
        "differs": bool(outcome.errors) or difference.differs(found),
    }


def _days(asked: Days) -> dict[str, str | None]:
    return {
        "from": asked.first.isoformat() if asked.first else None,
        "to": asked.last.isoformat() if asked.last else None,
    }


def _processor(other: OtherProcessor | None) -> dict[str, str] | None:
    if other is None:
        return None
    return {
        "file": str(other.file),
        "sha256": other.sha256,
        "version": other.version,
        "contract_sha256": other.contract_sha256,
    }


def _lines(document: dict[str, Any]) -> Iterator[str]:
    objects, before, after = document["raw_objects"], document["before"], document["after"]
    number = objects["compared"]
    yield f"compared   {number:,} of {objects['found']:,} raw object{'' if objects['found'] == 1 else 's'}"
    for what in ("unprocessed", "gone"):
        if objects[what]:
            yield f"           {objects[what]:,} {what}: left out"
    yield f"           before: {before['file'] if before else 'what the lake has'}; after: {after['file']}"
    for note in document["notes"]:
        yield f"note       {note}"
    for error in document["errors"][:_SHOWN]:
        yield f"error      {error['raw_key']}: {error['problem']}"
    if len(document["errors"]) > _SHOWN:
        yield f"           ... and {len(document['errors']) - _SHOWN:,} more: --json has all of them"
    yield from difference.lines(document)
    yield "no difference" if not document["differs"] else "they differ"
