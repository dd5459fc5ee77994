"""`clicklake query`: Athena's answer as a table, as CSV and as JSON."""

import csv
import io
import json
import subprocess
import sys

import pytest

from clicklake import query, table
from clicklake.query import Column, Result
from endpoint_process import EndpointProcess


def result(columns: dict[str, str], *rows: tuple[str | None, ...]) -> Result:
    return Result("id-1", tuple(Column(*pair) for pair in columns.items()), list(rows), 1234, 56)


def text(answer: Result, form: query.Form = "table", width: int = 80) -> list[str]:
    return list(query.render(answer, form, width))


# --- a table for people ------------------------------------------------------------------------------------------


def test_text_is_aligned_left_and_numbers_right() -> None:
    answer = result({"event_type": "varchar", "_col1": "bigint"}, ("page_view", "11379"), ("click", "42"))
    assert text(answer) == [
        "event_type  _col1",
        "──────────  ─────",
        "page_view   11379",
        "click          42",
    ]


def test_null_is_shown_and_differs_from_an_empty_string() -> None:
    assert text(result({"a": "varchar", "b": "varchar"}, (None, "x"), ("", "y")))[2:] == ["NULL  x", "      y"]


def test_long_values_are_cut_to_the_width() -> None:
    lines = text(result({"id": "bigint", "url": "varchar"}, ("1", "https://www.shop.example/" * 4)), width=30)
    assert max(map(table.display_width, lines)) == 30
    assert lines[2] == " 1  https://www.shop.example/…"


def test_columns_without_room_are_left_out_and_counted() -> None:
    answer = result({f"column_{n}": "varchar" for n in range(50)}, tuple("v" * 20 for _ in range(50)))
    lines = text(answer, width=60)
    assert max(map(table.display_width, lines)) <= 60
    assert lines[0].split() == ["column_0", "column_1"]
    assert lines[-1] == "… and 48 more columns"


def test_wide_characters_take_two_columns() -> None:
    lines = text(result({"q": "varchar", "n": "bigint"}, ("リュック", "1"), ("wool", "2")))
    assert len({table.display_width(line) for line in lines}) == 1


def test_a_value_can_not_control_the_terminal() -> None:
    assert text(result({"a": "varchar"}, ("\x1b[2Jhi\n",)))[2] == "\\x1b[2Jhi\\x0a"


def test_a_statement_without_a_result_shows_nothing() -> None:
    assert text(result({})) == text(result({}), "csv") == []


# --- CSV and JSON for programs -----------------------------------------------------------------------------------


def test_csv_can_be_read_back() -> None:
    rows = [('say "hi", you', "line\nbreak"), ("plain", "")]
    lines = "\n".join(text(result({"a": "varchar", "b": "varchar"}, *rows), "csv"))
    assert list(csv.reader(io.StringIO(lines))) == [["a", "b"], *map(list, rows)]


def test_in_csv_null_is_nothing_and_an_empty_string_is_quoted() -> None:
    assert text(result({"a": "varchar", "b": "varchar"}, (None, "")), "csv") == ["a,b", ',""']


def test_json_has_values_of_their_type() -> None:
    columns = {"n": "bigint", "d": "double", "b": "boolean", "t": "timestamp", "m": "decimal", "x": "varchar"}
    answer = result(columns, ("7", "1.5", "true", "2026-11-22 12:00:00.000", "1.10", None))
    document = json.loads(*text(answer, "json"))
    assert document["rows"] == [{"n": 7, "d": 1.5, "b": True, "t": "2026-11-22 12:00:00.000", "m": "1.10", "x": None}]
    assert document["columns"][0] == {"name": "n", "type": "bigint"}
    assert (document["scanned_bytes"], document["milliseconds"]) == (1234, 56)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_json_keeps_numbers_it_has_no_form_for_as_text(value: str) -> None:
    (line,) = text(result({"d": "double"}, (value,)), "json")
    assert json.loads(line, parse_constant=pytest.fail)["rows"] == [{"d": value}]


def test_two_columns_of_one_name_are_both_there() -> None:
    answer = Result("id", (Column("a", "bigint"), Column("a", "bigint")), [("1", "2")], 0, 1)
    assert json.loads(*text(answer, "json"))["rows"] == [{"a": 1, "a_2": 2}]


def test_the_summary_says_what_it_cost() -> None:
    assert query.summary(result({"a": "bigint"}, ("1",))) == "1 row, 56 ms, 1.2 kB scanned"


# --- a bar chart -------------------------------------------------------------------------------------------------


def test_bars_are_as_long_as_their_numbers_and_fit_the_width() -> None:
    lines = list(table.bars([("page_view", 1000), ("click", 500), ("purchase", 0)], 40))
    assert [line.count("█") for line in lines] == [22, 11, 0]
    assert lines[0] == "page_view  1,000  " + "█" * 22
    assert lines[2] == "purchase       0"


# --- the command, against a stack --------------------------------------------------------------------------------


def clicklake(stack: EndpointProcess, *arguments: str, sent: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clicklake", *arguments]
    return subprocess.run(command, input=sent, capture_output=True, text=True, env=stack.environment(), timeout=60)


def test_on_a_pipe_the_answer_is_csv_and_the_rest_on_stderr(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT 1 AS one, CAST(NULL AS varchar) AS nothing, '' AS empty")
    assert done.stdout == 'one,nothing,empty\n1,,""\n', done.stderr
    assert f"laptop 127.0.0.1:{stack.port}" in done.stderr
    assert "1 row, " in done.stderr


def test_a_statement_can_come_from_standard_input(stack: EndpointProcess) -> None:
    assert clicklake(stack, "query", "-", sent="SELECT 7 / 2;\n").stdout == "_col0\n3\n"


def test_more_rows_than_a_page_are_all_there(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT n FROM UNNEST(sequence(1, 2500)) AS t (n)")
    assert done.stdout.splitlines() == ["n", *map(str, range(1, 2501))], done.stderr


def test_the_pipelines_database_is_the_default(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT COUNT(*) FROM clickstream_events", "--json")
    assert json.loads(done.stdout)["rows"] == [{"_col0": 0}], done.stderr


def test_statements_without_a_header_row_lose_no_row(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SHOW TABLES")
    assert "clickstream_events" in done.stdout.splitlines(), done.stderr


def test_a_failed_query_exits_with_4_and_athenas_reason(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT * FROM no_such_table")
    assert done.returncode == 4
    assert "TABLE_NOT_FOUND" in done.stderr
    assert done.stdout == ""


def test_a_workgroup_that_is_not_there_says_what_to_look_at(stack: EndpointProcess) -> None:
    done = clicklake(stack, "query", "SELECT 1", "--environment", "prod")
    assert done.returncode == 4
    assert "clickstream-prod is not found.; is the stack deployed there? laptop: clicklake up" in done.stderr
