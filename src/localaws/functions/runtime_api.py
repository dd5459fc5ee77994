"""The Lambda Runtime API: how a worker process gets its invocations and gives its answers.

One loopback listener per worker process, of threads and the standard library's HTTP server. The paths and headers are
those of docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html, so any runtime client works, AWS's own included:

    GET  /2018-06-01/runtime/invocation/next            blocks until there is an invocation
    POST /2018-06-01/runtime/invocation/{id}/response
    POST /2018-06-01/runtime/invocation/{id}/error
    POST /2018-06-01/runtime/init/error

Not done: response streaming (a chunked body is refused with 411), the Extensions, Telemetry and Logs APIs.
"""

import json
import re
import socket
import socketserver
import sys
import threading
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler
from queue import SimpleQueue
from typing import Any

# A synchronous payload's limit, either way: 6 MB, and AWS grants the envelope of an answer 100 bytes more
# (docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; the number is in the answer's own error text).
RESPONSE_LIMIT = 6 * 1024 * 1024 + 100

_PIECE = 1 << 16
_NEXT = "/2018-06-01/runtime/invocation/next"
_INIT_ERROR = "/2018-06-01/runtime/init/error"
_ANSWER = re.compile(r"/2018-06-01/runtime/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call of a function. `payload` is JSON; `client_context` is JSON text or empty, `trace` a header or empty."""

    id: str
    payload: bytes
    arn: str
    client_context: str = ""
    trace: str = ""


class Said(Enum):
    """What a worker process can make known."""

    READY = auto()
    RESPONSE = auto()
    ERROR = auto()
    INIT_ERROR = auto()
    EXIT = auto()


@dataclass(frozen=True, slots=True)
class Report:
    said: Said
    payload: bytes = b""


@dataclass(frozen=True, slots=True)
class _Offer:
    invocation: Invocation
    deadline: float


class RuntimeApi:
    """One worker's listener. Its owner waits for `reports` and hands out work with `offer`; `taken` says whether the
    process was still there to get it."""

    def __init__(self) -> None:
        self.reports: SimpleQueue[Report] = SimpleQueue()
        self._offers: SimpleQueue[_Offer | None] = SimpleQueue()
        self.taken = False
        self._current = ""
        self._closed = threading.Event()
        self._server = _Server(("127.0.0.1", 0), self._exchange)
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._serve, name=f"runtime-api {self.address}", daemon=True).start()

    def offer(self, invocation: Invocation, deadline: float) -> None:
        """Answer the worker's waiting (or next) GET with `invocation`; `deadline` is in epoch seconds."""
        self._current = invocation.id
        self.taken = False
        self._offers.put(_Offer(invocation, deadline))

    def next(self) -> _Offer | None:
        """Called by the listener: the worker is idle from now on, until there is an offer. None: closed."""
        self.reports.put(Report(Said.READY))
        return self._offers.get()

    def answered(self, request_id: str, report: Report) -> bool:
        """Called by the listener: False if `request_id` is not what the worker was given, or was answered already."""
        if request_id != self._current:
            return False
        self._current = ""
        self.reports.put(report)
        return True

    def close(self) -> None:
        self._closed.set()
        self._offers.put(None)
        with socket.socket() as knock:  # wakes the accepting thread, on every platform
            knock.connect_ex(self._server.server_address)

    def _exchange(self, *args: Any) -> "_Exchange":
        return _Exchange(self, *args)

    def _serve(self) -> None:
        while not self._closed.is_set():
            self._server.handle_request()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    # Not http.server's: that one looks up the host's full name, which can take seconds.
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A worker that ends, or is killed, breaks its connection: that is no news, and Worker sees it itself."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    """One connection of the worker, kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def __init__(self, api: RuntimeApi, *args: Any) -> None:
        self._api = api
        super().__init__(*args)

    def do_GET(self) -> None:
        if self.path != _NEXT or not self._addressed():
            self._refuse(404, "InvalidRequest", "no such resource")
            return
        offer = self._api.next()
        if offer is None or self._is_gone():
            self.close_connection = True
            return
        self._api.taken = True
        self._send(200, offer.invocation.payload, _next_headers(offer))

    def _is_gone(self) -> bool:
        """Has the process that asked ended while it waited? Then the kernel has closed its end."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length")
        if length is None or not length.isdecimal():
            self.close_connection = True
            self._refuse(411, "InvalidRequest", "Content-Length is required")
            return
        body = self._read(int(length))
        answer = _ANSWER.fullmatch(self.path)
        if not self._addressed() or (answer is None and self.path != _INIT_ERROR):
            self._refuse(404, "InvalidRequest", "no such resource")
        elif answer is None:
            self._api.reports.put(Report(Said.INIT_ERROR, body))
            self._send(202, b'{"status":"OK"}')
        else:
            self._answer(answer["id"], answer["kind"], body)

    def _read(self, length: int) -> bytes:
        """The body; of one that is too large as much as tells that: a worker can't fill our memory."""
        kept = self.rfile.read(min(length, RESPONSE_LIMIT + 1))
        left = length - len(kept)
        while left > 0 and (piece := self.rfile.read(min(left, _PIECE))):
            left -= len(piece)
        return kept

    def _answer(self, request_id: str, kind: str, body: bytes) -> None:
        too_large = len(body) > RESPONSE_LIMIT
        report = Report(Said.ERROR, _too_large()) if too_large else Report(Said[kind.upper()], body)
        if not self._api.answered(request_id, report):
            self._refuse(400, "InvalidRequestID", "Invalid request ID")
        elif too_large:
            self._refuse(
                413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)"
            )
        else:
            self._send(202, b'{"status":"OK"}')

    def _addressed(self) -> bool:
        """A page in a browser can reach loopback, under a name of its own even (DNS rebinding), and would take an event
        away by asking for the next one. Its browser says so (Fetch Metadata, Sec-Fetch-Site); a worker never does."""
        is_page = "Origin" in self.headers or "Sec-Fetch-Site" in self.headers
        return self.headers.get("Host") == self._api.address and not is_page

    def _refuse(self, status: int, kind: str, message: str) -> None:
        self._send(status, json.dumps({"errorMessage": message, "errorType": kind}).encode())

    def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
        """Silent: an invocation is logged in its function's own log."""


def _next_headers(offer: _Offer) -> dict[str, str]:
    headers = {
        "Lambda-Runtime-Aws-Request-Id": offer.invocation.id,
        "Lambda-Runtime-Deadline-Ms": str(int(offer.deadline * 1000)),
        "Lambda-Runtime-Invoked-Function-Arn": offer.invocation.arn,
    }
    if offer.invocation.client_context:
        headers["Lambda-Runtime-Client-Context"] = offer.invocation.client_context
    if offer.invocation.trace:
        headers["Lambda-Runtime-Trace-Id"] = offer.invocation.trace
    return headers


def _too_large() -> bytes:
    message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
    return json.dumps({"errorMessage": message, "errorType": "Function.ResponseSizeTooLarge"}).encode()
