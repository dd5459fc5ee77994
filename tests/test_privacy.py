"""Ids and addresses end in the raw zone: whatever their form and place, nothing else that is stored or printed has them.

planted.py says what is put where. docs/privacy.md says what is not covered.
"""

import base64
import gzip
import io
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import astuple
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import arro3.io
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from athena_client import Queries
from clicklake import pipeline
from clicklake.transform.process import Batch, Settings, process
from endpoint_process import EndpointProcess, eventually, running
from planted import (
    FORMS,
    HEADER_SPELLINGS,
    IP_SPELLINGS,
    PRIVATE_NAMES,
    SPELLINGS,
    TEXTS,
    Planting,
    Search,
    Secrets,
    in_field,
    in_properties,
    leaks,
    named,
)
from seed_walk import ledger_rows
from transforming import KEY, PIPELINE, RAW_KEY, event, lines

PLANTED: dict[str, Planting] = {
    **FORMS,
    **TEXTS,
    **{
        where: planting
        for name in (*SPELLINGS, *IP_SPELLINGS, *HEADER_SPELLINGS, *PRIVATE_NAMES)
        for where, planting in named(name).items()
    },
    **{where: planting for field in ("page_url", "url", "referrer") for where, planting in in_field(field).items()},
    **in_properties(),
}
FORMATS = {form: Settings(pipeline.with_processed_format(PIPELINE, form), KEY) for form in ("parquet", "json")}
WITHOUT_KEY = Settings(PIPELINE, None)


def raw(where: str) -> bytes:
    record = PLANTED[where](Secrets.of(where))
    return record if isinstance(record, bytes) else json.dumps(record).encode() + b"\n"


def everything(batch: Batch) -> bytes:
    """All rows of processed and ledger, and of failed all but `raw`, as text."""
    rows: list[Any] = lines(batch.ledger.body)
    if batch.processed:
        rows += table(batch.processed.body) if batch.processed.key.endswith("parquet") else lines(batch.processed.body)
    if batch.failed:
        rows += [{name: value for name, value in row.items() if name != "raw"} for row in lines(batch.failed.body)]
    return json.dumps(rows, ensure_ascii=False, default=str).encode()


def table(parquet: bytes) -> list[dict[str, Any]]:
    read = arro3.io.read_parquet(io.BytesIO(parquet)).read_all()
    columns = {name: read[name].to_pylist() for name in read.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


# --- the search itself -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", PLANTED)
def test_what_is_planted_is_there_to_be_found(where: str) -> None:
    assert leaks(raw(where), Secrets.of(where))


@pytest.mark.parametrize("secret", astuple(Secrets.of("someone")), ids=str)
@pytest.mark.parametrize("form", ["{}", "x{}y", '"{}"'])
def test_the_search_finds_every_secret_in_every_form(secret: object, form: str) -> None:
    text = form.format(secret)
    once = quote(text, safe="")
    plain = [text.encode(), text.upper().encode(), json.dumps(text).encode(), once.encode(), quote(once).encode()]
    encoded = [base64.b64encode(b"x" * shift + text.encode() + b"more") for shift in range(3)]
    for data in (*plain, *encoded):
        assert leaks(data, Secrets.of("someone")) == {str(secret)}
        assert not leaks(data, Secrets.of("someone else"))


# --- through the transform -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("where", PLANTED)
def test_nothing_leaves_the_raw_zone(where: str, form: str) -> None:
    batch = process(raw(where), RAW_KEY, 0, FORMATS[form])
    assert batch.tally.records_in > 0
    assert not leaks(everything(batch), Secrets.of(where))


@pytest.mark.parametrize("where", ["text", "an integer", "an array", "headers", "user_id of the event"])
def test_nothing_leaves_the_raw_zone_without_a_key(where: str) -> None:
    assert not leaks(everything(process(raw(where), RAW_KEY, 0, WITHOUT_KEY)), Secrets.of(where))


OWN = ["page_url", "referrer", "page_title", "properties.link", "properties.text"]


def test_a_teams_own_columns_hold_nothing_more() -> None:
    document = json.loads(pipeline.FILE.read_text())
    columns = document["tables"]["events"]["columns"]
    for number, source in enumerate(OWN):
        columns.append({"name": f"own_{number}", "type": "string", "from": source, "comment": "Ours."})
    ours = Settings(pipeline.with_processed_format(pipeline.parse(json.dumps(document)), "json"), KEY)
    s = Secrets.of("own columns")
    link = f"https://shop.example/p?token={s.token}"
    properties = {"link": link, "text": s.email}
    sent = event(page_url=link, referrer=link, page_title=s.email, properties=properties)
    made = everything(process(json.dumps(sent).encode(), RAW_KEY, 0, ours))
    assert made.count(b"token=redacted") == 6, "two columns, what is in properties, and a copy of each"
    assert not leaks(made, s)


def test_the_network_is_all_that_is_left_of_an_address() -> None:
    batch = process(json.dumps(event(ip="203.0.113.77")).encode(), RAW_KEY, 0, FORMATS["json"])
    assert b"203.0.113." in everything(batch)
    assert b"203.0.113.77" not in everything(batch)


def test_what_is_public_stays() -> None:
    kept = {
        "plan": "gold", "n": 7, "zip": "10115", "ip_country": "DE", "tip": 1, "header": "Sale", "a": ["x", {"b": None}],
        "question": "What? Nothing = nothing", "image": "https://a.example/logo@2x.png", "handle": "@kim", "at": "5 @ 3",
        "path": "/shoes/trail?page=2&sort=price", "code": "{not json", "list": '["a", {"b": 1}]', "percent": "40 %",
    }  # fmt: skip
    batch = process(json.dumps(event(properties=kept)).encode(), RAW_KEY, 0, FORMATS["json"])
    assert batch.processed
    (row,) = lines(batch.processed.body)
    assert json.loads(row["properties"]) == kept


def test_the_documents_list_of_private_names_is_the_pipeline_files() -> None:
    page = (Path(__file__).parent.parent / "docs" / "privacy.md").read_text()
    listed = page.partition("the names above and\n")[2].partition(".\n")[0]
    assert tuple(re.findall(r"`(\w+)`", listed)) == PIPELINE.private_names


NAMES_OF_FIELDS = [name for field in PIPELINE.fields if field.private for name in field.names]
names = st.sampled_from([*NAMES_OF_FIELDS, *PIPELINE.private_names])
separators = st.sampled_from(["", "_", "-", " ", "__"])
prefixes = st.sampled_from(["", "_event.", "_event._event.", "context.", "a[", "x:y/"])
SOMEONE = Secrets.of("someone")
public = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
secret = st.sampled_from([*astuple(SOMEONE), [SOMEONE.user_id], {"a": SOMEONE.ipv4}, {SOMEONE.email: [SOMEONE.token]}])


@st.composite
def spelled(draw: st.DrawFn) -> str:
    words = draw(names).replace("A", "_a").replace("I", "_i").split("_")
    cases = st.sampled_from([str.lower, str.upper, str.title])
    return draw(prefixes) + draw(separators).join(draw(cases)(word) for word in words)


holders = st.recursive(
    st.dictionaries(spelled(), secret, min_size=1, max_size=2),
    lambda inner: (
        st.lists(inner | public, max_size=3) | st.dictionaries(st.text(max_size=3), inner | public, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["properties", "context", "app_id", "page_url", "value"]) | spelled(), holders))
@settings(deadline=None, max_examples=int(os.environ.get("CLICKLAKE_EXAMPLES", "80")))
def test_private_names_are_private_at_any_depth_in_any_spelling(fields: dict[str, Any]) -> None:
    batch = process(json.dumps(event(**fields)).encode(), RAW_KEY, 0, FORMATS["json"])
    assert batch.tally.good == 1
    assert not leaks(everything(batch), SOMEONE)


# --- through a running endpoint --------------------------------------------------------------------------------------

NAMES, TABLES = PIPELINE.names(), PIPELINE.tables


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[EndpointProcess]:
    """An endpoint that has delivered everything that is planted, and has been asked for all of it."""
    for endpoint in running(stack_copy(tmp_path_factory.mktemp("privacy") / "data")):
        records = [{"Data": raw(where)} for where in PLANTED]
        for at in range(0, len(records), 100):
            endpoint.client("firehose").put_record_batch(
                DeliveryStreamName=NAMES.delivery_stream, Records=records[at : at + 100]
            )
        ask_for_all(endpoint)
        yield endpoint


def ask_for_all(endpoint: EndpointProcess) -> None:
    """Wait for the last record, then query every column of every table, but the failed records' raw bytes."""
    queries = Queries(endpoint.client("athena"), NAMES.database)
    sent = sum(process(raw(where), RAW_KEY, 0, FORMATS["json"]).tally.records_in for where in PLANTED)
    assert eventually(lambda: sum(ledger_rows(endpoint.client, NAMES.bucket)) == sent, 60)
    columns = ", ".join(column.name for column in TABLES.failed.columns if column.name != "raw")
    for selected in (
        f"* FROM {TABLES.events.name}",
        f"* FROM {NAMES.unique_view}",
        f"* FROM {TABLES.ledger.name}",
        f"{columns} FROM {TABLES.failed.name}",
    ):
        assert queries.rows(f"SELECT {selected}", WorkGroup=NAMES.workgroup)


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file in the folder or deeper: decompressed, and of Parquet the rows."""
    for file in folder.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            if file.suffix == ".gz":
                data = gzip.decompress(data)
            elif file.suffix == ".parquet":
                data = json.dumps(table(data), ensure_ascii=False, default=str).encode()
            yield str(file.relative_to(folder)), data


def found(files: Iterator[tuple[str, bytes]]) -> list[tuple[str, str]]:
    """(file, planting) of what is there and must not be."""
    search = _search()
    return [(name, where) for name, data in files for where in search.leaking(data)]


@cache
def _search() -> Search:
    return Search(PLANTED)


@pytest.mark.parametrize("zone", [PIPELINE.zones.processed, PIPELINE.zones.ledger, PIPELINE.zones.query_results])
def test_no_object_outside_of_raw_and_failed_has_them(lake: EndpointProcess, zone: str) -> None:
    objects = list(contents(lake.data_dir / "s3" / NAMES.bucket / zone))
    assert objects
    assert not found(iter(objects))


def test_the_raw_zone_has_all_of_them(lake: EndpointProcess) -> None:
    objects = contents(lake.data_dir / "s3" / NAMES.bucket / PIPELINE.zones.raw)
    assert {where for _, where in found(objects)} == set(PLANTED)


def test_failed_records_have_them_only_in_their_raw_bytes(lake: EndpointProcess) -> None:
    objects = list(contents(lake.data_dir / "s3" / NAMES.bucket / PIPELINE.zones.failed))
    rows = [json.loads(line) for _, data in objects for line in data.splitlines()]
    assert {where for _, where in found(("raw", base64.b64decode(row.pop("raw"))) for row in rows)}
    assert not found(iter([("failed", json.dumps(rows).encode())]))


def test_the_functions_log_has_none_of_them(lake: EndpointProcess) -> None:
    logs, group = lake.client("logs"), f"/aws/lambda/{NAMES.function}"
    messages = [
        message["message"]
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
        for message in page["events"]
    ]
    assert any('"outcome": "processed"' in message for message in messages)
    assert not found(iter([("log", "".join(messages).encode())]))


def test_no_other_file_of_the_endpoint_has_them(lake: EndpointProcess) -> None:
    """The endpoint's own log, its state and the logs it keeps; what is under way in Firehose is raw."""
    outside = [(name, data) for name, data in contents(lake.data_dir) if name.split("/")[0] not in _ELSEWHERE]
    assert {name.split("/")[0] for name, _ in outside} >= {"state.db", "logs", "control.journal"}
    assert not found(iter([*outside, ("standard error", lake.log.read_bytes())]))


_ELSEWHERE = {"s3", "functions", "firehose", "processor.zip"}
