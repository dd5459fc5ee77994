"""A short chaos run (`python -m chaos` is the long one): each kind of blow falls at least once."""

import subprocess
import sys
from pathlib import Path

import pytest

BLOWS = (
    "the endpoint;",
    "the endpoint and its workers",
    "and again while it starts",
    "its disk being full",
    "the function's workers",
    "Athena's workers",
)


@pytest.mark.timeout(300)
def test_every_acknowledged_record_is_there_exactly_once_whatever_falls_on_the_endpoint(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "chaos", "--kills", "7", "--seed", "27", "--data-dir", str(tmp_path / "run")]
    run = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert [blow for blow in BLOWS if blow not in run.stdout] == []
