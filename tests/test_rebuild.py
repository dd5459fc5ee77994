"""`clicklake rebuild`: from Parquet to JSON and back, on a lake with data; and what refuses to switch without it. That
`up` switches an empty lake is shown by tests/test_formats.py."""

import gzip
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from athena_client import Queries
from clicklake import catalog, pipeline, rebuild
from clicklake.errors import NoError
from clicklake.pipeline import Format
from clicklake.target import of_keys
from clicklake.terminal import Terminal
from endpoint_process import EndpointProcess, clean_environment, eventually, running
from stack_template import copy_of

BUCKET, DATABASE, EVENTS = "clickstream-lake-dev", "clickstream_db", "clickstream_events"
PIPELINE = pipeline.load(pipeline.FILE)
DAYS, OBJECTS = ("24", "25", "26"), 6
BAD = b"rubbish\n"
COUNT = "SELECT day, count(*), sum(value) FROM clickstream_events GROUP BY day ORDER BY day"
# A rebuild that can be killed: one object at a time, in a process of its own.
RUN = """
import io, sys
from clicklake import pipeline, rebuild
from clicklake.target import choose
from clicklake.terminal import Terminal
pipe = pipeline.load(pipeline.FILE)
lake = rebuild.open_lake(choose(), pipe, pipe.names(), sys.argv[1])
rebuild.rebuild(lake, Terminal(io.StringIO()), concurrency=1)
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Path:
    """Three days of raw objects, all processed: good events, and in the last object of a day nothing but rubbish."""
    data_dir = stack_copy(tmp_path_factory.mktemp("filled") / "data")
    for endpoint in running(data_dir):
        fill(endpoint)
    return data_dir


@pytest.fixture
def lake(filled: Path, tmp_path: Path) -> Iterator[EndpointProcess]:
    """A copy of that, and an endpoint on it."""
    yield from running(copy_of(filled, tmp_path / "data"))


def fill(endpoint: EndpointProcess) -> None:
    s3 = endpoint.client("s3")
    for day in DAYS:
        for number in range(OBJECTS):
            s3.put_object(Bucket=BUCKET, Key=raw_key(day, number), Body=gzip.compress(content(day, number)))
    assert eventually(lambda: len(keys(endpoint, "ledger/")) == len(DAYS) * OBJECTS)


def raw_key(day: str, number: int) -> str:
    return f"raw/year=2025/month=11/day={day}/clicks-1-2025-11-{day}-10-15-0{number}-x.gz"


def content(day: str, number: int) -> bytes:
    if number == OBJECTS - 1:
        return BAD
    events = [{"event_type": "click", "event_id": f"{day}-{number}-{i}", "value": i / 4} for i in range(5)]
    return b"".join(json.dumps(event).encode() + b"\n" for event in events) + BAD * number


def keys(endpoint: EndpointProcess, prefix: str) -> list[str]:
    pages = endpoint.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
    return [found["Key"] for page in pages for found in page.get("Contents", [])]


def ledger(endpoint: EndpointProcess) -> dict[str, dict[str, Any]]:
    """The ledger's rows by raw key."""
    s3 = endpoint.client("s3")
    bodies = [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(endpoint, "ledger/")]
    rows = [json.loads(gzip.decompress(body)) for body in bodies]
    return {row["raw_key"]: row for row in rows}


def opened(endpoint: EndpointProcess, form: Format) -> rebuild.Lake:
    own = endpoint.keys()
    target = of_keys(endpoint.url, own["aws_access_key_id"], own["aws_secret_access_key"], "us-east-1")
    return rebuild.open_lake(target, PIPELINE, PIPELINE.names(), form)


def rebuilt(endpoint: EndpointProcess, form: Format, concurrency: int = 1) -> int:
    """Each worker begins cold: more would cost the machine more than they save."""
    return rebuild.rebuild(opened(endpoint, form), Terminal(io.StringIO()), concurrency=concurrency).objects


def queries(endpoint: EndpointProcess) -> Queries:
    return Queries(endpoint.client("athena"), DATABASE)


def rows(endpoint: EndpointProcess, sql: str = COUNT) -> list[list[str | None]]:
    return queries(endpoint).rows(sql, ResultConfiguration={"OutputLocation": f"s3://{BUCKET}/athena-results/"})


def formats_in_glue(endpoint: EndpointProcess) -> set[str]:
    """Of the table and all its partitions."""
    glue = endpoint.client("glue")
    table = glue.get_table(DatabaseName=DATABASE, Name=EVENTS)["Table"]
    partitions = glue.get_partitions(DatabaseName=DATABASE, TableName=EVENTS)["Partitions"]
    return {catalog.format_of(described["StorageDescriptor"]) for described in (table, *partitions)}


def same(before: dict[str, Any], after: dict[str, Any], *names: str) -> bool:
    return all([before[key].get(n) for n in names] == [after[key].get(n) for n in names] for key in before | after)


def refused(data_dir: Path, form: str, folder: Path) -> str:
    """What `clicklake up` says to a pipeline file that says `form`."""
    command = [sys.executable, "-m", "clicklake", "up", "--port", "0", "--data-dir", str(data_dir)]
    command += ["--pipeline", str(file_of(form, folder))]
    done = subprocess.run(command, capture_output=True, text=True, env=clean_environment(), timeout=60)
    assert done.returncode == 2
    return done.stderr.strip()


def file_of(form: str, folder: Path) -> Path:
    file = folder / f"{form}.json"
    file.write_text(json.dumps(json.loads(pipeline.FILE.read_text()) | {"processed_format": form}))
    return file


def test_up_refuses_to_switch_the_format_of_a_lake_with_data(filled: Path, tmp_path: Path) -> None:
    """First, for all other tests begin with copies of this lake: it is as it was."""
    assert "clickstream_events holds parquet, and the pipeline file says json; " in refused(filled, "json", tmp_path)


@pytest.mark.minutes
def test_what_comes_after_a_rebuild_has_the_new_format_and_there_and_back_again_is_the_same_content(
    lake: EndpointProcess, tmp_path: Path
) -> None:
    """And meanwhile a start with the old format is refused."""
    first, answer = ledger(lake), rows(lake)
    assert [row[1] for row in answer] == ["25"] * len(DAYS)
    good = len(DAYS) * (OBJECTS - 1)

    assert rebuilt(lake, "json") == good
    assert {key.partition(".")[2] for key in keys(lake, "processed/")} == {"json.gz"}
    assert len(keys(lake, "processed/")) == good
    assert formats_in_glue(lake) == {"json"}
    second = ledger(lake)
    assert same(first, second, "content_sha256", "contract_sha256", "good", "failed", "failed_key")
    assert rows(lake) == answer
    assert rebuilt(lake, "json") == 0, "nothing is left to do"

    key = raw_key("27", 0)
    lake.client("s3").put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(content("27", 0)))
    assert eventually(lambda: key in ledger(lake))
    assert ledger(lake)[key]["processed_key"].endswith(".json.gz")
    assert formats_in_glue(lake) == {"json"}

    lake.stop()
    assert refused(lake.data_dir, "parquet", tmp_path).endswith(
        "clickstream_db.clickstream_events holds json, and the pipeline file says parquet; "
        'keep "processed_format": "json" until you have run: clicklake rebuild --format parquet'
    )
    lake.options = ("--pipeline", str(file_of("json", tmp_path)))
    lake.start()
    assert formats_in_glue(lake) == {"json"}
    assert [row[0] for row in rows(lake)] == [*DAYS, "27"]
    found = lake.client("lambda").get_function_configuration(FunctionName=PIPELINE.names().function)
    assert found["Environment"]["Variables"]["CLICKLAKE_PROCESSED_FORMAT"] == "json"

    assert rebuilt(lake, "parquet") == good + 1
    assert formats_in_glue(lake) == {"parquet"}
    third = ledger(lake)
    assert third.pop(key)["processed_key"].endswith(".parquet")
    assert third == first, "the same rows and, in the same format, the same files"
    assert rows(lake)[: len(DAYS)] == answer


def test_a_killed_rebuild_is_repeated_and_ends_the_same(lake: EndpointProcess) -> None:
    first, answer = ledger(lake), rows(lake)

    def of(form: str) -> int:
        return sum(key.endswith(form) for key in keys(lake, "processed/"))

    process = subprocess.Popen([sys.executable, "-c", RUN, "json"], env=lake.environment())
    assert eventually(lambda: of(".json.gz") >= OBJECTS), "the newest day is whole, and one more object"
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert of(".parquet") > 0, "it was killed too late to prove anything"

    # A query is right or fails, it never counts too few.
    assert rows(lake, COUNT.replace("GROUP", "WHERE day = '26' GROUP")) == answer[-1:]
    results = {"OutputLocation": f"s3://{BUCKET}/athena-results/"}
    assert queries(lake).failure(COUNT, ResultConfiguration=results)

    assert 0 < rebuilt(lake, "json", concurrency=2) < len(DAYS) * OBJECTS
    assert of(".parquet") == 0
    assert same(first, ledger(lake), "content_sha256", "good", "failed")
    assert rows(lake) == answer


def test_nothing_is_touched_if_a_raw_object_has_expired(lake: EndpointProcess) -> None:
    lake.client("s3").delete_object(Bucket=BUCKET, Key=raw_key("24", 1))
    before = keys(lake, "")
    with pytest.raises(NoError, match=r"processed/year=2025/month=11/day=24/.*nothing was changed"):
        rebuilt(lake, "json")
    assert formats_in_glue(lake) == {"parquet"}
    assert keys(lake, "") == before
    found = lake.client("lambda").get_function_configuration(FunctionName=PIPELINE.names().function)
    assert found["Environment"]["Variables"]["CLICKLAKE_PROCESSED_FORMAT"] == "parquet"
