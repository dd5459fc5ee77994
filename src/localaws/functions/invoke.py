"""The Invoke operation's wire: what a caller may send, and what it is answered. Pure.

Limits and answers follow docs.aws.amazon.com/lambda/latest/api/API_Invoke.html.
"""

import base64
import json
from dataclasses import dataclass
from urllib.parse import unquote

from localaws.errors import AwsError
from localaws.functions.config import Reference, reference
from localaws.functions.workers import Outcome
from localaws.wire import Parameters

# "For synchronous invocations, the maximum payload size is 6 MB. For asynchronous invocations, the maximum payload size
# is 1 MB." (the page above)
_PAYLOAD_LIMITS = {"RequestResponse": 6 * 1024 * 1024, "Event": 1024 * 1024, "DryRun": 6 * 1024 * 1024}


@dataclass(frozen=True, slots=True)
class Call:
    """One request to invoke. `payload` and `client_context` are JSON text; the latter and `trace` may be empty."""

    kind: str
    request_id: str
    named: Reference
    payload: str
    client_context: str
    trace: str
    with_log: bool


def call_of(parameters: Parameters) -> Call:
    kind = parameters.get("InvocationType", "RequestResponse")
    if kind not in _PAYLOAD_LIMITS:
        raise AwsError("InvalidParameterValueException", f"Unknown InvocationType: {kind}", 400, Type="User")
    return Call(
        kind,
        parameters["RequestId"],
        reference(parameters["FunctionName"], parameters.get("Qualifier")),
        _checked_payload(parameters.get("Payload") or b"{}", kind),
        _client_context(parameters.get("ClientContext")),
        trace_of(parameters["TraceId"]),
        parameters.get("LogType") == "Tail",
    )


def trace_of(header: str) -> str:
    """X-Amzn-Trace-Id as it is meant: SDKs percent-encode it (botocore.handlers, add_recursion_detection_header)."""
    return unquote(header)


def check_size(size: int, kind: str) -> None:
    """RequestTooLargeException for a payload of so many bytes."""
    if size > _PAYLOAD_LIMITS[kind]:
        text = f"Request must be smaller than {_PAYLOAD_LIMITS[kind]} bytes for the InvokeFunction operation"
        raise AwsError("RequestTooLargeException", text, 413, Type="User")


def _checked_payload(payload: bytes, kind: str) -> str:
    check_size(len(payload), kind)
    try:
        json.loads(payload)
        return payload.decode()
    except (ValueError, RecursionError) as e:
        text = f"Could not parse request body into json: Could not parse payload into json: {e}"
        raise AwsError("InvalidRequestContentException", text, 400, Type="User") from e


def _client_context(header: str | None) -> str:
    """X-Amz-Client-Context: base64 of a JSON object. Written anew, so that it fits into one header line."""
    if not header:
        return ""
    try:
        document = json.loads(base64.b64decode(header, validate=True))
    except ValueError as e:
        raise AwsError("InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON") from e
    return json.dumps(document)


def answer(outcome: Outcome, with_log: bool) -> Parameters:
    said: Parameters = {"StatusCode": 200, "ExecutedVersion": outcome.version, "Payload": outcome.payload}
    if outcome.failed:
        said["FunctionError"] = "Unhandled"
    if with_log:
        said["LogResult"] = base64.b64encode(outcome.log_tail).decode()
    return said
