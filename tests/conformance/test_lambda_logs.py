"""A function's log: the lines that are AWS's and those that it prints, in the answer, in CloudWatch Logs and in a file."""

import base64
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import call, deploy

Client = Callable[..., Any]


def test_the_log_tail_has_what_was_printed_between_awss_lines(functions: Any) -> None:
    source = """
import logging, subprocess, sys
def handler(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger().warning("from logging")
    subprocess.run(["echo", "from a child"])
    sys.stdout.write("no newline")
"""
    name = deploy(functions, source, MemorySize=256)
    answer = functions.invoke(FunctionName=name, LogType="Tail")
    id_ = answer["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    request = re.escape(id_)
    report = (
        rf"REPORT RequestId: {request}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms"
    )
    expected = [
        rf"START RequestId: {request} Version: \$LATEST",
        "to stdout",
        "to stderr",
        rf"\[WARNING\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request}\tfrom logging",
        "from a child",
        "no newline",
        rf"END RequestId: {request}",
        report,
    ]
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_the_log_is_in_cloudwatch_logs_and_in_a_file(functions: Any, aws: Client, endpoint: EndpointProcess) -> None:
    name = deploy(functions, "def handler(event, context): print('a line of mine')")
    call(functions, name)
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert "a line of mine" in [event["message"] for event in events]
    (file,) = (endpoint.data_dir / "logs" / "aws" / "lambda" / name).rglob("*.log")
    assert "a line of mine" in file.read_text()


def test_log_events_of_all_streams_come_in_pages_and_in_order(functions: Any, aws: Client) -> None:
    """As `aws logs tail` reads them."""
    logs = aws("logs")
    name = deploy(
        functions, "def handler(event, context):\n    for i in range(event): print(context.function_version, i)"
    )
    functions.publish_version(FunctionName=name)
    for version in ("$LATEST", "1", "$LATEST"):
        functions.invoke(FunctionName=name, Qualifier=version, Payload=b"20")
    ask = {"logGroupName": f"/aws/lambda/{name}", "filterPattern": '?"1 " ?LATEST -START -RequestId'}
    pages = list(logs.get_paginator("filter_log_events").paginate(**ask, PaginationConfig={"PageSize": 7}))
    events = [event for page in pages for event in page["events"]]
    expected = [f"{version} {i}" for version in ("$LATEST", "1", "$LATEST") for i in range(20)]
    assert sorted(event["message"] for event in events) == sorted(expected)
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert len({event["eventId"] for event in events}) == len(expected)
    assert {len(page["events"]) for page in pages} == {7, len(expected) % 7}
    latest = logs.filter_log_events(**ask, startTime=events[-1]["timestamp"])["events"]
    assert latest[-1] == events[-1]
    streams = logs.describe_log_streams(logGroupName=ask["logGroupName"], orderBy="LastEventTime", descending=True)
    (newest, oldest) = (stream["logStreamName"] for stream in streams["logStreams"])
    assert ("[$LATEST]" in newest, "[1]" in oldest) == (True, True)
    back = logs.get_log_events(logGroupName=ask["logGroupName"], logStreamName=newest, limit=1)
    assert back["events"][0]["message"].startswith("REPORT")
    before = {"logStreamName": newest, "nextToken": back["nextBackwardToken"], "limit": 1}
    assert logs.get_log_events(logGroupName=ask["logGroupName"], **before)["events"][0]["message"].startswith("END")


def test_a_functions_log_group_is_made_at_its_first_line_and_deleted_with_its_lines(
    functions: Any, aws: Client
) -> None:
    logs, name = aws("logs"), deploy(functions, "def handler(event, context): print('a line of mine')")
    call(functions, name)
    group = {"logGroupName": f"/aws/lambda/{name}"}
    assert eventually(lambda: logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"])
    logs.delete_log_group(**group)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.filter_log_events(**group)
    call(functions, name)
    assert logs.filter_log_events(**group, filterPattern='"a line"')["events"]


def test_the_aws_command_invokes_and_shows_the_log(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, "def handler(event, context):\n    print('said', event['a'])\n    return event")
    command = ["aws", "lambda", "invoke", "--function-name", name, "--payload", '{"a": "b"}', "--log-type", "Tail"]
    run = subprocess.run([*command, str(tmp_path / "out")], env=endpoint.environment(), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "out").read_text()) == {"a": "b"}
    assert "said b" in base64.b64decode(json.loads(run.stdout)["LogResult"]).decode()
