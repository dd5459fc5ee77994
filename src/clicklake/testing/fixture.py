"""What a test is handed: send events, wait for nothing, ask what became of them."""

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from clicklake import query
from clicklake.errors import NoError, RefusedError, UsageError
from clicklake.lake import LedgerRow
from clicklake.pipeline import Names, Table
from clicklake.target import translated
from clicklake.testing import quiet
from clicklake.testing.outcome import Outcome, opened, outcome
from clicklake.testing.rows import Row, rows
from clicklake.testing.stack import Stack

Event = Mapping[str, Any] | str | bytes
"""A dict is sent as JSON; text and bytes are sent as they are, broken ones for instance."""

__tracebackhide__ = True  # of a test that fails pytest shows the test
_PATIENCE = 60.0  # seconds
# One PutRecordBatch: docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html
_RECORDS, _BYTES = 500, 4 * 2**20


class Clicklake:
    """The pipeline of one test. What reads waits first for all that was sent, by whomever, so a test need not."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._ledger: dict[str, LedgerRow | None] = {}  # by raw key, in the order of arrival

    @property
    def environment(self) -> dict[str, str]:
        """The AWS_* variables that are set while the test runs."""
        return dict(self._stack.environment)

    def client(self, service: str) -> Any:
        """A boto3 client of the endpoint, such as `client("firehose")`."""
        return self._stack.client(service)

    @property
    def names(self) -> Names:
        """Of the stream, the bucket, the function, the database ..."""
        return self._stack.names

    def send(self, *events: Event | Iterable[Event]) -> Outcome:
        """Send events, or lists of them, each as a Firehose record of its own, and wait until all are accounted for.

        What became of them is no error: a record that fails is counted, with its reason. Raises UsageError if an event
        is no JSON, RefusedError if Firehose takes one not, NoError if the function failed at them.
        """
        records = [_record(event) for event in _flat(events)]
        self._settle()
        for batch in _batches(records):
            self._put(batch)
        return self._outcome(self._settle())

    def _put(self, batch: list[dict[str, bytes]]) -> None:
        with translated():
            done = self.client("firehose").put_record_batch(
                DeliveryStreamName=self._stack.names.delivery_stream, Records=batch
            )
        for answer in done["RequestResponses"]:
            if "ErrorCode" in answer:
                code = answer["ErrorCode"]
                raise RefusedError(f"the stream refused an event: {code}: {answer.get('ErrorMessage')}", code=code)

    def good(self, **columns: Any) -> list[Row]:
        """Rows of clickstream_events in the order of arrival, those whose columns have these values: dicts by column,
        `properties` read from its JSON. Raises UsageError if there is no such column."""
        table = self._stack.pipeline.tables.events
        self._check(columns, table)
        found = self._rows(table)
        return [row for row in found if all(row[name] == value for name, value in columns.items())]

    def failed(self) -> list[Row]:
        """Rows of clickstream_failed in the order of arrival: dicts by column, `errors` read from its JSON, `raw` as
        the record's bytes."""
        return self._rows(self._stack.pipeline.tables.failed)

    def query(self, sql: str) -> list[Row]:
        """A statement's rows as dicts with Python's values. Raises RefusedError with Athena's reason."""
        self._settle(strictly=False)
        return self._ask(sql)

    def reset(self) -> None:
        """Empty the lake, as it is done before each test."""
        self._ledger.clear()
        self._stack.reset()

    def wait(self) -> Outcome:
        """Wait until everything that was sent is accounted for, and say what became of all since the last reset."""
        self._settle()
        return self._outcome(row for row in self._ledger.values() if row)

    def account(self) -> str:
        """For the report of a test that failed: what became of what it sent."""
        self._settle(strictly=False)
        return "\n".join([str(self._outcome(row for row in self._ledger.values() if row)), *self._unprocessed()])

    # --- how -----------------------------------------------------------------------------------------------------

    def _settle(self, *, strictly: bool = True) -> list[LedgerRow]:
        """Wait, and look at what has arrived since the last time: its ledger rows."""
        if left := quiet.wait(self._stack.url, _PATIENCE):
            raise NoError(f"after {_PATIENCE:.0f} s this is still on its way: {', '.join(left)}", "see docs/testing.md")
        new = [raw.place for raw in self._stack.lake.raw_objects() if self._ledger.get(raw.place.raw_key) is None]
        found = {place.raw_key: self._stack.lake.ledger_row(place.ledger) for place in new}
        self._ledger |= found
        if strictly and (lost := self._unprocessed()):
            raise NoError("; ".join(lost), "is it the pipeline file, or the function's environment?")
        return [row for row in found.values() if row]

    def _unprocessed(self) -> list[str]:
        """Raw objects that the function was told of and has written no ledger row for, with its own words."""
        keys = [key for key, row in self._ledger.items() if row is None and key.endswith(".gz")]
        return [f"the function failed at {key}: {self._last_error()}" for key in keys]

    def _last_error(self) -> str:
        """What Lambda sent to the queue of what failed; docs.aws.amazon.com/lambda/latest/dg/invocation-async.html."""
        sqs = self.client("sqs")
        with translated():
            url = sqs.get_queue_url(QueueName=self._stack.names.failure_queue)["QueueUrl"]
            found = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0, MaxNumberOfMessages=10).get("Messages", ())
        said = (json.loads(message["Body"]).get("responsePayload") or {} for message in found)
        return next((f"{s.get('errorType')}: {s['errorMessage']}" for s in said if "errorMessage" in s), "no reason")

    def _outcome(self, ledger: Iterable[LedgerRow]) -> Outcome:
        ledger = list(ledger)
        keys = {row["raw_key"] for row in ledger if row["failed"]}
        failed = self._rows(self._stack.pipeline.tables.failed) if keys else []
        return outcome(ledger, (row for row in failed if row["raw_key"] in keys))

    def _rows(self, table: Table) -> list[Row]:
        self._settle()
        order = {key: number for number, key in enumerate(self._ledger)}
        found = self._ask(f'SELECT * FROM "{table.name}"')
        found.sort(key=lambda row: (order.get(row["raw_key"], len(order)), row["record_index"] or 0))
        return [opened(row, table is self._stack.pipeline.tables.events) for row in found]

    def _ask(self, sql: str) -> list[Row]:
        names = self._stack.names
        return rows(query.run(self._stack.target, sql, names.workgroup, names.database))

    def _check(self, columns: Iterable[str], table: Table) -> None:
        known = [*(column.name for column in table.columns), *self._stack.pipeline.partition_keys]
        for name in columns:
            if name not in known:
                close = difflib.get_close_matches(name, known, 3)
                raise UsageError(f"{table.name} has no column {name}", f"there is: {', '.join(close or known)}")


def _flat(events: Iterable[Event | Iterable[Event]]) -> Iterator[Event]:
    for event in events:
        if isinstance(event, Mapping | str | bytes):
            yield event
        else:
            yield from event


def _record(event: Event) -> bytes:
    if isinstance(event, bytes):
        return event
    if isinstance(event, str):
        return event.encode()
    try:
        return json.dumps(event, ensure_ascii=False, default=_text).encode()
    except (TypeError, ValueError) as e:
        raise UsageError(f"an event can't be sent: {e}", "an event is a dict of JSON's values") from e


def _text(value: object) -> str:
    """As the producer writes them."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    kind = "a datetime without a time zone" if isinstance(value, datetime) else f"a {type(value).__name__}"
    raise TypeError(f"{kind} is not JSON")


def _batches(records: Iterable[bytes]) -> Iterator[list[dict[str, bytes]]]:
    batch: list[dict[str, bytes]] = []
    size = 0
    for data in records:
        if batch and (len(batch) == _RECORDS or size + len(data) > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append({"Data": data})
        size += len(data)
    if batch:
        yield batch
