"""What is in a lake, `explain`ed: from a row or a failed record back to the bytes that were sent. And what another
processor would make of it, by `diff`.
"""

import gzip
import json
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clicklake import package, pipeline
from endpoint_process import running
from proven_lake import BUCKET, ProvenLake, Said, console
from typed_pages import undescribed

SALE = {
    "event": "purchase",
    "messageId": "b-1",
    "app_id": "shop",
    "timestamp": "2025-11-26T10:14:58Z",
    "anonymousId": "visitor-7",
    "page_url": "https://shop.example/cart?utm_source=news&utm_medium=email&token=s3cret",
    "value": "12,50",
}
CLICK = {"event_type": "click", "event_id": "a-1", "app_id": "shop", "user_id": "u-1"}
SIGN_UP = {"kind": "sign_up", "event_id": "c-1", "app_id": "shop", "plan": "pro"}
RAW = "raw/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("explain") / "data")):
        lake = ProvenLake(endpoint)
        lake.put_and_wait("26", "a.gz", packed(CLICK, SALE, CLICK, {"event_id": "x-9", "app_id": "shop"}))
        lake.put_and_wait("26", "b.gz", packed(SALE, SALE | {"app_id": "it's"}))
        lake.put_and_wait("24", "d.gz", packed(SALE | {"messageId": "d-1"}, SIGN_UP))
        lake.put_and_wait("25", "e.gz", packed(CLICK | {"event_id": "e-1"}))
        yield lake


def packed(*records: dict[str, Any]) -> bytes:
    return gzip.compress(b"".join(json.dumps(record).encode() + b"\n" for record in records))


def explain(lake: ProvenLake, what: str, code: int = 0) -> dict[str, Any]:
    said = lake.run(f"clicklake explain --json {what}")
    assert said.code == code, said.err
    document: dict[str, Any] = said.document
    return document


def test_the_page_shows_an_event_and_a_failed_record(lake: ProvenLake) -> None:
    blocks = [block for block in console("explain.md") if "--event" not in block[0]]
    assert len(blocks) == 2
    for command, printed in blocks:
        said = lake.run(command)
        assert re.fullmatch(r"laptop 127\.0\.0\.1:\d+\n", said.err)
        assert said.out == printed


def test_a_row_leads_to_its_bytes_and_its_values_are_the_lakes(lake: ProvenLake) -> None:
    document = explain(lake, "a-1 --show-private")
    assert json.loads(document["raw"]["text"]) == CLICK
    assert (document["raw"]["key"], document["raw"]["offset"]) == (f"{RAW}-a.gz", 0)
    assert not [column for column in document["columns"] if "in_lake" in column]
    (user_key,) = (column["value"] for column in document["columns"] if column["column"] == "user_key")
    assert len(user_key) == 64
    assert document["output"] == f"{RAW.replace('raw', 'processed')}-a.parquet"
    assert document["ledger"]["records_in"] == 4
    assert [twin["verdict"] for twin in document["repeats"]["in_object"]] == ["duplicate"]
    assert undescribed(document, "explain.md") == []


def test_of_two_copies_the_one_that_the_view_shows_is_explained_and_the_other_named(lake: ProvenLake) -> None:
    document = explain(lake, "b-1 --app shop --day 2025-11-26")
    copies = [(copy["raw_key"], copy["unique_shows_it"]) for copy in document["repeats"]["in_lake"]]
    assert copies == [(f"{RAW}-a.gz", True), (f"{RAW}-b.gz", False)]
    assert document["raw"]["key"] == f"{RAW}-a.gz"
    other = explain(lake, f"--record {RAW}-b.gz:0")
    assert (other["event_id"], other["raw"]["offset"]) == ("b-1", 0)
    assert [copy["is_this"] for copy in other["repeats"]["in_lake"]] == [False, True]


def test_an_app_with_a_quotation_mark_is_an_app(lake: ProvenLake) -> None:
    assert explain(lake, '''b-1 --app "it's"''')["raw"]["record_index"] == 1


def test_a_duplicate_that_was_dropped_is_explained_by_its_place(lake: ProvenLake) -> None:
    document = explain(lake, f"--record {RAW}-a.gz:2")
    assert (document["outcome"], document["output"]) == ("duplicate", None)


@pytest.mark.parametrize(
    "what", ["nothing", "b-1 --day 2025-11-25", "b-1 --app none", f"--record {RAW}-a.gz:4", f"--record {RAW}-z.gz:0"]
)
def test_what_is_not_there_is_said_in_one_line(lake: ProvenLake, what: str) -> None:
    said = lake.run(f"clicklake explain {what}")
    assert (said.code, said.out, len(said.err.splitlines())) == (1, "", 2)  # the first names the target


def test_a_record_of_what_is_no_raw_object_is_wrong_usage(lake: ProvenLake) -> None:
    said = lake.run("clicklake explain --record processed/a.parquet:0")
    assert (said.code, said.out) == (2, "")
    assert "it begins with raw/" in said.err.splitlines()[-1]


def test_another_pipeline_file_than_the_functions_is_told(lake: ProvenLake, tmp_path: Path) -> None:
    text = pipeline.FILE.read_text().replace('"utm_source",', "", 1)
    (tmp_path / "pipeline.json").write_text(text)
    document = explain(lake, f"b-1 --app shop --pipeline {tmp_path / 'pipeline.json'}")
    (differs,) = (column for column in document["columns"] if column["column"] == "utm_source")
    assert (differs["value"], differs["in_lake"]) == ("redacted", "news")
    assert any("pipeline file" in note for note in document["notes"])


def test_an_event_whose_raw_object_has_expired_is_its_row(lake: ProvenLake) -> None:
    lake.s3().delete_object(Bucket=BUCKET, Key=f"{RAW}-b.gz")
    document = explain(lake, '''b-1 --app "it's"''', code=1)
    assert document["raw"] is None
    assert {column["column"]: column["value"] for column in document["columns"]}["event_type"] == "purchase"
    assert "is gone" in document["notes"][0]
    assert undescribed(document, "explain.md") == []


# --- diff ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def zips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the processor as it is, `same.zip`, and `new.zip`: it knows another name of event_type, has a column
    more, and keeps no utm_source in addresses."""
    folder = tmp_path_factory.mktemp("zips")
    document = json.loads(pipeline.FILE.read_text())
    (field,) = (field for field in document["fields"] if field["name"] == "event_type")
    field["aliases"].append("kind")
    own = {"name": "plan", "type": "string", "from": "properties.plan", "comment": "The plan that was chosen."}
    document["tables"]["events"]["columns"].append(own)
    document["kept_query_parameters"].remove("utm_source")
    (folder / "new.json").write_text(json.dumps(document))
    package.build(out=folder / "same.zip")
    package.build(pipeline=folder / "new.json", out=folder / "new.zip")
    return folder


def diff(lake: ProvenLake, options: str) -> Said:
    return lake.run(f"clicklake diff --json {options}")


def test_the_page_shows_what_a_processor_would_change(
    lake: ProvenLake, zips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(zips)
    before = lake.keys("")
    for command, printed in console("diff.md"):
        said = lake.run(command)
        assert (said.out, said.code) == (printed, "they differ" in printed)
    assert lake.keys("") == before


def test_its_document_is_as_the_page_says(lake: ProvenLake, zips: Path) -> None:
    said = diff(lake, f"--from 2025-11-24 --to 2025-11-25 --processor {zips}/new.zip")
    assert said.code == 1
    assert undescribed(said.document, "diff.md") == []
    assert said.document["by_event_type"] == {
        "purchase": {"changed": 1, "added": 0, "removed": 0},
        "sign_up": {"changed": 0, "added": 1, "removed": 0},
    }
    assert said.document["columns"]["utm_source"]["examples"][0]["after"] == "redacted"
    assert said.document["failures"] == {"missing_field": {"before": 1, "after": 0}}


def test_the_other_way_round_what_was_added_is_removed(lake: ProvenLake, zips: Path) -> None:
    said = diff(lake, f"--to 2025-11-24 --processor {zips}/same.zip --base {zips}/new.zip")
    assert said.document["rows"] == {"same": 0, "changed": 1, "added": 0, "removed": 1}
    assert (said.document["columns_added"], said.document["columns_removed"]) == ([], ["plan"])
    assert undescribed(said.document, "diff.md") == []


def test_a_limit_takes_some_and_what_is_not_processed_is_left_out(lake: ProvenLake, zips: Path) -> None:
    """With another pipeline file than the lake's, which is said."""
    where = lake.put("25", "without.ndjson", b"{}")
    options = f"--from 2025-11-24 --to 2025-11-25 --limit 1 --pipeline {zips}/new.json"
    said = diff(lake, f"{options} --processor {zips}/same.zip")
    lake.s3().delete_object(Bucket=BUCKET, Key=where.raw_key)
    assert said.document["raw_objects"] == {"found": 3, "unprocessed": 1, "compared": 1, "gone": 0}
    (note,) = said.document["notes"]
    assert "another pipeline file" in note


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        (
            "aws.zip",
            {"clicklake/package.json": b'{"target": "aws-arm64", "runtime": "python3.13"}'},
            "is for aws-arm64",
        ),
        ("broken.zip", {"clicklake/transform/process.py": b"import nothing_of_that_name"}, "nothing_of_that_name"),
        ("no.zip", None, "is no zip of clicklake package"),
        ("missing.zip", None, "No such file"),
    ],
)
def test_a_zip_that_does_not_run_here_is_refused_in_one_line(
    lake: ProvenLake, zips: Path, name: str, changes: dict[str, bytes] | None, says: str
) -> None:
    file = zips / name
    if changes:
        with zipfile.ZipFile(zips / "same.zip") as same, zipfile.ZipFile(file, "w") as other:
            for member in same.namelist():
                if member.endswith((".py", ".json")) and member.startswith("clicklake"):
                    other.writestr(member, changes.get(member, same.read(member)))
    elif name == "no.zip":
        file.write_bytes(b"no zip")
    said = lake.run(f"clicklake diff --processor {file}")
    assert (said.code, said.out) == (2, "")
    assert says in said.err.splitlines()[-1]
    assert "clicklake package --target local" in said.err.splitlines()[-1]


def test_an_object_at_which_the_processor_fails_is_named_and_is_a_difference(lake: ProvenLake, zips: Path) -> None:
    file = zips / "failing.zip"
    with zipfile.ZipFile(zips / "same.zip") as same:
        source = same.read("clicklake/transform/ledger.py").decode()
    (zips / "failing.zip").write_bytes((zips / "same.zip").read_bytes())
    with zipfile.ZipFile(file, "a") as other, warnings.catch_warnings(action="ignore"):
        failing = source.replace("    tally, processed", "    raise RuntimeError(entry.raw_key)\n    tally, processed")
        other.writestr("clicklake/transform/ledger.py", failing)
    said = diff(lake, f"--to 2025-11-24 --processor {file}")
    assert (said.code, said.document["raw_objects"]["compared"]) == (1, 0)
    (error,) = said.document["errors"]
    assert "RuntimeError" in error["problem"]
    assert undescribed(said.document, "diff.md") == []


def test_a_day_without_raw_objects_has_nothing_to_compare(lake: ProvenLake, zips: Path) -> None:
    said = diff(lake, f"--to 2025-11-01 --processor {zips}/same.zip")
    assert (said.code, said.out) == (1, "")
    assert "no raw object" in said.err


# --- last, for what it adds to the lake stays there ------------------------------------------------------------------


def test_a_failed_record_that_is_no_utf8_is_found_and_hinders_no_search(lake: ProvenLake) -> None:
    lake.put_and_wait("22", "f.gz", gzip.compress(b'{"event_type": "click", "event_id": "r-1", "name": "caf\xe9"}\n'))
    document = explain(lake, "r-1")
    assert (document["outcome"], document["raw"]["record_index"]) == ("failed", 0)
    assert explain(lake, "x-9")["failure"]["type"] == "missing_field"
    assert "no failed record has the id -1r" in lake.run("clicklake explain -- -1r").err
    assert (
        "no event of app none and no failed record has the id b-1;" in lake.run("clicklake explain b-1 --app none").err
    )
