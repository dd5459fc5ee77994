"""The queue of invocations that failed for good: its messages, and the raw objects that they are about.

Lambda sends the invocation's record, with the S3 event in `requestPayload`
(docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html); a function's dead-letter queue of the older
kind gets the event itself. Both are read.

A message that is received is hidden from others for a while, and is there again if nobody deletes it by then.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote_plus

from clicklake.lake import Lake
from clicklake.target import translated

_AT_ONCE = 10  # the most that SQS gives or takes in one call
_WAIT_SECONDS = 1  # SQS then asks all its servers, and says that there is nothing only if there is nothing
NO_QUEUE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_LONGEST_HIDDEN = (
    43_200  # seconds: docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
)


@dataclass(frozen=True, slots=True)
class Letter:
    """A message; `problem` says why it names no raw object of the lake's, if it does not."""

    id: str
    receipt: str
    raw_keys: tuple[str, ...]
    problem: str = ""


@dataclass(frozen=True)
class FailureQueue:
    """Raises RefusedError and UnreachableError, the first if there is no such queue."""

    lake: Lake

    @cached_property
    def _sqs(self) -> Any:
        return self.lake.target.client("sqs")

    @cached_property
    def _url(self) -> str:
        with translated():
            return str(self._sqs.get_queue_url(QueueName=self.lake.names.failure_queue)["QueueUrl"])

    def size(self) -> int:
        """About how many messages there are, those that are hidden included: SQS says no exact number."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        with translated():
            found = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def receive(self, hidden_seconds: int) -> Iterator[list[Letter]]:
        """Up to ten at a time, until there are no more, or one comes for the second time."""
        seen = set[str]()
        while found := self._receive(min(hidden_seconds, _LONGEST_HIDDEN)):
            new = [letter for letter in found if letter.id not in seen]
            seen.update(letter.id for letter in new)
            if new:
                yield new
            if len(new) < len(found):
                return

    def _receive(self, hidden_seconds: int) -> list[Letter]:
        with translated():
            found = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=_AT_ONCE,
                VisibilityTimeout=hidden_seconds,
                WaitTimeSeconds=_WAIT_SECONDS,
            )
        return [self._letter(message) for message in found.get("Messages", ())]

    def delete(self, letter: Letter) -> None:
        with translated():
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=letter.receipt)

    def show_again(self, letters: Iterable[Letter]) -> None:
        """Let others receive them at once."""
        with translated():
            for letter in letters:
                self._sqs.change_message_visibility(
                    QueueUrl=self._url, ReceiptHandle=letter.receipt, VisibilityTimeout=0
                )

    def _letter(self, message: dict[str, Any]) -> Letter:
        try:
            raw_keys, problem = tuple(_raw_keys(message["Body"], self.lake)), ""
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            raw_keys, problem = (), str(e) if isinstance(e, _OtherError) else "it is no record of an invocation by S3"
        return Letter(message["MessageId"], message["ReceiptHandle"], raw_keys, problem)


class _OtherError(ValueError):
    """The message is about an object that is none of the lake's raw ones."""


def _raw_keys(body: str, lake: Lake) -> Iterator[str]:
    document = json.loads(body)
    event = document.get("requestPayload", document)
    for record in event["Records"]:
        bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
        if bucket != lake.bucket or not key.startswith(lake.pipeline.zones.raw):
            raise _OtherError(f"it is about s3://{bucket}/{key}")
        yield key
