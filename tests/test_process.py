"""One raw object to its outputs: accounting, repeats, failed records, the ledger."""

import base64
import gc
import gzip
import hashlib
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from clicklake import pipeline
from clicklake.transform import assemble
from clicklake.transform.process import Settings, process
from transforming import KEY, PIPELINE, RAW_KEY, event, lines, transform, transform_raw

PARQUET = RAW_KEY.replace("raw/", "processed/").replace(".gz", ".parquet")
JSON = RAW_KEY.replace("raw/", "processed/").replace(".gz", ".json.gz")
FAILED = RAW_KEY.replace("raw/", "failed/").replace(".gz", ".json.gz")
LEDGER = RAW_KEY.replace("raw/", "ledger/").replace(".gz", ".json.gz")
COUNTS = ("records_in", "good", "duplicate", "failed")


def counts(ledger: dict[str, int]) -> tuple[int, ...]:
    return tuple(ledger[name] for name in COUNTS)


# --- what is written and what must go ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "processed", "failed", "stale"),
    [
        (b'{"event_type":"x"}\n', PARQUET, None, {JSON, FAILED}),
        (b"rubbish\n", None, FAILED, {PARQUET, JSON}),
        (b'{"event_type":"x"}\nrubbish\n', PARQUET, FAILED, {JSON}),
        (b"", None, None, {PARQUET, JSON, FAILED}),
    ],
    ids=["good", "failed", "both", "nothing"],
)
def test_every_possible_output_is_either_written_or_stale(
    raw: bytes, processed: str | None, failed: str | None, stale: set[str]
) -> None:
    batch = process(raw, RAW_KEY, 0, Settings(PIPELINE, KEY))
    assert (batch.processed and batch.processed.key) == processed
    assert (batch.failed and batch.failed.key) == failed
    assert set(batch.stale) == stale
    assert batch.ledger.key == LEDGER
    assert batch.partition == ("2025", "11", "26")


def test_in_the_other_format_the_other_file_is_stale() -> None:
    as_json = Settings(pipeline.with_processed_format(PIPELINE, "json"), KEY)
    assert set(process(b'{"event_type":"x"}', RAW_KEY, 0, as_json).stale) == {PARQUET, FAILED}


def test_an_object_without_records_still_has_a_ledger_row() -> None:
    ledger = transform_raw(b"").ledger
    assert counts(ledger) == (0, 0, 0, 0)
    assert ledger["content_sha256"] == hashlib.sha256(b"[]").hexdigest()
    assert "processed_key" not in ledger


# --- rows ----------------------------------------------------------------------------------------------------------


def test_each_row_knows_where_it_came_from() -> None:
    made = transform(event(a=1), b"rubbish\n", event(a=2))
    assert [(row["record_index"], row["raw_offset"], row["raw_key"]) for row in made.rows] == [
        (0, 0, RAW_KEY),
        (2, len(json.dumps(event(a=1))) + 9, RAW_KEY),
    ]
    assert (made.failed[0]["record_index"], made.failed[0]["raw_offset"]) == (1, len(json.dumps(event(a=1))) + 1)


def test_rows_keep_the_order_of_the_records() -> None:
    made = transform(*(event(event_id=str(n)) for n in range(100)))
    assert [row["event_id"] for row in made.rows] == [str(n) for n in range(100)]


def test_a_missing_event_id_is_derived_from_object_and_position_and_is_stable() -> None:
    first, second = transform(event(), event()).rows
    assert first["event_id"] != second["event_id"]
    again = transform(event(), event()).rows
    assert [row["event_id"] for row in again] == [first["event_id"], second["event_id"]]
    elsewhere = transform(event(), raw_key=RAW_KEY.replace("5f0c", "77aa")).row
    assert elsewhere["event_id"] not in (first["event_id"], second["event_id"])


# --- repeats -------------------------------------------------------------------------------------------------------


def test_the_same_event_twice_is_one_row() -> None:
    made = transform(event(event_id="a"), event(event_id="b"), event(event_id="a"))
    assert [row["event_id"] for row in made.rows] == ["a", "b"]
    assert counts(made.ledger) == (3, 2, 1, 0)


@pytest.mark.parametrize(
    "retry",
    [
        {"sent_time": "2025-11-26T10:14:59Z"},
        {"sentAt": "2025-11-26T10:14:59Z"},
        {"collector_time": "2025-11-26T10:14:59Z"},
        {"properties": {"a": 1, "b": {"c": 2}, "retry_count": 3}},
        {"attempt": 2},
        {"_metadata": {"bundled": ["Segment.io"], "retryCount": 2}},
        {"sentAt": "2025-11-26T10:14:59Z", "sent_time": "2025-11-26T10:15:01Z"},
        {"sent_time": {"wrong": 1}},
        {"properties": {"b": {"c": 2}, "a": 1}},
        {"ip": "203.0.113.9"},
        {"user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/142.0.0.0"},
    ],
    ids=str,
)
def test_what_the_transport_changes_makes_no_other_event(retry: dict[str, object]) -> None:
    first = event(event_id="a", properties={"a": 1, "b": {"c": 2}})
    assert counts(transform(first, first | retry).ledger) == (2, 1, 1, 0)


@pytest.mark.parametrize("name", ["_metadata", "sentAt", "retryCount"])
def test_what_the_transport_changes_makes_no_other_event_where_a_property_has_its_name_either(name: str) -> None:
    """The sender's own property has the name then, and what stands beside the properties is `_event.<name>`."""
    first = event(event_id="a", sent_time="2025-11-26T10:14:55Z", properties={name: "own"})
    tries = [first | {name: value} for value in ("2025-11-26T10:14:56Z", "2025-11-26T10:14:57Z")]
    assert counts(transform(first, *tries).ledger) == (3, 1, 2, 0)


def test_other_content_under_the_same_id_is_kept_with_a_derived_id() -> None:
    made = transform(event(event_id="a", value=1), event(event_id="a", value=2), event(event_id="a", value=2))
    first, second = made.rows
    assert first["event_id"] == "a"
    assert len(second["event_id"]) == 32
    assert counts(made.ledger) == (3, 2, 1, 0)
    assert made.ledger["rederived_ids"] == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"value": -1}, {"value": -2}),
        ({"value": 1}, {"value": 2.0**61}),
        ({"event_time": "1969-12-31T23:59:59.999Z"}, {"event_time": "1969-12-31T23:59:59.998Z"}),
    ],
    ids=str,
)
def test_numbers_that_python_hashes_alike_are_other_content(one: dict[str, object], other: dict[str, object]) -> None:
    made = transform(event(event_id="a", **one), event(event_id="a", **other))
    assert counts(made.ledger) == (2, 2, 0, 0)
    assert made.ledger["rederived_ids"] == 1


def test_the_same_id_of_two_apps_is_two_events() -> None:
    made = transform(event(event_id="a", app_id="x"), event(event_id="a", app_id="y"), event(event_id="a"))
    assert [row["event_id"] for row in made.rows] == ["a", "a", "a"]


def test_events_without_an_id_are_never_repeats() -> None:
    assert counts(transform(event(), event()).ledger) == (2, 2, 0, 0)


# --- failed records ------------------------------------------------------------------------------------------------


def test_a_failed_record_says_why_and_keeps_its_bytes() -> None:
    (failed,) = transform(b'{"app_id":"shop"}\n').failed
    assert failed["failure_type"] == "missing_field"
    assert json.loads(failed["errors"]) == [{"path": "event_type", "message": "is required"}]
    assert base64.b64decode(failed["raw"]) == b'{"app_id":"shop"}'
    assert failed["raw_length"] == 17
    assert failed["raw_sha256"] == hashlib.sha256(b'{"app_id":"shop"}').hexdigest()
    assert (failed["raw_key"], failed["received_ts"]) == (RAW_KEY, "2025-11-26 10:15:00.000")


def test_of_a_large_failed_record_the_first_mebibyte_is_kept() -> None:
    large = b'{"event_type":"' + b"x" * (2 << 20) + b'"}'
    (failed,) = transform(large).failed
    assert failed["failure_type"] == "too_large"
    assert base64.b64decode(failed["raw"]) == large[: 1 << 20]
    assert failed["raw_length"] == len(large)
    assert failed["raw_sha256"] == hashlib.sha256(large).hexdigest()


def test_errors_never_quote_the_record() -> None:
    made = transform(b'{"event_type":"x","secret\n', b'{"event_type":["secret"]}\n', b'{"secret":"secret"}\n')
    assert len(made.failed) == 3
    assert "secret" not in "".join(row["errors"] for row in made.failed)


# --- the ledger ----------------------------------------------------------------------------------------------------


def test_the_ledger_balances_and_names_its_outputs() -> None:
    raw = gzip.compress(b'{"event_type":"x","event_id":"1"}\n' * 3 + b"rubbish\n17\n{}\n" + b'{"event_type":1}\n')
    batch = process(raw, RAW_KEY, 0, Settings(PIPELINE, KEY, processor_version="9.9"))
    (ledger,) = lines(batch.ledger.body)
    assert batch.processed
    assert batch.failed
    assert counts(ledger) == (7, 1, 2, 4)
    by_type = {
        name: n for name, n in ledger.items() if name.startswith("failed_") and name.removeprefix("failed_")[0] != "r"
    }
    assert by_type == {
        "failed_decode_error": 1,
        "failed_not_an_object": 1,
        "failed_missing_field": 1,
        "failed_invalid_field": 1,
        "failed_too_large": 0,
        "failed_key": batch.failed.key,
        "failed_bytes": len(batch.failed.body),
    }
    assert (ledger["processed_key"], ledger["processed_rows"]) == (batch.processed.key, 1)
    assert ledger["processed_bytes"] == len(batch.processed.body)
    assert ledger["file_sha256"] == hashlib.sha256(batch.processed.body).hexdigest()
    assert (ledger["bytes_in"], ledger["bytes_decoded"]) == (len(raw), len(gzip.decompress(raw)))
    assert ledger["processor_version"] == "9.9"
    assert ledger["contract_sha256"] == PIPELINE.contract_sha256


def test_the_ledger_tells_keys_apart_without_telling_them() -> None:
    with_key, other = (transform(settings=Settings(PIPELINE, key)).ledger for key in (KEY, KEY[::-1]))
    assert with_key["user_key_id"] != other["user_key_id"]
    assert KEY.decode() not in str(with_key)
    assert "user_key_id" not in transform(settings=Settings(PIPELINE)).ledger


# --- a team's own columns ------------------------------------------------------------------------------------------


def own_column(kind: str, source: str = "properties.plan") -> Settings:
    document = json.loads(pipeline.FILE.read_text())
    column = {"name": "plan", "type": kind, "from": source, "comment": "The customer's plan."}
    document["tables"]["events"]["columns"].append(column)
    return Settings(pipeline.parse(json.dumps(document)), KEY)


@pytest.mark.parametrize(
    ("kind", "sent", "value"),
    [
        ("string", "gold", "gold"), ("string", 5, None), ("bigint", 5, 5), ("bigint", True, None), ("bigint", 1 << 63, None),
        ("bigint", "5", None), ("double", 5, 5.0), ("double", "x", None), ("boolean", True, True), ("boolean", 1, None),
        ("timestamp", "2025-11-26T10:00:00Z", "2025-11-26 10:00:00.000"), ("timestamp", "x", None), ("date", 0, "1970-01-01"),
    ],
)  # fmt: skip
def test_an_own_column_takes_values_of_its_type_and_properties_keep_them_all(
    kind: str, sent: object, value: object
) -> None:
    row = transform(event(properties={"plan": sent}), settings=own_column(kind)).row
    assert row.get("plan") == value
    assert json.loads(row["properties"]) == {"plan": sent}


def test_an_own_column_may_come_from_deep_inside_or_from_an_unknown_field() -> None:
    settings = own_column("string", "properties.account.plan")
    assert transform(event(account={"plan": "gold"}), settings=settings).row["plan"] == "gold"
    assert "plan" not in transform(event(account=["gold"]), settings=settings).row


def test_settings_of_another_version_change_only_the_version() -> None:
    first = transform(event(event_id="a")).row
    second = transform(event(event_id="a"), settings=replace(Settings(PIPELINE, KEY), processor_version="2")).row
    assert first | {"processor_version": "2"} == second


@pytest.mark.parametrize(
    "where", ["page_url", "referrer", "page_title", "user_agent", "a name", "a name in properties"]
)
def test_what_a_worker_remembers_does_not_grow_with_the_length_of_what_it_meets(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker lives for hours: a thousand long addresses an object would fill its memory."""
    monkeypatch.setattr(assemble, "REMEMBERED_TEXT", 1 << 20)
    settings = Settings(PIPELINE, KEY)
    process(lines_of(where, range(2), 10), RAW_KEY, 0, settings)
    tracemalloc.start()
    try:
        process(lines_of(where, range(200), 50_000), RAW_KEY, 0, settings)
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < 8 << 20
    finally:
        tracemalloc.stop()


def lines_of(where: str, numbers: range, length: int) -> bytes:
    texts = (f"https://shop.example/{number}/{'p' * length}" for number in numbers)
    forms: dict[str, Callable[[str], dict[str, Any]]] = {
        "a name": lambda text: {text: 1},
        "a name in properties": lambda text: {"properties": {text: 1}},
    }
    records = (event(**(forms[where](text) if where in forms else {where: text})) for text in texts)
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)
