"""One raw object to at most one processed object, at most one failed object and one ledger row.

    decode -> validate -> dedup -> enrich -> encode

Rows are made as the encoder pulls them, in batches, so memory holds one batch of Python values, whatever the object's
size. The same raw bytes, key and settings give the same outputs, bit by bit.
"""

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import Any

import orjson

from clicklake import __version__
from clicklake.pipeline import Format, GlueType, Pipeline
from clicklake.transform.decode import decode
from clicklake.transform.dedup import Seen
from clicklake.transform.encode import BATCH, ENCODERS, ContentHash, NdjsonFile
from clicklake.transform.enrich import STEPS
from clicklake.transform.enrich.context import Context
from clicklake.transform.event import Failed, FailureType, Fields, Row, Tally
from clicklake.transform.gunzip import CHUNK, Plain
from clicklake.transform.keys import Place, place
from clicklake.transform.ledger import Entry, Written, ledger_row
from clicklake.transform.times import DAY, parse_time
from clicklake.transform.validate import Validator

RAW_KEPT = 1 << 20  # bytes of a failed record


@dataclass(frozen=True)
class Settings:
    """What the outputs depend on besides the raw object. `user_key` has at least 32 bytes, or is None: no user_key."""

    pipeline: Pipeline
    user_key: bytes | None = None
    processor_version: str = __version__

    def __post_init__(self) -> None:
        if self.user_key is not None and len(self.user_key) < 32:
            raise ValueError("the user key needs at least 32 bytes")

    @property
    def user_key_id(self) -> str | None:
        """Tells keys apart in the ledger and says nothing about them."""
        return hmac.digest(self.user_key, b"clicklake user key id", "sha256").hex()[:16] if self.user_key else None

    @cached_property
    def validate(self) -> Validator:
        return Validator(self.pipeline)


@dataclass(frozen=True, slots=True)
class Output:
    """An object to write: `rows` are in it, in the table's format."""

    key: str
    body: bytes = field(repr=False)
    rows: int
    content_type: str

    @property
    def written(self) -> Written:
        return Written(self.key, self.rows, len(self.body), hashlib.sha256(self.body).hexdigest())


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that a raw object becomes. `stale` are its possible output keys that are not written this time:
    they may exist from an earlier run and must go, so that the sums stay right."""

    processed: Output | None
    failed: Output | None
    ledger: Output
    stale: tuple[str, ...]
    partition: tuple[str, ...]
    tally: Tally


def process(raw: bytes, raw_key: str, last_modified_ms: int, settings: Settings, chunk_size: int = CHUNK) -> Batch:
    """The outputs of one raw object; any bytes will do. `last_modified_ms` dates a key without a time in its name.

    Raises ValueError if `raw_key` is not in the raw zone.
    """
    where = place(raw_key, last_modified_ms, settings.pipeline)
    run = _Run(where, settings, Plain(raw, chunk_size))
    content = ContentHash()
    processed = run.processed(content)
    failed = run.failed()
    entry = Entry(
        raw_key=raw_key,
        received_ms=where.received_ms,
        tally=run.tally,
        failures=run.failures,
        bytes_in=len(raw),
        bytes_decoded=run.plain.size,
        processed=processed.written if processed else None,
        failed=failed.written if failed else None,
        content_sha256=content.hexdigest(),
        processor_version=settings.processor_version,
        user_key_id=settings.user_key_id,
    )
    ledger = NdjsonFile(settings.pipeline.tables.ledger.columns)
    ledger.add([ledger_row(entry, settings.pipeline)])
    written = {output.key for output in (processed, failed) if output}
    return Batch(
        processed=processed,
        failed=failed,
        ledger=Output(where.ledger, ledger.close(), 1, _CONTENT_TYPES["json"]),
        stale=tuple(key for key in (*where.processed.values(), where.failed) if key not in written),
        partition=where.partition,
        tally=run.tally,
    )


_CONTENT_TYPES: dict[Format, str] = {"parquet": "application/vnd.apache.parquet", "json": "application/gzip"}


class _Run:
    """One pass over one raw object: good rows are pulled through it, failed ones stay behind."""

    def __init__(self, where: Place, settings: Settings, plain: Plain) -> None:
        self.where, self.settings, self.plain = where, settings, plain
        self.tally = Tally()
        self.failures: Counter[FailureType] = Counter()
        self._failed = NdjsonFile(settings.pipeline.tables.failed.columns)

    def processed(self, content: ContentHash) -> Output | None:
        """The processed object; None if no record is good."""
        table = self.settings.pipeline.tables.events
        batches = content.over(self._batches())
        first = next(batches, None)
        if first is None:
            return None
        body = ENCODERS[table.format](table.columns, chain((first,), batches))
        return Output(self.where.processed[table.format], body, self.tally.good, _CONTENT_TYPES[table.format])

    def failed(self) -> Output | None:
        """The failed object, once all records have passed; None if none failed."""
        if not self._failed.rows:
            return None
        return Output(self.where.failed, self._failed.close(), self._failed.rows, _CONTENT_TYPES["json"])

    def _batches(self) -> Iterator[list[Row]]:
        rows: list[Row] = []
        for row in self._rows():
            rows.append(row)
            if len(rows) == BATCH:
                yield rows
                rows = []
        if rows:
            yield rows

    def _rows(self) -> Iterator[Row]:
        # The measured hot loop: some 10 µs an event, most of them in here. Dicts, no objects.
        tally, validate = self.tally, self.settings.validate
        pipeline = self.settings.pipeline
        seen = Seen(tuple(known.name for known in pipeline.fields))
        context = self._context()
        shape = _Shape(pipeline)
        blank = shape.blank | {
            "raw_key": self.where.raw_key,
            "received_ts": self.where.received_ms,
            "processor_version": self.settings.processor_version,
        }
        for index, (offset, text, value) in enumerate(decode(self.plain)):
            checked = value if isinstance(value, Failed) else validate(value, text)
            if isinstance(checked, Failed):
                self._fail(index, offset, text, checked)
                continue
            fields, dropped, misplaced = checked
            properties = orjson.dumps(fields["properties"], option=orjson.OPT_SORT_KEYS)
            verdict = seen.judge(fields, properties)
            if verdict == "duplicate":
                tally.duplicate += 1
                continue
            tally.good += 1
            tally.dropped_values += dropped
            tally.misplaced_values += misplaced
            values = {**blank, **fields}  # what is no column, such as user_id, stays out of the row (_Shape.row)
            for step in STEPS:
                values.update(step(fields, values, context))
            values["properties"] = properties.decode()
            values["raw_offset"] = offset
            values["record_index"] = index
            if verdict == "other" or values["event_id"] is None:
                values["event_id"] = derived_id(self.where.raw_key, index)
                tally.rederived_ids += verdict == "other"
            for column, path, kind in shape.own:
                values[column] = own_value(fields, path, kind)
            yield shape.row(values)

    def _context(self) -> Context:
        pipeline = self.settings.pipeline
        return Context(
            received_ms=self.where.received_ms,
            buffer_ms=pipeline.buffering.aws.seconds * 1000,
            user_key=self.settings.user_key,
            redact=self.settings.validate.redact,
        )

    def _fail(self, index: int, offset: int, text: bytes, why: Failed) -> None:
        self.tally.failed += 1
        self.failures[why.type] += 1
        values = {
            "failure_type": why.type,
            "errors": orjson.dumps([{"path": why.path, "message": why.message}]).decode(),
            "raw": base64.b64encode(text[:RAW_KEPT]).decode(),
            "raw_length": len(text),
            "raw_sha256": hashlib.sha256(text).hexdigest(),
            "raw_key": self.where.raw_key,
            "raw_offset": offset,
            "record_index": index,
            "received_ts": self.where.received_ms,
            "processor_version": self.settings.processor_version,
        }
        columns = self.settings.pipeline.tables.failed.columns
        self._failed.add([tuple(values[column.name] for column in columns)])


class _Shape:
    """How values become a row of clickstream_events: their order, and where a team's own columns come from."""

    def __init__(self, pipeline: Pipeline) -> None:
        columns = pipeline.tables.events.columns
        self.blank: dict[str, Any] = dict.fromkeys(column.name for column in columns)
        self.row = itemgetter(*(column.name for column in columns))
        self.own = [
            (column.name, tuple(column.from_.split(".")), column.type)
            for column in columns
            if column.from_ and column.from_ != column.name
        ]


def derived_id(raw_key: str, index: int) -> str:
    """The id of an event that has none of its own: the same in every replay of the same raw object."""
    return hashlib.sha256(f"{raw_key}\n{index}".encode()).hexdigest()[:32]


_OWN_KINDS: dict[GlueType, tuple[type, ...]] = {
    "string": (str,),
    "bigint": (int,),
    "double": (int, float),
    "boolean": (bool,),
}


def own_value(fields: Fields, path: tuple[str, ...], kind: GlueType) -> Any:
    """The value of a team's own column; None if it is not there or of another type, but it stays in `properties`."""
    value: Any = fields
    for name in path:
        value = value.get(name) if type(value) is dict else None
    if kind in ("timestamp", "date"):
        moment = parse_time(value)
        return moment if kind == "timestamp" or moment is None else moment // DAY
    if type(value) not in _OWN_KINDS[kind] or (kind == "bigint" and not -(1 << 63) <= value < 1 << 63):
        return None
    return float(value) if kind == "double" else value
