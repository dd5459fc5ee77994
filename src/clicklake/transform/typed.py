"""The common form of an event in one step: a line of JSON straight to the values of its fields.

msgspec reads a known layout in less time than it takes to make a dict of it. A line with any other name in it, with a
value of another type, or that is not plain JSON, is left to the thorough way (decode, parse, validate), which gives the
same values wherever both give any: this file decides nothing.
"""

from typing import Any

import msgspec

from clicklake.pipeline import Accepts, Pipeline
from clicklake.transform.event import Values

_READ: dict[Accepts, Any] = {
    "text": str | None,
    "text or integer": str | int | None,
    "text or number": str | int | None,
    "number": float | None,
    "time": str | int | float | None,
    "object": dict[str, Any] | None,
}


class TypedReader:
    """`TypedReader(pipeline)(line)`: the values as sent, in the order of the pipeline's fields; None if the line is no
    object that has known names and fitting types only. Of repeated names the last one wins, as everywhere."""

    def __init__(self, pipeline: Pipeline) -> None:
        # Fields by position, so that a name of pipeline.json need not be a Python name.
        fields = [(f"f{at}", _READ[field.accepts], None) for at, field in enumerate(pipeline.fields)]
        names = {f"f{at}": field.name for at, field in enumerate(pipeline.fields)}
        event = msgspec.defstruct("Event", fields, rename=names, forbid_unknown_fields=True, gc=False)
        self._decode = msgspec.json.Decoder(event).decode

    def __call__(self, line: bytes) -> Values | None:
        try:
            return [*msgspec.structs.astuple(self._decode(line))]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
