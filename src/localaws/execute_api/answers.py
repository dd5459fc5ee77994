"""What a function said, as an HTTP answer; and what the gateway says itself. Pure.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html, "Lambda function
response for format 2.0": an object with a `statusCode` says all; of any other JSON it is assumed that it is the body of
a 200 in JSON.
"""

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import Any

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# Of one connection, or the server's own (RFC 9110, 7.6.1).
_NOT_PASSED_ON = frozenset(
    (
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "proxy-authenticate",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
_JSON, _TEXT = "application/json", "text/plain;charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names in lower case, each as often as it is sent. `error`: why the gateway answers, "" if the function
    does."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    error: str = ""

    def plus(self, headers: dict[str, str]) -> "Answer":
        return Answer(self.status, (*self.headers, *headers.items()), self.body, self.error)


def refused(status: int, message: str, error: str = "") -> Answer:
    """The gateway's own words. `error`: what the access log says of it."""
    return replace(in_json(status, {"message": message}), error=error or message)


def in_json(status: int, said: dict[str, Any]) -> Answer:
    return Answer(status, (("content-type", _JSON),), json.dumps(said, separators=(",", ":")).encode())


NOT_FOUND = refused(404, "Not Found")
TOO_LARGE = refused(413, "Request Entity Too Large")
TOO_MANY = refused(429, "Too Many Requests")
HEAD_TOO_LARGE = refused(431, "Request Header Fields Too Large")


def failed(error: str) -> Answer:
    return refused(500, "Internal Server Error", error)


def unavailable(error: str) -> Answer:
    return refused(503, "Service Unavailable", error)


def answer(payload: bytes, default: str = _TEXT) -> Answer:
    """Of what the function returned; 500 if it is none of the two forms. `default`: the content type of an answer that
    has a status and names none."""
    try:
        said = json.loads(payload)
        if not isinstance(said, dict) or "statusCode" not in said:
            body = said.encode() if isinstance(said, str) else payload
            return Answer(200, (("content-type", _JSON),), body)
        return _whole(said, default)
    except (ValueError, TypeError, RecursionError) as e:
        return failed(f"The function's response can't be made an HTTP response: {e}")


def _whole(said: dict[str, Any], default: str) -> Answer:
    status = int(said["statusCode"])
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status code of an answer")
    headers = [
        (name.lower(), _value(value)) for name, value in (said.get("headers") or {}).items() if value is not None
    ]
    if wrong := [name for name, _ in headers if not _NAME.fullmatch(name)]:
        raise ValueError(f"{wrong[0]!r} is no header's name")
    kept = [(name, value) for name, value in headers if name not in _NOT_PASSED_ON]
    if all(name != "content-type" for name, _ in kept):
        kept.append(("content-type", default))
    cookies = [("set-cookie", _value(cookie)) for cookie in said.get("cookies") or ()]
    return Answer(status, (*kept, *cookies), _body(said))


def _value(value: object) -> str:
    if not isinstance(value, str | int | float):
        raise TypeError("a header's value is no text")
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(said: dict[str, Any]) -> bytes:
    body = said.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise TypeError("the body is no text")
    return base64.b64decode(body, validate=True) if said.get("isBase64Encoded") is True else body.encode()
