"""A line for each request, as the stage's format has it, in the stage's log group if that is there.

docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html. A variable that has no value here,
or on AWS, is `-`. What a client sent stands in the line as the inside of a JSON text would, so that no request can end
its line or its field.
"""

import hashlib
import json
import logging
import queue
import re
import threading
from collections.abc import Callable, Mapping

from localaws.execute_api.answers import Answer
from localaws.execute_api.event import Visit

_log = logging.getLogger("localaws.execute-api")

_VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_.]*[A-Za-z0-9_])")
_WAITING = 10_000
_BATCH = 500
_KNOWN_SECONDS = 5.0


def values(
    visit: Visit,
    account: str,
    stage: str,
    route_key: str,
    answer: Answer,
    seconds: float,
    ran: tuple[int, float] | None,
) -> dict[str, str]:
    """By variable. `ran`: what Lambda's own status was, and its seconds; None if it was not called."""
    found = {
        "accountId": account,
        "apiId": visit.api,
        "dataProcessed": str(size_of(visit, answer)),
        "domainName": visit.domain,
        "domainPrefix": visit.domain.partition(".")[0],
        "error.message": answer.error,
        "error.messageString": json.dumps(answer.error) if answer.error else "",
        "extendedRequestId": visit.id,
        "httpMethod": visit.method,
        "identity.sourceIp": visit.source_ip,
        "identity.userAgent": visit.user_agent,
        "path": visit.path,
        "protocol": visit.protocol,
        "requestId": visit.id,
        "requestTime": visit.time,
        "requestTimeEpoch": str(visit.epoch_ms),
        "responseLatency": str(int(seconds * 1000)),
        "responseLength": str(len(answer.body)),
        "routeKey": route_key,
        "stage": stage,
        "status": str(answer.status),
    }
    return found | (_of_integration(answer, *ran) if ran else {})


def size_of(visit: Visit, answer: Answer) -> int:
    """Bytes of both bodies, as far as the request says how long its own is."""
    said = visit.headers.get("content-length", "")
    return (int(said) if said.isdecimal() and len(said) < 10 else 0) + len(answer.body)


def _of_integration(answer: Answer, status: int, seconds: float) -> dict[str, str]:
    latency = str(int(seconds * 1000))
    return {
        "integration.error": answer.error,
        "integration.integrationStatus": str(status),
        "integration.latency": latency,
        "integration.status": "" if answer.error else str(answer.status),
        "integrationErrorMessage": answer.error,
        "integrationLatency": latency,
        "integrationStatus": str(status),
    }


def line(form: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda found: _escaped(found[1], known), form)


def _escaped(name: str, known: Mapping[str, str]) -> str:
    text = known.get(name) or "-"
    return text if name == "error.messageString" else json.dumps(text, ensure_ascii=False)[1:-1]


class AccessLog:
    """`write(group, stream, lines)` and `has_group(group)` may block: a thread of its own calls them."""

    def __init__(
        self,
        write: Callable[[str, str, list[str]], None],
        has_group: Callable[[str], bool],
        clock: Callable[[], float],
    ) -> None:
        self._write = write
        self._has_group = has_group
        self._clock = clock
        self._waiting: queue.Queue[tuple[str, str, str] | None] = queue.Queue(_WAITING)
        self._groups: dict[str, tuple[bool, float]] = {}
        self._thread: threading.Thread | None = None

    def note(self, group: str, stage: str, text: str) -> None:
        """`stage`: whose log stream it is. Called on the event loop; a line that comes too fast is given up."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="access log", daemon=True)
            self._thread.start()
        try:
            self._waiting.put_nowait((group, hashlib.sha256(stage.encode()).hexdigest()[:32], text))
        except queue.Full:
            _log.warning("an access log's line was given up: %d others wait", _WAITING)

    def stop(self) -> None:
        """What was noted is written on return."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None

    def _run(self) -> None:
        while True:
            batch = [self._waiting.get()]
            while len(batch) < _BATCH and not self._waiting.empty():
                batch.append(self._waiting.get())
            lines: dict[tuple[str, str], list[str]] = {}
            for entry in batch:
                if entry is not None:
                    lines.setdefault(entry[:2], []).append(entry[2])
            for (group, stream), texts in lines.items():
                self._put(group, stream, texts)
            if None in batch:
                return

    def _put(self, group: str, stream: str, texts: list[str]) -> None:
        """A log is no reason to fail: what can't be written is told, and the next line tries again."""
        try:
            if self._is_there(group):
                self._write(group, stream, texts)
        except Exception as e:
            _log.warning("the access log in %s was not written: %s", group, type(e).__name__)

    def _is_there(self, group: str) -> bool:
        now = self._clock()
        known, at = self._groups.get(group, (False, 0.0))
        if now - at > _KNOWN_SECONDS:
            known = self._has_group(group)
            self._groups[group] = known, now
        return known
