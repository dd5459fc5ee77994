"""Random data and random SELECTs through Athena's API, against bare DuckDB and against Trino's documentation in Python.

CLICKLAKE_PROPERTIES=1000 tries that many examples of each, other ones at each run.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import select_grammar
import trino_formulas
from athena_client import Queries
from trino_formulas import Row
from trino_model import text

Client = Callable[..., Any]
OPENX = "org.openx.data.jsonserde.JsonSerDe"
pytestmark = pytest.mark.timeout(36_000 if "CLICKLAKE_PROPERTIES" in os.environ else 120)
EXAMPLES = int(os.environ.get("CLICKLAKE_PROPERTIES", "0"))
random = settings(
    max_examples=EXAMPLES or 2,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # to shrink takes minutes, and the statement that is wrong is named anyway
    suppress_health_check=list(HealthCheck),
)


class Lake:
    """A bucket with tables of one file each, which are written anew; `duck` holds the same tables."""

    def __init__(self, aws: Client, directory: Path) -> None:
        self._s3, self._directory = aws("s3"), directory
        self._s3.create_bucket(Bucket="lake")
        aws("glue").create_database(DatabaseInput={"Name": "properties"})
        self.queries = Queries(aws("athena"), database="properties")
        self.duck = duckdb.connect()

    def create(self, table: str, columns: dict[str, str], parquet: bool) -> None:
        described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        how = "STORED AS PARQUET" if parquet else f"ROW FORMAT SERDE '{OPENX}'"
        self.queries.run(f"CREATE EXTERNAL TABLE {table} ({described}) {how} LOCATION 's3://lake/properties/{table}/'")

    def put(self, table: str, columns: dict[str, str], rows: Sequence[Row], parquet: bool) -> None:
        """`columns`: DuckDB's types."""
        described = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        self.duck.execute(f"CREATE OR REPLACE TABLE {table} ({described})")
        values = ", ".join(f"${name}::{kind}" for name, kind in columns.items())
        for row in rows:
            self.duck.execute(f"INSERT INTO {table} VALUES ({values})", {n: _given(row[n]) for n in columns})
        target = self._directory / f"{table}.parquet"
        self.duck.execute(f"COPY {table} TO '{target}' (FORMAT parquet)")
        lines = "".join(json.dumps({n: _written(row[n]) for n in columns}) + "\n" for row in rows).encode()
        self._s3.put_object(
            Bucket="lake", Key=f"properties/{table}/data", Body=target.read_bytes() if parquet else lines
        )


def _given(value: Any) -> Any:
    return {"key": list(value), "value": list(value.values())} if isinstance(value, dict) else value


def _written(value: Any) -> Any:
    """JSON as the SerDe reads it."""
    return value if value is None or isinstance(value, int | float | str | list | dict) else text(value)


@pytest.fixture(scope="module")
def lake(aws: Client, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(aws, tmp_path_factory.mktemp("properties"))
    hive = {name: hive for name, (_, hive, _) in select_grammar.COLUMNS.items()}
    lake.create("t", hive, parquet=True)
    lake.create("u", hive, parquet=False)
    lake.create("v", trino_formulas.COLUMNS, parquet=True)
    return lake


@given(st.data())
@random
def test_a_select_answers_what_duckdb_does_where_both_mean_the_same(lake: Lake, data: st.DataObject) -> None:
    types = {name: duck for name, (*_, duck) in select_grammar.COLUMNS.items()}
    lake.put("t", types, data.draw(select_grammar.TABLES, "t"), parquet=True)
    lake.put("u", types, data.draw(select_grammar.TABLES, "u"), parquet=False)
    for query in data.draw(st.lists(select_grammar.QUERIES, min_size=4, max_size=4), "queries"):
        try:
            wanted = [[text(v) for v in row] for row in lake.duck.execute(query.said.duck).fetchall()]
        except duckdb.BinderException:  # DuckDB takes no literal in an aggregate's ORDER BY
            continue
        got = lake.queries.rows(query.said.trino)
        if not query.ordered:
            wanted, got = sorted(wanted, key=str), sorted(got, key=str)
        assert got == wanted, query.said.trino


@given(trino_formulas.ROWS)
@random
def test_a_function_is_worth_what_trinos_documentation_says(lake: Lake, rows: list[Row]) -> None:
    numbered = [row | {"number": n} for n, row in enumerate(rows)]
    types = {name: trino_formulas.DUCKDB.get(kind, kind) for name, kind in trino_formulas.COLUMNS.items()}
    lake.put("v", types, numbered, parquet=True)
    columns = ", ".join(f"TRY({formula.sql})" for formula in trino_formulas.FORMULAS)
    answers = lake.queries.rows(f"SELECT {columns} FROM v ORDER BY number")
    wrong = [
        (formula.sql, {name: row[name] for name in formula.columns}, got, formula.of(row))
        for row, answer in zip(rows, answers, strict=True)
        for formula, got in zip(trino_formulas.FORMULAS, answer, strict=True)
        if got != formula.of(row)
    ]
    assert not wrong
