"""`clicklake explain` of what is in a lake: from a row, or a failed record, back to the bytes that were sent."""

import gzip
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clicklake import pipeline
from endpoint_process import running
from proven_lake import BUCKET, ProvenLake, console
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
RAW = "raw/year=2025/month=11/day=26/clicks-1-2025-11-26-10-15-00"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[ProvenLake]:
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("explain") / "data")):
        lake = ProvenLake(endpoint)
        lake.put_and_wait("26", "a.gz", packed(CLICK, SALE, CLICK, {"event_id": "x-9", "app_id": "shop"}))
        lake.put_and_wait("26", "b.gz", packed(SALE, SALE | {"app_id": "it's"}))
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
