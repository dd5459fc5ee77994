"""Kill -9 at any moment: nothing acknowledged is lost, nothing appears twice."""

import csv
import json
import random
import threading
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from endpoint_process import EndpointProcess, eventually

STREAM, BUCKET, WORKGROUP = "clickstream-firehose-dev", "clickstream-lake-dev", "clickstream-dev"
ROUNDS = 10
BATCH = 100


@dataclass
class Ingest:
    """Sends batches of new events without retries until the endpoint dies; remembers what was answered."""

    endpoint: EndpointProcess
    sent: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)

    def run(self) -> None:
        client = self.endpoint.client("firehose", retries={"total_max_attempts": 1}, read_timeout=10)
        while True:
            ids = [str(uuid.uuid4()) for _ in range(BATCH)]
            self.sent.update(ids)
            records = [{"Data": json.dumps({"event_id": i, "event_type": "page_view"}).encode()} for i in ids]
            try:
                answer = client.put_record_batch(DeliveryStreamName=STREAM, Records=records)
            except (ClientError, ConnectionError, HTTPClientError):
                return
            if (
                "RequestResponses" not in answer
            ):  # killed between head and body: botocore takes that for an empty answer
                return
            ok = [i for i, entry in zip(ids, answer["RequestResponses"], strict=True) if "RecordId" in entry]
            self.acknowledged.update(ok)


def query(endpoint: EndpointProcess, sql: str) -> list[list[str]]:
    """The rows of a query's result file, without its header."""
    athena, s3 = endpoint.client("athena"), endpoint.client("s3")
    number = athena.start_query_execution(QueryString=sql, WorkGroup=WORKGROUP)["QueryExecutionId"]
    ended = {"SUCCEEDED", "FAILED", "CANCELLED"}

    def execution() -> dict[str, Any]:
        found: dict[str, Any] = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]
        return found

    assert eventually(lambda: execution()["Status"]["State"] in ended)
    status = execution()
    assert status["Status"]["State"] == "SUCCEEDED", status
    bucket, _, key = status["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").partition("/")
    text = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode()
    return list(csv.reader(text.splitlines()))[1:]


def keys(endpoint: EndpointProcess, prefix: str) -> set[str]:
    pages = endpoint.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return {item["Key"] for page in pages for item in page.get("Contents", [])}


def settled(endpoint: EndpointProcess) -> bool:
    """Every acknowledged byte has left the log, and every raw object has its ledger row."""
    if list((endpoint.data_dir / "firehose" / STREAM).glob("*.log")):
        return False
    raw = {key.rpartition("/")[2].removesuffix(".gz") for key in keys(endpoint, "raw/")}
    ledger = {key.rpartition("/")[2] for key in keys(endpoint, "ledger/")}
    return all(any(name.startswith(base) for name in ledger) for base in raw) and len(raw) == len(ledger)


def test_every_acknowledged_event_is_there_exactly_once_whatever_is_killed_when(stack: EndpointProcess) -> None:
    chance = random.Random(20261122)
    sent: set[str] = set()
    acknowledged: set[str] = set()
    for _ in range(ROUNDS):
        ingests = [Ingest(stack) for _ in range(2)]
        threads = [threading.Thread(target=ingest.run) for ingest in ingests]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.05, 1.6))  # from inside the first batch to well into delivery and processing
        stack.kill()
        for thread, ingest in zip(threads, ingests, strict=True):
            thread.join()
            sent |= ingest.sent
            acknowledged |= ingest.acknowledged
        stack.start()

    assert eventually(lambda: settled(stack), seconds=60)
    found = Counter(row[0] for row in query(stack, "SELECT event_id FROM clickstream_db.clickstream_events"))
    assert len(acknowledged) > ROUNDS * BATCH
    assert not acknowledged - found.keys(), "acknowledged and lost"
    assert not found.keys() - sent, "never sent"
    assert {i for i, count in found.items() if count > 1} == set(), "there twice"
    ((records, good, duplicate, failed),) = query(
        stack, "SELECT sum(records_in), sum(good), sum(duplicate), sum(failed) FROM clickstream_db.clickstream_ledger"
    )
    assert (int(records), int(duplicate), int(failed)) == (int(good), 0, 0)
    assert int(good) == sum(found.values())
