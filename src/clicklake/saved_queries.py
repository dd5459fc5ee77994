"""The first answers for analysts: queries/*.sql, each an Athena statement that begins with what it asks and answers.

`clicklake up` and Terraform make an Athena named query of each, `clicklake query --name` runs one. They name the
tables of our own pipeline file, and no database: that is the context's.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from clicklake.errors import UsageError
from clicklake.pipeline import Pipeline

FOLDER = Path(__file__).with_name("queries")
# What the files call the tables, and where a pipeline says what it calls them.
_EVENTS, _FAILED, _LEDGER, _UNIQUE = (
    "clickstream_events",
    "clickstream_failed",
    "clickstream_ledger",
    "clickstream_events_unique",
)
_TABLE = re.compile(rf"\b(?:{_EVENTS}|{_FAILED}|{_LEDGER}|{_UNIQUE})\b")


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """`question` is the first line of its comment."""

    name: str
    question: str
    sql: str


def saved_queries(pipeline: Pipeline, environment: str | None = None) -> tuple[SavedQuery, ...]:
    """All of them by name, with the pipeline's own names of tables."""
    tables = pipeline.tables
    called = {
        _EVENTS: tables.events.name,
        _FAILED: tables.failed.name,
        _LEDGER: tables.ledger.name,
        _UNIQUE: pipeline.names(environment).unique_view,
    }
    return tuple(_read(file, called) for file in sorted(FOLDER.glob("*.sql")))


def saved_query(name: str, pipeline: Pipeline, environment: str | None = None) -> SavedQuery:
    """The one of that name. Raises UsageError with all names if there is none."""
    every = saved_queries(pipeline, environment)
    found = next((query for query in every if query.name == name), None)
    if found is None:
        raise UsageError(f"no query is called {name!r}", f"one of {', '.join(query.name for query in every)}")
    return found


def _read(file: Path, called: dict[str, str]) -> SavedQuery:
    sql = _TABLE.sub(lambda found: called[found[0]], file.read_text(encoding="utf-8"))
    return SavedQuery(file.stem, sql.partition("\n")[0].removeprefix("-- "), sql)
