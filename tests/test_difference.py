"""Two processors' rows of one raw object: each row counts once on each side, and spelling is no difference."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clicklake.difference import Difference, differs
from clicklake.pipeline import Column, GlueType
from clicklake.processed_rows import normal

COLUMNS = (Column("record_index", "bigint", ""), Column("event_type", "string", ""), Column("value", "double", ""))
ROWS = st.dictionaries(st.integers(0, 12), st.sampled_from([1, 1.0, 2.5, "1", None]), max_size=8)


def rows(values: dict[int, Any]) -> list[dict[str, Any]]:
    return [{"record_index": index, "event_type": "click", "value": values[index]} for index in sorted(values)]


def number(value: Any) -> float | None:
    """The column's type: processors may write it in several ways."""
    return None if value is None else float(value)


@given(ROWS, ROWS)
def test_every_row_of_either_side_is_counted_once(before: dict[int, Any], after: dict[int, Any]) -> None:
    difference = Difference(COLUMNS, COLUMNS)
    difference.meet("raw/a.gz", rows(before), rows(after))
    found = difference.document()
    both, counts = before.keys() & after.keys(), found["rows"]
    assert counts["same"] + counts["changed"] == len(both)
    assert (counts["removed"], counts["added"]) == (len(before) - len(both), len(after) - len(both))
    same = [index for index in both if number(before[index]) == number(after[index])]
    assert counts["same"] == len(same)
    assert differs(found) == (before.keys() != after.keys() or len(same) < len(both))


MOMENT = datetime(2025, 11, 26, 10, 15, tzinfo=UTC)
SPELLINGS: list[tuple[GlueType, list[Any]]] = [
    ("timestamp", [MOMENT, MOMENT.replace(tzinfo=None), MOMENT.astimezone(timezone(timedelta(hours=2)))]),
    ("timestamp", ["2025-11-26 10:15:00.000", "2025-11-26T10:15:00Z", "2025-11-26T12:15:00+02:00", 1764152100000]),
    ("date", [date(2025, 11, 26), "2025-11-26", "2025-11-26T00:00:00Z", MOMENT]),
    ("bigint", [12, "12", 12.0, Decimal(12)]),
    ("double", [12.5, "12.5", Decimal("12.50"), "1.25e1"]),
]


@pytest.mark.parametrize(("kind", "values"), SPELLINGS)
def test_one_value_in_several_spellings_is_one_value(kind: GlueType, values: list[Any]) -> None:
    assert len({normal(Column("a", kind, ""), value) for value in values}) == 1


@pytest.mark.parametrize(
    ("kind", "value"),
    [("bigint", "12,5"), ("bigint", 12.5), ("bigint", True), ("double", "much"), ("timestamp", "soon"), ("string", 5)],
)
def test_a_value_of_another_type_stays_what_it_is(kind: GlueType, value: Any) -> None:
    assert normal(Column("a", kind, ""), value) == value


def test_properties_are_the_same_in_any_order_as_text_or_not() -> None:
    column = Column("properties", "string", "", from_="properties")
    assert normal(column, '{"b": 1, "a": [2]}') == normal(column, {"a": [2], "b": 1}) == '{"a":[2],"b":1}'
