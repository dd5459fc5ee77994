"""An endpoint under strace: what was at risk when it answered, and another one on what a power cut would have left."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endpoint_process import EndpointProcess
from kept_disk import Disk
from traced_calls import Call, command, read

# Not acknowledged to anybody: locks, what says where the endpoint answers, requests on their way in, SQLite's index of
# its log, which is memory, and log lines.
TRANSIENT = ("lock", "endpoint.json", "tmp/", "state.db-shm", "logs/", "athena/")
LINKS = ("functions/.sdk",)  # symbolic links to this Python's boto3, made anew at each start
Answers = dict[str, dict[str, Any]]
Client = Callable[..., Any]


@dataclass(frozen=True)
class Traced:
    """A stopped endpoint's trace, and the answers that it gave: label -> boto3's."""

    calls: list[Call]
    data_dir: Path
    answers: Answers

    def answered(self, without: Callable[[Call], bool] = lambda _: False) -> Iterator[tuple[str, Disk]]:
        """(label, the disk when its first byte goes out) of every answer, had the calls of `without` not been made."""
        labels = {answer["ResponseMetadata"]["RequestId"]: label for label, answer in self.answers.items()}
        disk = Disk(self.data_dir, LINKS)
        for call in self.calls:
            if not call.ended and (label := labels.get(answer_id(call))):
                yield label, disk
            if not without(call):
                disk.follow(call)


def answer_id(call: Call) -> str:
    """The id of the request that it begins to answer; "" if it does not."""
    if not call.fds or not call.fds[0][1].startswith("TCP:"):
        return ""
    head = b"".join(call.strings).partition(b"\r\n\r\n")[0]
    return head.partition(b"x-amzn-requestid: ")[2].partition(b"\r\n")[0].decode()


def at_risk(disk: Disk) -> dict[str, set[str]]:
    return {path: what for path, what in disk.at_risk().items() if not path.startswith(TRANSIENT)}


def traced(folder: Path, calls: Callable[[Client, Answers], None], *program: str, failing: str = "") -> Traced:
    """Make the calls to a traced endpoint, and kill it."""
    trace, python = folder / "trace", program or (sys.executable, "-m", "clicklake")
    endpoint = EndpointProcess(folder / "data", ("--bare",), program=(*command(trace, failing), *python))
    endpoint.start()
    answers: Answers = {}
    try:
        calls(lambda service: endpoint.client(service, retries={"total_max_attempts": 1}), answers)
    finally:
        os.kill(json.loads((endpoint.data_dir / "endpoint.json").read_text())["pid"], signal.SIGKILL)
        assert endpoint.process is not None
        endpoint.process.wait(20)  # strace ends when it has written everything
        assert endpoint.process.stdout is not None
        endpoint.process.stdout.close()
    with trace.open() as lines:
        return Traced(list(read(lines)), endpoint.data_dir, answers)


@contextmanager
def restored(endpoint: Traced, data_dir: Path) -> Iterator[Client]:
    """A new endpoint on what was surely on the disk at the last answer."""
    last = list(endpoint.answers)[-1]
    disk = next(disk for label, disk in endpoint.answered() if label == last)
    after = EndpointProcess(data_dir, ("--bare",))
    for directory in disk.kept_directories():
        (data_dir / directory).mkdir(parents=True)
    for path, data in disk.kept().items():
        (data_dir / path).write_bytes(data)
    (data_dir / "state.db-shm").unlink(missing_ok=True)
    after.start()
    yield after.client
    after.kill()
