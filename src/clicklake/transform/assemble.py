"""An event's values to a row: the enrichments, with memory of their answers, and a team's own columns.

A make is called once per distinct input, and users, pages and browsers repeat, so most of an enrichment's cost is one
look into a dict. The memory is bounded; it never shows in the result, because every make is a pure function.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from clicklake.pipeline import Column, GlueType, Pipeline
from clicklake.transform.enrich.context import Context, Enrichment
from clicklake.transform.event import Layout, Row, Values
from clicklake.transform.times import DAY, parse_time

REMEMBERED = 1 << 13  # answers of one enrichment; when it is full it starts anew
LINEAGE = ("raw_key", "received_ts", "processor_version", "raw_offset", "record_index")


class _Step(NamedTuple):
    read: Callable[[Values], Any]  # one value, or a tuple of several
    make: Callable[[Any], tuple[Any, ...]]
    memory: dict[Any, tuple[Any, ...]] | None
    kept: tuple[tuple[int, int], ...]  # (slot, position in what it makes): what later steps read


class Assembler:
    """`row(values)`: the row of an event in the table's order. `layout` names the slots of `values`."""

    def __init__(
        self, pipeline: Pipeline, fields: tuple[str, ...], context: Context, steps: tuple[Enrichment, ...]
    ) -> None:
        made = [name for step in steps for name in step.makes]
        self._kept = {name for step in steps for name in step.reads if name in made} - set(fields)
        self.layout = Layout((*fields, *LINEAGE, *sorted(self._kept)))
        self._rest = (None,) * (len(self.layout.names) - len(fields) - 3)
        self._steps = [self._step(step, context) for step in steps]
        columns = pipeline.tables.events.columns
        times = {field.name for field in pipeline.fields if field.accepts == "time"}
        self._own = [_own(column, self.layout, times) for column in columns if _is_own(column, made)]
        own = [column.name for column in columns if _is_own(column, made)]
        sent = [c.name for c in columns if c.name in self.layout.slot and c.name not in made and c.name not in own]
        sent.remove("properties")
        self._sent = self.layout.reader(sent)
        have = {name: at for at, name in enumerate(("properties", *sent, *made, *own))}
        alias = {column.name: column.from_ for column in columns if column.from_ in made and column.name not in have}
        # A column that nobody makes is NULL: the None at the end.
        self._order = itemgetter(*(have.get(alias.get(c.name) or c.name, len(have)) for c in columns))

    def _step(self, step: Enrichment, context: Context) -> _Step:
        make = step.make
        slots = [self.layout.slot[name] for name in step.reads]
        kept = tuple((self.layout.slot[n], at) for at, n in enumerate(step.makes) if n in self._kept)
        of_one = len(slots) == 1
        call = (lambda value: make(context, value)) if of_one else (lambda values: make(context, *values))
        return _Step(itemgetter(*slots), call, {} if step.memo else None, kept)

    def row(self, values: Values, properties: str) -> Row:
        """The row of an event whose properties are this JSON."""
        # The measured hot loop.
        made = [properties, *self._sent(values)]
        for read, make, memory, kept in self._steps:
            key = read(values)
            if memory is None:
                part = make(key)
            elif (found := memory.get(key)) is not None:
                part = found
            else:
                if len(memory) >= REMEMBERED:
                    memory.clear()
                part = memory[key] = make(key)
            made += part
            if kept:
                for slot, at in kept:
                    values[slot] = part[at]
        for own in self._own:
            made.append(own(values))
        made.append(None)
        ordered: Row = self._order(made)
        return ordered

    def tail(self, raw_key: str, received_ms: int, processor_version: str) -> tuple[Any, ...]:
        """The slots behind the fields, as they are for every event of an object."""
        return (raw_key, received_ms, processor_version, *self._rest)


def _is_own(column: Column, made: list[str]) -> bool:
    return column.from_ is not None and column.from_ != column.name and column.from_ not in made


def _own(column: Column, layout: Layout, times: set[str]) -> Callable[[Values], Any]:
    """Reads a team's own column; None if it is not there or of another type, but it stays in `properties`."""
    assert column.from_
    field, *path = column.from_.split(".")
    slot, convert = layout.slot[field], (_OF_TIME if field in times else _OF_JSON)[column.type]

    def own(values: Values) -> Any:
        value = values[slot]
        for name in path:
            value = value.get(name) if type(value) is dict else None
        return None if value is None else convert(value)

    return own


def _only(*kinds: type) -> Callable[[Any], Any]:
    return lambda value: value if type(value) in kinds else None


def _date(value: Any) -> int | None:
    moment = parse_time(value)
    return None if moment is None else moment // DAY


_OF_JSON: dict[GlueType, Callable[[Any], Any]] = {
    "string": _only(str),
    "bigint": lambda value: value if type(value) is int and -(1 << 63) <= value < 1 << 63 else None,
    "double": lambda value: float(value) if type(value) in (int, float) else None,
    "boolean": _only(bool),
    "timestamp": parse_time,
    "date": _date,
}
_OF_TIME: dict[GlueType, Callable[[int], Any]] = {
    "string": lambda _: None,
    "bigint": lambda ms: ms,
    "double": float,
    "boolean": lambda _: None,
    "timestamp": lambda ms: ms,
    "date": lambda ms: ms // DAY,
}
