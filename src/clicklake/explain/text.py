"""The document for people: what is NULL is left out. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from clicklake.process_files import sums_line

_LONGEST = 2000  # characters of the bytes that were sent
_LONGEST_VALUE = 200

Document = dict[str, Any]


def lines(document: Document) -> Iterator[str]:
    yield from _head(document)
    yield from _raw(document["raw"])
    yield from _failure(document["failure"])
    yield from _repeats(document["repeats"], document["outcome"])
    if document["output"]:
        word = "row" if document["outcome"] == "good" else "failed row"
        yield f"{word:<10} {document['output']}"
    if document["ledger"]:
        yield f"ledger     {document['ledger']['key']}: {sums_line(document['ledger'])}"
    for note in document["notes"]:
        yield f"note       {note}"
    yield from _sent(document)
    yield from _columns(document["columns"])
    yield from _steps(document["steps"])


def _head(document: Document) -> Iterator[str]:
    where = f" of {document['app_id']}" if document["app_id"] else ""
    kind = f", {document['event_type']}" if document["event_type"] else ""
    name = f"event      {document['event_id']}{where}{kind}: " if document["event_id"] else "record     "
    yield f"{name}{'would be ' if document['target'] is None else ''}{document['outcome']}"


def _raw(raw: Document | None) -> Iterator[str]:
    if raw is None:
        return
    yield f"raw        {raw['key']}"
    masked = ", private values masked" if raw["masked"] else ""
    yield f"           record {raw['record_index']}: {raw['length']:,} bytes from byte {raw['offset']:,}{masked}"
    yield f"           {_cut(_printable(raw['text']), _LONGEST)}"


def _failure(failure: Document | None) -> Iterator[str]:
    if failure:
        yield f"failure    {failure['type']}: {failure['path']} {failure['message']}"


_VERDICTS = {
    "duplicate": "the same event came before in this object: dropped",
    "other": "another event of this object has its id {sent_id}: it got one of its own",
}
_TWINS = {"duplicate": "dropped", "other": "under an id of its own"}


def _repeats(repeats: Document, outcome: str) -> Iterator[str]:
    said = [text.format(**repeats) for verdict, text in _VERDICTS.items() if repeats["verdict"] == verdict]
    for other in repeats["in_object"]:
        word = _TWINS.get(other["verdict"], "the first")
        said.append(f"record {other['record_index']} of this object has the same id: {word}")
    for copy in repeats["in_lake"]:
        if not copy["is_this"]:
            said.append(f"{_place(copy)} has the same id")
    if len(repeats["in_lake"]) > 1:
        shown = [
            "this one" if copy["is_this"] else _place(copy) for copy in repeats["in_lake"] if copy["unique_shows_it"]
        ]
        said.append(f"clickstream_events_unique shows {', '.join(shown)}")
    if not said and outcome == "good":
        said.append("none")
    yield from (f"{'' if number else 'repeats':<10} {text}" for number, text in enumerate(said))


def _place(copy: Document) -> str:
    return f"{copy['raw_key']}:{copy['record_index']}"


def _sent(document: Document) -> Iterator[str]:
    sent = document["sent"]
    if sent:
        yield ""
        yield "sent"
        width = max(len(each["name"]) for each in sent)
        yield from (f"  {_printable(each['name']):<{width}}  -> {_printable(each['becomes'])}" for each in sent)


def _columns(columns: list[Document]) -> Iterator[str]:
    present = [column for column in columns if column["value"] is not None or "in_lake" in column]
    if not present:
        return
    yield ""
    yield f"columns ({len(columns) - len(present)} more are NULL)"
    width = max(len(column["column"]) for column in present)
    for column in present:
        there = f" (the lake has {_value(column['in_lake'])})" if "in_lake" in column else ""
        source = f"  <- {column['source']}" if column["source"] else ""
        yield f"  {column['column']:<{width}}  {_value(column['value'])}{there}{source}"


def _steps(steps: list[Document]) -> Iterator[str]:
    some = [
        step for step in steps if any(value is not None for value in (*step["reads"].values(), *step["makes"].values()))
    ]
    if not some:
        return
    yield ""
    yield f"steps ({len(steps) - len(some)} more read and made nothing)"
    for step in some:
        yield f"  {step['step']} ({step['file']})"
        yield f"    reads {_pairs(step['reads'])}"
        yield f"    makes {_pairs(step['makes'])}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in values.items() if value is not None) or "nothing"


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else "NULL" if value is None else json.dumps(value)
    return _cut(_printable(text), _LONGEST_VALUE)


def _printable(text: str) -> str:
    """A value must not move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text):,} characters)"
