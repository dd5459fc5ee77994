"""An event's values to a row: the enrichments, with memory of their answers, and a team's own columns.

A make is called once per distinct input. Users, pages and browsers repeat, so most of an enrichment's cost is one look
into a dict; and because one visitor's events repeat all that is known of the visitor, a group of enrichments has one
memory more, for all its answers together. Memory is bounded; it never shows in the result, because every make is a pure
function.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, NamedTuple

from clicklake.pipeline import Column, GlueType, Pipeline
from clicklake.transform.enrich.context import Context, Enrichment, Group
from clicklake.transform.event import Layout, Row, Values
from clicklake.transform.times import DAY, parse_time

REMEMBERED = 1 << 14  # answers of one enrichment in one of its two generations
REMEMBERED_TEXT = 8 << 20  # characters of what they answer; an address may have a million
PROPERTIES_JSON = "properties as JSON"
LINEAGE = ("raw_key", "received_ts", "processor_version", "raw_offset", "record_index", PROPERTIES_JSON)

Part = tuple[Any, ...]


class _Memory(dict[Any, Part]):
    """What was answered lately: the young generation is the dict itself, `old` the one before. What is asked for again
    grows young; when the young are too many, the old are forgotten."""

    def __init__(self, make: Callable[[Any], Part]) -> None:
        self._make, self._old, self._text = make, dict[Any, Part](), 0

    def __missing__(self, key: Any) -> Part:
        if len(self) >= REMEMBERED or self._text >= REMEMBERED_TEXT:
            self._old, self._text = dict(self), 0
            self.clear()
        self._text += len(key) if type(key) is str else _text(key) if type(key) is tuple else 0
        part = self[key] = self._old.get(key) or self._make(key)
        return part


def _text(key: tuple[Any, ...]) -> int:
    return sum([len(value) for value in key if type(value) is str])


class _Step(NamedTuple):
    read: Callable[[Values], Any]  # one value, or a tuple of several
    make: Callable[[Any], Part]  # or looks it up in a _Memory


class Assembler:
    """`row(values)`: the row of an event in the table's order.

    `values` has a slot for each name of `layout`: the fields and headers, then LINEAGE. What the steps make is
    put behind them, step by step, so that later ones can read it.
    """

    def __init__(
        self, pipeline: Pipeline, fields: tuple[str, ...], context: Context, steps: tuple[Enrichment | Group, ...]
    ) -> None:
        self.layout = Layout((*fields, *LINEAGE))
        self._steps, made = _compiled(steps, self.layout.slot, context)
        columns = pipeline.tables.events.columns
        times = {field.name for field in pipeline.fields if field.accepts == "time"}
        own = [column for column in columns if _is_own(column, made)]
        self._own = [_own(column, self.layout, times) for column in own]
        after = len(self.layout.names) + len(made)
        have = self.layout.slot | made | {column.name: after + at for at, column in enumerate(own)}
        have["properties"] = self.layout.slot[PROPERTIES_JSON]
        alias = {column.name: column.from_ for column in columns if column.from_ in made and column.name not in have}
        # A column that nobody makes is NULL: the None at the end.
        self._order = itemgetter(*(have.get(alias.get(c.name) or c.name, after + len(own)) for c in columns))

    def row(self, values: Values) -> Row:
        _walk(self._steps, values)
        for own in self._own:
            values.append(own(values))
        values.append(None)
        ordered: Row = self._order(values)
        return ordered


# --- the walk through the enrichments ------------------------------------------------------------------------------


def _walk(steps: list[_Step], values: Values) -> None:
    # The measured hot loop.
    for read, make in steps:
        values += make(read(values))


def _compiled(
    steps: tuple[Enrichment | Group, ...], slots: dict[str, int], context: Context
) -> tuple[list[_Step], dict[str, int]]:
    """The steps on values that are laid out so, and the slots of what they make. A step that reads a name that is both
    sent and made reads what was sent."""
    compiled: list[_Step] = []
    made: dict[str, int] = {}
    size = len(slots)
    for step in steps:
        if isinstance(step, Group):
            make, memo = _of_a_group(step, context), True
        else:
            make, memo = _of_one(step, context), step.memo
        known = made | slots
        read = itemgetter(*(known[name] for name in step.reads))
        compiled.append(_Step(read, _Memory(make).__getitem__ if memo else make))
        made |= {name: size + len(made) + at for at, name in enumerate(step.makes)}
    return compiled, made


def _of_one(step: Enrichment, context: Context) -> Callable[[Any], Part]:
    make = step.make
    if len(step.reads) == 1:
        return lambda value: make(context, value)
    return lambda values: make(context, *values)


def _of_a_group(group: Group, context: Context) -> Callable[[Any], Part]:
    reads = len(group.reads)
    steps, _ = _compiled(group.steps, {name: at for at, name in enumerate(group.reads)}, context)

    def make(key: Any) -> Part:
        values: Values = [*key] if reads > 1 else [key]
        _walk(steps, values)
        return tuple(values[reads:])

    return make


# --- a team's own columns --------------------------------------------------------------------------------------------


def _is_own(column: Column, made: dict[str, int]) -> bool:
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
