"""SQL through Athena's API: start -> poll -> page through the results.

`run` gives the result as Athena returned it; `render` makes text of it: a table for people, CSV or JSON for programs.
`chart` and `parquet_result` make the rest, `scan_limit` says before what a query would read.
"""

import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from clicklake import price_list, table
from clicklake.errors import NoError, RefusedError, UsageError
from clicklake.target import Target, translated

_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 1.0
_INTEGERS = {"tinyint", "smallint", "integer", "int", "bigint"}
_NUMBERS = {*_INTEGERS, "float", "real", "double", "decimal"}
# aws.amazon.com/athena/pricing: "rounded up to the nearest megabyte, with a 10 MB minimum per query"
_MEGABYTE, _FEWEST_BILLED, _TIB = 1_000_000, 10_000_000, 2**40

Form = Literal["table", "csv", "json"]


@dataclass(frozen=True, slots=True)
class Column:
    """`type` is Athena's word for it; the last two are a decimal's."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0

    @property
    def is_number(self) -> bool:
        return self.type in _NUMBERS


@dataclass(frozen=True, slots=True)
class Result:
    """`rows` hold Athena's own text for each value, None for NULL; a statement without a result has neither rows nor
    columns. `milliseconds` is Athena's total execution time."""

    execution_id: str
    columns: tuple[Column, ...]
    rows: list[tuple[str | None, ...]]
    scanned_bytes: int
    milliseconds: int


def run(
    target: Target,
    sql: str,
    workgroup: str,
    database: str,
    sleep: Callable[[float], None] = time.sleep,
    *,
    at_most: int | None = None,
) -> Result:
    """Run one statement to its end. Raises RefusedError with Athena's reason if it failed or was cancelled, and NoError
    if it was stopped for having read more than `at_most` bytes.

    When the wait ends otherwise the query is stopped, so that it costs nothing more.
    """
    if not sql.strip():
        raise UsageError("the statement is empty", 'try: clicklake query "SHOW TABLES"')
    client = target.client("athena")
    with translated():
        context = {"Database": database}
        started = client.start_query_execution(QueryString=sql, WorkGroup=workgroup, QueryExecutionContext=context)
        execution_id = started["QueryExecutionId"]
        try:
            execution = _wait(client, execution_id, sleep, at_most)
        except (KeyboardInterrupt, NoError):
            client.stop_query_execution(QueryExecutionId=execution_id)
            raise
        columns, rows = _results(client, execution_id, execution["StatementType"])
    statistics = execution["Statistics"]
    scanned = statistics.get("DataScannedInBytes", 0)
    return Result(execution_id, columns, rows, scanned, statistics["TotalExecutionTimeInMillis"])


def _wait(client: Any, execution_id: str, sleep: Callable[[float], None], at_most: int | None) -> dict[str, Any]:
    pause = _FIRST_PAUSE
    while True:
        execution: dict[str, Any] = client.get_query_execution(QueryExecutionId=execution_id)["QueryExecution"]
        status = execution["Status"]
        if status["State"] == "SUCCEEDED":
            return execution
        if status["State"] in {"FAILED", "CANCELLED"}:
            raise RefusedError(status.get("StateChangeReason") or f"the query was {status['State'].lower()}")
        read = execution.get("Statistics", {}).get("DataScannedInBytes", 0)
        if at_most is not None and read > at_most:
            raise NoError(f"stopped: it had read {size(read)}, and may read {size(at_most)}", "--max-scan, or --yes")
        sleep(pause)
        pause = min(_LONGEST_PAUSE, pause * 1.2)


def _results(
    client: Any, execution_id: str, statement_type: str
) -> tuple[tuple[Column, ...], list[tuple[str | None, ...]]]:
    columns: tuple[Column, ...] = ()
    rows: list[tuple[str | None, ...]] = []
    for page in client.get_paginator("get_query_results").paginate(QueryExecutionId=execution_id):
        described = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
        columns = tuple(
            Column(column["Name"], column["Type"], column.get("Precision", 0), column.get("Scale", 0))
            for column in described
        )
        rows += [tuple(cell.get("VarCharValue") for cell in row["Data"]) for row in page["ResultSet"]["Rows"]]
    # The first row of a SELECT's result holds the names of its columns:
    # docs.aws.amazon.com/athena/latest/APIReference/API_GetQueryResults.html
    if statement_type == "DML" and rows and rows[0] == tuple(column.name for column in columns):
        del rows[0]
    return columns, rows


# --- the result as text ----------------------------------------------------------------------------------------------


def render(result: Result, form: Form, width: int) -> Iterator[str]:
    """Lines: a table of at most `width` characters, plain CSV, or one JSON document."""
    names = [column.name for column in result.columns]
    if form == "json":
        yield json.dumps(_document(result), ensure_ascii=False)
    elif form == "csv":
        yield from table.csv_lines(names, result.rows)
    else:
        numbers = [column.is_number for column in result.columns]
        yield from table.lines(names, result.rows, numbers, width)


def summary(result: Result) -> str:
    """`12 rows, 45 ms, 1.2 MB scanned`"""
    rows = "1 row" if len(result.rows) == 1 else f"{len(result.rows):,} rows"
    return f"{rows}, {result.milliseconds:,} ms, {size(result.scanned_bytes)} scanned"


def usd(scanned_bytes: int) -> float:
    """What Athena charges for it, by prices.json; statements that read nothing are free."""
    if not scanned_bytes:
        return 0.0
    billed = max(_FEWEST_BILLED, -(-scanned_bytes // _MEGABYTE) * _MEGABYTE)
    return billed / _TIB * price_list.load()["athena_tib"]


def dollars(amount: float) -> str:
    """Two digits of small amounts: `$0`, `$0.000048`, `$0.21`, `$12.40`."""
    if not amount or amount >= 0.1:
        return f"${amount:,.2f}" if amount else "$0"
    return f"${amount:.{1 - math.floor(math.log10(amount))}f}"


def size(number: float) -> str:
    """A number of bytes for people: `812 B`, `1.2 MB`."""
    for unit in ("B", "kB", "MB", "GB"):
        if number < 1000:
            return f"{number:.0f} B" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} TB"


def _document(result: Result) -> dict[str, Any]:
    """docs/query.md describes it."""
    names = distinct([column.name for column in result.columns])
    types = [column.type for column in result.columns]
    return {
        "query_execution_id": result.execution_id,
        "columns": [{"name": name, "type": type_} for name, type_ in zip(names, types, strict=True)],
        "rows": [dict(zip(names, map(_value, types, row), strict=True)) for row in result.rows],
        "scanned_bytes": result.scanned_bytes,
        "milliseconds": result.milliseconds,
        "usd": usd(result.scanned_bytes),
    }


def _value(type_: str, text: str | None) -> Any:
    """The JSON value; what JSON has no value for (NaN, decimals without loss, dates) stays text."""
    if text is None:
        return None
    if type_ == "boolean":
        return text == "true"
    if type_ in _INTEGERS:
        return int(text)
    if type_ in {"double", "float", "real"} and text.lstrip("-") not in {"NaN", "Infinity"}:
        return float(text)
    return text


def distinct(names: list[str]) -> list[str]:
    """SQL allows two columns of one name, a JSON object does not: a, a -> a, a_2."""
    result: list[str] = []
    for name in names:
        number, free = 1, name
        while free in result:
            number += 1
            free = f"{name}_{number}"
        result.append(free)
    return result
