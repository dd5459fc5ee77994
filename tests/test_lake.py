"""lake.py: which objects are of which days of arrival, and what the ledger says, read through S3."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from clicklake import pipeline
from clicklake.lake import ALL, Days, Lake
from clicklake.target import of_keys
from endpoint_process import EndpointProcess

PIPELINE = pipeline.load(pipeline.FILE)
TODAY = datetime.now(UTC).date()
IN_DAYS = [f"year=2025/month={month:02}/day={day:02}/a.gz" for month, day in [(10, 31), (11, 1), (11, 30), (12, 1)]]
OUTSIDE = ["b.gz", "year=2025/c.gz", "year=2025/month=11/d.gz", "year=2025/month=13/day=01/e.gz", "x/f.gz",
           "year=2025/month=02/day=30/g.gz", "year=2025/month=1/day=01/h.gz", "year=٢٠٢٥/month=11/day=01/i.gz"]  # fmt: skip
ERRORS = [f"format-conversion-failed/{IN_DAYS[1]}", "other/j"]


@pytest.fixture(scope="module")
def lake(aws: Callable[..., Any], endpoint: EndpointProcess) -> Lake:
    s3 = aws("s3")
    s3.create_bucket(Bucket="a-lake")
    for key in [f"{zone}{name}" for zone in ("raw/", "processed/") for name in [*IN_DAYS, *OUTSIDE, "year=2025/"]]:
        s3.put_object(Bucket="a-lake", Key=key, Body=b"")
    for name in ERRORS:
        s3.put_object(Bucket="a-lake", Key=f"firehose-errors/{name}", Body=b"")
    rows = {"a": gzip.compress(b'{"good": 1}'), "b": b"{}", "c": gzip.compress(b"[]"), "d": gzip.compress(b"{}")[:-9]}
    for name, body in rows.items():
        s3.put_object(Bucket="a-lake", Key=f"ledger/{name}.json.gz", Body=body)
    own = endpoint.keys()
    target = of_keys(endpoint.url, own["aws_access_key_id"], own["aws_secret_access_key"], "us-east-1")
    return Lake(target, PIPELINE, PIPELINE.names(), "a-lake")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (ALL, IN_DAYS),
        (Days(date(2025, 11, 1), date(2025, 11, 30)), IN_DAYS[1:3]),
        (Days(date(2025, 11, 30)), IN_DAYS[2:]),
        (Days(last=date(2025, 11, 1)), IN_DAYS[:2]),
        (Days(date(2025, 11, 2), date(2025, 11, 29)), []),
        (Days(date(2026, 1, 1)), []),
    ],
)
def test_objects_are_found_by_the_day_in_their_key_and_all_of_them_without_a_day(
    lake: Lake, days: Days, expected: list[str]
) -> None:
    outside = OUTSIDE if days == ALL else []
    assert {stored.key for stored in lake.objects("processed", days)} == {f"processed/{n}" for n in expected + outside}


def test_raw_objects_outside_of_day_folders_are_of_the_day_when_they_were_written(lake: Lake) -> None:
    found = {raw.stored.key for raw in lake.raw_objects(Days(TODAY, TODAY))}
    assert found == {f"raw/{name}" for name in OUTSIDE}
    assert len(list(lake.raw_objects())) == len(IN_DAYS + OUTSIDE)


def test_delivery_errors_are_of_the_day_in_their_key_or_of_the_one_when_they_were_written(lake: Lake) -> None:
    def errors(days: Days) -> list[str]:
        return [stored.key.removeprefix("firehose-errors/") for stored in lake.delivery_errors(days)]

    assert errors(Days(date(2025, 11, 1), date(2025, 11, 1))) == ERRORS[:1]
    assert errors(Days(TODAY, TODAY)) == ERRORS[1:]
    assert errors(ALL) == ERRORS


def test_a_ledger_row_that_cannot_be_read_or_is_not_there_is_none_and_takes_no_other_with_it(lake: Lake) -> None:
    keys = [stored.key for stored in lake.objects("ledger")]
    assert list(lake.ledger_rows([*keys, "ledger/nothing"])) == [{"good": 1}, None, None, None, None]
