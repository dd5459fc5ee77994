"""SQS and SNS: messages are kept, once, through kills, however many there are; and whoever is slow holds nobody up."""

import http.server
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from endpoint_process import EndpointProcess, eventually
from lambda_functions import package

Client = Callable[..., Any]
ARN = "arn:aws:sqs:us-east-1:000000000000:"
ROLE = "arn:aws:iam::000000000000:role/any"


def test_long_polling_ends_with_the_message_and_holds_nobody_up(aws: Client) -> None:
    url = aws("sqs").create_queue(QueueName="slow", Attributes={"ReceiveMessageWaitTimeSeconds": "20"})["QueueUrl"]
    with ThreadPoolExecutor(1) as pool:
        started = time.monotonic()
        polled = pool.submit(aws("sqs").receive_message, QueueUrl=url)
        time.sleep(0.3)  # so that it waits already
        aws("sqs").send_message(QueueUrl=url, MessageBody="here")
        assert polled.result()["Messages"][0]["Body"] == "here", "the sender waited for the poll"
        assert time.monotonic() - started < 15, "it went on waiting"


def test_a_topic_reaches_its_queue(aws: Client) -> None:
    url = aws("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    topic = aws("sns").create_topic(Name="news")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:000000000000:inbox")
    aws("sns").publish(TopicArn=topic, Message="hello")
    (message,) = aws("sqs").receive_message(QueueUrl=url)["Messages"]
    assert json.loads(message["Body"])["Message"] == "hello"


@pytest.mark.parametrize("target", ["sqs", "sns"])
def test_s3_events_reach_a_queue_and_a_topic(aws: Client, target: str) -> None:
    url = aws("sqs").create_queue(QueueName=f"events-{target}")["QueueUrl"]
    queue = f"arn:aws:sqs:us-east-1:000000000000:events-{target}"
    topic = aws("sns").create_topic(Name="events")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    notify = {
        "sqs": {"QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}]},
        "sns": {"TopicConfigurations": [{"TopicArn": topic, "Events": ["s3:ObjectCreated:*"]}]},
    }
    s3, bucket = aws("s3"), f"notifies-{target}"
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_notification_configuration(
        Bucket=bucket, NotificationConfiguration=notify[target], SkipDestinationValidation=True
    )
    s3.put_object(Bucket=bucket, Key="a key", Body=b"x")
    (message,) = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=10)["Messages"]
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == "a+key"


def test_a_kill_keeps_messages_where_they_are_and_what_is_known_of_them(endpoint: EndpointProcess, aws: Client) -> None:
    sqs = aws("sqs")
    dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": f"{ARN}dead", "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName="poison", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url), "it went to the dead-letter queue instead"
    for number in range(20):
        bodies = [{"Id": str(n), "MessageBody": f"{number}-{n}", "DelaySeconds": 0} for n in range(10)]
        sqs.send_message_batch(QueueUrl=url, Entries=bodies)
    (taken,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=600)["Messages"]
    (deleted,) = sqs.receive_message(QueueUrl=url)["Messages"]
    for _ in range(2):  # the second time is no error
        sqs.delete_message(QueueUrl=url, ReceiptHandle=deleted["ReceiptHandle"])
    sqs.send_message(QueueUrl=url, MessageBody="later", DelaySeconds=600)
    before = counts(sqs, url)
    assert before == {"": "198", "NotVisible": "1", "Delayed": "1"}
    endpoint.kill()
    endpoint.start()
    assert counts(sqs, url) == before
    (buried,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert buried["Body"] == "poison"
    sqs.delete_message(QueueUrl=url, ReceiptHandle=deleted["ReceiptHandle"])
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=taken["ReceiptHandle"], VisibilityTimeout=0)
    rest = [
        m["Body"]
        for _ in range(20)
        for m in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    ]
    assert sorted(rest) == sorted({f"{a}-{b}" for a in range(20) for b in range(10)} - {deleted["Body"], taken["Body"]})
    (buried,) = sqs.receive_message(QueueUrl=dead)["Messages"]
    assert buried["Body"] == taken["Body"], "once was enough"
    sqs.purge_queue(QueueUrl=url)
    assert counts(sqs, url) == {"": "0", "NotVisible": "0", "Delayed": "0"}


def counts(sqs: Any, url: str) -> dict[str, str]:
    said = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    name = "ApproximateNumberOfMessages"
    return {key.removeprefix(name): str(value) for key, value in said.items() if key.startswith(name)}


def test_a_topic_reaches_its_function_as_sns_does(aws: Client) -> None:
    """What the function is given is told by the function itself, in a queue's message."""
    url = aws("sqs").create_queue(QueueName="told")["QueueUrl"]
    lines = (
        "import boto3, json",
        "def handler(event, context):",
        f"    boto3.client('sqs').send_message(QueueUrl={url!r}, MessageBody=json.dumps(event))",
    )
    function = aws("lambda").create_function(
        FunctionName="told",
        Role=ROLE,
        Runtime="python3.13",
        Handler="app.handler",
        Timeout=30,
        Code={"ZipFile": package("\n".join(lines))},
    )["FunctionArn"]
    topic = aws("sns").create_topic(Name="tells")["TopicArn"]
    only = {"FilterPolicy": json.dumps({"kind": ["wanted"]})}
    aws("sns").subscribe(TopicArn=topic, Protocol="lambda", Endpoint=function, Attributes=only)
    for kind in ("unwanted", "wanted"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        aws("sns").publish(TopicArn=topic, Message=kind, Subject="s", MessageAttributes=attributes)
    (message,) = aws("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]
    (record,) = json.loads(message["Body"])["Records"]
    assert (record["EventSource"], record["Sns"]["TopicArn"], record["Sns"]["Subject"]) == ("aws:sns", topic, "s")
    assert (record["Sns"]["Message"], record["Sns"]["MessageAttributes"]["kind"]["Value"]) == ("wanted", "wanted")


@dataclass
class Subscriber:
    """An address whose listener answers when it is told to (`free`) or after 20 seconds; what it was sent, and of each
    answer whether it was told."""

    url: str = ""
    free: threading.Event = field(default_factory=threading.Event)
    received: list[bytes] = field(default_factory=list)
    told: list[bool] = field(default_factory=list)


@pytest.fixture
def slow_subscriber() -> Iterator[Subscriber]:
    slow = Subscriber()

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            slow.received.append(self.rfile.read(int(self.headers["content-length"])))
            slow.told.append(slow.free.wait(20))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the inherited name
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        slow.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield slow
        slow.free.set()
        server.shutdown()


def test_a_subscriber_that_is_slow_holds_nobody_up(aws: Client, slow_subscriber: Subscriber) -> None:
    slow = slow_subscriber
    topic = aws("sns").create_topic(Name="slow-hook")["TopicArn"]
    aws("sns").subscribe(TopicArn=topic, Protocol="http", Endpoint=slow.url)
    for number in range(3):
        aws("sns").publish(TopicArn=topic, Message=str(number))
        assert aws("iam").list_roles()
    assert eventually(lambda: len(slow.received) == 3)
    slow.free.set()
    assert eventually(lambda: len(slow.told) == 3)
    assert slow.told == [True] * 3, "somebody waited until the subscriber gave up"
    assert {json.loads(body)["Message"] for body in slow.received} == {"0", "1", "2"}
