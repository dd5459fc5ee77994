"""What the control plane takes, and what it refuses: by AWS's rules, or by name because nothing here could do it. Pure.

docs.aws.amazon.com/apigatewayv2/latest/api-reference.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from localaws.errors import AwsError
from localaws.execute_api.routes import is_key

_FUNCTION = re.compile(
    r"(arn:aws:apigateway:[a-z0-9-]+:lambda:path/2015-03-31/functions/)?"
    r"(?P<arn>arn:aws:lambda:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):function:[A-Za-z0-9_-]+(:[A-Za-z0-9_$-]+)?)"
    r"(/invocations)?"
)
_STAGE = re.compile(r"\$default|[A-Za-z0-9_-]{1,128}")
_LOG_GROUP = re.compile(r"arn:aws:logs:[a-z0-9-]+:\d{12}:log-group:(?P<name>[^:*]+)(:\*)?")
ROUTE_SELECTION = "$request.method $request.path"
"""The only one of HTTP APIs; AWS takes both ways to write it, and answers this one."""

Parameters = Mapping[str, Any]
_MOST = 2**31 - 1

# Parameter -> what it would need. One that is given, and not the value beside it, is refused.
_NOT_DONE: Mapping[str, Mapping[str, tuple[Any, str]]] = {
    "api": {
        "ProtocolType": ("HTTP", "WebSocket APIs: HTTP APIs only"),
        "Target": (None, "quick create: create integration, route and stage"),
        "RouteKey": (None, "quick create: create integration, route and stage"),
        "CredentialsArn": (None, "quick create: create integration, route and stage"),
        "DisableExecuteApiEndpoint": (False, "custom domain names, so an API without its own endpoint has none"),
        "IpAddressType": ("ipv4", "dual-stack endpoints: it listens where `up` was told to"),
    },
    "integration": {
        "IntegrationType": ("AWS_PROXY", "other integrations than AWS_PROXY with a function"),
        "IntegrationSubtype": (None, "integrations with other services than Lambda"),
        "ConnectionType": ("INTERNET", "VPC links"),
        "ConnectionId": (None, "VPC links"),
        "PayloadFormatVersion": ("2.0", "the payload format 1.0: give payloadFormatVersion 2.0"),
        "CredentialsArn": (None, "integrations that assume a role: give the function a resource policy"),
        "RequestParameters": ({}, "parameter mapping"),
        "ResponseParameters": ({}, "parameter mapping"),
        "TlsConfig": (None, "integrations over TLS"),
        "IntegrationMethod": ("POST", "other methods than POST, with which Lambda is called"),
    },
    "route": {
        "AuthorizationType": ("NONE", "authorizers (JWT, CUSTOM, AWS_IAM)"),
        "AuthorizerId": (None, "authorizers (JWT, CUSTOM, AWS_IAM)"),
        "AuthorizationScopes": ([], "authorizers (JWT, CUSTOM, AWS_IAM)"),
        "ApiKeyRequired": (False, "API keys, which WebSocket APIs have"),
        "RequestModels": ({}, "models, which WebSocket APIs have"),
        "RequestParameters": ({}, "request parameters, which WebSocket APIs have"),
        "ModelSelectionExpression": (None, "models, which WebSocket APIs have"),
        "RouteResponseSelectionExpression": (None, "route responses, which WebSocket APIs have"),
    },
    "stage": {"ClientCertificateId": (None, "client certificates, which WebSocket APIs have")},
}

OPERATIONS: Mapping[str, str] = {
    "ImportApi": "APIs made of an OpenAPI document",
    "ReimportApi": "APIs made of an OpenAPI document",
    "ExportApi": "APIs as an OpenAPI document",
    "CreateAuthorizer": "authorizers (JWT, CUSTOM, AWS_IAM)",
    "CreateVpcLink": "VPC links",
    "CreateDomainName": "custom domain names, nor mutual TLS, which they have",
    "CreateApiMapping": "custom domain names",
    "CreateModel": "models, which WebSocket APIs have",
    "CreateIntegrationResponse": "integration responses, which WebSocket APIs have",
    "CreateRouteResponse": "route responses, which WebSocket APIs have",
    "CreatePortal": "portals",
    "CreatePortalProduct": "portals",
    "CreateRoutingRule": "custom domain names",
}


def bad(text: str) -> AwsError:
    return AwsError("BadRequestException", text)


def not_found(text: str) -> AwsError:
    return AwsError("NotFoundException", text, 404)


def conflict(text: str) -> AwsError:
    return AwsError("ConflictException", text, 409)


def check(kind: str, given: Parameters) -> None:
    """BadRequestException. `kind`: "api", "integration", "route" or "stage"; `given`: the settings, all of them or
    those that change."""
    for name, (harmless, what) in _NOT_DONE[kind].items():
        if given.get(name) not in (None, "", harmless):
            raise bad(f"localaws has no {what}")
    _CHECKS[kind](given)


def _check_api(given: Parameters) -> None:
    if re.sub("[{}]", "", given.get("RouteSelectionExpression", ROUTE_SELECTION)) != ROUTE_SELECTION:
        raise bad("The routeSelectionExpression of an HTTP API must be ${request.method} ${request.path}")
    cors = given.get("CorsConfiguration") or {}
    origins = cors.get("AllowOrigins", ())
    if cors.get("AllowCredentials") and "*" in origins:
        raise bad("allowCredentials is not supported when allowOrigins contains *")
    if wrong := [text for text in origins if not re.fullmatch(r"\*|https?://\*|[a-z][a-z0-9+.-]*://[^*/\s]+", text)]:
        raise bad(f"Invalid format for origin {wrong[0]}")
    if not -1 <= cors.get("MaxAge", 0) <= 86_400:
        raise bad("maxAge must be between -1 and 86400")


def _check_integration(given: Parameters) -> None:
    if "IntegrationUri" in given and _FUNCTION.fullmatch(given["IntegrationUri"]) is None:
        raise bad(f"localaws can't invoke {given['IntegrationUri']}: the URI of an integration is a function's ARN")
    if not 50 <= given.get("TimeoutInMillis", 50) <= 30_000:
        raise bad("Timeout should be between 50 ms and 30000 ms")


def _check_route(given: Parameters) -> None:
    key = given.get("RouteKey")
    if key is not None and not is_key(key):
        raise bad(
            f"The provided route key {key!r} is not formatted properly for HTTP protocol. Format should be "
            '"<HTTP METHOD> /<RESOURCE PATH>" or "$default"'
        )


def _check_stage(given: Parameters) -> None:
    if _STAGE.fullmatch(given.get("StageName", "$default")) is None:
        raise bad("Stage names of HTTP APIs are $default, or have letters, digits, hyphens and underscores only")
    every = [given.get("DefaultRouteSettings") or {}, *(given.get("RouteSettings") or {}).values()]
    if any(settings.get("DataTraceEnabled") or settings.get("LoggingLevel", "OFF") != "OFF" for settings in every):
        raise bad("Execution logs are not supported on protocolType HTTP")
    limits = ("ThrottlingRateLimit", "ThrottlingBurstLimit")
    if not all(0 <= settings.get(name, 0) <= _MOST for settings in every for name in limits):
        raise bad(f"Throttling limits are between 0 and {_MOST}")
    arn = (given.get("AccessLogSettings") or {}).get("DestinationArn")
    if arn is not None and _LOG_GROUP.fullmatch(arn) is None:
        raise bad(f"Invalid ARN specified in the request: {arn} is no log group")


_CHECKS: Mapping[str, Callable[[Parameters], None]] = {
    "api": _check_api,
    "integration": _check_integration,
    "route": _check_route,
    "stage": _check_stage,
}


def function_of(uri: str) -> str:
    """The function's ARN in an integration's URI that was checked."""
    found = _FUNCTION.fullmatch(uri)
    assert found is not None
    return found["arn"]


def log_group_of(arn: str) -> str:
    found = _LOG_GROUP.fullmatch(arn)
    assert found is not None
    return found["name"]
