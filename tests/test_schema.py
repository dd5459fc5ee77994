"""The contract in other tools' languages: JSON Schema, Athena's DDL, dbt's sources."""

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from athena_client import Queries
from clicklake import catalog, pipeline, schema
from endpoint_process import EndpointProcess
from transforming import transform, transform_raw

ROOT = Path(__file__).parent.parent
OURS = pipeline.load(pipeline.FILE)
EXAMPLES = int(os.environ.get("CLICKLAKE_EXAMPLES", "120"))
OWN = {
    "plan": {"type": "string", "from": "properties.plan"},
    "seats": {"type": "bigint", "from": "properties.team.seats"},
    "price": {"type": "double", "from": "properties.team.price"},
    "order": {"type": "string", "from": "properties.order"},  # a word of SQL's
    "trial": {"type": "boolean", "from": "properties.trial"},
    "renews_on": {"type": "date", "from": "properties.renews_on"},
    "seen_at": {"type": "timestamp", "from": "properties.seen_at"},
}


def with_own_columns() -> pipeline.Pipeline:
    document = json.loads(pipeline.FILE.read_text())
    document["tables"]["events"]["columns"] += [{"name": name, "comment": "Ours."} | c for name, c in OWN.items()]
    return pipeline.parse(json.dumps(document))


# --- JSON Schema ---------------------------------------------------------------------------------------------------

CHECK = jsonschema.Draft202012Validator(schema.json_schema(OURS))
UNSAYABLE = {"decode_nested_too_deeply"}  # what JSON Schema has no words for; the schema's description says so
GOLDEN = sorted({path.parent.name for path in (ROOT / "tests/golden").glob("*/raw")} - UNSAYABLE)


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema.json_schema(OURS))
    jsonschema.Draft202012Validator.check_schema(schema.json_schema(with_own_columns()))


def test_every_name_of_every_field_is_in_it() -> None:
    described = schema.json_schema(OURS)["properties"]
    assert set(described) == {name for known in OURS.fields for name in known.names}
    assert {name for name, one in described.items() if one.get("writeOnly")} == {"user_id", "ip", "headers"}


def test_the_seeds_sample_event_and_the_documents_own_are_accepted() -> None:
    CHECK.validate(json.loads((ROOT / "sample-event.json").read_text()))
    (example,) = schema.json_schema(OURS)["examples"]
    CHECK.validate(example)


@pytest.mark.parametrize("name", ["event_type", "event_name", "event"])
def test_the_event_type_is_required_under_any_of_its_names(name: str) -> None:
    assert CHECK.is_valid({name: "x"})
    assert not CHECK.is_valid({name: ""})
    assert not CHECK.is_valid({name: None})
    assert not CHECK.is_valid({})


@pytest.mark.parametrize(
    ("field", "value", "accepted"),
    [
        ("event_id", 7, True),
        ("event_id", 7.5, False),
        ("messageId", True, False),
        ("ts", 1764152071, True),
        ("ts", -1, False),
        ("ts", "2025-11-26T10:14:31Z", True),
        ("ts", "2025-11-26 10:14", True),
        ("ts", "2025-11-26T10:14:31Z\n", False),
        ("ts", "yesterday", False),
        ("value", "7", False),
        ("user_id", 4711.5, True),
        ("user_id", ["u"], False),
        ("headers", "accept: */*", False),
        ("anything_else", ["kept"], True),
    ],
)
def test_types_are_those_that_fields_accept(field: str, value: Any, accepted: bool) -> None:
    assert CHECK.is_valid({"event_type": "x", field: value}) is accepted


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON (RFC 8259)")


# Of the form of a time, but none: a pattern can't say so, and the schema's description tells.
INEXPRESSIBLE = (b"2025-02-30", b"T24:00", b"T25:00", b"+24:00", b"+25:00", b"-13-", b":60")


def test_what_golden_files_hold_is_accepted_and_refused_as_the_transform_does() -> None:
    """Accepted means a row with nothing misplaced; refused for its fields means refused by the schema."""
    seen = {"accepted": 0, "failed": 0}
    for case in GOLDEN:
        for line in (ROOT / "tests/golden" / case / "raw").read_bytes().splitlines():
            try:
                record = json.loads(line.decode(), parse_constant=_refuse)
            except ValueError:
                continue
            if not isinstance(record, dict):
                continue
            if any(time in line for time in INEXPRESSIBLE):
                continue
            made = transform_raw(line)
            if CHECK.is_valid(record):
                assert (made.ledger["failed"], made.ledger["misplaced_values"]) == (0, 0), (case, line)
                seen["accepted"] += 1
            for failed in made.failed:
                if failed["failure_type"] in {"missing_field", "invalid_field"}:
                    assert not CHECK.is_valid(record), (case, line)
                    seen["failed"] += 1
    assert seen["accepted"] > 30
    assert seen["failed"] > 2


_SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)
_ANYTHING = (
    _SCALARS | st.text(max_size=8) | st.lists(_SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), _SCALARS)
)
_TIMES = st.datetimes().map(lambda moment: moment.isoformat()) | st.sampled_from(["1764152071", "2025-11-26"])
_EVENTS = st.fixed_dictionaries(
    {}, optional={name: _ANYTHING | _TIMES for known in OURS.fields for name in known.names}
)


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow]
)
@given(_EVENTS, st.text(min_size=1, max_size=5))
def test_an_accepted_event_becomes_a_row_with_nothing_misplaced(event: dict[str, Any], kind: str) -> None:
    event = {name: value for name, value in event.items() if CHECK.is_valid({"event_type": kind, name: value})}
    event["event_type"] = kind
    if not CHECK.is_valid(event) or any(type(v) is float and v.is_integer() for v in event.values()):
        return  # JSON Schema takes 1.0 for an integer
    made = transform(event)
    assert made.ledger["good"] == 1
    assert made.ledger["misplaced_values"] == 0


@settings(max_examples=EXAMPLES, deadline=None)
@given(_EVENTS)
def test_an_event_that_fails_for_its_fields_is_never_accepted(event: dict[str, Any]) -> None:
    if transform(event).failed:
        assert not CHECK.is_valid(event)


@settings(max_examples=EXAMPLES, deadline=None)
@given(_EVENTS, st.binary(max_size=30))
def test_what_is_promised_never_to_be_null_never_is(event: dict[str, Any], rubbish: bytes) -> None:
    made = transform(event, rubbish + b"\n", {"event_type": "x"})
    for table, rows in zip(OURS.tables, (made.rows, made.failed, [made.ledger]), strict=True):
        promised = {column.name for column in table.columns if column.not_null}
        assert all(promised <= row.keys() for row in rows)


def test_a_teams_own_columns_are_described_where_they_come_from() -> None:
    check = jsonschema.Draft202012Validator(schema.json_schema(with_own_columns()))
    filled = {
        "plan": "plus",
        "team": {"seats": 3, "price": 9.5},
        "trial": False,
        "renews_on": "2026-01-01",
        "seen_at": 1764152071,
    }
    assert check.is_valid({"event_type": "x", "properties": filled})
    assert not check.is_valid({"event_type": "x", "properties": {"team": {"seats": "three"}}})
    assert not check.is_valid({"event_type": "x", "properties": {"trial": "no"}})
    assert check.is_valid({"event_type": "x", "properties": {"other": "kept"}})


# --- DDL -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "json"])
def test_athena_makes_of_the_ddl_what_up_makes(stack: EndpointProcess, form: str) -> None:
    """Into a database of another environment, beside the one that `up` made."""
    environment, bucket = f"ddl-{form}", "clickstream-lake-dev"
    ours = pipeline.with_processed_format(with_own_columns(), form)
    database = ours.names(environment).database
    results = {"ResultConfiguration": {"OutputLocation": f"s3://{bucket}/athena-results/"}}
    queries = Queries(stack.client("athena"))
    text = schema.render("ddl", ours, environment, bucket)
    for statement in filter(str.strip, text.split(";\n\n")):
        queries.run(statement, **results)
    made = {table["Name"]: table for table in stack.client("glue").get_tables(DatabaseName=database)["TableList"]}
    wanted = [catalog.table_input(ours, table, bucket) for table in ours.tables]
    wanted.append(catalog.unique_view_input(ours, database, "clickstream_events_unique"))
    assert made.keys() == {table["Name"] for table in wanted}
    for table in wanted[:-1]:
        storage, there = table["StorageDescriptor"], made[table["Name"]]["StorageDescriptor"]
        assert {key: there[key] for key in storage} == storage
        assert made[table["Name"]]["PartitionKeys"] == table["PartitionKeys"]
        assert table["Parameters"].items() <= made[table["Name"]]["Parameters"].items()
    view = made["clickstream_events_unique"]["StorageDescriptor"]["Columns"]
    assert _types(view) == _types(wanted[-1]["StorageDescriptor"]["Columns"])
    assert queries.rows(f"SELECT count(*) FROM {database}.clickstream_events_unique", **results) == [["0"]]


def _types(columns: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(column["Name"], column["Type"]) for column in columns]


def test_text_in_the_ddl_is_plain_ascii_without_quotes_or_backslashes_of_its_own() -> None:
    document = json.loads(pipeline.FILE.read_text())
    document["tables"]["events"]["columns"][2]["comment"] = "It's a \\ größe 🙂."
    text = schema.render("ddl", pipeline.parse(json.dumps(document)))
    assert r"COMMENT 'It\u0027s a \u005C gr\u00F6\u00DFe \uD83D\uDE42.'" in text
    assert text.isascii()


# --- dbt -----------------------------------------------------------------------------------------------------------


def test_dbt_gets_every_table_and_column_with_its_tests() -> None:
    """The shape is docs.getdbt.com/reference/source-properties."""
    document = yaml.safe_load(schema.render("dbt", OURS, "prod"))
    assert document["version"] == 2
    (source,) = document["sources"]
    assert (source["name"], source["schema"], source["database"]) == (
        "clickstream",
        "clickstream_db_prod",
        "awsdatacatalog",
    )
    tables = {table["name"]: table for table in source["tables"]}
    assert list(tables) == [
        "clickstream_events",
        "clickstream_events_unique",
        "clickstream_failed",
        "clickstream_ledger",
    ]
    for table in OURS.tables:
        described = tables[table.name]
        assert described["description"] == table.comment
        keys = list(OURS.partition_keys)
        assert [c["name"] for c in described["columns"]] == [c.name for c in table.columns] + keys
        for column, found in zip(table.columns, described["columns"], strict=False):
            assert found["description"] == column.comment
            assert ("not_null" in found.get("data_tests", [])) is column.not_null
    unique = [c["name"] for c in tables["clickstream_ledger"]["columns"] if "unique" in c.get("data_tests", [])]
    assert unique == ["raw_key"]


def test_dbts_jinja_finds_nothing_in_a_description() -> None:
    document = json.loads(pipeline.FILE.read_text())
    document["tables"]["events"]["columns"][2]["comment"] = "Like {{ this }} or {% that %}."
    described = yaml.safe_load(schema.render("dbt", pipeline.parse(json.dumps(document))))
    said = described["sources"][0]["tables"][0]["columns"][2]["description"]
    assert re.findall(r"\{\{(.*?)\}\}", said) == [" '{' ", " '{' ", " '{' "]
    assert re.sub(r"\{\{ '\{' \}\}", "{", said) == "Like {{ this }} or {% that %}."
