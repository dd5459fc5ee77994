"""With `up --enforce-iam`: the roles that `up` makes are enough, and no more.

One permission after the other is taken away, and the path that needs it is driven until AWS's refusal is seen; with it
given back, the same path works. What nothing here asks for is in `NEVER_ASKED`, with the reason.
"""

import copy
import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from athena_client import Queries
from clicklake import package
from endpoint_process import EndpointProcess, eventually, running

STREAM, FUNCTION = "clickstream-firehose-dev", "clickstream-raw-to-processed-dev"
BUCKET, DATABASE = "clickstream-lake-dev", "clickstream_db"
GOOD, BAD = b'{"event_type": "page_view"}\n', b'{"event_type": \n'
DELIVERY_LOG, FUNCTION_LOG = f"/aws/kinesisfirehose/{STREAM}", f"/aws/lambda/{FUNCTION}"

LISTED = (
    "AWS's guide lists it for every stream (firehose/latest/dev/controlling-access.html); a delivery here is one put"
)
NEVER_ASKED = {
    (STREAM, "s3:AbortMultipartUpload", ""): LISTED,
    (STREAM, "s3:GetObject", ""): LISTED,
    (STREAM, "s3:GetBucketLocation", ""): LISTED,
    (STREAM, "s3:ListBucket", ""): LISTED,
    (STREAM, "s3:ListBucketMultipartUploads", ""): LISTED,
    (STREAM, "s3:PutObject", "firehose-errors/"): "nothing fails here between a record's arrival and its delivery",
    (
        FUNCTION,
        "xray:PutTraceSegments",
        "",
    ): "traces are not kept here: Lambda on AWS sends them in the function's name",
    (FUNCTION, "xray:PutTelemetryRecords", ""): "likewise",
}


@dataclass
class Lake:
    """The stack with its policies enforced, and the owner's clients."""

    endpoint: EndpointProcess
    days: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self.clients:
            self.clients[service] = self.endpoint.client(service)
        return self.clients[service]

    def policy(self, role: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client("iam").get_role_policy(RoleName=role, PolicyName=role)["PolicyDocument"]
        return found

    @contextmanager
    def without(self, role: str, action: str, zone: str = "") -> Iterator[None]:
        """Meanwhile the role may do the action on no resource whose ARN has `zone` in it."""
        whole = self.policy(role)
        less = copy.deepcopy(whole)
        less["Statement"] = [kept for statement in less["Statement"] for kept in _less(statement, action, zone)]
        assert less != whole, f"{role} may not {action} {zone} anyway"
        put = self.client("iam").put_role_policy
        put(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(less))
        try:
            yield
        finally:
            put(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(whole))

    @contextmanager
    def distrusted(self, role: str) -> Iterator[None]:
        """Meanwhile no service may take the role."""
        iam = self.client("iam")
        trust = json.dumps(iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"])
        iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust.replace("amazonaws.com", "amazonaws.example"))
        try:
            yield
        finally:
            iam.update_assume_role_policy(RoleName=role, PolicyDocument=trust)

    def day(self) -> str:
        """One that no other path works on. No trigger is told of its raw object, for lack of a suffix."""
        month, day = divmod(next(self.days), 28)
        return f"year=2020/month={month + 1:02}/day={day + 1:02}"

    def raw(self, data: bytes, day: str) -> str:
        key = f"raw/{day}/probe"
        self.client("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(data))
        return key

    def keys(self, prefix: str) -> list[str]:
        found = self.client("s3").list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [item["Key"] for item in found]

    def process(self, key: str) -> str:
        """What the function says of the raw object: "" or its error."""
        answer = self.client("lambda").invoke(FunctionName=FUNCTION, Payload=json.dumps(event(key)))
        said = json.load(answer["Payload"])
        return str(said["errorMessage"]) if "FunctionError" in answer else ""

    def renew(self) -> None:
        """The next invocation finds a cold function."""
        text = f"day {next(self.days)}"
        self.client("lambda").update_function_configuration(FunctionName=FUNCTION, Description=text)

    def logged(self, group: str, text: str) -> bool:
        found = self.client("logs").filter_log_events(logGroupName=group, filterPattern=f'"{text}"')["events"]
        return bool(found)

    def send(self) -> None:
        self.client("firehose").put_record(DeliveryStreamName=STREAM, Record={"Data": GOOD})

    def delivered(self) -> set[str]:
        return {key for key in self.keys("raw/") if STREAM in key}

    def processed(self) -> set[str]:
        return {key for key in self.keys("ledger/") if STREAM in key}


def _less(statement: dict[str, Any], action: str, zone: str) -> Iterator[dict[str, Any]]:
    if statement["Effect"] == "Deny" or action not in statement["Action"]:
        yield statement
        return
    others, elsewhere = (
        [a for a in statement["Action"] if a != action],
        [r for r in statement["Resource"] if zone not in r],
    )
    if others:
        yield statement | {"Action": others}
    if elsewhere:
        yield statement | {"Action": [action], "Resource": elsewhere}


def event(key: str) -> dict[str, Any]:
    return {"Records": [{"s3": {"bucket": {"name": BUCKET}, "object": {"key": key}}}]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[Lake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("lake") / "data"), "--enforce-iam"):
        yield Lake(endpoint)


def test_the_walk_works_with_the_roles_as_up_makes_them(lake: Lake) -> None:
    lake.send()
    assert eventually(lake.processed)
    queries = Queries(lake.client("athena"), DATABASE)
    assert queries.rows("SELECT event_type FROM clickstream_events", WorkGroup="clickstream-dev") == [["page_view"]]


# Each drives the function until it needs the permission, and returns what it said.


def read(lake: Lake) -> Callable[[], str]:
    key = lake.raw(GOOD, lake.day())
    return lambda: lake.process(key)


def read_what_is_gone(lake: Lake) -> Callable[[], str]:
    return lambda: lake.process(f"raw/{lake.day()}/gone")


def read_what_is_broken(lake: Lake) -> Callable[[], str]:
    key = lake.raw(BAD, lake.day())
    return lambda: lake.process(key)


def leave_a_stale(zone: str) -> Callable[[Lake], Callable[[], str]]:
    """The function finds in `zone` what an earlier version made of the same raw object."""

    def prepare(lake: Lake) -> Callable[[], str]:
        day = lake.day()
        key = lake.raw(GOOD, day)
        assert lake.process(key) == ""
        (made,) = lake.keys(f"processed/{day}/")
        stale = made.replace("processed/", zone).replace(".parquet", ".json.gz")
        lake.client("s3").put_object(Bucket=BUCKET, Key=stale, Body=b"")
        return lambda: lake.process(key)

    return prepare


def meet_a_partition(columns: int) -> Callable[[Lake], Callable[[], str]]:
    """Glue has the day's partition already; with fewer columns than its table, where `columns` is negative."""

    def prepare(lake: Lake) -> Callable[[], str]:
        day, glue = lake.day(), lake.client("glue")
        storage = glue.get_table(DatabaseName=DATABASE, Name="clickstream_events")["Table"]["StorageDescriptor"]
        storage["Columns"] = storage["Columns"][: columns or None]
        values = [part.partition("=")[2] for part in day.split("/")]
        wanted = {"Values": values, "StorageDescriptor": storage}
        glue.create_partition(DatabaseName=DATABASE, TableName="clickstream_events", PartitionInput=wanted)
        key = lake.raw(GOOD, day)
        return lambda: lake.process(key)

    return prepare


PATHS: dict[tuple[str, str], Callable[[Lake], Callable[[], str]]] = {
    ("s3:GetObject", ""): read,
    ("s3:ListBucket", ""): read_what_is_gone,
    ("s3:PutObject", "processed/"): read,
    ("s3:PutObject", "failed/"): read_what_is_broken,
    ("s3:PutObject", "ledger/"): read,
    ("s3:DeleteObject", "processed/"): leave_a_stale("processed/"),
    ("s3:DeleteObject", "failed/"): leave_a_stale("failed/"),
    ("glue:CreatePartition", ""): read,
    ("glue:GetPartition", ""): meet_a_partition(0),
    ("glue:UpdatePartition", ""): meet_a_partition(-1),
}
# What a cold function needs once.
AT_FIRST = (
    ("ssm:GetParameter", ""),
    ("glue:GetTable", ":catalog"),
    ("glue:GetTable", ":database/"),
    ("glue:GetTable", ":table/"),
)


@pytest.mark.parametrize(("action", "zone"), PATHS)
def test_the_function_needs_each_of_its_permissions(lake: Lake, action: str, zone: str) -> None:
    drive = PATHS[action, zone](lake)
    with lake.without(FUNCTION, action, zone):
        assert_refused(drive(), action)
    assert drive() == ""


def test_a_cold_function_needs_each_of_its_permissions(lake: Lake) -> None:
    lake.renew()
    drive = read(lake)
    for action, zone in AT_FIRST:
        with lake.without(FUNCTION, action, zone):
            assert_refused(drive(), action)
    assert drive() == ""


def assert_refused(said: str, action: str) -> None:
    assert f"assumed-role/{FUNCTION}/{FUNCTION} is not authorized to perform: {action} on resource: " in said
    assert said.endswith(f"because no identity-based policy allows the {action} action")


@pytest.mark.parametrize("action", ["logs:PutLogEvents", "logs:CreateLogStream"])
def test_without_it_the_functions_lines_are_dropped_and_no_run_fails(lake: Lake, action: str) -> None:
    if action == "logs:CreateLogStream":
        lake.renew()  # a stream is a process's
    day, other = lake.day(), lake.day()
    with lake.without(FUNCTION, action):
        assert lake.process(lake.raw(GOOD, day)) == ""
    assert not lake.logged(FUNCTION_LOG, day)
    assert lake.process(lake.raw(GOOD, other)) == ""
    assert lake.logged(FUNCTION_LOG, other)


def test_a_failure_that_may_not_be_reported_is_reported_when_it_may(lake: Lake) -> None:
    functions, sqs = lake.client("lambda"), lake.client("sqs")
    functions.update_function_event_invoke_config(FunctionName=FUNCTION, MaximumRetryAttempts=0)
    queue = sqs.get_queue_url(QueueName="clickstream-failed-invocations-dev")["QueueUrl"]
    with lake.without(FUNCTION, "sqs:SendMessage"):
        functions.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=json.dumps(event("not-raw/x")))
        assert eventually(lambda: "can't be had by" in lake.endpoint.log.read_text())
        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert json.loads(message["Body"])["requestPayload"] == event("not-raw/x")


def test_a_delivery_that_is_refused_is_logged_and_made_when_it_is_allowed(lake: Lake) -> None:
    before = lake.delivered()
    with lake.without(STREAM, "s3:PutObject", "raw/"):
        lake.send()
        assert eventually(lambda: lake.logged(DELIVERY_LOG, "S3.AccessDenied"))
        assert lake.delivered() == before
    assert eventually(lambda: len(lake.delivered()) == len(before) + 1)


def test_a_stream_that_may_not_log_delivers_all_the_same(lake: Lake) -> None:
    lines = lake.client("logs").filter_log_events(logGroupName=DELIVERY_LOG)["events"]
    before = lake.delivered()
    with lake.without(STREAM, "logs:PutLogEvents"), lake.without(STREAM, "s3:PutObject", "raw/"):
        lake.send()
        assert eventually(lambda: f"log lines of {DELIVERY_LOG} are dropped" in lake.endpoint.log.read_text())
    assert eventually(lambda: len(lake.delivered()) == len(before) + 1)
    assert lake.client("logs").filter_log_events(logGroupName=DELIVERY_LOG)["events"] == lines


def test_what_nothing_asks_for_can_be_taken_away(lake: Lake) -> None:
    policies, before = {role: lake.policy(role) for role in (STREAM, FUNCTION)}, lake.processed()
    for role, action, zone in NEVER_ASKED:
        less = lake.policy(role)
        less["Statement"] = [kept for statement in less["Statement"] for kept in _less(statement, action, zone)]
        lake.client("iam").put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(less))
    try:
        lake.send()
        assert eventually(lambda: len(lake.processed()) > len(before))
    finally:
        for role, policy in policies.items():
            lake.client("iam").put_role_policy(RoleName=role, PolicyName=role, PolicyDocument=json.dumps(policy))


def test_every_permission_of_both_roles_is_driven_or_has_a_reason(lake: Lake) -> None:
    driven = {(FUNCTION, action) for action, _ in (*PATHS, *AT_FIRST)} | {
        (role, action) for role, action, _ in NEVER_ASKED
    }
    driven |= {(FUNCTION, f"logs:{name}") for name in ("CreateLogStream", "PutLogEvents")}
    driven |= {(FUNCTION, "sqs:SendMessage"), (STREAM, "s3:PutObject"), (STREAM, "logs:PutLogEvents")}
    allowed = {
        (role, action)
        for role in (STREAM, FUNCTION)
        for statement in lake.policy(role)["Statement"]
        if statement["Effect"] == "Allow"
        for action in statement["Action"]
    }
    assert allowed == driven


def test_a_delivery_waits_until_firehose_may_take_the_streams_role(lake: Lake) -> None:
    before = lake.delivered()
    with lake.distrusted(STREAM):
        lake.send()
        assert eventually(lambda: "can't be assumed by firehose.amazonaws.com" in lake.endpoint.log.read_text())
        assert lake.delivered() == before
    assert eventually(lambda: len(lake.delivered()) == len(before) + 1)


def test_no_function_starts_with_a_role_that_lambda_may_not_take(lake: Lake) -> None:
    key = lake.raw(GOOD, lake.day())
    lake.renew()
    with lake.distrusted(FUNCTION), pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        lake.process(key)
    assert lake.process(key) == ""


def test_s3_invokes_the_function_while_the_functions_policy_lets_it(lake: Lake) -> None:
    functions, before = lake.client("lambda"), lake.processed()
    (statement,) = json.loads(functions.get_policy(FunctionName=FUNCTION)["Policy"])["Statement"]
    functions.remove_permission(FunctionName=FUNCTION, StatementId=statement["Sid"])
    lake.send()
    assert eventually(
        lambda: "because no resource-based policy allows the lambda:InvokeFunction" in lake.endpoint.log.read_text()
    )
    assert lake.processed() == before
    functions.add_permission(
        FunctionName=FUNCTION,
        StatementId=statement["Sid"],
        Action="lambda:InvokeFunction",
        Principal="s3.amazonaws.com",
        SourceArn=f"arn:aws:s3:::{BUCKET}",
        SourceAccount="000000000000",
    )
    assert eventually(lambda: len(lake.processed()) > len(before))


# --- the collector's, which Terraform alone makes ---------------------------------------------------------------------

COLLECTOR = "clickstream-dev-collector"
HERE = "us-east-1:000000000000"
# As terraform/modules/clickstream/collector.tf has it, and its own test word for word.
COLLECTS: list[dict[str, Any]] = [
    {
        "Effect": "Allow",
        "Action": ["firehose:PutRecordBatch"],
        "Resource": [f"arn:aws:firehose:{HERE}:deliverystream/{STREAM}"],
    },
    {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": [f"arn:aws:logs:{HERE}:log-group:/aws/lambda/{COLLECTOR}:*"],
    },
]


def test_the_collectors_function_needs_no_more_than_to_put_records(lake: Lake, tmp_path: Path) -> None:
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    documents = [json.dumps({"Version": "2012-10-17", "Statement": said}) for said in ([trust], COLLECTS)]
    iam, functions = lake.client("iam"), lake.client("lambda")
    role = iam.create_role(RoleName=COLLECTOR, AssumeRolePolicyDocument=documents[0])["Role"]["Arn"]
    iam.put_role_policy(RoleName=COLLECTOR, PolicyName=COLLECTOR, PolicyDocument=documents[1])
    lake.client("logs").create_log_group(logGroupName=f"/aws/lambda/{COLLECTOR}")
    zipped = package.build(out=tmp_path / "collector.zip", contents=package.COLLECTOR).read_bytes()
    functions.create_function(
        FunctionName=COLLECTOR,
        Runtime="python3.13",
        Role=role,
        Handler="clicklake.collector.function.handler",
        Code={"ZipFile": zipped},
        Timeout=10,
        Environment={"Variables": {"CLICKLAKE_DELIVERY_STREAM": STREAM}},
    )
    context = {"http": {"method": "POST", "path": "/v1/events", "sourceIp": "192.0.2.1"}, "domainName": "in.example"}
    event = {"version": "2.0", "rawPath": "/v1/events", "requestContext": context, "body": GOOD.decode()}

    def status() -> int:
        return int(
            json.load(functions.invoke(FunctionName=COLLECTOR, Payload=json.dumps(event))["Payload"])["statusCode"]
        )

    assert status() == 200
    with lake.without(COLLECTOR, "firehose:PutRecordBatch"):
        assert status() == 503
    assert status() == 200
