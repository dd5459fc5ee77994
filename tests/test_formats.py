"""Parquet and gzip NDJSON end to end: the same events, the same rows, the same SQL."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from athena_client import Queries
from clicklake import catalog, pipeline
from endpoint_process import EndpointProcess, eventually, running
from seed_walk import ledger_rows

BUCKET, STREAM, WORKGROUP = "clickstream-lake-dev", "clickstream-firehose-dev", "clickstream-dev"
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
def stack_of_json(
    tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]
) -> Iterator[EndpointProcess]:
    """`clicklake up --pipeline FILE` with the seed's own format, on an empty lake that had the other."""
    folder = tmp_path_factory.mktemp("json")
    document = json.loads(Path(pipeline.FILE).read_text()) | {"processed_format": "json"}
    (folder / "pipeline.json").write_text(json.dumps(document))
    yield from running(stack_copy(folder / "data"), "--pipeline", str(folder / "pipeline.json"))


def rows(endpoint: EndpointProcess) -> list[list[str | None]]:
    """All columns but those that name the raw object and its time, and `user_key`, whose key is each stack's own."""
    records = [{"Data": json.dumps(event).encode()} for event in EVENTS]
    endpoint.client("firehose").put_record_batch(DeliveryStreamName=STREAM, Records=records)
    assert eventually(lambda: ledger_rows(endpoint.client, BUCKET) == [len(EVENTS)])
    unlike = {"event_ts", "received_ts", "event_date", "late_by_seconds", "raw_key", "user_key", "visitor_id"}
    names = [c.name for c in pipeline.load().tables.events.columns if c.name not in unlike]
    events = "clickstream_db.clickstream_events"
    queries, place = Queries(endpoint.client("athena")), {"WorkGroup": WORKGROUP, "ResultConfiguration": {}}
    assert queries.rows(f"SELECT count(*) FROM {events} WHERE event_ts > timestamp '2026-01-01'", **place) == [["3"]]
    return queries.rows(f"SELECT {', '.join(names)} FROM {events} ORDER BY event_id", **place)


def test_both_formats_give_the_same_rows_to_the_same_sql(
    stack: EndpointProcess, stack_of_json: EndpointProcess
) -> None:
    glue = stack_of_json.client("glue")
    table = glue.get_table(DatabaseName="clickstream_db", Name="clickstream_events")["Table"]
    assert catalog.format_of(table["StorageDescriptor"]) == "json", "up switches the format of an empty lake"
    parquet, ndjson = rows(stack), rows(stack_of_json)
    assert len(parquet) == len(EVENTS)
    assert parquet == ndjson
    listed = [
        o["Key"]
        for e in (stack, stack_of_json)
        for o in e.client("s3").list_objects_v2(Bucket=BUCKET, Prefix="processed/")["Contents"]
    ]
    assert [key.partition(".")[2] for key in listed] == ["parquet", "json.gz"]


def test_the_processor_refuses_to_write_what_its_table_does_not_have(stack_of_json: EndpointProcess) -> None:
    """As while `clicklake rebuild` switches table and function: Lambda tries again until they agree."""
    glue, s3, functions = (stack_of_json.client(service, read_timeout=60) for service in ("glue", "s3", "lambda"))
    name = pipeline.load().names().function
    key = "raw/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00-x.gz"
    event = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}

    def invoke() -> str | None:
        answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
        said: dict[str, str] = json.loads(answer["Payload"].read())
        return said.get("errorMessage")

    def switch(form: pipeline.Format) -> None:
        table = glue.get_table(DatabaseName="clickstream_db", Name="clickstream_events")["Table"]
        glue.update_table(DatabaseName="clickstream_db", TableInput=catalog.in_format(table, form))

    switch("parquet")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables | {"WHY": "new worker"}}
    )
    s3.put_object(Bucket=BUCKET, Key=key, Body=b'{"event_type":"x"}')
    assert invoke() == "clickstream_db.clickstream_events is parquet, this function writes json"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="processed/year=2025/")
    switch("json")
    assert invoke() is None, "the same worker asks again"
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="processed/year=2025/")["KeyCount"] == 1


def test_a_days_partition_follows_its_table(stack: EndpointProcess) -> None:
    """Terraform gives the table a new column and leaves the partitions; Athena reads a partition by its own columns."""
    glue, s3, functions = (stack.client(service, read_timeout=60) for service in ("glue", "s3", "lambda"))
    name, day = pipeline.load().names().function, "year=2025/month=11/day=27"
    where = {"DatabaseName": "clickstream_db", "TableName": "clickstream_events"}

    def arrive(number: int) -> None:
        key = f"raw/{day}/clicks-1-2025-11-27-10-15-0{number}-x.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=b'{"event_type":"x"}')
        event = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}
        assert "FunctionError" not in functions.invoke(FunctionName=name, Payload=json.dumps(event))

    arrive(1)
    table = glue.get_table(DatabaseName="clickstream_db", Name="clickstream_events")["Table"]
    wanted = catalog.in_format(table, "parquet")
    wanted["StorageDescriptor"]["Columns"] = [
        *wanted["StorageDescriptor"]["Columns"],
        {"Name": "plan", "Type": "string"},
    ]
    glue.update_table(DatabaseName="clickstream_db", TableInput=wanted)
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": variables | {"WHY": "new worker"}}
    )
    arrive(2)
    partition = glue.get_partition(**where, PartitionValues=["2025", "11", "27"])["Partition"]["StorageDescriptor"]
    assert partition["Columns"][-1]["Name"] == "plan"
    assert partition["Location"] == f"s3://{BUCKET}/processed/{day}/"


def test_rebuild_and_schema_are_commands(stack: EndpointProcess) -> None:
    """On a stack with data; what they do is tests/test_rebuild.py's and tests/test_schema.py's."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "clicklake", *arguments]
        return subprocess.run(command, capture_output=True, text=True, env=stack.environment(), timeout=60)

    done = run("rebuild", "--format", "parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0 objects were made again; everything is parquet now\n"
    assert run("schema", "--format", "ddl").stdout.count("CREATE EXTERNAL TABLE") == 3
    assert run("schema", "--format", "avro").returncode == 2
