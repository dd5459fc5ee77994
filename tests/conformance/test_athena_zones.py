"""Timestamps with time zones through Athena's API: what is shown is the zone's clock, what is compared is the instant.

Expected values are those of trino.io/docs/current/functions/datetime.html, or follow from New York's clock: UTC-5, and
UTC-4 from 2020-03-08 02:00 to 2020-11-01 02:00.
"""

from collections.abc import Callable
from typing import Any

import pytest

from athena_client import Queries

Client = Callable[..., Any]
NOON = "TIMESTAMP '2020-06-01 12:00:00 UTC'"
HERE = f"({NOON} AT TIME ZONE 'America/New_York')"

VALUES = [
    ("TIMESTAMP '2012-10-31 01:00 UTC'", "2012-10-31 01:00:00.000 UTC"),
    ("TIMESTAMP '2012-10-31 01:00 UTC' AT TIME ZONE 'America/Los_Angeles'", "2012-10-30 18:00:00.000 America/Los_Angeles"),
    ("at_timezone(TIMESTAMP '2012-10-31 01:00 UTC', 'America/Los_Angeles')", "2012-10-30 18:00:00.000 America/Los_Angeles"),
    ("with_timezone(TIMESTAMP '2021-08-01 22:10', 'America/New_York')", "2021-08-01 22:10:00.000 America/New_York"),
    ("TIMESTAMP '2020-06-01 12:00:00 +02:00'", "2020-06-01 12:00:00.000 +02:00"),
    ("TIMESTAMP '2020-06-01 12:00:00 Europe/Berlin' AT TIME ZONE 'UTC'", "2020-06-01 10:00:00.000 UTC"),
    (f"{HERE} AT TIME ZONE '+05:30'", "2020-06-01 17:30:00.000 +05:30"),
    ("TIMESTAMP '2020-06-01 12:00:00' AT TIME ZONE 'Asia/Tokyo'", "2020-06-01 21:00:00.000 Asia/Tokyo"),
    (f"hour{HERE}", "8"),
    (f"EXTRACT(HOUR FROM {HERE})", "8"),
    (f"CAST({HERE} AS VARCHAR)", "2020-06-01 08:00:00.000 America/New_York"),
    (f"CAST({HERE} AS TIMESTAMP)", "2020-06-01 08:00:00.000"),
    ("CAST(TIMESTAMP '2020-06-01 02:00:00 UTC' AT TIME ZONE 'America/New_York' AS DATE)", "2020-05-31"),
    ("date(TIMESTAMP '2020-06-01 02:00:00 UTC' AT TIME ZONE 'America/New_York')", "2020-05-31"),
    (f"date_format({HERE}, '%H:%i')", "08:00"),
    (f"format_datetime({HERE}, 'yyyy-MM-dd HH')", "2020-06-01 08"),
    (f"date_trunc('day', {HERE})", "2020-06-01 00:00:00.000 America/New_York"),
    ("date_trunc('hour', TIMESTAMP '2020-11-01 06:30 UTC' AT TIME ZONE 'America/New_York') AT TIME ZONE 'UTC'",
     "2020-11-01 06:00:00.000 UTC"),
    (f"to_unixtime({HERE})", "1.5910128E9"),
    (f"to_iso8601({HERE})", "2020-06-01T08:00:00.000-04:00"),
    (f"{HERE} = {NOON}", "true"),
    (f"{HERE} BETWEEN {NOON} AND {NOON}", "true"),
    (f"{HERE} + INTERVAL '1' HOUR", "2020-06-01 09:00:00.000 America/New_York"),
    ("(TIMESTAMP '2020-03-07 12:00 America/New_York') + INTERVAL '1' DAY", "2020-03-08 12:00:00.000 America/New_York"),
    ("date_add('hour', 24, TIMESTAMP '2020-03-07 12:00 America/New_York')", "2020-03-08 13:00:00.000 America/New_York"),
    (f"date_diff('hour', {NOON}, {HERE})", "0"),
    (f"timezone_hour({HERE})", "-4"),
    (f"timezone_minute({NOON} AT TIME ZONE '+05:30')", "30"),
    (f"timezone_hour({NOON})", "0"),
    ("from_iso8601_timestamp('2020-05-11T11:15:05+01:00')", "2020-05-11 11:15:05.000 +01:00"),
    ("hour(from_iso8601_timestamp('2020-05-11T11:15:05Z'))", "11"),
    ("to_iso8601(TIMESTAMP '2001-08-22 03:04:05')", "2001-08-22T03:04:05"),
    ("to_iso8601(date_add('day', 1, TIMESTAMP '2001-08-22 03:04:05'))", "2001-08-23T03:04:05.000"),
    ("CAST(NULL AS TIMESTAMP) AT TIME ZONE 'Europe/Berlin'", None),
    (f"ARRAY[{HERE}]", "[2020-06-01 08:00:00.000 America/New_York]"),
]  # fmt: skip

QUERIES = [
    (
        (
            f"WITH a AS (SELECT {HERE} AS z), b AS (SELECT *, date_trunc('day', z) AS d FROM a) "
            "SELECT hour(z), CAST(d AS VARCHAR), z + INTERVAL '1' HOUR, date_diff('hour', d, z), b.z AT TIME ZONE 'UTC' FROM b"
        ),
        [
            [
                "8",
                "2020-06-01 00:00:00.000 America/New_York",
                "2020-06-01 09:00:00.000 America/New_York",
                "8",
                "2020-06-01 12:00:00.000 UTC",
            ]
        ],
    ),
    (
        (
            f"SELECT a.z = b.z, hour(a.m) FROM (SELECT max(z) AS m, min(z) AS z FROM (SELECT {HERE} AS z)) AS a "
            f"JOIN (SELECT {HERE} AT TIME ZONE 'Asia/Tokyo' AS z) AS b ON a.z = b.z"
        ),
        [["true", "8"]],
    ),
    (
        (
            "SELECT from_iso8601_timestamp(x) AT TIME ZONE 'UTC', to_unixtime(from_iso8601_timestamp(x)) "
            "FROM (VALUES '2020-05-11T11:15:05+01:00') AS v(x)"
        ),
        [["2020-05-11 10:15:05.000 UTC", "1.589192105E9"]],
    ),
    (
        (
            "SELECT date_trunc('day', t AT TIME ZONE 'America/New_York') AS d, count(*) FROM (VALUES "
            "TIMESTAMP '2020-06-01 02:00', TIMESTAMP '2020-06-01 03:00', TIMESTAMP '2020-06-01 05:00') AS v(t) "
            "GROUP BY 1 ORDER BY 1"
        ),
        [["2020-05-31 00:00:00.000 America/New_York", "2"], ["2020-06-01 00:00:00.000 America/New_York", "1"]],
    ),
    (
        "SELECT max(z) FROM (SELECT t AT TIME ZONE 'Asia/Tokyo' AS z FROM (VALUES TIMESTAMP '2020-06-01 02:00') AS v(t))",
        [["2020-06-01 11:00:00.000 Asia/Tokyo"]],
    ),
]

REFUSED = [
    (
        "SELECT hour(from_iso8601_timestamp(x)) FROM (VALUES '2020-05-11T11:15:05+01:00') AS v(x)",
        "NOT_SUPPORTED: from_iso8601_timestamp of a text with an offset",
    ),
    (
        f"SELECT hour(z) FROM (SELECT {HERE} AS z UNION ALL SELECT {HERE})",
        "NOT_SUPPORTED: hour of a timestamp with a time zone of its own",
    ),
    (
        f"SELECT CAST(z AS VARCHAR) FROM (SELECT {HERE}) AS t(z)",
        "NOT_SUPPORTED: a timestamp with a time zone as text",
    ),
    ("SELECT now() AT TIME ZONE z FROM (VALUES 'UTC') AS v(z)", "NOT_SUPPORTED: a time zone that is not a literal"),
    ("SELECT now() AT TIME ZONE 'Nowhere/Else'", "INVALID_FUNCTION_ARGUMENT: 'Nowhere/Else' is not a valid time zone"),
]


@pytest.fixture(scope="module")
def queries(aws: Client) -> Queries:
    aws("s3").create_bucket(Bucket="lake")
    aws("glue").create_database(DatabaseInput={"Name": "zones"})
    return Queries(aws("athena"), "zones")


def test_values_are_trinos(queries: Queries) -> None:
    (row,) = queries.rows("SELECT " + ", ".join(expression for expression, _ in VALUES))
    assert not {e: (got, want) for (e, want), got in zip(VALUES, row, strict=True) if got != want}


@pytest.mark.parametrize(("sql", "rows"), QUERIES)
def test_groups_and_aggregates_keep_the_zone(queries: Queries, sql: str, rows: list[list[str]]) -> None:
    assert queries.rows(sql) == rows


def test_the_type_is_a_timestamp_with_time_zone(queries: Queries) -> None:
    assert queries.columns(f"SELECT {HERE} AS z") == [("z", "timestamp with time zone")]


@pytest.mark.parametrize(("sql", "reason"), REFUSED)
def test_a_zone_is_never_lost_silently(queries: Queries, sql: str, reason: str) -> None:
    assert queries.failure(sql).startswith(reason)
