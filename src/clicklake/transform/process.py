"""One raw object to at most one processed object, at most one failed object and one ledger row.

    decode -> validate -> dedup -> enrich -> encode

Rows are made as the encoder pulls them, in batches, and files are what `spool` gives (in memory, unless the caller has
better), so memory holds one batch of Python values and one row group, whatever the object's size. The same raw bytes,
key and settings give the same outputs, bit by bit.
"""

import base64
import hashlib
import hmac
import io
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import BinaryIO

import orjson

from clicklake import __version__
from clicklake.pipeline import Format, Pipeline
from clicklake.transform.assemble import Assembler
from clicklake.transform.decode import decode
from clicklake.transform.dedup import Seen
from clicklake.transform.encode import BATCH, BATCH_BYTES, ENCODERS, ContentHash, NdjsonFile
from clicklake.transform.enrich import STEPS
from clicklake.transform.enrich.context import Context
from clicklake.transform.enrich.device import rules_version
from clicklake.transform.enrich.geo import Database, database_version
from clicklake.transform.event import Failed, FailureType, Row, Tally
from clicklake.transform.gunzip import CHUNK, Plain
from clicklake.transform.keys import Place, place
from clicklake.transform.ledger import Entry, Written, ledger_row
from clicklake.transform.typed import TypedReader
from clicklake.transform.validate import Validator

RAW_KEPT = 1 << 20  # bytes of a failed record
Spool = Callable[[], BinaryIO]


@dataclass(frozen=True)
class Settings:
    """What the outputs depend on besides the raw object. `user_key` has at least 32 bytes, or is None: no user_key;
    `geo` is an open MMDB, or None."""

    pipeline: Pipeline
    user_key: bytes | None = None
    processor_version: str = __version__
    geo: Database | None = None

    def __post_init__(self) -> None:
        if self.user_key is not None and len(self.user_key) < 32:
            raise ValueError("the user key needs at least 32 bytes")

    @property
    def user_key_id(self) -> str | None:
        """Tells keys apart in the ledger and says nothing about them."""
        return hmac.digest(self.user_key, b"clicklake user key id", "sha256").hex()[:16] if self.user_key else None

    @cached_property
    def validate(self) -> Validator:
        reads = (name for step in STEPS for name in step.reads)
        headers = dict.fromkeys(name.removeprefix("headers.") for name in reads if name.startswith("headers."))
        return Validator(self.pipeline, tuple(headers))

    @cached_property
    def read(self) -> TypedReader:
        return TypedReader(self.pipeline)

    @cached_property
    def context(self) -> Context:
        buffer_ms = self.pipeline.buffering.aws.seconds * 1000
        return Context(buffer_ms, self.validate.redact, self.user_key, self.geo)

    @cached_property
    def assemble(self) -> Assembler:
        return Assembler(self.pipeline, self.validate.names, self.context, STEPS)


@dataclass(frozen=True, slots=True)
class Output:
    """An object to write: `rows` are in it, in the table's format."""

    key: str
    file: BinaryIO = field(repr=False)
    rows: int
    content_type: str

    @property
    def body(self) -> bytes:
        self.file.seek(0)
        return self.file.read()

    @property
    def written(self) -> Written:
        self.file.seek(0)
        digest = hashlib.file_digest(self.file, "sha256")  # type: ignore[arg-type]
        return Written(self.key, self.rows, self.file.seek(0, io.SEEK_END), digest.hexdigest())


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


def process(
    raw: bytes | BinaryIO,
    raw_key: str,
    last_modified_ms: int,
    settings: Settings,
    chunk_size: int = CHUNK,
    spool: Spool = io.BytesIO,
) -> Batch:
    """The outputs of one raw object, bytes or a file that can seek; any bytes will do. `last_modified_ms` dates a key
    without a time in its name; `spool` makes the files that outputs are written into.

    Raises ValueError if `raw_key` is not in the raw zone.
    """
    where = place(raw_key, last_modified_ms, settings.pipeline)
    plain = Plain(raw, chunk_size)
    run = _Run(where, settings, plain, spool)
    content = ContentHash()
    processed = run.processed(content)
    failed = run.failed()
    entry = Entry(
        raw_key=raw_key,
        received_ms=where.received_ms,
        tally=run.tally,
        failures=run.failures,
        bytes_in=plain.size_in,
        bytes_decoded=plain.size,
        processed=processed.written if processed else None,
        failed=failed.written if failed else None,
        content_sha256=content.hexdigest(),
        processor_version=settings.processor_version,
        user_key_id=settings.user_key_id,
        user_agent_rules=rules_version(),
        geo_database=database_version(settings.geo) if settings.geo else None,
    )
    written = {output.key for output in (processed, failed) if output}
    return Batch(
        processed=processed,
        failed=failed,
        ledger=_ledger(where, entry, settings.pipeline),
        stale=tuple(key for key in (*where.processed.values(), where.failed) if key not in written),
        partition=where.partition,
        tally=run.tally,
    )


_CONTENT_TYPES: dict[Format, str] = {"parquet": "application/vnd.apache.parquet", "json": "application/gzip"}


def _ledger(where: Place, entry: Entry, pipeline: Pipeline) -> Output:
    file = io.BytesIO()
    ledger = NdjsonFile(pipeline.tables.ledger.columns, file)
    ledger.add([ledger_row(entry, pipeline)])
    ledger.close()
    return Output(where.ledger, file, 1, _CONTENT_TYPES["json"])


class _Run:
    """One pass over one raw object: good rows are pulled through it, failed ones stay behind."""

    def __init__(self, where: Place, settings: Settings, plain: Plain, spool: Spool) -> None:
        self.where, self.settings, self.plain, self.spool = where, settings, plain, spool
        self.tally = Tally()
        self.failures: Counter[FailureType] = Counter()
        self._failed_file = spool()
        self._failed = NdjsonFile(settings.pipeline.tables.failed.columns, self._failed_file)

    def processed(self, content: ContentHash) -> Output | None:
        """The processed object; None if no record is good."""
        table = self.settings.pipeline.tables.events
        batches = content.over(self._batches())
        first = next(batches, None)
        if first is None:
            return None
        file = self.spool()
        ENCODERS[table.format](table.columns, chain((first,), batches), file)
        return Output(self.where.processed[table.format], file, self.tally.good, _CONTENT_TYPES[table.format])

    def failed(self) -> Output | None:
        """The failed object, once all records have passed; None if none failed."""
        if not self._failed.rows:
            return None
        self._failed.close()
        return Output(self.where.failed, self._failed_file, self._failed.rows, _CONTENT_TYPES["json"])

    def _batches(self) -> Iterator[list[Row]]:
        # The measured hot loop. Tuples, lists and dicts, no objects.
        tally, where, validate, assemble = self.tally, self.where, self.settings.validate, self.settings.assemble
        row, id_slot = assemble.row, assemble.layout.slot["event_id"]
        lineage = (where.raw_key, where.received_ms, self.settings.processor_version)
        judge = Seen(assemble.layout, self.settings.pipeline.fields).judge
        rows: list[Row] = []
        size = 0
        for index, (offset, text, value) in enumerate(decode(self.plain, self.settings.read)):
            checked = value if isinstance(value, Failed) else validate(value, text)
            if isinstance(checked, Failed):
                self._fail(index, offset, text, checked)
                continue
            values, properties, dropped, misplaced = checked
            verdict = judge(values, properties)
            if verdict == "duplicate":
                tally.duplicate += 1
                continue
            if dropped or misplaced:
                tally.dropped_values += dropped
                tally.misplaced_values += misplaced
            values += (*lineage, offset, index, properties.decode())
            if verdict == "other" or values[id_slot] is None:
                values[id_slot] = derived_id(where.raw_key, index)
                tally.rederived_ids += verdict == "other"
            rows.append(row(values))
            size += len(text)
            if len(rows) == BATCH or size > BATCH_BYTES:
                tally.good += len(rows)
                yield rows
                rows, size = [], 0
        if rows:
            tally.good += len(rows)
            yield rows

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


def derived_id(raw_key: str, index: int) -> str:
    """The id of an event that has none of its own: the same in every replay of the same raw object."""
    return hashlib.sha256(f"{raw_key}\n{index}".encode()).hexdigest()[:32]
