"""What the types of model.py can't say: zones apart, names once, every column with a source that fits it."""

from collections.abc import Mapping
from dataclasses import fields

from clicklake.pipeline.model import Accepts, Column, Field, GlueType, Pipeline, PipelineError, Zones

BUILT_IN_STEPS = (
    *("time", "identity", "url", "referrer", "campaign", "channel"),
    *("device", "traffic", "network", "geo", "locale", "lineage"),
)
# The transform and the view clickstream_events_unique can't do without these.
REQUIRED_COLUMNS = ("event_id", "app_id", "received_ts", "properties", "raw_key", "raw_offset", "record_index")
# What a column that comes from a field may be. An object has no column of its own but `properties`.
_FITS: dict[Accepts, GlueType] = {
    "text": "string",
    "text or integer": "string",
    "text or number": "string",
    "number": "double",
    "time": "timestamp",
}
_LONGEST_COMMENT = 255  # docs.aws.amazon.com/glue/latest/webapi/API_Column.html


def check(pipeline: Pipeline, source: str) -> None:
    """Raises PipelineError for the first thing that is wrong; `source` names the file in it."""
    _check_zones(pipeline, source)
    _check_fields(pipeline, source)
    _check_names(pipeline, source)
    _check_sources(pipeline, source)
    _check_required(pipeline, source)


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
        for name in known.names:
            if name in seen:
                raise PipelineError(f"{source}: fields", f"{name!r} names two fields", "each name and alias once")
            seen.add(name)


def _check_names(pipeline: Pipeline, source: str) -> None:
    for table in pipeline.tables:
        where = f"{source}: tables.{table.name}"
        names = [column.name for column in table.columns]
        for column in table.columns:
            name = column.name
            if names.count(name) > 1 or name in pipeline.partition_keys:
                raise PipelineError(where, f"has two columns {name!r}", "rename one; partition keys count")
            # Glue keeps column names in lower case: athena/latest/ug/tables-databases-columns-names.html
            if not (name.isidentifier() and name.isascii() and name == name.lower()):
                raise PipelineError(where, f"the column name {name!r} can't be used in SQL", "use a-z, 0-9 and _")
            if len(column.comment) > _LONGEST_COMMENT or not column.comment.isprintable():
                raise PipelineError(
                    f"{source}: column {name}", "Glue can't take its comment", "one line of 255 characters at most"
                )


def _check_sources(pipeline: Pipeline, source: str) -> None:
    inputs = {known.name: known for known in pipeline.fields if not known.private}
    private = {name for known in pipeline.fields if known.private for name in known.names}
    removed = {_spelling(name) for name in (*private, *pipeline.private_names)}
    for column in pipeline.tables.events.columns:
        where = f"{source}: column {column.name}"
        if column.name in private:
            raise PipelineError(where, "has the name of a private field", "choose another name")
        if (column.from_ is None) == (column.by is None):
            raise PipelineError(where, "needs a source", "either 'from' a field or 'by' a step")
        if column.by is not None and column.by not in BUILT_IN_STEPS:
            raise PipelineError(where, f"no step is called {column.by!r}", f"one of {', '.join(BUILT_IN_STEPS)}")
        if column.from_ is not None:
            _check_from(column, column.from_, inputs, where)
            if any(_spelling(part) in removed for part in column.from_.split(".")):
                raise PipelineError(where, "comes from a private name", "what has one is removed before")


def _spelling(name: str) -> str:
    """As transform/redact.py compares them."""
    return "".join(filter(str.isalnum, name)).casefold()


def _check_from(column: Column, path: str, inputs: Mapping[str, Field], where: str) -> None:
    if path.startswith("properties."):
        if not all(path.split(".")):
            raise PipelineError(where, f"can't come from {path!r}", "a path such as 'properties.cart.total'")
        if column.not_null:
            raise PipelineError(where, "can't promise to be there", "nobody can make senders fill properties")
        return
    known = inputs.get(path)
    if known is None or (known.accepts == "object" and column.name != known.name):
        raise PipelineError(where, f"can't come from {path!r}", "a field that is not private, or 'properties.<name>'")
    fitting = _FITS.get(known.accepts, "string")
    if column.type != fitting:
        raise PipelineError(where, f"is {column.type}, and {path!r} holds {known.accepts}", f"make it {fitting}")


def _check_required(pipeline: Pipeline, source: str) -> None:
    here = {column.name for column in pipeline.tables.events.columns}
    for name in REQUIRED_COLUMNS:
        if name not in here:
            raise PipelineError(f"{source}: tables.events", f"lacks the column {name!r}", "the transform needs it")
