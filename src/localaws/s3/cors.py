"""Cross-origin requests: what a bucket's CORS rules let a page of another origin do, and how a browser is told.

docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html. Without a rule a browser gets no word of permission,
so its pages can't send a signed request (that needs a preflight) and can't read an answer.
"""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from localaws.errors import AwsError
from localaws.s3.wire import Target
from localaws.wire import Handler, Request, Response

_ORIGIN = "origin"
_METHOD = "access-control-request-method"
_HEADERS = "access-control-request-headers"
_NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
    "Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"

Rules = Sequence[Mapping[str, Any]]


def preflight(rules: Rules | None, headers: Mapping[str, str], level: str) -> Response:
    """The answer to OPTIONS. `rules`: None if the bucket has none, or there is no bucket at all; `level`: what is asked
    about. Raises BadRequest, AccessForbidden."""
    if _ORIGIN not in headers:
        raise AwsError("BadRequest", "Insufficient information. Origin request header needed.")
    details = {"Method": headers.get(_METHOD, "OPTIONS"), "ResourceType": level.upper()}
    if rules is None:
        details["ResourceType"] = "BUCKET"
        raise AwsError("AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", 403, **details)
    if _METHOD not in headers:
        raise AwsError("BadRequest", "Invalid Access-Control-Request-Method: null")
    found = _told(rules, headers, headers[_METHOD])
    if not found:
        raise AwsError("AccessForbidden", _NOT_ALLOWED, 403, **details)
    return Response(200, found)


def told(rules: Rules, method: str, headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that the answer to a request of another origin gets: none if no rule is about it."""
    return _told(rules, headers, headers.get(_METHOD, method)) if _ORIGIN in headers else {}


def admits(rules: Rules | None, method: str, headers: Mapping[str, str]) -> bool:
    """Does a rule let the page that this request comes from send it? It may always ask."""
    return method == "OPTIONS" or bool(_told(rules or (), headers, headers.get(_METHOD, method)))


def _told(rules: Rules, headers: Mapping[str, str], method: str) -> dict[str, str]:
    origin = headers[_ORIGIN]
    wanted = [name.strip().lower() for name in headers.get(_HEADERS, "").split(",") if name.strip()]
    rule = next((rule for rule in rules if _allows(rule, origin, method, wanted)), None)
    if rule is None:
        return {}
    to_all = "*" in rule["AllowedOrigins"]
    answer = {
        "access-control-allow-origin": "*" if to_all else origin,
        "access-control-allow-methods": ", ".join(rule["AllowedMethods"]),
        "vary": VARY,
    }
    if not to_all:
        answer["access-control-allow-credentials"] = "true"
    if wanted:
        answer["access-control-allow-headers"] = ", ".join(wanted)
    if rule.get("ExposeHeaders"):
        answer["access-control-expose-headers"] = ", ".join(rule["ExposeHeaders"])
    if "MaxAgeSeconds" in rule:
        answer["access-control-max-age"] = str(rule["MaxAgeSeconds"])
    return answer


def _allows(rule: Mapping[str, Any], origin: str, method: str, wanted: Sequence[str]) -> bool:
    allowed = [text.lower() for text in rule.get("AllowedHeaders", ())]
    return (
        method in rule["AllowedMethods"]
        and any(_fits(pattern, origin) for pattern in rule["AllowedOrigins"])
        and all(any(_fits(pattern, name) for pattern in allowed) for name in wanted)
    )


def _fits(pattern: str, text: str) -> bool:
    """One `*` in the pattern is any text."""
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.DOTALL) is not None


def with_cors(
    handle: Handler, target_of: Callable[[Request], Target], rules_of: Callable[[str], Rules | None]
) -> Handler:
    """`handle`, its answers and errors told to browsers as the bucket's rules say; preflights are answered here."""

    async def handler(request: Request) -> Response:
        if request.method == "OPTIONS":
            target = target_of(request)
            return preflight(await asyncio.to_thread(rules_of, target.bucket), request.headers, target.level)
        if _ORIGIN not in request.headers:
            return await handle(request)
        rules = await asyncio.to_thread(rules_of, target_of(request).bucket)
        headers = told(rules or (), request.method, request.headers)
        try:
            response = await handle(request)
        except AwsError as error:
            error.headers |= headers
            raise
        return replace(response, headers={**response.headers, **headers})

    return handler
