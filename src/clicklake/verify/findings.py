"""What does not balance: each kind with what it means and what is to be done about it."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "unprocessed",
    "ledger_lost",
    "ledger_unreadable",
    "ledger_wrong",
    "raw_changed",
    "raw_missing",
    "processed_missing",
    "failed_missing",
    "processed_damaged",
    "failed_damaged",
    "left_over",
    "rows_differ",
    "unreadable",
    "content_differs",
    "orphan",
    "orphan_ledger",
    "partition_missing",
    "partition_location",
    "partition_columns",
    "delivery_error",
    "dead_letters",
]

Repair = Literal["process", "register"]

PROCESS = "have its raw object processed again: clicklake verify --repair"
REGISTER = "have the partition registered as the table says: clicklake verify --repair"
_GONE = "its raw object is gone: bring its last version back (aws s3api list-object-versions)"
_REMOVE = "nothing accounts for it: look at it, then remove it (aws s3 rm)"

ADVICE: dict[Kind, str] = {
    "raw_missing": "it was deleted before its time: bring its last version back (aws s3api list-object-versions)",
    "unreadable": "see what else is found of that day, or run the query yourself: clicklake query",
    "content_differs": PROCESS,
    "orphan": _REMOVE,
    "orphan_ledger": _REMOVE,
    "delivery_error": "Firehose could not deliver these records: docs/verify.md says how to send them again",
    "dead_letters": "invocations failed for good: clicklake replay --dlq",
}
"""For kinds that no repair mends; of the others, for those whose raw object is gone, _GONE."""


@dataclass(frozen=True, slots=True)
class Partition:
    table: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Finding:
    """`key` is that of an object, or names a partition, a table's day, or a queue. What mends it: processing `raw_key`
    again, or registering `partition`; neither, if a repair can't."""

    kind: Kind
    key: str
    expected: str
    found: str
    raw_key: str | None = None
    partition: Partition | None = None

    @property
    def repair(self) -> Repair | None:
        return "process" if self.raw_key else "register" if self.partition else None

    @property
    def advice(self) -> str:
        if self.raw_key:
            return PROCESS
        return REGISTER if self.partition else ADVICE.get(self.kind, _GONE)
