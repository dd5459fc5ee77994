"""What was sent against what is there. Pure, but for what `Files` and a query look up."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from chaos.lake import Files, Lake
from chaos.senders import Sent
from clicklake.pipeline import Names, Pipeline
from clicklake.query import Result

_SHOWN = 10
Query = Callable[[str], Result]


@dataclass(frozen=True, slots=True)
class Wrong:
    """Ids, or names of raw objects, of which something is not as it must be."""

    what: str
    which: set[str]


def wrongs(sent: Sent, destroyed: set[str], told: str, lake: Lake) -> Iterator[Wrong]:
    """Everything that does not hold. `destroyed` are acknowledged ids whose bytes the damage has hit: they may be gone,
    but then they are set aside, and the endpoint's log, `told`, names the file."""
    everything = sent.events | sent.malformed
    found = lake.events + lake.failed
    lost = sent.acknowledged - found.keys()
    yield Wrong("acknowledged and lost", lost - destroyed)
    aside = set().union(*lake.set_aside.values())
    yield Wrong("damaged on purpose, lost and not set aside", (lost & destroyed) - aside)
    yield Wrong("set aside in silence", {name for name in lake.set_aside if name not in told})
    yield Wrong("there, and never sent", found.keys() - everything)
    yield Wrong("sent once, and there more than once", {id_ for id_ in sent.once if found[id_] > 1})
    yield Wrong("an event among the failed records", lake.failed.keys() & sent.events)
    yield Wrong("malformed, and among the events", lake.events.keys() & sent.malformed)
    yield from _ledger(lake)


def _ledger(lake: Lake) -> Iterator[Wrong]:
    yield Wrong("log segments not delivered", set(lake.waiting))
    yield Wrong("raw objects without a ledger row", lake.unledgered)
    yield Wrong("ledger rows without a raw object", lake.rawless)
    unbalanced, other = set(), set()
    for row in lake.ledger:
        if row["records_in"] != row["good"] + row["duplicate"] + row["failed"]:
            unbalanced.add(row["raw_key"])
        if row["good"] + row["failed"] != lake.rows_by_raw_key[row["raw_key"]]:
            other.add(row["raw_key"])
    yield Wrong("records_in is not good + duplicate + failed", unbalanced)
    yield Wrong("the ledger has other counts than the files", other)
    yield Wrong(
        "rows of raw objects without a ledger row", lake.rows_by_raw_key.keys() - {r["raw_key"] for r in lake.ledger}
    )
    counts = Counter(row["raw_key"] for row in lake.ledger)
    yield Wrong("more than one ledger row", {key for key, count in counts.items() if count > 1})


def through_athena(query: Query, pipeline: Pipeline, names: Names, lake: Lake) -> Iterator[Wrong]:
    """The tables and the view say what the files say."""
    tables, database = pipeline.tables, names.database
    expected = {
        f"count(*), count(DISTINCT event_id) FROM {database}.{tables.events.name}": (
            lake.events.total(),
            len(lake.events),
        ),
        f"count(*) FROM {database}.{tables.failed.name}": (lake.failed.total(),),
        f"count(*), count(DISTINCT event_id) FROM {database}.{names.unique_view}": (len(lake.events), len(lake.events)),
        f"sum(good), sum(failed) FROM {database}.{tables.ledger.name}": (lake.events.total(), lake.failed.total()),
    }
    for sql, numbers in expected.items():
        told = tuple(int(cell or 0) for cell in query(f"SELECT {sql}").rows[0])
        yield Wrong(
            f"Athena says {told}, the files say {numbers}: SELECT {sql}", set() if told == numbers else {"counts"}
        )


def lines(wrong: Wrong, files: Files) -> Iterator[str]:
    yield f"{wrong.what}: {len(wrong.which):,}"
    shown = set(sorted(wrong.which)[:_SHOWN])
    for name, places in sorted(files.places_of(shown).items()):
        yield f"  {name}  {', '.join(places)}"
