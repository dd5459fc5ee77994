"""What `clicklake query` makes of an answer: tables, CSV, JSON, charts; and of a file of statements."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clicklake import chart, query, table
from clicklake.errors import UsageError
from clicklake.query import Column, Result
from clicklake.sql_file import statements


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
    assert text(result({"a": "varchar"}, ("\u202eevil\u2028",)))[2] == "\\u202eevil\\u2028"


def test_what_is_not_drawn_takes_no_column() -> None:
    for invisible in ("e\u0301", "1\ufe0f", "a\u200d", "\u200bx", "ก\u0e31"):
        assert table.display_width(invisible) == 1


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


@pytest.mark.parametrize(
    ("scanned", "usd", "said"),
    [
        (0, 0, "$0"),
        (1, 10e6 / 2**40 * 5, "$0.000045"),  # 10 MB at least
        (10_000_001, 11e6 / 2**40 * 5, "$0.000050"),  # whole MB
        (45 * 2**40, 225, "$225.00"),
    ],
)
def test_dollars_are_those_of_athenas_price_list(scanned: int, usd: float, said: str) -> None:
    assert query.usd(scanned) == pytest.approx(usd, rel=1e-6)
    assert query.dollars(query.usd(scanned)) == said


# --- a file of statements --------------------------------------------------------------------------------------------


def test_a_file_is_taken_apart_where_a_semicolon_ends_a_statement() -> None:
    text = """-- one; and a comment
SELECT 'a;b', "c;""d" /* ; */ FROM t; ;
/* only; a comment */ ;

SELECT 'it''s; so' -- the last;
"""
    assert [(each.line, each.sql.splitlines()[-1]) for each in statements(text, "x.sql")] == [
        (2, """SELECT 'a;b', "c;""d" /* ; */ FROM t"""),
        (5, "SELECT 'it''s; so' -- the last;"),
    ]


@given(st.lists(st.sampled_from(["SELECT 1", "'a;''b'", '"x;y"', "-- c;\n", "/* ; ' */", "`t;`", " \n"]), min_size=1))
def test_what_stands_in_quotes_and_comments_takes_nothing_apart(pieces: list[str]) -> None:
    found = statements(f"SELECT {' '.join(pieces)};SELECT 2", "x.sql")
    assert [each.sql.split()[0] for each in found] == ["SELECT", "SELECT"]
    assert found[1].sql == "SELECT 2"


@pytest.mark.parametrize(
    ("text", "what"), [("SELECT 1;\nSELECT 'a", "line 2: a quote (')"), ("/* a", "line 1: a comment")]
)
def test_a_quote_that_is_not_closed_is_named_with_its_line(text: str, what: str) -> None:
    with pytest.raises(UsageError, match=re.escape(what)):
        statements(text, "x.sql")


# --- charts ----------------------------------------------------------------------------------------------------------


def drawn(answer: Result, kind: chart.Kind | None = None, width: int = 60) -> list[str]:
    lines = list(chart.lines(answer, kind, width))
    assert max(map(table.display_width, lines)) <= width
    return lines


def test_names_are_drawn_as_bars_with_their_numbers() -> None:
    answer = result(
        {"q": "varchar", "n": "double"}, ("リュック", "10.0"), ("wool", "5.0"), ("back", "-5.0"), (None, None)
    )
    title, *bars = drawn(answer)
    assert title == "n by q"
    assert [bar[:16] for bar in bars[1:]] == ["wool       5.0  ", "back      -5.0  ", "NULL      NULL"]
    assert [bar.count("█") for bar in bars] == [44, 22, 0, 0]
    assert bars[2].count("░") == 22


@pytest.mark.parametrize("type_", ["date", "varchar", "timestamp"])
def test_what_goes_on_in_time_is_drawn_as_a_line(type_: str) -> None:
    days = [(f"2025-11-{day}", str(day * 10)) for day in (26, 24, 25)]
    lines = drawn(result({"day": type_, "n": "bigint"}, *days))
    assert "█" not in "".join(lines)
    assert re.findall(r"2025-11-\d\d", lines[-1]) == ["2025-11-24", "2025-11-25", "2025-11-26"]
    assert "260" in lines[2]


def test_points_without_a_place_are_counted() -> None:
    rows = [("1", "1"), ("2", None), ("3", "NaN"), ("4", "4")]
    assert drawn(result({"x": "integer", "y": "double"}, *rows))[-1].startswith("(2 of 4 rows have no place")


@pytest.mark.parametrize("kind", ["bar", "line"])
def test_a_chart_of_nothing_says_so(kind: chart.Kind) -> None:
    assert drawn(result({"x": "integer", "y": "double"}), kind) == ["y by x", "no rows"]


def test_what_is_no_chart_says_what_would_be() -> None:
    for columns in ({"a": "varchar"}, {"a": "bigint", "b": "varchar"}):
        with pytest.raises(UsageError, match="select a name or a time, and a number"):
            drawn(result(columns))


# --- a bar chart -------------------------------------------------------------------------------------------------


def test_bars_are_as_long_as_their_numbers_and_fit_the_width() -> None:
    lines = list(table.bars([("page_view", 1000), ("click", 500), ("purchase", 0)], 40))
    assert [line.count("█") for line in lines] == [22, 11, 0]
    assert lines[0] == "page_view  1,000  " + "█" * 22
    assert lines[2] == "purchase       0"
