"""Statements around a query: prepared ones, plans, the catalog as tables, and partitions that nobody registered."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from athena_client import Queries

Client = Callable[..., Any]
OPENX = "org.openx.data.jsonserde.JsonSerDe"


@pytest.fixture(scope="module")
def queries(aws: Client, s3: Any) -> Queries:
    queries = Queries(aws("athena"), "around")
    queries.run("CREATE DATABASE around", QueryExecutionContext={})
    return queries


def put(s3: Any, key: str, n: int) -> None:
    s3.put_object(Bucket="lake", Key=key, Body=json.dumps({"n": n}).encode() + b"\n")


def projected(queries: Queries, name: str, keys: str, **properties: str) -> None:
    """A table of JSON under s3://lake/<name>/; __ in a property's name is a dot."""
    listed = ", ".join(f"'{k.replace('__', '.')}' = '{v}'" for k, v in properties.items())
    queries.run(
        f"CREATE EXTERNAL TABLE {name} (n bigint) PARTITIONED BY ({keys}) ROW FORMAT SERDE '{OPENX}' "
        f"LOCATION 's3://lake/{name}/' TBLPROPERTIES ('projection.enabled' = 'true', {listed})"
    )


def test_a_prepared_statement_is_executed_with_values(queries: Queries) -> None:
    queries.run("PREPARE two FROM SELECT ? + 1 AS a, concat(?, 'x') AS b")
    kept = queries.client.get_prepared_statement(StatementName="two", WorkGroup="primary")["PreparedStatement"]
    assert kept["QueryStatement"] == "SELECT ? + 1 AS a, concat(?, 'x') AS b"
    assert queries.rows("EXECUTE two USING abs(-3), concat('a', ',')") == [["4", "a,x"]]
    assert queries.rows("EXECUTE two", ExecutionParameters=["1", "'b'"]) == [["2", "bx"]]
    assert queries.failure("EXECUTE two USING 1").startswith("INVALID_PARAMETER_USAGE")
    assert "already exists" in queries.failure("PREPARE two FROM SELECT 1")
    queries.run("DEALLOCATE PREPARE two")
    assert queries.failure("EXECUTE two USING 1, 'b'") == "NOT_FOUND: Prepared statement not found: two"
    assert "two was not found" in queries.failure("DEALLOCATE PREPARE two")
    assert queries.failure("PREPARE three FROM SHOW TABLES").startswith("NOT_SUPPORTED")


def test_the_catalog_can_be_queried(queries: Queries) -> None:
    queries.run(f"CREATE EXTERNAL TABLE seen (a int COMMENT 'x', m map<string,int>) PARTITIONED BY (d string) ROW FORMAT "
                f"SERDE '{OPENX}' LOCATION 's3://lake/seen/'")  # fmt: skip
    queries.run("CREATE VIEW seen_view AS SELECT a FROM seen")
    where = "WHERE table_schema = 'around' AND table_name LIKE 'seen%' ORDER BY table_name"
    assert queries.rows(f"SELECT table_name, table_type FROM information_schema.tables {where}") == [
        ["seen", "BASE TABLE"], ["seen_view", "VIEW"],
    ]  # fmt: skip
    columns = "SELECT column_name, ordinal_position, data_type, comment, extra_info FROM information_schema.columns"
    assert queries.rows(f"{columns} WHERE table_schema = 'around' AND table_name = 'seen' ORDER BY 2") == [
        ["a", "1", "integer", "x", None],
        ["m", "2", "map(varchar, integer)", None, None],
        ["d", "3", "varchar", None, "partition key"],
    ]
    assert queries.rows("SELECT schema_name FROM information_schema.schemata WHERE schema_name LIKE '%aro%' OR schema_name LIKE 'info%' ORDER BY 1") == [
        ["around"], ["information_schema"],
    ]  # fmt: skip
    assert queries.rows(f"SELECT view_definition FROM awsdatacatalog.information_schema.views {where}") == [
        ["SELECT a FROM seen"]
    ]
    assert queries.failure("SELECT * FROM information_schema.roles").startswith(
        "NOT_SUPPORTED: information_schema.roles"
    )


def test_a_tables_partitions_are_a_table(queries: Queries) -> None:
    queries.run("CREATE EXTERNAL TABLE parted (n int) PARTITIONED BY (d string, h int) LOCATION 's3://lake/parted/'")
    assert queries.rows('SELECT * FROM "parted$partitions"') == []
    queries.run("ALTER TABLE parted ADD PARTITION (d = 'a', h = 1) PARTITION (d = 'b', h = 12)")
    assert queries.rows('SELECT max(d), max(h) FROM "parted$partitions" p WHERE p.h > 1') == [["b", "12"]]
    assert queries.columns('SELECT * FROM "around"."parted$partitions"') == [("d", "varchar"), ("h", "integer")]


def test_partitions_are_projected_from_integers_and_enums(queries: Queries, s3: Any) -> None:
    put(s3, "shop/eu/07/a.json", 1)
    put(s3, "shop/us/11/a.json", 2)
    put(s3, "shop/us/12/a.json", 3)
    put(s3, "shop/cn/11/a.json", 4)
    projected(
        queries, "shop", "region string, hour int", projection__region__type="enum", projection__region__values="eu,us",
        projection__hour__type="integer", projection__hour__range="1,23", projection__hour__digits="2",
        projection__hour__interval="2", storage__location__template="s3://lake/shop/${region}/${hour}/",
    )  # fmt: skip
    assert queries.rows("SELECT * FROM shop ORDER BY n") == [["1", "eu", "7"], ["2", "us", "11"]]
    assert queries.rows("SELECT n FROM shop WHERE hour > 7") == [["2"]]
    assert queries.rows("SELECT n FROM shop WHERE region = 'cn'") == []
    assert queries.rows("SHOW PARTITIONS shop") == []
    execution = queries.run("SELECT n FROM shop WHERE region = 'eu' AND hour < 9")
    assert execution["Statistics"]["DataScannedInBytes"] == len('{"n": 1}\n')


def test_partitions_are_projected_from_dates_up_to_now(queries: Queries, s3: Any) -> None:
    today = datetime.now(UTC)
    for n, day in enumerate([today - timedelta(days=9), today - timedelta(days=1), today]):
        put(s3, f"daily/{day:%Y/%m/%d}/a.json", n)
    projected(
        queries, "daily", "day string", projection__day__type="date", projection__day__format="yyyy/MM/dd",
        projection__day__range="NOW-8DAYS,NOW", storage__location__template="s3://lake/daily/${day}",
    )  # fmt: skip
    assert queries.rows(f"SELECT n FROM daily WHERE day <= '{today:%Y/%m/%d}' ORDER BY n") in ([["1"], ["2"]], [["1"]])
    put(s3, "hourly/2025-12-31-23/a.json", 5)
    put(s3, "hourly/2026-01-01-00/a.json", 6)
    hours = {"projection__h__interval": "1", "projection__h__interval__unit": "HOURS"}
    projected(
        queries, "hourly", "h string", projection__h__type="date", projection__h__format="yyyy-MM-dd-HH",
        projection__h__range="2025-12-31-00,2026-01-01-00", storage__location__template="s3://lake/hourly/${h}/", **hours,
    )  # fmt: skip
    assert queries.rows("SELECT n, h FROM hourly ORDER BY n") == [["5", "2025-12-31-23"], ["6", "2026-01-01-00"]]


def test_an_injected_key_must_be_named(queries: Queries, s3: Any) -> None:
    put(s3, "devices/id=a/a.json", 1)
    put(s3, "devices/id=b/a.json", 2)
    projected(queries, "devices", "id string", projection__id__type="injected")
    assert queries.rows("SELECT n, id FROM devices WHERE id = 'b'") == [["2", "b"]]
    assert queries.rows("SELECT sum(n) FROM devices WHERE id IN ('a', 'b', 'none')") == [["3"]]
    assert queries.rows("SELECT n FROM devices WHERE id = ?", ExecutionParameters=["'a'"]) == [["1"]]
    for where in ("", "WHERE id > 'a'", "WHERE id = 'a' OR n = 1"):
        assert queries.failure(f"SELECT n FROM devices {where}").startswith(
            "CONSTRAINT_VIOLATION: For the injected projected partition column id"
        )


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({}, "INVALID_TABLE_PROPERTY: Table around.wrong: projection.d.type is missing"),
        ({"projection__d__type": "integer", "projection__d__range": "a,b"}, "INVALID_TABLE_PROPERTY"),
        ({"projection__d__type": "date", "projection__d__range": "NOW,NOW", "projection__d__format": "yyyy-MM-dd HH"},
         "INVALID_TABLE_PROPERTY: Table around.wrong: projection.d.interval.unit is missing"),
        ({"projection__d__type": "date", "projection__d__range": "NOW,NOW", "projection__d__format": "YYYY"},
         "NOT_SUPPORTED: YYYY in the date format YYYY"),
        ({"projection__d__type": "enum", "projection__d__values": "a", "storage__location__template": "s3://lake/x/"},
         "INVALID_TABLE_PROPERTY: Table around.wrong: storage.location.template has no ${d}"),
        ({"projection__d__type": "integer", "projection__d__range": "1,9999999999"}, "NOT_SUPPORTED"),
    ],
)  # fmt: skip
def test_a_projection_that_says_too_little_is_named(queries: Queries, properties: dict[str, str], reason: str) -> None:
    queries.run("DROP TABLE IF EXISTS wrong")
    projected(queries, "wrong", "d string", **({"x": "y"} | properties))
    assert queries.failure("SELECT * FROM wrong").startswith(reason)


def test_a_plan_names_the_tables_and_the_partitions_that_are_read(queries: Queries, s3: Any) -> None:
    for day in "ab":
        put(s3, f"planned/d={day}/a.json", 1)
    queries.run("CREATE EXTERNAL TABLE planned (n bigint) PARTITIONED BY (d string) ROW FORMAT "
                f"SERDE '{OPENX}' LOCATION 's3://lake/planned/'")  # fmt: skip
    queries.run("MSCK REPAIR TABLE planned")
    plan = [
        line or "" for (line,) in queries.rows("EXPLAIN SELECT d, sum(n) AS s FROM planned WHERE d > 'a' GROUP BY d")
    ]
    assert plan[:3] == ["Query Plan", "Output[d:varchar, s:bigint]", "TableScan[table = awsdatacatalog:around:planned]"]
    assert plan[3:6] == ["    Files: 1, 9 bytes", "    Partitions: 1, where \"d\" > 'a'", "        d=b"]
    assert not [line for line in plan if "/" in line], "nothing of this machine"
    assert queries.rows("EXPLAIN (TYPE VALIDATE) SELECT 1") == [["true"]]
    assert queries.failure("EXPLAIN SELECT x FROM planned").startswith("COLUMN_NOT_FOUND")
    for refused in ("ANALYZE SELECT 1", "(FORMAT JSON) SELECT 1", "(TYPE IO) SELECT 1", "SHOW TABLES"):
        assert queries.failure(f"EXPLAIN {refused}").startswith("NOT_SUPPORTED: EXPLAIN"), refused


def test_delimited_text_holds_arrays_maps_and_structs_and_what_does_not_fit_is_null(queries: Queries, s3: Any) -> None:
    rows = "1|a,b|x:1,y|7,z|TRUE|1.5|2025-01-02 03:04:05.6\n1.5|||8||1e2|2025-01-02\n\n\\N|\\N\n"
    s3.put_object(Bucket="lake", Key="lazy/a.txt", Body=rows.encode())
    queries.run(
        "CREATE EXTERNAL TABLE lazy (i int, a array<string>, m map<string,int>, s struct<p:int,q:string>, b boolean, "
        "d double, t timestamp) ROW FORMAT DELIMITED FIELDS TERMINATED BY '|' ESCAPED BY '\\\\' COLLECTION ITEMS TERMINATED "
        "BY ',' MAP KEYS TERMINATED BY ':' NULL DEFINED AS '\\\\N' LOCATION 's3://lake/lazy/'"
    )
    assert queries.failure("SELECT * FROM lazy") == (
        "NOT_SUPPORTED: delimited text in which the character of ESCAPED BY occurs is not supported by the local Athena yet"
    )
    s3.put_object(Bucket="lake", Key="lazy/a.txt", Body=rows.replace("\\N", "NULL").encode())
    queries.run("ALTER TABLE lazy SET TBLPROPERTIES ('x' = 'y')")
    assert queries.rows("SELECT * FROM lazy WHERE d = 1.5") == [
        ["1", "[a, b]", "{x=1, y=null}", "{p=7, q=z}", "true", "1.5", "2025-01-02 03:04:05.600"]
    ]
    assert queries.rows("SELECT i, a, m, s, b, t FROM lazy WHERE d = 100") == [
        [None, "[]", "{}", "{p=8, q=null}", None, None]
    ]
    assert queries.rows("SELECT count(*) FROM lazy") == [["4"]]


def test_quoted_text_is_read_by_its_serdes_properties(queries: Queries, s3: Any) -> None:
    serde = "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde'"
    create = (
        f"CREATE EXTERNAL TABLE {{}} (s string, i int, b boolean, t timestamp, d date) {serde} {{}} LOCATION '{{}}'"
    )
    body = b'"say \\"hi\\" \\\\",1,true,"1579059880000",18276\n"",2,FALSE\n'
    s3.put_object(Bucket="lake", Key="quoted/a.csv", Body=body)
    queries.run(create.format("quotes", "", "s3://lake/quoted/"))
    assert queries.rows("SELECT * FROM quotes ORDER BY i") == [
        ['say "hi" \\', "1", "true", "2020-01-15 03:44:40.000", "2020-01-15"], ["", "2", "false", None, None],
    ]  # fmt: skip
    s3.put_object(Bucket="lake", Key="ticks/a.csv", Body=b"'a;''b''';3\nc;\n\n")
    properties = "WITH SERDEPROPERTIES ('separatorChar' = ';', 'quoteChar' = \"'\")"
    queries.run(create.format("ticks", properties, "s3://lake/ticks/"))
    assert queries.rows("SELECT s FROM ticks ORDER BY s") == [[""], ["a;'b'"], ["c"]]
    assert queries.failure("SELECT i FROM ticks").startswith("HIVE_BAD_DATA: Error parsing column of type integer: ")
    queries.run("ALTER TABLE ticks SET TBLPROPERTIES ('use.null.for.invalid.data' = 'true')")
    assert queries.rows("SELECT i FROM ticks ORDER BY i") == [["3"], [None], [None]]
    s3.put_object(Bucket="lake", Key="quoted/b.csv", Body=b"C:\\temp,1\n")
    assert queries.failure("SELECT s FROM quotes").startswith("NOT_SUPPORTED: \\ other than before a quote or itself")


def test_columns_are_changed_and_partitions_renamed(queries: Queries, s3: Any) -> None:
    put(s3, "moved/d=a/a.json", 1)
    put(s3, "moved/elsewhere/a.json", 2)
    queries.run("CREATE EXTERNAL TABLE moved (x string COMMENT 'old', n int) PARTITIONED BY (d string) ROW FORMAT "
                f"SERDE '{OPENX}' LOCATION 's3://lake/moved/'")  # fmt: skip
    queries.run("ALTER TABLE moved ADD PARTITION (d = 'a')")
    queries.run("ALTER TABLE moved CHANGE COLUMN n n bigint COMMENT 'wider' FIRST")
    queries.run("ALTER TABLE moved CHANGE x y string AFTER n")
    assert queries.columns("SELECT * FROM moved") == [("n", "bigint"), ("y", "varchar"), ("d", "varchar")]
    assert queries.rows("DESCRIBE moved")[1] == ["y                   \tstring              \told                 "]
    queries.run("ALTER TABLE moved PARTITION (d = 'a') RENAME TO PARTITION (d = 'b')")
    assert queries.rows("SELECT n, d FROM moved") == [["1", "b"]]
    queries.run("ALTER TABLE moved PARTITION (d = 'b') SET LOCATION 's3://lake/moved/elsewhere/'")
    assert queries.rows("SELECT n, d FROM moved") == [["2", "b"]]
    for words, reason in [
        ("CHANGE z q int", "Invalid column reference z"),
        ("CHANGE y d string", "Duplicate column name: d"),
        ("PARTITION (d = 'c') RENAME TO PARTITION (d = 'e')", "Partition not found"),
        ("PARTITION (d = 'b') SET FILEFORMAT ORC", "NOT_SUPPORTED: ALTER TABLE PARTITION SET FILEFORMAT"),
    ]:
        assert reason in queries.failure(f"ALTER TABLE moved {words}")


def test_a_prepared_insert_is_executed(queries: Queries) -> None:
    queries.run("CREATE EXTERNAL TABLE filled (n int) STORED AS PARQUET LOCATION 's3://lake/filled/'")
    queries.run("PREPARE fill FROM INSERT INTO filled SELECT ?")
    execution = queries.run("EXECUTE fill USING 7")
    answer = queries.client.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert (answer["UpdateCount"], answer["ResultSet"]["Rows"]) == (1, [])
    assert queries.rows("SELECT * FROM filled") == [["7"]]
    queries.run("DEALLOCATE PREPARE fill")
