"""The saved queries: each answers what an independent count over the sent events says, and reads its period only."""

import json
import math
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from clicklake import pipeline, query, target
from clicklake.cli import main
from clicklake.errors import UsageError
from clicklake.saved_queries import FOLDER, saved_queries, saved_query
from clicklake.simulator.traffic import Kind
from endpoint_process import EndpointProcess, eventually
from shop_weeks import Event, RawObject, rows, unique, weeks

ROOT = Path(__file__).parent.parent
BUCKET = "clickstream-lake-dev"
PIPELINE = pipeline.load(pipeline.FILE)
NAMES = tuple(file.stem for file in sorted(FOLDER.glob("*.sql")))
ABOUT_PEOPLE = ("daily_visitors", "sessions", "top_pages", "channels", "funnel", "weekly_retention")
Row = dict[str, Any]


@dataclass(frozen=True)
class Lake:
    """What was sent, and the endpoint that has it."""

    endpoint: EndpointProcess
    objects: list[RawObject]
    today: date
    results: dict[str, query.Result] = field(default_factory=dict)

    @cached_property
    def target(self) -> target.Target:
        keys = self.endpoint.keys()
        return target.of_keys(self.endpoint.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], "us-east-1")

    def ask(self, sql: str) -> query.Result:
        return query.run(self.target, sql, "clickstream-dev", "clickstream_db")

    def result(self, name: str) -> query.Result:
        """Asked once."""
        if name not in self.results:
            self.results[name] = self.ask(saved_query(name, PIPELINE).sql)
        return self.results[name]

    def answer(self, name: str) -> list[Row]:
        (document,) = query.render(self.result(name), "json", 80)
        answered: list[Row] = json.loads(document)["rows"]
        return answered

    def people(self, days: int = 30) -> list[Event]:
        return [event for event in self.events(days) if event.traffic == "human"]

    def events(self, days: int = 30) -> list[Event]:
        """Of the days up to today, whenever they arrived."""
        return [event for event in self.unique if event.day > self.today - timedelta(days)]

    @cached_property
    def rows(self) -> list[Event]:
        return rows(self.objects)

    @cached_property
    def unique(self) -> list[Event]:
        return unique(self.rows)

    @property
    def arrived(self) -> list[RawObject]:
        return [made for made in self.objects if made.received.date() > self.today - timedelta(30)]


@pytest.fixture(scope="module")
def lake(stack: EndpointProcess) -> Lake:
    now = datetime.now(UTC)
    objects = weeks(now)
    s3 = stack.client("s3")
    for made in objects:
        s3.put_object(Bucket=BUCKET, Key=made.key, Body=made.stored)

    def processed() -> bool:
        return bool(s3.list_objects_v2(Bucket=BUCKET, Prefix="ledger/")["KeyCount"] == len(objects))

    assert eventually(processed, seconds=60)
    return Lake(stack, objects, now.date())


# --- the answers -----------------------------------------------------------------------------------------------------


def rounded(value: float, digits: int) -> float:
    """Half up, as Trino rounds."""
    unit: int = 10**digits
    return math.floor(value * unit + 0.5) / unit


def percent(part: int, whole: int) -> float:
    return rounded(100 * part / whole, 1)


def grouped(events: Iterable[Event], key: Callable[[Event], Any]) -> dict[Any, list[Event]]:
    groups: dict[Any, list[Event]] = defaultdict(list)
    for event in events:
        groups[key(event)].append(event)
    return groups


def visits(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Each visitor's events, cut where more than 30 minutes lie between two."""
    for own in grouped(events, lambda event: (event.id[0], event.visitor)).values():
        own.sort(key=lambda event: event.at)
        visit = own[:1]
        for before, event in pairwise(own):
            if event.at - before.at > timedelta(minutes=30):
                yield visit
                visit = []
            visit.append(event)
        yield visit


def test_daily_visitors(lake: Lake) -> None:
    days = grouped(lake.people(), lambda event: event.day)
    assert len(days) > 5
    assert lake.answer("daily_visitors") == [
        {
            "event_date": str(day),
            "visitors": len({event.visitor for event in events}),
            "page_views": sum(event.type == "page_view" for event in events),
            "events": len(events),
        }
        for day, events in sorted(days.items(), reverse=True)
    ]


def test_sessions(lake: Lake) -> None:
    days: dict[date, list[list[Event]]] = defaultdict(list)
    for visit in visits(lake.people()):
        days[visit[0].day].append(visit)
    assert lake.answer("sessions") == [
        {
            "session_date": str(day),
            "sessions": len(begun),
            "visitors": len({visit[0].visitor for visit in begun}),
            "events_per_session": rounded(sum(map(len, begun)) / len(begun), 2),
            "minutes": rounded(sum(map(whole_seconds, begun)) / len(begun) / 60, 2),
            "percent_bounced": percent(sum(bounced(visit) for visit in begun), len(begun)),
        }
        for day, begun in sorted(days.items(), reverse=True)
    ]


def whole_seconds(visit: list[Event]) -> int:
    return (visit[-1].at - visit[0].at) // timedelta(seconds=1)


def bounced(visit: list[Event]) -> bool:
    return sum(event.type == "page_view" for event in visit) <= 1


def test_a_session_ends_after_a_gap_of_more_than_30_minutes(lake: Lake) -> None:
    """What the model of this file says of the visitors made by hand, so that it is not as wrong as the query."""
    lengths = [(visit[0].visitor[0], len(visit)) for visit in visits(lake.people())]
    assert [length for visitor, length in lengths if visitor == "gap of 30 minutes"] == [2]
    assert [length for visitor, length in lengths if visitor == "gap of 30 minutes and 1 ms"] == [1, 1]


def test_top_pages(lake: Lake) -> None:
    pages = grouped(
        (event for event in lake.people() if event.type == "page_view"), lambda event: (event.host, event.path)
    )
    rows = [(-len(views), -len({e.visitor for e in views}), *page) for page, views in pages.items()]
    assert len(rows) > 100
    assert lake.answer("top_pages") == [
        {"page_host": host, "page_path": path, "page_views": -views, "visitors": -visitors}
        for views, visitors, host, path in sorted(rows)[:100]
    ]


def test_channels(lake: Lake) -> None:
    channels: dict[str | None, list[list[Event]]] = defaultdict(list)
    for visit in visits(lake.people()):
        channels[next((event.channel for event in visit if event.channel), None)].append(visit)
    assert len(channels) > 10
    bought = {name: sum(any(e.type == "purchase" for e in visit) for visit in own) for name, own in channels.items()}
    assert lake.answer("channels") == [
        {
            "channel": name,
            "sessions": len(own),
            "visitors": len({visit[0].visitor for visit in own}),
            "purchases": bought[name],
            "percent_purchased": percent(bought[name], len(own)),
        }
        for name, own in sorted(channels.items(), key=lambda item: (-len(item[1]), item[0] is None, item[0]))
    ]


STEPS = ("page_view", "add_to_cart", "purchase")


def steps_done(events: Iterable[Event]) -> int:
    """How many of the steps one visitor did, each after the one before."""
    done, after = 0, None
    for event in sorted(events, key=lambda event: event.at):
        if done < len(STEPS) and event.type == STEPS[done] and (after is None or event.at > after):
            done, after = done + 1, event.at
    return done


def test_funnel(lake: Lake) -> None:
    done = [steps_done(own) for own in grouped(lake.people(), lambda event: event.visitor).values()]
    reached = [sum(steps >= step for steps in done) for step in (1, 2, 3)]
    assert reached[0] > reached[1] > reached[2] > 0
    assert lake.answer("funnel") == [
        {
            "step": step + 1,
            "event_type": STEPS[step],
            "visitors": reached[step],
            "percent_of_first": percent(reached[step], reached[0]),
            "percent_of_previous": percent(reached[step], reached[max(step - 1, 0)]),
        }
        for step in range(3)
    ]


@pytest.mark.parametrize(
    ("visitor", "steps"),
    [("the wrong order", 1), ("the right order", 3), ("no view before the cart", 1), ("two carts", 3)],
)
def test_a_step_of_the_funnel_counts_after_the_one_before(lake: Lake, visitor: str, steps: int) -> None:
    assert steps_done(event for event in lake.people() if event.visitor == (visitor,)) == steps


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def test_weekly_retention(lake: Lake) -> None:
    since = monday(lake.today) - timedelta(days=49)
    weeks: dict[tuple[str | None, ...], set[date]] = defaultdict(set)
    for event in lake.people(days=99):
        if event.day >= since:
            weeks[event.visitor].add(monday(event.day))
    counted = Counter((min(own), (week - min(own)).days // 7) for own in weeks.values() for week in own)
    assert sum(later > 0 for _, later in counted) > 3
    assert lake.answer("weekly_retention") == [
        {
            "first_week": str(first),
            "weeks_later": later,
            "visitors": visitors,
            "percent": percent(visitors, counted[first, 0]),
        }
        for (first, later), visitors in sorted(counted.items(), key=lambda item: (-item[0][0].toordinal(), item[0][1]))
    ]


def test_bots_and_ai_agents(lake: Lake) -> None:
    machines = grouped(
        (event for event in lake.events() if event.traffic != "human"), lambda event: (event.traffic, event.bot)
    )
    assert {traffic for traffic, _ in machines} == {"bot", "ai_agent", "automation"}
    assert lake.answer("bots_and_ai_agents") == [
        {
            "traffic_type": traffic,
            "bot_name": name,
            "events": len(own),
            "pages": len({(event.host, event.path) for event in own}),
            "days": len({event.day for event in own}),
            "last_seen": in_athena(max(event.at for event in own)),
        }
        for (traffic, name), own in sorted(machines.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def in_athena(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.") + f"{at.microsecond // 1000:03}"


def test_late_events(lake: Lake) -> None:
    days = grouped((event for event in lake.unique if event.object in lake.arrived), lambda event: event.arrived)
    late = {day: sum(event.late > 900 for event in events) for day, events in days.items()}
    assert sum(late.values()) > 10
    assert lake.answer("late_events") == [
        {
            "arrival_date": str(day),
            "events": len(events),
            "late": late[day],
            "percent_late": percent(late[day], len(events)),
            "of_earlier_days": sum(event.day < day for event in events),
            "latest_hours": rounded(max(event.late for event in events) / 3600, 1),
        }
        for day, events in sorted(days.items(), reverse=True)
    ]


# What the generator does to a record -> what the transform says of it.
REASONS = {
    "truncated JSON": ("decode_error", None, "not JSON"),
    "not JSON": ("decode_error", None, "not JSON"),
    "a string": ("not_an_object", None, "JSON, but no object"),
    "a number": ("not_an_object", None, "JSON, but no object"),
    "an array of a number": ("not_an_object", None, "JSON, but no object"),
    "no event_type": ("missing_field", "event_type", "is required"),
    "empty event_type": ("missing_field", "event_type", "is required"),
    "event_type is an object": ("invalid_field", "event_type", "must be text"),
    "invalid UTF-8": ("decode_error", None, "not UTF-8"),
    "nested too deep": ("decode_error", None, "nested deeper than 100 levels"),
}


def test_failures_by_reason(lake: Lake) -> None:
    failures: dict[tuple[Any, ...], list[tuple[RawObject, bytes]]] = defaultdict(list)
    for made in lake.arrived:
        for record in made.records:
            if record.kind is Kind.MALFORMED:
                failures[REASONS[str(record.fault)]].append((made, record.data))
    assert len(failures) >= 4
    in_order = sorted(failures.items(), key=lambda item: (-len(item[1]), item[0][0], item[0][1] or "~", item[0][2]))
    assert lake.answer("failures_by_reason") == [
        {
            "failure_type": reason[0],
            "field": reason[1],
            "message": reason[2],
            "records": len(own),
            "distinct_records": len({data for _, data in own}),
            "last_arrival": in_athena(max(made.received for made, _ in own)),
            "example_key": max(made.key for made, _ in own),
        }
        for reason, own in in_order
    ]


def test_duplicates(lake: Lake) -> None:
    records = Counter(made.received.date() for made in lake.arrived for _ in made.records)
    broken = Counter(
        made.received.date() for made in lake.arrived for record in made.records if record.kind is Kind.MALFORMED
    )
    good, once = (Counter(event.arrived for event in events) for events in (lake.rows, lake.unique))
    dropped = {day: records[day] - broken[day] - good[day] for day in records}
    hidden = {day: good[day] - once[day] for day in records}
    assert sum(dropped.values()) > 0
    assert sum(hidden.values()) > 0
    assert lake.answer("duplicates") == [
        {
            "arrival_date": str(day),
            "records": records[day],
            "dropped": dropped[day],
            "hidden": hidden[day],
            "percent_repeated": percent(dropped[day] + hidden[day], records[day]),
        }
        for day in sorted(records, reverse=True)
    ]


# --- what they have in common ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_only_the_partitions_of_the_period_are_read(lake: Lake, name: str) -> None:
    sql = saved_query(name, PIPELINE).sql
    longer = re.sub(r"INTERVAL '\d+' DAY, '%Y%m%d'", "INTERVAL '99' DAY, '%Y%m%d'", sql)
    assert lake.result(name).scanned_bytes < lake.ask(longer).scanned_bytes


@pytest.mark.parametrize("name", NAMES)
def test_a_query_begins_with_its_question_and_tells_its_columns(lake: Lake, name: str) -> None:
    saved = saved_query(name, PIPELINE)
    columns = [column.name for column in lake.result(name).columns]
    assert re.match(r"-- .*\?\n--\n", saved.sql)
    paragraphs = [re.findall(r"^-- ([a-z_]+) ", text, re.MULTILINE) for text in re.split(r"\n--\n", saved.sql)]
    assert columns in paragraphs


@pytest.mark.parametrize("name", NAMES)
def test_a_query_names_no_database_and_those_about_people_leave_machines_out(name: str) -> None:
    sql = re.sub("--.*", "", saved_query(name, PIPELINE).sql)
    assert "clickstream_db" not in sql
    if name in ABOUT_PEOPLE:
        assert re.findall(r"clickstream_\w+", sql) == ["clickstream_events_unique"]
        assert "traffic_type = 'human'" in sql


def test_the_ten_are_there_and_at_the_root() -> None:
    others = {"bots_and_ai_agents", "late_events", "failures_by_reason", "duplicates"}
    assert set(NAMES) == {*ABOUT_PEOPLE, *others}
    assert (ROOT / "queries").resolve() == FOLDER


def test_a_pipelines_own_names_of_tables_are_used() -> None:
    text = pipeline.FILE.read_text()
    for name in ("clickstream_events", "clickstream_failed", "clickstream_ledger"):
        text = text.replace(f'"{name}"', f'"acme_{name}"')
    own = pipeline.parse(text.replace('"clickstream_events_unique"', '"once"'))
    named = {name for saved in saved_queries(own) for name in re.findall(r"\w*clickstream_\w+|\bonce\b", saved.sql)}
    assert named == {"acme_clickstream_events", "acme_clickstream_failed", "acme_clickstream_ledger", "once"}


def test_a_wrong_name_lists_the_right_ones() -> None:
    with pytest.raises(UsageError, match="no query is called 'funel'; one of bots_and_ai_agents, channels, "):
        saved_query("funel", PIPELINE)


# --- the command -----------------------------------------------------------------------------------------------------


def clicklake(lake: Lake, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "clicklake", *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=lake.endpoint.environment(), timeout=60)


def test_the_command_runs_one_by_its_name(lake: Lake) -> None:
    done = clicklake(lake, "query", "--name", "funnel", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == lake.answer("funnel")


def test_the_command_lists_them_without_asking_anybody(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["query", "--list"]) == 0
    said = capsys.readouterr()
    assert [line.split()[0] for line in said.out.splitlines()] == list(NAMES)
    assert said.err == ""


@pytest.mark.parametrize("arguments", [(), ("SELECT 1", "--name", "funnel"), ("--name", "funnel", "--list")])
def test_sql_a_name_or_the_list_and_only_one_of_them(arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "clicklake", "query", *arguments], stdin=subprocess.DEVNULL, capture_output=True
    )
    assert (done.returncode, done.stdout) == (2, b"")


def test_the_page_has_each_query_and_what_it_asks() -> None:
    page = (ROOT / "docs/queries.md").read_text()
    assert re.findall(r"^\| `(\w+)` \| (.+?) \|$", page, re.MULTILINE) == [
        (saved.name, saved.question) for saved in saved_queries(PIPELINE)
    ]
