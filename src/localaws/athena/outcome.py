"""What a statement of Hive's prints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """`lines` are the rows, one text each; `columns` the names that GetQueryResults gives them."""

    columns: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
