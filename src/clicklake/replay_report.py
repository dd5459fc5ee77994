"""What a replay did, as one JSON document (docs/replay.md describes it) and as text. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from clicklake.dead_letters import Letter
from clicklake.replay import Answered, Replayed, Selection
from clicklake.table import counted

VERSION = 1
_SHOWN = 10  # of a list, as text

Document = dict[str, Any]


def of_selection(selection: Selection, done: Replayed | None, failed_after: int | None) -> Document:
    """`done` is None if nothing was run; `failed_after` if nobody asked for failed records."""
    after = None if selection.failed is None else {"before": selection.failed, "after": failed_after}
    return {
        "selected": len(selection.chosen),
        "done_before": selection.done,
        "since": selection.since.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "raw_keys": [found.place.raw_key for found in selection.chosen],
        **_replayed(done),
        "failed_records": after,
        "messages": None,
    }


def of_messages(letters: Sequence[Letter], answered: Answered | None) -> Document:
    """`letters` were looked at only, if `answered` is None."""
    keys = [raw_key for letter in letters for raw_key in letter.raw_keys] if answered is None else answered.raw_keys
    left = [letter for letter in letters if letter.problem] if answered is None else answered.left
    return {
        "selected": len(keys),
        "done_before": 0,
        "since": None,
        "raw_keys": list(keys),
        **_replayed(answered.replayed if answered else None),
        "failed_records": None,
        "messages": {
            "deleted": answered.deleted if answered else 0,
            "left": [{"id": letter.id, "problem": letter.problem or "its run failed"} for letter in left],
        },
    }


def _replayed(done: Replayed | None) -> Document:
    failed = done.failed if done else ()
    return {
        "processed": done.processed if done else 0,
        "gone": done.gone if done else 0,
        "failed": [{"raw_key": outcome.raw_key, "problem": outcome.problem} for outcome in failed],
    }


def is_whole(document: Document) -> bool:
    """False if something that was asked for was not done."""
    return not document["failed"] and not (document["messages"] or {}).get("left")


def lines(document: Document) -> Iterator[str]:
    if document["done_before"]:
        yield f"done       {counted(document['done_before'], 'raw object')} already: left alone"
    if document["dry_run"]:
        yield f"would run  {counted(document['selected'], 'raw object')}"
        yield from _some(document["raw_keys"])
    else:
        yield from _done(document)
    yield from _failed_records(document)
    yield from _messages(document)


def _done(document: Document) -> Iterator[str]:
    yield f"processed  {document['processed']:,} of {counted(document['selected'], 'raw object')}"
    if document["gone"]:
        yield f"gone       {counted(document['gone'], 'raw object')}: no longer there"
    if document["failed"]:
        failed = counted(len(document["failed"]), "raw object")
        yield f"failed     {failed}: mend this and run it again; the function's log says more"
        yield from _some([f"{each['raw_key']}: {each['problem']}" for each in document["failed"]])


def _failed_records(document: Document) -> Iterator[str]:
    records = document["failed_records"]
    if records:
        now = "" if records["after"] is None else f", {records['after']:,} now"
        yield f"records    {records['before']:,} failed before{now}"


def _messages(document: Document) -> Iterator[str]:
    messages = document["messages"]
    if messages:
        yield f"messages   {messages['deleted']:,} deleted, {len(messages['left']):,} left in the queue"
        yield from _some([f"{each['id']}: {each['problem']}" for each in messages["left"]])


def _some(texts: list[str]) -> Iterator[str]:
    yield from (f"  {text}" for text in texts[:_SHOWN])
    if len(texts) > _SHOWN:
        yield f"  ... and {len(texts) - _SHOWN:,} more: --json has all of them"
