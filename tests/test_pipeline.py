"""pipeline.json: what is in it, and what is said of a file that can't be used."""

import json
from pathlib import Path
from typing import Any

import pytest

from clicklake import pipeline
from clicklake.pipeline import PipelineError

DOCUMENT = json.loads(pipeline.FILE.read_text())
OURS = pipeline.load(pipeline.FILE)


def changed(path: str, value: Any) -> str:
    document = json.loads(json.dumps(DOCUMENT))
    at: Any = document
    *parents, last = [int(part) if part.isdigit() else part for part in path.split("/")]
    for part in parents:
        at = at[part]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return json.dumps(document)


def test_names_of_the_default_environment_are_those_of_the_seed() -> None:
    names = OURS.names()
    assert names.delivery_stream == "clickstream-firehose-dev"
    assert names.function == "clickstream-raw-to-processed-dev"
    assert (names.database, OURS.tables.events.name) == ("clickstream_db", "clickstream_events")
    assert (names.workgroup, names.bucket) == ("clickstream-dev", "clickstream-lake-dev")


def test_another_environment_has_names_of_its_own() -> None:
    names = OURS.names("prod-eu")
    assert (names.delivery_stream, names.database) == ("clickstream-firehose-prod-eu", "clickstream_db_prod_eu")


def test_every_column_has_a_comment_of_one_sentence() -> None:
    for table in OURS.tables:
        for column in table.columns:
            assert column.comment.endswith(".")
            assert ". " not in column.comment
            assert len(column.comment) <= 255  # Glue's limit


def test_the_events_table_follows_the_processed_format() -> None:
    assert OURS.tables.events.format == OURS.processed_format == "parquet"
    assert pipeline.with_processed_format(OURS, "json").tables.events.format == "json"
    with pytest.raises(PipelineError, match="one of parquet, json"):
        pipeline.with_processed_format(OURS, "avro")


def test_an_environment_variable_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "pipeline.json"
    file.write_text(changed("names/workgroup", "ours"))
    monkeypatch.setenv("CLICKLAKE_PIPELINE", str(file))
    assert pipeline.load().names().workgroup == "ours"
    assert pipeline.load(pipeline.FILE) == OURS


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("names/workgroup", "ours"),
        ("processed_format", "json"),
        ("fields/0/comment", "Another sentence."),
        ("fields/0/example", "other"),
        ("tables/events/columns/0/comment", "Another sentence."),
        ("tables/events/columns/0/unit", "m"),
        ("buffering/laptop/seconds", 7),
    ],
)
def test_what_gives_no_row_another_meaning_leaves_the_contract_alone(path: str, value: Any) -> None:
    document = changed(path, value)
    assert pipeline.parse(document) != OURS
    assert pipeline.parse(document).contract_sha256 == OURS.contract_sha256


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("fields/0/aliases", ["id"]),
        ("fields/0/accepts", "text"),
        ("fields/2/otherwise", "fail"),
        ("kept_query_parameters/0", "q2"),
        ("tables/events/columns/3", None),
        ("tables/events/columns/3/from", "app_id"),
        ("tables/failed/columns/0/name", "kind"),
        ("zones/raw", "in/"),
        ("buffering/aws/seconds", 60),
    ],
)
def test_what_may_give_a_row_another_meaning_changes_the_contract(path: str, value: Any) -> None:
    assert pipeline.parse(changed(path, value)).contract_sha256 != OURS.contract_sha256


def test_every_field_has_a_comment_of_one_sentence_and_an_example() -> None:
    for known in OURS.fields:
        assert known.comment.endswith(".")
        assert ". " not in known.comment
        assert known.example is not None


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("surprise", 1, "unknown key 'surprise'"),
        ("zones", None, "lacks 'zones'"),
        ("zones/raw", "raw", "zones.raw: is 'raw'"),
        ("zones/processed", "raw/processed/", "lies inside 'raw/'"),
        ("buffering/aws/mib", "128", "must be a whole number"),
        ("buffering/aws/mib", True, "must be a whole number"),
        ("processed_format", "orc", "one of parquet, json"),
        ("fields/0/accepts", "anything", "one of text"),
        ("fields/1/aliases", ["event_id"], "'event_id' names two fields"),
        ("tables/events/format", "json", "set processed_format instead"),
        ("tables/events/columns/0/type", "varchar", "one of string, bigint"),
        ("tables/events/columns/0/name", "event_type", "two columns 'event_type'"),
        ("tables/events/columns/0/name", "year", "two columns 'year'"),
        ("tables/events/columns/0/name", "Event-Id", "can't be used in SQL"),
        ("tables/events/columns/0/name", "user_id", "name of a private field"),
        ("tables/events/columns/0/from", "user_id", "can't come from 'user_id'"),
        ("tables/events/columns/0/from", "nothing", "can't come from 'nothing'"),
        ("tables/events/columns/0/from", "properties.", "can't come from 'properties.'"),
        ("tables/events/columns/3/from", "properties.contact.eMail", "comes from a private name"),
        ("tables/events/columns/0/from", "properties", "can't come from 'properties'"),
        ("tables/events/columns/0/from", "sent_time", "make it timestamp"),
        ("tables/events/columns/0/from", "value", "make it double"),
        ("tables/events/columns/0/type", "bigint", "make it string"),
        ("tables/events/columns/0/comment", "Two\nlines.", "Glue can't take its comment"),
        ("tables/events/columns/0/unit", 7, "must be text"),
        ("tables/events/columns/0/not_null", 1, "must be true or false"),
        ("tables/events/columns/0", None, "lacks the column 'event_id'"),
        ("fields/0/comment", None, "lacks 'comment'"),
        ("tables/events/columns/0/from", None, "needs a source"),
        ("tables/events/columns/0/by", "time", "needs a source"),
        ("tables/events/columns/4/by", "magic", "no step is called 'magic'"),
        ("tables/events/columns", {}, "must be a list"),
        ("names", "x", "must be a JSON object"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_place_and_hint(path: str, value: Any, message: str) -> None:
    with pytest.raises(PipelineError) as error:
        pipeline.parse(changed(path, value), "mine.json")
    assert message in str(error.value)
    assert str(error.value).startswith("mine.json")
    assert error.value.hint


@pytest.mark.parametrize(
    ("text", "message"), [("{", "is not JSON"), ("[]", "not a JSON object"), ('{"a":1,"a":2}', "twice")]
)
def test_text_that_is_no_json_object_is_refused(text: str, message: str) -> None:
    with pytest.raises(PipelineError, match=message):
        pipeline.parse(text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="No such file"):
        pipeline.load(tmp_path / "absent.json")
