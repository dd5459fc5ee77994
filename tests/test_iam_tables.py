"""What a request asks for, by AWS's own tables: the action that an operation needs, and the ARNs that it is about."""

from collections.abc import Mapping
from typing import Any

import pytest

from localaws.iam.asked import resources
from localaws.iam.conditions import expanded, like
from localaws.iam.definitions import Definitions
from localaws.iam.policies import Ask, verdict
from localaws.s3.routes import ROUTES
from localaws.s3.rules import OF_ACCOUNT, RULES, Rule

TABLES = Definitions()
HERE = "us-east-1:000000000000"


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "action", "arns"),
    [
        ("firehose", "PutRecordBatch", {"DeliveryStreamName": "s"}, "PutRecordBatch", [f"firehose:{HERE}:deliverystream/s"]),
        ("lambda", "Invoke", {"FunctionName": "f"}, "InvokeFunction", [f"lambda:{HERE}:function:f"]),
        ("lambda", "Invoke", {"FunctionName": "f", "Qualifier": "live"}, "InvokeFunction", [f"lambda:{HERE}:function:f:live"]),
        ("lambda", "Invoke", {"FunctionName": f"arn:aws:lambda:{HERE}:function:f:2"}, "InvokeFunction", [f"lambda:{HERE}:function:f:2"]),
        ("lambda", "TagResource", {"Resource": f"arn:aws:lambda:{HERE}:function:f"}, "TagResource", [f"lambda:{HERE}:function:f"]),
        ("glue", "GetDatabase", {"Name": "d"}, "GetDatabase", [f"glue:{HERE}:catalog", f"glue:{HERE}:database/d"]),
        ("glue", "GetDatabases", {}, "GetDatabases", [f"glue:{HERE}:catalog", f"glue:{HERE}:database/*"]),
        (
            "glue", "CreateTable", {"DatabaseName": "d", "TableInput": {"Name": "t"}}, "CreateTable",
            [f"glue:{HERE}:catalog", f"glue:{HERE}:database/d", f"glue:{HERE}:table/d/t"],
        ),
        ("ssm", "GetParameter", {"Name": "/a/b"}, "GetParameter", [f"ssm:{HERE}:parameter/a/b"]),
        ("ssm", "GetParameters", {"Names": ["/a", "b"]}, "GetParameters", [f"ssm:{HERE}:parameter/a", f"ssm:{HERE}:parameter/b"]),
        ("ssm", "GetParametersByPath", {"Path": "/a"}, "GetParametersByPath", [f"ssm:{HERE}:parameter/a"]),
        ("sqs", "SendMessageBatch", {"QueueUrl": "http://x/000000000000/q"}, "SendMessage", [f"sqs:{HERE}:q"]),
        ("sns", "Publish", {"TopicArn": f"arn:aws:sns:{HERE}:t"}, "Publish", [f"sns:{HERE}:t"]),
        ("kms", "Decrypt", {"KeyId": f"arn:aws:kms:{HERE}:key/k"}, "Decrypt", [f"kms:{HERE}:key/k"]),
        ("logs", "PutLogEvents", {"logGroupName": "/g", "logStreamName": "s"}, "PutLogEvents", [f"logs:{HERE}:log-group:/g:log-stream:s"]),
        ("logs", "FilterLogEvents", {"logGroupIdentifier": f"arn:aws:logs:{HERE}:log-group:/g:*"}, "FilterLogEvents", [f"logs:{HERE}:log-group:/g:log-stream:"]),
        ("athena", "GetWorkGroup", {"WorkGroup": "w"}, "GetWorkGroup", [f"athena:{HERE}:workgroup/w"]),
        ("events", "PutRule", {"Name": "r"}, "PutRule", [f"events:{HERE}:rule/r"]),
        ("events", "PutRule", {"Name": "r", "EventBusName": "b"}, "PutRule", [f"events:{HERE}:rule/b/r"]),
        ("cloudwatch", "PutMetricAlarm", {"AlarmName": "a"}, "PutMetricAlarm", [f"cloudwatch:{HERE}:alarm:a"]),
        ("iam", "CreateRole", {"RoleName": "r", "Path": "/team/"}, "CreateRole", ["iam::000000000000:role/team/r"]),
        ("iam", "AttachRolePolicy", {"RoleName": "r", "PolicyArn": "arn:aws:iam::aws:policy/P"}, "AttachRolePolicy", ["iam::000000000000:role/r"]),
        ("s3", "GetObject", {"Bucket": "b", "Key": "arn:aws:s3:::other/k*"}, "GetObject", ["s3:::b/arn:aws:s3:::other/k*"]),
        ("s3", "ListBucket", {"Bucket": "b", "Key": ""}, "ListBucket", ["s3:::b"]),
    ],
)  # fmt: skip
def test_an_operation_asks_for_its_action_on_what_it_names(
    service: str, operation: str, parameters: Mapping[str, Any], action: str, arns: list[str]
) -> None:
    (found,) = TABLES.actions(service, operation)
    assert found.name == f"{service}:{action}"
    region, account = HERE.split(":")
    assert resources(found, dict(parameters), region, account) == [f"arn:aws:{arn}" for arn in arns]


def test_an_operation_may_need_two_actions_and_one_that_is_about_nothing_is_about_everything() -> None:
    assert [action.name for action in TABLES.actions("kms", "ReEncrypt")] == ["kms:ReEncryptFrom", "kms:ReEncryptTo"]
    (traces,) = TABLES.actions("xray", "PutTraceSegments")
    assert resources(traces, {}, "us-east-1", "000000000000") == ["*"]


def test_s3_asks_for_the_actions_that_awss_tables_name() -> None:
    """Operations whose names are none of an action's pages have prose only: rules.py cites it."""
    apart = {"DeleteObjects", "GetObjectAttributes"}  # each object for itself; s3:GetObject, and that
    wrong = {}
    for operation in {route.operation for route in ROUTES.values()} - apart:
        rule = OF_ACCOUNT.get(operation) or RULES.get(operation, Rule(f"s3:{operation}"))
        named = {action.name for action in TABLES.actions("s3", operation)}
        if rule.action not in (named or {rule.action}) or not TABLES.actions("s3", rule.action.removeprefix("s3:")):
            wrong[operation] = (rule.action, named)
    assert not wrong


def test_every_action_that_s3_asks_for_is_one_of_awss() -> None:
    asked = {action for rule in RULES.values() for action in (rule.action, rule.versioned) if action}
    assert not [action for action in asked if not TABLES.actions("s3", action.removeprefix("s3:"))]


@pytest.mark.parametrize(
    ("text", "value", "matches"),
    [
        ("home/${aws:username}/*", "home/ann/x", True),
        ("home/${aws:username}/*", "home/bob/x", False),
        ("${aws:userid, 'nobody'}", "nobody", True),
        ("${s3:prefix}", "", False),
        ("a${*}b", "a*b", True),
        ("a${*}b", "axb", False),
        ("${aws:referer}", "x", False),
        ("${aws:referer}", "*", True),
    ],
)
def test_a_policys_variables_are_the_requests_and_what_is_in_them_is_no_wildcard(
    text: str, value: str, matches: bool
) -> None:
    pattern = expanded(text, {"aws:username": ["ann"], "aws:referer": ["*"]})
    assert (pattern is not None and like(pattern, value)) == matches


def test_variables_are_of_the_newer_version_alone() -> None:
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}
    ask = Ask("s3:GetObject", "arn:aws:s3:::b/ann", {"aws:username": ["ann"]})
    assert verdict({"Version": "2012-10-17", "Statement": [statement]}, ask) == "Allow"
    assert verdict({"Statement": statement}, ask) is None
