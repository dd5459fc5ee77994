"""Which library should write the Parquet? `python -m benchmarks.writers` prints a table.

The same finished rows, those that the real transform makes, go through each candidate in fresh processes. It is run by
a Python that has them all, which ours does not (requirements.lock is the product's):

    python3 -m venv /tmp/writers
    /tmp/writers/bin/pip install '.[local]' pyarrow polars fastparquet
    /tmp/writers/bin/python -m benchmarks.writers

A candidate's size is that of its files in a zip, as a function's would be, with all that it needs to be imported. Rows
come in as the transform makes them, in batches of tuples, and leave as one file of ZSTD level 1 in row groups of
ROW_GROUP. Memory is measured while rows are read from a file, batch by batch, as they are in the function.
"""

import io
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from importlib.metadata import distribution
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from benchmarks.measure import median_seconds
from clicklake import pipeline
from clicklake.simulator.traffic import Plan, generate
from clicklake.transform.encode import BATCH, ROW_GROUP, parquet
from clicklake.transform.process import Settings, process

ROWS = 200_000
ROUNDS = 3
RECEIVED = datetime(2026, 11, 22, 10, tzinfo=UTC)
RAW_KEY = "raw/year=2026/month=11/day=22/clickstream-firehose-dev-1-2026-11-22-10-00-00-bench.gz"
PIPELINE = pipeline.load(pipeline.FILE)
COLUMNS = PIPELINE.tables.events.columns
NAMES = [column.name for column in COLUMNS]

Rows = list[tuple[Any, ...]]


class Candidate(NamedTuple):
    """`from_rows(batches, path)` and `from_arrow(batches, path)` write one file; Arrow batches are pyarrow's or, as any
    library can read them through the C stream interface, arro3's."""

    modules: tuple[str, ...]
    distributions: tuple[str, ...]
    from_rows: Callable[[Iterable[Rows], Path], None]
    from_arrow: Callable[[Any, Path], None]


# --- arro3: what the product does ----------------------------------------------------------------------------------


def arro3_rows(batches: Iterable[Rows], path: Path) -> None:
    with path.open("wb") as file:
        parquet(COLUMNS, batches, file)


def arro3_arrow(table: Any, path: Path) -> None:
    write = import_module("arro3.io").write_parquet
    write(table, path, compression="zstd(1)", max_row_group_size=ROW_GROUP, skip_arrow_metadata=True)


# --- pyarrow -------------------------------------------------------------------------------------------------------


def pyarrow_rows(batches: Iterable[Rows], path: Path) -> None:
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    types = {
        "string": pa.string(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "date": pa.date32(),
        "timestamp": pa.timestamp("ms"),
    }
    schema = pa.schema([(column.name, types[column.type]) for column in COLUMNS])
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for group in _groups(batches):
            arrow = [
                pa.record_batch(
                    [pa.array(v, f.type) for v, f in zip(zip(*rows, strict=True), schema, strict=True)], schema=schema
                )
                for rows in group
            ]
            writer.write_table(pa.Table.from_batches(arrow), row_group_size=ROW_GROUP)


def pyarrow_arrow(table: Any, path: Path) -> None:
    pq = import_module("pyarrow.parquet")
    ours = import_module("pyarrow").table(table)
    pq.write_table(ours, path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP, store_schema=False)


# --- DuckDB: it has no other quick way in from Python rows than text -----------------------------------------------


def duckdb_rows(batches: Iterable[Rows], path: Path) -> None:
    types = {"string": "VARCHAR", "bigint": "BIGINT", "double": "DOUBLE", "date": "INTEGER", "timestamp": "BIGINT"}
    casts = {"date": "(DATE '1970-01-01' + {})::DATE AS {}", "timestamp": "epoch_ms({}) AS {}"}
    columns = ", ".join(f"'{column.name}': '{types[column.type]}'" for column in COLUMNS)
    chosen = ", ".join(casts.get(c.type, "{}").format(c.name, c.name) for c in COLUMNS)
    with tempfile.NamedTemporaryFile(suffix=".ndjson") as lines:
        for rows in batches:
            lines.writelines(
                orjson.dumps(dict(zip(NAMES, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE) for row in rows
            )
        lines.flush()
        source = f"read_json('{lines.name}', format = 'newline_delimited', columns = {{{columns}}})"
        _copy(f"SELECT {chosen} FROM {source}", path)


def duckdb_arrow(table: Any, path: Path) -> None:
    _copy("SELECT * FROM finished", path, finished=table)


def _copy(query: str, path: Path, **tables: Any) -> None:
    connection = import_module("duckdb").connect()
    connection.execute("SET threads = 1")
    for name, table in tables.items():
        connection.register(name, table)
    options = f"FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP}"
    connection.execute(f"COPY ({query}) TO '{path}' ({options})")


# --- polars --------------------------------------------------------------------------------------------------------


def polars_rows(batches: Iterable[Rows], path: Path) -> None:
    pl = import_module("polars")
    types = {"string": pl.String, "bigint": pl.Int64, "double": pl.Float64, "date": pl.Int32, "timestamp": pl.Int64}
    final = {"date": pl.Date, "timestamp": pl.Datetime("ms")}
    frames = [
        pl.DataFrame(
            [pl.Series(c.name, v, types[c.type]) for c, v in zip(COLUMNS, zip(*rows, strict=True), strict=True)]
        )
        for rows in batches
    ]
    frame = pl.concat(frames).with_columns(pl.col(c.name).cast(final[c.type]) for c in COLUMNS if c.type in final)
    frame.write_parquet(path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)


def polars_arrow(table: Any, path: Path) -> None:
    frame = import_module("polars").DataFrame(table)
    frame.write_parquet(path, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)


# --- fastparquet: through pandas -----------------------------------------------------------------------------------


def fastparquet_rows(batches: Iterable[Rows], path: Path) -> None:
    pd = import_module("pandas")
    rows = [row for batch in batches for row in batch]
    columns = dict(zip(NAMES, zip(*rows, strict=True), strict=True))
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    for column in COLUMNS:
        if column.type == "timestamp":
            frame[column.name] = pd.to_datetime(frame[column.name], unit="ms")
        elif column.type == "date":
            frame[column.name] = pd.to_datetime(frame[column.name], unit="D")
        elif column.type in ("bigint", "double"):
            frame[column.name] = frame[column.name].astype("float64" if column.type == "double" else "Int64")
    _fastparquet(frame, path)


def fastparquet_arrow(table: Any, path: Path) -> None:
    _fastparquet(import_module("polars").DataFrame(table).to_pandas(), path)


def _fastparquet(frame: Any, path: Path) -> None:
    strings = {c.name: "utf8" for c in COLUMNS if c.type == "string"}
    write = import_module("fastparquet").write
    compression = {"_default": {"type": "ZSTD", "args": {"level": 1}}}
    write(str(path), frame, compression=compression, row_group_offsets=ROW_GROUP, object_encoding=strings)


CANDIDATES = {
    "arro3": Candidate(("arro3.core", "arro3.io"), ("arro3-core", "arro3-io"), arro3_rows, arro3_arrow),
    "pyarrow": Candidate(("pyarrow", "pyarrow.parquet"), ("pyarrow",), pyarrow_rows, pyarrow_arrow),
    "DuckDB": Candidate(("duckdb",), ("duckdb",), duckdb_rows, duckdb_arrow),
    "polars": Candidate(("polars",), ("polars", "polars-runtime-32"), polars_rows, polars_arrow),
    "fastparquet": Candidate(
        ("fastparquet",),
        ("fastparquet", "pandas", "numpy", "cramjam", "fsspec", "packaging", "python-dateutil"),
        fastparquet_rows,
        fastparquet_arrow,
    ),
}

# --- in a fresh process ----------------------------------------------------------------------------------------------


def rows_us(candidate: Candidate, rows: Path) -> float:
    batches = list(_batches(rows))
    return _best(lambda path: candidate.from_rows(batches, path)) / ROWS * 1e6


def arrow_us(candidate: Candidate, rows: Path) -> float:
    table = _table(rows)
    return _best(lambda path: candidate.from_arrow(table, path)) / ROWS * 1e6


def peak_mib(candidate: Candidate, rows: Path) -> float:
    """How much more than before its import."""
    before = _high_water()
    with tempfile.TemporaryDirectory() as folder:
        candidate.from_rows(_batches(rows), Path(folder, "out"))
    return _high_water() - before


def bytes_a_row(candidate: Candidate, rows: Path) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out")
        candidate.from_rows(_batches(rows), path)
        return path.stat().st_size / ROWS


MEASURES = {
    "from rows, µs/row": rows_us,
    "from Arrow, µs/row": arrow_us,
    "peak memory, MiB": peak_mib,
    "output, B/row": bytes_a_row,
}


def _groups(batches: Iterable[Rows]) -> Iterator[list[Rows]]:
    """Batches for one row group each."""
    iterator = iter(batches)
    return iter(lambda: list(islice(iterator, ROW_GROUP // BATCH)), [])


def _batches(rows: Path) -> Iterator[Rows]:
    with rows.open("rb") as file:
        for line in file:
            yield [tuple(row) for row in orjson.loads(line)]


def _table(rows: Path) -> Any:
    """As one Arrow table, by way of the product's own file."""
    file = io.BytesIO()
    parquet(COLUMNS, _batches(rows), file)
    return import_module("arro3.io").read_parquet(file, batch_size=ROW_GROUP).read_all()


def _best(write: Callable[[Path], None]) -> float:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "out")
        write(path)  # imports are not measured here
        return median_seconds([_seconds(lambda: write(path)) for _ in range(ROUNDS)])


def _seconds(call: Callable[[], object]) -> float:
    """CPU time of all threads."""
    began = time.process_time()
    call()
    return time.process_time() - began


def _high_water() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


# --- all of them -----------------------------------------------------------------------------------------------------


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder, "rows")
        _make(rows)
        print(f"| | zipped, MB | unzipped, MB | import, ms | {' | '.join(MEASURES)} |")
        print("|---" * (len(MEASURES) + 4) + "|")
        for name, candidate in CANDIDATES.items():
            zipped, unzipped = (f"{size / 1e6:.1f}" for size in _sizes(candidate))
            found = " | ".join(_fresh(name, measure, rows) for measure in MEASURES)
            print(f"| {name} | {zipped} | {unzipped} | {_import_ms(candidate):.0f} | {found} |", flush=True)


def _make(rows: Path) -> None:
    plan = Plan(seed=1, start=RECEIVED - timedelta(seconds=300), rate=ROWS / 250)
    raw = b"".join(record.data for record in islice(generate(plan), int(ROWS * 1.1)))
    done = process(raw, RAW_KEY, 0, Settings(PIPELINE, b"the benchmark's key of 32 bytes.")).processed
    assert done is not None
    finished = import_module("arro3.io").read_parquet(done.file).read_all()
    types, arrow = {"date": "int32", "timestamp": "int64"}, import_module("arro3.core").DataType
    columns = [
        finished.column(c.name).cast(getattr(arrow, types[c.type])()).to_pylist()
        if c.type in types
        else finished.column(c.name).to_pylist()
        for c in COLUMNS
    ]
    values = islice(zip(*columns, strict=True), ROWS)
    with rows.open("wb") as file:
        for batch in iter(lambda: list(islice(values, BATCH)), []):
            file.write(orjson.dumps(batch) + b"\n")


def _sizes(candidate: Candidate) -> tuple[int, int]:
    packed, plain = io.BytesIO(), 0
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in candidate.distributions:
            for file in distribution(name).files or []:
                path = Path(str(file.locate()))
                if path.suffix != ".pyc" and path.is_file():
                    archive.write(path, str(file))
                    plain += path.stat().st_size
    return packed.tell(), plain


def _import_ms(candidate: Candidate) -> float:
    """In a process that has imported nothing else, files in the disk's cache."""
    script = f"import time; began = time.perf_counter(); import {', '.join(candidate.modules)}; "
    command = [sys.executable, "-c", script + "print(time.perf_counter() - began)"]
    seconds = [float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(1 + ROUNDS)]
    return median_seconds(seconds[1:]) * 1000


def _fresh(name: str, measure: str, rows: Path) -> str:
    command = [sys.executable, "-m", "benchmarks.writers", name, measure, str(rows)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return f"{float(done.stdout):.1f}" if done.returncode == 0 else f"not possible: {done.stderr.splitlines()[-1]}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        chosen, measure, rows = sys.argv[1:]
        print(MEASURES[measure](CANDIDATES[chosen], Path(rows)))
    else:
        main()
