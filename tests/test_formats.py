"""Parquet and gzip NDJSON end to end: the same events, the same rows, the same SQL."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from clicklake import pipeline
from endpoint_process import EndpointProcess, eventually, running
from seed_walk import ledger_rows
from test_kill import query

BUCKET, STREAM = "clickstream-lake-dev", "clickstream-firehose-dev"
EVENTS = [
    {
        "event_id": "1",
        "event_type": "page_view",
        "event_time": "2026-11-22T10:00:00.123Z",
        "value": 7,
        "page_url": "https://a.example/p?q=1",
    },
    {
        "event_id": "2",
        "event_type": "käufe",
        "user_id": 4711,
        "ip": "203.0.113.9",
        "properties": {"nested": {"a": [1, None, "x"]}},
    },
    {"event_id": "3", "event_type": 'quoted "text", and\nlines', "app_id": "shop"},
]


@pytest.fixture(scope="module")
def stack_of_json(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    """`clicklake up --pipeline FILE` with the seed's own format."""
    folder = tmp_path_factory.mktemp("json")
    document = json.loads(Path(pipeline.FILE).read_text()) | {"processed_format": "json"}
    (folder / "pipeline.json").write_text(json.dumps(document))
    yield from running(folder / "data", "--pipeline", str(folder / "pipeline.json"))


def rows(endpoint: EndpointProcess) -> list[list[str]]:
    """All columns but those that name the raw object and its time, and `user_key`, whose key is each stack's own."""
    records = [{"Data": json.dumps(event).encode()} for event in EVENTS]
    endpoint.client("firehose").put_record_batch(DeliveryStreamName=STREAM, Records=records)
    assert eventually(lambda: ledger_rows(endpoint.client, BUCKET) == [len(EVENTS)])
    unlike = {"event_ts", "received_ts", "event_date", "late_by_seconds", "raw_key", "user_key", "visitor_id"}
    names = [c.name for c in pipeline.load().tables.events.columns if c.name not in unlike]
    events = "clickstream_db.clickstream_events"
    assert query(endpoint, f"SELECT count(*) FROM {events} WHERE event_ts > timestamp '2026-01-01'") == [["3"]]
    return query(endpoint, f"SELECT {', '.join(names)} FROM {events} ORDER BY event_id")


def test_both_formats_give_the_same_rows_to_the_same_sql(
    stack: EndpointProcess, stack_of_json: EndpointProcess
) -> None:
    parquet, ndjson = rows(stack), rows(stack_of_json)
    assert len(parquet) == len(EVENTS)
    assert parquet == ndjson
    listed = [
        o["Key"]
        for e in (stack, stack_of_json)
        for o in e.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="processed/")["Contents"]
    ]
    assert [key.partition(".")[2] for key in listed] == ["parquet", "json.gz"]
