"""HTTP on one side, (service, operation, parameters) on the other.

A service is one `Handler`: Request in, Response out. Three adapters turn a table of operations into a Handler, one per
AWS protocol; names, routes and types come from botocore's own service models, so they are AWS's and not ours:

    json_service        AWS JSON 1.1 (Firehose, Glue, Athena): the operation is in X-Amz-Target
    rest_json_service   REST-JSON (Lambda): the operation is in method and path
    S3's REST-XML       is s3/wire.py's own

An operation takes the request's parameters as a dict and returns the answer's; `async def` operations run on the event
loop, plain ones on a thread, so a service may block on its files. Errors are `AwsError`s; `error_response` gives them
the protocol's shape.
"""

import asyncio
import base64
import functools
import inspect
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

import botocore.loaders
import botocore.model
import botocore.validate

from localaws import cbor
from localaws.errors import AwsError

Parameters = dict[str, Any]
Operation = Callable[[Parameters], Parameters | Awaitable[Parameters]]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who signed the request; `user_id` is the unique id that STS tells. Nobody did: all are ""."""

    access_key: str
    arn: str
    user_id: str = ""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4] if self.arn else ""


NOBODY = Caller("", "")


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
        parameters = validated(model().operation_model(target), _json_object(request.body.read()))
        return json_response(await run(operations[target], parameters))

    return handle


def rest_json_service(
    name: str,
    operations: Mapping[str, Operation],
    otherwise: Handler,
    beside: Callable[[Request], Parameters] = lambda _request: {},
    check: Callable[[Any, Parameters], None] = lambda _shape, _parameters: None,
) -> Handler:
    """REST-JSON: routes, parameter places and status codes are the service model's. `beside`: what operations want to
    know of a request that the model does not tell. `check(shape, parameters)` may refuse a request."""
    model = service_model(name)
    routes = functools.cache(lambda: [_Route.of(model().operation_model(o)) for o in model().operation_names])

    async def handle(request: Request) -> Response:
        for route in routes():
            found = route.match(request)
            if found is not None and route.operation.name in operations:
                request.span.operation = route.operation.name
                parameters = validated(route.operation, _rest_parameters(route.operation, found, request))
                check(route.operation.input_shape, parameters)
                parameters |= beside(request)
                return _rest_response(route.operation, await run(operations[route.operation.name], parameters))
        return await otherwise(request)

    return handle


async def run(operation: Operation, parameters: Parameters) -> Parameters:
    """Call it where it may block: coroutines on the loop, everything else on a thread."""
    if inspect.iscoroutinefunction(operation):
        answer: Parameters = await operation(parameters)
        return answer
    return await asyncio.to_thread(operation, parameters)  # type: ignore[arg-type]


def json_response(answer: Parameters, status: int = 200) -> Response:
    body = json.dumps(answer, default=_timestamp, separators=(",", ":")).encode()
    return Response(status, {"content-type": "application/x-amz-json-1.1"}, body)


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


def _json_object(body: bytes) -> Parameters:
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


@dataclass(frozen=True, slots=True)
class _Route:
    operation: botocore.model.OperationModel
    method: str
    path: re.Pattern[str]
    query: Mapping[str, str]

    @classmethod
    def of(cls, operation: botocore.model.OperationModel) -> "_Route":
        uri, _, query = operation.http["requestUri"].partition("?")
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(uri))
        pattern = re.sub(r"\\{(\w+)\\\+\\}", r"(?P<\1>.+)", pattern)
        return cls(
            operation,
            operation.http["method"],
            re.compile(pattern + "/?$"),
            dict(parse_qsl(query, keep_blank_values=True)),
        )

    def match(self, request: Request) -> dict[str, str] | None:
        found = self.path.match(request.path) if request.method == self.method else None
        if found is None or any(request.parameters().get(k) != v for k, v in self.query.items()):
            return None
        return {name: unquote(value) for name, value in found.groupdict().items()}


def _rest_parameters(operation: botocore.model.OperationModel, path: dict[str, str], request: Request) -> Parameters:
    """Gather the members from where the model says each one is: path, query string, header, payload or JSON body."""
    shape = operation.input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    parameters: Parameters = {} if payload else _json_object(request.body.read())
    query = request.parameters()
    for name, member in shape.members.items():
        place, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
        source = {"uri": path, "querystring": query, "header": request.headers}.get(place or "", {})
        key = wire_name.lower() if place == "header" else wire_name
        if key in source and member.type_name == "list":
            parameters[name] = [v for k, v in parse_qsl(request.query, keep_blank_values=True) if k == key]
        elif key in source:
            parameters[name] = _from_text(member, source[key])
    if payload:
        body = request.body.read()
        parameters[payload] = body if shape.members[payload].type_name == "blob" else _json_object(body)
    return parameters


_FROM_TEXT: dict[str, Callable[[str], Any]] = {"integer": int, "long": int, "boolean": lambda text: text == "true"}


def _from_text(shape: botocore.model.Shape, text: str) -> Any:
    try:
        return _FROM_TEXT.get(shape.type_name, str)(text)
    except ValueError as e:
        raise AwsError("ValidationException", f"{text!r} is not a number") from e


def _rest_response(operation: botocore.model.OperationModel, answer: Parameters) -> Response:
    """`answer` by the model's places: members in headers, the status code, a raw payload, or JSON."""
    shape = operation.output_shape
    status = operation.http.get("responseCode", 200)
    headers = {"content-type": "application/json"}
    body = dict(answer)
    for name, member in shape.members.items() if shape else ():
        place = member.serialization.get("location")
        if place == "statusCode":
            status = body.pop(name, status)
        elif place == "header" and name in body:
            headers[member.serialization["name"]] = str(body.pop(name))
    payload = shape.serialization.get("payload") if shape else None
    if payload:
        return Response(status, headers, body.get(payload, b""))
    text = json.dumps(body, default=_timestamp, separators=(",", ":")).encode() if status != 204 else b""
    return Response(status, headers, text)


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
