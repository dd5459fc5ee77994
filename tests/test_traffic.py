"""The traffic generator: repeatable, plausible, and right about what it sent."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from clicklake import visits
from clicklake.traffic import Kind, Plan, Record, Truth, generate

PLAN = Plan(seed=7, start=datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return list(islice(generate(PLAN), 20_000))


def events(records: list[Record]) -> list[dict[str, Any]]:
    return [json.loads(r.data) for r in records if r.kind is not Kind.MALFORMED]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_the_same_plan_gives_the_same_bytes(records: list[Record]) -> None:
    assert list(islice(generate(PLAN), 1000)) == records[:1000]


def test_another_seed_gives_other_events() -> None:
    ours, others = (
        {r.event_id for r in islice(generate(Plan(seed, PLAN.start)), 500) if r.event_id} for seed in (1, 2)
    )
    assert not ours & others


def test_what_a_record_says_of_itself_is_in_its_bytes(records: list[Record]) -> None:
    for record in records:
        if record.kind is not Kind.MALFORMED:
            event = json.loads(record.data)
            assert (event["event_type"], event["event_id"]) == (record.event_type, record.event_id)


def test_events_have_distinct_ids_and_a_repeat_has_that_of_an_earlier_one(records: list[Record]) -> None:
    seen: set[str | None] = set()
    for record in records:
        if record.kind is not Kind.MALFORMED:
            assert (record.event_id in seen) == (record.kind is Kind.REPEAT)
            seen.add(record.event_id)


def test_a_repeat_differs_in_sent_time_only(records: list[Record]) -> None:
    first: dict[str, dict[str, Any]] = {}
    for event in events(records):
        original = first.setdefault(event["event_id"], event)
        assert {**event, "sent_time": original["sent_time"]} == original
        assert event["sent_time"] >= original["sent_time"]


def test_records_are_sent_in_order_and_events_happen_before_they_are_sent(records: list[Record]) -> None:
    sent = [event["sent_time"] for event in events(records)]
    assert sent == sorted(sent)
    assert all(event["event_time"] < event["sent_time"] for event in events(records))


def test_sending_takes_the_time_that_the_rate_says(records: list[Record]) -> None:
    """The demo relies on it: what is sent may not be in the future."""
    took = at(events(records)[-1]["sent_time"]) - PLAN.start
    assert timedelta(seconds=450) < took < timedelta(seconds=650)


def test_late_is_what_a_phone_sent_hours_after_it_happened(records: list[Record]) -> None:
    for record in records:
        if record.kind in (Kind.GOOD, Kind.LATE):
            event = json.loads(record.data)
            delay = at(event["sent_time"]) - at(event["event_time"])
            assert (delay > timedelta(minutes=15)) == (record.kind is Kind.LATE)
    assert Truth.of(records).late > 100


def test_sessions_keep_visitor_and_device_and_begin_with_a_page_view(records: list[Record]) -> None:
    sessions: dict[str, list[dict[str, Any]]] = {}
    for event in events(records):
        sessions.setdefault(event["session_id"], []).append(event)
    for walk in sessions.values():
        assert len({(e["anonymous_id"], e.get("user_id"), e["user_agent"], e["ip"], e["platform"]) for e in walk}) == 1
    first = Counter(min(walk, key=lambda e: e["event_time"])["event_type"] for walk in sessions.values())
    assert first["page_view"] > 0.97 * len(sessions)  # a first page view may have been malformed


def test_the_funnel_narrows(records: list[Record]) -> None:
    distinct = Truth.of(records).distinct
    steps = [distinct[step] for step in ("page_view", "add_to_cart", "begin_checkout", "purchase")]
    assert steps == sorted(steps, reverse=True)
    assert steps[-1] > 50


def test_money_has_a_currency(records: list[Record]) -> None:
    for event in events(records):
        assert ("value" in event) == ("currency" in event)


def test_devices_and_pages_are_many_and_some_are_bots(records: list[Record]) -> None:
    agents = {event["user_agent"] for event in events(records)}
    assert len(agents) > 50
    assert any("Googlebot" in agent for agent in agents)
    assert len({event["page_url"] for event in events(records)}) > 500


def test_malformed_records_come_in_every_kind_and_never_twice(records: list[Record]) -> None:
    broken = [r for r in records if r.kind is Kind.MALFORMED]
    assert len({r.data for r in broken}) == len(broken)
    assert set(Truth.of(records).faults) == {
        "truncated JSON",
        "not JSON",
        "a string",
        "a number",
        "an array of a number",
        "no event_type",
        "empty event_type",
        "invalid UTF-8",
    }


def test_a_malformed_record_can_not_be_an_event(records: list[Record]) -> None:
    for record in records:
        if record.kind is Kind.MALFORMED:
            try:
                document = json.loads(record.data)
            except ValueError:  # UnicodeDecodeError is one
                continue
            assert not isinstance(document, dict) or not document.get("event_type"), record


def test_each_record_is_one_line(records: list[Record]) -> None:
    assert all(r.data.index(b"\n") == len(r.data) - 1 for r in records)


def test_truth_adds_up_and_the_shares_are_those_of_the_plan(records: list[Record]) -> None:
    truth = Truth.of(records)
    assert truth.sent == len(records) == 20_000
    assert truth.distinct.total() == len({r.event_id for r in records if r.event_id})
    assert truth.malformed / truth.sent == pytest.approx(PLAN.malformed, rel=0.3)
    assert truth.repeats.total() / truth.sent == pytest.approx(PLAN.repeated, rel=0.3)


def test_the_rate_rests_on_the_true_length_of_a_session() -> None:
    walks = islice(visits.sessions(random.Random(1), 0.0, 40, 0.06), 20_000)
    assert sum(len(walk) for _, walk in walks) / 20_000 == pytest.approx(visits.EVENTS_PER_SESSION, rel=0.03)
