"""A short run of `python -m chaos.collector`, which is the long one."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.timeout(300)
def test_what_was_answered_with_success_is_there_once_whatever_is_killed() -> None:
    """The collector twice, its disk full before the second time, and the endpoint."""
    short = ("--kills", "2", "--endpoint-kills", "1", "--browsers", "9", "--pause", "0.15", "--seconds", "0.5")
    command = [sys.executable, "-m", "chaos.collector", *short, "--seed", "11"]
    run = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    counted = re.search(r"^([\d,]+) answered for, ([\d,]+) in clickstream_events_unique", run.stdout, re.MULTILINE)
    assert counted
    assert int(counted[1].replace(",", "")) > 30
