"""pipeline.json as frozen values: the one source of names, fields and columns.

The same file is read by Terraform (`jsondecode(file("pipeline.json"))`) and by whatever runs on a laptop, so it is
plain JSON and holds no expressions; `{environment}` in a name is replaced by the environment's name
(`replace(name, "{environment}", var.environment)` in Terraform, `Pipeline.names(environment)` here).

    PipelineError       the file is not a pipeline: what is wrong, where, and a hint
"""

import hashlib
import json
import os
import types
import typing
from dataclasses import MISSING, asdict, dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

FILE = Path(__file__).with_name("pipeline.json")

Accepts = Literal["text", "text or integer", "text or number", "number", "time", "object"]
"""What an input field may hold: a JSON string, number or object; `time` is ISO 8601 text or an epoch number."""
Otherwise = Literal["properties", "fail", "drop"]
"""What becomes of a value of another type: kept in `properties`, the record fails, or (private) it is dropped."""
GlueType = Literal["string", "bigint", "double", "boolean", "date", "timestamp"]
Format = Literal["parquet", "json"]

BUILT_IN_STEPS = (
    *("time", "identity", "url", "campaign", "channel"),
    *("device", "traffic", "network", "geo", "lineage"),
)


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
    database: str
    database_elsewhere: str
    workgroup: str
    unique_view: str


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
    handler: str
    runtime: str
    architecture: str
    memory_mib: int
    timeout_seconds: int


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the input event; `aliases` are other names senders use for it, in falling precedence."""

    name: str
    accepts: Accepts
    otherwise: Otherwise
    aliases: tuple[str, ...] = ()

    @property
    def private(self) -> bool:
        """True if no form of the value may be stored outside raw/ and failed.raw."""
        return self.otherwise == "drop"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table. In clickstream_events its value comes `from` a field or `by` a step of the transform."""

    name: str
    type: GlueType
    comment: str
    from_: str | None = field(default=None, metadata={"key": "from"})
    by: str | None = None


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

    def __iter__(self) -> typing.Iterator[Table]:
        return iter((self.events, self.failed, self.ledger))


@dataclass(frozen=True)
class Pipeline:
    """The whole file. `tables.events.format` is `processed_format`; a file's own value for it is refused."""

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
        """Changes whenever the meaning of a row may have; the time rule depends on the buffering."""
        whole = asdict(self)
        contract = {part: whole[part] for part in ("fields", "kept_query_parameters", "tables", "zones", "buffering")}
        return hashlib.sha256(json.dumps(contract, sort_keys=True).encode()).hexdigest()


def find(path: Path | str | None = None) -> Path:
    """The pipeline file: `path`, else the one CLICKLAKE_PIPELINE names, else ours."""
    return Path(path or os.environ.get("CLICKLAKE_PIPELINE") or FILE)


def load(path: Path | str | None = None) -> Pipeline:
    """Read and check the pipeline file that `find` names.

    Raises PipelineError with the place in the file and a hint.
    """
    file = find(path)
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as e:
        raise PipelineError(str(file), e.strerror or "can't be read", "name an existing pipeline file") from e
    return parse(text, str(file))


def parse(text: str, source: str = "pipeline") -> Pipeline:
    """The pipeline that `text` (JSON) describes; `source` names it in errors."""
    try:
        document = json.loads(text, object_pairs_hook=lambda pairs: _without_repeats(pairs, source))
    except json.JSONDecodeError as e:
        raise PipelineError(f"{source}:{e.lineno}", "is not JSON", e.msg) from e
    if not isinstance(document, dict):
        raise PipelineError(source, "is not a JSON object", "start from clicklake/pipeline.json")
    pipeline = _build(Pipeline, _with_processed_format(document, source), source)
    for check in (_check_zones, _check_fields, _check_columns):
        check(pipeline, source)
    return pipeline


def with_processed_format(pipeline: Pipeline, wanted: str) -> Pipeline:
    """The same pipeline with another `processed_format`; raises PipelineError if there is no such format."""
    form: Format = _value(Format, wanted, "processed_format")
    events = replace(pipeline.tables.events, format=form)
    return replace(pipeline, processed_format=form, tables=replace(pipeline.tables, events=events))


def _without_repeats(pairs: list[tuple[str, Any]], source: str) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        repeated = sorted({name for name, _ in pairs if [n for n, _ in pairs].count(name) > 1})
        raise PipelineError(source, f"the key {repeated[0]!r} is there twice", "remove one")
    return result


def _with_processed_format(document: dict[str, Any], source: str) -> dict[str, Any]:
    events = document.get("tables", {}).get("events") if isinstance(document.get("tables"), dict) else None
    if not isinstance(events, dict):
        return document
    if "format" in events:
        raise PipelineError(f"{source}: tables.events", "has a format", "set processed_format instead")
    events = events | {"format": document.get("processed_format")}
    return document | {"tables": document["tables"] | {"events": events}}


# --- from JSON to dataclasses --------------------------------------------------------------------------------------

T = TypeVar("T")


def _build(cls: type[T], data: Any, where: str) -> T:
    """An instance of dataclass `cls` from a JSON object that has exactly its fields."""
    known = {f.metadata.get("key", f.name): f for f in fields(typing.cast("Any", cls))}
    if not isinstance(data, dict):
        raise PipelineError(where, "must be a JSON object", f"with {', '.join(known)}")
    for key in data:
        if key not in known:
            raise PipelineError(where, f"unknown key {key!r}", f"known are {', '.join(known)}")
    for key, f in known.items():
        if f.default is MISSING and key not in data:
            raise PipelineError(where, f"lacks {key!r}", "see clicklake/pipeline.json")
    hints = typing.get_type_hints(cls)
    return cls(**{known[key].name: _value(hints[known[key].name], data[key], f"{where}: {key}") for key in data})


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if is_dataclass(hint):
        return _build(typing.cast("type[Any]", hint), value, where)
    if origin is tuple:
        if not isinstance(value, list):
            raise PipelineError(where, "must be a list", "in square brackets")
        return tuple(_value(arguments[0], item, f"{where}[{index}]") for index, item in enumerate(value))
    if origin is Literal:
        if value not in arguments:
            raise PipelineError(where, f"is {value!r}", f"one of {', '.join(arguments)}")
        return value
    allowed = arguments if origin is types.UnionType else (hint,)
    if type(value) not in allowed:
        names = {str: "text", int: "a whole number"}
        raise PipelineError(where, f"is {value!r}", f"must be {names.get(allowed[0], allowed[0])}")
    return value


# --- what the types can't say --------------------------------------------------------------------------------------


def _check_zones(pipeline: Pipeline, source: str) -> None:
    prefixes = {f.name: getattr(pipeline.zones, f.name) for f in fields(Zones)}
    for name, prefix in prefixes.items():
        if not prefix.endswith("/") or prefix.startswith("/"):
            raise PipelineError(f"{source}: zones.{name}", f"is {prefix!r}", "must look like 'raw/'")
        for other, inner in prefixes.items():
            # A zone inside raw/ would trigger the function with its own output, for ever:
            # docs.aws.amazon.com/lambda/latest/dg/with-s3.html, "Warning"
            if other != name and inner.startswith(prefix):
                raise PipelineError(
                    f"{source}: zones.{other}", f"lies inside {prefix!r}", "give each zone its own prefix"
                )


def _check_fields(pipeline: Pipeline, source: str) -> None:
    seen: set[str] = set()
    for known in pipeline.fields:
        for name in (known.name, *known.aliases):
            if name in seen:
                raise PipelineError(f"{source}: fields", f"{name!r} names two fields", "each name and alias once")
            seen.add(name)


def _check_columns(pipeline: Pipeline, source: str) -> None:
    for table in pipeline.tables:
        where = f"{source}: tables.{table.name}"
        names = [column.name for column in table.columns]
        for name in names:
            if names.count(name) > 1 or name in pipeline.partition_keys:
                raise PipelineError(where, f"has two columns {name!r}", "rename one; partition keys count")
            # Glue keeps column names in lower case: athena/latest/ug/tables-databases-columns-names.html
            if not (name.isidentifier() and name.isascii() and name == name.lower()):
                raise PipelineError(where, f"the column name {name!r} can't be used in SQL", "use a-z, 0-9 and _")
    inputs = {known.name for known in pipeline.fields if not known.private}
    private = {name for known in pipeline.fields if known.private for name in (known.name, *known.aliases)}
    for column in pipeline.tables.events.columns:
        where = f"{source}: column {column.name}"
        if column.name in private:
            raise PipelineError(where, "has the name of a private field", "choose another name")
        if (column.from_ is None) == (column.by is None):
            raise PipelineError(where, "needs a source", "either 'from' a field or 'by' a step")
        if column.by is not None and column.by not in BUILT_IN_STEPS:
            raise PipelineError(where, f"no step is called {column.by!r}", f"one of {', '.join(BUILT_IN_STEPS)}")
        if column.from_ is not None and column.from_ not in inputs and not column.from_.startswith("properties."):
            raise PipelineError(
                where, f"can't come from {column.from_!r}", "a field that is not private, or 'properties.<name>'"
            )
