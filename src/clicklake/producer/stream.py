"""One PutRecordBatch: records out, and what became of each.

It is boto3's call in all but one thing: the body and its hash are made here, for boto3 looks at each record by itself
and writes the base64 text through json once more, which takes longer than all the rest. Credentials, endpoint, proxies,
signature and connections stay botocore's.
"""

import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from clicklake.errors import ClicklakeError, RefusedError, UnreachableError
from clicklake.target import Target, translated

_TRANSIENT = {
    "InternalFailure",
    "InternalServerError",
    "LimitExceededException",
    "RequestTimeout",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
}
# What Firehose says when a quota is used up: ServiceUnavailableException, also for single records
# (docs.aws.amazon.com/firehose/latest/APIReference/API_PutRecordBatch.html).
_TOO_FAST = _TRANSIENT - {"InternalFailure", "InternalServerError", "RequestTimeout"}
_CONNECT_SECONDS, _READ_SECONDS = 5, 30


def _plain(call: Mapping[str, Any]) -> bytes:
    records = b'"},{"Data":"'.join(binascii.b2a_base64(record["Data"], newline=False) for record in call["Records"])
    return b'{"DeliveryStreamName":%b,"Records":[{"Data":"%b"}]}' % (
        json.dumps(call["DeliveryStreamName"]).encode(),
        records,
    )


def _fastest() -> Callable[[Mapping[str, Any]], bytes]:
    """A call as JSON. msgspec, where it is installed (the extra `collector` brings it), writes the base64 in its place
    at once, in a quarter of the time."""
    try:
        from msgspec.json import Encoder
    except ImportError:
        return _plain
    return Encoder().encode


_written = _fastest()


@dataclass(frozen=True, slots=True)
class Answer:
    """`left`: places of the records that were not taken, and `error` says why. `lost` if nobody answered: they may have
    been taken. `too_fast` if the stream asks for patience, `wait_seconds` (Retry-After) if it says for how much.
    `final` if the same call can't succeed before somebody changes something: the stream, the permissions, the keys."""

    left: Sequence[int] = ()
    error: ClicklakeError | None = None
    lost: bool = False
    too_fast: bool = False
    final: bool = False
    wait_seconds: float = 0.0


class Stream:
    """A delivery stream. For one thread."""

    def __init__(
        self,
        target: Target,
        name: str,
        *,
        connect_seconds: float = _CONNECT_SECONDS,
        read_seconds: float = _READ_SECONDS,
    ) -> None:
        self.name = name
        self._client = target.client(
            "firehose",
            retries={"total_max_attempts": 1},  # whoever calls repeats, and only what is left
            parameter_validation=False,
            connect_timeout=connect_seconds,
            read_timeout=read_seconds,
            tcp_keepalive=True,
        )
        self.endpoint_url = str(self._client.meta.endpoint_url)
        self.region = str(self._client.meta.region_name)
        self._body = b""
        self._client.meta.events.register_first("before-call.firehose.PutRecordBatch", self._with_body)

    def put(self, records: Sequence[bytes]) -> Answer:
        """Call once. Raises nothing that concerns the call: whatever happens is in the answer."""
        self._body = _written({"DeliveryStreamName": self.name, "Records": [{"Data": record} for record in records]})
        try:
            with translated():
                said = self._client.put_record_batch(DeliveryStreamName=self.name, Records=[])
        except ClicklakeError as e:
            return _failed(e, range(len(records)))
        results = said.get("RequestResponses") or ()
        if not _speaks_of_each(results, len(records)):
            # It died between head and body, which botocore takes for an empty answer, or it is no Firehose.
            error = UnreachableError("the service did not answer for each record", "is it a Firehose? It may have died")
            return Answer(range(len(records)), error, lost=True)
        left = [place for place, result in enumerate(results) if result.get("ErrorCode")]
        if not left:
            return Answer()
        first = results[left[0]]
        code = first["ErrorCode"]
        refusal = RefusedError(f"{code}: {first.get('ErrorMessage', '')}", code=code)
        return Answer(left, refusal, too_fast=any(results[place]["ErrorCode"] in _TOO_FAST for place in left))

    def _with_body(self, params: dict[str, Any], **_: Any) -> None:
        params["body"], self._body = self._body, b""
        # A signer that finds the hash takes it. hashlib lets other threads go on; awscrt asks Python for each 4 KB.
        params["headers"]["X-Amz-Content-SHA256"] = hashlib.sha256(params["body"]).hexdigest()


def _speaks_of_each(results: Sequence[Mapping[str, Any]], count: int) -> bool:
    """A RecordId or an ErrorCode for each record, in their order (API_PutRecordBatch.html, "RequestResponses"). Nothing
    less is an acknowledgement."""
    return len(results) == count and all(result.get("RecordId") or result.get("ErrorCode") for result in results)


def _failed(error: ClicklakeError, left: Sequence[int]) -> Answer:
    if isinstance(error, UnreachableError):
        return Answer(left, error, lost=True)
    told = error.__cause__
    if not isinstance(error, RefusedError) or not isinstance(told, botocore.exceptions.ClientError):
        return Answer(left, error, final=True)
    meta = told.response.get("ResponseMetadata", {})
    passing = error.code in _TRANSIENT or meta.get("HTTPStatusCode", 0) >= 500 or meta.get("HTTPStatusCode") == 429
    wait = _seconds(meta.get("HTTPHeaders", {}).get("retry-after", ""))
    too_fast = error.code in _TOO_FAST or bool(wait)
    return Answer(left, error, too_fast=too_fast, final=not passing, wait_seconds=wait)


def _seconds(text: str) -> float:
    """Retry-After in seconds (RFC 9110, section 10.2.3); AWS sends no dates there."""
    return float(text) if text.isdecimal() else 0.0
