"""Between a producer and the endpoint: a door that can be shut, and answers that AWS may give and the endpoint doesn't.

Each mode is what happens to a request (or to a connection, if it is refused) from now on. Connections stay open, as
they do in practice: an outage has to hit those too.
"""

import contextlib
import enum
import json
import re
import socket
import threading
from typing import BinaryIO

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_SECONDS = 5.0


class Mode(enum.Enum):
    PASS = "all is well"
    REFUSED = "connections are refused"
    CUT = "connections are cut before the request is passed on"
    LOST = "the request is passed on, and the answer is lost"
    ERROR = "500 InternalFailure"
    UNAVAILABLE = "503 ServiceUnavailableException"
    THROTTLED = "400 ThrottlingException"
    REFUSAL = "200, and every entry of it is refused"


_ERRORS = {
    Mode.ERROR: (500, "InternalFailure"),
    Mode.UNAVAILABLE: (503, "ServiceUnavailableException"),
    Mode.THROTTLED: (400, "ThrottlingException"),
}


class Proxy:
    """On a port of its own, which it keeps. `passed` counts requests that the endpoint got."""

    def __init__(self, upstream: int) -> None:
        self.mode = Mode.PASS
        self.passed = 0
        self._upstream = upstream
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self.port = 0
        self.set(Mode.PASS)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def set(self, mode: Mode) -> None:
        self.mode = mode
        if mode is Mode.REFUSED:
            self.close()
        elif self._listener is None:
            self._listener = socket.create_server(("127.0.0.1", self.port))
            self.port = self._listener.getsockname()[1]
            threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def close(self) -> None:
        """The listener and every connection."""
        listener, self._listener = self._listener, None
        for each in [listener, *self._open]:
            if each is not None:
                _shut(each)
        self._open.clear()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            self._open.add(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as requests:
            try:
                while (request := _message(requests)) is not None and self._answer(client, request):
                    pass
            except OSError:
                pass
        self._open.discard(client)

    def _answer(self, client: socket.socket, request: tuple[bytes, bytes]) -> bool:
        """False if the connection is to end."""
        if self.mode in {Mode.CUT, Mode.REFUSED}:
            return False
        if self.mode is Mode.REFUSAL:
            client.sendall(_all_refused(len(json.loads(request[1])["Records"])))
            return True
        if self.mode in _ERRORS:
            status, code = _ERRORS[self.mode]
            client.sendall(_response(status, {"__type": code, "message": "on purpose"}))
            return True
        head, body = request
        answer = self._pass_on(head, body)
        if self.mode is Mode.LOST:
            return False
        client.sendall(answer)
        return True

    def _pass_on(self, head: bytes, body: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self._upstream), timeout=_SECONDS) as server:
            server.sendall(head + body)
            with server.makefile("rb") as answers:
                answer = _message(answers)
        if answer is None:
            raise ConnectionError("the endpoint died")
        self.passed += 1
        return answer[0] + answer[1]


def _all_refused(records: int) -> bytes:
    refusal = {"ErrorCode": "ServiceUnavailableException", "ErrorMessage": "on purpose"}
    return _response(200, {"FailedPutCount": records, "RequestResponses": [refusal] * records})


def _message(stream: BinaryIO) -> tuple[bytes, bytes] | None:
    """Head and body of a request or an answer; None if the other side has ended."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        line = stream.readline()
        if not line:
            return None
        head += line
    found = _LENGTH.search(head)
    return head, stream.read(int(found[1])) if found else b""


def _response(status: int, document: object) -> bytes:
    body = json.dumps(document).encode()
    head = f"HTTP/1.1 {status} On Purpose\r\ncontent-type: application/x-amz-json-1.1\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def _shut(open_: socket.socket) -> None:
    with contextlib.suppress(OSError):
        open_.shutdown(socket.SHUT_RDWR)
    open_.close()
