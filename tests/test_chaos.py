"""Short chaos runs (`python -m chaos` is the long one): the two worst kinds of blow, and each kind at least once."""

import subprocess
import sys
from pathlib import Path

import pytest

WORST = ("its disk being full; the log: ", "and again while it starts; the log: ")
ALL = (
    *(blow.partition(";")[0] for blow in WORST),
    "the endpoint;",
    "the endpoint and its workers",
    "the function's workers",
    "Athena's workers",
)


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("kills", "seed", "blows"), [(3, 1935, WORST), pytest.param(7, 27, ALL, marks=pytest.mark.minutes)]
)
def test_every_acknowledged_record_is_there_exactly_once_whatever_falls_on_the_endpoint(
    kills: int, seed: int, blows: tuple[str, ...], tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "chaos", "--kills", str(kills), "--seed", str(seed)]
    command += ["--data-dir", str(tmp_path / "run")]
    run = subprocess.run(command, cwd=Path(__file__).parent.parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    assert [blow for blow in blows if blow not in run.stdout] == []
