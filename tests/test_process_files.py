"""`clicklake process`: raw files in, what the lake would have out; and what another processor lost of them."""

import gzip
import io
import json
import os
import shlex
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import duckdb
import pytest

from clicklake.cli import main
from proven_lake import Said, console
from transforming import KEY, RAW_KEY, transform_raw
from typed_pages import undescribed

DAY = Path("raw/year=2025/month=11/day=26")


def run(command: str) -> Said:
    program, *arguments = shlex.split(command)
    assert program == "clicklake"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main(arguments)
    return Said(code, out.getvalue(), err.getvalue())


def packed(*records: dict[str, Any] | bytes, between: bytes = b"\n") -> bytes:
    return gzip.compress(b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + between for r in records))


def click(event_id: str, **fields: Any) -> dict[str, Any]:
    return {"event_type": "click", "app_id": "shop", "event_id": event_id, **fields}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two raw objects, and what a processor made of them that reads lines."""
    monkeypatch.chdir(tmp_path)
    DAY.mkdir(parents=True)
    a = packed(click("a-1"), click("a-2"), click("a-3"), between=b"")
    sale = {"event": "purchase", "messageId": "b-1", "app_id": "shop", "value": 12.5}
    b = packed(click("b-0"), sale, click("b-0"), click("b-2"), b"rubbish")
    (DAY / "clicks-1-2025-11-26-10-15-00-a.gz").write_bytes(a)
    (DAY / "clicks-1-2025-11-26-10-16-00-b.gz").write_bytes(b)
    Path("old").mkdir()
    theirs = [click("b-0"), sale | {"value": "12,50"}, click("b-0"), click("b-2"), click("z-9")]
    Path("old/events.json").write_text("\n".join(map(json.dumps, theirs)))


def test_the_page_shows_what_it_prints() -> None:
    for command, printed in console("process.md"):
        assert run(command).out == printed


def test_the_page_describes_the_json_document() -> None:
    for command, code in (("--out lake", 0), ("--against old", 1)):
        said = run(f"clicklake process raw --json {command}")
        assert said.code == code
        assert undescribed(said.document, "process.md") == []


def test_what_is_written_is_what_the_lake_has() -> None:
    """The keys, the bytes of rows and the ledger's row of the very same object in a lake."""
    raw = (DAY / "clicks-1-2025-11-26-10-16-00-b.gz").read_bytes()
    path = Path("copy") / RAW_KEY
    path.parent.mkdir(parents=True)
    path.write_bytes(raw)
    Path("key").write_bytes(KEY)
    said = run("clicklake process copy --out lake --key-file key --format json --json")
    made = transform_raw(raw).batch
    assert made.processed
    assert made.failed
    for output in (made.processed, made.failed, made.ledger):
        assert (Path("lake") / output.key).read_bytes() == output.body
    assert said.document["files"][0]["keys"]["processed"] == made.processed.key


def test_a_second_run_leaves_nothing_of_the_first() -> None:
    run("clicklake process raw --out lake --format json")
    run("clicklake process raw --out lake --format parquet")
    processed = [path.suffix for path in Path("lake/processed").rglob("*") if path.is_file()]
    assert processed == [".parquet", ".parquet"]


def test_a_lakes_whole_directory_has_raw_objects_in_raw_only() -> None:
    run("clicklake process raw --out .")
    (DAY / ".hidden").write_text("{}")
    files = run("clicklake process . --json").document["files"]
    assert [Path(each["file"]).name[-4:] for each in files] == ["a.gz", "b.gz"]


def test_what_is_written_or_compared_with_is_no_input_wherever_it_lies() -> None:
    Path("raw").rename("sent")
    for _ in range(2):
        assert len(run("clicklake process . --out made --against old --json").document["files"]) == 2


@pytest.mark.parametrize(("name", "key"), [("raw/x.json", "raw/x.json"), ("events/x.json", "raw/x.json")])
def test_a_file_without_a_day_in_its_path_is_dated_by_its_own_time(name: str, key: str) -> None:
    Path("events").mkdir()
    Path(name).write_text(json.dumps(click("x")))
    os.utime(name, (1_764_152_100, 1_764_152_100))
    (found,) = run(f"clicklake process {name} --out lake --format json --json").document["files"]
    assert found["raw_key"] == key
    (row,) = gzip.decompress((Path("lake") / found["keys"]["processed"]).read_bytes()).splitlines()
    assert json.loads(row)["received_ts"] == "2025-11-26 10:15:00.000"


def test_two_files_with_one_key_are_refused() -> None:
    for name in ("one", "two"):
        file = Path("both") / name / DAY / "a.gz"
        file.parent.mkdir(parents=True)
        file.write_bytes(b"")
    said = run("clicklake process both")
    assert said.code == 2
    assert "are the same raw object" in said.err


# --- against another processor ---------------------------------------------------------------------------------------


def against(rows: str, other: str = "other.parquet") -> dict[str, Any]:
    """What is found where the other's Parquet is the result of a query, by DuckDB, over our own rows."""
    run("clicklake process raw --out lake")
    duckdb.connect().execute(f"COPY (SELECT {rows}) TO '{other}' (FORMAT parquet)")
    document: dict[str, Any] = run(f"clicklake process raw --json --against {other}").document
    found: dict[str, Any] = document["against"]
    ours = sum(found[kind] for kind in ("same", "changed", "lost", "merged", "without_id"))
    theirs = sum(found[kind] for kind in ("same", "changed", "added", "repeated"))
    assert (ours, theirs) == (document["total"]["good"], found["rows"] - found["rows_without_id"]), (
        "each row has its kind"
    )
    return found


OURS = "FROM 'lake/processed/*/*/*/*.parquet'"


def test_the_same_rows_by_another_writer_are_the_same() -> None:
    found = against(f"* REPLACE (received_ts::TIMESTAMPTZ AS received_ts, value::DECIMAL(9, 2) AS value) {OURS}")
    assert (found["same"], found["differs"]) == (6, False)
    assert {"received_ts", "value", "properties"} <= set(found["compared"])


def test_without_an_app_on_their_side_the_id_alone_counts() -> None:
    found = against(f"event_id AS \"messageId\", event_type {OURS} WHERE event_id <> 'a-1'")
    assert (found["matched_by"], found["same"], found["lost"]) == (["event_id"], 5, 1)
    assert found["events"]["lost"][0]["event_id"] == "a-1"


def test_another_app_with_the_same_id_has_another_event() -> None:
    found = against(f"event_id, 'elsewhere' AS app_id {OURS}")
    assert (found["lost"], found["added"]) == (6, 6)


def test_what_a_key_makes_is_not_compared_without_it() -> None:
    found = against(f"* REPLACE ('of a key' AS user_key, 'of a key' AS visitor_id) {OURS}")
    assert (found["same"], found["differs"], found["not_compared"]) == (6, False, ["user_key", "visitor_id"])
    assert (
        "not compared without --key-file: user_key, visitor_id"
        in run("clicklake process raw --against other.parquet").out
    )


def test_each_changed_column_is_named_with_both_values() -> None:
    found = against(f"* REPLACE (if(event_id = 'b-2', NULL, event_type) AS event_type) {OURS}")
    (changed,) = found["events"]["changed"]
    assert changed["columns"] == {"event_type": {"ours": "click", "theirs": None}}
    assert (found["columns"], found["differs"]) == ({"event_type": 1}, True)


def test_of_several_copies_the_equal_one_is_met_first() -> None:
    found = against(
        f"* FROM (SELECT 1 AS nth, * REPLACE ('x' AS event_type) {OURS} UNION ALL SELECT 2, * {OURS}) ORDER BY nth"
    )
    assert (found["same"], found["changed"], found["repeated"]) == (6, 0, 6)


def test_what_they_made_one_of_and_we_keep_in_two_raw_objects_is_merged() -> None:
    (DAY / "clicks-1-2025-11-26-10-17-00-c.gz").write_bytes(packed(click("a-1")))
    found = against(f"DISTINCT ON (event_id) * {OURS}")
    assert (found["merged"], found["lost"]) == (1, 0)


def test_what_was_sent_without_an_id_is_not_lost() -> None:
    (DAY / "clicks-1-2025-11-26-10-17-00-c.gz").write_bytes(packed({"event_type": "click"}))
    found = against(f"* {OURS} WHERE app_id IS NOT NULL")
    assert (found["without_id"], found["lost"], found["differs"]) == (1, 0, False)


@pytest.mark.parametrize(
    ("content", "says"),
    [(b"PAR1 and no more", "cut off"), (None, "no such file or directory"), ("folder", "has no file")],
)
def test_what_cannot_be_compared_is_said_in_one_line(content: bytes | str | None, says: str) -> None:
    if content == "folder":
        Path("other").mkdir()
    elif isinstance(content, bytes):
        Path("other").write_bytes(content)
    said = run("clicklake process raw --against other")
    assert (said.code, said.out, len(said.err.splitlines())) == (2, "", 1)
    assert says in said.err


@pytest.mark.parametrize("missing", ["nothing", "empty"])
def test_a_source_without_raw_files_is_wrong_usage(missing: str) -> None:
    Path("empty").mkdir()
    assert run(f"clicklake process {missing}").code == 2
