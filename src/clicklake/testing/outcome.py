"""What became of what was sent: in = good + duplicate + failed, and why a record failed. Pure."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clicklake.lake import LedgerRow
from clicklake.testing.rows import Row

_SHOWN_BYTES = 200
_SHOWN_REASONS = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """Records by what became of them; `reasons` has a line for each that failed. Its text says all of it."""

    records_in: int = 0
    good: int = 0
    duplicate: int = 0
    failed: int = 0
    reasons: tuple[str, ...] = ()

    def __str__(self) -> str:
        sums = f"in {self.records_in:,} = good {self.good:,} + duplicate {self.duplicate:,} + failed {self.failed:,}"
        lines = [f"failed: {reason}" for reason in self.reasons[:_SHOWN_REASONS]]
        more = len(self.reasons) - len(lines)
        return "\n".join([sums, *lines, *([f"... and {more:,} more that failed"] if more > 0 else [])])

    def __repr__(self) -> str:
        return f"<Outcome: {self}>"


def outcome(ledger: Iterable[LedgerRow], failed: Iterable[Row]) -> Outcome:
    rows = list(ledger)
    sums = {name: sum(row[name] for row in rows) for name in ("records_in", "good", "duplicate", "failed")}
    return Outcome(**sums, reasons=tuple(map(reason, failed)))


def opened(row: Row, events: bool) -> Row:
    """A row of a table for tests: the columns that hold JSON are read, and `raw` is the record's bytes."""
    if events:
        return row | {"properties": _json(row["properties"])}
    return row | {"errors": _json(row["errors"]), "raw": base64.b64decode(row["raw"] or "")}


def _json(text: str | None) -> Any:
    return None if text is None else json.loads(text)


def reason(failed: Row) -> str:
    """`missing_field: event_type: is required, in {"a": 1}`"""
    errors = "; ".join(": ".join(filter(None, (e.get("path"), e.get("message")))) for e in failed["errors"] or ())
    raw = failed["raw"]
    text = raw[:_SHOWN_BYTES].decode(errors="backslashreplace") + (" ..." if len(raw) > _SHOWN_BYTES else "")
    return f"{failed['failure_type']}: {errors}, in {text.strip()}"
