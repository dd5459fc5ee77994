"""What both data planes share: a request as a `Visit`, its body, and an answer on its way out."""

from collections.abc import Callable
from typing import Protocol

from localaws.asgi import Receive, Scope, Send, chunks, field_value
from localaws.execute_api import event
from localaws.execute_api.answers import Answer
from localaws.execute_api.event import Visit
from localaws.sigv4 import Head


class Outcome(Protocol):
    """How an invocation ended."""

    @property
    def payload(self) -> bytes: ...

    @property
    def failed(self) -> bool: ...


def visit(scope: Scope, head: Head, now: float, ids: Callable[[], str], api: str, domain: str, path: str) -> Visit:
    """With what a gateway adds. `path`: as the function gets it."""
    raw_cookies = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"cookie"]
    found = Visit(
        ids(),
        now,
        api,
        domain,
        head.method,
        path,
        head.query,
        f"HTTP/{scope.get('http_version', '1.1')}",
        head.headers,
        event.cookies(";".join(raw_cookies)),
        (scope.get("client") or ("", 0))[0],
    )
    trace = f"Root=1-{int(now):08x}-{ids().replace('-', '')[:24]}"
    return event.forwarded(found, scope.get("scheme", "http"), (scope.get("server") or ("", 0))[1] or 0, trace)


async def body(receive: Receive, most: int) -> bytes | None:
    """None if it has more bytes. AwsError if the client went away."""
    parts, size = [], 0
    async for part in chunks(receive):
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


async def send_answer(send: Send, answer: Answer, head: Head) -> None:
    """Of a body that is refused, or that was to come only when it is asked for, nobody knows where it ends (RFC 9110,
    10.1.1): the connection ends with the answer."""
    headers = list(answer.headers)
    if answer.status not in {204, 304}:
        headers.append(("content-length", str(len(answer.body))))
    if answer.status == 413 or (answer.status >= 300 and "expect" in head.headers):
        headers.append(("connection", "close"))
    encoded = [(name.encode("latin-1"), field_value(value)) for name, value in headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    await send({"type": "http.response.body", "body": b"" if answer.status in {204, 304} else answer.body})
