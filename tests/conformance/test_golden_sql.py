"""Trino's own word (tests/golden_sql): what its tests and documentation say a statement is worth, through Athena's API.

A tenth of the expressions runs here; `python -m conformance.golden_sql` runs all.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from endpoint_process import EndpointProcess

ROOT = Path(__file__).parents[2]


def origins() -> list[str]:
    files = (ROOT / "tests" / "golden_sql").glob("*.jsonl")
    return [json.loads(line)["from"] for file in files for line in file.read_text().splitlines()]


def known() -> list[str]:
    lines = (ROOT / "conformance" / "golden_sql" / "expected.txt").read_text().splitlines()
    return [line.partition("  # ")[0] for line in lines]


def test_what_trino_says_an_expression_is_worth_it_is_worth_here(endpoint: EndpointProcess) -> None:
    command = [sys.executable, "-m", "conformance.golden_sql", "--sample"]
    ran = subprocess.run(command, cwd=ROOT, env=endpoint.environment(), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_what_is_not_right_yet_is_a_pair_of_the_table() -> None:
    assert set(known()) <= set(origins())


def test_each_pair_has_an_origin_of_its_own_and_there_are_six_hundred() -> None:
    assert len(origins()) == len(set(origins())) >= 600


def test_the_page_says_how_many_are_right() -> None:
    total, rest = len(origins()), len(known())
    page = (ROOT / "docs" / "athena.md").read_text()
    assert re.findall(r"\*\*([\d,]+) of ([\d,]+) are right", page) == [(f"{total - rest:,}", f"{total:,}")]
