"""The control plane (moto, in process): it answers real clients, and what it answered survives kill -9.

Each function of `MAKERS` makes something and returns the check that it is still the same; between the two, the
endpoint is killed and started again, once for all of them.
"""

import http.server
import json
import socketserver
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from endpoint_process import EndpointProcess, clean_environment, eventually

Client = Callable[..., Any]
Check = Callable[[], None]

_TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
_MANAGED = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"


def a_role_with_its_id_and_policies(aws: Client) -> Check:
    role = aws("iam").create_role(RoleName="worker", AssumeRolePolicyDocument=_TRUST)["Role"]
    aws("iam").attach_role_policy(RoleName="worker", PolicyArn=_MANAGED)

    def check() -> None:
        again = aws("iam").get_role(RoleName="worker")["Role"]
        assert [again[k] for k in ("RoleId", "Arn", "CreateDate")] == [role[k] for k in ("RoleId", "Arn", "CreateDate")]
        attached = aws("iam").list_attached_role_policies(RoleName="worker")["AttachedPolicies"]
        assert [policy["PolicyArn"] for policy in attached] == [_MANAGED]

    return check


def a_deletion(aws: Client) -> Check:
    aws("sqs").delete_queue(QueueUrl=aws("sqs").create_queue(QueueName="gone")["QueueUrl"])

    def check() -> None:
        with pytest.raises(aws("sqs").exceptions.QueueDoesNotExist):
            aws("sqs").get_queue_url(QueueName="gone")

    return check


def a_queue_with_its_messages_and_receipts(aws: Client) -> Check:
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    assert url == "https://sqs.us-east-1.amazonaws.com/000000000000/work", "no port of this run in it"
    for body in ("first", "second"):
        sqs.send_message(QueueUrl=url, MessageBody=body)
    (taken,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]

    def check() -> None:
        sqs.delete_message(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"])
        (left,) = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        assert {taken["Body"], left["Body"]} == {"first", "second"}

    return check


def a_secret_and_a_key_that_opens_what_it_sealed(aws: Client) -> Check:
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]
    sealed = aws("kms").encrypt(KeyId=key, Plaintext=b"open sesame")["CiphertextBlob"]
    aws("ssm").put_parameter(Name="/app/key", Value="s3cret", Type="SecureString")

    def check() -> None:
        assert aws("kms").decrypt(CiphertextBlob=sealed)["Plaintext"] == b"open sesame"
        assert aws("ssm").get_parameter(Name="/app/key", WithDecryption=True)["Parameter"]["Value"] == "s3cret"

    return check


def data_keys_which_are_never_handed_out_twice(aws: Client) -> Check:
    key = aws("kms").create_key()["KeyMetadata"]["KeyId"]

    def two() -> list[bytes]:
        return [aws("kms").generate_data_key(KeyId=key, KeySpec="AES_256")["Plaintext"] for _ in range(2)]

    before = two()

    def check() -> None:
        assert len({*before, *two()}) == 4

    return check


def a_log_group_an_alarm_and_a_rule(aws: Client) -> Check:
    aws("logs").create_log_group(logGroupName="/app")
    aws("logs").put_retention_policy(logGroupName="/app", retentionInDays=7)
    when = {"Period": 60, "EvaluationPeriods": 1, "Threshold": 9, "ComparisonOperator": "GreaterThanThreshold"}
    aws("cloudwatch").put_metric_alarm(AlarmName="late", Namespace="a", MetricName="m", Statistic="Maximum", **when)
    rule = aws("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")["RuleArn"]

    def check() -> None:
        (group,) = aws("logs").describe_log_groups(logGroupNamePrefix="/app")["logGroups"]
        assert group["retentionInDays"] == 7
        (alarm,) = aws("cloudwatch").describe_alarms(AlarmNames=["late"])["MetricAlarms"]
        assert alarm["Threshold"] == 9
        assert aws("events").describe_rule(Name="nightly")["Arn"] == rule

    return check


def a_buckets_configuration_but_not_for_the_next_bucket_of_its_name(aws: Client) -> Check:
    s3, bucket = aws("s3"), "moto-api-lake"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    rule = {"ID": "raw", "Status": "Enabled", "Filter": {"Prefix": "raw/"}, "Expiration": {"Days": 90}}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})

    def check() -> None:
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
        assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == [rule]
        s3.delete_bucket(Bucket=bucket)
        s3.create_bucket(Bucket=bucket)
        assert "Status" not in s3.get_bucket_versioning(Bucket=bucket)

    return check


def a_topic_which_does_not_publish_again(aws: Client) -> Check:
    received: list[bytes] = []

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the inherited name
            pass

    server = socketserver.TCPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    topic = aws("sns").create_topic(Name="hooks")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=f"http://127.0.0.1:{server.server_address[1]}/")
    aws("sns").publish(TopicArn=topic, Message="once")
    assert eventually(lambda: [json.loads(body)["Message"] for body in received]) == ["once"]

    def check() -> None:
        assert topic in [known["TopicArn"] for known in aws("sns").list_topics()["Topics"]]
        assert len(received) == 1
        server.shutdown()
        server.server_close()

    return check


MAKERS = (
    a_role_with_its_id_and_policies,
    a_deletion,
    a_queue_with_its_messages_and_receipts,
    a_secret_and_a_key_that_opens_what_it_sealed,
    data_keys_which_are_never_handed_out_twice,
    a_log_group_an_alarm_and_a_rule,
    a_buckets_configuration_but_not_for_the_next_bucket_of_its_name,
    a_topic_which_does_not_publish_again,
)


@pytest.fixture(scope="module")
def checks(endpoint: EndpointProcess, aws: Client) -> dict[str, Check]:
    made = {make.__name__: make(aws) for make in MAKERS}
    endpoint.kill()
    # A crash may tear the last line: it was never answered, so it is cut off.
    journal = endpoint.data_dir / "control.journal"
    journal.write_bytes(journal.read_bytes() + b'0badf00d {"time":1,"se')
    endpoint.start()
    return made


@pytest.mark.parametrize("what", [make.__name__ for make in MAKERS])
def test_a_crash_leaves(what: str, checks: dict[str, Check]) -> None:
    checks[what]()


def test_the_journal_is_its_owners_alone(endpoint: EndpointProcess, checks: dict[str, Check]) -> None:
    assert stat.S_IMODE((endpoint.data_dir / "control.journal").stat().st_mode) == 0o600


def test_a_damaged_journal_is_refused_in_one_line(tmp_path: Path) -> None:
    """Damage in the middle is no crash; to cut the file there would silently lose what follows."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "control.journal").write_bytes(b"0badf00d {}\n99999999 {}\n")
    command = [sys.executable, "-m", "clicklake", "up", "--bare", "--port", "0", "--data-dir", str(data)]
    done = subprocess.run(command, env=clean_environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode != 0
    (line,) = done.stderr.splitlines()
    assert "control.journal is damaged at line 1" in line


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "named"),
    [
        ("iam", "generate_organizations_access_report", {"EntityPath": "o-1234567890/r-ab12"}, "iam GenerateOrg"),
        ("sqs", "list_message_move_tasks", {"SourceArn": "arn:aws:sqs:us-east-1:000000000000:work"}, "sqs ListMessage"),
        ("workmail", "list_organizations", {}, "workmail ListOrganizations"),
    ],
)
def test_what_moto_lacks_is_refused_by_name(
    aws: Client, service: str, operation: str, parameters: dict[str, Any], named: str
) -> None:
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        getattr(aws(service), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert named in refused.value.response["Error"]["Message"]


def test_motos_own_api_is_out_of_reach(endpoint: EndpointProcess, aws: Client) -> None:
    """/moto-api/reset would empty the account, whoever signed it."""
    aws("sns").create_topic(Name="safe")
    keys = endpoint.keys()
    request = AWSRequest("POST", f"{endpoint.url}/moto-api/reset")
    credentials = Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    SigV4Auth(credentials, "sns", "us-east-1").add_auth(request)
    answer = URLLib3Session().send(request.prepare())
    assert answer.status_code >= 400
    assert any(topic["TopicArn"].endswith(":safe") for topic in aws("sns").list_topics()["Topics"])


def test_a_command_reaches_the_instances_that_its_targets_name(aws: Client) -> None:
    """SSM's backend looks into EC2's, which is imported no sooner than that."""
    image = aws("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "fleet", "Value": "a"}]}]
    made = aws("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"]
    command = aws("ssm").send_command(
        DocumentName="AWS-RunShellScript",
        Targets=[{"Key": "tag:fleet", "Values": ["a"]}],
        Parameters={"commands": ["true"]},
    )["Command"]
    assert command["InstanceIds"] == [made[0]["InstanceId"]]
