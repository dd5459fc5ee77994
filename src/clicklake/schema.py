"""The contract in other tools' languages: pure functions from a Pipeline to text.

json_schema   JSON Schema 2020-12 of the input event, for producers and gateways
ddl           the statements that make database, tables and view in Athena
dbt           a sources.yml: docs.getdbt.com/reference/source-properties
"""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from clicklake import catalog
from clicklake.pipeline import Accepts, Column, Field, GlueType, Names, Pipeline, Table

Form = Literal["json-schema", "ddl", "dbt"]


def render(form: Form, pipeline: Pipeline, environment: str | None = None, bucket: str | None = None) -> str:
    """The whole text, with a line end; `bucket` (default: the laptop's) is where the tables of the DDL lie."""
    names = pipeline.names(environment)
    return _FORMS[form](pipeline, names, bucket or names.bucket)


# --- JSON Schema ---------------------------------------------------------------------------------------------------

# As transform/times.py reads it. The last part is $ without the line end that some engines let pass.
_TIME_TEXT = (
    r"^(?:[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?"
    r"(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})?)?|[0-9]{9,17}(?:\.[0-9]{1,9})?)(?![\s\S])"
)
_TIME = {
    "anyOf": [
        {"type": "null"},
        {"type": "string", "pattern": _TIME_TEXT},
        {"type": "number", "minimum": 0, "exclusiveMaximum": 10**17},
    ]
}
_LARGEST_DOUBLE = sys.float_info.max
# null is as if the field had not been sent.
_ACCEPTED: dict[Accepts, dict[str, Any]] = {
    "text": {"type": ["string", "null"]},
    "text or integer": {"type": ["string", "integer", "null"]},
    "text or number": {"type": ["string", "number", "null"]},
    "number": {"type": ["number", "null"], "minimum": -_LARGEST_DOUBLE, "maximum": _LARGEST_DOUBLE},
    "time": _TIME,
    "object": {"type": ["object", "null"]},
}
_OWN: dict[GlueType, dict[str, Any]] = {
    "string": _ACCEPTED["text"],
    "bigint": {"type": ["integer", "null"], "minimum": -(2**63), "maximum": 2**63 - 1},
    "double": _ACCEPTED["number"],
    "boolean": {"type": ["boolean", "null"]},
    "date": _TIME,
    "timestamp": _TIME,
}
_CLAIM = (
    "An event that this schema accepts becomes a row with every known field in its place. What it does not accept may "
    "still be taken: a value of another type is kept in properties, and only an event without an event type is "
    "refused. JSON Schema can't say that 1.0 is no integer and that one of more than 64 bits is text, that a day must "
    "exist in its month, or how deep and how large an event may be."
)


def json_schema(pipeline: Pipeline) -> dict[str, Any]:
    """The input event; private fields are marked `writeOnly`, for nobody will ever read them back."""
    described: dict[str, Any] = {}
    for known in pipeline.fields:
        described[known.name] = _described(known)
        for alias in known.aliases:
            described[alias] = {"$ref": f"#/properties/{known.name}", "description": f"Another name of {known.name}."}
    for column in pipeline.tables.events.columns:
        if column.from_ and column.from_.startswith("properties."):
            _put(described, column)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Clickstream event",
        "description": _CLAIM,
        "type": "object",
        "properties": described,
        "additionalProperties": True,
        "allOf": [{"anyOf": [_there(name) for name in f.names]} for f in pipeline.fields if f.otherwise == "fail"],
        "examples": [{known.name: known.example for known in pipeline.fields}],
    }


def _described(known: Field) -> dict[str, Any]:
    unit = f" Unit: {known.unit}." if known.unit else ""
    private = {"writeOnly": True} if known.private else {}
    return {"description": known.comment + unit, **_ACCEPTED[known.accepts], **private, "examples": [known.example]}


def _there(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "string", "minLength": 1}}}


def _put(described: dict[str, Any], column: Column) -> None:
    """A team's own column at its path inside `properties`."""
    at = described
    *parents, last = str(column.from_).split(".")
    for name in parents:
        at = at.setdefault(name, {"type": ["object", "null"]}).setdefault("properties", {})
    at[last] = {**at.get(last, {}), "description": column.comment, **_OWN[column.type]}


# --- DDL -----------------------------------------------------------------------------------------------------------


def ddl(pipeline: Pipeline, names: Names, bucket: str) -> tuple[str, ...]:
    """Statements for Athena, which takes one at a time; run in order they make what `up` and Terraform make."""
    database = names.database
    return (
        f"CREATE DATABASE IF NOT EXISTS `{database}`",
        *(_create_table(pipeline, table, database, bucket) for table in pipeline.tables),
        f'CREATE OR REPLACE VIEW "{database}"."{names.unique_view}" AS\n{catalog.unique_view_sql(pipeline, database)}',
    )


def _create_table(pipeline: Pipeline, table: Table, database: str, bucket: str) -> str:
    described = catalog.table_input(pipeline, table, bucket)
    storage = described["StorageDescriptor"]
    properties = {name: value for name, value in described["Parameters"].items() if name != "EXTERNAL"}
    return "\n".join(
        [
            f"CREATE EXTERNAL TABLE IF NOT EXISTS `{database}`.`{table.name}` (",
            ",\n".join(_defined(column) for column in storage["Columns"]),
            ")",
            f"COMMENT {_literal(table.comment)}",
            "PARTITIONED BY (",
            ",\n".join(_defined(key) for key in described["PartitionKeys"]),
            ")",
            f"ROW FORMAT SERDE {_literal(storage['SerdeInfo']['SerializationLibrary'])}",
            f"STORED AS INPUTFORMAT {_literal(storage['InputFormat'])}",
            f"OUTPUTFORMAT {_literal(storage['OutputFormat'])}",
            f"LOCATION {_literal(storage['Location'])}",
            f"TBLPROPERTIES ({', '.join(f'{_literal(k)} = {_literal(v)}' for k, v in properties.items())})",
        ]
    )


def _defined(column: dict[str, str]) -> str:
    return f"  `{column['Name']}` {column['Type']} COMMENT {_literal(column['Comment'])}"


def _literal(text: str) -> str:
    r"""Text in Hive's quotes. There '' ends one text and begins the next, so a quote is \u0027 (Hive's
    BaseSemanticAnalyzer.unescapeSQLString), and so is everything that is not plain ASCII, in UTF-16 as in Java."""
    encoded = text.encode("utf-16-be")
    return "'" + "".join(_unit(int.from_bytes(encoded[at : at + 2])) for at in range(0, len(encoded), 2)) + "'"


def _unit(code: int) -> str:
    plain = 32 <= code < 127 and chr(code) not in "'\\"
    return chr(code) if plain else f"\\u{code:04X}"


# --- dbt -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Relation:
    """A table or view as dbt lists it."""

    name: str
    comment: str
    columns: tuple[Column, ...]
    unique: str | None = None


def dbt(pipeline: Pipeline, names: Names) -> Iterator[str]:
    """sources.yml, line by line; not_null is tested where the contract promises it. Strings are JSON's, which YAML 1.2
    takes as they are."""
    events, failed, ledger = pipeline.tables
    relations = (
        _Relation(events.name, events.comment, events.columns),
        _Relation(names.unique_view, catalog.unique_view_comment(pipeline), events.columns),
        _Relation(failed.name, failed.comment, failed.columns),
        _Relation(ledger.name, ledger.comment, ledger.columns, unique="raw_key"),
    )
    yield "version: 2"
    yield ""
    yield "sources:"
    yield "  - name: clickstream"
    yield "    database: awsdatacatalog"
    yield f"    schema: {json.dumps(names.database)}"
    yield "    tables:"
    for relation in relations:
        yield f"      - name: {json.dumps(relation.name)}"
        yield f"        description: {_described_to_dbt(relation.comment)}"
        yield "        columns:"
        for column in (*relation.columns, *catalog.partition_columns(pipeline)):
            yield from _dbt_column(column, unique=column.name == relation.unique)


def _dbt_column(column: Column, *, unique: bool) -> Iterator[str]:
    yield f"          - name: {json.dumps(column.name)}"
    yield f"            data_type: {json.dumps(catalog.TRINO.get(column.type, column.type))}"
    yield f"            description: {_described_to_dbt(column.comment)}"
    tests = [*(["not_null"] if column.not_null else []), *(["unique"] if unique else [])]
    if tests:
        yield f"            data_tests: [{', '.join(tests)}]"


def _described_to_dbt(comment: str) -> str:
    """dbt renders descriptions with Jinja, in which {{, {% and {# begin something."""
    return json.dumps(comment.replace("{", "{{ '{' }}") if "{" in comment else comment, ensure_ascii=False)


_FORMS: dict[Form, Callable[[Pipeline, Names, str], str]] = {
    "json-schema": lambda p, _, __: json.dumps(json_schema(p), indent=2, ensure_ascii=False) + "\n",
    "ddl": lambda p, names, bucket: "".join(f"{statement};\n\n" for statement in ddl(p, names, bucket)),
    "dbt": lambda p, names, _: "".join(f"{line}\n" for line in dbt(p, names)),
}
