"""What a deployed stack does with events, asked through AWS's own APIs. The same on AWS and on the laptop."""

import gzip
import json
import time
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config

from aws.lake import Lake
from clicklake import pipeline
from endpoint_process import eventually

PRIVATE = ("ada-person", "203.0.113.77", "ada@example.org", "s3cr3t")
NOW_MS = int(time.time() * 1000)


def event(event_id: str, event_type: str, **fields: Any) -> dict[str, Any]:
    return {"event_id": event_id, "event_type": event_type, "app_id": "run", **fields}


FIRST = event(
    "e-1",
    "page_view",
    user_id="ada-person",
    ip="203.0.113.77",
    page_url="https://shop.example/offer?utm_source=news&token=s3cr3t",
    properties={"email": "ada@example.org", "plan": "pro"},
)
SECOND = {"messageId": "e-2", "event": "click", "app_id": "run", "timestamp": NOW_MS}  # by its aliases
WRONG_TYPE = event("e-7", "purchase", value="lots", currency="EUR")
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
BROKEN = b'{"event_type": tru}'
# One Firehose record each; 11 records as the pipeline counts them, of which 8 are events, 1 a repeat and 2 broken.
RECORDS = (
    json.dumps(FIRST).encode() + b"\n",
    json.dumps(SECOND).encode(),
    json.dumps(event("e-3", "scroll")).encode() + json.dumps(event("e-4", "scroll")).encode(),
    json.dumps([event("e-5", "search"), event("e-6", "search")]).encode(),
    json.dumps(FIRST).encode(),
    BROKEN,
    json.dumps({"app_id": "run"}).encode(),
    json.dumps(WRONG_TYPE).encode(),
    json.dumps(event("e-8", "page_view", user_agent=CRAWLER)).encode(),
)
EVENTS, REPEATS, FAILED = 8, 1, 2


def records_in(lake: Lake) -> int:
    return sum(row["records_in"] for row in lake.ledger())


def deliver(lake: Lake, *records: bytes, of: int) -> dict[str, Any]:
    """Send them, and wait until the ledger has so many records more."""
    before = records_in(lake)
    answer: dict[str, Any] = lake.client("firehose").put_record_batch(
        DeliveryStreamName=lake.names.delivery_stream, Records=[{"Data": record} for record in records]
    )
    assert eventually(lambda: records_in(lake) == before + of, lake.seconds), lake.ledger()
    return answer


@pytest.fixture(scope="module", autouse=True)
def answer(lake: Lake) -> dict[str, Any]:
    """RECORDS were sent and are there; one event came again with another delivery."""
    first = deliver(lake, *RECORDS, of=EVENTS + REPEATS + FAILED)
    deliver(lake, json.dumps(SECOND).encode(), of=1)
    return first


def test_each_record_of_a_batch_gets_an_id(answer: dict[str, Any]) -> None:
    assert answer["FailedPutCount"] == 0
    assert len({entry["RecordId"] for entry in answer["RequestResponses"]}) == len(RECORDS)


def test_raw_objects_are_gzip_and_have_each_record_on_a_line_of_its_own(lake: Lake) -> None:
    keys = [key for key in lake.keys("raw/") if key.endswith(".gz")]
    assert keys
    lines = [line for key in keys for line in gzip.decompress(lake.body(key)).splitlines()]
    assert BROKEN in lines
    assert json.dumps(SECOND).encode() in lines


def test_every_record_is_accounted_for(lake: Lake) -> None:
    rows = lake.ledger()
    assert all(row["records_in"] == row["good"] + row["duplicate"] + row["failed"] for row in rows)
    assert sum(row["failed"] for row in rows) >= FAILED
    total = lake.sql("SELECT sum(records_in), sum(good) + sum(duplicate) + sum(failed) FROM clickstream_ledger")
    assert total == [(str(records_in(lake)),) * 2]


def test_each_event_is_there_once_however_often_it_was_sent(lake: Lake) -> None:
    counted = lake.sql(
        "SELECT event_id, count(*) FROM clickstream_events_unique WHERE app_id = 'run' GROUP BY 1 ORDER BY 1"
    )
    assert counted == [(f"e-{number}", "1") for number in range(1, EVENTS + 1)]


def test_what_is_broken_is_kept_with_its_reason_and_its_bytes(lake: Lake) -> None:
    rows = lake.sql("SELECT failure_type, from_utf8(from_base64(raw)) FROM clickstream_failed ORDER BY 1")
    assert [row for row in rows if row[1] in {BROKEN.decode(), '{"app_id": "run"}'}] == [
        ("decode_error", BROKEN.decode()),
        ("missing_field", '{"app_id": "run"}'),
    ]


def test_nothing_private_leaves_the_raw_zone(lake: Lake) -> None:
    cells = [cell for row in lake.sql("SELECT * FROM clickstream_events WHERE app_id = 'run'") for cell in row if cell]
    assert cells
    assert not [cell for cell in cells if any(private in cell for private in PRIVATE)]


def test_columns_are_filled_by_the_contract(lake: Lake) -> None:
    columns = "page_host, utm_source, traffic_type, value, currency, json_extract_scalar(properties, '$.value')"
    where = "app_id = 'run' AND event_id IN ('e-1', 'e-7', 'e-8')"
    rows = lake.sql(f"SELECT DISTINCT event_id, {columns} FROM clickstream_events WHERE {where} ORDER BY 1")
    assert [row[:3] for row in rows] == [("e-1", "shop.example", "news"), ("e-7", None, None), ("e-8", None, None)]
    assert rows[1][4:] == (None, "EUR", "lots")
    assert rows[2][3] == "bot"


def test_times_keep_their_milliseconds(lake: Lake) -> None:
    sql = "SELECT DISTINCT CAST(to_unixtime(event_ts) * 1000 AS bigint) FROM clickstream_events WHERE event_id = 'e-2'"
    assert lake.sql(sql) == [(str(NOW_MS),)]


def test_days_are_registered_without_a_crawler(lake: Lake) -> None:
    for table in pipeline.load().tables:
        where = {"DatabaseName": lake.names.database, "TableName": table.name}
        assert lake.client("glue").get_partitions(**where)["Partitions"], table.name


def test_processed_objects_are_parquet(lake: Lake) -> None:
    assert {lake.body(key)[:4] for key in lake.keys("processed/")} == {b"PAR1"}


def test_a_retry_overwrites_and_repeats_nothing(lake: Lake) -> None:
    raw = lake.ledger()[0]["raw_key"]

    def everything() -> dict[str, bytes]:
        return {key: lake.body(key) for zone in ("processed/", "failed/", "ledger/") for key in lake.keys(zone)}

    before = everything()
    assert lake.invoke(raw) == {"failed": False, "processed": 1, "gone": 0}
    assert everything() == before


def test_a_raw_object_that_is_gone_is_no_error(lake: Lake) -> None:
    assert lake.invoke("raw/year=2020/month=01/day=01/none.gz") == {"failed": False, "processed": 0, "gone": 1}


def test_the_function_never_takes_its_own_output_for_input(lake: Lake) -> None:
    assert lake.invoke(lake.keys("processed/")[0])["failed"]


def test_an_object_that_is_no_gzip_becomes_a_failed_record(lake: Lake) -> None:
    key = time.strftime("raw/year=%Y/month=%m/day=%d/broken.gz", time.gmtime())
    lake.client("s3").put_object(Bucket=lake.bucket, Key=key, Body=b"no gzip at all")
    assert eventually(lambda: any(row["raw_key"] == key for row in lake.ledger()), lake.seconds)
    rows = lake.sql(f"SELECT failure_type FROM clickstream_failed WHERE raw_key = '{key}'")
    assert rows == [("decode_error",)]


def test_saved_queries_run(lake: Lake) -> None:
    athena = lake.client("athena")
    numbers = athena.list_named_queries(WorkGroup=lake.names.workgroup)["NamedQueryIds"]
    queries = [athena.get_named_query(NamedQueryId=number)["NamedQuery"] for number in numbers]
    assert len(queries) >= 10
    for saved in queries:
        lake.sql(saved["QueryString"])


def test_results_go_where_the_workgroup_says_whatever_a_caller_wants(lake: Lake) -> None:
    athena = lake.client("athena")
    wanted = {"OutputLocation": f"s3://{lake.bucket}/processed/"}
    started = athena.start_query_execution(
        QueryString="SELECT 1", WorkGroup=lake.names.workgroup, ResultConfiguration=wanted
    )
    execution = athena.get_query_execution(QueryExecutionId=started["QueryExecutionId"])["QueryExecution"]
    assert execution["ResultConfiguration"]["OutputLocation"].startswith(f"s3://{lake.bucket}/athena-results/")


def test_the_bucket_is_private_encrypted_and_versioned(lake: Lake) -> None:
    s3, bucket = lake.client("s3"), {"Bucket": lake.bucket}
    assert set(s3.get_public_access_block(**bucket)["PublicAccessBlockConfiguration"].values()) == {True}
    assert s3.get_bucket_ownership_controls(**bucket)["OwnershipControls"]["Rules"] == [
        {"ObjectOwnership": "BucketOwnerEnforced"}
    ]
    assert s3.get_bucket_versioning(**bucket)["Status"] == "Enabled"
    assert s3.head_object(**bucket, Key=lake.keys("raw/")[0])["ServerSideEncryption"] in {"AES256", "aws:kms"}


def test_a_request_without_a_signature_is_refused(lake: Lake) -> None:
    anonymous = lake.target.session.client(
        "s3", endpoint_url=lake.target.endpoint_url, config=Config(signature_version=UNSIGNED)
    )
    with pytest.raises(anonymous.exceptions.ClientError, match=r"AccessDenied|Forbidden|403"):
        anonymous.get_object(Bucket=lake.bucket, Key=lake.keys("raw/")[0])


def test_a_request_without_tls_is_refused(lake: Lake) -> None:
    if not lake.on_aws:
        pytest.skip("the laptop's endpoint is on loopback, without TLS")
    region = lake.target.session.region_name
    plain = lake.target.session.client("s3", endpoint_url=f"http://s3.{region}.amazonaws.com")
    with pytest.raises(plain.exceptions.ClientError, match="AccessDenied"):
        plain.list_objects_v2(Bucket=lake.bucket)


def test_no_invocation_ended_in_the_failure_queue(lake: Lake) -> None:
    """At the end: all that was sent, broken objects too, was processed at the first try or the next."""
    sqs = lake.client("sqs")
    url = sqs.get_queue_url(QueueName=lake.names.failure_queue)["QueueUrl"]
    waiting = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    assert waiting["Attributes"]["ApproximateNumberOfMessages"] == "0"
