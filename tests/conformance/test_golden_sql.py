"""Trino's own word (tests/golden_sql): what its tests and documentation say a statement is worth, through Athena's API.

A tenth of the expressions runs here; `python -m conformance.golden_sql` runs all.
"""

from collections.abc import Callable
from typing import Any

from conformance.golden_sql import pairs
from conformance.golden_sql.__main__ import LIST, runner
from conformance.golden_sql.judge import judged

from conformance import expected

_EVERY = 10


def test_what_trino_says_an_expression_is_worth_it_is_worth_here(aws: Callable[..., Any]) -> None:
    aws("s3").create_bucket(Bucket="golden")
    known = expected.read(LIST)
    answered = [p for p in pairs.every() if p.one_value and p.origin not in known]
    not_right = [v for v in judged(answered[::_EVERY], runner(aws("athena"))) if v.refused or v.wrong]
    assert not_right == []


def test_what_is_not_right_yet_is_a_pair_of_the_table() -> None:
    assert expected.read(LIST).keys() <= {p.origin for p in pairs.every()}


def test_each_pair_has_an_origin_of_its_own_and_there_are_six_hundred() -> None:
    origins = [p.origin for p in pairs.every()]
    assert len(origins) == len(set(origins)) >= 600


def test_the_page_says_how_many_are_right() -> None:
    total, rest = len(pairs.every()), len(expected.read(LIST))
    page = (pairs.FOLDER.parents[1] / "docs" / "athena.md").read_text()
    assert f"**{total - rest:,} of {total:,} are right" in page
