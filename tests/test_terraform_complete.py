"""Everything that the module can do, switched on at once, by its own example; and the state kept in a bucket.

One apply, shared by the tests in their order here.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import collector_walk
from clicklake import package as packages
from endpoint_process import EndpointProcess, eventually
from seed_walk import walk
from terraform_stack import BUCKET as LAKE
from terraform_stack import Terraform, checkout, example, initialise

pytestmark = [pytest.mark.terraform, pytest.mark.minutes, pytest.mark.timeout(400)]

BUCKET, STATES = "acme-complete", "your-terraform-state-bucket"
ACCOUNT = "000000000000"
_UNCHANGED = 0  # plan -detailed-exitcode: 2 means that there is something to do


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The processor's zip, for this machine."""
    return packages.build(out=tmp_path_factory.mktemp("package") / "processor.zip").read_bytes()


@pytest.fixture(scope="module")
def complete(
    tmp_path_factory: pytest.TempPathFactory, endpoint: EndpointProcess, aws: Callable[..., Any], package: bytes
) -> Terraform:
    """Applied."""
    folder = tmp_path_factory.mktemp("complete")
    collector = packages.build(out=folder / "collector.zip", contents=packages.COLLECTOR).read_bytes()
    made = example("complete", folder, endpoint, package, collector)
    variables = {
        "s3_bucket_name": BUCKET,
        "lambda_package": "../../../../../dist/processor-local.zip",
        "collector_package": "../../../../../dist/collector-local.zip",
        "write_key": collector_walk.KEY,
        "collector_rate_limit": 20,
        "buffering": {"mib": 16, "seconds": 1},
        "force_destroy": True,
    }
    (made.root / made.folder / "terraform.tfvars.json").write_text(json.dumps(variables))
    aws("ssm").put_parameter(Name="/clicklake/dev/user-key", Value="k" * 32, Type="SecureString")
    made.must("apply", "-auto-approve", seconds=200)
    return made


def test_everything_is_made_and_the_next_plan_is_empty(complete: Terraform, aws: Callable[..., Any]) -> None:
    done = complete.run("plan", "-detailed-exitcode")
    assert done.returncode == _UNCHANGED, done.stdout
    topic = complete.outputs()["alarm_topic_arn"]
    alarms = aws("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == 19
    for alarm in alarms:
        assert alarm["AlarmActions"] == [topic]
        assert ". Runbook: " in alarm["AlarmDescription"], alarm["AlarmName"]
    assert [board["DashboardName"] for board in aws("cloudwatch").list_dashboards()["DashboardEntries"]]
    assert len(aws("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]) == 1


def test_the_plan_is_empty_after_a_crash_and_a_restart(complete: Terraform, endpoint: EndpointProcess) -> None:
    endpoint.kill()
    endpoint.start()
    done = complete.run("plan", "-detailed-exitcode")
    assert done.returncode == _UNCHANGED, done.stdout


def test_the_seeds_walk_works_with_everything_on(complete: Terraform, endpoint: EndpointProcess) -> None:
    assert complete.outputs()["delivery_stream_arn"].endswith("/clickstream-firehose-dev")
    walk(endpoint.environment(), BUCKET, endpoint.client)


def test_an_unsigned_request_becomes_a_row(complete: Terraform, endpoint: EndpointProcess) -> None:
    """Through the HTTP API and the function that Terraform made."""
    collector_walk.walk(complete.outputs()["collector_url"], endpoint.client, BUCKET, "complete")


def test_a_flood_is_throttled_before_it_costs_an_invocation(complete: Terraform, aws: Callable[..., Any]) -> None:
    url = complete.outputs()["collector_url"]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: collector_walk.send(f"{url}/health", method="GET"), range(400)))
    assert {answer.status for answer in answers} == {200, 429}
    refused = next(answer for answer in answers if answer.status == 429)
    assert refused.json() == {"message": "Too Many Requests"}
    log = "/aws/vendedlogs/clickstream-dev-collector"
    assert eventually(lambda: _statuses(aws, log) >= {"200", "401", "429"})


def _statuses(aws: Callable[..., Any], group: str) -> set[str]:
    """Of its access log, which says nothing of who asked."""
    lines = [line["message"] for line in aws("logs").filter_log_events(logGroupName=group)["events"]]
    assert not [line for line in lines if "203.0.113" in line or "127.0.0.1" in line or "an-example-key" in line]
    return {json.loads(line)["status"] for line in lines}


def test_destroy_leaves_nothing(complete: Terraform, aws: Callable[..., Any]) -> None:
    complete.must("destroy", "-auto-approve", seconds=200)
    assert aws("s3").list_buckets()["Buckets"] == []
    assert aws("cloudwatch").describe_alarms()["MetricAlarms"] == []
    assert aws("cloudwatch").list_dashboards()["DashboardEntries"] == []
    assert aws("sns").list_topics()["Topics"] == []
    assert aws("sqs").list_queues().get("QueueUrls", []) == []
    assert aws("apigatewayv2").get_apis()["Items"] == []
    assert aws("lambda").list_functions()["Functions"] == []
    assert aws("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"] == []
    assert aws("iam").list_policies(Scope="Local")["Policies"] == []
    assert aws("logs").describe_log_groups()["logGroups"] == []
    (key,) = aws("kms").list_keys()["Keys"]
    assert aws("kms").describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def test_the_example_of_a_remote_state_keeps_it_in_the_bucket(
    tmp_path: Path, endpoint: EndpointProcess, aws: Callable[..., Any], package: bytes
) -> None:
    made = checkout(tmp_path, endpoint, package)
    (tmp_path / "terraform/backend.tf.example").rename(tmp_path / "terraform/backend.tf")
    aws("s3").create_bucket(Bucket=STATES)
    initialise(made, "-reconfigure")
    made.must("apply", "-auto-approve", "-target=module.clickstream.aws_glue_catalog_database.lake")
    keys = [found["Key"] for found in aws("s3").list_objects_v2(Bucket=STATES)["Contents"]]
    assert keys == ["env:/laptop/clicklake/terraform.tfstate"], "and the lock is gone"
    made.must("destroy", "-auto-approve", "-target=module.clickstream.aws_glue_catalog_database.lake")


def test_a_bucket_that_cannot_be_destroyed_keeps_its_key(
    tmp_path: Path, endpoint: EndpointProcess, aws: Callable[..., Any], package: bytes
) -> None:
    made = checkout(tmp_path, endpoint, package)
    options = ["-var", "encryption=own-key", "-var", "force_destroy=false", "-auto-approve"]
    encrypted = "module.clickstream.aws_s3_bucket_server_side_encryption_configuration.lake"
    made.must("apply", *options, f"-target={encrypted}")
    rules = aws("s3").get_bucket_encryption(Bucket=LAKE)["ServerSideEncryptionConfiguration"]["Rules"]
    key = rules[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"]
    aws("s3").put_object(Bucket=LAKE, Key="raw/x.gz", Body=b"x")
    done = made.run("destroy", *options)
    assert done.returncode == 1
    assert "BucketNotEmpty" in done.stdout
    assert aws("kms").describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
