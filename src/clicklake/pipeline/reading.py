"""From JSON to the dataclasses of model.py: every object has exactly the keys of its class, every value its type."""

import json
import types
import typing
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar

from clicklake.pipeline.model import Pipeline, PipelineError

T = TypeVar("T")


def read(text: str, source: str) -> Pipeline:
    """The pipeline that `text` (JSON) describes, its types checked and nothing more."""
    try:
        document = json.loads(text, object_pairs_hook=lambda pairs: _without_repeats(pairs, source))
    except json.JSONDecodeError as e:
        raise PipelineError(f"{source}:{e.lineno}", "is not JSON", e.msg) from e
    if not isinstance(document, dict):
        raise PipelineError(source, "is not a JSON object", "start from clicklake/pipeline.json")
    return _build(Pipeline, _with_processed_format(document, source), source)


def value_of(hint: Any, value: Any, where: str) -> Any:
    """`value` as what the type `hint` describes; PipelineError if it is of another type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise PipelineError(where, "must be a list", "in square brackets")
        return tuple(value_of(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is Literal:
        if value not in arguments:
            raise PipelineError(where, f"is {value!r}", f"one of {', '.join(arguments)}")
        return value
    allowed = arguments if origin is types.UnionType else (hint,)
    if type(value) not in allowed:
        names = {str: "text", int: "a whole number", bool: "true or false"}
        raise PipelineError(where, f"is {value!r}", f"must be {names.get(allowed[0], allowed[0])}")
    return value


def _build(cls: type[T], data: Any, where: str) -> T:
    """An instance of dataclass `cls` from a JSON object that has exactly its fields."""
    known = {f.metadata.get("key", f.name): f for f in fields(typing.cast("Any", cls))}
    if not isinstance(data, dict):
        raise PipelineError(where, "must be a JSON object", f"with {', '.join(known)}")
    for key in data:
        if key not in known:
            raise PipelineError(where, f"unknown key {key!r}", f"known are {', '.join(known)}")
    for key, f in known.items():
        if f.default is MISSING and key not in data:
            raise PipelineError(where, f"lacks {key!r}", "see clicklake/pipeline.json")
    hints = typing.get_type_hints(cls)
    return cls(**{known[key].name: value_of(hints[known[key].name], data[key], f"{where}: {key}") for key in data})


def _without_repeats(pairs: list[tuple[str, Any]], source: str) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        repeated = sorted({name for name, _ in pairs if [n for n, _ in pairs].count(name) > 1})
        raise PipelineError(source, f"the key {repeated[0]!r} is there twice", "remove one")
    return result


def _with_processed_format(document: dict[str, Any], source: str) -> dict[str, Any]:
    events = document.get("tables", {}).get("events") if isinstance(document.get("tables"), dict) else None
    if not isinstance(events, dict):
        return document
    if "format" in events:
        raise PipelineError(f"{source}: tables.events", "has a format", "set processed_format instead")
    events = events | {"format": document.get("processed_format")}
    return document | {"tables": document["tables"] | {"events": events}}
