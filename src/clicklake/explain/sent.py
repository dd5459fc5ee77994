"""What became of each name that a record was sent with; and its bytes without private values.

The rules are the transform's (validate.py, clean.py), told about one record.
"""

import re
from dataclasses import dataclass
from typing import Any

import orjson

from clicklake.pipeline import Field, Pipeline
from clicklake.transform.event import Failed
from clicklake.transform.parse import parse_exactly
from clicklake.transform.redact import address_redactor, private_names, text_redactor
from clicklake.transform.validate import fits

MASK = "(private)"
_EMPTY = (None, "")
_WORD = re.compile(r"[\w.:/\[\]-]+")  # whatever could be a name in something that is nearly JSON


@dataclass(frozen=True, slots=True)
class Sent:
    """A name of the record, and what became of its value: `field` is the field that it fills, if it does."""

    name: str
    becomes: str
    field: str | None = None


class Teller:
    """What is told of records of one pipeline."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._fields = pipeline.fields
        self._of = {name: field for field in pipeline.fields for name in field.names}
        private = (name for field in pipeline.fields if field.private for name in field.names)
        self._is_private = private_names((*private, *pipeline.private_names))
        self._redact = text_redactor(address_redactor(pipeline.kept_query_parameters))
        self._private_fields = {field.name for field in pipeline.fields if field.private}

    def sent(self, text: bytes) -> list[Sent]:
        """Of each name, in its order; nothing of what is no JSON object."""
        record = parse_exactly(text)
        if isinstance(record, Failed):
            return []
        fills = {field.name: name for field in self._fields if (name := _filled_by(field, record))}
        return [self._told(name, value, record, fills) for name, value in record.items()]

    def _told(self, name: str, value: Any, record: dict[str, Any], fills: dict[str, str]) -> Sent:
        field = self._of.get(name)
        if field is None:
            return Sent(name, "removed: private" if self._is_private(name) else f"properties.{name}")
        if value in _EMPTY:
            return Sent(name, "as if not sent: empty")
        if fills.get(field.name) == name:
            return Sent(name, f"{field.name}: read, not kept" if field.private else field.name, field.name)
        chosen = record.get(fills.get(field.name, ""))
        if fits(field.accepts, value) and value == chosen:
            return Sent(name, f"{field.name}, as {fills[field.name]} says")
        why = f"must be {field.accepts}" if not fits(field.accepts, value) else f"{fills[field.name]} comes first"
        return Sent(name, f"removed: {why}" if field.private else f"properties.{name}: {why}")

    # --- without private values ---------------------------------------------------------------------------------------

    def is_private(self, name: str) -> bool:
        """Of a value that a step reads: a field's name, or `headers.<name>`."""
        return name.partition(".")[0] in self._private_fields

    def public(self, value: Any) -> Any:
        """A text without addresses' private parts; anything else as it is."""
        return self._redact(value) if isinstance(value, str) else value

    def masked(self, text: bytes) -> str | None:
        """The record with (private) for each private value; None if there is none. All of it is hidden if it is no JSON
        and has a private name somewhere."""
        record = parse_exactly(text)
        if isinstance(record, Failed):
            return self._masked_text(text.decode("utf-8", "backslashreplace"))
        clean = self._item(record)
        return None if clean == record else orjson.dumps(clean).decode()

    def _masked_text(self, text: str) -> str | None:
        if any(self._is_private(word) for word in _WORD.findall(text)):
            return MASK
        clean = " ".join(map(self._redact, text.split(" ")))
        return None if clean == text else clean

    def _item(self, item: Any) -> Any:
        if isinstance(item, dict):
            return {name: MASK if self._is_private(name) else self._item(value) for name, value in item.items()}
        if isinstance(item, list):
            return [self._item(value) for value in item]
        if not isinstance(item, str):
            return item
        return self._inside(item) if item.lstrip()[:1] in ("{", "[", '"') else self._redact(item)

    def _inside(self, text: str) -> str:
        """JSON in a text, which senders make that encode twice."""
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return self._masked_text(text) or text
        clean = self._item(value)
        return text if clean == value else orjson.dumps(clean).decode()


def _filled_by(field: Field, record: dict[str, Any]) -> str | None:
    """The name whose value the field has: its own first, then its aliases in their order."""
    fitting = (n for n in field.names if record.get(n) not in _EMPTY and fits(field.accepts, record[n]))
    return next(fitting, None)
