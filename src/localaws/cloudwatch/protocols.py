"""CloudWatch speaks three protocols, and takes each in any order of their ages:

    smithy-rpc-v2-cbor   the newer SDKs                  POST /service/<service>/operation/<operation>
    json                 AWS JSON 1.0, boto3             X-Amz-Target: <service>.<operation>
    query                older SDKs                      Action=<operation>, as a form or in the URL; the answer is XML

Names and types are botocore's model's. Operations see and give times as epoch seconds. Errors carry the query
protocol's code beside their own (smithy.io, awsQueryCompatible), which is how clients know them.
"""

import asyncio
import functools
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from localaws import cbor
from localaws.errors import AwsError
from localaws.wire import Body, Handler, Operation, Parameters, Request, Response, run, service_model, validated

_PATH = re.compile(r"/service/\w+/operation/(\w+)")
_JSON = "application/x-amz-json-1.0"
_CBOR = {"content-type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"}
_FORM = "application/x-www-form-urlencoded"
_DEEPEST = 32
_NO_NUMBERS = ("NaN", "Infinity", "-Infinity")
_LARGEST_BODY = 16 * 2**20
# The model's own check has the name that JSON knows (wire.validated).
_QUERY_CODES = {"ValidationException": "ValidationError"}
_ERRORS_OF = "com.amazonaws.cloudwatch.v2010_08_01#"


def service(name: str, operations: Mapping[str, Operation], otherwise: Handler) -> Handler:
    """An operation that is not in the table goes to `otherwise`, which need not know CBOR."""
    model = service_model(name)
    wire_codes = functools.cache(
        lambda: {shape.error_code: shape.name for shape in model().error_shapes if shape.error_code}
    )

    async def handle(request: Request) -> Response:
        protocol, operation, fields = _asked(request)
        if operation not in operations:
            known = protocol == "cbor" and operation in model().operation_names
            return await (_in_json(model(), operation, request, otherwise) if known else otherwise(request))
        request.span.operation = operation
        shapes = model().operation_model(operation)
        try:
            parameters = await asyncio.to_thread(_parameters, shapes, protocol, request, fields)
            answer = await run(operations[operation], parameters)
            return await asyncio.to_thread(_ANSWERS[protocol], shapes, answer)
        except AwsError as error:
            code = _QUERY_CODES.get(error.code, error.code)
            return _refusal(protocol, error, code, wire_codes().get(code, code))

    return handle


async def _in_json(model: Any, operation: str, request: Request, otherwise: Handler) -> Response:
    """`otherwise`'s answer to a request in CBOR, which it is asked in JSON."""
    shapes = model.operation_model(operation)
    try:
        body = json.dumps(_document("cbor", shapes.input_shape, request)).encode()
    except AwsError as error:
        return _refusal("cbor", error, error.code, error.code)
    target = f"{model.metadata['targetPrefix']}.{operation}"
    kept = {k: v for k, v in request.headers.items() if k not in {"content-encoding", "smithy-protocol"}}
    headers = kept | {"content-type": _JSON, "x-amz-target": target}
    answer = await otherwise(replace(request, path="/", headers=headers, body=Body(body, size=len(body))))
    assert isinstance(answer.body, bytes)
    document = json.loads(answer.body or b"{}")
    if answer.status < 400:
        return _cbor_answer(shapes, document if shapes.output_shape is not None else {})
    kept = {k: v for k, v in answer.headers.items() if k == "x-amzn-query-error"}
    return Response(answer.status, kept | _CBOR, cbor.dumps(document))


def _asked(request: Request) -> tuple[str, str, dict[str, str]]:
    """The protocol, the operation's name, and the form's fields if it is one."""
    found = _PATH.fullmatch(request.path)
    if found is not None:
        return "cbor", found[1], {}
    if "x-amz-target" in request.headers:
        return "json", request.headers["x-amz-target"].rpartition(".")[2], {}
    is_form = request.headers.get("content-type", "").startswith(_FORM)
    text = request.query + ("&" + _plain(request).decode("utf-8", "replace") if is_form else "")
    fields = dict(parse_qsl(text, keep_blank_values=True))
    return "query", fields.get("Action", ""), fields


def _plain(request: Request) -> bytes:
    """The body; SDKs compress large ones of PutMetricData."""
    body = request.body.read()
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return body
    unpacking = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        plain = unpacking.decompress(body, _LARGEST_BODY)
    except zlib.error as e:
        raise AwsError("SerializationException", "The request body is not gzip") from e
    if unpacking.unconsumed_tail:
        raise AwsError("RequestEntityTooLarge", "The request body is too large", 413)
    return plain


def _parameters(shapes: Any, protocol: str, request: Request, fields: Mapping[str, str]) -> Parameters:
    shape = shapes.input_shape
    given = _from_form(shape, _tree(fields)) if protocol == "query" else _document(protocol, shape, request)
    parameters: Parameters = _times(shape, validated(shapes, given))
    return parameters


def _document(protocol: str, shape: Any, request: Request) -> Any:
    body = _plain(request)
    try:
        value = (cbor.loads if protocol == "cbor" else json.loads)(body) if body else {}
    except (ValueError, RecursionError) as e:
        raise AwsError("SerializationException", f"The request body is not valid {protocol.upper()}") from e
    if not isinstance(value, dict):
        raise AwsError("SerializationException", "The request body must be an object")
    return _read(shape, value)


def _read(shape: Any, value: Any) -> Any:
    """JSON writes the doubles that it has no numbers for as texts (smithy.io, Document Types)."""
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: _read(shape.members[name], item) for name, item in value.items() if name in shape.members}
    if shape.type_name == "list" and isinstance(value, list):
        return [_read(shape.member, item) for item in value]
    return float(value) if shape.type_name == "double" and value in _NO_NUMBERS else value


def _tree(fields: Mapping[str, str]) -> dict[str, Any]:
    """{"MetricData.member.1.Value": "5"} -> {"MetricData": {"member": {"1": {"Value": "5"}}}}; a misfit is left out."""
    tree: dict[str, Any] = {}
    for name, text in fields.items():
        branch, parts = tree, name.split(".")
        if len(parts) > _DEEPEST:
            continue
        for part in parts[:-1]:
            below = branch.setdefault(part, {})
            branch = below if isinstance(below, dict) else {}
        branch.setdefault(parts[-1], text)
    return tree


def _from_form(shape: Any, given: Any, name: str = "") -> Any:
    """The query protocol's parameters (smithy.io, awsQuery); lists are {"member": {"1": ..., "2": ...}}."""
    if shape.type_name == "structure" and isinstance(given, dict):
        return {
            member: _from_form(below, given[member], f"{name}.{member}".strip("."))
            for member, below in shape.members.items()
            if member in given
        }
    if shape.type_name == "list" and isinstance(given, dict):
        members = given.get("member")
        items = members if isinstance(members, dict) else {}
        numbered = {int(n): item for n, item in items.items() if re.fullmatch("[0-9]{1,5}", n)}
        return [_from_form(shape.member, numbered[n], f"{name}.member.{n}") for n in sorted(numbered)]
    return _scalar(shape.type_name, given, name) if isinstance(given, str) else given


def _scalar(kind: str, text: str, name: str) -> Any:
    try:
        match kind:
            case "integer" | "long":
                return int(text)
            case "double" | "float":
                return float(text)
            case "boolean":
                return text == "true"
    except ValueError as e:
        raise AwsError("MalformedInput", f"{name} is not a number: {text!r}") from e
    return text


def _times(shape: Any, value: Any) -> Any:
    """Times as epoch seconds, whatever they were written as. They have been validated."""
    if shape.type_name == "structure":
        return {name: _times(shape.members[name], item) for name, item in value.items()}
    if shape.type_name == "list":
        return [_times(shape.member, item) for item in value]
    return _seconds(value) if shape.type_name == "timestamp" else value


def _seconds(value: Any) -> float:
    if isinstance(value, int | float):
        return float(value)
    try:
        time = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    except ValueError as e:
        raise AwsError("ValidationError", f"{value!r} is not a time as ISO 8601 writes it") from e
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()


# Answers


def _cbor_answer(shapes: Any, answer: Parameters) -> Response:
    body = b"" if shapes.output_shape is None else cbor.dumps(_cbor_value(shapes.output_shape, answer))
    return Response(200, _CBOR, body)


def _cbor_value(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            known = ((name, item) for name, item in value.items() if name in shape.members and item is not None)
            return {name: _cbor_value(shape.members[name], item) for name, item in known}
        case "list":
            return [_cbor_value(shape.member, item) for item in value]
        case "map":
            return {name: _cbor_value(shape.value, item) for name, item in value.items()}
        case "timestamp":
            return cbor.Time(_seconds(value))
        case "double":
            return float(value)
    return value


def _json_answer(_shapes: Any, answer: Parameters) -> Response:
    return Response(200, {"content-type": _JSON}, json.dumps(answer).encode())


def _query_answer(shapes: Any, answer: Parameters) -> Response:
    result = ""
    if shapes.output_shape is not None:
        wrapper = shapes.output_shape.serialization.get("resultWrapper", f"{shapes.name}Result")
        result = f"<{wrapper}>{_xml(shapes.output_shape, answer)}</{wrapper}>"
    outer = f"{shapes.name}Response"
    text = f'<{outer} xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">{result}</{outer}>'
    return Response(200, {"content-type": "text/xml"}, text.encode())


def _xml(shape: Any, value: Any) -> str:
    match shape.type_name:
        case "structure":
            return "".join(f"<{name}>{_xml(shape.members[name], item)}</{name}>" for name, item in value.items())
        case "list":
            return "".join(f"<member>{_xml(shape.member, item)}</member>" for item in value)
        case "map":
            pairs = ((escape(name), _xml(shape.value, item)) for name, item in value.items())
            return "".join(f"<entry><key>{name}</key><value>{item}</value></entry>" for name, item in pairs)
        case "timestamp":
            return datetime.fromtimestamp(value, UTC).isoformat().replace("+00:00", "Z")
    return escape(str(value))


_ANSWERS = {"cbor": _cbor_answer, "json": _json_answer, "query": _query_answer}


def _refusal(protocol: str, error: AwsError, code: str, wire_code: str) -> Response:
    if protocol == "query":
        fields = f"<Type>Sender</Type><Code>{escape(code)}</Code><Message>{escape(error.message)}</Message>"
        return Response(
            error.status,
            {"content-type": "text/xml"},
            f"<ErrorResponse><Error>{fields}</Error></ErrorResponse>".encode(),
        )
    body = {"__type": _ERRORS_OF + wire_code, "message": error.message}
    headers = {"x-amzn-query-error": f"{code};Sender"}
    if protocol == "json":
        return Response(error.status, headers | {"content-type": _JSON}, json.dumps(body).encode())
    return Response(error.status, headers | _CBOR, cbor.dumps(body))
