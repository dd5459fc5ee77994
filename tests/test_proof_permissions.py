"""With `up --enforce-iam`: what the pages of verify, replay, status and tail say that they need is enough."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from endpoint_process import EndpointProcess, eventually, running
from proven_lake import BUCKET, NAMES, ROOT, ProvenLake, content

pytestmark = pytest.mark.minutes


@dataclass
class User(EndpointProcess):
    """The endpoint with other keys than its owner's."""

    own_keys: tuple[str, str] = ("", "")

    def environment(self) -> dict[str, str]:
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        return super().environment() | dict(zip(names, self.own_keys, strict=True))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("permissions") / "data"), "--enforce-iam"):
        yield ProvenLake(endpoint)


def actions(page: str) -> list[str]:
    """Those of the page's last section."""
    section = (ROOT / "docs" / page).read_text().rpartition("## What it may do")[2]
    return re.findall(r"`(\w+:\w+)`", section)


def allowed(lake: ProvenLake, page: str) -> ProvenLake:
    """The lake as a user sees it who may do just that."""
    iam, name = lake.endpoint.client("iam"), page.removesuffix(".md")
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions(page), "Resource": "*"}
    iam.put_user_policy(
        UserName=name, PolicyName=name, PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    of_user = User(
        lake.endpoint.data_dir, port=lake.endpoint.port, own_keys=(key["AccessKeyId"], key["SecretAccessKey"])
    )
    return ProvenLake(of_user)


def test_verify_can_do_all_with_what_its_page_says(lake: ProvenLake) -> None:
    user = allowed(lake, "verify.md")
    there, gone = (lake.put("21", name, content(name)) for name in ("there.json", "gone.json"))
    lake.process([there, gone])
    s3 = lake.s3()
    s3.delete_object(Bucket=BUCKET, Key=there.processed["parquet"])
    for key in (gone.raw_key, gone.processed["parquet"], gone.failed, gone.ledger):
        s3.delete_object(Bucket=BUCKET, Key=key)
    old = lake.put_and_wait("21", "old.gz")
    s3.delete_object(Bucket=BUCKET, Key=old.raw_key)
    partition = {"DatabaseName": NAMES.database, "TableName": "clickstream_failed"}
    lake.endpoint.client("glue").delete_partition(**partition, PartitionValues=["2025", "11", "21"])
    said = user.run("clicklake verify --grace 0 --repair --rebuild --json")
    assert said.code == 1, said.err
    assert [finding["kind"] for finding in said.document["findings"]] == ["raw_missing"]
    assert {finding["kind"] for finding in said.document["repaired"]["findings"]} == {
        *("processed_missing", "partition_missing", "raw_missing")
    }


def test_replay_can_do_all_with_what_its_page_says(lake: ProvenLake) -> None:
    user = allowed(lake, "replay.md")
    raw_key = lake.put_and_wait("22", "again.gz").raw_key
    assert user.run("clicklake replay --failed --since now --json").document["raw_keys"][-1] == raw_key
    sqs = lake.endpoint.client("sqs")
    event = {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": raw_key}}}]}
    for body in (json.dumps(event), "none"):
        url = sqs.get_queue_url(QueueName=NAMES.failure_queue)["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=body)
    assert user.run("clicklake replay --dlq --json").document["messages"]["deleted"] == 1


def test_status_can_do_all_with_what_its_page_says(lake: ProvenLake) -> None:
    user = allowed(lake, "status.md")
    record = {"Data": b'{"event_type":"click"}'}
    lake.endpoint.client("firehose").put_record(DeliveryStreamName=NAMES.delivery_stream, Record=record)
    assert eventually(lambda: user.run("clicklake status --json").document["tables"]["is_registered"])


def test_tail_can_do_all_with_what_its_page_says(lake: ProvenLake) -> None:
    user = allowed(lake, "tail.md")
    record = {"Data": b'{"event_type":"seen"}'}
    lake.endpoint.client("firehose").put_record(DeliveryStreamName=NAMES.delivery_stream, Record=record)
    assert user.run("clicklake tail --since 5m --event-type seen --count 1 --json").document["kind"] == "event"
