"""HTTP on one side, (service, operation, parameters) on the other.

A service is one `Handler`: Request in, Response out. Adapters turn a table of operations into a Handler, one per AWS
protocol; names, routes and types come from botocore's own service models, so they are AWS's and not ours:

    json_service              AWS JSON 1.1 (Firehose, Glue, Athena): the operation is in X-Amz-Target
    rest_json.py              REST-JSON (Lambda): the operation is in method and path
    s3/wire.py                S3's REST-XML
    cloudwatch/protocols.py   CloudWatch's three

An operation takes the request's parameters as a dict and returns the answer's; `async def` operations run on the event
loop, plain ones on a thread, so a service may block on its files. Errors are `AwsError`s; `error_response` gives them
the protocol's shape.
"""

import asyncio
import base64
import functools
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.validate

from localaws import cbor
from localaws.caller import NOBODY as NOBODY
from localaws.caller import Caller as Caller
from localaws.errors import AwsError

Parameters = dict[str, Any]
Operation = Callable[[Parameters], Parameters | Awaitable[Parameters]]


@dataclass(frozen=True, slots=True)
class Body:
    """A request's payload, already read, decoded (aws-chunked) and checked: in memory, or spooled to a file when large.

    A spooled file lies in the data directory, so a rename can make it an object; the server deletes what is left of it.
    `checksums` holds the trailing checksums that came with it ({"x-amz-checksum-crc32": "..."}), verified.
    """

    data: bytes = b""
    file: Path | None = None
    size: int = 0
    checksums: Mapping[str, str] = field(default_factory=dict)

    def read(self) -> bytes:
        return self.data if self.file is None else self.file.read_bytes()


@dataclass(slots=True)
class Span:
    """What is learned of a request on its way, for metrics and logs. `service` is who answered it, "" if it was refused
    at the door; whoever finds out its operation writes AWS's name of it here, and the `resource` if its metrics are by
    resource. `access_key` is one that the endpoint knows."""

    request_id: str = ""
    method: str = ""
    path: str = ""
    service: str = ""
    operation: str = ""
    resource: str = ""
    access_key: str = ""
    status: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Request:
    """One verified request, or `NOBODY`'s. `path` and `query` are as on the wire; header names in lower case.

    `bucket_host` is the bucket of a virtual-host-style S3 request, taken from the Host header, else None; `id` is what
    the answer says in x-amz-request-id.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: Body
    caller: Caller
    bucket_host: str | None = None
    id: str = ""
    span: Span = field(default_factory=Span)

    def parameters(self) -> dict[str, str]:
        """The query string's parameters; one without "=" has the value ""."""
        return dict(parse_qsl(self.query, keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class FileSlice:
    """Bytes `start` to `start + length` of a file, sent as they are. The file is opened by whoever made the slice, so
    that it can't vanish in between; the server closes it. `change(position, bytes)`: what is sent instead of them."""

    file: Any
    start: int
    length: int
    change: Callable[[int, bytes], bytes] | None = None


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileSlice = b""


Handler = Callable[[Request], Awaitable[Response]]


def json_service(name: str, operations: Mapping[str, Operation], otherwise: Handler) -> Handler:
    """AWS JSON 1.1: an operation that is not in the table goes to `otherwise`."""
    model = service_model(name)

    async def handle(request: Request) -> Response:
        target = request.headers.get("x-amz-target", "").rpartition(".")[2]
        if target not in operations:
            return await otherwise(request)
        request.span.operation = target
        parameters = validated(model().operation_model(target), json_object(request.body.read()))
        return json_response(await run(operations[target], parameters))

    return handle


async def run(operation: Operation, parameters: Parameters) -> Parameters:
    """Call it where it may block: coroutines on the loop, everything else on a thread."""
    if inspect.iscoroutinefunction(operation):
        answer: Parameters = await operation(parameters)
        return answer
    return await asyncio.to_thread(operation, parameters)  # type: ignore[arg-type]


def json_response(answer: Parameters) -> Response:
    return Response(200, {"content-type": "application/x-amz-json-1.1"}, json_text(answer))


def json_text(answer: Parameters) -> bytes:
    return json.dumps(answer, default=_timestamp, separators=(",", ":")).encode()


def _timestamp(value: object) -> float:
    """AWS JSON writes a time as epoch seconds (smithy.io, timestampFormat epoch-seconds)."""
    if isinstance(value, datetime):
        return value.timestamp()
    raise TypeError(f"not JSON: {type(value).__name__}")


def service_model(name: str) -> Callable[[], botocore.model.ServiceModel]:
    """botocore's model of the service, loaded at first use (some are 500 KB of JSON)."""

    @functools.cache
    def load() -> botocore.model.ServiceModel:
        return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)

    return load


def json_object(body: bytes) -> Parameters:
    try:
        parameters = json.loads(body or b"{}")
    except (ValueError, RecursionError) as e:
        raise AwsError("SerializationException", "The request body is not valid JSON") from e
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "The request body must be a JSON object")
    if b"\\u" in body and not _is_unicode(parameters):
        raise AwsError("SerializationException", "The request body has half of a surrogate pair")
    return parameters


def _is_unicode(parameters: Parameters) -> bool:
    """JSON can write half of a surrogate pair, which is no character and which no store could keep (RFC 8259, 8.2)."""
    try:
        json.dumps(parameters, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def validated(operation: botocore.model.OperationModel, given: Parameters) -> Parameters:
    """The parameters that AWS would see. Missing and wrong-typed ones are refused in its own model's words."""
    if operation.input_shape is None:
        return given
    try:
        parameters: Parameters = _as_aws_reads(operation.input_shape, given)
        report = botocore.validate.ParamValidator().validate(parameters, operation.input_shape)
    except (OverflowError, RuntimeError) as e:  # a number or time beyond all bounds
        raise AwsError("ValidationException", f"A value is out of range: {e}") from e
    if report.has_errors():
        raise AwsError("ValidationException", report.generate_report())
    return parameters


def _as_aws_reads(shape: Any, value: Any) -> Any:
    """Without unknown members and nulls, which AWS passes over; a whole number may be a double."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {k: _as_aws_reads(shape.members[k], v) for k, v in value.items() if k in shape.members and v is not None}
    if shape.type_name == "list" and isinstance(value, list):
        return [_as_aws_reads(shape.member, v) for v in value]
    if shape.type_name == "double" and isinstance(value, int):
        return float(value)
    return value


def blob(value: str | bytes) -> bytes:
    """A blob parameter: base64 in a JSON body, raw bytes as a REST payload."""
    try:
        return value if isinstance(value, bytes) else base64.b64decode(value, validate=True)
    except ValueError as e:
        raise AwsError("SerializationException", "The blob is not valid base64") from e


def error_response(protocol: str, error: AwsError, request_id: str) -> Response:
    """The error in the shape of `protocol`: "json", "rest-json", "rpc-v2-cbor", "query" or "rest-xml"."""
    if protocol == "rpc-v2-cbor":
        kind = {"content-type": "application/cbor", "smithy-protocol": protocol, "x-amzn-requestid": request_id}
        return Response(error.status, kind, cbor.dumps({"__type": error.code, "message": error.message}))
    if protocol in {"json", "rest-json"}:
        body = json.dumps({"__type": error.code, "message": error.message, **error.details}).encode()
        headers = {
            "content-type": "application/x-amz-json-1.1",
            "x-amzn-errortype": error.code,
            "x-amzn-requestid": request_id,
        }
        return Response(error.status, headers, body)
    fields = {"Code": error.code, "Message": error.message, **error.details}
    xml = "".join(f"<{k}>{escape(v)}</{k}>" for k, v in fields.items())
    if protocol == "query":
        text = (
            f"<ErrorResponse><Error><Type>Sender</Type>{xml}</Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    else:
        text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{xml}<RequestId>{request_id}</RequestId></Error>'
    headers = {"content-type": "text/xml", "x-amz-request-id": request_id, **error.headers}
    return Response(error.status, headers, text.encode())
