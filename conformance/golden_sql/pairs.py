"""The table of pairs: one file a chapter under tests/golden_sql/, one pair a line, as JSON.

{"sql": "SELECT abs(-1)", "rows": [["1"]], "from": "path:line"}      rows in Athena's text; null is NULL
{"sql": "SELECT 1 / 0", "fails": "DIVISION_BY_ZERO", "from": ...}    "?" if Trino's test names no code
"any_order": true    rows, and the entries of maps, may come in any order
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "tests" / "golden_sql"
Rows = list[list[str | None]]


@dataclass(frozen=True, slots=True)
class Pair:
    """A statement with the rows that it gives, or with the error that it fails with."""

    sql: str
    origin: str
    rows: Rows | None = None
    fails: str = ""
    any_order: bool = False

    @property
    def one_value(self) -> bool:
        """Is it one expression, that can stand in a SELECT beside others?"""
        return self.rows is not None and len(self.rows) == 1 and len(self.rows[0]) == 1 and " FROM " not in self.sql


def read(path: Path) -> list[Pair]:
    lines = map(json.loads, path.read_text().splitlines())
    return [Pair(d["sql"], d["from"], d.get("rows"), d.get("fails", ""), d.get("any_order", False)) for d in lines]


def every() -> list[Pair]:
    return [pair for path in sorted(FOLDER.glob("*.jsonl")) for pair in read(path)]


def write(path: Path, pairs: Sequence[Pair]) -> None:
    path.write_text("".join(json.dumps(_document(p), ensure_ascii=False) + "\n" for p in pairs))


def _document(pair: Pair) -> dict[str, object]:
    expected: dict[str, object] = {"fails": pair.fails} if pair.rows is None else {"rows": pair.rows}
    order: dict[str, object] = {"any_order": True} if pair.any_order else {}
    return {"sql": pair.sql} | expected | order | {"from": pair.origin}
