"""Athena's API over 10 million rows of Parquet, against the same SQL in bare DuckDB on the same files.

Both have a warm page cache; the API's time is from StartQueryExecution to SUCCEEDED, polled every 5 ms.
"""

import time
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import Endpoint, Row, endpoint, median_seconds

ROWS = 10_000_000
FILES = 10
ROUNDS = 5
BUCKET, DATABASE, TABLE = "bench-lake", "bench", "events"
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
    TIMESTAMP '2026-11-01' + INTERVAL (i // 20) SECOND AS event_ts,
    'v' || (random() * 400000)::INT AS visitor_id,
    '/p/' || (random() * 5000)::INT AS page_path,
    CASE WHEN random() < 0.1 THEN round(random() * 100, 2) END AS value
  FROM range(?) t(i)) TO '{file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880)
"""
QUERIES = {
    "count by type": "SELECT event_type, COUNT(*) FROM {table} GROUP BY event_type",
    "one partition": "SELECT COUNT(*) FROM {table} WHERE day = '03'",
    "distinct visitors": "SELECT COUNT(DISTINCT visitor_id) FROM {table}",
    "top pages": "SELECT page_path, COUNT(*) AS n FROM {table} GROUP BY page_path ORDER BY n DESC LIMIT 10",
}


def run() -> list[Row]:
    with endpoint("--bare") as ours:
        files = _fill(ours)
        rows = []
        for name, sql in QUERIES.items():
            _api_seconds(ours, sql)  # the first query starts the worker
            api = median_seconds([_api_seconds(ours, sql) for _ in range(ROUNDS)])
            bare = median_seconds([_bare_seconds(files, sql) for _ in range(ROUNDS)])
            measured = f"{api * 1000:.0f} ms (+ {(api - bare) * 1000:.0f} ms)"
            what = f"Athena API, {ROWS // 10**6} M rows of Parquet: {name}"
            budget = ("+ 60 ms", "+ 25 ms") if bare < 1 else ("1.2x", "1.05x")
            rows.append(Row(what, measured, f"bare DuckDB: {bare * 1000:.0f} ms", api / bare, *budget))
        return rows


def _fill(ours: Endpoint) -> Path:
    """The table's files put through S3, one partition a file, registered in Glue. Returns where they lie on disk."""
    s3, glue = ours.client("s3"), ours.client("glue")
    s3.create_bucket(Bucket=BUCKET)
    glue.create_database(DatabaseInput={"Name": DATABASE})
    storage = _storage(f"s3://{BUCKET}/events/")
    keys = [{"Name": "day", "Type": "string"}]
    table = {"Name": TABLE, "TableType": "EXTERNAL_TABLE", "PartitionKeys": keys, "StorageDescriptor": storage}
    glue.create_table(DatabaseName=DATABASE, TableInput=table)
    for number in range(1, FILES + 1):
        day = f"{number:02}"
        file = ours.data_dir / f"{day}.parquet"
        with duckdb.connect() as db:
            db.execute(_MAKE.format(file=file), [ROWS // FILES])
        s3.upload_file(str(file), BUCKET, f"events/day={day}/{day}.parquet")
        file.unlink()
        partition = {"Values": [day], "StorageDescriptor": _storage(f"s3://{BUCKET}/events/day={day}/")}
        glue.create_partition(DatabaseName=DATABASE, TableName=TABLE, PartitionInput=partition)
    return ours.data_dir / "s3" / BUCKET / "events"


def _storage(location: str) -> dict[str, Any]:
    parquet = "org.apache.hadoop.hive.ql.io.parquet"
    return {
        "Columns": [{"Name": name, "Type": type_} for name, type_ in COLUMNS.items()],
        "Location": location,
        "InputFormat": f"{parquet}.MapredParquetInputFormat",
        "OutputFormat": f"{parquet}.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": f"{parquet}.serde.ParquetHiveSerDe"},
    }


def _api_seconds(ours: Endpoint, sql: str) -> float:
    athena = ours.client("athena")
    location = {"OutputLocation": f"s3://{BUCKET}/results/"}
    began = time.perf_counter()
    query = sql.format(table=f"{DATABASE}.{TABLE}")
    number = athena.start_query_execution(QueryString=query, ResultConfiguration=location)["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=number)["QueryExecution"]["Status"]
        if status["State"] not in {"QUEUED", "RUNNING"}:
            assert status["State"] == "SUCCEEDED", status
            return time.perf_counter() - began
        time.sleep(0.005)


def _bare_seconds(files: Path, sql: str) -> float:
    """The query in DuckDB's own SQL, in a connection that is already open."""
    with duckdb.connect() as db:
        table = f"read_parquet('{files}/*/*.parquet', hive_partitioning = true, hive_types = {{'day': VARCHAR}})"
        began = time.perf_counter()
        db.execute(sql.format(table=table)).fetchall()
        return time.perf_counter() - began
