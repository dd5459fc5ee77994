"""CREATE TABLE AS, INSERT INTO and UNLOAD: what they leave in S3 and in Glue, and what SELECT reads of it."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from botocore.exceptions import ClientError

from athena_client import RESULTS, Queries

Client = Callable[..., Any]


@pytest.fixture(scope="module")
def glue(aws: Client) -> Any:
    return aws("glue")


@pytest.fixture(scope="module")
def queries(aws: Client, s3: Any) -> Queries:
    queries = Queries(aws("athena"), "written")
    queries.run("CREATE DATABASE written", QueryExecutionContext={})
    return queries


def keys(s3: Any, prefix: str) -> list[str]:
    return [o["Key"] for o in s3.list_objects_v2(Bucket="lake", Prefix=prefix).get("Contents", [])]


def body(s3: Any, key: str) -> bytes:
    data: bytes = s3.get_object(Bucket="lake", Key=key)["Body"].read()
    return data


def written(queries: Queries, sql: str) -> int:
    """How many rows the statement says it wrote."""
    number = queries.run(sql)["QueryExecutionId"]
    answer = queries.client.get_query_results(QueryExecutionId=number)
    assert answer["ResultSet"]["Rows"] == []
    count: int = answer["UpdateCount"]
    return count


EVERY_TYPE = """SELECT 1 AS i, BIGINT '2' AS l, DECIMAL '1.25' AS d, DOUBLE '0.1' AS f, 'a' AS s, true AS b, DATE '2025-11-26' AS day,
TIMESTAMP '2025-11-26 10:00:00.123' AS ts, ARRAY[1, 2] AS a, MAP(ARRAY['k'], ARRAY[DECIMAL '1.5']) AS m,
CAST(ROW(1, 'x') AS ROW(n integer, t varchar)) AS r, CAST(NULL AS varchar) AS nothing, count(*) AS n, X'00ff' AS bin"""
EVERY_VALUE = [
    "1", "2", "1.25", "0.1", "a", "true", "2025-11-26", "2025-11-26 10:00:00.123", "[1, 2]", "{k=1.5}", "{n=1, t=x}",
    None, "1", "00 ff",
]  # fmt: skip


def test_a_table_made_of_a_query_is_parquet_with_gzip_under_the_results(queries: Queries, s3: Any, glue: Any) -> None:
    execution = queries.run(f"CREATE TABLE every AS {EVERY_TYPE}")
    number = execution["QueryExecutionId"]
    location = f"{RESULTS}tables/{number}"
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DDL", "CREATE_TABLE_AS_SELECT")
    assert execution["ResultConfiguration"]["OutputLocation"] == location
    (file,) = keys(s3, f"results/tables/{number}/")
    assert body(s3, file)[:4] == b"PAR1"
    manifest = execution["Statistics"]["DataManifestLocation"]
    assert manifest == f"{location}-manifest.csv"
    assert body(s3, manifest.removeprefix("s3://lake/")).decode() == f"s3://lake/{file}\n"
    table = glue.get_table(DatabaseName="written", Name="every")["Table"]
    assert table["StorageDescriptor"]["Location"] == f"{location}/"
    assert table["Parameters"]["parquet.compression"] == "GZIP"
    assert [c["Type"] for c in table["StorageDescriptor"]["Columns"]] == [
        "int", "bigint", "decimal(3,2)", "double", "string", "boolean", "date", "timestamp", "array<int>",
        "map<string,decimal(2,1)>", "struct<n:int,t:string>", "string", "bigint", "binary",
    ]  # fmt: skip
    assert queries.rows("SELECT * FROM every") == [EVERY_VALUE]


def test_a_table_of_json_has_gzipped_lines_and_reads_back(queries: Queries, s3: Any) -> None:
    sql = f"CREATE TABLE as_json WITH (format = 'JSON', external_location = 's3://lake/as_json') AS {EVERY_TYPE}"
    queries.run(sql)
    (file,) = keys(s3, "as_json/")
    assert file.endswith(".gz")
    row = json.loads(gzip.decompress(body(s3, file)))
    assert (row["ts"], row["d"], row["m"]) == ("2025-11-26 10:00:00.123", 1.25, {"k": 1.5})
    assert queries.rows("SELECT * FROM as_json") == [EVERY_VALUE]


def test_text_is_written_without_quotes(queries: Queries, s3: Any) -> None:
    queries.run(
        "CREATE TABLE as_text WITH (format = 'TEXTFILE', field_delimiter = ',', write_compression = 'NONE', "
        "external_location = 's3://lake/as_text/') AS SELECT * FROM (VALUES ('a \"b\"', 1.5E0, "
        "TIMESTAMP '2025-11-26 10:00:00'), ('', NULL, NULL)) t (s, d, ts)"
    )
    (file,) = keys(s3, "as_text/")
    assert body(s3, file).decode() == 'a "b",1.5,2025-11-26 10:00:00.000\n,\\N,\\N\n'
    assert queries.rows("SELECT * FROM as_text") == [
        ['a "b"', "1.5", "2025-11-26 10:00:00.000"], ["", None, None]
    ]  # fmt: skip
    queries.run("CREATE TABLE default_text WITH (format = 'TEXTFILE') AS SELECT 1 AS a, 'b' AS b")
    queries.run("INSERT INTO default_text VALUES (2, 'c')")
    assert queries.rows("SELECT * FROM default_text ORDER BY a") == [["1", "b"], ["2", "c"]]


def test_partitions_of_a_new_table_are_directories_and_registered(queries: Queries, s3: Any, glue: Any) -> None:
    sql = (
        "CREATE TABLE parts WITH (external_location = 's3://lake/parts/', partitioned_by = ARRAY['day', 'k']) AS "
        "SELECT n, DATE '2025-11-26' AS day, s AS k FROM (VALUES (1, 'a b/c'), (2, 'x'), (3, 'x')) t (n, s)"
    )
    assert written(queries, sql) == 3
    assert [k.rpartition("/")[0] for k in keys(s3, "parts/")] == [
        "parts/day=2025-11-26/k=a b%2Fc", "parts/day=2025-11-26/k=x"
    ]  # fmt: skip
    found = glue.get_partitions(DatabaseName="written", TableName="parts")["Partitions"]
    assert [p["Values"] for p in found] == [["2025-11-26", "a b/c"], ["2025-11-26", "x"]]
    assert found[1]["StorageDescriptor"]["Location"] == "s3://lake/parts/day=2025-11-26/k=x"
    table = glue.get_table(DatabaseName="written", Name="parts")["Table"]
    assert table["PartitionKeys"] == [{"Name": "day", "Type": "date"}, {"Name": "k", "Type": "string"}]
    assert queries.rows("SELECT k, sum(n) FROM parts GROUP BY k ORDER BY k") == [["a b/c", "1"], ["x", "5"]]


def test_rows_are_inserted_beside_those_that_are_there(queries: Queries, glue: Any) -> None:
    queries.run(
        "CREATE EXTERNAL TABLE taken (n bigint, d double, s string) PARTITIONED BY (day string) STORED AS PARQUET "
        "LOCATION 's3://lake/taken/' TBLPROPERTIES ('parquet.compression' = 'SNAPPY')"
    )
    queries.run("ALTER TABLE taken ADD PARTITION (day = '1') LOCATION 's3://lake/elsewhere/'")
    execution = queries.run("INSERT INTO taken VALUES (1, 1.5, 'a', '1'), (2, NULL, NULL, '2')")
    number = execution["QueryExecutionId"]
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "INSERT")
    assert execution["ResultConfiguration"]["OutputLocation"] == f"{RESULTS}{number}"
    assert execution["Statistics"]["DataManifestLocation"] == f"{RESULTS}{number}-manifest.csv"
    assert written(queries, "INSERT INTO taken (day, n) SELECT day, n + 10 FROM taken WHERE day = '1'") == 1
    assert queries.rows("SELECT * FROM taken ORDER BY n") == [
        ["1", "1.5", "a", "1"], ["2", None, None, "2"], ["11", None, None, "1"]
    ]  # fmt: skip
    found = glue.get_partitions(DatabaseName="written", TableName="taken")["Partitions"]
    places = {p["Values"][0]: p["StorageDescriptor"]["Location"] for p in found}
    assert places == {"1": "s3://lake/elsewhere/", "2": "s3://lake/taken/day=2"}
    assert written(queries, "INSERT INTO taken SELECT * FROM taken WHERE n > 100") == 0


def test_parameters_stand_in_statements_that_write(queries: Queries) -> None:
    queries.run("CREATE TABLE asked AS SELECT ? AS a, ? AS b", ExecutionParameters=["7", "'x'"])
    queries.run("INSERT INTO asked VALUES (?, 'y')", ExecutionParameters=["8"])
    assert queries.rows("SELECT * FROM asked ORDER BY a") == [["7", "x"], ["8", "y"]]


def test_rows_are_inserted_by_place_and_never_by_name(queries: Queries) -> None:
    queries.run("CREATE TABLE paired AS SELECT CAST(ROW(1, 2) AS ROW(a integer, b integer)) AS r")
    queries.run("INSERT INTO paired SELECT ROW(3, 4)")
    assert queries.rows("SELECT r.a, r.b FROM paired ORDER BY 1") == [["1", "2"], ["3", "4"]]
    other = "INSERT INTO paired SELECT CAST(ROW(1, 2) AS ROW(b integer, a integer))"
    assert queries.failure(other).startswith("NOT_SUPPORTED: INSERT INTO a row whose fields have other names")


def test_a_row_whose_fields_are_called_field0_and_so_on_has_names(queries: Queries) -> None:
    queries.run(
        "CREATE TABLE fields AS SELECT CAST(ROW(1, ROW('a')) AS ROW(field0 bigint, field1 ROW(b varchar))) AS r"
    )
    assert queries.rows("SELECT r.field0, r.field1.b FROM fields") == [["1", "a"]]
    other = "INSERT INTO fields SELECT CAST(ROW(1, ROW('a')) AS ROW(field0 bigint, other ROW(b varchar)))"
    assert queries.failure(other).startswith("NOT_SUPPORTED: INSERT INTO a row whose fields have other names")


def test_columns_of_parquet_files_may_be_null_and_timestamps_are_int96(
    queries: Queries, s3: Any, tmp_path: Path
) -> None:
    columns = "1 AS a, ARRAY[1] AS l, TIMESTAMP '9999-12-31 23:59:59.999' AS t"
    made = f"CREATE TABLE files WITH (external_location = 's3://lake/files/') AS SELECT {columns}"
    queries.run(made)
    (file,) = keys(s3, "files/")
    (tmp_path / "file").write_bytes(body(s3, file))
    wanted = "SELECT name, repetition_type, type FROM parquet_schema('{}') WHERE name IN ('a', 'l', 't')"
    schema = duckdb.sql(wanted.format(tmp_path / "file")).fetchall()
    assert schema == [("a", "OPTIONAL", "INT32"), ("l", "OPTIONAL", None), ("t", "OPTIONAL", "INT96")]
    assert queries.rows("SELECT * FROM files WHERE t > TIMESTAMP '2300-01-01 00:00:00'") == [
        ["1", "[1]", "9999-12-31 23:59:59.999"]
    ]


def test_what_writes_can_be_prepared(queries: Queries) -> None:
    queries.run("PREPARE making FROM CREATE TABLE prepared AS SELECT 1 AS a")
    queries.run("PREPARE adding FROM INSERT INTO prepared VALUES (?)")
    queries.run("EXECUTE making")
    assert written(queries, "EXECUTE adding USING 2") == 1
    assert queries.rows("SELECT * FROM prepared ORDER BY a") == [["1"], ["2"]]


def test_an_empty_text_is_a_row(queries: Queries) -> None:
    queries.run("CREATE TABLE empty_text WITH (format = 'TEXTFILE') AS SELECT '' AS s")
    assert queries.rows("SELECT count(*), max(s) FROM empty_text") == [["1", ""]]


def test_unload_writes_files_and_no_table(queries: Queries, s3: Any, glue: Any) -> None:
    sql = "UNLOAD (SELECT 1 AS a, (SELECT 'x') AS k) TO 's3://lake/unloaded/' WITH (format = 'JSON', compression = 'zstd')"
    execution = queries.run(sql)
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "UNLOAD")
    (file,) = keys(s3, "unloaded/")
    assert file.endswith(".zst")
    manifest = execution["Statistics"]["DataManifestLocation"].removeprefix("s3://lake/")
    assert body(s3, manifest).decode() == f"s3://lake/{file}\n"
    assert queries.failure(sql).startswith("HIVE_PATH_ALREADY_EXISTS: Target directory for table 'default.temp_table_")
    partitioned = "UNLOAD (SELECT 1 AS a, '{}' AS k) TO 's3://lake/unloaded/' WITH (format = 'PARQUET', partitioned_by = ARRAY['k'])"
    queries.run(partitioned.format("x"))
    queries.run(partitioned.format("y"))
    assert queries.failure(partitioned.format("y")).startswith("HIVE_PATH_ALREADY_EXISTS")
    assert [k.split("/")[1] for k in keys(s3, "unloaded/k=")] == ["k=x", "k=y"]
    tables = glue.get_tables(DatabaseName="written")["TableList"]
    assert not [t["Name"] for t in tables if t["Name"].startswith("temp_table")]


def test_a_table_without_data_or_that_is_there_already(queries: Queries, s3: Any, glue: Any) -> None:
    queries.run("CREATE TABLE once AS SELECT 1 AS a WITH NO DATA")
    assert queries.rows("SELECT * FROM once") == []
    told = queries.failure("CREATE TABLE once AS SELECT 2 AS a")
    assert told == "TABLE_ALREADY_EXISTS: line 1:1: Destination table 'awsdatacatalog.written.once' already exists"
    assert written(queries, "CREATE TABLE IF NOT EXISTS once AS SELECT 2 AS a") == 0
    assert queries.rows("SELECT * FROM once") == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("CREATE TABLE no AS SELECT 1", "MISSING_COLUMN_NAME: line 1:1: Column name not specified at position 1"),
        ("CREATE TABLE no AS SELECT 1 AS a, 2 AS A", "DUPLICATE_COLUMN_NAME: line 1:1: Column name 'a' specified more"),
        ("CREATE TABLE no AS SELECT NULL AS a", "COLUMN_TYPE_UNKNOWN: line 1:1: Column type is unknown: a"),
        ("CREATE TABLE no AS SELECT TIME '01:02:03' AS a", "NOT_SUPPORTED: Unsupported Hive type: time(3)"),
        ("CREATE TABLE no AS SELECT ROW(1, 2) AS a", "NOT_SUPPORTED: Anonymous row type is not supported in Hive."),
        ("CREATE TABLE no AS SELECT json_parse('1') AS a", "NOT_SUPPORTED: Unsupported Hive type: json"),
        ("CREATE TABLE no AS SELECT\n x FROM once", "COLUMN_NOT_FOUND: line 2:2: Column 'x' cannot be resolved"),
        ("CREATE TABLE nowhere.no AS SELECT 1 AS a", "SCHEMA_NOT_FOUND: line 1:1: Schema 'nowhere' does not exist"),
        ("CREATE TABLE no WITH (partitioned_by = ARRAY['a']) AS SELECT 1 AS a, 2 AS b",
         "HIVE_COLUMN_ORDER_MISMATCH: Partition keys must be the last columns"),
        ("CREATE TABLE no WITH (format = 'ORC') AS SELECT 1 AS a", "NOT_SUPPORTED: writing the format ORC"),
        ("CREATE TABLE no WITH (bucket_count = 2) AS SELECT 1 AS a", "NOT_SUPPORTED: the property bucket_count"),
        ("CREATE TABLE no WITH (table_type = 'ICEBERG') AS SELECT 1 AS a", "NOT_SUPPORTED: table_type = 'ICEBERG'"),
        ("CREATE TABLE no WITH (external_location = 's3://lake/results') AS SELECT 1 AS a",
         "HIVE_PATH_ALREADY_EXISTS: Target directory for table 'written.no' already exists: s3://lake/results/."),
        ("CREATE TABLE no WITH (partitioned_by = ARRAY['k']) AS SELECT 1 AS a, k FROM UNNEST(sequence(1, 101)) t (k)",
         "HIVE_TOO_MANY_OPEN_PARTITIONS: Exceeded limit of 100 open writers for partitions/buckets."),
        ("CREATE TABLE no WITH (partitioned_by = ARRAY['k']) AS SELECT 1 AS a, 'é' AS k",
         "HIVE_INVALID_PARTITION_VALUE: Hive partition keys can only contain printable ASCII characters"),
        ("INSERT INTO once VALUES ('x')",
         "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types: Table: [integer], Query: [varchar]"),
        ("INSERT INTO once VALUES (1, 2)", "TYPE_MISMATCH: line 1:1: Insert query has mismatched column types"),
        ("INSERT INTO once (b) VALUES (1)", "COLUMN_NOT_FOUND: line 1:1: Insert column name does not exist in target"),
        ("INSERT INTO absent VALUES (1)", "TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.written.absent' does not exist"),
        ("UNLOAD (SELECT 1 AS a) TO 's3://absent/x/' WITH (format = 'PARQUET')", "HIVE_METASTORE_ERROR: Unable to reach"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_leaves_nothing(queries: Queries, glue: Any, sql: str, told: str) -> None:
    queries.run("CREATE TABLE IF NOT EXISTS once AS SELECT 1 AS a WITH NO DATA")
    assert queries.failure(sql).startswith(told)
    assert "no" not in [t["Name"] for t in glue.get_tables(DatabaseName="written")["TableList"]]


def test_a_workgroup_that_enforces_its_location_takes_no_other(queries: Queries) -> None:
    configuration = {"ResultConfiguration": {"OutputLocation": RESULTS}, "EnforceWorkGroupConfiguration": True}
    queries.client.create_work_group(Name="enforcing", Configuration=configuration)
    sql = "CREATE TABLE no WITH (external_location = 's3://lake/own/') AS SELECT 1 AS a"
    with pytest.raises(ClientError, match="submitted with an 'external_location' property"):
        queries.start(sql, WorkGroup="enforcing")
