"""All that is known of one record, as one JSON document: docs/explain.md describes it. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clicklake.explain.sent import MASK, Sent, Teller
from clicklake.explain.trace import Step, Traced, row, steps
from clicklake.lake import LedgerRow
from clicklake.pipeline import Column, Pipeline
from clicklake.processed_rows import normal
from clicklake.transform.enrich.device import rules_version
from clicklake.transform.enrich.geo import database_version
from clicklake.transform.keys import Place
from clicklake.transform.process import Settings
from clicklake.transform.times import date_text, timestamp_text

VERSION = 1
_LINEAGE = "lineage"
_LEDGER = ("records_in", "good", "duplicate", "failed", "processor_version", "contract_sha256", "content_sha256")
_TEXT: dict[str, Callable[[int], str]] = {"timestamp": timestamp_text, "date": date_text}
_BOOLEANS = {"true": True, "false": False}

Document = dict[str, Any]
LakeRow = dict[str, str | None]
"""A row as Athena's text, by column; `$path` is its file's key."""


@dataclass(frozen=True, slots=True)
class Known:
    """What was found of a record besides itself. `others` are the records of its object that were sent with the same
    id; `rows` all rows of its id in the lake, `own` the one among them that is the record's."""

    place: Place
    settings: Settings
    others: Sequence[Traced] = ()
    rows: Sequence[LakeRow] = ()
    own: LakeRow | None = None
    ledger: LedgerRow | None = None
    notes: tuple[str, ...] = ()
    show_private: bool = False

    @property
    def pipeline(self) -> Pipeline:
        return self.settings.pipeline


def document(traced: Traced, known: Known, target: str | None) -> Document:
    """Of a record whose raw object is there; `target` is None if it was not sent anywhere."""
    teller = Teller(known.pipeline)
    columns = _columns(traced, known, teller) if traced.values else []
    values = {column["column"]: column["value"] for column in columns}
    sent = teller.sent(traced.text) if traced.values else []
    outcome = "failed" if traced.failed else "duplicate" if traced.verdict == "duplicate" else "good"
    return {
        "version": VERSION,
        "target": target,
        "outcome": outcome,
        "event_id": values.get("event_id"),
        "app_id": values.get("app_id"),
        "event_type": values.get("event_type"),
        "raw": {"key": known.place.raw_key, **_bytes(traced, known, teller)},
        "failure": _failure(traced),
        "repeats": _repeats(traced, known),
        "sent": [{"name": each.name, "becomes": each.becomes} for each in sent],
        "removed_values": traced.dropped,
        "columns": columns,
        "steps": [_step(step, known, teller) for step in (steps(traced, known.settings) if traced.values else [])],
        "output": _output(traced, known),
        "ledger": _ledger(known),
        "notes": [*known.notes, *_notes(columns, known)],
    }


def of_row(
    own: LakeRow, rows: Sequence[LakeRow], place: Place, ledger: LedgerRow | None, pipeline: Pipeline, target: str
) -> Document:
    """Of an event whose raw object is gone: what its row says."""
    known = Known(place, Settings(pipeline), (), rows, own, ledger)
    columns = [_of_lake(column, own) for column in pipeline.tables.events.columns]
    return {
        "version": VERSION,
        "target": target,
        "outcome": "good",
        "event_id": own["event_id"],
        "app_id": own["app_id"],
        "event_type": own["event_type"],
        "raw": None,
        "failure": None,
        "repeats": {"verdict": None, "sent_id": None, "in_object": [], "in_lake": _in_lake(known)},
        "sent": [],
        "removed_values": 0,
        "columns": [{"column": name, "value": value, "source": "the lake's row"} for name, value in columns],
        "steps": [],
        "output": own["$path"],
        "ledger": _ledger(known),
        "notes": [f"{place.raw_key} is gone: raw objects expire, what lies in processed/ stays"],
    }


# --- the bytes --------------------------------------------------------------------------------------------------------


def _bytes(traced: Traced, known: Known, teller: Teller) -> Document:
    masked = None if known.show_private else teller.masked(traced.text)
    text = traced.text.decode("utf-8", "backslashreplace") if masked is None else masked
    return {
        "record_index": traced.index,
        "offset": traced.offset,
        "length": len(traced.text),
        "sha256": hashlib.sha256(traced.text).hexdigest(),
        "text": text,
        "masked": masked is not None,
    }


def _failure(traced: Traced) -> Document | None:
    why = traced.failed
    return {"type": why.type, "path": why.path, "message": why.message} if why else None


# --- the values -------------------------------------------------------------------------------------------------------


def _columns(traced: Traced, known: Known, teller: Teller) -> list[Document]:
    columns = known.pipeline.tables.events.columns
    sources = _Sources(traced, known, teller.sent(traced.text))
    made = []
    for column, value in zip(columns, row(traced, known.settings), strict=True):
        shown = _shown(column.type, value)
        said = {"column": column.name, "value": shown, "source": sources.of(column)}
        if known.own and column.name in known.own:
            there = _of_lake(column, known.own)[1]
            if there != normal(column, shown):
                said["in_lake"] = there
        made.append(said)
    return made


def _of_lake(column: Column, own: LakeRow) -> tuple[str, Any]:
    text = own.get(column.name)
    return column.name, normal(column, _BOOLEANS.get(text, text) if column.type == "boolean" and text else text)


def _shown(kind: str, value: Any) -> Any:
    text = _TEXT.get(kind)
    return text(value) if text and value is not None else value


class _Sources:
    """Where each column's value came from."""

    def __init__(self, traced: Traced, known: Known, sent: Iterable[Sent]) -> None:
        self._names = {each.field: each.name for each in sent if each.field}
        self._made = {name: step.name for step in steps(traced, known.settings) for name in step.makes}
        self._fields = {field.name for field in known.pipeline.fields}
        self._id = traced.identity[1], traced.verdict

    def of(self, column: Column) -> str | None:
        """None if nothing made it."""
        came = column.from_ or column.name
        step = self._made.get(column.name) or self._made.get(came)
        if step:
            return f"step {step}"
        if column.name == "event_id" and (self._id[0] is None or self._id[1] == "other"):
            other = self._id[1] == "other"
            return "derived: another event has its id" if other else "derived: it was sent without an id"
        if column.name == "processor_version":
            return "processor"
        if column.by == _LINEAGE or column.name == "received_ts":
            return "raw object"
        if came == "properties":
            return "what is no field"
        if came in self._fields:
            name = self._names.get(came)
            return None if name is None else "sent" if name == came else f"sent as {name}"
        return came if "." in came else None


def _step(step: Step, known: Known, teller: Teller) -> Document:
    times = {field.name: "timestamp" for field in known.pipeline.fields if field.accepts == "time"}
    types = times | {column.name: column.type for column in known.pipeline.tables.events.columns}

    def read(name: str, value: Any) -> Any:
        if value is not None and not known.show_private:
            value = MASK if teller.is_private(name) else teller.public(value)
        return _shown(types.get(name, ""), value) if isinstance(value, int) else value

    return {
        "step": step.name,
        "file": f"transform/enrich/{step.module}.py",
        "reads": {name: read(name, value) for name, value in step.reads.items()},
        "makes": {name: _shown(types.get(name, ""), value) for name, value in step.makes.items()},
    }


# --- what there is besides --------------------------------------------------------------------------------------------


def _repeats(traced: Traced, known: Known) -> Document:
    return {
        "verdict": traced.verdict,
        "sent_id": traced.identity[1],
        "in_object": [
            {"record_index": other.index, "offset": other.offset, "verdict": other.verdict} for other in known.others
        ],
        "in_lake": _in_lake(known),
    }


def _in_lake(known: Known) -> list[Document]:
    """clickstream_events_unique shows the first of each app and day."""
    shown: set[tuple[str | None, ...]] = set()
    found = []
    for each in known.rows:
        of_view = (each["app_id"], *(each[key] for key in known.pipeline.partition_keys))
        found.append(
            {
                "raw_key": each["raw_key"],
                "record_index": int(each["record_index"] or 0),
                "app_id": each["app_id"],
                "received_ts": each["received_ts"],
                "unique_shows_it": of_view not in shown,
                "is_this": each is known.own,
            }
        )
        shown.add(of_view)
    return found


def _output(traced: Traced, known: Known) -> str | None:
    if known.own:
        return known.own["$path"]
    if traced.verdict == "duplicate":
        return None
    return known.place.failed if traced.failed else known.place.processed[known.pipeline.processed_format]


def _ledger(known: Known) -> Document | None:
    if known.ledger is None:
        return None
    return {"key": known.place.ledger, **{name: known.ledger.get(name) for name in _LEDGER}}


def _notes(columns: Iterable[Document], known: Known) -> Iterable[str]:
    """Why the lake's row may be another than what is made here."""
    differ = [column["column"] for column in columns if "in_lake" in column]
    if differ:
        yield f"the lake's row was made otherwise: {', '.join(differ)}"
    ledger, ours = known.ledger, known.settings
    if ledger is None:
        return
    made_with = {
        "processor": (ledger.get("processor_version"), ours.processor_version),
        "pipeline file": (ledger.get("contract_sha256"), ours.pipeline.contract_sha256),
        "user-agent rules": (ledger.get("user_agent_rules"), rules_version()),
        "geo database": (ledger.get("geo_database"), database_version(ours.geo) if ours.geo else None),
        "key of user_key": (ledger.get("user_key_id"), ours.user_key_id if ledger.get("user_key_id") else None),
    }
    for what, (there, here) in made_with.items():
        if there != here:
            yield f"the lake's {what} was {there or 'none'}, here it is {here or 'none'}"
