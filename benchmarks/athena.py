"""Athena's API over 10 million rows of Parquet and a million of gzip NDJSON, against the same SQL in bare DuckDB on the
same files.

Both have a warm page cache; the API's time is from StartQueryExecution to SUCCEEDED, polled every 5 ms, then at each
25th of the time that went by: asking every 5 ms would take a fifth of two cores from DuckDB. The SQL means the same in
Trino and in DuckDB. Each round runs both, so that both see the same machine.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import Endpoint, Row, endpoint, median_seconds

FILES = 10
ROUNDS, ROUNDS_OF_LONG_ONES = 5, 3
BUCKET, DATABASE = "bench-lake", "bench"
COLUMNS = {
    "event_id": "string",
    "event_type": "string",
    "event_ts": "timestamp",
    "visitor_id": "string",
    "page_path": "string",
    "value": "double",
}
_MAKE = """
COPY (SELECT uuid()::VARCHAR AS event_id,
    ['page_view', 'click', 'add_to_cart', 'purchase', 'search'][1 + (random() * 4.99)::INT % 5] AS event_type,
    TIMESTAMP '2026-11-01' + INTERVAL ({day}) DAY + INTERVAL (i // 20) SECOND AS event_ts,
    'v' || (random() * 400000)::INT AS visitor_id,
    '/p/' || (random() * 5000)::INT AS page_path,
    CASE WHEN random() < 0.1 THEN round(random() * 100, 2) END AS value
  FROM range({rows}) t(i)) TO '{file}' ({form})
"""
# A visit ends with a pause of 30 minutes (queries/sessions.sql, of one table).
_SESSIONS = """
WITH gaps AS (
    SELECT visitor_id, event_ts, event_ts <= lag(event_ts) OVER (PARTITION BY visitor_id ORDER BY event_ts)
      + INTERVAL '30' MINUTE AS goes_on FROM {table}),
  numbered AS (
    SELECT *, sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (PARTITION BY visitor_id ORDER BY event_ts) AS visit
    FROM gaps),
  visits AS (
    SELECT visitor_id, min(event_ts) AS began, count(*) AS events FROM numbered GROUP BY visitor_id, visit)
SELECT CAST(began AS date), count(*), count(DISTINCT visitor_id), max(events) FROM visits
GROUP BY CAST(began AS date) ORDER BY 1
"""
# Who looked, put something into the cart after that, and bought after that (queries/funnel.sql, of one table).
_FUNNEL = """
WITH viewed AS (
    SELECT visitor_id, event_type, event_ts,
      min(CASE WHEN event_type = 'page_view' THEN event_ts END) OVER (PARTITION BY visitor_id) AS first_at
    FROM {table} WHERE event_type IN ('page_view', 'add_to_cart', 'purchase')),
  added AS (
    SELECT *, min(CASE WHEN event_type = 'add_to_cart' AND event_ts > first_at THEN event_ts END)
      OVER (PARTITION BY visitor_id) AS second_at FROM viewed),
  bought AS (
    SELECT visitor_id, min(first_at) AS first_at, min(second_at) AS second_at,
      min(CASE WHEN event_type = 'purchase' AND event_ts > second_at THEN event_ts END) AS third_at
    FROM added GROUP BY visitor_id)
SELECT count(first_at), count(second_at), count(third_at) FROM bought
"""
_SEED = {  # the three of ../shared/seed's README; ours has one partition key
    "ten events": "SELECT * FROM {table} LIMIT 10",
    "ten events of a day": "SELECT * FROM {table} WHERE day = '03' LIMIT 10",
    "count by type": "SELECT event_type, COUNT(*) FROM {table} GROUP BY event_type",
}
PARQUET_QUERIES = _SEED | {
    "one partition": "SELECT COUNT(*) FROM {table} WHERE day = '03'",
    "distinct visitors": "SELECT COUNT(DISTINCT visitor_id) FROM {table}",
    "top pages": "SELECT page_path, COUNT(*) AS n FROM {table} GROUP BY page_path ORDER BY n DESC LIMIT 10",
    "30-minute sessions": _SESSIONS,
    "three-step funnel": _FUNNEL,
}
JSON_QUERIES = {
    "count by type": _SEED["count by type"],
    "value by day": "SELECT CAST(event_ts AS date), sum(value), max(visitor_id) FROM {table} GROUP BY 1 ORDER BY 1",
}


@dataclass(frozen=True, slots=True)
class Table:
    """`form` is DuckDB's, of writing it; `serde` Glue's (input, output, library); `bare` reads it in DuckDB, where
    FILES stands for a pattern of them."""

    name: str
    rows: int
    what: str
    form: str
    suffix: str
    serde: tuple[str, str, str]
    bare: str
    queries: dict[str, str]
    budget: tuple[str, str] | None = None  # that it has whatever the time


_HIVE = "hive_partitioning = true, hive_types = {'day': VARCHAR}"
_TYPES = ", ".join(f"{n}: '{'VARCHAR' if t == 'string' else t.upper()}'" for n, t in COLUMNS.items())
_PARQUET = "org.apache.hadoop.hive.ql.io.parquet"
TABLES = (
    Table(
        "events",
        10_000_000,
        "10 M rows of Parquet",
        "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880",
        "parquet",
        (
            f"{_PARQUET}.MapredParquetInputFormat",
            f"{_PARQUET}.MapredParquetOutputFormat",
            f"{_PARQUET}.serde.ParquetHiveSerDe",
        ),
        f"read_parquet('FILES', {_HIVE})",
        PARQUET_QUERIES,
    ),
    Table(
        "lines",
        1_000_000,
        "1 M rows of gzip NDJSON",
        "FORMAT json, COMPRESSION gzip",
        "json.gz",
        (
            "org.apache.hadoop.mapred.TextInputFormat",
            "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
            "org.openx.data.jsonserde.JsonSerDe",
        ),
        f"read_json('FILES', format = 'newline_delimited', columns = {{{_TYPES}}}, {_HIVE})",
        JSON_QUERIES,
        ("1.2x", "1.2x"),
    ),
)


def run() -> list[Row]:
    with endpoint("--bare") as ours:
        ours.client("s3").create_bucket(Bucket=BUCKET)
        ours.client("glue").create_database(DatabaseInput={"Name": DATABASE})
        return [row for table in TABLES for row in _rows(ours, table)]


def _rows(ours: Endpoint, table: Table) -> Iterator[Row]:
    bare_table = table.bare.replace("FILES", f"{_fill(ours, table)}/*/*.{table.suffix}")
    for name, sql in table.queries.items():
        ours_sql, bare_sql = sql.format(table=f"{DATABASE}.{table.name}"), sql.format(table=bare_table)
        _api_seconds(ours, ours_sql)  # the first query starts the worker
        rounds = ROUNDS if _bare_seconds(bare_sql) < 1 else ROUNDS_OF_LONG_ONES
        times = [(_api_seconds(ours, ours_sql), _bare_seconds(bare_sql)) for _ in range(rounds)]
        api, bare = (median_seconds(each) for each in zip(*times, strict=True))
        measured = f"{api * 1000:.0f} ms (+ {(api - bare) * 1000:.0f} ms)"
        budget = table.budget or (("+ 60 ms", "+ 25 ms") if bare < 1 else ("1.2x", "1.05x"))
        yield Row(
            f"Athena API, {table.what}: {name}", measured, f"bare DuckDB: {bare * 1000:.0f} ms", api / bare, *budget
        )


def _fill(ours: Endpoint, table: Table) -> Path:
    """The table's files put through S3, one partition a file, registered in Glue. Returns where they lie on disk."""
    s3, glue = ours.client("s3"), ours.client("glue")
    place = f"s3://{BUCKET}/{table.name}"
    keys = [{"Name": "day", "Type": "string"}]
    described = {"Name": table.name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys}
    glue.create_table(DatabaseName=DATABASE, TableInput=described | {"StorageDescriptor": _storage(table, f"{place}/")})
    for number in range(1, FILES + 1):
        day = f"{number:02}"
        file = ours.data_dir / f"{day}.{table.suffix}"
        with duckdb.connect() as db:
            db.execute(_MAKE.format(day=number - 1, rows=table.rows // FILES, file=file, form=table.form))
        s3.upload_file(str(file), BUCKET, f"{table.name}/day={day}/{file.name}")
        file.unlink()
        partition = {"Values": [day], "StorageDescriptor": _storage(table, f"{place}/day={day}/")}
        glue.create_partition(DatabaseName=DATABASE, TableName=table.name, PartitionInput=partition)
    return ours.data_dir / "s3" / BUCKET / table.name


def _storage(table: Table, location: str) -> dict[str, Any]:
    reads, writes, library = table.serde
    return {
        "Columns": [{"Name": name, "Type": type_} for name, type_ in COLUMNS.items()],
        "Location": location,
        "InputFormat": reads,
        "OutputFormat": writes,
        "SerdeInfo": {"SerializationLibrary": library},
    }


def _api_seconds(ours: Endpoint, sql: str) -> float:
    athena = ours.client("athena")
    location = {"OutputLocation": f"s3://{BUCKET}/results/"}
    began = time.perf_counter()
    number = athena.start_query_execution(QueryString=sql, ResultConfiguration=location)["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"]
        if status["State"] not in {"QUEUED", "RUNNING"}:
            assert status["State"] == "SUCCEEDED", status
            return time.perf_counter() - began
        time.sleep(max(0.005, (time.perf_counter() - began) / 25))


def _bare_seconds(sql: str) -> float:
    """In a connection that is already open."""
    with duckdb.connect() as db:
        began = time.perf_counter()
        db.execute(sql).fetchall()
        return time.perf_counter() - began
