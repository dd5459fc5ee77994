"""The control plane: every service and operation that localaws does not answer itself, answered by moto, and durable.

moto keeps its state in memory. Here each call that changed something is written to DATA_DIR/control.journal before its
answer leaves, with the time and the seed it was made with; the first call after a restart replays the journal, so role
ids, key ids, queue URLs and message handles are what they were (backend.py says what can't be repeated).

Durable: resources, their policies and tags, parameters, secrets; messages in queues, which are not in the journal
(messages.py). In memory only: log events and traces that clients write, which have no bound; log groups and alarms are
durable. A restart leaves out what later calls have undone or overwritten (compaction.py).
"""

import asyncio
import json
import logging
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import unescape

from localaws.control import bridge, own_user
from localaws.control.backend import Moto, QueueStats
from localaws.control.call import Call, Invoke
from localaws.control.compaction import needed
from localaws.control.journal import Journal
from localaws.control.loading import uncollected
from localaws.credentials import OWNER, Key, Role
from localaws.errors import AwsError
from localaws.iam.principals import Identity
from localaws.store import Store
from localaws.wire import Request, Response

log = logging.getLogger("localaws.control")

# An operation whose name begins with one of these words leaves nothing that a client could miss after a restart.
_READ = re.compile(
    "(Assume|BatchCheck|BatchDescribe|BatchGet|Check|Count|Decode|Decrypt|Describe|Detect|Encrypt|Estimate|Filter|"
    "Generate|Get|Head|List|Lookup|Preview|Query|ReEncrypt|Scan|Search|Select|Sign|Simulate|Test|Validate|Verify)"
    "(?![a-z])|(GET|HEAD|OPTIONS) /"
)
# By service, what a restart need not repeat: it leaves nothing in moto but messages, which are the Store's, or it is a
# stream without end, which AWS keeps and which is gone with the process here.
_PASSING = {
    "sqs": frozenset(
        (
            "SendMessage",
            "SendMessageBatch",
            "ReceiveMessage",
            "DeleteMessage",
            "DeleteMessageBatch",
            "ChangeMessageVisibility",
            "ChangeMessageVisibilityBatch",
            "PurgeQueue",
        )
    ),
    "sns": frozenset({"Publish", "PublishBatch"}),
    "events": frozenset({"PutEvents"}),
    "logs": frozenset({"PutLogEvents"}),
    "xray": frozenset({"POST /TraceSegments", "POST /TelemetryRecords"}),
}

_ERROR_CODE = re.compile(rb'"__type"\s*:\s*"(?:[^"]*#)?(\w+)"|<Code>([\w.]+)</Code>')
_TOPIC_POLICY = re.compile("<key>Policy</key><value>(.*?)</value>", re.DOTALL)
_POLL_SECONDS = 0.1
_WORTH_KEEPING = 0.75
"""A journal of which less is still needed is written anew when it is read."""
_LONGEST_POLL_SECONDS = 20


class Control:
    """One in a process. `root`: the data directory. Raises StartError if its journal is damaged."""

    def __init__(
        self,
        root: Path,
        account: str,
        region: str,
        store: Store,
        invoke: Invoke,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._root = root
        self._account = account
        self._store = store
        self._invoke = invoke
        self._region = region
        self._clock = clock
        self._journal = Journal(root / "control.journal")
        self._moto: Moto | None = None
        self._lock = threading.Lock()

    async def handler(self, request: Request) -> Response:
        """Any service: the one that the request is signed for."""
        call = Call.of(request)
        request.span.operation = call.operation
        if call.operation == "ReceiveMessage":
            return await self._receive_message(call)
        if (call.service, call.operation) == ("events", "PutTargets"):
            bridge.check_targets(call.parameters().get("Targets"))
        if own_user.is_asked(call):
            name = own_user.name(request.caller)
            if name == OWNER:  # who is as old as the data directory
                return own_user.answer(request.caller, (self._root / "format").stat().st_mtime)
            call = call.with_parameters({**call.parameters(), "UserName": name})
        return await asyncio.to_thread(self._do, call)

    def warm(self) -> None:
        """Load moto and replay the journal now, about a second, instead of in the first request; on a thread."""
        with self._lock:
            self._running()

    def user_key(self, access_key: str) -> Key | None:
        """The active key of a user of IAM. Without any change in the journal there is none, and moto need not load."""
        if self._moto is None and self._journal.is_empty:
            return None
        with self._lock:
            return self._running().user_key(access_key)

    @property
    def is_loaded(self) -> bool:
        """Has anybody needed it yet?"""
        return self._moto is not None

    def queues(self) -> dict[str, QueueStats]:
        """SQS's queues by their names; none before somebody has used the control plane. Waits for no loading of it."""
        if self._moto is None:
            return {}
        with self._lock:
            return self._moto.queues(self._region, self._clock()) if self._moto is not None else {}

    def role(self, arn: str) -> Role | None:
        with self._lock:
            return self._running().role(arn)

    def identity(self, kind: str, name: str) -> Identity | None:
        """A user or role of IAM ("user", "role") with its policies."""
        with self._lock:
            return self._running().identity(kind, name)

    def send_event(self, queue_arn: str, event: Mapping[str, Any], trace: str) -> None:
        """An event as the message; durable on return. AwsError if the queue does not exist."""
        self._send(queue_arn, {"MessageBody": json.dumps(event)} | _traced(trace))

    def send_text(self, queue_arn: str, text: str, attributes: Mapping[str, tuple[str, str]]) -> None:
        """`attributes`: name -> (type, value)."""
        typed = {key: {"DataType": kind, "StringValue": value} for key, (kind, value) in attributes.items()}
        self._send(queue_arn, {"MessageBody": text, "MessageAttributes": typed})

    def _send(self, queue_arn: str, message: Mapping[str, Any]) -> None:
        _succeeded(self._do(_queue_call(queue_arn, "SendMessage", message)))

    def queue_policy(self, queue_arn: str) -> Mapping[str, Any] | None:
        """{} if it has none; None if there is no such queue."""
        answer = self._do(_queue_call(queue_arn, "GetQueueAttributes", {"AttributeNames": ["Policy"]}))
        if answer.status >= 400:
            return None
        text = json.loads(_body(answer)).get("Attributes", {}).get("Policy")
        policy: dict[str, Any] = json.loads(text) if text else {}
        return policy

    def topic_policy(self, topic_arn: str) -> Mapping[str, Any] | None:
        """None if there is no such topic. (Every topic has a policy.)"""
        fields = {"Action": "GetTopicAttributes", "Version": "2010-03-31", "TopicArn": topic_arn}
        answer = self._do(Call.form("sns", topic_arn.split(":")[3], fields))
        found = _TOPIC_POLICY.search(_body(answer).decode())
        policy: dict[str, Any] | None = json.loads(unescape(found[1], {"&quot;": '"'})) if found else None
        return policy

    def event_targets(self, bus_arn: str, event: Mapping[str, Any]) -> list[str]:
        """The ARNs that the event bus's rules name for the event."""
        with self._lock:
            self._running()
            return list(bridge.targets(bus_arn, event))

    def rules_name(self, bus_arn: str, arn: str) -> bool:
        with self._lock:
            self._running()
            return bridge.names(bus_arn, arn)

    def publish_event(self, topic_arn: str, event: Mapping[str, Any], _trace: str) -> None:
        """An event to all who subscribe to the topic; durable on return. AwsError if the topic does not exist."""
        subject = {} if "detail-type" in event else {"Subject": "Amazon S3 Notification"}  # EventBridge has none
        self._publish({"TopicArn": topic_arn, "Message": json.dumps(event), **subject})

    def create_log_group(self, name: str) -> None:
        """As AWS does when a function's first line comes; durable on return. One that exists is left as it is."""
        response = self._do(Call.json("logs", self._region, "Logs_20140328.CreateLogGroup", {"logGroupName": name}))
        if _error_code(response) != "ResourceAlreadyExistsException":
            _succeeded(response)

    def has_log_group(self, name: str) -> bool:
        wanted = {"logGroupNamePrefix": name}
        answer = self._do(Call.json("logs", self._region, "Logs_20140328.DescribeLogGroups", wanted))
        return any(group["logGroupName"] == name for group in json.loads(_body(answer)).get("logGroups", ()))

    def publish_text(self, topic_arn: str, text: str, attributes: Mapping[str, tuple[str, str]]) -> None:
        """`attributes`: name -> (type, value)."""
        message = {"TopicArn": topic_arn, "Message": text}
        for number, (key, (kind, value)) in enumerate(attributes.items(), 1):
            entry = f"MessageAttributes.entry.{number}"
            message |= {f"{entry}.Name": key, f"{entry}.Value.DataType": kind, f"{entry}.Value.StringValue": value}
        self._publish(message)

    def _publish(self, message: Mapping[str, str]) -> None:
        fields = {"Action": "Publish", "Version": "2010-03-31", **message}
        publish = Call.form("sns", message["TopicArn"].split(":")[3], fields)
        _succeeded(self._do(publish))

    def _do(self, call: Call) -> Response:
        """The answer; what the call changed is durable by then."""
        with self._lock:
            moto, now, seed = self._running(), self._clock(), secrets.randbits(63)
            try:
                response = moto.call(call, now, seed)
                if response.status < 400 and _leaves_something(call):
                    self._journal.append({"time": now, "seed": seed, "call": call.to_entry()})
                moto.messages.save()
            except (OSError, sqlite3.Error):
                self._moto = None  # its memory is ahead of the disk: the next call begins again from there
                raise
            to_send = moto.outbox.take()
        for send in to_send:
            send()
        return response

    def _running(self) -> Moto:
        if self._moto is None:
            with uncollected():
                self._moto = self._replayed()
        return self._moto

    def _replayed(self) -> Moto:
        moto = Moto(self._account, self._store, self._invoke)
        entries = list(self._journal)
        kept = needed(entries)
        for entry in kept:
            call = Call.from_entry(entry["call"])
            try:
                _succeeded(moto.call(call, entry["time"], entry["seed"]))
            except AwsError as e:  # written by another version of moto; the rest may still be good
                log.warning("%s %s can't be repeated: %s", call.service, call.operation, e.code)
        moto.outbox.take()
        moto.messages.load()
        if len(kept) < _WORTH_KEEPING * len(entries):
            self._journal.replace(kept)
        return moto

    async def _receive_message(self, call: Call) -> Response:
        """SQS's long polling, but outside of the lock: moto would wait inside and hold everybody up."""
        seconds = await asyncio.to_thread(self._poll_seconds, call)
        if not 0 <= seconds <= _LONGEST_POLL_SECONDS:
            return await asyncio.to_thread(self._do, call)  # moto refuses it
        once = call.with_parameters({**call.parameters(), "WaitTimeSeconds": 0})
        until = time.monotonic() + seconds
        while True:
            response = await asyncio.to_thread(self._do, once)
            if response.status >= 400 or _has_messages(response) or time.monotonic() >= until:
                return response
            await asyncio.sleep(_POLL_SECONDS)

    def _poll_seconds(self, call: Call) -> int:
        """The call's own, else the queue's."""
        parameters = call.parameters()
        if "WaitTimeSeconds" in parameters:
            return _whole_number(parameters["WaitTimeSeconds"])
        wanted = {"QueueUrl": parameters.get("QueueUrl", ""), "AttributeNames": ["ReceiveMessageWaitTimeSeconds"]}
        answer = self._do(Call.json("sqs", call.region, "AmazonSQS.GetQueueAttributes", wanted))
        attributes = json.loads(_body(answer)).get("Attributes", {}) if answer.status == 200 else {}
        return int(attributes.get("ReceiveMessageWaitTimeSeconds", 0))


def _queue_call(queue_arn: str, operation: str, parameters: Mapping[str, Any]) -> Call:
    _arn, _aws, _sqs, region, account, name = queue_arn.split(":")
    url = f"https://sqs.{region}.amazonaws.com/{account}/{name}"
    return Call.json("sqs", region, f"AmazonSQS.{operation}", {"QueueUrl": url, **parameters})


def _traced(trace: str) -> dict[str, Any]:
    """SQS keeps the trace as the message's system attribute
    (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-metadata.html)."""
    if not trace:
        return {}
    return {"MessageSystemAttributes": {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}}


def _whole_number(value: object) -> int:
    """-1, which is refused, for what is none."""
    return int(str(value)) if re.fullmatch("[0-9]{1,9}", str(value)) else -1


def _leaves_something(call: Call) -> bool:
    """Must a restart repeat it?"""
    return not (call.operation in _PASSING.get(call.service, ()) or _READ.match(call.operation))


def _has_messages(response: Response) -> bool:
    return b'"Messages"' in _body(response) or b"<Message>" in _body(response)


def _succeeded(response: Response) -> None:
    if response.status >= 400:
        text = _body(response).decode("utf-8", "replace")
        raise AwsError(_error_code(response) or "InternalFailure", text, response.status)


def _error_code(response: Response) -> str | None:
    found = _ERROR_CODE.search(_body(response)) if response.status >= 400 else None
    return (found[1] or found[2]).decode() if found else None


def _body(response: Response) -> bytes:
    assert isinstance(response.body, bytes)
    return response.body
