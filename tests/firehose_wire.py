"""A delivery stream on the wire, inside of this process: botocore signs and sends, and this answers.

It says what AWS may say and the endpoint doesn't, and costs no process.
"""

import base64
import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import botocore.awsrequest
import botocore.exceptions

from clicklake.target import Target, of_keys

Answer = Callable[[list[bytes]], tuple[int, dict[str, Any]]]
"""A call's records -> the status and the document that it is answered with."""


_TARGET = of_keys("http://127.0.0.1:9", "key", "secret", "us-east-1")
_EVENT = "before-send.firehose.PutRecordBatch"


class Stream:
    """A Firehose on the wire: answers each call with the next of `answers`, then takes everything."""

    def __init__(self, *answers: Answer) -> None:
        self.taken: list[bytes] = []
        self.calls: list[list[bytes]] = []
        self._answers = iter(answers)

    def target(self) -> Target:
        """For the clients that are made of it before another stream's is asked for: one session for all costs less."""
        _TARGET.session.events.unregister(_EVENT, unique_id="stream")
        _TARGET.session.events.register(_EVENT, self._answer, unique_id="stream")
        return _TARGET

    def _answer(self, request: Any, **_: Any) -> botocore.awsrequest.AWSResponse:
        records = [base64.b64decode(entry["Data"]) for entry in json.loads(request.body)["Records"]]
        self.calls.append(records)
        status, body = next(self._answers, take_all)(records)
        if status == 200:
            self.taken += [r for r, e in zip(records, body["RequestResponses"], strict=False) if "RecordId" in e]
        raw = json.dumps(body).encode()
        return botocore.awsrequest.AWSResponse(request.url, status, {}, _Raw(raw))


class _Raw(io.BytesIO):
    def stream(self) -> Iterator[bytes]:
        yield self.read()


def take_all(records: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 200, {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "r"} for _ in records]}


def refuse_every_third(records: list[bytes]) -> tuple[int, dict[str, Any]]:
    refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "Slow down."}
    entries = [refusal if number % 3 == 0 else {"RecordId": "r"} for number, _ in enumerate(records)]
    return 200, {"FailedPutCount": len(records), "RequestResponses": entries}


def of_nothing(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 200, {"FailedPutCount": 0, "RequestResponses": []}


def of_fewer(records: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 200, {"FailedPutCount": 0, "RequestResponses": [{"RecordId": "r"}] * (len(records) - 1)}


def without_ids(records: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 200, {"FailedPutCount": 0, "RequestResponses": [{} for _ in records]}


def throttle(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}


def not_found(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": "ResourceNotFoundException", "message": "Firehose clicks not found"}


def no_answer(_: list[bytes]) -> tuple[int, dict[str, Any]]:
    raise botocore.exceptions.ConnectionClosedError(endpoint_url="http://127.0.0.1:9")
