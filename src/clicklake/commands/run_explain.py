"""What `explain` does. processing.py imports it, for it needs what a light installation does not have."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from clicklake import pipeline, process_files
from clicklake.commands.aiming import target
from clicklake.commands.options import Arguments
from clicklake.errors import NoError, UsageError
from clicklake.explain import find, text
from clicklake.explain.account import Document, Known, document, of_row
from clicklake.explain.trace import Traced, walk
from clicklake.lake import open_lake
from clicklake.transform.keys import Place, place
from clicklake.transform.process import Settings
from clicklake.user_key import key_of_file


def run(arguments: Arguments) -> int:
    given = [name for name in ("event_id", "record", "event") if getattr(arguments, name)]
    if len(given) != 1:
        raise UsageError("name one of: an event id, --record RAW_KEY:INDEX, --event FILE", "clicklake explain --help")
    found = list(_of_new(arguments) if arguments.event else _of_lake(arguments))
    for number, each in enumerate(found):
        if arguments.json:
            print(json.dumps(each, ensure_ascii=False))
        else:
            print("\n".join([*([""] if number else []), *text.lines(each)]))
    return NoError.exit_code if any(each["raw"] is None for each in found) else 0


# --- an event of the lake ---------------------------------------------------------------------------------------------


def _of_lake(arguments: Arguments) -> Iterator[Document]:
    pipe = pipeline.load(arguments.pipeline)
    lake = open_lake(target(arguments), pipe, pipe.names(arguments.environment))
    if arguments.record:
        found = find.by_record(lake, *arguments.record)
    else:
        found = find.by_id(lake, arguments.event_id, arguments.app, arguments.day)
    with find.raw_object(lake, found) as raw:
        where = raw.place if raw else place(found.raw_key, found.received_ms or 0, pipe)
        ledger = lake.ledger_row(where.ledger)
        if raw is None and found.row is None:
            raise NoError(f"{found.raw_key} is gone", "raw objects expire; so does what is known of its failed records")
        if raw is None:
            assert found.row
            yield of_row(found.row, found.rows, where, ledger, pipe, lake.target.describe())
            return
        key, note = find.user_key(lake, ledger)
        settings = process_files.settings(pipe, key)
        traced = _record(raw, where, settings, found.record_index)
        known = Known(
            where, settings, (), found.rows, found.row, ledger, (note,) if note else (), arguments.show_private
        )
        others = [other for other in walk(raw.file, where, settings) if _is_twin(other, traced)]
        yield document(traced, replace(known, others=others), lake.target.describe())


def _record(raw: find.Raw, where: Place, settings: Settings, index: int) -> Traced:
    for traced in walk(raw.file, where, settings):
        if traced.index == index:
            return traced
    raise NoError(f"{where.raw_key} has no record {index}", "was it overwritten? clicklake verify")


def _is_twin(other: Traced, traced: Traced) -> bool:
    return traced.identity[1] is not None and other.identity == traced.identity and other.index != traced.index


# --- a new event ------------------------------------------------------------------------------------------------------


def _of_new(arguments: Arguments) -> Iterator[Document]:
    pipe = pipeline.load(arguments.pipeline)
    try:
        raw = sys.stdin.buffer.read() if arguments.event == "-" else Path(arguments.event).read_bytes()
    except OSError as e:
        raise UsageError(
            f"{arguments.event}: {e.strerror or e}", "name a file with an event, or - for standard input"
        ) from e
    moment = arguments.received or datetime.now(UTC)
    stream = pipe.names(arguments.environment).delivery_stream
    key = f"{pipe.zones.raw}{moment:year=%Y/month=%m/day=%d}/{stream}-1-{moment:%Y-%m-%d-%H-%M-%S}-new.gz"
    settings = process_files.settings(pipe, key_of_file(arguments.key_file) if arguments.key_file else None)
    where = place(key, 0, pipe)
    before: list[Traced] = []
    for traced in walk(raw, where, settings):
        known = Known(
            where, settings, [other for other in before if _is_twin(other, traced)], show_private=arguments.show_private
        )
        yield document(traced, known, None)
        before.append(traced)
    if not before:
        raise NoError(f"{arguments.event} has no record", "an event is a JSON object")
