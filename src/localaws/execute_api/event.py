"""A request as the function gets it: payload format 2.0. Pure.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html. What that page leaves
open is as others have captured it on AWS: the path arrives decoded, and ends at a `?` that was encoded
(github.com/middleapi/standard-server/pull/93); a body is text for `text/*` and JSON, XML and JavaScript alone, and
base64 otherwise, also for a form and where there is no content type (github.com/ministackorg/ministack/pull/766).
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

_TEXT = frozenset(("application/json", "application/xml", "application/javascript"))
# Of this connection alone (RFC 9110, 7.6.1); cookies have a place of their own.
_NOT_PASSED_ON = frozenset(
    (
        "connection",
        "cookie",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)


@dataclass(frozen=True, slots=True)
class Visit:
    """One request. `path` is decoded, and has the stage in it unless that is `$default`; `headers` have lower-case
    names, and repeated ones joined by commas; `cookies` are one a text. `at` is in epoch seconds."""

    id: str
    at: float
    api: str
    domain: str
    method: str
    path: str
    query: str
    protocol: str
    headers: Mapping[str, str]
    cookies: tuple[str, ...]
    source_ip: str

    @property
    def user_agent(self) -> str:
        return self.headers.get("user-agent", "")

    @property
    def time(self) -> str:
        """As common log format has it."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%d/%b/%Y:%H:%M:%S +0000")

    @property
    def epoch_ms(self) -> int:
        return int(self.at * 1000)


def decoded(path: str) -> str:
    return unquote(path).partition("?")[0]


def cookies(header: str) -> tuple[str, ...]:
    """`header`: all of the request's, joined by `;`."""
    return tuple(cookie.strip() for cookie in header.split(";") if cookie.strip())


def forwarded(visit: Visit, scheme: str, port: int, trace: str) -> Visit:
    """With what a gateway adds: who sent it and how it came. `trace` unless the client has one."""
    kept = {name: value for name, value in visit.headers.items() if name not in _NOT_PASSED_ON}
    before = kept.get("x-forwarded-for")
    added = {
        "x-forwarded-for": f"{before}, {visit.source_ip}" if before else visit.source_ip,
        "x-forwarded-proto": scheme,
        "x-forwarded-port": str(port),
        "x-amzn-trace-id": kept.get("x-amzn-trace-id", trace),
    }
    return replace(visit, headers={**kept, **added})


def payload(
    visit: Visit,
    account: str,
    stage: str,
    route_key: str,
    path_parameters: Mapping[str, str],
    stage_variables: Mapping[str, str],
    body: bytes,
) -> str:
    """JSON. What a request does not have is left out."""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": visit.path,
        "rawQueryString": visit.query,
        "headers": {**visit.headers, "content-length": str(len(body))},
        "requestContext": _context(visit, account, stage, route_key),
        "isBase64Encoded": False,
    }
    optional = {
        "cookies": list(visit.cookies),
        "queryStringParameters": _joined(visit.query),
        "pathParameters": dict(path_parameters),
        "stageVariables": dict(stage_variables),
    }
    event |= {name: value for name, value in optional.items() if value}
    if body:
        event |= _body(body, visit.headers.get("content-type", ""))
    return json.dumps(event, separators=(",", ":"))


def _context(visit: Visit, account: str, stage: str, route_key: str) -> dict[str, Any]:
    return {
        "accountId": account,
        "apiId": visit.api,
        "domainName": visit.domain,
        "domainPrefix": visit.domain.partition(".")[0],
        "http": {
            "method": visit.method,
            "path": visit.path,
            "protocol": visit.protocol,
            "sourceIp": visit.source_ip,
            "userAgent": visit.user_agent,
        },
        "requestId": visit.id,
        "routeKey": route_key,
        "stage": stage,
        "time": visit.time,
        "timeEpoch": visit.epoch_ms,
    }


def _joined(query: str) -> dict[str, str]:
    """Duplicates are combined with commas."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind in _TEXT:
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass  # said to be text, and is not: as it came
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
