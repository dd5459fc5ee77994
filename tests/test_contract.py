"""docs/contract.md says what is so: it is what the pipeline file and the transform give."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from clicklake import contract, pipeline

ROOT = Path(__file__).parent.parent
OURS = pipeline.load(pipeline.FILE)
PAGE = "".join(f"{line}\n" for line in contract.page(OURS))


def with_column(**column: Any) -> pipeline.Pipeline:
    document = json.loads(pipeline.FILE.read_text())
    document["tables"]["events"]["columns"].append({"type": "string", "comment": "Ours.", **column})
    return pipeline.parse(json.dumps(document))


def cells(page: str, name: str) -> list[list[str]]:
    """The cells of the rows whose first is `name`."""
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("|")]
    return [row for row in rows if row[0] == f"`{name}`"]


def test_the_committed_page_is_the_generated_one() -> None:
    assert (ROOT / "docs/contract.md").read_text() == PAGE, "make contract"


def test_every_field_and_column_has_its_row() -> None:
    rows = re.findall(r"^\| `(\w+)`", PAGE, flags=re.MULTILINE)
    wanted = [known.name for known in OURS.fields] + [c.name for table in OURS.tables for c in table.columns]
    assert rows == wanted


def test_examples_are_what_the_transform_gives() -> None:
    """The page's first code block, sent through the transform by hand, gives the values in its tables."""
    event, broken = re.findall(r"```json\n(\{.*?\n\})\n(.*)\n```", PAGE, flags=re.DOTALL)[0]
    assert json.loads(event) == {known.name: known.example for known in OURS.fields}
    assert json.loads(broken).keys() == {"user_id", "page_url"}
    assert cells(PAGE, "late_by_seconds")[0][-1] == "`28`"
    assert cells(PAGE, "ip_truncated")[0][-1] == "`203.0.113.0/24`"
    assert cells(PAGE, "failure_type")[0][-1] == "`missing_field`"
    assert [row[-1] for row in cells(PAGE, "records_in")] == ["`2`"]


def test_private_values_are_shown_as_input_only() -> None:
    _, _, output = PAGE.partition("## `clickstream_events`")
    for private in ("u-4711", "203.0.113.77", "kim@mail.example"):
        assert private in PAGE
        assert private not in output


def test_a_promise_of_never_null_is_kept_by_the_example() -> None:
    made = contract.examples(OURS)
    for table, row in zip(OURS.tables, (made.events, made.failed, made.ledger), strict=True):
        assert {c.name for c in table.columns if c.not_null} <= row.keys()


def test_a_teams_own_column_is_on_its_page_with_its_example() -> None:
    ours = with_column(
        **{"name": "trial_ends", "type": "date", "from": "properties.trial.ends", "example": "2025-12-24"}
    )
    (row,) = cells("\n".join(contract.page(ours)), "trial_ends")
    assert row == ["`trial_ends`", "date", "", "field `properties.trial.ends`", "", "Ours.", "`2025-12-24`"]


def test_examples_that_make_no_event_are_an_error() -> None:
    document = json.loads(pipeline.FILE.read_text())
    document["fields"][1]["example"] = 7
    with pytest.raises(ValueError, match="look at the fields' examples"):
        contract.examples(pipeline.parse(json.dumps(document)))
