"""A team's own columns, end to end: events before they were described, the team's file, events after."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from athena_client import Queries
from clicklake import pipeline
from endpoint_process import EndpointProcess, eventually, running
from seed_walk import ledger_rows

BUCKET, STREAM, DATABASE = "clickstream-lake-dev", "clickstream-firehose-dev", "clickstream_db"
FUNCTION = "clickstream-raw-to-processed-dev"
OWN = {
    "plan": ("string", "properties.plan"),
    "seats": ("bigint", "properties.team.seats"),
    "price": ("double", "properties.team.price"),
    "trial": ("boolean", "properties.trial"),
    "renews_on": ("date", "properties.renews_on"),
    "seen_at": ("timestamp", "properties.seen_at"),
    "app": ("string", "app_id"),
}
FILLED = {
    "plan": "plus",
    "team": {"seats": 9007199254740993, "price": 9.5},
    "trial": False,
    "renews_on": "2026-12-24T23:30:00-05:00",
    "seen_at": 1764152071250,
}
VALUES = ["plus", "9007199254740993", "9.5", "false", "2026-12-25", "2025-11-26 10:14:31.250", "shop"]
WRONG = {"plan": 7, "team": "none", "trial": "no", "renews_on": "soon", "seen_at": [1]}


def team_file(folder: Path) -> Path:
    document = json.loads(pipeline.FILE.read_text())
    document["tables"]["events"]["columns"] += [
        {"name": name, "type": type_, "from": path, "comment": "Ours."} for name, (type_, path) in OWN.items()
    ]
    file = folder / "team.json"
    file.write_text(json.dumps(document))
    return file


def send(endpoint: EndpointProcess, *events: dict[str, Any]) -> None:
    """Send them and wait until they are accounted for."""
    before = sum(ledger_rows(endpoint.client, BUCKET))
    records = [{"Data": json.dumps({"event_type": "x", "app_id": "shop"} | event).encode()} for event in events]
    endpoint.client("firehose").put_record_batch(DeliveryStreamName=STREAM, Records=records)
    assert eventually(lambda: sum(ledger_rows(endpoint.client, BUCKET)) == before + len(events))


def rows(endpoint: EndpointProcess, sql: str) -> list[list[str | None]]:
    queries = Queries(endpoint.client("athena"), DATABASE)
    return queries.rows(sql, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/athena-results/"})


def code(endpoint: EndpointProcess) -> str:
    found: str = endpoint.client("lambda").get_function_configuration(FunctionName=FUNCTION)["CodeSha256"]
    return found


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[EndpointProcess]:
    """An event was sent before the team had its columns, and now it has them."""
    folder = tmp_path_factory.mktemp("own")
    for process in running(stack_copy(folder / "data")):
        send(process, {"event_id": "1 before", "properties": FILLED})
        old_code = code(process)
        restart(process, "--pipeline", str(team_file(folder)))
        assert code(process) != old_code
        yield process


def restart(endpoint: EndpointProcess, *options: str) -> None:
    endpoint.stop()
    endpoint.options = options
    endpoint.start()


def test_own_columns_are_filled_from_then_on_and_null_before(endpoint: EndpointProcess) -> None:
    glue = endpoint.client("glue")
    events = glue.get_table(DatabaseName=DATABASE, Name="clickstream_events")["Table"]["StorageDescriptor"]
    assert [(c["Name"], c["Type"]) for c in events["Columns"][-len(OWN) :]] == [(n, t) for n, (t, _) in OWN.items()]
    (today,) = glue.get_partitions(DatabaseName=DATABASE, TableName="clickstream_events")["Partitions"]
    assert today["StorageDescriptor"]["Columns"] == events["Columns"], "Athena reads a partition by its own columns"
    view = glue.get_table(DatabaseName=DATABASE, Name="clickstream_events_unique")["Table"]["StorageDescriptor"]
    assert set(OWN) < {column["Name"] for column in view["Columns"]}

    send(endpoint, {"event_id": "2 after", "properties": FILLED}, {"event_id": "3 wrong", "properties": WRONG})
    nothing = [None] * (len(OWN) - 1)
    for relation in ("clickstream_events", "clickstream_events_unique"):
        sql = f"SELECT event_id, {', '.join(OWN)} FROM {relation} ORDER BY event_id"
        assert rows(endpoint, sql) == [
            ["1 before", *nothing, None],
            ["2 after", *VALUES],
            ["3 wrong", *nothing, "shop"],
        ]
    kept = rows(endpoint, "SELECT properties FROM clickstream_events ORDER BY event_id")
    assert [json.loads(str(row[0])) for row in kept] == [FILLED, FILLED, WRONG], "properties stays as it was sent"
    typed = "seats + 1 = 9007199254740994 AND NOT trial AND renews_on = date '2026-12-25' AND seen_at < now()"
    assert rows(endpoint, f"SELECT event_id FROM clickstream_events WHERE {typed}") == [["2 after"]]


def test_a_column_that_is_taken_away_again_leaves_every_row_readable(endpoint: EndpointProcess) -> None:
    """Last, for it takes them away."""
    send(endpoint, {"event_id": "4 with", "properties": FILLED})
    restart(endpoint)
    send(endpoint, {"event_id": "5 without", "properties": FILLED})
    counted = "SELECT event_id, json_extract_scalar(properties, '$.plan') FROM clickstream_events ORDER BY event_id"
    read = rows(endpoint, counted)
    assert read[0] == ["1 before", "plus"]
    assert read[-2:] == [["4 with", "plus"], ["5 without", "plus"]]
    described = endpoint.client("glue").get_table(DatabaseName=DATABASE, Name="clickstream_events")["Table"]
    assert not set(OWN) & {column["Name"] for column in described["StorageDescriptor"]["Columns"]}
