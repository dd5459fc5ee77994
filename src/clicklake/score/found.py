"""What is in the lake of some days of arrival, asked through Athena."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from clicklake.pipeline import Names, Pipeline
from clicklake.query import Result
from clicklake.saved_queries import saved_query

Query = Callable[[str], Result]
Place = tuple[str, int]
"""An event is known by its session_id and its index in it, which are the same in all its sendings."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of clickstream_events_unique. `at` is event_ts in epoch seconds; `text_value` and `experiment` are what
    drifted events have in their properties."""

    place: Place
    event_type: str
    at: float
    source: str
    channel: str | None
    traffic: str
    device: str | None
    value: str | None
    text_value: str | None
    experiment: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """`table_rows` of clickstream_events; `failed` are the failed records' (type, sha256), `sessions` those of the
    saved query of that name, of all days, `visitors` different people; the rest are the ledger's sums."""

    rows: list[Row]
    table_rows: int
    failed: list[tuple[str, str]]
    sessions: int
    visitors: int
    records_in: int
    good: int
    duplicate: int
    failed_records: int


def ask(query: Query, pipeline: Pipeline, names: Names, days: Iterable[date]) -> Found:
    where = " OR ".join(f"({day:year = '%Y' AND month = '%m' AND day = '%d'})" for day in days)
    tables = pipeline.tables
    columns = """session_id, json_extract_scalar(properties, '$.event_index'), event_type, event_ts, event_ts_source,
  channel, traffic_type, device_type, value, json_extract_scalar(properties, '$.value'),
  json_extract_scalar(properties, '$.experiment.arm')"""
    rows = query(f"SELECT {columns} FROM {names.database}.{names.unique_view} WHERE {where}").rows
    table_rows = query(f"SELECT count(*) FROM {names.database}.{tables.events.name} WHERE {where}").rows
    failed = query(f"SELECT failure_type, raw_sha256 FROM {names.database}.{tables.failed.name} WHERE {where}").rows
    sums = f"""SELECT sum(records_in), sum(good), sum(duplicate), sum(failed)
FROM {names.database}.{tables.ledger.name} WHERE {where}"""
    people = f"""SELECT count(DISTINCT visitor_id) FROM {names.database}.{names.unique_view}
WHERE traffic_type = 'human' AND ({where})"""
    visits = query(saved_query("sessions", pipeline, None).sql).rows
    return Found(
        [_row(row) for row in rows],
        int(table_rows[0][0] or 0),
        [(str(kind), str(digest)) for kind, digest in failed],
        sum(int(row[1] or 0) for row in visits),
        int(query(people).rows[0][0] or 0),
        *(int(cell or 0) for cell in query(sums).rows[0]),
    )


def _row(cells: tuple[str | None, ...]) -> Row:
    session, index, event_type, at, source, channel, traffic, *rest = cells
    moment = datetime.fromisoformat(str(at)).replace(tzinfo=UTC).timestamp()
    place = str(session), int(index) if index is not None else -1
    return Row(place, str(event_type), moment, str(source), channel, str(traffic), *rest)
