"""What was sent against what is in the lake: the generator's truth on one side, five answers of Athena's on the other.

ask()       the lake, in SQL
checks()    what must hold, with both numbers; pure
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from clicklake.pipeline import Names, Pipeline
from clicklake.query import Result
from clicklake.simulator.traffic import Truth

Query = Callable[[str], Result]


@dataclass(frozen=True, slots=True)
class Lake:
    """Counts of rows. `unique` and `ids` are by event type: rows of the unique view, and ids in it. `days` is the
    number of days of arrival; over midnight the view may show an event twice, once on each day."""

    objects: int
    days: int
    records_in: int
    good: int
    duplicate: int
    failed: int
    failed_once: int
    events: Counter[str]
    unique: Counter[str]
    ids: Counter[str]


@dataclass(frozen=True, slots=True)
class Check:
    what: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found


def ask(query: Query, pipeline: Pipeline, names: Names) -> Lake:
    """Count everything in the lake through Athena."""
    tables, database = pipeline.tables, names.database
    ledger = f"""SELECT COUNT(*), COUNT(DISTINCT day), SUM(records_in), SUM(good), SUM(duplicate), SUM(failed)
FROM {database}.{tables.ledger.name}"""
    failed = f"SELECT COUNT(DISTINCT raw_sha256) FROM {database}.{tables.failed.name}"
    unique = f"""SELECT event_type, COUNT(*), COUNT(DISTINCT event_id)
FROM {database}.{names.unique_view} GROUP BY event_type"""
    objects, days, records_in, good, duplicate, bad = (int(cell or 0) for cell in query(ledger).rows[0])
    by_type = [(str(row[0]), int(row[1] or 0), int(row[2] or 0)) for row in query(unique).rows]
    return Lake(
        objects,
        days,
        records_in,
        good,
        duplicate,
        bad,
        failed_once=int(query(failed).rows[0][0] or 0),
        events=Counter(dict(counts(query(by_type_sql(pipeline, names))))),
        unique=Counter({name: rows for name, rows, _ in by_type}),
        ids=Counter({name: ids for name, _, ids in by_type}),
    )


def by_type_sql(pipeline: Pipeline, names: Names) -> str:
    """The seed's own GROUP BY."""
    return f"SELECT event_type, COUNT(*)\nFROM {names.database}.{pipeline.tables.events.name}\nGROUP BY event_type"


def counts(result: Result) -> list[tuple[str, int]]:
    """Rows of (name, number), the largest first."""
    return sorted(((str(name), int(number or 0)) for name, number in result.rows), key=lambda pair: (-pair[1], pair[0]))


def checks(truth: Truth, lake: Lake, unanswered: int) -> Iterator[Check]:
    """Everything that must hold when `unanswered` records were sent again because nobody had answered for them."""
    for event_type in sorted(truth.distinct.keys() | lake.ids.keys()):
        yield Check(f"{event_type} events", truth.distinct[event_type], lake.ids[event_type])
    if lake.days == 1:
        yield Check("rows of the unique view", lake.ids.total(), lake.unique.total())
    yield Check("malformed records", truth.malformed, lake.failed_once)
    yield Check("good rows of the ledger", lake.events.total(), lake.good)
    yield Check("records in the ledger", lake.records_in, lake.good + lake.duplicate + lake.failed)
    stored_again = min(max(lake.records_in - truth.sent, 0), unanswered)
    yield Check("records in", truth.sent + stored_again, lake.records_in)
    yield Check("repeats", truth.repeats.total() + stored_again, lake.duplicate + hidden(lake) + failed_again(lake))


def hidden(lake: Lake) -> int:
    """Repeats in the table that the unique view does not show."""
    return lake.events.total() - lake.ids.total()


def failed_again(lake: Lake) -> int:
    """Malformed records that were stored twice, since their batch was."""
    return lake.failed - lake.failed_once
