"""A decoded object to the known fields of an event, by the table in pipeline.json.

Every field takes one kind of value under several names. A value of another kind never fills a column: it is kept in
`properties` under its own name, fails the record (event_type) or, if it is private, is dropped. All that is unknown is
kept in `properties`, where private names are removed at any depth.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from clicklake.pipeline import Accepts, Field, Pipeline
from clicklake.transform.event import Failed, Fields
from clicklake.transform.parse import DEEPEST, TOO_DEEP, parse_exactly
from clicklake.transform.redact import address_redactor, private_names
from clicklake.transform.times import parse_time


class Checked(NamedTuple):
    """An event's known fields (`properties` always among them), and how many values were removed or misplaced."""

    fields: Fields
    dropped: int
    misplaced: int


class _InexactError(Exception):
    """The fast parser may have rounded an integer."""


class _TooDeepError(Exception):
    pass


@dataclass(frozen=True, slots=True)
class _Spec:
    """One name of a field; rank 0 is the field's own."""

    field: str
    rank: int
    convert: Callable[[Any], Any]
    private: bool


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
_ROUNDED = 2.0**63  # orjson reads integers that 64 bits can't hold as floats of at least this size


class Validator:
    """`Validator(pipeline)(record, text)`: the pipeline's table, made ready once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._specs = {
            name: _Spec(field.name, rank, _CONVERT[field.accepts], field.private)
            for field in pipeline.fields
            for rank, name in enumerate((field.name, *field.aliases))
        }
        self._text = frozenset(field.name for field in pipeline.fields if field.accepts.startswith("text"))
        self._required = [field for field in pipeline.fields if field.otherwise == "fail"]
        private = (name for field in pipeline.fields if field.private for name in (field.name, *field.aliases))
        self._is_private = private_names(private)
        self.redact = address_redactor(pipeline.kept_query_parameters)

    def __call__(self, record: dict[str, Any], text: bytes) -> Checked | Failed:
        """`text` are the bytes that `record` was read from; they are read again if a number may have been rounded."""
        try:
            try:
                return self._check(record, _ROUNDED)
            except _InexactError:
                exact = parse_exactly(text)
                return exact if isinstance(exact, Failed) else self._check(exact, float("inf"))
        except _TooDeepError:
            return TOO_DEEP

    def _check(self, record: dict[str, Any], rounded: float) -> Checked | Failed:
        # Measured: some 20 names an event, most of them text under a field's own name, which takes the shortest way.
        taking = _Taking(rounded)
        fields, specs, text = taking.fields, self._specs, self._text
        aliases: list[tuple[int, str, Any]] = []
        for name, value in record.items():
            if type(value) is str and value and name in text:
                fields[name] = value
                continue
            spec = specs.get(name)
            if spec is None:
                taking.others[name] = value
            elif value is None or value == "":
                pass  # as if it had not been sent
            elif spec.rank:
                aliases.append((spec.rank, name, value))
            else:
                taking.take(spec, name, value)
        aliases.sort(key=_rank)
        for _, name, value in aliases:
            taking.take(specs[name], name, value)
        for field in self._required:
            if field.name not in fields:
                return self._missing(field, record)
        fields["properties"] = self._clean_object(taking.merged(fields.get("properties")), taking, 2)
        return Checked(fields, taking.dropped, taking.misplaced)

    def _missing(self, field: Field, record: dict[str, Any]) -> Failed:
        if any(record.get(name) not in (None, "") for name in (field.name, *field.aliases)):
            return Failed("invalid_field", field.name, f"must be {field.accepts}")
        return Failed("missing_field", field.name, "is required")

    def _clean_object(self, value: dict[str, Any], taking: "_Taking", depth: int) -> dict[str, Any]:
        """`value` without private names, at any depth, and with redacted addresses."""
        if depth > DEEPEST:
            raise _TooDeepError
        clean: dict[str, Any] = {}
        is_private = self._is_private
        for name, item in value.items():
            kind = type(item)
            if is_private(name):
                taking.dropped += 1
            elif kind is str:
                clean[name] = self.redact(item) if "://" in item else item
            elif kind is dict or kind is list or kind is float:
                clean[name] = self._clean(item, taking, depth)
            else:
                clean[name] = item
        return clean

    def _clean(self, item: Any, taking: "_Taking", depth: int) -> Any:
        kind = type(item)
        if kind is dict:
            return self._clean_object(item, taking, depth + 1)
        if kind is list:
            if depth >= DEEPEST:
                raise _TooDeepError
            return [self._clean(child, taking, depth + 1) for child in item]
        if kind is float and abs(item) >= taking.rounded:
            raise _InexactError
        return self.redact(item) if kind is str and "://" in item else item


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
            raise _InexactError
        converted = spec.convert(value)
        if converted is not None and self.fields.setdefault(spec.field, converted) == converted:
            return
        if spec.private:
            self.dropped += 1
        else:
            self.others[name] = value
            self.misplaced += converted is None

    def merged(self, sent: dict[str, Any] | None) -> dict[str, Any]:
        """The event's own properties win over other values of the same name, which are kept as `_event.<name>`."""
        if not self.others or sent is None:
            return self.others if sent is None else sent
        return {(f"_event.{name}" if name in sent else name): value for name, value in self.others.items()} | sent


def _rank(alias: tuple[int, str, Any]) -> int:
    return alias[0]
