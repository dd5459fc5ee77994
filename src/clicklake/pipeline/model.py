"""What pipeline.json says, as frozen values. Reading it is reading.py's, and checking it checks.py's.

PipelineError       the file is not a pipeline: what is wrong, where, and a hint
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

Accepts = Literal["text", "text or integer", "text or number", "number", "time", "object"]
"""What an input field may hold: a JSON string, number or object; `time` is ISO 8601 text or an epoch number."""
Otherwise = Literal["properties", "fail", "drop"]
"""What becomes of a value of another type: kept in `properties`, the record fails, or (private) it is dropped."""
GlueType = Literal["string", "bigint", "double", "boolean", "date", "timestamp"]
Format = Literal["parquet", "json"]


class PipelineError(Exception):
    """The pipeline file can't be used; `hint` says what to change."""

    def __init__(self, where: str, problem: str, hint: str) -> None:
        super().__init__(f"{where}: {problem} ({hint})")
        self.where = where
        self.problem = problem
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Names:
    """Names of what is provisioned, for one environment."""

    delivery_stream: str
    bucket: str
    function: str
    failure_queue: str
    database: str
    database_elsewhere: str
    workgroup: str
    unique_view: str

    @property
    def function_logs(self) -> str:
        """The log group of the function, under the name that Lambda writes to."""
        return f"/aws/lambda/{self.function}"

    @property
    def delivery_logs(self) -> str:
        """The log group of failed deliveries, under the name that Firehose's console chooses."""
        return f"/aws/kinesisfirehose/{self.delivery_stream}"


@dataclass(frozen=True, slots=True)
class Zones:
    """Prefixes of the bucket, each ending in a slash."""

    raw: str
    processed: str
    failed: str
    ledger: str
    query_results: str
    delivery_errors: str


@dataclass(frozen=True, slots=True)
class Buffer:
    """When Firehose writes an object: whatever comes first."""

    mib: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Buffering:
    aws: Buffer
    laptop: Buffer


@dataclass(frozen=True, slots=True)
class Delivery:
    """Firehose's prefix expressions: docs.aws.amazon.com/firehose/latest/dev/s3-object-name.html."""

    prefix: str
    error_prefix: str


@dataclass(frozen=True, slots=True)
class RetentionDays:
    """After so many days a zone's objects expire; a zone that is not named here is kept."""

    raw: int
    failed: int
    query_results: int


@dataclass(frozen=True, slots=True)
class Function:
    """The last two are for asynchronous invocations: docs.aws.amazon.com/lambda/latest/dg/invocation-async.html."""

    handler: str
    runtime: str
    architecture: str
    memory_mib: int
    timeout_seconds: int
    maximum_retry_attempts: int
    maximum_event_age_seconds: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the input event; `aliases` are other names senders use for it, in falling precedence.

    `comment`, `unit` and `example` are for the documents only; together the examples are the documents' one event.
    """

    name: str
    accepts: Accepts
    otherwise: Otherwise
    comment: str
    aliases: tuple[str, ...] = ()
    unit: str | None = None
    example: Any = None

    @property
    def private(self) -> bool:
        """True if no form of the value may be stored outside raw/ and failed.raw."""
        return self.otherwise == "drop"

    @property
    def names(self) -> tuple[str, ...]:
        """Its own, then its aliases."""
        return (self.name, *self.aliases)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. In clickstream_events its value comes `from` a field or `by` a step of the transform.

    `not_null` is a promise to readers. `example`, of a column that comes from `properties.<name>`, is what the
    documents' event has there.
    """

    name: str
    type: GlueType
    comment: str
    from_: str | None = field(default=None, metadata={"key": "from"})
    by: str | None = None
    not_null: bool = False
    unit: str | None = None
    example: Any = None


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    zone: Literal["processed", "failed", "ledger"]
    comment: str
    columns: tuple[Column, ...]
    format: Format = "parquet"


@dataclass(frozen=True, slots=True)
class Tables:
    events: Table
    failed: Table
    ledger: Table

    def __iter__(self) -> Iterator[Table]:
        return iter((self.events, self.failed, self.ledger))


@dataclass(frozen=True)
class Pipeline:
    """The whole file. `tables.events.format` is `processed_format`; a file's own value for it is refused.

    What is called by one of `private_names`, or by a name of a private field, is removed from `properties`, in any
    spelling and at any depth.
    """

    environment: str
    names_pattern: Names = field(metadata={"key": "names"})
    zones: Zones
    partition_keys: tuple[str, ...]
    delivery: Delivery
    buffering: Buffering
    retention_days: RetentionDays
    function: Function
    processed_format: Format
    fields: tuple[Field, ...]
    kept_query_parameters: tuple[str, ...]
    tables: Tables
    private_names: tuple[str, ...] = ()

    def names(self, environment: str | None = None) -> Names:
        """The names in `environment` (default: the file's own, `dev`)."""
        environment = environment or self.environment
        resolved = {
            f.name: getattr(self.names_pattern, f.name).replace("{environment}", environment) for f in fields(Names)
        }
        if environment != self.environment:
            # Athena takes no hyphen in a database's name: docs.aws.amazon.com/athena/latest/ug/glue-best-practices.html
            resolved["database"] = resolved["database_elsewhere"].replace("-", "_")
        return Names(**resolved)

    def prefix(self, table: Table) -> str:
        """The zone prefix under which the table's objects lie."""
        return str(getattr(self.zones, table.zone))

    @cached_property
    def contract_sha256(self) -> str:
        """Changes whenever the meaning of a row may have. Comments, examples and the format of the files give a row no
        other meaning; AWS's buffering does, for the time rule depends on it."""
        contract = {
            "fields": [(known.names, known.accepts, known.otherwise) for known in self.fields],
            "kept_query_parameters": self.kept_query_parameters,
            "private_names": self.private_names,
            "tables": [[(c.name, c.type, c.from_, c.by) for c in table.columns] for table in self.tables],
            "partition_keys": self.partition_keys,
            "zones": asdict(self.zones),
            "buffer_seconds": self.buffering.aws.seconds,
        }
        return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()
