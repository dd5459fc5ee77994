"""The walk of transform/process.py, one record at a time and with nothing forgotten; and each enrichment by itself.

It uses what the hot loop uses and decides nothing: tests/test_explain.py holds every golden case's rows against it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from clicklake.transform.decode import decode
from clicklake.transform.dedup import Seen, Verdict
from clicklake.transform.enrich import STEPS
from clicklake.transform.enrich.context import Context, Enrichment, Group
from clicklake.transform.event import Failed, Row, Values
from clicklake.transform.gunzip import Plain
from clicklake.transform.keys import Place
from clicklake.transform.process import Settings, derived_id

Known = dict[str, Any]
"""Values by their names."""


@dataclass(frozen=True, slots=True)
class Traced:
    """One record: either `failed`, or `values` in the layout of Assembler with their `verdict`. `identity` is app_id
    and event_id as sent. A duplicate has no row; `dropped` are private values that were removed, `misplaced` those of
    another type than their column."""

    index: int
    offset: int
    text: bytes
    failed: Failed | None = None
    verdict: Verdict | None = None
    identity: tuple[str | None, str | None] = (None, None)
    values: Values | None = None
    dropped: int = 0
    misplaced: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """An enrichment of one event; it is `name` in transform/enrich/`module`.py."""

    name: str
    module: str
    reads: Known
    makes: Known


def walk(raw: bytes | BinaryIO, where: Place, settings: Settings) -> Iterator[Traced]:
    """Every record of a raw object in its order."""
    layout, validate = settings.assemble.layout, settings.validate
    judge, id_slot, app_slot = (
        Seen(layout, settings.pipeline.fields).judge,
        layout.slot["event_id"],
        layout.slot["app_id"],
    )
    lineage = (where.raw_key, where.received_ms, settings.processor_version)
    for index, (offset, text, value) in enumerate(decode(Plain(raw), settings.read)):
        checked = value if isinstance(value, Failed) else validate(value, text)
        if isinstance(checked, Failed):
            yield Traced(index, offset, text, checked)
            continue
        values, properties, dropped, misplaced = checked
        verdict, identity = judge(values, properties), (values[app_slot], values[id_slot])
        values += (*lineage, offset, index, properties.decode())
        if verdict == "other" or values[id_slot] is None:
            values[id_slot] = derived_id(where.raw_key, index)
        yield Traced(index, offset, text, None, verdict, identity, values, dropped, misplaced)


def row(traced: Traced, settings: Settings) -> Row:
    """The row of a record that is an event."""
    assert traced.values is not None
    return settings.assemble.row([*traced.values])


def steps(traced: Traced, settings: Settings) -> list[Step]:
    """Every enrichment of a record that is an event, in their order, each made anew."""
    assert traced.values is not None
    found: list[Step] = []
    _walked(STEPS, dict(zip(settings.assemble.layout.names, traced.values, strict=True)), settings.context, found)
    return found


def _walked(steps: tuple[Enrichment | Group, ...], sent: Known, context: Context, found: list[Step]) -> Known:
    """What they make. As in assemble.py, a step that reads a name that is both sent and made reads what was sent, and
    to a group what it reads was sent."""
    made: Known = {}
    for step in steps:
        known = made | sent
        if isinstance(step, Group):
            made |= _walked(step.steps, {name: known[name] for name in step.reads}, context, found)
            continue
        reads = {name: known[name] for name in step.reads}
        makes = dict(zip(step.makes, step.make(context, *map(known.__getitem__, step.reads)), strict=True))
        made |= makes
        found.append(Step(step.make.__name__.strip("_"), step.make.__module__.rpartition(".")[2], reads, makes))
    return made
