"""The traffic generator: repeatable, plausible, and right about what it sent."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from itertools import islice
from typing import Any, get_args
from urllib.parse import parse_qs, urlsplit

import pytest

from clicklake.simulator import devices, sources, visits
from clicklake.simulator.audience import SITE
from clicklake.simulator.damage import FAULTS
from clicklake.simulator.robots import Traffic
from clicklake.simulator.traffic import Kind, Plan, Record, Truth, generate
from clicklake.transform.enrich.campaign import CLICK_IDS

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
        assert (
            len({(e.get("anonymous_id"), e.get("user_id"), e["user_agent"], e["ip"], e["platform"]) for e in walk}) == 1
        )
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


def test_as_many_visitors_as_half_a_million_events_have_come_with_thousands_of_browsers() -> None:
    chance = random.Random(1)
    agents = {devices.device(chance).user_agent for _ in range(50_000)}
    assert len(agents) > 2000
    assert not [agent for agent in agents if "{" in agent or "}" in agent], "a slot was not filled"


def test_one_device_in_twenty_is_a_robot_and_all_classes_come() -> None:
    chance = random.Random(1)
    classes = Counter(devices.device(chance).traffic for _ in range(50_000))
    assert set(classes) == set(get_args(Traffic))
    assert classes["human"] / 50_000 == pytest.approx(0.95, abs=0.005)


def test_client_hints_say_what_the_user_agent_says() -> None:
    chance = random.Random(1)
    for held in (devices.device(chance) for _ in range(5000)):
        if held.hints:
            chromium = held.hints["sec-ch-ua"].split('"Chromium";v="')[1].split('"')[0]
            assert f"Chrome/{chromium}." in held.user_agent
            assert (held.hints["sec-ch-ua-mobile"] == "?1") == held.moves
        else:
            assert (
                held.traffic != "human" or "Chrome/1" not in held.user_agent or held.moves or "Web0S" in held.user_agent
            )


def test_links_carry_every_click_id_and_every_slot_is_filled() -> None:
    chance = random.Random(1)
    links = [sources.arrive(chance) for _ in range(20_000)]
    assert not [link for link in links if "{" in f"{link.query}{link.referrer}"]
    sent = {name for link in links for name in parse_qs(link.query[1:])}
    assert set(CLICK_IDS) <= sent
    hosts = {urlsplit(link.referrer).netloc for link in links if link.referrer}
    assert {
        "www.google.de",
        "l.facebook.com",
        "mail.google.com",
        "www.youtube.com",
        "www.amazon.fr",
        "chatgpt.com",
    } <= hosts


def test_pages_and_pages_before_are_many(records: list[Record]) -> None:
    sent = events(records)
    assert len({event["page_url"] for event in sent}) > 6000
    assert len({event.get("referrer") for event in sent}) > 5000
    assert all(event["page_url"].startswith(f"{SITE}/") for event in sent)


def test_lines_are_some_600_bytes_and_half_of_them_are_not_ascii(records: list[Record]) -> None:
    assert sum(len(record.data) for record in records) / len(records) == pytest.approx(660, abs=90)
    assert 0.4 < sum(not record.data.isascii() for record in records) / len(records) < 0.65


def test_addresses_are_of_both_families_and_reserved_for_tests(records: list[Record]) -> None:
    reserved = {4: ip_network("198.18.0.0/15"), 6: ip_network("2001:db8::/32")}
    addresses = {ip_address(event["ip"]) for event in events(records)}
    assert len(addresses) > 1000
    assert {address.version for address in addresses} == {4, 6}
    assert all(address in reserved[address.version] for address in addresses)


def test_some_events_come_through_an_edge_and_some_do_not_say_their_locale(records: list[Record]) -> None:
    names = Counter(name for event in events(records) for name in event.get("headers", ()))
    for name in ("accept-language", "cloudfront-viewer-country", "cloudfront-viewer-city", "cf-ipcountry", "sec-ch-ua"):
        assert 0 < names[name] < len(records) / 2
    assert 0 < sum("locale" not in event for event in events(records)) < len(records) / 2


def test_with_unique_urls_no_page_is_seen_by_two_visitors() -> None:
    seen: dict[str, set[str]] = {}
    for event in events(list(islice(generate(replace(PLAN, unique_urls=True)), 5000))):
        seen.setdefault(event["page_url"], set()).add(event["ip"])
    assert len(seen) > 2500
    assert all(len(visitors) == 1 for visitors in seen.values())


def test_malformed_records_come_in_every_kind_and_never_twice(records: list[Record]) -> None:
    broken = [r for r in records if r.kind is Kind.MALFORMED]
    assert len({r.data for r in broken}) == len(broken)
    assert set(Truth.of(records).faults) == {name for name, fault in FAULTS.items() if fault.weight}


def test_each_record_is_one_line(records: list[Record]) -> None:
    assert all(r.data.index(b"\n") == len(r.data) - 1 for r in records)


def test_truth_adds_up_and_the_shares_are_those_of_the_plan(records: list[Record]) -> None:
    truth = Truth.of(records)
    assert truth.sent == len(records) == 20_000
    assert truth.distinct.total() == truth.traffic.total() == len({r.event_id for r in records if r.event_id})
    assert truth.malformed / truth.sent == pytest.approx(PLAN.malformed, rel=0.3)
    assert truth.repeats.total() / truth.sent == pytest.approx(PLAN.repeated, rel=0.3)


def test_the_rate_rests_on_the_true_length_of_a_session() -> None:
    walks = islice(visits.sessions(random.Random(1), 0.0, 40, visits.Habits()), 20_000)
    assert sum(len(walk) for _, walk in walks) / 20_000 == pytest.approx(visits.EVENTS_PER_SESSION, rel=0.03)
