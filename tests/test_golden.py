"""Golden files: one rule a case, readable as documentation.

tests/golden/<case>/raw             what the raw object holds (gunzipped already, so that it can be read)
tests/golden/<case>/expected.json   the rows, failed records and sums that it becomes, and the hashes that must not move

Columns that are the same in every case are left out. `CLICKLAKE_UPDATE_GOLDEN=1 pytest tests/test_golden.py` writes
expected.json anew; read the diff before you commit it.
"""

import base64
import json
import os
import platform
from pathlib import Path
from typing import Any

import pytest

from clicklake.transform.process import Settings, process
from transforming import KEY, PIPELINE, RAW_KEY, lines, transform_raw

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
SETTINGS = Settings(PIPELINE, KEY, processor_version="golden")
CONSTANT = {"raw_key", "received_ts", "processor_version", "raw_length", "raw_sha256"}
SUMS = ("records_in", "good", "duplicate", "failed", "rederived_ids", "dropped_values", "misplaced_values")


def outcome(raw: bytes) -> dict[str, Any]:
    """What the golden file says of these bytes."""
    made = transform_raw(raw, SETTINGS)
    (ledger,) = lines(process(raw, RAW_KEY, 0, SETTINGS).ledger.body)
    assert ledger["content_sha256"] == made.ledger["content_sha256"], "the format must not show in the content's hash"
    return {
        "rows": [without_constants(row) for row in made.rows],
        "failed": [without_constants(row) | {"raw": readable(row["raw"])} for row in made.failed],
        "sums": {name: made.ledger[name] for name in SUMS if made.ledger[name]},
        "content_sha256": ledger["content_sha256"],
        "parquet_sha256": {platform.machine(): ledger.get("file_sha256")},
    }


def without_constants(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in CONSTANT}


def readable(raw: str) -> str:
    return base64.b64decode(raw).decode("utf-8", "backslashreplace")


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str) -> None:
    found = outcome((GOLDEN / case / "raw").read_bytes())
    file = GOLDEN / case / "expected.json"
    if os.environ.get("CLICKLAKE_UPDATE_GOLDEN"):
        file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    expected = json.loads(file.read_text())
    if platform.machine() not in expected["parquet_sha256"]:  # file bytes are promised per architecture only
        del expected["parquet_sha256"], found["parquet_sha256"]
    assert found == expected
