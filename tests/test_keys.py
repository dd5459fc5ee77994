"""Output keys are functions of the raw key alone, and no two raw keys share one."""

from datetime import UTC, datetime

import pytest

from clicklake.transform.keys import place
from transforming import PIPELINE, RAW_KEY

LATER = int(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp() * 1000)


def test_outputs_keep_day_and_name_of_the_raw_object() -> None:
    where = place(RAW_KEY, LATER, PIPELINE)
    day_and_name = "year=2025/month=11/day=26/clickstream-firehose-dev-1-2025-11-26-10-15-00-5f0c"
    assert where.processed == {
        "parquet": f"processed/{day_and_name}.parquet",
        "json": f"processed/{day_and_name}.json.gz",
    }
    assert where.failed == f"failed/{day_and_name}.json.gz"
    assert where.ledger == f"ledger/{day_and_name}.json.gz"
    assert where.partition == ("2025", "11", "26")


def test_the_time_of_arrival_is_the_one_in_the_name() -> None:
    where = place(RAW_KEY, LATER, PIPELINE)
    assert datetime.fromtimestamp(where.received_ms / 1000, UTC) == datetime(2025, 11, 26, 10, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "name", ["events.json", "clicks-1-2025-13-26-10-15-00-x.gz", "clicks-2025-11-26.gz", "a/b/export.gz"]
)
def test_without_a_time_in_the_name_last_modified_dates_the_object(name: str) -> None:
    where = place(f"raw/{name}", LATER, PIPELINE)
    assert where.received_ms == LATER
    assert where.partition == ("2026", "01", "02")


def test_the_day_is_copied_from_the_folders_even_if_the_name_says_another() -> None:
    where = place("raw/year=2025/month=11/day=27/s-1-2025-11-26-23-59-59-x.gz", LATER, PIPELINE)
    assert where.partition == ("2025", "11", "27")


def test_folders_that_are_no_day_are_not_copied() -> None:
    where = place("raw/year=2025/month=02/day=31/s-1-2025-02-28-00-00-00-x.gz", LATER, PIPELINE)
    assert where.partition == ("2025", "02", "28")


def test_a_key_outside_raw_is_refused() -> None:
    with pytest.raises(ValueError, match="not under raw/"):
        place("processed/year=2025/month=11/day=26/x.parquet", LATER, PIPELINE)


def test_no_two_raw_keys_share_an_output() -> None:
    raw_keys = [
        RAW_KEY,
        RAW_KEY.removesuffix(".gz"),
        RAW_KEY.replace("year=2025/month=11/day=26/", ""),
        RAW_KEY.replace("day=26/", "day=26/more/"),
        RAW_KEY.replace("year=2025", "year=２０２５"),  # digits, but not ours
        "raw/year=2025/month=11/day=26/x.gz",
        "raw/year=2025/month=11/day=26/x",
        "raw/year=2025/month=11/day=26/" + "x" * 800,
        "raw/year=2025/month=11/day=26/" + "x" * 801,
    ]
    places = [place(key, LATER, PIPELINE) for key in raw_keys]
    assert len({where.ledger for where in places}) == len(raw_keys)
    assert all(len(where.processed["parquet"]) < 1024 for where in places)


@pytest.mark.parametrize("name", ["_hidden-1-2025-11-26-10-15-00-x.gz", ".x.gz", "a/_b/c.gz"])
def test_no_output_has_a_name_that_athena_ignores(name: str) -> None:
    where = place(f"raw/year=2025/month=11/day=26/{name}", LATER, PIPELINE)
    assert not [part for part in where.processed["parquet"].split("/") if part.startswith(("_", "."))]
