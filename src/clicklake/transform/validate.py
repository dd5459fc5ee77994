"""A decoded object to the known fields of an event, by the table in pipeline.json.

Every field takes one kind of value under several names. A value of another kind never fills a column: it is kept in
`properties` under its own name, fails the record (event_type) or, if it is private, is dropped. All that is unknown is
kept in `properties`, where private names are removed at any depth (clean.py).

Three ways lead to the same result. Lines that typed.py could read come as values in their places. Most other records
repeat the names and types of another record, and then it is known what goes where (_Shape). What is left is looked at
name by name (_taken).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple

from clicklake.pipeline import Accepts, Field, Pipeline
from clicklake.transform.clean import ROUNDED, Cleaner, InexactError, TooDeepError, worth_remembering
from clicklake.transform.event import Failed, Values
from clicklake.transform.parse import TOO_DEEP, parse, parse_exactly
from clicklake.transform.redact import address_redactor
from clicklake.transform.times import parse_time

Checked = tuple[Values, bytes, int, int]
"""An event's known fields and headers in the order of Validator.names (a new list; `properties` is always an object),
the properties as canonical JSON, and how many values were removed or misplaced."""


@dataclass(frozen=True, slots=True)
class _Spec:
    """One name of a field; rank 0 is the field's own."""

    field: str
    rank: int
    accepts: Accepts
    private: bool

    def convert(self, value: Any) -> Any:
        return _CONVERT[self.accepts](value)


# From a value to what the field holds, or None if it is of another kind. type(), not isinstance: a bool is no number.
_CONVERT: dict[Accepts, Callable[[Any], Any]] = {
    "text": lambda value: value if type(value) is str else None,
    "text or integer": lambda value: value if type(value) is str else str(value) if type(value) is int else None,
    "text or number": lambda value: (
        value if type(value) is str else str(value) if type(value) in (int, float) else None
    ),
    "number": lambda value: float(value) if type(value) in (int, float) else None,
    "time": parse_time,
    "object": lambda value: value if type(value) is dict else None,
}
# Of these types every value is taken as it is, and of those every value (but a rounded one) is converted.
_AS_IT_IS: dict[Accepts, type] = {"text": str, "text or integer": str, "text or number": str, "object": dict}
_CONVERTED: dict[Accepts, tuple[type, ...]] = {
    "text": (),
    "text or integer": (int,),
    "text or number": (int,),
    "number": (int, float),
    "time": (str, int, float),
    "object": (),
}
_TEXT_OR_NONE = frozenset({str, type(None)})
_REMEMBERED = 1 << 12  # shapes; a site sends some dozens


def fits(accepts: Accepts, value: Any) -> bool:
    """True if a field that `accepts` this takes the value, whatever it becomes."""
    return _CONVERT[accepts](value) is not None


class _Shape(NamedTuple):
    """What becomes of a record with certain names and types. `arrange` takes the values of all fields out of the
    record's and one None (None if names and types don't tell); `others` are the names that go to `properties`."""

    arrange: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None
    convert: tuple[tuple[int, Callable[[Any], Any]], ...]
    others: tuple[str, ...]


_UNCLEAR = _Shape(None, (), ())  # names and types don't tell what goes where


class Validator:
    """`Validator(pipeline, headers)(record, text)`: the pipeline's table, made ready once. `headers` are the names of
    the request headers that the enrichments read."""

    def __init__(self, pipeline: Pipeline, headers: tuple[str, ...] = ()) -> None:
        self._specs = {
            name: _Spec(field.name, rank, field.accepts, field.private)
            for field in pipeline.fields
            for rank, name in enumerate(field.names)
        }
        self._fields = tuple(field.name for field in pipeline.fields)
        self._headers, self._no_headers = headers, (None,) * len(headers)
        self.names = (*self._fields, *(f"headers.{header}" for header in headers))
        self._required = [field for field in pipeline.fields if field.otherwise == "fail"]
        self._required_slots = [self._fields.index(field.name) for field in self._required]
        self._properties, self._sent_headers = self._fields.index("properties"), self._fields.index("headers")
        self.redact = address_redactor(pipeline.kept_query_parameters)
        private = (name for field in pipeline.fields if field.private for name in field.names)
        self._clean = Cleaner((*private, *pipeline.private_names), self.redact)
        self._shapes: dict[tuple[Any, ...], _Shape] = {}
        self._times = [at for at, field in enumerate(pipeline.fields) if field.accepts == "time"]
        self._numbers = [at for at, field in enumerate(pipeline.fields) if field.accepts == "number"]
        self._ids = [at for at, field in enumerate(pipeline.fields) if field.accepts.startswith("text or")]

    def __call__(self, record: dict[str, Any] | Values, text: bytes) -> Checked | Failed:
        """`text` are the bytes that `record` was read from; they are read again if a number may have been rounded, or
        if a value turns out not to fit."""
        try:
            try:
                if isinstance(record, list):
                    return self._typed(record) or self._again(text)
                key = (*record, *map(type, record.values()))
                shape = self._shapes.get(key) or self._remembered(key, record)
                return self._arranged(shape, record) or self._taken(record, ROUNDED)
            except InexactError:
                exact = parse_exactly(text)
                return exact if isinstance(exact, Failed) else self._taken(exact, float("inf"))
        except TooDeepError:
            return TOO_DEEP

    def _again(self, text: bytes) -> Checked | Failed:
        record = parse(text)
        return record if isinstance(record, Failed) else self(record, text)

    # --- by type -----------------------------------------------------------------------------------------------------

    def _typed(self, values: Values) -> Checked | None:
        """None if the record needs another look: without a required field, or with a time that is none."""
        values = _without_empty(values)
        for slot in self._times:
            if values[slot] is not None:
                values[slot] = moment = parse_time(values[slot])
                if moment is None:
                    return None
        for slot in self._ids:
            if type(values[slot]) is int:
                values[slot] = str(values[slot])
        for slot in self._numbers:
            if values[slot] is not None and abs(values[slot]) >= ROUNDED:
                return None
        return self._completed(values, None)

    # --- by shape ----------------------------------------------------------------------------------------------------

    def _remembered(self, key: tuple[Any, ...], record: dict[str, Any]) -> "_Shape":
        if len(self._shapes) >= _REMEMBERED:
            self._shapes.clear()
        shape = self._shape(record)
        if worth_remembering(record):
            self._shapes[key] = shape
        return shape

    def _shape(self, record: dict[str, Any]) -> "_Shape":
        source: dict[str, int] = {}
        convert: list[tuple[int, Callable[[Any], Any]]] = []
        others: list[str] = []
        for at, (name, value) in enumerate(record.items()):
            spec = self._specs.get(name)
            if spec is None:
                others.append(name)
            elif value is not None:
                if spec.field in source:
                    return _UNCLEAR
                source[spec.field] = at
                if type(value) in _CONVERTED[spec.accepts]:
                    convert.append((self._fields.index(spec.field), _CONVERT[spec.accepts]))
                elif type(value) is not _AS_IT_IS.get(spec.accepts):
                    return _UNCLEAR
        arrange = itemgetter(*(source.get(field, len(record)) for field in self._fields))
        return _Shape(arrange, tuple(convert), tuple(others))

    def _arranged(self, shape: _Shape, record: dict[str, Any]) -> Checked | None:
        """None if the record needs another look: a required field or a value that can't be converted."""
        if shape.arrange is None:
            return None
        values = _without_empty([*shape.arrange((*record.values(), None))])
        for slot, convert in shape.convert:
            value = values[slot]
            if value is not None:
                values[slot] = converted = convert(value)
                if converted is None or (type(value) is float and abs(value) >= ROUNDED):
                    return None
        others = {name: record[name] for name in shape.others} if shape.others else None
        return self._completed(values, others)

    def _completed(self, values: Values, others: dict[str, Any] | None) -> Checked | None:
        for slot in self._required_slots:
            if values[slot] is None:
                return None
        sent, headers = values[self._properties], values[self._sent_headers]
        if others:
            sent = _merged(others, sent)
        values[self._properties], json, dropped = self._clean(sent or {}, ROUNDED)
        values += self._no_headers if headers is None else self._header_values(headers)
        return values, json, dropped, 0

    def _header_values(self, headers: dict[str, Any]) -> Iterable[str | None]:
        found = [*map(headers.get, self._headers)]
        if _TEXT_OR_NONE.issuperset(map(type, found)):
            return found
        return [value if type(value) is str else None for value in found]

    # --- name by name ------------------------------------------------------------------------------------------------

    def _taken(self, record: dict[str, Any], rounded: float) -> Checked | Failed:
        taking = _Taking(rounded)
        aliases: list[tuple[int, str, Any]] = []
        for name, value in record.items():
            spec = self._specs.get(name)
            if spec is None:
                taking.others[name] = value
            elif value is None or value == "":
                pass  # as if it had not been sent
            elif spec.rank:
                aliases.append((spec.rank, name, value))
            else:
                taking.take(spec, name, value)
        for _, name, value in sorted(aliases, key=itemgetter(0)):
            taking.take(self._specs[name], name, value)
        fields = taking.fields
        for field in self._required:
            if field.name not in fields:
                return self._missing(field, record)
        fields["properties"], json, dropped = self._clean(_merged(taking.others, fields.get("properties")), rounded)
        values = [*map(fields.get, self._fields), *self._header_values(fields.get("headers", {}))]
        return values, json, taking.dropped + dropped, taking.misplaced

    def _missing(self, field: Field, record: dict[str, Any]) -> Failed:
        if any(record.get(name) not in (None, "") for name in field.names):
            return Failed("invalid_field", field.name, f"must be {field.accepts}")
        return Failed("missing_field", field.name, "is required")


class _Taking:
    """One event while its values are put where they belong; local to one call."""

    __slots__ = ("dropped", "fields", "misplaced", "others", "rounded")

    def __init__(self, rounded: float) -> None:
        self.rounded = rounded
        self.fields: dict[str, Any] = {}
        self.others: dict[str, Any] = {}
        self.dropped = 0
        self.misplaced = 0

    def take(self, spec: _Spec, name: str, value: Any) -> None:
        """Fill the field of `spec`, or keep or drop a value that can't."""
        if type(value) is float and abs(value) >= self.rounded:
            raise InexactError
        converted = spec.convert(value)
        if converted is not None and self.fields.setdefault(spec.field, converted) == converted:
            return
        if spec.private:
            self.dropped += 1
        else:
            self.others[name] = value
            self.misplaced += converted is None


def _without_empty(values: Values) -> Values:
    """Empty text is as if it had not been sent."""
    return [None if value == "" else value for value in values] if "" in values else values


def _merged(others: dict[str, Any], sent: dict[str, Any] | None) -> dict[str, Any]:
    """The event's own properties win over other values of the same name, which are kept as `_event.<name>`."""
    if not others or sent is None:
        return others if sent is None else sent
    merged = dict(sent)
    for name, value in others.items():
        free = name
        while free in merged or (free != name and free in others):
            free = f"_event.{free}"
        merged[free] = value
    return merged
