"""What flows between the steps.

In the hot loop (process.py) records, fields and rows are plain tuples and dicts: at some 10 µs an event, building an
object per record would cost more than most steps do. Everything that is made once per object is a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

FailureType = Literal["decode_error", "not_an_object", "missing_field", "invalid_field", "too_large"]
FAILURE_TYPES: tuple[FailureType, ...] = (
    "decode_error",
    "not_an_object",
    "missing_field",
    "invalid_field",
    "too_large",
)


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a record is no event. `path` is the field or `$` for the whole record; a message never quotes content."""

    type: FailureType
    path: str
    message: str


Record = tuple[int, bytes, dict[str, Any] | Failed]
"""A decoded record: byte offset in the decompressed object, its exact bytes, and the JSON object or what is wrong."""

Fields = Mapping[str, Any]
"""The known fields of one event under their own names, every value of the type that pipeline.json asks for."""

Values = Mapping[str, Any]
"""Values of columns by name. Times are epoch ms, dates are days since 1970-01-01; an absent column is NULL."""

Row = tuple[Any, ...]
"""One row's values in the table's order."""


@dataclass(slots=True)
class Tally:
    """What became of the records of one object; the one mutable value of the core, local to one call."""

    good: int = 0
    duplicate: int = 0
    failed: int = 0
    rederived_ids: int = 0
    dropped_values: int = 0
    misplaced_values: int = 0

    @property
    def records_in(self) -> int:
        return self.good + self.duplicate + self.failed
