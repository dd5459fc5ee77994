"""What the API reference says of each parameter's length, range, pattern and values, in AWS's words when it is broken.

The rules are botocore's own model of the service. Pure, but for the model's file.
"""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from botocore.model import Shape

from localaws.errors import AwsError
from localaws.wire import Operation, Parameters, service_model

_model = service_model("firehose")
_SIZED = {"string": "length", "blob": "length", "list": "length", "integer": "value", "long": "value"}


def checked(name: str, operation: Operation) -> Operation:
    """The operation, but called only with parameters that keep the rules; ValidationException otherwise."""

    async def run_on_the_loop(call: Parameters) -> Parameters:
        check(name, call)
        return await operation(call)  # type: ignore[misc, no-any-return]  # it is a coroutine function

    def run(call: Parameters) -> Parameters:
        check(name, call)
        return operation(call)  # type: ignore[return-value]  # it is none

    return run_on_the_loop if inspect.iscoroutinefunction(operation) else run


def check(operation: str, call: Parameters) -> None:
    shape = _model().operation_model(operation).input_shape
    broken = list(_broken(shape, call, "")) if shape else []
    if broken:
        errors = "error" if len(broken) == 1 else "errors"
        raise AwsError("ValidationException", f"{len(broken)} validation {errors} detected: {'; '.join(broken)}")


def _broken(shape: Shape, value: Any, path: str) -> Iterator[str]:
    for constraint in _constraints(shape, value):
        yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {constraint}"
    if shape.type_name == "structure":
        for name, member in value.items():
            yield from _broken(shape.members[name], member, f"{path}.{_lower(name)}".lstrip("."))
    elif shape.type_name == "list":
        for number, member in enumerate(value, 1):
            yield from _broken(shape.member, member, f"{path}.{number}.member")


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _constraints(shape: Shape, value: Any) -> Iterator[str]:
    rules = shape.metadata
    what = _SIZED.get(shape.type_name, "")
    size = len(value) if what == "length" else value
    having = "have length" if what == "length" else "have value"
    if what and size < rules.get("min", size):
        yield f"{having} greater than or equal to {rules['min']}"
    if what and size > rules.get("max", size):
        yield f"{having} less than or equal to {rules['max']}"
    if "pattern" in rules and not _pattern(rules["pattern"]).fullmatch(value):
        yield f"satisfy regular expression pattern: {rules['pattern']}"
    if "enum" in rules and value not in rules["enum"]:
        yield f"satisfy enum value set: [{', '.join(rules['enum'])}]"


@cache
def _pattern(java: str) -> re.Pattern[str]:
    """Java's pattern as Python's: letters, numbers and separators have other names."""
    return re.compile(java.replace(r"\p{L}", r"\w").replace(r"\p{N}", r"\w").replace(r"\p{Z}", r"\s"), re.DOTALL)
