"""Who caused what S3 does, as its events tell it.

It belongs to the request and to none of an operation's parameters, so it travels beside them: wire.py sets it, and what
a request does on threads and in shared transactions (store.py) runs in its context. Services of this endpoint that put
objects without a request leave it as it is here.
"""

from contextvars import ContextVar
from dataclasses import dataclass

from localaws.wire import Request


@dataclass(frozen=True, slots=True)
class Origin:
    """`principal`: the unique id of who signed, `account` theirs; `trace`: the request's X-Amzn-Trace-Id."""

    principal: str = "localaws"
    account: str = ""
    request_id: str = ""
    trace: str = ""
    address: str = "127.0.0.1"


ORIGIN = ContextVar("origin", default=Origin())  # noqa: B039 - it is frozen


def origin_of(request: Request) -> Origin:
    principal = request.caller.user_id or "Anonymous"
    return Origin(principal, request.caller.account, request.id, request.headers.get("x-amzn-trace-id", ""))
