"""REST-JSON (Lambda): the operation is in method and path, and where each parameter travels is the service model's.

Members are in the path, the query string, headers, the JSON body, or one of them is the whole body (`payload`).
"""

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any
from urllib.parse import parse_qsl, unquote

import botocore.exceptions
import botocore.model

from localaws.errors import AwsError
from localaws.wire import (
    Handler,
    Operation,
    Parameters,
    Request,
    Response,
    json_object,
    json_text,
    run,
    service_model,
    validated,
)


def rest_json_service(
    name: str,
    operations: Mapping[str, Operation],
    otherwise: Handler,
    beside: Callable[[Request], Parameters] = lambda _request: {},
    check: Callable[[Any, Parameters], None] = lambda _shape, _parameters: None,
) -> Handler:
    """Routes, parameter places and status codes are the service model's. `beside`: what operations want to
    know of a request that the model does not tell. `check(shape, parameters)` may refuse a request."""

    async def handle(request: Request) -> Response:
        for route in _routes(name):
            found = route.match(request)
            if found is not None and route.operation.name in operations:
                request.span.operation = route.operation.name
                parameters = validated(route.operation, _parameters(route.operation, found, request))
                check(route.operation.input_shape, parameters)
                parameters |= beside(request)
                return _response(route.operation, await run(operations[route.operation.name], parameters))
        return await otherwise(request)

    return handle


def called(name: str, request: Request) -> tuple[str, Parameters]:
    """Operation and parameters of a request to any service that speaks REST-JSON; "" if it has no such operation."""
    for route in _routes(name):
        found = route.match(request)
        if found is not None:
            return route.operation.name, _parameters(route.operation, found, request)
    return "", {}


@dataclass(frozen=True, slots=True)
class _Route:
    operation: botocore.model.OperationModel
    method: str
    path: re.Pattern[str]
    names: tuple[str, ...]
    query: Mapping[str, str]

    @classmethod
    def of(cls, operation: botocore.model.OperationModel) -> "_Route":
        uri, _, query = operation.http["requestUri"].partition("?")
        texts = (re.escape(part) for part in re.split(r"\{[^}]+\}", uri))
        names = [found[1] for found in re.finditer(r"\{([^}]+)\}", uri)]
        values = ("(.+)" if name.endswith("+") else "([^/]+)" for name in names)
        pattern = "".join(text + value for text, value in zip_longest(texts, values, fillvalue=""))
        return cls(
            operation,
            operation.http["method"],
            re.compile(pattern + "/?$"),
            tuple(name.removesuffix("+") for name in names),
            dict(parse_qsl(query, keep_blank_values=True)),
        )

    def match(self, request: Request) -> dict[str, str] | None:
        found = self.path.match(request.path) if request.method == self.method else None
        if found is None or any(request.parameters().get(k) != v for k, v in self.query.items()):
            return None
        return {name: unquote(value) for name, value in zip(self.names, found.groups(), strict=True)}


@functools.cache
def _routes(name: str) -> list[_Route]:
    """None of a service that botocore does not know by this name."""
    try:
        model = service_model(name)()
    except botocore.exceptions.UnknownServiceError:
        return []
    return [_Route.of(model.operation_model(operation)) for operation in model.operation_names]


def _parameters(operation: botocore.model.OperationModel, path: dict[str, str], request: Request) -> Parameters:
    """Gather the members from where the model says each one is: path, query string, header, payload or JSON body."""
    shape = operation.input_shape
    if shape is None:
        return {}
    payload = shape.serialization.get("payload")
    parameters: Parameters = {} if payload else _renamed(shape, json_object(request.body.read()), _read_name)
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
        parameters[payload] = body if shape.members[payload].type_name == "blob" else json_object(body)
    return parameters


_FROM_TEXT: dict[str, Callable[[str], Any]] = {"integer": int, "long": int, "boolean": lambda text: text == "true"}


def _from_text(shape: botocore.model.Shape, text: str) -> Any:
    try:
        return _FROM_TEXT.get(shape.type_name, str)(text)
    except ValueError as e:
        raise AwsError("ValidationException", f"{text!r} is not a number") from e


def _response(operation: botocore.model.OperationModel, answer: Parameters) -> Response:
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
    text = json_text(_renamed(shape, body, _written_name)) if status != 204 else b""
    return Response(status, headers, text)


# Most services call a member on the wire what the model calls it; API Gateway says `apiId` for ApiId. In both
# directions: the shape's members by the names that are there, each with the name that is wanted.
_Names = Callable[[str, botocore.model.Shape], tuple[str, str]]


def _read_name(name: str, member: botocore.model.Shape) -> tuple[str, str]:
    return member.serialization.get("name", name), name


def _written_name(name: str, member: botocore.model.Shape) -> tuple[str, str]:
    return name, member.serialization.get("name", name)


def _renamed(shape: Any, value: Any, names: _Names) -> Any:
    """What the model does not know stays as it is; the keys of a map are the client's own."""
    if shape is None:
        return value
    if shape.type_name == "structure" and isinstance(value, dict):
        both = ((names(name, member), member) for name, member in shape.members.items())
        known = {there: (wanted, member) for (there, wanted), member in both}
        found = {key: known.get(key, (key, None)) for key in value}
        return {wanted: _renamed(member, value[key], names) for key, (wanted, member) in found.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_renamed(shape.member, each, names) for each in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {key: _renamed(shape.value, each, names) for key, each in value.items()}
    return value
