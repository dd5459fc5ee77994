"""S3's REST-XML: HTTP <-> (operation, parameters).

What is asked for is (method, level, subresource); routes.py names the operation. Which member travels in the path, the
query string, a header or the XML body, and under what name, is botocore's model's, so operations take and return the
dicts that boto3's users know.

A subresource that is not in the table is refused as NotImplemented.
"""

import asyncio
import functools
import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, unquote_to_bytes

from botocore.model import OperationModel, Shape, StructureShape

from localaws.errors import AwsError
from localaws.s3 import checksums as s3_checksums
from localaws.s3 import xml as s3_xml
from localaws.s3.access import Access
from localaws.s3.origin import ORIGIN, origin_of
from localaws.s3.reports import KINDS
from localaws.s3.routes import ROUTES, Level, Route
from localaws.wire import Body, FileSlice, Handler, Operation, Parameters, Request, Response, service_model

STATUS = "HTTPStatusCode"  # an answer may name its status under boto3's own word for it

_METADATA = "x-amz-meta-"
_NO_NAME = "*"  # the operation of a request that is of none: nobody but the owner may ask for it
_WITH_IDS = frozenset(kind.subresource for kind in KINDS)
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_LARGEST_XML = 8 * 2**20  # DeleteObjects: 1,000 keys of 1,024 bytes, each of which may be written as a reference


@dataclass(frozen=True, slots=True)
class Target:
    """What a request is about; `bucket` and `key` are "" above their level."""

    level: Level
    bucket: str
    key: str
    subresource: str


def rest_xml_service(
    operations: Mapping[str, Operation],
    upload: Callable[[Request, str], Response],
    access: Access,
) -> Handler:
    """`upload(request, bucket)` answers for forms."""

    async def handle(request: Request) -> Response:
        ORIGIN.set(origin_of(request))
        target = target_of(request)
        route = ROUTES.get((request.method, target.level, target.subresource))
        if route is not None:
            request.span.operation = route.operation
            return await _answer(route, operations[route.operation], access, target, request)
        if request.method == "POST" and target.level == "bucket" and is_form(request):
            request.span.operation = "PostObject"
            return await asyncio.to_thread(upload, request, target.bucket)
        await asyncio.to_thread(access.admit, request, _NO_NAME, {"Bucket": target.bucket})
        raise _refusal(request.method, target)

    return handle


def check_upload(request: Request, access: Access) -> None:
    """Raises AccessDenied for an object's bytes that are not welcome. The request needs no body yet."""
    target = target_of(request)
    route = ROUTES.get((request.method, target.level, target.subresource))
    if route is not None and route.operation in {"PutObject", "UploadPart"}:
        access.admit(request, route.operation, parameters(route.operation, target.bucket, target.key, request))


async def _answer(route: Route, operation: Operation, access: Access, target: Target, request: Request) -> Response:
    """Parsing and rendering may take milliseconds (a page of 1,000 keys), so they stay off the event loop too."""

    def admitted() -> Parameters:
        try:
            p = parameters(route.operation, target.bucket, target.key, request)
        except AwsError:
            if target.bucket and route.operation != "CreateBucket":
                access.buckets.get(target.bucket)  # that there is none is said before what is wrong with the request
            raise
        access.admit(request, route.operation, p)
        return p

    def answer() -> Response:
        try:
            done = operation(admitted())
        except AwsError as e:
            if e.status == 405:
                e.details["Method"] = request.method
            raise
        assert isinstance(done, dict)
        return _response(route, done)

    if not inspect.iscoroutinefunction(operation):
        return await asyncio.to_thread(answer)
    return _response(route, await operation(await asyncio.to_thread(admitted)))


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").lower().startswith("multipart/form-data")


def _refusal(method: str, target: Target) -> AwsError:
    if target.subresource or method == "POST":
        what = target.subresource or "a browser's form upload"
        return AwsError("NotImplemented", f"{method} of an S3 {target.level} with {what} is not implemented", 501)
    text = "The specified method is not allowed against this resource."
    return AwsError("MethodNotAllowed", text, 405, Method=method, ResourceType=target.level.upper())


def target_of(request: Request) -> Target:
    """Path-style and virtual-host-style addresses. Raises InvalidURI for a key that is not UTF-8."""
    try:
        path = unquote_to_bytes(request.path).decode().removeprefix("/")
    except UnicodeDecodeError as e:
        raise AwsError("InvalidURI", "Couldn't parse the specified URI.", 400) from e
    bucket, _, key = path.partition("/") if request.bucket_host is None else (request.bucket_host, "/", path)
    level: Level = "object" if key else "bucket" if bucket else "service"
    return Target(level, bucket, key, _subresource(request))


def _subresource(request: Request) -> str:
    """With " copy" behind it if something is to be copied, and " id" if one of many is meant."""
    query = parse_qs(request.query, keep_blank_values=True)
    words = [word for word in query if word in _words()]
    has_id = "id" in query and any(word in _WITH_IDS for word in words)
    copies = "x-amz-copy-source" in request.headers
    return " ".join([*words[:1], *(["id"] if has_id else []), *(["copy"] if copies else [])])


_model = service_model("s3")


@functools.cache
def _words() -> frozenset[str]:
    """The query parameters that make it another operation: those which the model has in an operation's own URI."""
    uris = (_model().operation_model(name).http["requestUri"] for name in _model().operation_names)
    queries = (uri.partition("?")[2] for uri in uris)
    return frozenset(
        {word for query in queries for word in parse_qs(query, keep_blank_values=True)} - {"x-id"} | {"uploadId"}
    )


@dataclass(frozen=True, slots=True)
class _Input:
    """Where one operation's members come from: wire name -> (member, shape); `required`: (member, wire name)."""

    headers: Mapping[str, tuple[str, Shape]]
    query: Mapping[str, tuple[str, Shape]]
    payload: tuple[str, Shape] | None
    required: tuple[tuple[str, str], ...]


@functools.cache
def _operation(name: str) -> OperationModel:
    return _model().operation_model(name)


@functools.cache
def _input(operation: str) -> _Input:
    shape = _operation(operation).input_shape
    members = shape.members if shape else {}
    places: dict[str, dict[str, tuple[str, Shape]]] = {"header": {}, "querystring": {}}
    for name, member in members.items():
        place = member.serialization.get("location")
        if place in places:
            wire_name = member.serialization["name"]
            places[place][wire_name.lower() if place == "header" else wire_name] = (name, member)
    payload = shape.serialization.get("payload") if shape else None
    needed = [(name, members[name].serialization) for name in (shape.required_members if shape else ())]
    return _Input(
        headers=places["header"],
        query=places["querystring"],
        payload=(payload, members[payload]) if payload else None,
        required=tuple((name, place["name"]) for name, place in needed if place.get("location") in places),
    )


def parameters(operation: str, bucket: str, key: str, request: Request) -> Parameters:
    """Gather the operation's members. A payload of bytes stays the request's `Body`."""
    source = _input(operation)
    headers = {**request.headers, **request.body.checksums}
    metadata = {k.removeprefix(_METADATA): value for k, value in headers.items() if k.startswith(_METADATA)}
    p: Parameters = {"Bucket": bucket, "Key": key, "Metadata": metadata}
    p |= _members(source.headers, headers) | _members(source.query, request.parameters())
    for member, name in source.required:
        if member not in p:
            raise AwsError("InvalidArgument", f"This operation needs {name}", 400, ArgumentName=name)
    if source.payload is not None:
        member, shape = source.payload
        if shape.type_name == "blob":
            p[member] = request.body
        elif shape.type_name == "string":
            p[member] = request.body.read().decode("utf-8", "replace")
        elif request.body.size or request.body.data:
            p[member] = s3_xml.parse(_document(operation, headers, request.body, p), shape)
    return p


def _members(places: Mapping[str, tuple[str, Shape]], given: Mapping[str, str]) -> Parameters:
    return {member: _from_text(shape, name, given[name]) for name, (member, shape) in places.items() if name in given}


def _document(operation: str, headers: Mapping[str, str], body: Body, p: Parameters) -> bytes:
    """The XML body; its checksums must match, which are not parameters of their own but of every operation.

    (CompleteMultipartUpload has parameters of these names: they are the object's.)
    """
    if max(body.size, len(body.data)) > _LARGEST_XML:
        raise AwsError("MaxMessageLengthExceeded", "Your request was too big.")
    given = {member: headers[name] for name, member in _CHECKSUMS.items() if name in headers and member not in p}
    if operation == "DeleteObjects" and not given:
        raise AwsError("InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
    wanted = [name for name, member in s3_checksums.FIELDS.items() if member in given]
    s3_checksums.verify(given, s3_checksums.measure(body, wanted))
    return body.read()


_CHECKSUMS = {
    "content-md5": "ContentMD5",
    **{f"x-amz-checksum-{name.lower()}": member for name, member in s3_checksums.FIELDS.items()},
}


def _from_text(shape: Shape, name: str, text: str) -> Any:
    """Times stay text: S3 ignores a condition's date that is none, and keeps Expires as it came."""
    if shape.type_name in {"integer", "long"}:
        if not _INTEGER.fullmatch(text):
            problem = f"Provided {name} not an integer or within integer range"
            raise AwsError("InvalidArgument", problem, 400, ArgumentName=name, ArgumentValue=text)
        return int(text)
    if shape.type_name == "boolean":
        return text.lower() == "true"
    if shape.type_name == "list":
        return [item.strip() for item in text.split(",")]
    return text


def _response(route: Route, answer: Parameters) -> Response:
    model = _operation(route.operation)
    shape = model.output_shape
    status = answer.get(STATUS, model.http.get("responseCode", 200))
    if shape is None:
        return Response(status)
    headers = _headers(shape, answer)
    payload = shape.serialization.get("payload")
    if not route.root:
        body: bytes | FileSlice = answer.get(payload, b"") if payload else b""
        return Response(status, headers, body)
    headers["content-type"] = "application/xml"
    content = shape.members[payload] if payload else shape
    assert isinstance(content, StructureShape)
    return Response(status, headers, s3_xml.render(route.root, content, answer[payload] if payload else answer))


def _headers(shape: StructureShape, answer: Parameters) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in answer.items():
        member = shape.members.get(name)
        if value is None or member is None or "location" not in member.serialization:
            continue
        if member.serialization["location"] == "headers":
            headers.update({member.serialization["name"] + key: text for key, text in value.items()})
        else:
            headers[member.serialization["name"].lower()] = _header(member, value)
    return headers


def _header(shape: Shape, value: Any) -> str:
    if shape.serialization.get("timestampFormat") == "iso8601":
        return datetime.fromtimestamp(int(value), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if shape.type_name == "timestamp" and not isinstance(value, str):
        return formatdate(value, usegmt=True)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
