"""The edge on AWS: a Lambda function behind an HTTP API, or a Function URL. Both speak payload format 2.0
(docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).

Success is answered when Firehose has taken every record. What it did not take is put again for as long as the function
may run; then the client is asked to come again.

Environment variables:

    CLICKLAKE_DELIVERY_STREAM       where events go
    CLICKLAKE_COLLECTOR             the settings, JSON (settings.py)

The role needs firehose:PutRecordBatch on the stream.
"""

import binascii
import json
import os
import sys
import time
from collections.abc import Mapping
from functools import cache
from typing import Any, Protocol

import boto3

from clicklake.collector import settings
from clicklake.collector.collect import PREFIX, Collector
from clicklake.collector.direct import Direct
from clicklake.collector.request import Answer, Request, RequestError, UnavailableError
from clicklake.collector.trouble import described
from clicklake.producer.ids import Uuid7
from clicklake.producer.stream import Stream
from clicklake.target import Target

STREAM, SETTINGS = "CLICKLAKE_DELIVERY_STREAM", "CLICKLAKE_COLLECTOR"

_CONNECT_SECONDS, _READ_SECONDS = 1, 3
_MARGIN_SECONDS = _CONNECT_SECONDS + _READ_SECONDS + 0.5  # a call that has begun isn't cut, and then comes the answer
_LEAST_SECONDS, _MOST_SECONDS = 0.5, 4.0  # it is tried once, however late it is; Snowplow's tracker waits for 5

# What would end a header's line, whatever a client had us say (RFC 9110, 5.5).
_NO_CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127))

Event = Mapping[str, Any]


class Context(Protocol):
    """Of docs.aws.amazon.com/lambda/latest/dg/python-context.html."""

    def get_remaining_time_in_millis(self) -> int: ...


def handler(event: Event, context: Context) -> dict[str, Any]:
    return _function().answer(event, context.get_remaining_time_in_millis() / 1000)


class Function:
    """For one request at a time, as Lambda calls it."""

    def __init__(self, collector: Collector, direct: Direct) -> None:
        self._collector, self._direct = collector, direct

    def answer(self, event: Event, seconds: float) -> dict[str, Any]:
        """`seconds`: how long the function may still run."""
        if event.get("version") != "2.0":
            _log("not a request", hint="give the integration the payload format 2.0")
            return _said(Answer.of(500, {"error": {"code": "payload_format", "message": "it is not 2.0"}}))
        request = request_of(event)
        healthy = request.path == "/health"
        answer = Answer.of(200, {"status": "ok"}) if healthy else self._answer(request, seconds)
        return _said(answer, only_head=request.method == "HEAD")

    def _answer(self, request: Request, seconds: float) -> Answer:
        try:
            if refused := self._collector.admit(request):
                return refused
            collected = self._collector.collect(request)
            if collected.lines:
                tried = min(max(seconds - _MARGIN_SECONDS, _LEAST_SECONDS), _MOST_SECONDS)
                self._direct.take([collected.lines], tried)
        except RequestError as error:
            return self._collector.refused(request, error)
        except Exception as error:  # Lambda would log its words, which may quote an event
            _log("failed", error=described(error))
            return self._collector.refused(request, UnavailableError("the collector failed", "its log says why"))
        return collected.answer


def request_of(event: Event) -> Request:
    """Its path without the stage, unless that is the default, and without /collect."""
    context = event["requestContext"]
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    if cookies := event.get("cookies"):
        headers["cookie"] = "; ".join(cookies)
    peer = context["http"]["sourceIp"]
    _without_gateway(headers, peer)
    base = f"{_scheme(headers)}://{headers.get('host') or context['domainName']}"
    path = event["rawPath"]
    for prefix in (f"/{context.get('stage', '$default')}", PREFIX):
        if path == prefix or path.startswith(f"{prefix}/"):
            path, base = path[len(prefix) :] or "/", base + prefix
    return Request(
        context["http"]["method"], path, event.get("rawQueryString", ""), headers, _body_of(event), peer, base
    )


def _without_gateway(headers: dict[str, str], peer: str) -> None:
    """The gateway puts the address that it was called from at the end of X-Forwarded-For. That is the peer's, not
    another hop's: `trusted_proxies` counts what stands before the gateway."""
    *before, last = headers.get("x-forwarded-for", "").split(",")
    if last.strip() == peer:
        headers["x-forwarded-for"] = ",".join(before)


def _scheme(headers: Mapping[str, str]) -> str:
    """The gateway's word is the last one."""
    last = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip()
    return "http" if last == "http" else "https"


def _body_of(event: Event) -> bytes:
    body: str = event.get("body") or ""
    return binascii.a2b_base64(body) if event.get("isBase64Encoded") else body.encode(errors="surrogatepass")


def _said(answer: Answer, *, only_head: bool = False) -> dict[str, Any]:
    headers: dict[str, str] = {"content-type": answer.content_type} if answer.body else {}
    cookies: list[str] = []
    for name, text in answer.headers:
        value = text.translate(_NO_CONTROLS)
        if name == "set-cookie":
            cookies.append(value)
        else:
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    said: dict[str, Any] = {"statusCode": answer.status, "headers": headers} | ({"cookies": cookies} if cookies else {})
    if only_head:
        return said
    try:
        return said | {"body": answer.body.decode(), "isBase64Encoded": False}
    except UnicodeDecodeError:  # a pixel
        return said | {"body": binascii.b2a_base64(answer.body, newline=False).decode(), "isBase64Encoded": True}


@cache
def _function() -> Function:
    """Raises UsageError for settings that are wrong, and KeyError without a stream."""
    told = settings.read(os.environ.get(SETTINGS) or "{}")
    target = Target(boto3.Session(), os.environ.get("AWS_ENDPOINT_URL"))
    stream = Stream(target, os.environ[STREAM], connect_seconds=_CONNECT_SECONDS, read_seconds=_READ_SECONDS)
    direct = Direct(stream, told.retry_after_seconds, lambda words: _log("not taken", error=words))
    return Function(Collector(told, time.time, Uuid7(time.time)), direct)


def _log(outcome: str, **facts: str) -> None:
    """One line of JSON for CloudWatch Logs; never anything of a request or an event."""
    sys.stdout.write(json.dumps({"outcome": outcome, **facts}) + "\n")
    sys.stdout.flush()


if STREAM in os.environ:
    # While it starts a function has more CPU than its memory buys
    # (docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Init phase").
    _function()
