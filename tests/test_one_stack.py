"""The stack that `clicklake up` makes: whole after every start, whichever version made it. That Terraform's is the same is
a test of tests/test_terraform.py, which has one applied."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clicklake.transform.process import Settings, process
from described_stack import described, differences
from endpoint_process import EndpointProcess, clean_environment
from transforming import KEY, PIPELINE, RAW_KEY

ROOT = Path(__file__).parent.parent
LAKE = {"Bucket": "clickstream-lake-dev"}
STREAM = {"DeliveryStreamName": "clickstream-firehose-dev"}
FUNCTION = {"FunctionName": "clickstream-raw-to-processed-dev"}
GROUP = {"WorkGroup": "clickstream-dev"}
QUEUE = {"QueueName": "clickstream-failed-invocations-dev"}


# --- columns -------------------------------------------------------------------------------------------------------

# docs.aws.amazon.com/athena/latest/ug/data-types.html, in DuckDB's words.
GLUE_TYPES = {"VARCHAR": "string", "BIGINT": "bigint", "DOUBLE": "double", "DATE": "date", "TIMESTAMP": "timestamp"}


def test_glue_and_the_contract_page_say_the_same_of_every_column(stack: EndpointProcess) -> None:
    page = (ROOT / "docs/contract.md").read_text()
    for table in ("clickstream_events", "clickstream_failed", "clickstream_ledger"):
        _, _, section = page.partition(f"## `{table}`\n\n")
        comment, rows = section.split("\n\n")[:2]
        cells = [line[2:-2].split(" | ") for line in rows.splitlines()[2:]]
        described = stack.client("glue").get_table(DatabaseName="clickstream_db", Name=table)["Table"]
        assert described["Description"] == comment
        assert _columns(described) == [(row[0].strip("`"), row[1], row[-2]) for row in cells]


def test_glue_says_the_columns_and_types_of_the_parquet_files(stack: EndpointProcess, tmp_path: Path) -> None:
    made = process(b'{"event_type": "page_view"}', RAW_KEY, 0, Settings(PIPELINE, KEY))
    assert made.processed
    (tmp_path / "rows.parquet").write_bytes(made.processed.body)
    rows = duckdb.sql(f"DESCRIBE SELECT * FROM read_parquet('{tmp_path}/rows.parquet')").fetchall()
    described = stack.client("glue").get_table(DatabaseName="clickstream_db", Name="clickstream_events")["Table"]
    assert [column[:2] for column in _columns(described)] == [(row[0], GLUE_TYPES[row[1]]) for row in rows]


def _columns(table: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(column["Name"], column["Type"], column["Comment"]) for column in table["StorageDescriptor"]["Columns"]]


# --- starts and changes, which leave the stack as they found it, but for the last ---------------------------------


def requests(endpoint: EndpointProcess) -> list[str]:
    """`service operation` of each request that its log (`--log-level info --log-format json`) tells of."""
    lines = [json.loads(line) for line in endpoint.log.read_text().splitlines() if line.startswith("{")]
    return [f"{line['service']} {line['operation']}" for line in lines if line["logger"] == "localaws.access"]


def test_a_start_that_finds_the_stack_reads_little_and_writes_nothing(stack: EndpointProcess) -> None:
    stack.kill()
    stack.options = ("--log-level", "info", "--log-format", "json")
    stack.start()
    asked = requests(stack)
    assert not [operation for operation in asked if not re.search(" (Get|List|Head)", operation)]
    assert len(asked) < 15
    assert not [operation for operation in asked if operation.split()[0] in {"iam", "sqs", "ssm", "logs"}], (
        "moto is what answers these, and loading it takes longer than all else"
    )


def test_a_stack_of_an_earlier_version_is_brought_up_to_date_and_what_others_keep_in_it_stays(
    stack: EndpointProcess,
) -> None:
    theirs = {"Name": "ours", "Database": "clickstream_db", "QueryString": "SELECT 1"}
    number = stack.client("athena").create_named_query(**theirs, **GROUP)["NamedQueryId"]
    whole = described(stack.client)
    _make_older(stack)
    assert len(differences(whole, described(stack.client))) > 20
    stack.kill()
    stack.start()
    assert differences(whole, described(stack.client)) == {}
    stack.client("athena").delete_named_query(NamedQueryId=number)


def _make_older(stack: EndpointProcess) -> None:
    """As `up` of version 0.1.0 made it."""
    s3, stream, athena = stack.client("s3"), stack.client("firehose"), stack.client("athena")
    function, sqs = stack.client("lambda"), stack.client("sqs")
    s3.delete_bucket_policy(**LAKE)
    s3.delete_bucket_tagging(**LAKE)
    tidy = {"ID": "tidy", "Status": "Enabled", "Filter": {"Prefix": ""}}
    rule = tidy | {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}}
    s3.put_bucket_lifecycle_configuration(**LAKE, LifecycleConfiguration={"Rules": [rule]})
    stream.update_destination(
        **STREAM,
        CurrentDeliveryStreamVersionId="1",
        DestinationId="destinationId-000000000001",
        ExtendedS3DestinationUpdate={"CloudWatchLoggingOptions": {"Enabled": False}},
    )
    stream.stop_delivery_stream_encryption(**STREAM)
    tags = stream.list_tags_for_delivery_stream(**STREAM)["Tags"]
    stream.untag_delivery_stream(**STREAM, TagKeys=[tag["Key"] for tag in tags])
    function.delete_function_event_invoke_config(**FUNCTION)
    function.update_function_configuration(**FUNCTION, TracingConfig={"Mode": "PassThrough"})
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(**QUEUE)["QueueUrl"])
    stack.client("logs").delete_log_group(logGroupName="/aws/kinesisfirehose/clickstream-firehose-dev")
    changes = {"RemoveBytesScannedCutoffPerQuery": True, "PublishCloudWatchMetricsEnabled": False}
    athena.update_work_group(**GROUP, ConfigurationUpdates=changes, Description="")
    numbers = athena.list_named_queries(**GROUP)["NamedQueryIds"]
    queries = {q["Name"]: q for q in athena.batch_get_named_query(NamedQueryIds=numbers)["NamedQueries"]}
    for name in ("channels", "funnel"):
        athena.delete_named_query(NamedQueryId=queries[name]["NamedQueryId"])
    athena.create_named_query(**GROUP, Name="funnel", Database="elsewhere", QueryString="SELECT 1")
    stack.client("iam").delete_role_policy(RoleName=FUNCTION["FunctionName"], PolicyName=FUNCTION["FunctionName"])


def test_another_buffer_interval_and_another_retention_reach_a_stack_that_is_there(
    stack: EndpointProcess, tmp_path: Path
) -> None:
    document = json.loads((ROOT / "src/clicklake/pipeline.json").read_text())
    document["retention_days"]["raw"] = 10
    (tmp_path / "pipeline.json").write_text(json.dumps(document))
    before = described(stack.client)
    stack.kill()
    stack.options = ("--buffer-interval", "7", "--pipeline", str(tmp_path / "pipeline.json"))
    stack.start()
    found = {
        where: values for where, values in differences(before, described(stack.client)).items() if "/Code" not in where
    }
    assert found.pop("delivery stream clickstream-firehose-dev:/tags/clicklake:made-from")
    assert found.pop(f"bucket {LAKE['Bucket']}:/lifecycle_configuration/Rules/expire-raw/Expiration/Days") == (90, 10)
    assert {where.rpartition("/")[2]: values for where, values in found.items()} == {"IntervalInSeconds": (1, 7)}


@pytest.mark.parametrize(
    ("service", "remove", "parameters"),
    [
        ("lambda", "delete_function", FUNCTION),
        pytest.param("s3", "delete_bucket", LAKE, marks=pytest.mark.minutes),
        pytest.param("athena", "delete_work_group", GROUP | {"RecursiveDeleteOption": True}, marks=pytest.mark.minutes),
    ],
)
def test_what_was_removed_by_hand_is_there_after_the_next_start_with_all_that_belongs_to_it(
    stack: EndpointProcess, service: str, remove: str, parameters: dict[str, Any]
) -> None:
    before = described(stack.client)
    getattr(stack.client(service), remove)(**parameters)
    stack.kill()
    stack.start()
    assert differences(before, described(stack.client)) == {}


def test_a_stack_of_terraforms_is_left_alone(tmp_path: Path) -> None:
    theirs = EndpointProcess(tmp_path / "data", ("--bare",))
    theirs.start()
    theirs.client("firehose").create_delivery_stream(
        **STREAM,
        ExtendedS3DestinationConfiguration={
            "BucketARN": "arn:aws:s3:::theirs",
            "RoleARN": "arn:aws:iam::000000000000:role/theirs",
        },
        Tags=[{"Key": "ManagedBy", "Value": "terraform"}],
    )
    theirs.kill()
    up = [sys.executable, "-m", "clicklake", "up", "--port", "0", "--data-dir", str(theirs.data_dir)]
    done = subprocess.run(up, env=clean_environment(), capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.endswith("clickstream-firehose-dev is Terraform's; leave it so: clicklake up --bare\n")


def test_a_stream_into_another_bucket_that_up_did_not_make_is_left_alone(tmp_path: Path) -> None:
    """As the module makes it for a root that has no default tags."""
    theirs = EndpointProcess(tmp_path / "data", ("--bare",))
    theirs.start()
    destination = {"BucketARN": "arn:aws:s3:::theirs", "RoleARN": "arn:aws:iam::000000000000:role/theirs"}
    theirs.client("firehose").create_delivery_stream(**STREAM, ExtendedS3DestinationConfiguration=destination)
    theirs.kill()
    up = [sys.executable, "-m", "clicklake", "up", "--port", "0", "--data-dir", str(theirs.data_dir)]
    done = subprocess.run(up, env=clean_environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.endswith(
        "clickstream-firehose-dev is somebody else's, for it delivers to theirs; leave it so: clicklake up --bare\n"
    )


def test_what_is_added_taken_away_or_changed_is_seen(stack: EndpointProcess) -> None:
    """Of the comparison itself: else it might compare nothing."""
    before = described(stack.client)
    stack.client("sns").create_topic(Name="added")
    stack.client("s3").put_bucket_cors(
        **LAKE, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]}
    )
    stack.client("iam").put_role_policy(RoleName=FUNCTION["FunctionName"], PolicyName="more", PolicyDocument=_MORE)
    stack.client("glue").delete_table(DatabaseName="clickstream_db", Name="clickstream_ledger")
    found = differences(before, described(stack.client))
    assert {where.partition(":/")[0] for where in found} == {
        "topic arn:aws:sns:us-east-1:000000000000:added",
        "bucket clickstream-lake-dev",
        "role clickstream-raw-to-processed-dev",
        "table clickstream_db.clickstream_ledger",
    }
    assert found["table clickstream_db.clickstream_ledger"] == ("is there", None)
    assert found["topic arn:aws:sns:us-east-1:000000000000:added"] == (None, "is there")


_MORE = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
