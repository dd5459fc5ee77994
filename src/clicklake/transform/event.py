"""What flows between the steps.

In the hot loop (process.py) records, values and rows are plain tuples, lists and dicts: building an object per record
would cost more than most steps do. What is made once per object is a frozen dataclass.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
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


Values = list[Any]
"""One event's values, each in the slot that a Layout gives its name. Times are epoch ms, dates are days since
1970-01-01; None is absent."""

Record = tuple[int, bytes, dict[str, Any] | Values | Failed]
"""A decoded record: byte offset in the decompressed object, its exact bytes, and the JSON object (or the values of its
fields, typed.py) or what is wrong."""

Row = tuple[Any, ...]
"""One row's values in the table's order."""


class Layout:
    """Which slot of an event's values is whose: the input fields first, then the headers that are read, then what
    the transform adds."""

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(dict.fromkeys(names))
        self.slot = {name: at for at, name in enumerate(self.names)}

    def reader(self, names: Iterable[str]) -> Callable[[Values], tuple[Any, ...]]:
        """Takes the values of `names` out of an event's, always as a tuple."""
        slots = [self.slot[name] for name in names]
        if len(slots) > 1:
            return itemgetter(*slots)
        (slot,) = slots
        return lambda values: (values[slot],)


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
