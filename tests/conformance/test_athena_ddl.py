"""Athena's DDL reference, statement by statement, as AWS's pages write it; what it leaves is looked at through Glue."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from athena_client import Queries

Client = Callable[..., Any]
REGEX = "org.apache.hadoop.hive.serde2.RegexSerDe"


@pytest.fixture(scope="module")
def glue(aws: Client) -> Any:
    return aws("glue")


@pytest.fixture(scope="module")
def queries(aws: Client, s3: Any) -> Queries:
    queries = Queries(aws("athena"), "ref")
    queries.run("CREATE DATABASE ref", QueryExecutionContext={})
    return queries


def lines(queries: Queries, sql: str) -> list[str]:
    return [line or "" for (line,) in queries.rows(sql)]


def test_databases_are_made_altered_and_dropped(queries: Queries, glue: Any) -> None:
    queries.run(
        "CREATE DATABASE IF NOT EXISTS clickstreams COMMENT 'Site Foo clickstream data aggregates' "
        "LOCATION 's3://lake/clickstreams/' WITH DBPROPERTIES ('creator'='Jane D.', 'Dept.'='Marketing analytics');"
    )
    queries.run(
        "ALTER DATABASE clickstreams SET DBPROPERTIES ('creator'='John Doe', 'department'='applied mathematics');"
    )
    queries.run("ALTER SCHEMA clickstreams SET DBPROPERTIES ('creator'='Jane Doe')")
    made = glue.get_database(Name="clickstreams")["Database"]
    assert (made["Description"], made["LocationUri"]) == (
        "Site Foo clickstream data aggregates",
        "s3://lake/clickstreams/",
    )
    assert made["Parameters"] == {
        "creator": "Jane Doe",
        "Dept.": "Marketing analytics",
        "department": "applied mathematics",
    }
    assert lines(queries, "SHOW DATABASES LIKE 'click.*'") == lines(queries, "SHOW SCHEMAS LIKE 'clicks*'")
    assert lines(queries, "SHOW DATABASES LIKE 'click.*'") == ["clickstreams"]
    assert "Database does not exist: nope" in queries.failure("ALTER DATABASE nope SET DBPROPERTIES ('a' = 'b')")
    assert queries.failure("ALTER DATABASE clickstreams SET OWNER user x").startswith(
        "NOT_SUPPORTED: ALTER DATABASE SET OWNER"
    )
    queries.run("DROP SCHEMA IF EXISTS clickstreams CASCADE;")
    with pytest.raises(ClientError, match="EntityNotFoundException"):
        glue.get_database(Name="clickstreams")


def test_names_may_stand_in_backticks_together_or_each(queries: Queries, glue: Any) -> None:
    queries.run("CREATE DATABASE `my-athena-database-01`")
    queries.run(
        "CREATE EXTERNAL TABLE `my-athena-database-01`.`my-athena-table` (`_mycolumn` int, `date` date) "
        "LOCATION 's3://lake/none/'"
    )
    for name in ("`my-athena-database-01.my-athena-table`", "`my-athena-database-01`.`my-athena-table`"):
        assert lines(queries, f"DESCRIBE {name}") == [
            "_mycolumn           \tint                 \t                    ",
            "date                \tdate                \t                    ",
        ]
        assert "CREATE EXTERNAL TABLE" in lines(queries, f"SHOW CREATE TABLE {name}")[0]
    assert lines(queries, "SHOW TABLES IN `my-athena-database-01`") == ["my-athena-table"]
    for form in ("FROM `my-athena-database-01`.`my-athena-table`", "IN `my-athena-table` IN `my-athena-database-01`"):
        assert [c.strip() for c in lines(queries, f"SHOW COLUMNS {form}")] == ["_mycolumn", "date"]
    assert queries.rows('SELECT * FROM "my-athena-database-01"."my-athena-table"') == []
    queries.run("DROP TABLE `my-athena-database-01.my-athena-table`")
    queries.run("DROP DATABASE `my-athena-database-01`")


def test_a_tables_properties_are_set_and_shown(queries: Queries, glue: Any) -> None:
    queries.run("CREATE EXTERNAL TABLE orders (a int) COMMENT 'all' STORED AS PARQUET LOCATION 's3://lake/none/'")
    queries.run("ALTER TABLE orders SET TBLPROPERTIES ('notes'=\"Please don't drop this table.\")")
    queries.run(
        "ALTER TABLE orders SET TBLPROPERTIES ('parquet.compression' = 'ZSTD', 'compression_level' = 4, "
        "'EXTERNAL' = 'FALSE', 'quote' = 'it\\'s \\\\d')"
    )
    assert glue.get_table(DatabaseName="ref", Name="orders")["Table"]["Parameters"] == {
        "EXTERNAL": "TRUE", "comment": "all", "notes": "Please don't drop this table.", "parquet.compression": "ZSTD",
        "compression_level": "4", "quote": "it's \\d",
    }  # fmt: skip
    assert lines(queries, "SHOW TBLPROPERTIES orders('comment');") == ["all"]
    assert lines(queries, "SHOW TBLPROPERTIES orders('x')") == ["Table orders does not have property: x"]


def test_partitions_are_added_dropped_renamed_and_moved(queries: Queries, glue: Any) -> None:
    queries.run(
        "CREATE EXTERNAL TABLE sold (a int) PARTITIONED BY (dt string, country string) STORED AS PARQUET "
        "LOCATION 's3://lake/sold/'"
    )
    queries.run(
        "ALTER TABLE sold ADD PARTITION (dt = '2016-05-14', country = 'IN') LOCATION 's3://lake/INDIA_14_May_2016/' "
        "PARTITION (dt = '2016-05-15', country = 'IN') PARTITION (dt = '2016-05-16', country = 'IN');"
    )
    queries.run("ALTER TABLE sold ADD IF NOT EXISTS PARTITION (dt = '2016-05-15', country = 'IN')")
    again = "ALTER TABLE sold ADD PARTITION (dt = '2016-05-15', country = 'IN')"
    assert "Partition already exists" in queries.failure(again)
    queries.run(
        "ALTER TABLE sold DROP PARTITION (dt = '2016-05-15', country = 'IN'), PARTITION (dt = '2016-05-16', country = 'IN');"
    )
    queries.run(
        "ALTER TABLE sold PARTITION (dt = '2016-05-14', country = 'IN') RENAME TO "
        "PARTITION (dt = '2016-05-17', country = 'IN');"
    )
    assert "Partition not found" in queries.failure("ALTER TABLE sold DROP PARTITION (dt = '1999')")
    queries.run("ALTER TABLE sold DROP IF EXISTS PARTITION (dt = '1999')")
    (only,) = glue.get_partitions(DatabaseName="ref", TableName="sold")["Partitions"]
    assert only["Values"] == ["2016-05-17", "IN"]
    assert only["StorageDescriptor"]["Location"] == "s3://lake/INDIA_14_May_2016/"
    queries.run("ALTER TABLE sold PARTITION (dt = '2016-05-17', country='IN') SET LOCATION 's3://lake/custdata/'")
    queries.run("ALTER TABLE sold PARTITION (dt = '2016-05-17', country='IN') ADD COLUMNS (event string)")
    queries.run("ALTER TABLE sold SET LOCATION 's3://lake/sold-now/'")
    (only,) = glue.get_partitions(DatabaseName="ref", TableName="sold")["Partitions"]
    assert only["StorageDescriptor"]["Location"] == "s3://lake/custdata/"
    assert [c["Name"] for c in only["StorageDescriptor"]["Columns"]] == ["a", "event"]
    table = glue.get_table(DatabaseName="ref", Name="sold")["Table"]
    assert table["StorageDescriptor"]["Location"] == "s3://lake/sold-now/"
    assert [c["Name"] for c in table["StorageDescriptor"]["Columns"]] == ["a"]


def test_columns_are_added_replaced_and_changed(queries: Queries, glue: Any) -> None:
    queries.run("CREATE EXTERNAL TABLE names (col1 string, col2 string) LOCATION 's3://lake/names/'")
    queries.run("ALTER TABLE names ADD COLUMNS (col3 string COMMENT 'third')")
    queries.run("ALTER TABLE names REPLACE COLUMNS (first_name string, last_name string, city string)")
    queries.run("ALTER TABLE names CHANGE COLUMN city town varchar(20) COMMENT 'where' AFTER first_name")
    columns = glue.get_table(DatabaseName="ref", Name="names")["Table"]["StorageDescriptor"]["Columns"]
    assert columns == [
        {"Name": "first_name", "Type": "string"},
        {"Name": "town", "Type": "varchar(20)", "Comment": "where"},
        {"Name": "last_name", "Type": "string"},
    ]
    twice = "[Error 10036]: Duplicate column name: town"
    assert twice in queries.failure("ALTER TABLE names ADD COLUMNS (town int)")
    assert twice in queries.failure("CREATE EXTERNAL TABLE x (town int, town int) LOCATION 's3://lake/x/'")
    repeated = "CREATE EXTERNAL TABLE x (d int) PARTITIONED BY (d int) LOCATION 's3://lake/x/'"
    assert "[Error 10035]: Column repeated in partitioning columns" in queries.failure(repeated)


def test_views_are_shown_and_described(queries: Queries) -> None:
    queries.run("CREATE VIEW test AS SELECT 1 AS orderkey, 5 / 2 AS half")
    queries.run("CREATE OR REPLACE VIEW test AS SELECT 1 AS orderkey, 'x' AS quarter")
    assert lines(queries, "SHOW CREATE VIEW test") == [
        "CREATE VIEW ref.test AS",
        "SELECT 1 AS orderkey, 'x' AS quarter",
    ]
    assert lines(queries, "SHOW VIEWS IN ref LIKE 'te*'") == lines(queries, "SHOW VIEWS LIKE 'other|test'") == ["test"]
    assert [line.split("\t")[0].strip() for line in lines(queries, "DESCRIBE ref.test")] == ["orderkey", "quarter"]
    queries.run("DROP VIEW IF EXISTS test")
    queries.run("DROP VIEW IF EXISTS test")


def test_odd_folders_are_no_partitions(queries: Queries, s3: Any, glue: Any) -> None:
    folders = (
        "d=a/h=1",
        "d=a",
        "D=b/h=2",
        "d=c:1/h=3",
        "h=4/d=d",
        "d=__HIVE_DEFAULT_PARTITION__/h=5",
        "d=e%3A/h=6/x",
        "d=f/h=7/_tmp",
    )
    for n, folder in enumerate(folders):
        s3.put_object(Bucket="lake", Key=f"odd/{folder}/a.txt", Body=str(n).encode())
    queries.run("CREATE EXTERNAL TABLE odd (n int) PARTITIONED BY (d string, h int) LOCATION 's3://lake/odd/'")
    queries.run("ALTER TABLE odd ADD PARTITION (d = 'gone', h = 0)")
    assert lines(queries, "MSCK REPAIR TABLE odd")[1] == "Partitions missing from filesystem:\todd:d=gone/h=0"
    assert sorted(p["Values"][0] for p in glue.get_partitions(DatabaseName="ref", TableName="odd")["Partitions"]) == [
        "__HIVE_DEFAULT_PARTITION__", "a", "e:", "f", "gone",
    ]  # fmt: skip
    assert queries.rows("SELECT n, d FROM odd ORDER BY h") == [["0", "a"], ["5", None], ["6", "e:"], ["7", "f"]]
    for where, found in (("d IS NULL", [["5"]]), ("d > 'e'", [["6"], ["7"]]), ("h = 5", [["5"]])):
        assert queries.rows(f"SELECT n FROM odd WHERE {where} ORDER BY n") == found, where
    assert queries.rows('SELECT d, h FROM "odd$partitions" WHERE d IS NULL') == [[None, "5"]]


def test_a_regular_expression_parts_lines_into_columns(queries: Queries, s3: Any) -> None:
    logs = b'#Version: 1.0\n2014-07-05\tLHR3\t4260\t"GET /"\n2014-07-06\tMIA3\tmany\t-\nnonsense\n'
    s3.put_object(Bucket="lake", Key="regex/a.log", Body=logs)
    queries.run(
        "CREATE EXTERNAL TABLE IF NOT EXISTS logs (`date` DATE, location STRING, bytes INT, request STRING, more STRING) "
        f"ROW FORMAT SERDE '{REGEX}' WITH SERDEPROPERTIES (\"input.regex\" = "
        '"^(?!#)([^ \\t]+)\\\\s+([^ \\t]+)\\\\s+([^ \\t]+)\\\\s+(\\"[^\\"]*\\"|-)$") LOCATION \'s3://lake/regex/\''
    )
    assert queries.rows("SELECT * FROM logs WHERE location IS NOT NULL ORDER BY 1") == [
        ["2014-07-05", "LHR3", "4260", '"GET /"', None],
        ["2014-07-06", "MIA3", None, "-", None],
    ]
    assert queries.rows("SELECT count(*) FROM logs") == [["4"]]
    for n, (pattern, what) in enumerate(
        [("(a)?b", "need not match"), ("(?=a)(.)", "look ahead"), ("(a)\\\\1", "reference")]
    ):
        queries.run(
            f"CREATE EXTERNAL TABLE refused{n} (a string) ROW FORMAT SERDE '{REGEX}' WITH SERDEPROPERTIES "
            f"('input.regex' = '{pattern}') LOCATION 's3://lake/regex/'"
        )
        assert what in queries.failure(f"SELECT * FROM refused{n}")


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("DESCRIBE FORMATTED t", "NOT_SUPPORTED: DESCRIBE FORMATTED"),
        ("DESCRIBE EXTENDED t", "NOT_SUPPORTED: DESCRIBE EXTENDED"),
        ("DESCRIBE t PARTITION (d = 1)", "NOT_SUPPORTED: DESCRIBE of a partition or of a column"),
        ("DESCRIBE t col.field", "NOT_SUPPORTED: DESCRIBE of a partition or of a column"),
        ("DESCRIBE DATABASE ref", "NOT_SUPPORTED: DESCRIBE DATABASE"),
        ("SHOW COLUMNS IN t LIKE 'a*'", "NOT_SUPPORTED: SHOW COLUMNS with a pattern"),
        ("SHOW FUNCTIONS", "NOT_SUPPORTED: SHOW FUNCTIONS"),
        ("ALTER VIEW v ADD DIALECT", "NOT_SUPPORTED: ALTER VIEW"),
        ("ALTER TABLE t SET SERDEPROPERTIES ('a' = 'b')", "NOT_SUPPORTED: ALTER TABLE SET SERDEPROPERTIES"),
        ("ALTER TABLE t TOUCH", "NOT_SUPPORTED: ALTER TABLE TOUCH"),
        ("ALTER TABLE t RENAME TO u", "NOT_SUPPORTED: ALTER TABLE RENAME TO"),
        ("CREATE EXTERNAL TABLE t (a int) CLUSTERED BY (a) INTO 2 BUCKETS LOCATION 's3://lake/x/'",
         "NOT_SUPPORTED: CLUSTERED BY"),
        ("CREATE EXTERNAL TABLE t (a int) STORED AS ION LOCATION 's3://lake/x/'", "NOT_SUPPORTED: STORED AS ION"),
    ],
)  # fmt: skip
def test_what_is_not_carried_out_is_refused_by_name(queries: Queries, sql: str, reason: str) -> None:
    assert queries.failure(sql).startswith(reason)
