"""The routes, described as OpenAPI 3.1 (spec.openapis.org/oas/v3.1.1): made of the same table that answers them.

Errors are examples and not words of their own: what stands there is what the dialect's `refuse` says.
"""

import json
import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from clicklake import __version__
from clicklake.collector.dialects.route import Outcome, Route
from clicklake.collector.event import Batch
from clicklake.collector.request import (
    JSON,
    Answer,
    BusyError,
    ForbiddenError,
    HeadTooLargeError,
    MediaTypeError,
    Request,
    RequestError,
    SlowError,
    TooLargeError,
    TransferCodingError,
    UnauthorizedError,
    UnavailableError,
    refusal,
)

Said = dict[str, Any]
_IN_PATH = re.compile(r"\{(\w+)\}")

# Every route may answer so, whatever its dialect. With the hints of real ones, for they are what one reads.
_ERRORS: tuple[tuple[RequestError, str], ...] = (
    (RequestError("the body is no JSON", "send a JSON object"), "The request can't be read; nothing of it was taken."),
    (UnauthorizedError("the write key is of no site", "send a site's write key"), "No site has this write key."),
    (ForbiddenError("pages of this origin may not send to here"), "The page's origin is on no list."),
    (SlowError("the body was not there after 60 s", "send less at once"), "The body came too slowly."),
    (TooLargeError("the body has more than 1,000,000 bytes"), "More than 1,000,000 bytes, or than 10,000 events."),
    (MediaTypeError("the Content-Encoding is none of gzip, deflate"), "Compressed, but not as gzip or deflate."),
    (HeadTooLargeError("the request's head has more than 65,536 bytes"), "The URL and headers are too large."),
    (TransferCodingError("the Transfer-Encoding is another than chunked"), "Packed for the way, but not in chunks."),
    (BusyError("more waits than there is room for"), "Back-pressure: nothing was taken. Send it again, unchanged."),
    (UnavailableError("the events can't be kept now"), "The events may not be kept. Send it again, unchanged."),
)
_SECURITY: Mapping[str, Said] = {
    "basic": {"type": "http", "scheme": "basic", "description": "The write key as user name, no password."},
    "bearer": {"type": "http", "scheme": "bearer", "description": "The write key."},
    "header": {"type": "apiKey", "in": "header", "name": "X-Write-Key"},
    "query": {"type": "apiKey", "in": "query", "name": "write_key"},
}
_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
        }
    },
}
_RETRY_AFTER = {"description": "Seconds.", "schema": {"type": "integer", "minimum": 0}}


def description(routes: Iterable[Route], base: str) -> Said:
    """`base`: the URL that the routes are below; empty if nobody knows."""
    paths: dict[str, Said] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "clicklake collector",
            "version": __version__,
            "description": "Events in, from browsers and servers. Success means that every event is durable.",
        },
        "servers": [{"url": base or "/"}],
        "paths": paths,
        "components": {"securitySchemes": dict(_SECURITY), "schemas": {"Error": _ERROR}},
    }


def _operation(route: Route) -> Said:
    path = re.sub(r"\W+", "_", route.path).strip("_")
    said: Said = {"operationId": f"{route.method.lower()}_{path}", "summary": route.summary}
    if parameters := _parameters(route):
        said["parameters"] = parameters
    if route.schemas:
        content = {kind: {"schema": dict(schema)} for kind, schema in route.schemas.items()}
        said["requestBody"] = {"required": True, "content": content}
    said["responses"] = _responses(route)
    # A collector without sites asks nobody for a key; a dialect may have a place of its own for it.
    said["security"] = [] if route.is_public else [{}, *({name: []} for name in _SECURITY)]
    return said


def _parameters(route: Route) -> list[Said]:
    in_path = _IN_PATH.findall(route.path)
    found = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}} for name in in_path
    ]
    asked = [name for name in route.parameters if name not in in_path and name != _SECURITY["query"]["name"]]
    return found + [{"name": name, "in": "query", "schema": {"type": "string"}} for name in asked]


def _responses(route: Route) -> Said:
    said = {str(status): _success(route, status) for status in route.statuses}
    for error, meaning in () if route.is_public else _ERRORS:
        refused = route.refuse(error)
        status = str(refused.status)
        answer = _refused(route, refused, meaning)
        said[status] = _either(said[status], answer) if status in said else answer
    return said


def _success(route: Route, status: int) -> Said:
    said: Said = {"description": HTTPStatus(status).phrase}
    if status != HTTPStatus.NO_CONTENT:
        schema = route.answer_schemas.get(status)
        said["content"] = {route.answer_type: {"schema": dict(schema)} if schema is not None else {}}
    return said


def _refused(route: Route, answer: Answer, meaning: str) -> Said:
    said: Said = {"description": meaning}
    if answer.body:
        kind = answer.content_type.partition(";")[0]
        schema = {"schema": {"$ref": "#/components/schemas/Error"}} if route.refuse is refusal else {}
        example = {"example": json.loads(answer.body)} if kind == JSON else {}
        said["content"] = {kind: schema | example}
    if any(name == "retry-after" for name, _ in answer.headers):
        said["headers"] = {"Retry-After": _RETRY_AFTER}
    return said


def _either(one: Said, other: Said) -> Said:
    """Two reasons for one status, each with a body of its own."""
    content = dict(one.get("content", {}))
    for kind, media in other.get("content", {}).items():
        schemas = [found["schema"] for found in (content.get(kind, media), media) if "schema" in found]
        content[kind] = {"schema": {"anyOf": schemas}} if len(schemas) > 1 else {}
    said = one | {"description": f"{one['description']}. {other['description']}"}
    return said | ({"content": content} if content else {})


def route(routes: tuple[Route, ...]) -> Route:
    """`GET /openapi.json` of these and itself."""

    def answer(request: Request, _: Outcome) -> Answer:
        return Answer.of(200, description((*routes, own), request.base))

    own = Route(
        "GET",
        "/openapi.json",
        "This description",
        lambda _: Batch([]),
        answer,
        is_public=True,
        answer_schemas={200: {"type": "object", "required": ["openapi", "paths"]}},
    )
    return own
