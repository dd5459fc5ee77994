"""pipeline.json as frozen values: the one source of names, fields and columns.

The same file is read by Terraform (`jsondecode(file("pipeline.json"))`) and by whatever runs on a laptop, so it is
plain JSON and holds no expressions; `{environment}` in a name is replaced by the environment's name
(`replace(name, "{environment}", var.environment)` in Terraform, `Pipeline.names(environment)` here).

    model.py    what it says: dataclasses, and PipelineError
    reading.py  JSON to them
    checks.py   what types can't say
"""

import os
from dataclasses import replace
from pathlib import Path

from clicklake.pipeline.checks import BUILT_IN_STEPS, check
from clicklake.pipeline.model import (
    Accepts,
    Buffer,
    Buffering,
    Column,
    Delivery,
    Field,
    Format,
    Function,
    GlueType,
    Names,
    Otherwise,
    Pipeline,
    PipelineError,
    RetentionDays,
    Table,
    Tables,
    Zones,
)
from clicklake.pipeline.reading import read, value_of

__all__ = [
    "BUILT_IN_STEPS",
    "FILE",
    "Accepts",
    "Buffer",
    "Buffering",
    "Column",
    "Delivery",
    "Field",
    "Format",
    "Function",
    "GlueType",
    "Names",
    "Otherwise",
    "Pipeline",
    "PipelineError",
    "RetentionDays",
    "Table",
    "Tables",
    "Zones",
    "find",
    "load",
    "parse",
    "with_processed_format",
]

FILE = Path(__file__).parent.with_name("pipeline.json")


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
    pipeline = read(text, source)
    check(pipeline, source)
    return pipeline


def with_processed_format(pipeline: Pipeline, wanted: str) -> Pipeline:
    """The same pipeline with another `processed_format`; raises PipelineError if there is no such format."""
    form: Format = value_of(Format, wanted, "processed_format")
    events = replace(pipeline.tables.events, format=form)
    return replace(pipeline, processed_format=form, tables=replace(pipeline.tables, events=events))
