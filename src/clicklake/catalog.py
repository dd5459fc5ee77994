"""The pipeline's tables as Glue describes them: pure functions from a Pipeline to the API's inputs.

terraform/modules/clickstream says the same in HCL, from the same pipeline.json.
"""

import base64
import json
from typing import Any

from clicklake.pipeline import Column, Format, Pipeline, Table

Document = dict[str, Any]  # a table or a partition as Glue's API has it

_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
# docs.aws.amazon.com/athena/latest/ug/parquet-serde.html and openx-json-serde.html: what Athena itself writes
_STORAGE: dict[Format, dict[str, Any]] = {
    "parquet": {
        "InputFormat": f"{_PARQUET}.MapredParquetInputFormat",
        "OutputFormat": f"{_PARQUET}.MapredParquetOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": f"{_PARQUET}.serde.ParquetHiveSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    },
    "json": {
        "InputFormat": "org.apache.hadoop.mapred.TextInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
        "SerdeInfo": {
            "SerializationLibrary": "org.openx.data.jsonserde.JsonSerDe",
            "Parameters": {"serialization.format": "1"},
        },
    },
}
_CLASSIFICATION = {
    "parquet": {"classification": "parquet"},
    "json": {"classification": "json", "compressionType": "gzip"},
}
# A view's own JSON names Trino's types: trino.io/docs/current/connector/hive.html, "Hive views"
TRINO = {"string": "varchar", "timestamp": "timestamp(3)"}
# What of a table's description its maker may set:
# docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog-tables.html, TableInput
_SETTABLE = {
    *("Name", "Description", "Owner", "Retention", "StorageDescriptor", "PartitionKeys", "TableType", "Parameters"),
    *("ViewOriginalText", "ViewExpandedText"),
}


def table_input(pipeline: Pipeline, table: Table, bucket: str) -> dict[str, Any]:
    """Glue's TableInput for one of the pipeline's tables."""
    return {
        "Name": table.name,
        "Description": table.comment,
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"EXTERNAL": "TRUE", **_CLASSIFICATION[table.format]},
        "PartitionKeys": _partition_keys(pipeline),
        "StorageDescriptor": {
            "Columns": [{"Name": c.name, "Type": c.type, "Comment": c.comment} for c in table.columns],
            "Location": f"s3://{bucket}/{pipeline.prefix(table)}",
            **_STORAGE[table.format],
        },
    }


def partition_columns(pipeline: Pipeline) -> tuple[Column, ...]:
    """The partition keys, which SQL sees as the last columns."""
    keys = pipeline.partition_keys
    return tuple(Column(name, "string", f"The {name} of arrival, UTC.", not_null=True) for name in keys)


def _partition_keys(pipeline: Pipeline) -> list[dict[str, str]]:
    return [{"Name": key.name, "Type": key.type, "Comment": key.comment} for key in partition_columns(pipeline)]


def format_of(storage: Document) -> Format:
    """The format that a table's or partition's storage descriptor describes."""
    return "parquet" if storage["InputFormat"] == _STORAGE["parquet"]["InputFormat"] else "json"


def in_format(table: Document, form: Format) -> Document:
    """Glue's TableInput for a table that Glue has, as it is but for the format of its files."""
    kept = {name: value for name, value in table["Parameters"].items() if name not in _CLASSIFICATION["json"]}
    return {name: value for name, value in table.items() if name in _SETTABLE} | {
        "Parameters": kept | _CLASSIFICATION[form],
        "StorageDescriptor": table["StorageDescriptor"] | _STORAGE[form],
    }


def partition_like(partition: Document, table: Document) -> Document:
    """Glue's PartitionInput for a partition that Glue has, with its table's columns and format.

    Athena reads a partition by its own: docs.aws.amazon.com/athena/latest/ug/updates-and-partitions.html
    """
    storage = table["StorageDescriptor"] | {"Location": partition["StorageDescriptor"]["Location"]}
    return {"Values": partition["Values"], "Parameters": partition.get("Parameters", {}), "StorageDescriptor": storage}


def unique_view_sql(pipeline: Pipeline, database: str) -> str:
    """Each event once: the first that arrived. The partition keys are in the window so that Trino still prunes days."""
    events = pipeline.tables.events
    # In quotation marks, for a team's own column may be called order.
    columns = ", ".join(f'"{name}"' for name in [*(c.name for c in events.columns), *pipeline.partition_keys])
    keys = ", ".join([*pipeline.partition_keys, "app_id", "event_id"])
    first = f"row_number() OVER (PARTITION BY {keys} ORDER BY received_ts, raw_key, record_index) AS copy"
    return f"SELECT {columns} FROM (SELECT *, {first} FROM {database}.{events.name}) WHERE copy = 1"


def unique_view_comment(pipeline: Pipeline) -> str:
    return f"{pipeline.tables.events.name} without repeats: the first of each event id, day by day of arrival."


def unique_view_input(pipeline: Pipeline, database: str, name: str) -> dict[str, Any]:
    """Glue's TableInput for the view, in the form that Athena's CREATE VIEW leaves in the catalog."""
    every = (*pipeline.tables.events.columns, *partition_columns(pipeline))
    columns = [(column.name, column.type, column.comment) for column in every]
    definition = {
        "originalSql": unique_view_sql(pipeline, database),
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": [{"name": name, "type": TRINO.get(type_, type_)} for name, type_, _ in columns],
    }
    # Sorted, as Terraform's jsonencode does: both make the same text, so neither finds something to change.
    encoded = base64.b64encode(json.dumps(definition, sort_keys=True, separators=(",", ":")).encode()).decode()
    return {
        "Name": name,
        "Description": unique_view_comment(pipeline),
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "PartitionKeys": [],
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": type_, "Comment": comment} for name, type_, comment in columns],
            "SerdeInfo": {"Name": "-", "SerializationLibrary": "-"},  # Terraform's provider can't send an empty one
        },
    }
