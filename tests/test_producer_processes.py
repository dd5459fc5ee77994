"""Producers that exit, fork, are told to end, or are killed: what was accepted is sent once."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from producing import segments
from traced_calls import can_trace, command, read

PROGRAM = """
import json, os, signal, sys, threading, time
import clicklake
from firehose_wire import Stream, take_all

out = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

class Kept(Stream):
    def _answer(self, request, **more):
        answer = super()._answer(request, **more)
        os.write(out, b"".join(self.taken)); self.taken.clear()
        return answer

def producer(**options):
    return clicklake.Producer("clicks", target=Kept().target(), spool=sys.argv[2] == "spool" and sys.argv[3], **options)
"""


def program(
    tmp_path: Path, spool: str, text: str, before: tuple[str, ...] = ()
) -> tuple[int, list[dict[str, Any]], str]:
    """Exit status, the events that were sent, and what it printed."""
    words = [*before, sys.executable, "-c", PROGRAM + text, str(tmp_path / "sent"), spool, str(tmp_path / "spool")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, env=environment)
    sent = tmp_path / "sent"
    lines = [line for line in sent.read_text().splitlines() if line.startswith("{")] if sent.exists() else []
    return done.returncode, [json.loads(line) for line in lines], done.stdout + done.stderr


def test_what_waits_is_sent_when_the_process_exits_or_is_told_to(tmp_path: Path) -> None:
    """At its exit; and on SIGTERM, of which it dies as it would have, unless it has a handler of its own."""
    forked = """
Stream().target().session.client("firehose")  # what it reads need not be read again by each child

def child(act):
    pid = os.fork()
    if pid == 0:
        act()
        sys.exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

def at_exit():
    producer(linger=60).track({"event_id": "at exit"})

def terminated():
    made = producer(linger=60)
    made.track({"event_id": "terminated"})
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(20)

def with_a_handler():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    made = producer(linger=60)
    made.track({"event_id": "with a handler"})
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(20)

print([child(at_exit), child(terminated), child(with_a_handler)])
"""
    status, sent, said = program(tmp_path, "memory", forked)
    assert (status, said.strip()) == (0, "[0, -15, 7]")
    assert [line["event_id"] for line in sent] == ["at exit", "terminated", "with a handler"]


def test_a_forked_child_sends_its_own_events_under_ids_of_its_own(tmp_path: Path) -> None:
    forked = """
made = producer(linger=60)
made.track({"event_type": "parent"})
if os.fork() == 0:
    assert made.counters.accepted == 0 and made.flush()
    for _ in range(3):
        made.track({"event_type": "child"})
    made.close()
    os._exit(0)
os.wait()
made.track({"event_type": "parent"})
assert made.counters.accepted == 2
"""
    status, sent, said = program(tmp_path, "spool", forked)
    assert (status, said) == (0, "")
    assert Counter(line["event_type"] for line in sent) == {"parent": 2, "child": 3}
    assert len({line["event_id"] for line in sent}) == 5
    assert segments(tmp_path) == []


@pytest.mark.skipif(not can_trace(), reason="needs strace, and to be allowed to trace")
def test_with_fsync_0_an_event_is_on_the_disk_when_track_returns(tmp_path: Path) -> None:
    """Its bytes and its directory entry: by the order of the calls to the kernel."""
    text = """
made = producer(fsync=0, linger=60)
for number in range(2):
    made.track({"event_id": f"synced {number}"})
    os.write(out, b"track() has returned")
os._exit(0)
"""
    trace = tmp_path / "trace"
    assert program(tmp_path, "spool", text, command(trace))[0] == 0
    made, safe, returned = set[str](), set[str](), 0
    for call in read(trace.read_text().splitlines()):
        path = call.fds[0][1] if call.fds else ""
        if call.name == "pwrite64" and not call.ended and path.endswith(".spool"):
            made |= {path, str(Path(path).parent)}
            safe.discard(path)
        elif call.name == "fsync" and call.ended and not call.result:
            safe.add(path)
        elif call.name == "write" and not call.ended and b"track() has returned" in call.strings:
            assert len(made) == 2
            assert made <= safe
            returned += 1
    assert returned == 2


@pytest.mark.timeout(120)
def test_nothing_is_lost_or_doubled_whatever_is_killed_and_whatever_the_endpoint_does(
    tmp_path: Path, stack_copy: Callable[[Path], Path]
) -> None:
    """`python -m chaos.producer` is the long one: 20 kills."""
    words = [sys.executable, "-m", "chaos.producer", "--kills", "3", "--outages", "1", "--seconds", "0.3"]
    data_dir = stack_copy(tmp_path / "data")
    root = Path(__file__).parent.parent
    run = subprocess.run([*words, "--data-dir", str(data_dir)], cwd=root, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("for 0.") == 8
