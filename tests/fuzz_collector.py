"""`make fuzz` for the collector: a running one, and requests that nobody means well.

    drawn       what real clients send, damaged as JSON, as HTTP and as bytes (fuzz_collector_requests.py), by a seed
    described   what its own OpenAPI description allows, and forbids: schemathesis draws it, and checks each answer by it
    heavy       whatever would fill the memory
    broken      what is no HTTP

None is answered with a 5xx or hangs; no answer has a header or a line that a client put there, and neither has the log;
memory stays bounded; and every event that was answered with success lies in the spool, which the transform accounts
for: in = good + duplicate + failed.

    python tests/fuzz_collector.py [REQUESTS [SEED]]     exit 1, and what did it
"""

import contextlib
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from schemathesis import checks as standard
from schemathesis.core.result import Ok
from schemathesis.specs.openapi import checks as by_description

from clicklake.producer.segments import HEADER_BYTES, frames
from collector_process import CollectorProcess
from fuzz_collector_requests import KEY, MARK, ORIGIN, Requests, broken, heavy
from transforming import transform

SETTINGS = {
    "sites": [{"app_id": "fuzz", "write_key": KEY, "origins": [ORIGIN]}],
    "trusted_proxies": 1,
    "cookie": {"name": "clid"},
    "consent": "anonymise",
}
MOST_GROWN = 250_000_000  # bytes at the worst moment: three hundred thousand objects from one body, one body at a time
_SECONDS = 20.0
_LOGGED = re.compile(
    r"laptop 127\.0\.0\.1:9|WARNING the service can't be reached .*|ERROR (events can't be kept|a request failed): .*"
)
_NATIVE = re.compile(r"(http://[^/]*)?(/collect)?/v1/events([?#].*)?")
_HEAD = re.compile(rb"HTTP/1\.1 (\d{3}) [ -~]*\r\n((?:[A-Za-z-]+: [ -~\x80-\xff]*\r\n)*)\r\n")
_NAMES = frozenset(
    b"date content-type content-length connection transfer-encoding allow vary retry-after set-cookie cache-control"
    b" access-control-allow-origin access-control-allow-credentials access-control-allow-methods"
    b" access-control-allow-headers access-control-expose-headers access-control-max-age webhook-allowed-origin webhook-allowed-rate".split()
)


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


@dataclass
class Fuzzer:
    collector: CollectorProcess
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    native: int = 0  # events that /v1/events said it took

    # --- what is sent ------------------------------------------------------------------------------------------------

    def drawn(self, count: int, seed: int) -> None:
        draw = Requests(seed)
        for _ in range(count):
            asked = draw.asked()
            what, before = f"{asked.method} {asked.target[:60]}", self.counted() if asked.events is not None else 0
            answers = self._send(asked.bytes(), what, only_head=asked.method == "HEAD")
            if asked.events is not None and answers and answers[0].status < 300:
                taken = self.counted() - before
                if taken != asked.events:
                    self._say(f"{what}: {asked.events} events, {taken} taken: {asked.body[:300]!r}")
            for answer in answers[:1]:
                if _NATIVE.fullmatch(asked.target) and answer.body.startswith(b'{"accepted"'):
                    said = json.loads(answer.body)
                    self.native += said["accepted"] + said["failed"]

    def torn(self, count: int, seed: int) -> None:
        draw = Requests(seed)
        for number in range(count):
            self._send(draw.torn(), f"torn {number} of {seed}", may_wait=True)

    def whole(self, many: Iterable[tuple[str, bytes]], *, may_wait: bool = False) -> None:
        for what, data in many:
            self._send(data, what, may_wait=may_wait)

    def described(self, cases: int, seed: int) -> None:
        document = json.loads(self.collector.ask("GET", "/openapi.json", headers={"X-Write-Key": KEY}).body)
        modes = schemathesis.GenerationMode
        with requests.Session() as session:
            for found in schemathesis.openapi.from_dict(document).get_all_operations():
                assert isinstance(found, Ok)
                for mode in (modes.POSITIVE, modes.NEGATIVE):
                    self._described(found.ok(), mode, cases, seed, session)

    def _described(self, operation: Any, mode: Any, cases: int, seed: int, session: requests.Session) -> None:
        checks = [
            standard.not_a_server_error,
            by_description.status_code_conformance,
            by_description.content_type_conformance,
            by_description.response_schema_conformance,
            by_description.response_headers_conformance,
        ]

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=cases,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            headers = {"X-Write-Key": KEY, "Origin": ORIGIN}
            response = case.call(base_url=self.collector.url, session=session, headers=headers, timeout=_SECONDS)
            self.answers[str(response.status_code)] += 1
            case.validate_response(response, checks=checks)

        try:
            ask()
        except hypothesis.errors.Unsatisfiable:  # nothing can be wrong with what says nothing
            pass
        except Exception as error:
            self._say(f"{operation.label}, {mode.value}: {error}"[:2000])

    def _say(self, wrong: str) -> None:
        """Once: an answer that comes in pieces is looked at with each."""
        if wrong not in self.wrong:
            self.wrong.append(wrong)

    # --- what is answered --------------------------------------------------------------------------------------------

    def _send(self, data: bytes, what: str, *, only_head: bool = False, may_wait: bool = False) -> list[Answer]:
        """A client that `may_wait` sent what may be the beginning of a request, so silence is right."""
        found = b""
        answers: list[Answer] = []
        try:
            with self.collector.connect() as client:
                client.settimeout(0.1 if may_wait else _SECONDS)
                with contextlib.suppress(ConnectionError, TimeoutError):  # refused before it was read to its end
                    client.sendall(data)
                while not (answers := self._read(found, what, only_head)):
                    piece = client.recv(65536)
                    if not piece:
                        break
                    found += piece
        except ConnectionError:
            pass
        except TimeoutError:
            if not may_wait or self.collector.ask("GET", "/health").status != 200:
                self._say(f"{what}: no answer")
        self.answers.update(str(answer.status) for answer in answers)
        if not answers:
            self.answers["closed"] += 1
        return answers

    def _read(self, data: bytes, what: str, only_head: bool) -> list[Answer]:
        """Those that are whole."""
        answers: list[Answer] = []
        while b"\r\n\r\n" in data:
            head = _HEAD.match(data)
            if head is None:
                self._say(f"{what}: no HTTP: {data[:200]!r}")
                return [*answers, Answer(0, b"")]
            status, lines = int(head[1]), [line.partition(b": ") for line in head[2].splitlines()]
            named = {name.lower(): value for name, _, value in lines}
            if strange := named.keys() - _NAMES:
                self._say(f"{what}: headers {strange}")
            if status >= 500 and status != 501:  # a transfer coding that nobody knows
                self._say(f"{what}: {data[:300]!r}")
            size = 0 if only_head or status in {100, 204} else int(named.get(b"content-length", b"0"))
            body = data[head.end() : head.end() + size]
            if len(body) < size:
                return answers
            data = data[head.end() + size :]
            if status == 100:
                continue
            if named.get(b"content-type", b"").startswith(b"application/json") and not only_head:
                json.loads(body)
            answers.append(Answer(status, body))
        return answers

    # --- what is left ------------------------------------------------------------------------------------------------

    def counted(self, route: str = "") -> int:
        """Events that it says it has taken."""
        text = self.collector.ask("GET", "/metrics").body.decode()
        found = re.findall(r'^clicklake_collector_events_total\{route="([^"]*)"\} (\d+)$', text, re.MULTILINE)
        return sum(int(count) for path, count in found if not route or path == route)

    def kept(self) -> list[bytes]:
        """The lines of the spool. A torn request's client may be gone before it is answered, and counted."""
        paths = sorted(self.collector.folder.rglob("*.spool"))
        pieces = (piece for path in paths for piece, _ in frames(path.read_bytes()[HEADER_BYTES:]))
        return [line + b"\n" for piece in pieces for line in piece.removesuffix(b"\n").split(b"\n")]

    def check_accounts(self, *, exactly: bool) -> None:
        counted, lines = self.counted(), self.kept()
        if counted > len(lines) or (exactly and counted != len(lines)):
            self._say(f"{counted} events were taken, {len(lines)} lie in the spool")
        if exactly and self.native != self.counted("/v1/events"):
            self._say(f"/v1/events answered for {self.native} events and counts {self.counted('/v1/events')}")
        ledger = transform(*lines).ledger
        accounted = ledger["good"] + ledger["duplicate"] + ledger["failed"]
        if not ledger["records_in"] == accounted == len(lines):
            self._say(f"of {len(lines)} lines the transform accounts for {accounted}")

    def check_log(self) -> None:
        for line in self.collector.log.splitlines():
            if MARK in line or not line.isprintable() or not _LOGGED.fullmatch(line):
                self._say(f"the log has {line[:300]!r}")

    def peak(self) -> int:
        """The most bytes that were ever resident."""
        assert self.collector.process is not None
        status = Path(f"/proc/{self.collector.process.pid}/status").read_text()
        found = re.search(r"VmHWM:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0


def fuzz(collector: CollectorProcess, count: int, seed: int, cases: int, step: int = 1) -> Fuzzer:
    """`count` drawn requests and a third as many torn ones; `cases` of each described operation, right and wrong; of
    what is heavy or broken one in `step`."""
    fuzzer = Fuzzer(collector)
    fuzzer.drawn(count, seed)
    fuzzer.check_accounts(exactly=True)
    fuzzer.torn(count // 3, seed)
    fuzzer.whole(islice(broken(), seed % step, None, step), may_wait=True)
    fuzzer.described(cases, seed)
    fuzzer.check_accounts(exactly=False)
    before = fuzzer.peak()
    fuzzer.whole(islice(heavy(), seed % step, None, step))
    if (grown := fuzzer.peak() - before) > MOST_GROWN:
        fuzzer.wrong.append(f"it grew by {grown:,} bytes")
    fuzzer.check_log()
    if collector.ask("GET", "/health").status != 200:
        fuzzer.wrong.append("it is not well any more")
    return fuzzer


def main(arguments: list[str]) -> int:
    count = int(arguments[0]) if arguments else 6000
    seed = int(arguments[1]) if len(arguments) > 1 else 1
    with tempfile.TemporaryDirectory() as folder:
        collector = CollectorProcess(Path(folder) / "c", SETTINGS)
        collector.start()
        try:
            fuzzer = fuzz(collector, count, seed, max(3, count // 100))
            grown = fuzzer.peak()
        finally:
            collector.stop()
    for wrong in fuzzer.wrong:
        print(wrong)  # noqa: T201
    print(f"{sum(fuzzer.answers.values())} requests, {dict(fuzzer.answers)}, {grown:,} bytes at most")  # noqa: T201
    return 1 if fuzzer.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
