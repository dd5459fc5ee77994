"""Golden files: one rule a case, readable as documentation.

tests/golden/<case>/rule               the rule, in one line
tests/golden/<case>/raw                what the raw object holds (gunzipped, so that it can be read)
tests/golden/<case>/stored             if the rule is about how it is stored: a line of STORED
tests/golden/<case>/own_columns.json   if it is about a team's own columns: these, as in a pipeline file
tests/golden/<case>/expected.json      the rows, failed records and sums that it becomes, and the hashes that must not
                                       move: of the content, on every machine, and of the files by architecture

Columns that are the same in every case are left out. `CLICKLAKE_UPDATE_GOLDEN=1 pytest tests/test_golden.py` writes
expected.json anew; read the diff before you commit it. File bytes are promised for one lock file and architecture, so
they are compared where expected.json has this machine's; another architecture adds its own, if the content is the same.
"""

import base64
import gzip
import json
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clicklake import pipeline
from clicklake.transform.event import FAILURE_TYPES
from clicklake.transform.process import Settings, process
from transforming import KEY, RAW_KEY, lines, transform_raw

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
CONSTANT = {"raw_key", "received_ts", "processor_version", "raw_length", "raw_sha256"}
SUMS = ("records_in", "good", "duplicate", "failed", "rederived_ids", "dropped_values", "misplaced_values")
LONGEST_SHOWN = 2000  # characters of a failed record


def packed(plain: bytes) -> bytes:
    """gzip without compression, so that damage reaches as far in every version of zlib."""
    return gzip.compress(plain, 0, mtime=0)


STORED: dict[str, Callable[[bytes], bytes]] = {
    "as it is": bytes,
    "gzip": packed,
    "gzip, a member for every 50 bytes": lambda raw: b"".join(
        packed(raw[at : at + 50]) for at in range(0, len(raw), 50)
    ),
    "gzip, 100 zeros behind": lambda raw: packed(raw) + bytes(100),
    "gzip, the last 8 bytes missing": lambda raw: packed(raw)[:-8],
    "gzip, the last 28 bytes missing": lambda raw: packed(raw)[:-28],
    "gzip, a wrong checksum": lambda raw: packed(raw)[:-8] + b"####" + packed(raw)[-4:],
    "gzip, the second of two members damaged": lambda raw: packed(raw) + packed(raw)[:10] + b"\x07" + packed(raw)[11:],
    "gzip, rubbish behind": lambda raw: packed(raw) + b"rubbish",
    "MEBIBYTE written out": lambda raw: packed(raw.replace(b"MEBIBYTE", b"x" * (1 << 20))),
}


def settings_of(case: Path) -> Settings:
    document = json.loads(pipeline.FILE.read_text())
    own = case / "own_columns.json"
    document["tables"]["events"]["columns"] += json.loads(own.read_text()) if own.exists() else []
    return Settings(pipeline.parse(json.dumps(document)), KEY, processor_version="golden")


def outcome(case: Path) -> dict[str, Any]:
    """What expected.json says."""
    stored = (case / "stored").read_text().strip() if (case / "stored").exists() else "gzip"
    raw, settings = STORED[stored]((case / "raw").read_bytes()), settings_of(case)
    made = transform_raw(raw, settings)
    (ledger,) = lines(process(raw, RAW_KEY, 0, settings).ledger.body)
    assert ledger["content_sha256"] == made.ledger["content_sha256"], "the format must not show in the content's hash"
    files = {"parquet": ledger.get("file_sha256"), "json": made.ledger.get("file_sha256")}
    return {
        "rows": [without_constants(row) for row in made.rows],
        "failed": [without_constants(row) | {"raw": readable(row["raw"])} for row in made.failed],
        "sums": {name: made.ledger[name] for name in SUMS if made.ledger[name]},
        "content_sha256": ledger["content_sha256"],
        "file_sha256": {platform.machine(): files},
    }


def without_constants(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in CONSTANT}


def readable(raw: str) -> str:
    text = base64.b64decode(raw).decode("utf-8", "backslashreplace")
    return text if len(text) <= LONGEST_SHOWN else f"{text[:100]}... {len(text)} characters"


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    found, file = outcome(GOLDEN / name), GOLDEN / name / "expected.json"
    if os.environ.get("CLICKLAKE_UPDATE_GOLDEN"):
        before = json.loads(file.read_text()) if file.exists() else {}
        same = before.get("content_sha256") == found["content_sha256"]
        files = (before.get("file_sha256", {}) if same else {}) | found["file_sha256"]
        file.write_text(json.dumps(found | {"file_sha256": files}, indent=1, ensure_ascii=False) + "\n")
    expected = json.loads(file.read_text())
    here = expected.pop("file_sha256").get(platform.machine())
    assert {"file_sha256": {platform.machine(): here or found["file_sha256"][platform.machine()]}, **expected} == found


@pytest.mark.parametrize("name", CASES)
def test_a_case_says_its_rule_in_one_sentence(name: str) -> None:
    rule = (GOLDEN / name / "rule").read_text()
    assert rule.endswith(".\n")
    assert rule.count("\n") == 1
    assert 10 < len(rule) <= 120


def test_there_is_a_case_for_every_way_to_fail_and_one_rule_has_one_case() -> None:
    expected = [json.loads((GOLDEN / name / "expected.json").read_text()) for name in CASES]
    assert {row["failure_type"] for one in expected for row in one["failed"]} == set(FAILURE_TYPES)
    rules = [(GOLDEN / name / "rule").read_text() for name in CASES]
    assert len(set(rules)) == len(rules) >= 80
