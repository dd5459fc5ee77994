"""What came in and what goes out, whichever edge it is; and the errors that are answers."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from clicklake.errors import ClicklakeError

JSON = "application/json"
encode = msgspec.json.Encoder().encode
_SHORT = 300  # characters of a query that is the same in many requests: a write key


class Request(msgspec.Struct, frozen=True):
    """`path` without the prefix that it was served under, percent-encoded as sent; `headers` by lower-case name,
    several of a name joined by commas; `peer` is the address that the connection came from; `base` is the URL that the
    routes are below, as the client wrote it."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    peer: str = ""
    base: str = ""

    def parameters(self) -> dict[str, str]:
        """Of the query; of a repeated name the last counts."""
        return dict((_remembered if len(self.query) < _SHORT else _pairs)(self.query)) if self.query else {}

    def with_body(self, body: bytes) -> "Request":
        return msgspec.structs.replace(self, body=body)

    def header(self, name: str) -> str:
        return self.headers.get(name, "")

    @property
    def content_type(self) -> str:
        """In lower case, without its parameters."""
        return self.header("content-type").partition(";")[0].strip().lower()


def _pairs(query: str) -> list[tuple[str, str]]:
    return parse_qsl(query, keep_blank_values=True, errors="replace")


_remembered = lru_cache(1000)(_pairs)


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, status: int, said: Any, *headers: tuple[str, str]) -> "Answer":
        return cls(status, encode(said), JSON, headers)

    def with_headers(self, headers: tuple[tuple[str, str], ...]) -> "Answer":
        """These besides."""
        return msgspec.structs.replace(self, headers=self.headers + headers)


class RequestError(ClicklakeError):
    """A request that is refused as a whole; nothing was taken of it. `problem` must hold nothing of a person's."""

    status = 400
    code = "bad_request"

    def __init__(self, problem: str, hint: str = "", headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(problem, hint)
        self.headers = headers


class UnauthorizedError(RequestError):
    status, code = 401, "unknown_write_key"


class ForbiddenError(RequestError):
    status, code = 403, "origin_not_allowed"


class NotFoundError(RequestError):
    status, code = 404, "not_found"


class MethodError(RequestError):
    status, code = 405, "method_not_allowed"


class SlowError(RequestError):
    status, code = 408, "too_slow"


class TooLargeError(RequestError):
    status, code = 413, "too_large"


class MediaTypeError(RequestError):
    status, code = 415, "unsupported_media_type"


class HeadTooLargeError(RequestError):
    status, code = 431, "head_too_large"


class TransferCodingError(RequestError):
    """RFC 9112, 6.1."""

    status, code = 501, "unknown_transfer_coding"


class BusyError(RequestError):
    """Back-pressure: nothing was taken, and the same request may succeed later. `seconds` until then."""

    status, code = 429, "try_again_later"

    def __init__(self, problem: str, hint: str = "", seconds: int = 1) -> None:
        super().__init__(problem, hint, (("retry-after", str(seconds)),))


class UnavailableError(BusyError):
    """As BusyError, but because the stream or the spool can't be reached."""

    status, code = 503, "unavailable"


def refusal(error: RequestError) -> Answer:
    """As most dialects say it; each may say it its own way."""
    said = {"code": error.code, "message": error.problem} | ({"hint": error.hint} if error.hint else {})
    return Answer.of(error.status, {"error": said}, *error.headers)
