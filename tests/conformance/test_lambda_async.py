"""Asynchronous invocations: accepted durably, at least once, retried as AWS does, and never lost in silence."""

import json
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import deploy, package
from localaws.functions.async_invocations import Again, Concluded, Event, next_step
from localaws.functions.event_invoke import RetryPolicy

Client = Callable[..., Any]

# Appends the request's id to the file that it is given, then fails if that is asked for.
RECORDER = """
def handler(event, context):
    with open(event["file"], "a") as file:
        file.write(context.aws_request_id + "\\n")
    if event.get("fail"):
        raise RuntimeError("as asked")
"""

# Waits until the file "go" is beside the one that it is given.
WAITER = """
import pathlib, time
def handler(event, context):
    file = pathlib.Path(event["file"])
    file.with_name("begun").touch()
    while not file.with_name("go").exists():
        time.sleep(0.01)
    file.write_text("done")
"""


# Appends a line to the file; its first process is killed by somebody.
KILLED = """
import os
def handler(event, context):
    with open(event["file"], "a") as file:
        file.write("line\\n")
    if len(open(event["file"]).readlines()) == 1:
        os.kill(os.getpid(), 9)
"""

# Reads an object, and appends to the file how that went.
READER = """
import boto3, botocore.config
def handler(event, context):
    once = botocore.config.Config(retries={"total_max_attempts": 1})
    with open(event["file"], "a") as file:
        try:
            boto3.client("s3", config=once).get_object(Bucket=event["bucket"], Key="k")
        except Exception:
            file.write("failed\\n")
            raise
        file.write("read\\n")
"""


def send(functions: Any, name: str, **event: Any) -> None:
    answer = functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def waits(endpoint: EndpointProcess, queue: str) -> list[dict[str, Any]]:
    """What is in a queue of the endpoint's memory."""
    db = sqlite3.connect(endpoint.data_dir / "state.db")
    try:
        return [json.loads(body) for (body,) in db.execute("SELECT body FROM queue WHERE queue = ?", (queue,))]
    finally:
        db.close()


def failed(endpoint: EndpointProcess, name: str) -> list[dict[str, Any]]:
    """The invocation records that were kept of `name`."""
    rows = waits(endpoint, "lambda.failed")
    return [row for row in rows if f":{name}:" in row["requestContext"]["functionArn"]]


def test_an_event_is_accepted_at_once_and_runs(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, RECORDER)
    for _ in range(5):
        send(functions, name, file=str(tmp_path / "out"))
    assert eventually(lambda: len(lines(tmp_path / "out")) == 5)
    assert len(set(lines(tmp_path / "out"))) == 5


def test_a_failing_event_is_tried_three_times_and_then_kept(
    functions: Any, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    name = deploy(functions, RECORDER)
    send(functions, name, file=str(tmp_path / "out"), fail=True)
    (record,) = eventually(lambda: failed(endpoint, name))
    assert lines(tmp_path / "out") == [record["requestContext"]["requestId"]] * 3
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["fail"] is True
    assert record["responsePayload"]["errorMessage"] == "as asked"


def test_a_function_can_ask_for_no_retries(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, RECORDER)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    send(functions, name, file=str(tmp_path / "out"), fail=True)
    assert eventually(lambda: failed(endpoint, name))
    assert len(lines(tmp_path / "out")) == 1


def test_a_throttled_event_waits(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, RECORDER)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send(functions, name, file=str(tmp_path / "out"))
    functions.delete_function_concurrency(FunctionName=name)
    assert eventually(lambda: lines(tmp_path / "out"))


def test_updates_drop_no_event_and_run_none_twice(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    """Neither those that wait nor those that run on the old code."""
    name = deploy(functions, "import time\n" + RECORDER + "    time.sleep(0.02)\n")
    for number in range(60):
        send(functions, name, file=str(tmp_path / "out"))
        if number % 20 == 10:
            code = "import time\n" + RECORDER + f"    time.sleep(0.02)  # {number}\n"
            functions.update_function_code(FunctionName=name, ZipFile=package(code))
            functions.update_function_configuration(FunctionName=name, Timeout=number + 1)
    assert eventually(lambda: len(lines(tmp_path / "out")) >= 60)
    assert eventually(lambda: not waits(endpoint, f"lambda.async/{name}"))
    assert len(lines(tmp_path / "out")) == len(set(lines(tmp_path / "out"))) == 60
    assert failed(endpoint, name) == []


def queue(aws: Client) -> tuple[str, str]:
    """(URL, ARN) of a new queue."""
    sqs = aws("sqs")
    url = sqs.create_queue(QueueName=f"q-{uuid.uuid4()}")["QueueUrl"]
    return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def received(aws: Client, url: str) -> dict[str, Any]:
    """The next message of the queue."""
    ask = {"QueueUrl": url, "MessageAttributeNames": ["All"], "WaitTimeSeconds": 10}
    (message,) = aws("sqs").receive_message(**ask)["Messages"]
    return dict(message)


def test_a_failure_is_reported_to_its_destination_and_to_the_dead_letter_queue(functions: Any, aws: Client) -> None:
    (failures, failures_arn), (dead, dead_arn) = queue(aws), queue(aws)
    source = "def handler(event, context): raise ValueError('as asked')"
    name = deploy(functions, source, DeadLetterConfig={"TargetArn": dead_arn})
    destinations = {"OnFailure": {"Destination": failures_arn}}
    functions.put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=0, DestinationConfig=destinations
    )
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"a":  1}')
    record = json.loads(received(aws, failures)["Body"])
    assert record["requestContext"] == {
        "requestId": record["requestContext"]["requestId"],
        "functionArn": f"arn:aws:lambda:us-east-1:000000000000:function:{name}:$LATEST",
        "condition": "RetriesExhausted",
        "approximateInvokeCount": 1,
    }
    assert (record["version"], record["requestPayload"]) == ("1.0", {"a": 1})
    said = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    assert record["responseContext"] == said
    assert (record["responsePayload"]["errorMessage"], record["responsePayload"]["errorType"]) == (
        "as asked",
        "ValueError",
    )
    letter = received(aws, dead)
    assert letter["Body"] == '{"a":  1}'
    assert letter["MessageAttributes"] == {
        "RequestID": {"DataType": "String", "StringValue": record["requestContext"]["requestId"]},
        "ErrorCode": {"DataType": "Number", "StringValue": "200"},
        "ErrorMessage": {"DataType": "String", "StringValue": "as asked"},
    }


def test_where_no_concurrency_is_reserved_events_go_to_the_dead_letter_queue(functions: Any, aws: Client) -> None:
    url, arn = queue(aws)
    name = deploy(functions, RECORDER, DeadLetterConfig={"TargetArn": arn})
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=b'{"a": 1}')
    assert received(aws, url)["Body"] == '{"a": 1}'


def test_events_take_turns_where_concurrency_is_reserved(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, "import time\n" + RECORDER + "    time.sleep(0.05)\n")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    for _ in range(20):
        send(functions, name, file=str(tmp_path / "out"))
    assert eventually(lambda: len(lines(tmp_path / "out")) == 20, 10)


def test_a_success_is_reported_to_a_function_and_a_dead_letter_to_a_topic(
    functions: Any, aws: Client, tmp_path: Path
) -> None:
    listener = "import json\ndef handler(event, context): raise ValueError(event['requestContext']['condition'])"
    topic = aws("sns").create_topic(Name=f"t-{uuid.uuid4()}")["TopicArn"]
    (url, arn) = queue(aws)
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    last = deploy(functions, listener, DeadLetterConfig={"TargetArn": topic})
    functions.put_function_event_invoke_config(FunctionName=last, MaximumRetryAttempts=0)
    target = functions.get_function_configuration(FunctionName=last)["FunctionArn"]
    first = deploy(functions, RECORDER)
    destinations = {"OnSuccess": {"Destination": target}}
    functions.put_function_event_invoke_config(FunctionName=first, DestinationConfig=destinations)
    send(functions, first, file=str(tmp_path / "out"))
    letter = received(aws, url)
    record = json.loads(letter["Body"])
    assert record["requestContext"]["requestId"] in lines(tmp_path / "out")
    assert (record["requestPayload"], record["responsePayload"]) == ({"file": str(tmp_path / "out")}, None)
    assert record["responseContext"] == {"statusCode": 200, "executedVersion": "$LATEST"}
    assert letter["MessageAttributes"]["ErrorMessage"]["StringValue"] == "Success"


# Tells the trace that its own calls would carry.
TRACED = "import os\ndef handler(event, context): return os.environ['_X_AMZN_TRACE_ID']"


def traced(functions: Any, name: str, trace: str, **more: Any) -> str:
    """Invoke `name` as a function that was invoked with `trace` would; the trace that its calls would carry in turn."""
    told = functions.meta.events.register(
        "before-sign.lambda", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", quote(trace)), "trace"
    )
    try:
        body = functions.invoke(FunctionName=name, **more)["Payload"].read()
    finally:
        functions.meta.events.unregister("before-sign.lambda", told, "trace")
    return str(json.loads(body or b'""'))


def test_a_loop_is_stopped_after_sixteen_runs_unless_it_is_allowed(functions: Any, aws: Client) -> None:
    name, between = deploy(functions, TRACED), deploy(functions, TRACED)
    begun = traced(functions, name, "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
    assert begun.startswith("Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1;Lineage=")
    trace = traced(functions, between, begun)
    for _ in range(15):
        trace = traced(functions, name, trace)
    with pytest.raises(ClientError) as error:
        traced(functions, name, trace)
    response = error.value.response
    assert response["Error"]["Code"] == "RecursiveInvocationException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    url, arn = queue(aws)
    functions.update_function_configuration(FunctionName=name, DeadLetterConfig={"TargetArn": arn})
    traced(functions, name, trace, InvocationType="Event", Payload=b'{"stopped": true}')
    assert received(aws, url)["Body"] == '{"stopped": true}'
    functions.put_function_recursion_config(FunctionName=name, RecursiveLoop="Allow")
    assert traced(functions, name, trace)


def test_a_loop_through_s3_is_stopped(functions: Any, aws: Client) -> None:
    source = """
import boto3
s3 = boto3.client("s3")
def handler(event, context):
    object = event["Records"][0]["s3"]
    s3.put_object(Bucket=object["bucket"]["name"], Key=str(int(object["object"]["key"]) + 1))
"""
    s3, bucket, (url, dead) = aws("s3"), f"loop-{uuid.uuid4()}", queue(aws)
    name = deploy(functions, source, Timeout=30, MemorySize=512, DeadLetterConfig={"TargetArn": dead})
    arn = functions.get_function_configuration(FunctionName=name)["FunctionArn"]
    functions.add_permission(
        FunctionName=name, StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com"
    )
    s3.create_bucket(Bucket=bucket)
    told = [{"LambdaFunctionArn": arn, "Events": ["s3:ObjectCreated:*"]}]
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration={"LambdaFunctionConfigurations": told}
    )
    s3.put_object(Bucket=bucket, Key="0")
    (record,) = json.loads(received(aws, url)["Body"])["Records"]
    assert record["s3"]["object"]["key"] == "16"
    assert len(s3.list_objects_v2(Bucket=bucket)["Contents"]) == 17


def test_events_of_a_deleted_function_are_kept(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=60)
    for _ in range(4):
        send(functions, name, file=str(tmp_path / "out"))
    assert eventually((tmp_path / "begun").exists)
    functions.delete_function(FunctionName=name)
    assert [r["requestContext"]["condition"] for r in failed(endpoint, name)] == ["FunctionDeleted"] * 4


def test_accepted_events_and_reports_survive_a_kill(
    functions: Any, aws: Client, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    """A report waits until its destination is there."""
    waiter = deploy(functions, WAITER, Timeout=60)
    recorder = deploy(functions, RECORDER)
    later = f"q-{uuid.uuid4()}"
    failure = {"OnFailure": {"Destination": f"arn:aws:sqs:us-east-1:000000000000:{later}"}}
    functions.put_function_event_invoke_config(FunctionName=recorder, MaximumRetryAttempts=0, DestinationConfig=failure)
    send(functions, recorder, file=str(tmp_path / "failed"), fail=True)
    assert eventually(lambda: waits(endpoint, "lambda.destinations"))
    send(functions, waiter, file=str(tmp_path / "out"))
    assert eventually((tmp_path / "begun").exists)
    send(functions, recorder, file=str(tmp_path / "more"))
    endpoint.kill()
    (tmp_path / "begun").unlink()
    endpoint.start()
    assert eventually((tmp_path / "begun").exists)
    assert not (tmp_path / "out").exists()
    (tmp_path / "go").touch()
    assert eventually((tmp_path / "out").exists)
    assert eventually(lambda: lines(tmp_path / "more"))
    url = aws("sqs").create_queue(QueueName=later)["QueueUrl"]
    assert json.loads(received(aws, url)["Body"])["requestPayload"]["fail"] is True
    assert not waits(endpoint, "lambda.destinations")


def test_a_stop_is_no_failed_attempt(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=60)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    send(functions, name, file=str(tmp_path / "out"))
    assert eventually((tmp_path / "begun").exists)
    endpoint.stop()
    endpoint.start()
    (tmp_path / "go").touch()
    assert eventually((tmp_path / "out").exists)
    assert failed(endpoint, name) == []


@pytest.mark.parametrize(
    ("attempts", "throttles", "throttled", "now", "expected"),
    [
        (0, 0, False, 1000.0, 1001.0),
        (1, 0, False, 1001.0, 1003.0),
        (2, 0, False, 1003.0, "RetriesExhausted"),
        (0, 0, True, 1000.0, 1001.0),
        (0, 3, True, 1000.0, 1008.0),
        (0, 30, True, 1000.0, 1300.0),
        (2, 0, True, 1000.0, 1001.0),
        (0, 0, True, 1000.0 + 6 * 3600, "EventAgeExceeded"),
        (0, 0, False, 1000.0 + 6 * 3600, "EventAgeExceeded"),
    ],
)
def test_errors_are_retried_twice_and_throttles_until_the_event_is_too_old(
    attempts: int, throttles: int, throttled: bool, now: float, expected: float | str
) -> None:
    event = Event("id", "{}", "$LATEST", accepted=1000.0, attempts=attempts, throttles=throttles)
    match next_step(event, throttled, RetryPolicy(), now, (1.0, 2.0)):
        case Again(_, due):
            assert due == expected
        case Concluded(_, condition):
            assert condition == expected


def test_a_process_that_somebody_kills_uses_up_no_retry(
    functions: Any, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    name = deploy(functions, KILLED)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    send(functions, name, file=str(tmp_path / "out"))
    assert eventually(lambda: len(lines(tmp_path / "out")) == 2)
    assert failed(endpoint, name) == []


def test_a_call_that_the_endpoint_fails_uses_up_no_retry(
    functions: Any, aws: Client, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    bucket, name = f"reader-{uuid.uuid4()}", deploy(functions, READER)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    s3 = aws("s3")
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="k", Body=b"v")
    file = endpoint.data_dir / "s3" / bucket / "k"
    file.rename(tmp_path / "away")  # so that S3 can only answer 500
    send(functions, name, file=str(tmp_path / "out"), bucket=bucket)
    assert eventually(lambda: lines(tmp_path / "out") == ["failed"])
    (tmp_path / "away").rename(file)
    assert eventually(lambda: lines(tmp_path / "out") == ["failed", "read"])
    assert failed(endpoint, name) == []
