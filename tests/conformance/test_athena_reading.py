"""What a query reads, and what it doesn't: partitions, row groups and columns that it has no need of, files that are gone,
files that were written under another schema."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from athena_client import Queries
from endpoint_process import EndpointProcess

Client = Callable[..., Any]
OPENX = "org.openx.data.jsonserde.JsonSerDe"


@pytest.fixture(scope="module")
def queries(aws: Client, s3: Any) -> Queries:
    queries = Queries(aws("athena"), "reading")
    queries.run("CREATE DATABASE reading", QueryExecutionContext={})
    return queries


@pytest.fixture
def parquet(tmp_path: Path) -> Callable[[str], bytes]:
    def written(select: str) -> bytes:
        target = tmp_path / "file.parquet"
        duckdb.connect().execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, ROW_GROUP_SIZE 20000)")
        return target.read_bytes()

    return written


def put(s3: Any, key: str, body: bytes) -> None:
    s3.put_object(Bucket="lake", Key=key, Body=body)


def scanned(queries: Queries, sql: str) -> int:
    return int(queries.run(sql)["Statistics"]["DataScannedInBytes"])


def test_a_partition_that_is_not_asked_for_is_not_opened(
    queries: Queries, s3: Any, parquet: Callable[[str], bytes]
) -> None:
    good = parquet("SELECT 1 AS n")
    put(s3, "pruned/d=good/a.parquet", good)
    put(s3, "pruned/d=bad/a.parquet", b"no parquet at all")
    queries.run(
        "CREATE EXTERNAL TABLE pruned (n int) PARTITIONED BY (d string) STORED AS PARQUET LOCATION 's3://lake/pruned/'"
    )
    queries.run("MSCK REPAIR TABLE pruned")
    for where in ("d = 'good'", "d > 'c' AND n = 1", "d LIKE 'g%'", "d IN (SELECT 'good') AND d <> 'bad'"):
        execution = queries.run(f"SELECT n FROM pruned WHERE {where}")
        assert 0 < execution["Statistics"]["DataScannedInBytes"] <= len(good), where
    assert queries.failure("SELECT n FROM pruned WHERE n = 1").startswith("HIVE_BAD_DATA")


def test_of_parquet_only_row_groups_and_columns_that_can_matter_are_read_in_place(
    queries: Queries, s3: Any, parquet: Callable[[str], bytes], endpoint: EndpointProcess
) -> None:
    body = parquet("SELECT range::INTEGER AS n, md5(range::VARCHAR) AS text FROM range(200000)")
    put(s3, "grouped/a.parquet", body)
    queries.run("CREATE EXTERNAL TABLE grouped (n int, text string) STORED AS PARQUET LOCATION 's3://lake/grouped/'")
    queries.run("CREATE EXTERNAL TABLE wider (n bigint, text string) STORED AS PARQUET LOCATION 's3://lake/grouped/'")

    def kept() -> int:
        return sum(f.stat().st_size for f in endpoint.data_dir.rglob("*") if f.is_file() and "sqlite" not in f.name)

    before = kept()
    every = scanned(queries, "SELECT max(length(text)) FROM grouped")
    assert 0.5 * len(body) < every <= len(body)
    assert kept() - before < len(body) / 10, "nothing is copied"
    for table in ("grouped", "wider"):
        one = f"SELECT max(length(text)) FROM {table} WHERE n = 150000"
        assert scanned(queries, one) < 0.3 * every, "one row group of ten"
        assert scanned(queries, f"SELECT sum(n) FROM {table}") < 0.4 * every, "one column of two"
        assert scanned(queries, f"SELECT max(length(text)) FROM {table} WHERE n > 200000") < 0.1 * every


@pytest.mark.parametrize("kind", ["json", pytest.param("parquet", marks=pytest.mark.minutes)])
def test_files_that_vanish_while_a_query_runs_fail_it_and_nothing_else(
    queries: Queries, s3: Any, parquet: Callable[[str], bytes], kind: str
) -> None:
    body = b'{"n": 1}\n' if kind == "json" else parquet("SELECT 1 AS n")
    keys = [f"gone-{kind}/{i:03}.{kind}" for i in range(20)]
    for key in keys:
        put(s3, key, body)
    form = f"ROW FORMAT SERDE '{OPENX}'" if kind == "json" else "STORED AS PARQUET"
    queries.run(f"CREATE EXTERNAL TABLE gone_{kind} (n bigint) {form} LOCATION 's3://lake/gone-{kind}/'")
    assert queries.rows(f"SELECT count(*) FROM gone_{kind}") == [["20"]]
    # The files are opened when the right side is known, which takes a second.
    numbers = "UNNEST(sequence(1, 1500)) AS a (x), UNNEST(sequence(1, 1500)) AS b (y)"
    slow = f"SELECT length(max(md5(to_utf8(cast(x * y AS varchar))))) AS m FROM {numbers}"
    number = queries.start(f"SELECT count(*) FROM gone_{kind} AS g JOIN ({slow}) AS h ON g.n < h.m")
    while (
        state := queries.client.get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"]["State"]
    ) == "QUEUED":
        time.sleep(0.005)
    assert state == "RUNNING"
    time.sleep(0.2)  # until it is planned
    s3.delete_objects(Bucket="lake", Delete={"Objects": [{"Key": key} for key in keys]})
    execution = queries.wait(number)
    assert execution["Status"]["State"] == "FAILED"
    assert execution["Status"]["StateChangeReason"].startswith("HIVE_CANNOT_OPEN_SPLIT: Error opening Hive split")
    assert queries.rows(f"SELECT count(*) FROM gone_{kind}") == [["0"]]


def test_files_of_an_older_schema_are_read_by_the_names_of_their_columns(
    queries: Queries, s3: Any, parquet: Callable[[str], bytes]
) -> None:
    queries.run(
        "CREATE EXTERNAL TABLE evolving (a int, dropped string, s struct<x:int>) PARTITIONED BY (d int) "
        "STORED AS PARQUET LOCATION 's3://lake/evolving/'"
    )
    put(s3, "evolving/d=1/a.parquet", parquet("SELECT 1::INTEGER AS a, 'old' AS dropped, {'x': 7} AS s"))
    queries.run("ALTER TABLE evolving ADD PARTITION (d = 1)")
    queries.run("ALTER TABLE evolving REPLACE COLUMNS (added double, s struct<y:string,x:bigint>, a bigint)")
    later = "SELECT {'y': 'z', 'x': 9::BIGINT} AS s, 5000000000 AS a, 0.5::FLOAT AS added"
    put(s3, "evolving/d=2/a.parquet", parquet(later))
    queries.run("ALTER TABLE evolving ADD PARTITION (d = 2)")
    assert queries.rows("SELECT * FROM evolving ORDER BY d") == [
        [None, "{y=null, x=7}", "1", "1"],
        ["0.5", "{y=z, x=9}", "5000000000", "2"],
    ]
    queries.run(
        f"CREATE EXTERNAL TABLE growing (a int) PARTITIONED BY (d int) ROW FORMAT SERDE '{OPENX}' "
        "LOCATION 's3://lake/growing/'"
    )
    for day, row in ((1, {"a": 1, "gone": True}), (2, {"s": {"x": 1, "y": 2}, "a": 5_000_000_000})):
        put(s3, f"growing/d={day}/a.json", json.dumps(row).encode() + b"\n")
        queries.run(f"ALTER TABLE growing ADD PARTITION (d = {day})")
    queries.run("ALTER TABLE growing CHANGE COLUMN a a bigint")
    queries.run("ALTER TABLE growing ADD COLUMNS (s struct<y:int>)")
    assert queries.rows("SELECT * FROM growing ORDER BY d") == [["1", None, "1"], ["5000000000", "{y=2}", "2"]]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [("5000000000", "int"), ("'12'", "bigint"), ("1.5::DOUBLE", "bigint"), ("12", "string"), ("1.5::DOUBLE", "float")],
)
def test_a_parquet_column_whose_type_does_not_fit_the_tables_fails_the_queries_that_read_it(
    queries: Queries, s3: Any, parquet: Callable[[str], bytes], there: str, wanted: str
) -> None:
    put(s3, "unfit/a.parquet", parquet(f"SELECT 1 AS n, {there} AS x"))
    queries.run("DROP TABLE IF EXISTS unfit")
    queries.run(f"CREATE EXTERNAL TABLE unfit (n int, x {wanted}) STORED AS PARQUET LOCATION 's3://lake/unfit/'")
    assert queries.rows("SELECT n FROM unfit") == [["1"]]
    failure = queries.failure("SELECT x FROM unfit")
    assert failure.startswith("HIVE_BAD_DATA: Field x's type")
    assert "in parquet file is incompatible with type" in failure


def test_an_integer_of_a_parquet_file_is_read_as_a_smaller_one_where_it_fits(
    queries: Queries, s3: Any, parquet: Callable[[str], bytes]
) -> None:
    put(s3, "smaller/a.parquet", parquet("SELECT 7::BIGINT AS x UNION ALL SELECT NULL"))
    queries.run("CREATE EXTERNAL TABLE smaller (x smallint) STORED AS PARQUET LOCATION 's3://lake/smaller/'")
    assert queries.rows("SELECT x, count(*) FROM smaller GROUP BY x ORDER BY x") == [["7", "1"], [None, "1"]]


def test_hidden_columns_tell_of_each_rows_file(queries: Queries, s3: Any) -> None:
    put(s3, "hidden/d=a/h=1/x.json", b'{"n": 1}\n{"n": 2}\n')
    put(s3, "hidden/d=b c/h=2/y.json", b'{"n": 33}\n')
    queries.run(
        f"CREATE EXTERNAL TABLE hidden (n int) PARTITIONED BY (d string, h int) ROW FORMAT SERDE '{OPENX}' "
        "LOCATION 's3://lake/hidden/'"
    )
    queries.run("MSCK REPAIR TABLE hidden")
    assert queries.rows('SELECT DISTINCT "$path", "$file_size", "$partition", h FROM hidden ORDER BY h') == [
        ["s3://lake/hidden/d=a/h=1/x.json", "18", "d=a/h=1", "1"],
        ["s3://lake/hidden/d=b c/h=2/y.json", "10", "d=b c/h=2", "2"],
    ]
    modified = s3.head_object(Bucket="lake", Key="hidden/d=a/h=1/x.json")["LastModified"].astimezone(UTC)
    assert queries.rows('SELECT max("$file_modified_time") FROM hidden WHERE h = 1') == [
        [datetime.strftime(modified, "%Y-%m-%d %H:%M:%S.000 UTC")]
    ]
    assert queries.rows('SELECT t.* FROM hidden AS t WHERE "$file_size" = 10') == [["33", "b c", "2"]]
    of_with = 'WITH w AS (SELECT *, "$path" AS p FROM hidden) SELECT * FROM w WHERE n = 33'
    assert queries.rows(of_with) == [["33", "b c", "2", "s3://lake/hidden/d=b c/h=2/y.json"]]
    assert queries.rows('SELECT count("$path") FROM hidden WHERE h = 9') == [["0"]]
    assert queries.failure('SELECT "$bucket" FROM hidden').startswith('NOT_SUPPORTED: the column "$bucket"')
