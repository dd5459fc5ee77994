"""What the service model says of a value, refused in AWS's own words before an operation sees it. Pure.

Lengths, ranges, patterns and enumerations are those of botocore's model, which is AWS's. Not checked: `Runtime`, whose
refusal is another one (config.py), and what is no text or number.
"""

import functools
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.model

from localaws.errors import AwsError

# Shapes that an operation itself refuses, in other words.
_LEFT_OUT = frozenset({"Runtime", "InvocationType", "LogType"})


def check(shape: botocore.model.Shape, parameters: Mapping[str, Any]) -> None:
    """ValidationException with all that is wrong."""
    wrong = list(_violations(shape, parameters, ""))
    if wrong:
        many = "error" if len(wrong) == 1 else "errors"
        raise AwsError("ValidationException", f"{len(wrong)} validation {many} detected: {'; '.join(wrong)}")


def _violations(shape: botocore.model.Shape, value: Any, path: str) -> Iterator[str]:
    if shape.name in _LEFT_OUT:
        return
    for rule in _rules(shape):
        if not rule.holds(value):
            yield f"Value '{_text(value)}' at '{path}' failed to satisfy constraint: {rule.words}"
    if isinstance(shape, botocore.model.StructureShape):
        for name in value:
            inner = f"{path}.{_member(name)}" if path else _member(name)
            yield from _violations(shape.members[name], value[name], inner)
    elif isinstance(shape, botocore.model.ListShape):
        yield from _element_violations("Member", shape.member, value, value, path)
    elif isinstance(shape, botocore.model.MapShape):
        yield from _element_violations("Map keys", shape.key, value, list(value), path)
        yield from _element_violations("Map value", shape.value, value, list(value.values()), path)


def _element_violations(
    what: str, shape: botocore.model.Shape, whole: Any, elements: list[Any], path: str
) -> Iterator[str]:
    """AWS tells all rules of an element at once, and shows the whole list or map."""
    rules = _rules(shape)
    if shape.name not in _LEFT_OUT and any(not rule.holds(element) for element in elements for rule in rules):
        words = ", ".join([rule.words for rule in rules] + ["Member must not be null"])
        rule = f"{what} must satisfy constraint: [{words}]"
        yield f"Value '{_text(whole)}' at '{path}' failed to satisfy constraint: {rule}"


# Java's classes of characters, as Python has them.
_JAVA = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": r"\s"}


class _Rule:
    def __init__(self, words: str, holds: Callable[[Any], bool]) -> None:
        self.words = words
        self.holds = holds


@functools.cache
def _rules(shape: botocore.model.Shape) -> list[_Rule]:
    kind = "value" if shape.type_name in {"integer", "long", "double", "float"} else "length"
    rules = []
    if shape.type_name != "blob" and "max" in shape.metadata:
        rules.append(_bound(kind, "less", shape.metadata["max"]))
    if shape.type_name != "blob" and "min" in shape.metadata:
        rules.append(_bound(kind, "greater", shape.metadata["min"]))
    if "pattern" in shape.metadata:
        pattern = _compiled(shape.metadata["pattern"])
        words = f"Member must satisfy regular expression pattern: {shape.metadata['pattern']}"
        rules.append(_Rule(words, lambda value: pattern.fullmatch(value) is not None))
    if getattr(shape, "enum", None):
        known = list(shape.enum)
        rules.append(_Rule(f"Member must satisfy enum value set: [{', '.join(known)}]", lambda value: value in known))
    return rules


def _compiled(pattern: str) -> re.Pattern[str]:
    for java, python in _JAVA.items():
        pattern = pattern.replace(java, python)
    return re.compile(pattern)


def _bound(kind: str, direction: str, bound: float) -> _Rule:
    words = f"Member must have {kind} {direction} than or equal to {bound}"

    def holds(value: Any) -> bool:
        measured = value if kind == "value" else len(value)
        return bool(measured <= bound if direction == "less" else measured >= bound)

    return _Rule(words, holds)


def _member(name: str) -> str:
    return name[0].lower() + name[1:]


def _text(value: Any) -> str:
    """As Java prints it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_text(inner)}" for key, inner in value.items()) + "}"
    return str(value)
