"""Two processors' rows of one raw object: each row counts once on each side, whatever is missing where."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from clicklake.difference import Difference, differs
from clicklake.pipeline import Column

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
