"""`clicklake demo`: it plays to the end, cleans up after itself, and would notice if anything were missing."""

import os
import pty
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from clicklake.reckoning import Lake, checks
from clicklake.simulator.traffic import Truth
from clicklake.terminal import Terminal
from endpoint_process import clean_environment

DEMO = [sys.executable, "-m", "clicklake", "demo"]


def environment(temporary: Path, **more: str) -> dict[str, str]:
    return clean_environment() | {"TMPDIR": str(temporary), "CI": "true"} | more


def left_behind(temporary: Path) -> list[Path]:
    return list(temporary.glob("clicklake-demo-*"))


def endpoints(temporary: Path) -> Iterator[int]:
    """Processes that still run on a data directory in `temporary`."""
    listed = subprocess.run(["ps", "-A", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        pid, _, command = line.strip().partition(" ")
        if str(temporary) in command:
            yield int(pid)


# --- the whole story ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """(what it printed on a pipe, where its temporary directory was)"""
    temporary = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [*DEMO, "--events", "4000"], capture_output=True, text=True, env=environment(temporary), timeout=90
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, temporary


def test_it_ends_well(played: tuple[str, Path]) -> None:
    said, _ = played
    assert "Every event that was sent is there exactly once" in said


def test_it_kills_its_endpoint_in_the_middle_of_a_call_and_starts_it_again(played: tuple[str, Path]) -> None:
    said = played[0]
    assert re.search(r"kill -9 +process \d+, in the middle of a PutRecordBatch\n", said)
    assert re.search(r"restart +same data, same port, ready in .* the batch that got no answer is sent again\n", said)


def test_it_runs_the_seeds_queries(played: tuple[str, Path]) -> None:
    said = played[0]
    assert "SELECT * FROM clickstream_db.clickstream_events LIMIT 10;" in said
    assert re.search(r"WHERE year='\d{4}' AND month='\d\d' AND day='\d\d' LIMIT 10;", said)
    assert "SELECT event_type, COUNT(*) FROM clickstream_db.clickstream_events GROUP BY event_type;" in said
    assert re.search(r"^  page_view +[\d,]+  █{20,}", said, re.MULTILINE)


def test_it_accounts_for_every_record(played: tuple[str, Path]) -> None:
    said = played[0]
    found = re.search(r"in ([\d,]+) = good ([\d,]+) \+ duplicate ([\d,]+) \+ failed ([\d,]+)", said)
    assert found
    records_in, good, duplicate, failed = (int(number.replace(",", "")) for number in found.groups())
    assert records_in == good + duplicate + failed
    assert 4_000 <= records_in <= 4_500  # the batch that got no answer is sent again


def test_on_a_pipe_it_is_plain_text_of_few_lines(played: tuple[str, Path]) -> None:
    said = played[0]
    assert "\x1b" not in said
    assert "\r" not in said
    assert len(said.splitlines()) < 80
    assert max(map(len, said.splitlines())) <= 110


def test_it_leaves_nothing_behind(played: tuple[str, Path]) -> None:
    temporary = played[1]
    assert left_behind(temporary) == []
    assert list(endpoints(temporary)) == []


# --- on a terminal, interrupted, kept ----------------------------------------------------------------------------


# Makes standard input the controlling terminal, so that what is typed there can become a signal.
TAKE_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)


def interrupted_on_a_terminal(env: dict[str, str], moment: bytes) -> tuple[str, int]:
    """(what the demo writes to a terminal, its exit code) when Ctrl-C is typed as soon as `moment` is shown."""
    ours, its = pty.openpty()
    command = [sys.executable, "-c", TAKE_TERMINAL, *DEMO, "--events", "4000"]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its, env=env, start_new_session=True) as demo:
        os.close(its)
        said = b""
        while moment not in said:
            said += os.read(ours, 65536)
        os.write(ours, b"\x03")
        code = demo.wait(20)
    said += _rest(ours)
    return said.decode(), code


def _rest(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way of saying that nobody has the other end any more
        return b""
    finally:
        os.close(terminal)


def test_on_a_terminal_there_is_a_bar_and_colour_and_ctrl_c_cleans_up(tmp_path: Path) -> None:
    said, code = interrupted_on_a_terminal(environment(tmp_path, TERM="xterm"), b"kill -9")
    assert code == 130, said
    assert "Traceback" not in said
    assert "█" in said
    assert "\x1b[36m" in said
    assert left_behind(tmp_path) == []
    assert list(endpoints(tmp_path)) == []


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_without_no_color(variables: dict[str, str], coloured: bool) -> None:
    ours, its = pty.openpty()
    with os.fdopen(its, "w") as out:
        Terminal(out, variables).line("done", "green")
        assert (b"\x1b[" in os.read(ours, 100)) == coloured
    os.close(ours)


@pytest.mark.minutes
def test_kept_it_says_what_to_type_and_that_works(tmp_path: Path) -> None:
    env = environment(tmp_path)
    done = subprocess.run([*DEMO, "--keep", "--events", "1000"], capture_output=True, text=True, env=env, timeout=90)
    assert done.returncode == 0, done.stdout + done.stderr
    typed = done.stdout[done.stdout.index("Now type:") :].splitlines()[1:]
    assert [line.split()[0] for line in typed] == ["eval", "aws", "clicklake", "clicklake", "rm"]
    hello = "until clicklake query \"SELECT COUNT(*) FROM clickstream_events WHERE event_type = 'hello'\" | grep -q 1; do sleep 0.1; done"
    script = "\n".join(["set -e", *typed[:2], hello, *typed[2:]])
    shell = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env=env | {"AWS_PAGER": ""}, timeout=60
    )
    assert shell.returncode == 0, shell.stdout + shell.stderr
    assert "hello" in shell.stdout
    assert list(endpoints(tmp_path)) == []


# --- it would notice ---------------------------------------------------------------------------------------------

TRUTH = Truth(distinct=Counter(click=7, search=3), repeats=Counter(click=2), faults=Counter({"not JSON": 1}))
LAKE = Lake(
    objects=2,
    days=1,
    records_in=13,
    good=11,
    duplicate=1,
    failed=1,
    failed_once=1,
    events=Counter(click=8, search=3),
    unique=Counter(click=7, search=3),
    ids=Counter(click=7, search=3),
)


def wrong(lake: Lake, unanswered: int = 0) -> set[str]:
    return {check.what for check in checks(TRUTH, lake, unanswered) if not check.holds}


def test_nothing_is_wrong_when_every_repeat_was_dropped_or_is_hidden() -> None:
    assert wrong(LAKE) == set()


def test_a_batch_that_was_stored_twice_is_explained() -> None:
    """Of three events sent again, one is dropped in its object, one hidden by the view, and a malformed one fails twice."""
    twice = replace(LAKE, records_in=16, good=12, duplicate=2, failed=2, events=Counter(click=9, search=3))
    assert wrong(twice, unanswered=5) == set()
    assert wrong(twice, unanswered=0) == {"records in", "repeats"}


@pytest.mark.parametrize(
    ("damage", "noticed"),
    [
        ({"ids": Counter(click=6, search=3), "unique": Counter(click=6, search=3)}, {"click events", "repeats"}),
        (
            {"ids": Counter(click=7, search=3, view=1), "unique": Counter(click=7, search=3, view=1)},
            {"view events", "repeats"},
        ),
        ({"unique": Counter(click=8, search=3)}, {"rows of the unique view"}),
        ({"failed_once": 0}, {"malformed records", "repeats"}),
        ({"events": Counter(click=7, search=3)}, {"good rows of the ledger", "repeats"}),
        ({"duplicate": 0}, {"records in the ledger", "repeats"}),
        ({"records_in": 12}, {"records in the ledger", "records in"}),
    ],
    ids=["lost event", "unknown event", "view shows a repeat", "lost failure", "lost row", "ledger off", "lost record"],
)
def test_damage_is_noticed(damage: dict[str, object], noticed: set[str]) -> None:
    assert wrong(replace(LAKE, **damage)) == noticed  # type: ignore[arg-type]
