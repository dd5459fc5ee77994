"""Tables through Athena: Glue's schema over files in S3, whatever the files hold; DDL and what it leaves in Glue."""

import base64
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from athena_client import Queries
from endpoint_process import EndpointProcess

Client = Callable[..., Any]
OPENX = "org.openx.data.jsonserde.JsonSerDe"
EVENTS = {
    "26": [{"event_type": "click", "n": 1, "ts": "2025-11-26T10:00:00.123Z"}, {"event_type": "view", "n": 2}],
    "27": [{"event_type": "click", "n": 3, "other": [1]}],
}


@pytest.fixture(scope="module")
def queries(aws: Client, s3: Any) -> Queries:
    queries = Queries(aws("athena"))
    queries.run("CREATE DATABASE db COMMENT 'for tests'", QueryExecutionContext={})
    return queries


def put_json(s3: Any, key: str, rows: list[Any]) -> int:
    """Newline-delimited, gzipped if the key says so; -> bytes stored."""
    data = "".join(json.dumps(r) + "\n" for r in rows).encode()
    stored = gzip.compress(data) if key.endswith(".gz") else data
    s3.put_object(Bucket="lake", Key=key, Body=stored)
    return len(stored)


def put_parquet(s3: Any, key: str, select: str, directory: Path) -> int:
    target = directory / "file.parquet"
    duckdb.connect().execute(f"COPY ({select}) TO '{target}' (FORMAT parquet, ROW_GROUP_SIZE 50000)")
    s3.put_object(Bucket="lake", Key=key, Body=target.read_bytes())
    return target.stat().st_size


@pytest.fixture(scope="module")
def events(queries: Queries, s3: Any) -> dict[str, int]:
    """The seed's table in small: two days, not yet registered. -> bytes by day."""
    sizes = {day: put_json(s3, f"events/year=2025/month=11/day={day}/a.json.gz", rows) for day, rows in EVENTS.items()}
    queries.run(
        "CREATE EXTERNAL TABLE IF NOT EXISTS events (event_type string COMMENT 'what happened', n bigint, ts timestamp, "
        "missing map<string,double>) COMMENT 'all of them' PARTITIONED BY (year string, month string, day string) "
        f"ROW FORMAT SERDE '{OPENX}' LOCATION 's3://lake/events/' TBLPROPERTIES ('classification' = 'json')"
    )
    return sizes


def test_only_registered_partitions_are_visible(queries: Queries, events: dict[str, int]) -> None:
    assert queries.rows("SELECT * FROM events") == []
    lines = queries.rows("MSCK REPAIR TABLE events;")
    assert ["Repair: Added partition to metastore events:year=2025/month=11/day=26"] in lines
    assert queries.rows("MSCK REPAIR TABLE events;") == []
    assert queries.rows("SHOW PARTITIONS events") == [["year=2025/month=11/day=26"], ["year=2025/month=11/day=27"]]


def test_the_schema_is_glues_and_the_partition_keys_come_last(queries: Queries, events: dict[str, int]) -> None:
    queries.run("MSCK REPAIR TABLE events")
    assert queries.columns("SELECT * FROM events") == [
        ("event_type", "varchar"), ("n", "bigint"), ("ts", "timestamp"), ("missing", "map"), ("year", "varchar"),
        ("month", "varchar"), ("day", "varchar"),
    ]  # fmt: skip
    assert queries.rows("SELECT * FROM db.events ORDER BY n LIMIT 2;") == [
        ["click", "1", "2025-11-26 10:00:00.123", None, "2025", "11", "26"],
        ["view", "2", None, None, "2025", "11", "26"],
    ]


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ("", ["26", "27"]),
        ("WHERE year='2025' AND month='11' AND day='26'", ["26"]),
        ("WHERE day IN ('27', '28')", ["27"]),
        ("WHERE e.day >= '27'", ["27"]),
        ("WHERE CAST(day AS integer) < 27 AND n > 0", ["26"]),
        ("WHERE concat(year, '-', month, '-', day) = '2025-11-27'", ["27"]),
        ("WHERE day = '26' OR n = 3", ["26", "27"]),
        ("WHERE day LIKE '%7'", ["27"]),
        ("WHERE day = '30'", []),
    ],
)
def test_only_the_bytes_of_the_partitions_asked_for_are_read(
    queries: Queries, events: dict[str, int], where: str, days: list[str]
) -> None:
    queries.run("MSCK REPAIR TABLE events")
    for source in ("events e", "(SELECT * FROM events) e"):
        execution = queries.run(f"SELECT event_type, count(*) FROM {source} {where} GROUP BY event_type")
        assert execution["Statistics"]["DataScannedInBytes"] == sum(events[day] for day in days), source


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("WITH w AS (SELECT day AS d, n FROM events) SELECT n FROM w WHERE d = '27'", [["3"]]),
        ("SELECT n FROM (SELECT n, day FROM events ORDER BY n LIMIT 2) WHERE day = '26'", [["1"], ["2"]]),
        (
            "SELECT n, r FROM (SELECT n, day, row_number() OVER (ORDER BY n) AS r FROM events) WHERE day = '27'",
            [["3", "3"]],
        ),
        ("SELECT a.n, b.n FROM events a LEFT JOIN events b ON a.n = b.n AND b.day = '27' ORDER BY 1",
         [["1", None], ["2", None], ["3", "3"]]),
        ("SELECT a.n FROM events a LEFT JOIN events b ON a.n = b.n WHERE b.day IS NULL", []),
        ("SELECT count(*) FROM events WHERE day = (SELECT max(day) FROM events)", [["1"]]),
        ("SELECT day, c FROM (SELECT day, count(*) AS c FROM events GROUP BY day) WHERE day = '26'", [["26", "2"]]),
        (
            "SELECT x FROM (SELECT day AS x FROM events UNION ALL SELECT 'z') WHERE x > '26' ORDER BY x",
            [["27"], ["z"]],
        ),
    ],
)  # fmt: skip
def test_pruning_never_changes_an_answer(
    queries: Queries, events: dict[str, int], sql: str, rows: list[list[str | None]]
) -> None:
    queries.run("MSCK REPAIR TABLE events")
    assert queries.rows(sql) == rows


def test_the_path_of_a_row_is_a_hidden_column(queries: Queries, events: dict[str, int]) -> None:
    queries.run("MSCK REPAIR TABLE events")
    path = "s3://lake/events/year=2025/month=11/day=27/a.json.gz"
    assert queries.rows("SELECT \"$path\", n FROM events WHERE day = '27'") == [[path, "3"]]
    assert len(queries.columns('SELECT *, "$path" FROM events')) == 8
    assert queries.columns('SELECT *, "$path" AS "$path" FROM events')[-1][0] == "$path"


def test_json_is_read_by_the_serdes_rules(queries: Queries, s3: Any) -> None:
    put_json(s3, "rules/1.json", [{"userId": "u1", "tags": ["a", 1], "s": {"x": 1}, "price": 1.25, "raw": {"k": [1]}}])
    put_json(s3, "rules/2.json", [{"userid": 7, "price": "2.5", "raw": "text"}, {"USERID": None}])
    s3.put_object(Bucket="lake", Key="rules/_SUCCESS", Body=b"not json")
    queries.run(
        "CREATE EXTERNAL TABLE rules (UserId string, tags array<string>, s struct<x:int>, price decimal(10,2), raw string)"
        f" ROW FORMAT SERDE '{OPENX}' LOCATION 's3://lake/rules'"
    )
    assert queries.rows("SELECT * FROM rules WHERE price IS NOT NULL ORDER BY price") == [
        ["u1", "[a, 1]", "{x=1}", "1.25", '{"k":[1]}'],
        ["7", None, None, "2.50", "text"],
    ]


def test_a_line_that_is_not_json_is_an_error_unless_the_table_ignores_it(queries: Queries, s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="bad/a.json", Body=b'{"n": 1}\n{"n": 2\n')
    create = "CREATE EXTERNAL TABLE {} (n bigint) ROW FORMAT SERDE '" + OPENX + "' {} LOCATION 's3://lake/bad/'"
    queries.run(create.format("bad", ""))
    queries.run(create.format("lenient", "WITH SERDEPROPERTIES ('ignore.malformed.json' = 'true')"))
    assert queries.failure("SELECT * FROM bad") == "HIVE_CURSOR_ERROR: Row is not a valid JSON Object"
    assert queries.rows("SELECT count(n), count(*) FROM lenient") == [["1", "2"]]
    put_json(s3, "bad/a.json", [{"n": "many"}])
    assert queries.failure("SELECT * FROM bad").startswith("HIVE_BAD_DATA")


def test_parquet_is_read_by_column_name_and_cast_to_glues_types(queries: Queries, s3: Any, tmp_path: Path) -> None:
    put_parquet(s3, "evolved/day=1/a.parquet", "SELECT 1::INTEGER AS a, 'x' AS \"B\"", tmp_path)
    put_parquet(
        s3, "evolved/day=2/a.parquet", "SELECT 'y' AS b, 2::SMALLINT AS a, 9 AS gone, 1.5::FLOAT AS c", tmp_path
    )
    queries.run(
        "CREATE EXTERNAL TABLE evolved (a bigint, b string, c double) PARTITIONED BY (day int) STORED AS PARQUET "
        "LOCATION 's3://lake/evolved/'"
    )
    queries.run("MSCK REPAIR TABLE evolved")
    assert queries.rows("SELECT * FROM evolved ORDER BY day") == [["1", "x", None, "1"], ["2", "y", "1.5", "2"]]
    assert queries.columns("SELECT a, day FROM evolved") == [("a", "bigint"), ("day", "integer")]
    assert queries.rows("SELECT a FROM evolved WHERE day > 1") == [["2"]]


def test_of_parquet_only_the_columns_asked_for_are_read(queries: Queries, s3: Any, tmp_path: Path) -> None:
    select = "SELECT range AS n, md5(range::VARCHAR) AS text FROM range(200000)"
    size = put_parquet(s3, "wide/a.parquet", select, tmp_path)
    queries.run("CREATE EXTERNAL TABLE wide (n bigint, text string) STORED AS PARQUET LOCATION 's3://lake/wide/'")

    def scanned(sql: str) -> int:
        return int(queries.run(sql)["Statistics"]["DataScannedInBytes"])

    assert scanned("SELECT count(*) FROM wide") < 0.02 * size
    assert 0 < scanned("SELECT sum(n) FROM wide") < 0.4 * size
    assert 0.5 * size < scanned("SELECT max(length(text)) FROM wide") < size
    assert scanned("SELECT n, text FROM wide WHERE n > 199000") < 0.5 * size


def test_partitions_may_lie_anywhere(queries: Queries, s3: Any) -> None:
    put_json(s3, "elsewhere/x/a.json", [{"n": 1}])
    put_json(s3, "elsewhere/y/a.json", [{"n": 2}])
    queries.run(
        "CREATE EXTERNAL TABLE scattered (n bigint) PARTITIONED BY (d string) "
        f"ROW FORMAT SERDE '{OPENX}' LOCATION 's3://lake/none/'"
    )
    queries.run(
        "ALTER TABLE scattered ADD PARTITION (d = 'one') LOCATION 's3://lake/elsewhere/x' "
        "PARTITION (d = 'two''s') LOCATION 's3://lake/elsewhere/y/'"
    )
    assert queries.rows("SELECT * FROM scattered ORDER BY n") == [["1", "one"], ["2", "two's"]]
    assert queries.rows("SELECT n FROM scattered WHERE d = 'one'") == [["1"]]
    queries.run("ALTER TABLE scattered DROP PARTITION (d = 'one')")
    assert queries.rows("SHOW PARTITIONS scattered") == [["d=two%27s"]]
    queries.run("ALTER TABLE scattered ADD IF NOT EXISTS PARTITION (d = 'two''s')")


def test_delimited_text(queries: Queries, s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="csv/a.csv", Body=b'id,name\n1,"a,b"\nx,"say ""hi"""\n')
    queries.run(
        "CREATE EXTERNAL TABLE quoted (id string, name string) ROW FORMAT SERDE "
        "'org.apache.hadoop.hive.serde2.OpenCSVSerde' LOCATION 's3://lake/csv/' TBLPROPERTIES ('skip.header.line.count'='1')"
    )
    assert queries.rows("SELECT * FROM quoted ORDER BY id") == [["1", "a,b"], ["x", 'say "hi"']]
    s3.put_object(Bucket="lake", Key="csv/a.csv.bz2", Body=b"BZh91AY")
    assert queries.failure("SELECT * FROM quoted").startswith("NOT_SUPPORTED: reading files compressed as .bz2")
    s3.put_object(Bucket="lake", Key="tsv/a.tsv", Body=b"1\tone\nx\t\\N\n3\n")
    queries.run(
        "CREATE EXTERNAL TABLE tabbed (id int, name string) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' "
        "LOCATION 's3://lake/tsv/'"
    )
    assert queries.rows("SELECT * FROM tabbed ORDER BY id") == [["1", "one"], ["3", None], [None, None]]


def test_what_a_table_is_can_be_seen(queries: Queries, events: dict[str, int], aws: Client) -> None:
    assert ["events"] in queries.rows("SHOW TABLES")
    assert queries.rows("SHOW TABLES IN db 'event*'") == [["events"]]
    assert ["db"] in queries.rows("SHOW DATABASES")
    assert queries.rows("SHOW COLUMNS IN events")[0] == ["event_type          "]
    described = [line for (line,) in queries.rows("DESCRIBE events")]
    assert described[0] == "event_type          \tstring              \twhat happened       "
    assert described[-1] == "day                 \tstring              \t                    "
    assert "# Partition Information\t \t " in described
    created = "\n".join(line or "" for (line,) in queries.rows("SHOW CREATE TABLE events"))
    assert created.startswith("CREATE EXTERNAL TABLE `events`(\n  `event_type` string COMMENT 'what happened', \n")
    assert queries.rows("SHOW CREATE TABLE db.events")[0] == ["CREATE EXTERNAL TABLE `db.events`("]
    assert "'s3://lake/events/'" in created
    assert "serialization.format" not in created
    table = aws("glue").get_table(DatabaseName="db", Name="events")["Table"]
    assert table["PartitionKeys"] == [{"Name": n, "Type": "string"} for n in ("year", "month", "day")]
    assert table["Parameters"] == {"EXTERNAL": "TRUE", "classification": "json", "comment": "all of them"}


def test_what_show_create_table_says_makes_the_table_again(queries: Queries, s3: Any) -> None:
    queries.run(
        "CREATE EXTERNAL TABLE again (a int, b map<string,array<int>>) STORED AS PARQUET LOCATION 's3://lake/no/'"
    )
    created = "\n".join(line or "" for (line,) in queries.rows("SHOW CREATE TABLE again"))
    queries.run("DROP TABLE again")
    queries.run(created)
    assert "\n".join(line or "" for (line,) in queries.rows("SHOW CREATE TABLE again")) == created


def test_tables_are_altered(queries: Queries, s3: Any) -> None:
    put_json(s3, "altered/a.json", [{"a": 1, "b": 2}])
    queries.run(f"CREATE EXTERNAL TABLE altered (a int) ROW FORMAT SERDE '{OPENX}' LOCATION 's3://lake/none/'")
    queries.run("ALTER TABLE altered SET LOCATION 's3://lake/altered/'")
    queries.run("ALTER TABLE altered ADD COLUMNS (b bigint COMMENT 'new')")
    queries.run("ALTER TABLE altered SET TBLPROPERTIES ('x' = 'y')")
    assert queries.rows("SELECT * FROM altered") == [["1", "2"]]
    assert queries.rows("SHOW TBLPROPERTIES altered") == [["EXTERNAL\tTRUE"], ["x\ty"]]


def test_views_are_kept_in_glue(queries: Queries, events: dict[str, int], aws: Client) -> None:
    queries.run("MSCK REPAIR TABLE events")
    queries.run("CREATE VIEW by_type AS SELECT event_type, count(*) AS c, day FROM events GROUP BY event_type, day")
    assert queries.failure("CREATE VIEW by_type AS SELECT 1 AS x").startswith("TABLE_ALREADY_EXISTS")
    assert queries.failure("CREATE VIEW nameless AS SELECT 1").startswith("MISSING_COLUMN_NAME")
    queries.run("CREATE OR REPLACE VIEW wrapped AS SELECT * FROM by_type")
    execution = queries.run("SELECT * FROM wrapped w WHERE w.day = '27'")
    assert execution["Statistics"]["DataScannedInBytes"] == events["27"]
    assert queries.rows("SELECT event_type, c FROM wrapped WHERE day = '26' ORDER BY 1") == [
        ["click", "1"],
        ["view", "1"],
    ]
    assert queries.rows("SHOW VIEWS") == [["by_type"], ["wrapped"]]
    table = aws("glue").get_table(DatabaseName="db", Name="by_type")["Table"]
    assert (table["TableType"], table["Parameters"]["presto_view"]) == ("VIRTUAL_VIEW", "true")
    assert [c["Type"] for c in table["StorageDescriptor"]["Columns"]] == ["string", "bigint", "string"]
    queries.run("DROP VIEW wrapped")
    assert queries.failure("SELECT * FROM wrapped").startswith("TABLE_NOT_FOUND")
    assert "FAILED" in queries.failure("DROP TABLE by_type")


def test_an_interval_is_added_to_what_a_window_finds_in_a_table_a_view_or_a_with(queries: Queries, s3: Any) -> None:
    """The usual way to cut sessions; a date stays a date, a timestamp a timestamp."""
    put_json(
        s3, "moments/a.json", [{"at": f"2025-11-26 10:{m}:00.000", "on": "2025-11-26"} for m in ("00", "29", "59")]
    )
    queries.run(
        f"CREATE EXTERNAL TABLE moments (at timestamp, on_day date) ROW FORMAT SERDE '{OPENX}' WITH SERDEPROPERTIES "
        "('mapping.on_day' = 'on') LOCATION 's3://lake/moments/'"
    )
    queries.run("CREATE VIEW seen AS SELECT at AS moment, on_day AS day FROM (SELECT * FROM moments)")
    late = "lag({0}) OVER (ORDER BY {0}) + INTERVAL '29' MINUTE < {0}"
    for source, column in (("moments", "at"), ("seen", "moment"), ("(SELECT * FROM seen)", "moment")):
        sql = f"SELECT {late.format(column)} FROM {source} ORDER BY {column}"
        assert queries.rows(sql) == [[None], ["false"], ["true"]]
    of_with = f"WITH w AS (SELECT moment FROM seen) SELECT {late.format('moment')} FROM w ORDER BY moment"
    assert queries.rows(of_with) == [[None], ["false"], ["true"]]
    assert queries.rows("SELECT max(day) + INTERVAL '1' DAY FROM seen") == [["2025-11-27"]]


def test_a_view_that_terraform_made_is_read(queries: Queries, aws: Client) -> None:
    sql = "WITH t AS (SELECT 1 AS x) SELECT x, 'a' AS y FROM t"
    text = {
        "originalSql": sql,
        "catalog": "awsdatacatalog",
        "schema": "db",
        "columns": [{"name": "x", "type": "integer"}],
    }
    encoded = base64.b64encode(json.dumps(text).encode()).decode()
    table = {
        "Name": "by_terraform",
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true"},
        "StorageDescriptor": {"Columns": [{"Name": "x", "Type": "int"}, {"Name": "y", "Type": "string"}]},
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }
    aws("glue").create_table(DatabaseName="db", TableInput=table)
    assert queries.rows("WITH t AS (SELECT 5 AS z) SELECT v.y, t.z FROM db.by_terraform v, t") == [["a", "5"]]


def test_databases_and_tables_are_dropped(queries: Queries) -> None:
    queries.run("CREATE DATABASE IF NOT EXISTS gone")
    queries.run("CREATE EXTERNAL TABLE gone.t (a int) LOCATION 's3://lake/none/'")
    assert "not empty" in queries.failure("DROP DATABASE gone")
    queries.run("DROP TABLE gone.t")
    queries.run("DROP TABLE IF EXISTS gone.t")
    assert "Table not found gone.t" in queries.failure("DROP TABLE gone.t")
    queries.run("DROP DATABASE gone CASCADE")
    assert "Database does not exist: gone" in queries.failure("DROP SCHEMA gone")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("CREATE EXTERNAL TABLE t (a int)", "LOCATION"),
        ("CREATE EXTERNAL TABLE t (a blob) LOCATION 's3://lake/x/'", "Unknown hive type: blob"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS AVRO LOCATION 's3://lake/x/'", "NOT_SUPPORTED: STORED AS AVRO"),
        ("CREATE EXTERNAL TABLE t (a int) NONSENSE", "line 1:33 mismatched input 'NONSENSE'"),
        ("ALTER TABLE events RENAME TO x", "NOT_SUPPORTED: ALTER TABLE RENAME"),
        ("ALTER TABLE events ADD PARTITION (nope = '1')", "Non-Partition column appears"),
        (
            "SELECT * FROM events WHERE ts > '2025-01-01'",
            "Cannot apply operator: timestamp(3) > varchar(10)",
        ),
        ("SELECT * FROM events e WHERE e.n = '1'", "TYPE_MISMATCH"),
        ("SHOW PARTITIONS nope", "Table not found db.nope"),
        ("MSCK REPAIR TABLE nope", "Table not found db.nope"),
    ],
)
def test_a_statement_that_is_wrong_says_where(queries: Queries, events: dict[str, int], sql: str, reason: str) -> None:
    assert reason in queries.failure(sql)


def test_a_file_that_is_no_parquet_is_bad_data(queries: Queries, s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="broken/a.parquet", Body=io.BytesIO(b"no parquet at all").read())
    queries.run("CREATE EXTERNAL TABLE broken (a int) STORED AS PARQUET LOCATION 's3://lake/broken/'")
    assert queries.failure("SELECT * FROM broken").startswith("HIVE_BAD_DATA")


def test_a_hundred_partitions_a_month_are_found_at_once(queries: Queries, s3: Any, endpoint: EndpointProcess) -> None:
    for day in range(40):
        put_json(s3, f"days/d={day:03}/a.json", [{"n": day}])
    queries.run(
        f"CREATE EXTERNAL TABLE days (n bigint) PARTITIONED BY (d string) ROW FORMAT SERDE '{OPENX}' "
        "LOCATION 's3://lake/days/'"
    )
    queries.run("MSCK REPAIR TABLE days")
    assert queries.rows("SELECT count(*), sum(n) FROM days") == [["40", "780"]]
    assert queries.rows("SELECT n FROM days WHERE d = '039'") == [["39"]]


def test_binary_in_delimited_text_is_base64_and_anything_else_is_refused(queries: Queries, s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="binary/a.tsv", Body=b"1\tMTIz\n2\t\\N\n3\t\n4\t123\n")
    queries.run(
        "CREATE EXTERNAL TABLE bytes (n int, b binary) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' "
        "LOCATION 's3://lake/binary/'"
    )
    assert queries.rows("SELECT b FROM bytes WHERE n < 4 ORDER BY n") == [["31 32 33"], [None], [""]]
    assert queries.rows("SELECT n FROM bytes WHERE n = 4") == [["4"]]
    assert queries.failure("SELECT b FROM bytes").startswith("NOT_SUPPORTED: binary that is not Base64")


def test_what_dbt_and_pyathena_write_into_is_written(queries: Queries) -> None:
    queries.run(
        "CREATE TABLE external WITH (table_type = 'hive', is_external = true, format = 'parquet') AS SELECT 1 AS n"
    )
    refused = "CREATE TABLE internal WITH (is_external = false) AS SELECT 1 AS n"
    assert queries.failure(refused).startswith("NOT_SUPPORTED: is_external = false")
    queries.run(
        "CREATE EXTERNAL TABLE lines (n int) ROW FORMAT DELIMITED FIELDS TERMINATED BY '\\t' "
        "LINES TERMINATED BY '\\n' STORED AS TEXTFILE LOCATION 's3://lake/lines/'"
    )
    queries.run("INSERT INTO lines SELECT n + 1 FROM external")
    assert queries.rows("SELECT n FROM lines") == [["2"]]


def test_a_sequence_up_to_a_column_is_unnested(queries: Queries, s3: Any) -> None:
    put_json(s3, "counted/a.json", [{"n": 3}, {"n": 2}])
    queries.run(f"CREATE EXTERNAL TABLE counted (n int) ROW FORMAT SERDE '{OPENX}' LOCATION 's3://lake/counted/'")
    assert queries.rows(
        "SELECT n, sum(x) FROM counted CROSS JOIN UNNEST(sequence(1, n)) AS u (x) GROUP BY n ORDER BY n"
    ) == [
        ["2", "3"],
        ["3", "6"],
    ]
    assert queries.rows("SELECT x FROM counted, UNNEST(sequence(n, 2 * n, n)) AS u (x) ORDER BY x") == [
        ["2"], ["3"], ["4"], ["6"],
    ]  # fmt: skip
