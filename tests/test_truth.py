"""The simulator as in real life: devices of published lists, clocks that are wrong, releases that change the events; and the
truth of each record.
"""

import json
import random
import re
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, get_args

import pytest

from clicklake.simulator import published, sources, truth
from clicklake.simulator.traffic import Kind, Lifelike, Plan, Record, generate
from clicklake.transform.enrich.channel import CHANNELS
from clicklake.transform.event import FailureType
from transforming import transform

PLAN = Plan(seed=7, start=datetime(2026, 11, 22, 12, tzinfo=UTC))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


Told = tuple[Record, dict[str, Any]]
DRIFT = 60.0


@pytest.fixture(scope="module")
def lifelike() -> list[Told]:
    plan = replace(PLAN, lifelike=Lifelike(drift_after=DRIFT, oversized=0.0005), repeated=0.1)
    return list(truth.lines(islice(generate(plan), 4_000)))


def seconds(text: str) -> float:
    return at(text).timestamp()


def test_the_truth_of_a_plan_is_always_the_same(lifelike: list[Told]) -> None:
    plan = replace(PLAN, lifelike=Lifelike(drift_after=DRIFT, oversized=0.0005), repeated=0.1)
    again = list(truth.lines(islice(generate(plan), 500)))
    assert [(record.data, told) for record, told in again] == [(record.data, told) for record, told in lifelike[:500]]


def test_what_is_sent_differs_from_the_truth_by_the_clock_alone(lifelike: list[Told]) -> None:
    kinds = Counter[str]()
    for record, told in lifelike:
        if record.kind is Kind.MALFORMED:
            continue
        event = json.loads(record.data)
        ahead = told["clock_ahead_seconds"]
        kinds[told["clock"]] += 1
        if told["drift"] != "other names":
            assert seconds(event["event_time"]) - seconds(told["event_time"]) == pytest.approx(ahead, abs=0.003)
        if told["sent_by"] != "bare":
            assert seconds(event["sent_time"]) - seconds(told["sent_time"]) == pytest.approx(ahead, abs=0.003)
        assert ("collector_time" in event) == (told["sent_by"] == "collector")
        if told["sent_by"] == "collector":
            assert 0 <= seconds(event["collector_time"]) - seconds(told["sent_time"]) < 5
    assert set(kinds) >= {"right", "an hour", "a time zone", "minutes", "days behind"}
    assert kinds["right"] / kinds.total() == pytest.approx(0.94, abs=0.05)


def test_a_repeat_names_the_record_that_it_repeats_and_changes_what_it_says(lifelike: list[Told]) -> None:
    transport = {"sent_time", "collector_time", "ip", "retry_count"}
    changes = Counter[str]()
    for record, told in lifelike:
        assert (told["repeats"] is not None) == (record.kind is Kind.REPEAT)
        if record.kind is Kind.REPEAT:
            first = json.loads(lifelike[told["repeats"]][0].data)
            again = json.loads(record.data)
            differing = {name for name in {*first, *again} if first.get(name) != again.get(name)}
            assert (differing - transport == {"properties"}) == (told["change"] == "content")
            assert ("retry_count" in again) == (told["change"] != "nothing")
            changes[told["change"]] += 1
    assert set(changes) == {"nothing", "transport", "content"}


def test_a_release_changes_the_events_from_its_moment_on(lifelike: list[Told]) -> None:
    released = PLAN.start + timedelta(seconds=DRIFT)
    for record, told in lifelike:
        if record.kind is not Kind.MALFORMED:
            assert (told["drift"] is not None) == (at(told["event_time"]) >= released - timedelta(milliseconds=1))
    assert {told["drift"] for _, told in lifelike} == {None, "a new property", "value is text", "other names"}


def test_an_event_is_known_by_its_place_in_its_visit(lifelike: list[Told]) -> None:
    for record, told in lifelike:
        if record.kind is not Kind.MALFORMED:
            event = json.loads(record.data)
            assert (event["session_id"], event["properties"]["event_index"]) == (
                told["session_id"],
                told["event_index"],
            )


def test_devices_are_those_of_the_published_lists() -> None:
    chance = random.Random(1)
    devices_ = [published.device(chance) for _ in range(20_000)]
    agents = {name: {line.split("\t")[-1] for line in _list(name)} for name in ("browsers.tsv", "crawlers.tsv")}
    assert all(device.user_agent in agents["browsers.tsv"] for device in devices_ if device.kind or device.disguised)
    assert all(device.user_agent in agents["crawlers.tsv"] for device in devices_ if device.listed)
    assert {device.traffic for device in devices_ if device.listed} == {"bot", "ai_agent", "automation"}
    assert {device.kind for device in devices_} == {"desktop", "mobile", "tablet", None}
    chromium = [device for device in devices_ if device.hints]
    assert all(f'v="{re.search(r"Chrome/([0-9]+)", d.user_agent)[1]}"' in d.hints["sec-ch-ua"] for d in chromium)  # type: ignore[index]


def _list(name: str) -> list[str]:
    lines = (Path(published.__file__).parent / name).read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_page_counts_what_is_in_the_lists() -> None:
    page = (Path(__file__).parent.parent / "docs" / "generate.md").read_text()
    crawlers = {line.split("\t")[0] for line in _list("crawlers.tsv")}
    assert f"{len(_list('browsers.tsv'))} browsers" in page
    assert f"a list of {len(crawlers):,} crawlers" in page


def test_every_channel_of_google_analytics_comes() -> None:
    chance = random.Random(1)
    arrivals = [sources.arrive(chance) for _ in range(20_000)]
    assert {arrival.channel for arrival in arrivals} - {None} >= set(CHANNELS) - {"Paid Other"}
    assert not [arrival for arrival in arrivals if not arrival.told and (arrival.query or arrival.referrer)]


def test_a_malformed_record_fails_with_the_type_that_the_truth_says(lifelike: list[Told]) -> None:
    broken = [(record, told) for record, told in lifelike if record.kind is Kind.MALFORMED]
    made = transform(*(record.data for record, _ in broken))
    assert not made.rows
    assert [row["failure_type"] for row in made.failed] == [told["failure_type"] for _, told in broken]
    assert [row["raw_sha256"] for row in made.failed] == [told["sha256"] for _, told in broken]
    assert {told["failure_type"] for _, told in broken} == set(get_args(FailureType))
