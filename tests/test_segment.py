"""Segment's calls become events: what arrives in which column, what is answered, and who spoke."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clicklake.collector.dialects import ROUTES, segment
from clicklake.collector.dialects.mapping import ALIASES, TAKES, Row
from clicklake.collector.dialects.segment_rows import DEVICE_LIBRARIES, ROWS, SERVER_LIBRARIES
from clicklake.collector.request import Request
from collecting import (
    ADDRESS,
    AGENT,
    BLOG_KEY,
    KEY,
    OLD_KEY,
    OPEN,
    TWO_SITES,
    Sent,
    leaves,
    outcome,
    payloads,
    send,
    some_examples,
)
from transforming import PIPELINE

PAGE = Path(__file__).parent.parent / "docs" / "dialect-segment.md"
BASIC = {"authorization": "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()}
BROWSER = {
    "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
    "page": {
        "path": "/cart",
        "referrer": "https://www.google.com/",
        "search": "?lang=de",
        "title": "Cart",
        "url": "https://shop.example/cart?lang=de",
    },
    "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    "userAgentData": {"brands": [{"brand": "Chromium", "version": "156"}], "mobile": False, "platform": "Linux"},
    "locale": "de-DE",
    "timezone": "Europe/Berlin",
    "campaign": {"source": "news"},
}
TIMES = {"timestamp": "2025-11-26T10:14:50.250Z", "sentAt": "2025-11-26T10:14:58.000Z"}


def call(kind: str, **said: Any) -> Sent:
    """One call to its route, of a known site."""
    return send(f"/v1/{kind}", {"messageId": "m-1", **TIMES, **said}, headers=BASIC)


def batch(*items: Any, **said: Any) -> Sent:
    return send("/v1/batch", {"batch": list(items), **said}, headers=BASIC)


# --- what arrives where ----------------------------------------------------------------------------------------------


def test_a_page_of_analytics_js_fills_these_columns() -> None:
    """As the library sends it: the page stands in the properties and in the context."""
    sent = send(
        "/v1/p",
        {
            **TIMES,
            "type": "page",
            "integrations": {"Segment.io": True},
            "properties": {**BROWSER["page"], "name": "Cart"},  # type: ignore[dict-item]
            "name": "Cart",
            "context": BROWSER,
            "messageId": "ajs-next-1",
            "anonymousId": "a-1",
            "userId": None,
            "writeKey": KEY,
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
        },
        headers={**BASIC, "content-type": "text/plain", "accept-language": "de"},
    )
    assert sent.row == {
        "event_id": "ajs-next-1",
        "event_type": "page_view",
        "app_id": "shop",
        "platform": "web",
        "event_ts": "2025-11-26 10:14:50.250",
        "event_ts_source": "event",
        "clock_skew_ms": 0,
        "anonymous_id": "a-1",
        "visitor_id": "a-1",
        "page_url": "https://shop.example/cart?lang=de",
        "page_host": "shop.example",
        "page_path": "/cart",
        "page_title": "Cart",
        "referrer": "https://www.google.com/",
        "referrer_host": "www.google.com",
        "referrer_class": "search",
        "channel": "Organic Search",
        "user_agent": BROWSER["userAgent"],
        "browser": "Chrome",
        "browser_version": "156.0.0.0",
        "os": "Linux",
        "device_type": "desktop",
        "traffic_type": "human",
        "ip_truncated": "198.51.100.0/24",
        "locale": "de-DE",
        "properties": {
            "type": "page",
            "name": "Cart",
            **BROWSER["page"],  # type: ignore[dict-item]
            "_event.name": "Cart",
            "integrations": {"Segment.io": True},
            "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
            "context": BROWSER,
        },
    }


def test_a_batch_of_a_server_fills_these_columns() -> None:
    """As segment-analytics-python sends it."""
    sent = batch(
        {
            "integrations": {},
            "anonymousId": "a-17",
            "timestamp": "2025-11-26T10:14:50.391+00:00",
            "context": {"ip": "203.0.113.7", "library": {"name": "analytics-python", "version": "2.4.0"}},
            "type": "track",
            "event": "Order Completed",
            "userId": "17",
            "properties": {"revenue": 12.5, "currency": "EUR", "order": "o-1"},
            "messageId": "dc1631a8",
        },
        sentAt="2025-11-26T10:14:58.001000+00:00",
        writeKey=KEY,
    )
    assert sent.said == {"success": True}
    row = sent.row
    assert len(row.pop("user_key")) == 64
    assert row == {
        "event_id": "dc1631a8",
        "event_type": "Order Completed",
        "app_id": "shop",
        "platform": "server",
        "event_ts": "2025-11-26 10:14:50.390",
        "event_ts_source": "derived",
        "clock_skew_ms": 1,
        "anonymous_id": "a-17",
        "visitor_id": "a-17",
        "traffic_type": "human",
        "ip_truncated": "203.0.113.0/24",
        "value": 12.5,
        "currency": "EUR",
        "properties": {
            "type": "track",
            "revenue": 12.5,
            "currency": "EUR",
            "order": "o-1",
            "integrations": {},
            "context": {"library": {"name": "analytics-python", "version": "2.4.0"}},
        },
    }


@pytest.mark.parametrize(
    ("kind", "said", "event_type", "kept"),
    [
        ("track", {"event": "Signed Up"}, "Signed Up", {}),
        ("page", {"name": "Home", "category": "Shop"}, "page_view", {"name": "Home", "category": "Shop"}),
        ("screen", {"name": "Home"}, "screen_view", {"name": "Home"}),
        ("identify", {"traits": {"plan": "free"}}, "identify", {"traits": {"plan": "free"}}),
        ("group", {"groupId": "g-1", "traits": {"n": 4}}, "group", {"groupId": "g-1", "traits": {"n": 4}}),
        ("alias", {"previousId": "a-0"}, "alias", {"previousId": "a-0"}),
    ],
)
def test_a_call_is_an_event_of_its_kind_by_every_route(
    kind: str, said: dict[str, Any], event_type: str, kept: dict[str, Any]
) -> None:
    said = {**said, "messageId": "m-1", "userId": "17"}
    alone, letter = (send(f"/v1/{path}", said, headers=BASIC) for path in (kind, kind[0]))
    many = [
        send(f"/v1/{path}", {"batch": [{**said, "type": kind}]}, headers=BASIC) for path in ("batch", "b", "import")
    ]
    assert [sent.event for sent in (letter, *many)] == [alone.event] * 4
    assert (alone.row["event_type"], alone.row["properties"]) == (event_type, {"type": kind, **kept})


_PUT = {"event_type": "Signed Up", "event_time": "2025-11-26T10:14:00Z", "sent_time": "2025-11-26T10:14:58Z"}


@pytest.mark.parametrize(("kind", "row"), [(kind, row) for kind, rows in ROWS.items() for row in rows])
def test_each_row_of_the_table_fills_a_field_and_what_is_within_an_object_stays_there_too(kind: str, row: Row) -> None:
    value = 7.5 if row.field == "value" else _PUT.get(row.field, "some-value")
    said: Any = value
    for name in reversed(row.at.split(".")):
        said = {name: said}
    said = {"type": kind, "event": "x", **said} if kind == "track" else {"type": kind, **said}
    outer = row.at.split(".")[0]
    for event in (send(f"/v1/{kind}", said, headers=BASIC).event, batch(said).event):
        assert event.get(row.field, event.get(row.at)) == value
        assert event[outer] == said[outer]


def test_the_transform_knows_the_aliases_that_stay_where_they_are() -> None:
    known = {alias: field.name for field in PIPELINE.fields for alias in field.aliases}
    assert {name: known[name] for name in ALIASES} == dict(ALIASES)


def test_a_field_takes_what_the_lake_takes_in_its_column() -> None:
    kinds = {
        "text": (str,),
        "text or integer": (str, int),
        "number": (int, float),
        "time": (str, int, float),
    }
    fields = {field.name: field for field in PIPELINE.fields}
    assert {name: kinds[fields[name].accepts] for name in TAKES} == dict(TAKES)
    named = {row.field for rows in ROWS.values() for row in rows}
    assert all(fields[name].private for name in named - TAKES.keys())


def test_a_value_of_a_type_that_its_column_does_not_take_stays_where_it_was() -> None:
    sent = call("track", event="x", properties={"value": "12.50", "currency": 978}, context={"locale": ["de"]})
    assert sent.row["properties"] == {
        "type": "track",
        "value": "12.50",
        "currency": 978,
        "context": {"locale": ["de"]},
    }
    assert sent.made.ledger["misplaced_values"] == 0


def test_who_it_was_is_nowhere_in_clear_whatever_its_type() -> None:
    sent = call("track", event="x", userId=["secret"], context={"ip": {"v4": "secret"}, "traits": {"userId": "secret"}})
    assert "secret" not in json.dumps(sent.row)


def test_revenue_is_the_value_and_another_value_is_kept() -> None:
    row = call("track", event="x", properties={"value": 1, "revenue": 99.5}).row
    assert (row["value"], row["properties"]) == (99.5, {"type": "track", "value": 1, "revenue": 99.5})


def test_the_url_of_a_track_is_a_property_and_of_a_page_the_page() -> None:
    said = {"properties": {"url": "https://other.example/"}, "context": {"page": {"url": "https://shop.example/"}}}
    tracked, viewed = call("track", event="Link Clicked", **said).row, call("page", **said).row
    assert (tracked["page_url"], tracked["properties"]["url"]) == ("https://shop.example/", "https://other.example/")
    assert viewed["page_url"] == "https://other.example/"
    assert viewed["properties"]["context"] == {"page": {"url": "https://shop.example/"}}


def test_a_name_beside_the_properties_is_kept_beside_one_in_them() -> None:
    row = call("page", name="Cart", properties={"name": "Basket"}).row
    assert row["properties"] == {"type": "page", "name": "Basket", "_event.name": "Cart"}


def test_the_route_says_what_a_call_is_and_another_type_in_it_is_kept() -> None:
    row = call("track", event="x", type="page").row
    assert (row["event_type"], row["properties"]) == ("x", {"type": "page"})


def test_numbers_and_texts_that_json_libraries_stumble_over_are_kept() -> None:
    """NaN is what Python's json writes; half of a surrogate pair is a title that was cut within an emoji."""
    big = b"1234567890123456789012345678901234567890"
    sent = send("/v1/track", b'{"event":"x","properties":{"big":%b,"nan":NaN,"cut":"a\\ud83d"}}' % big, headers=BASIC)
    kept = sent.row["properties"]
    assert (kept["big"], kept["nan"], kept["cut"][0]) == (big.decode(), "NaN", "a")


def test_an_empty_referrer_is_none() -> None:
    row = call("page", properties={"referrer": ""}, context={"page": {"referrer": ""}}).row
    assert "referrer" not in row
    assert row["properties"] == {"type": "page", "referrer": "", "context": {"page": {"referrer": ""}}}


# --- times -----------------------------------------------------------------------------------------------------------


def test_the_clients_own_time_wins_over_what_segment_made_of_it() -> None:
    said = {"timestamp": "2025-11-26T10:14:50Z", "receivedAt": "2025-11-26T10:14:51Z"}
    sent = call("track", event="x", originalTimestamp="2025-11-26T10:14:49Z", **said)
    assert sent.row["event_ts"] == "2025-11-26 10:14:49.000"
    assert sent.row["properties"] == {"type": "track", **said}


def test_a_wrong_clock_is_told_by_sent_at() -> None:
    """The collector's clock says 10:14:58; this one is an hour ahead."""
    row = call("track", event="x", timestamp="2025-11-26T11:14:50Z", sentAt="2025-11-26T11:14:58Z").row
    assert (row["event_ts"], row["event_ts_source"]) == ("2025-11-26 10:14:50.000", "derived")


def test_a_batch_says_when_its_items_were_sent() -> None:
    own = {"type": "track", "event": "x", "sentAt": "2025-11-26T09:00:00Z"}
    first, second = batch({"type": "track", "event": "x"}, own, sentAt="2025-11-26T10:14:58Z").events
    assert first["sent_time"] == second["sent_time"] == "2025-11-26T10:14:58Z"
    assert second["sentAt"] == "2025-11-26T09:00:00Z"


def test_a_second_try_of_a_call_is_a_repeat() -> None:
    first, again = (
        send("/v1/t", {"event": "x", "messageId": "m-1", "timestamp": TIMES["timestamp"], "sentAt": at}, headers=BASIC)
        for at in ("2025-11-26T10:14:55Z", "2025-11-26T10:14:58Z")
    )
    made = Sent(first.answer, [*first.lines, *again.lines]).made
    assert (len(made.rows), made.ledger["duplicate"]) == (1, 1)


def test_a_second_try_says_how_often_it_was_tried_and_is_a_repeat() -> None:
    """analytics.js 1.84.3, normalize.js: `_metadata` gets a retryCount; and a batch is dated anew."""
    once = {"type": "track", "event": "x", "messageId": "m-1", "_metadata": {"bundled": ["Segment.io"]}}
    again = {**once, "_metadata": {"bundled": ["Segment.io"], "retryCount": 2}}
    for own in (TIMES, {"timestamp": TIMES["timestamp"]}):
        later = own | ({"sentAt": "2025-11-26T10:15:01Z"} if "sentAt" in own else {})
        for properties in ({}, {"properties": {"_metadata": "own", "sentAt": "own"}}):
            first = batch(once | own | properties, sentAt="2025-11-26T10:14:58Z")
            second = batch(again | later | properties, sentAt="2025-11-26T10:15:02Z")
            made = Sent(first.answer, [*first.lines, *second.lines]).made
            assert (len(made.rows), made.ledger["duplicate"]) == (1, 1)


def test_a_visitor_who_became_known_between_two_tries_is_other_content() -> None:
    """normalize.js: a call that is tried again gets the user's id, if it had none. Neither row is dropped: which one is
    right only its reader knows."""
    first, again = (batch({"type": "track", "event": "x", "messageId": "m-1", "userId": who}) for who in (None, "u-1"))
    made = Sent(first.answer, [*first.lines, *again.lines]).made
    assert [row["event_id"] == "m-1" for row in made.rows] == [True, False]
    assert made.ledger["rederived_ids"] == 1


# --- write keys ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("/v1/track", {"event": "x"}, BASIC),
        ("/v1/track", {"event": "x", "writeKey": KEY}, {}),
        ("/v1/track", {"event": "x", "writeKey": KEY}, BASIC),
        ("/v1/batch", {"batch": [{"type": "track", "event": "x"}], "writeKey": KEY}, {}),
        ("/v1/batch", {"batch": [{"type": "track", "event": "x", "writeKey": KEY}]}, {}),
        ("/v1/batch", {"batch": [{"type": "track", "event": "x", "writeKey": KEY}], "writeKey": KEY}, BASIC),
    ],
)
def test_a_write_key_is_taken_from_where_clients_put_it_and_kept_nowhere(
    path: str, body: dict[str, Any], headers: dict[str, str]
) -> None:
    sent = send(path, body, headers=headers)
    assert (sent.answer.status, sent.row["app_id"]) == (200, "shop")
    assert KEY.encode() not in b"".join(sent.lines)


@pytest.mark.parametrize("body", [{"event": "x"}, {"event": "x", "writeKey": "other"}, {"event": "x", "writeKey": 7}])
def test_without_a_sites_write_key_nothing_is_taken(body: dict[str, Any]) -> None:
    sent = send("/v1/track", body)
    assert (sent.answer.status, sent.lines, sent.said["success"]) == (401, [], False)


def test_a_batch_has_one_write_key_whatever_its_items_say() -> None:
    item = {"type": "track", "event": "x", "writeKey": "other"}
    assert send("/v1/batch", {"batch": [item], "writeKey": KEY}).row["app_id"] == "shop"
    assert send("/v1/batch", {"batch": [item], "writeKey": "other"}).answer.status == 401
    assert send("/v1/batch", {"batch": [item, {**item, "writeKey": KEY}]}).answer.status == 401


def test_an_app_id_is_no_write_key() -> None:
    assert send("/v1/track", {"event": "x", "writeKey": "shop"}).answer.status == 401
    assert send("/v1/projects/shop/settings", method="GET").answer.status == 404
    assert send("/v1/projects/shop/settings", method="GET", headers=BASIC).answer.status == 200


def test_a_request_that_names_keys_of_two_sites_is_refused_for_nobody_knows_whose_it_is() -> None:
    items = [{"type": "track", "event": "x", "writeKey": key} for key in (KEY, OLD_KEY, BLOG_KEY)]

    def status(*items: dict[str, Any], headers: dict[str, str] | None = None, **said: Any) -> int:
        body = {"batch": [*items], **said}
        return send("/v1/batch", body, collector=TWO_SITES, headers=headers).answer.status

    assert status(*items[:2]) == 200  # a key that is being changed
    assert status(*items) == 400
    assert status(items[2], items[1]) == 400
    assert status(items[2], writeKey=KEY) == 400
    assert status(items[2], headers=BASIC) == 400
    assert status(items[0], writeKey=BLOG_KEY, context={"a": 1}) == 400
    assert status(writeKey=BLOG_KEY, headers=BASIC) == 400


def test_a_write_key_is_kept_nowhere_where_anybody_may_send() -> None:
    sent = send("/v1/track", {"event": "x", "writeKey": "my-key"}, collector=OPEN)
    assert (sent.answer.status, b"my-key" in sent.lines[0]) == (200, False)


# --- batches ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("odd", [0, 0.0, False, [], {}])
def test_a_value_that_is_false_is_a_value(odd: Any) -> None:
    """As any other of a wrong type: the event is kept whole, and its answer says what is wrong with it."""
    for kind in ("page", "identify", "alias", "track"):
        sent = batch({"type": kind, "event": "x", "event_type": odd, "platform": odd})
        assert (sent.event["event_type"], sent.event["platform"]) == (odd, odd)
    assert batch({"type": "page", "event_type": "", "platform": None}).event["event_type"] == "page_view"
    for said in (batch({"type": "page"}, sentAt=odd), batch({"type": "page"}, sentAt=odd, release=1)):
        assert said.event["sent_time"] == odd


def test_an_item_has_what_its_batch_says_of_all_unless_it_says_that_itself() -> None:
    items = [
        {"type": "track", "event": "a", "context": {"app": {"name": "own"}}, "integrations": {"B": False}},
        {"type": "track", "event": "b", "context": None},
    ]
    shared = {"context": {"app": {"name": "shared", "version": "2"}, "timezone": "UTC"}, "integrations": {"A": True}}
    first, second = batch(*items, **shared, release=7).events
    assert first["context"] == {"app": {"name": "own", "version": "2"}, "timezone": "UTC"}
    assert first["integrations"] == {"A": True, "B": False}
    assert second["context"] == shared["context"]
    assert (first["release"], second["release"]) == (7, 7)


WRONG: list[Any] = [
    {"type": "track"},
    {"type": "track", "event": ""},
    {"type": "track", "event": 5},
    {"type": "unheard", "userId": "17"},
    {"type": ["track"], "properties": 7},
    {},
    "text",
    7,
    None,
    ["track"],
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_item_is_failed_alone_and_the_answer_says_which(wrong: Any) -> None:
    good = {"type": "track", "event": "x", "context": {"library": {"name": "analytics.js"}}}
    sent = batch(good, wrong, good, sentAt="2025-11-26T10:14:58Z")
    alone = batch(good, good, sentAt="2025-11-26T10:14:58Z")
    assert [sent.lines[0], sent.lines[2]] == alone.lines
    assert (sent.answer.status, sent.said["success"], [e["index"] for e in sent.said["errors"]]) == (200, True, [1])
    assert (len(sent.made.rows), len(sent.made.failed)) == (2, 1)


def test_an_item_of_an_unknown_type_that_has_a_name_is_an_event() -> None:
    assert batch({"type": "unheard", "event": "x"}).row["event_type"] == "x"
    assert batch({"event": "x"}).row["event_type"] == "x"


def test_an_empty_batch_is_success() -> None:
    sent = batch()
    assert (sent.answer.status, sent.said, sent.lines) == (200, {"success": True}, [])


def test_what_a_batch_says_of_all_does_not_grow_into_gigabytes() -> None:
    sent = batch(*[{"type": "track"}] * 1000, context={"a": "x" * 100_000})
    assert (sent.answer.status, sent.said["code"], sent.lines) == (413, "too_large", [])


# --- two ways, one row -----------------------------------------------------------------------------------------------

_LEAF = st.sampled_from(["some-text", "", "https://shop.example/?a=b", 7, 2**70, 7.5, None, True, ["x"], {"a": 1}])
_RIGHT = st.sampled_from(["some-text", "", "https://shop.example/?a=b#kim@mail.example", "other"])
_MONEY = st.sampled_from([0, 7, 7.5, 2**70])


def _members(under: str, extra: dict[str, Any]) -> st.SearchStrategy[Any]:
    """An object that has some of what rows look for below it, mostly of the right type."""
    rows = {row for rows in ROWS.values() for row in rows if row.at.rpartition(".")[0] == under}
    right = {row.at.rpartition(".")[2]: _MONEY if row.field == "value" else _RIGHT for row in rows}
    wrong = st.dictionaries(st.sampled_from([*right, *extra]), _LEAF, max_size=1)
    return st.tuples(st.fixed_dictionaries({}, optional={**right, **extra}), st.just({}) | st.just({}) | wrong).map(
        lambda both: {**both[0], **both[1]}
    )


_CONTEXT = _members(
    "context",
    {
        "page": _members("context.page", {"path": _RIGHT}),
        "library": st.sampled_from([{"name": name} for name in ("analytics.js", "analytics-python", "other", None)]),
        "device": st.sampled_from([{"type": kind} for kind in ("iOS", "android", "", None)] + [{"id": "d-1"}]),
        "direct": st.booleans(),
        "traits": st.just({"email": "kim@mail.example"}),
    },
)
_ITEMS = _members(
    "",
    {
        "type": st.sampled_from([*ROWS]),
        "properties": _members("properties", {"name": _RIGHT, "email": _RIGHT, "sku": _LEAF}),
        "context": _CONTEXT,
        "name": _RIGHT,
        "app_id": _RIGHT,
    },
)
_OWN = st.dictionaries(
    st.sampled_from(["page_url", "platform", "event_type", "event_name", "ip", "user_agent", "sent_time", "writeKey"]),
    _LEAF,
    max_size=1,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.tuples(_ITEMS, st.just({}) | _OWN).map(lambda both: {**both[0], **both[1]}), min_size=1, max_size=3),
    st.sampled_from([None, "2025-11-26T10:14:58Z", 1764152098]),
)
def test_a_call_that_is_not_written_anew_is_the_same_row(items: list[dict[str, Any]], sent_at: Any) -> None:
    """A batch that says something of all its items is read the other way; this is an empty text, which is nothing."""
    fast, slow = batch(*items, sentAt=sent_at), batch(*items, sentAt=sent_at, session_id="")
    assert outcome(fast) == outcome(slow)


def test_an_empty_text_leaves_the_field_to_the_next_row_and_a_zero_does_not() -> None:
    said = {"properties": {"url": "", "revenue": 0, "value": 7}, "context": {"page": {"url": "https://shop.example/"}}}
    for sent in (batch({"type": "page", **said}), call("page", **said)):
        assert (sent.row["page_url"], sent.row["value"]) == ("https://shop.example/", 0.0)


def test_a_call_of_a_batch_goes_on_as_it_was_sent() -> None:
    item = b'{ "type" : "track","event":"x",\t"properties":{"value":1.50,"big":123456789012345678901234567890} }'
    sent = send("/v1/batch", b'{"batch":[\n%b,\n%b]}' % (item, item.replace(b"\t", b"\r\n")), headers=BASIC)
    first, second = sent.lines
    assert first.startswith(item[:-1])
    assert second.startswith(item[:-1].replace(b"\t", b"  "))


def test_what_stands_twice_is_private_twice() -> None:
    """In its column, and where it was: redacted or removed, whichever way the event went."""
    address = "https://shop.example/kim@mail.example?token=secret-1&q=tent#secret=secret-2"
    page = {"url": address, "referrer": address, "title": "of kim@mail.example", "user_id": "secret-3"}
    context = {"page": page, "ip": "203.0.113.7", "traits": {"email": "kim@mail.example", "x": {"userId": "secret-4"}}}
    item = {"type": "page", "userId": "secret-5", "properties": {**page, "password": "secret-6"}, "context": context}
    for sent in (batch(item), batch(item, session_id=""), call("page", **item)):
        assert not re.search("secret|kim|mail.example|203.0.113.7", json.dumps(sent.row).replace("secret=redacted", ""))
        assert sent.row["properties"]["context"]["page"]["url"] == sent.row["page_url"]


# --- who speaks ------------------------------------------------------------------------------------------------------


def test_each_library_that_is_known_says_the_platform() -> None:
    for name, platform in {**SERVER_LIBRARIES, **DEVICE_LIBRARIES}.items():
        event = call("track", event="x", context={"library": {"name": name}}).event
        assert event.get("platform", "") == platform
        assert ("ip" in event) == (name in DEVICE_LIBRARIES)


@pytest.mark.parametrize(
    ("context", "platform"),
    [
        ({"device": {"type": "ios"}, "library": {"name": "analytics-swift"}}, "ios"),
        ({"device": {"type": "Android"}, "library": {"name": "analytics-kotlin"}}, "android"),
        ({"device": {"type": "phone"}}, None),
        ({"device": "ios", "library": "analytics.js"}, "web"),
        ({"device": {"type": ["ios"]}, "library": {"name": {}}}, None),
        ("none", None),
    ],
)
def test_the_device_says_the_platform_before_the_library(context: Any, platform: str | None) -> None:
    assert call("track", event="x", context=context).event.get("platform") == platform


def test_a_sender_that_names_its_platform_is_believed() -> None:
    event = call("track", event="x", platform="kiosk", context={"library": {"name": "analytics-python"}}).event
    assert event["platform"] == "kiosk"


@pytest.mark.parametrize(
    ("context", "ip", "agent"),
    [
        ({"library": {"name": "analytics.js"}}, ADDRESS, AGENT),
        ({"library": {"name": "analytics.js"}, "userAgent": "Own"}, ADDRESS, "Own"),
        ({"library": {"name": "analytics.js"}, "ip": "203.0.113.7"}, "203.0.113.7", None),
        ({"library": {"name": "analytics-python"}}, None, None),
        ({"library": {"name": "analytics-python"}, "userAgent": "Own"}, None, "Own"),
        ({"direct": True}, ADDRESS, AGENT),
        ({"direct": "yes"}, None, None),
        ({}, None, None),
        (None, None, None),
    ],
)
def test_only_a_library_on_the_visitors_device_speaks_of_the_requests_address(
    context: Any, ip: str | None, agent: str | None
) -> None:
    event = call("track", event="x", context=context).event
    assert (event.get("ip"), event.get("user_agent")) == (ip, agent)


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/track", b""),
        ("/v1/track", b"{"),
        ("/v1/track", [{"event": "x"}]),
        ("/v1/track", 7),
        ("/v1/batch", {}),
        ("/v1/batch", {"batch": {"type": "track"}}),
        ("/v1/batch", [{"type": "track"}]),
        ("/v1/page", b"\xff\xfe"),
        ("/v1/page", b'{"a":' * 5000 + b"1" + b"}" * 5000),
    ],
)
def test_what_is_no_call_is_refused_in_segments_shape(path: str, body: Any) -> None:
    sent = send(path, body, headers=BASIC)
    assert (sent.answer.status, sent.lines) == (400, [])
    assert sent.said["success"] is False
    assert sent.said["code"] == "bad_request"
    assert sent.said["message"]


def test_a_call_may_be_nested_deeply_and_no_depth_breaks_the_collector() -> None:
    for depth in (50, 400, *range(900, 1020, 7)):
        nested = b'{"context":' * depth + b"1" + b"}" * depth
        assert send("/v1/track", b'{"event":"x",' + nested[1:], headers=BASIC).answer.status in {200, 400}
        many = b'{"batch":[{"type":"track",%b],%b' % (nested[1:], nested[1:])
        assert send("/v1/batch", many, headers=BASIC).answer.status in {200, 400}


def test_analytics_js_may_send_its_own_numbers_and_they_are_dropped() -> None:
    sent = send("/v1/m", {"series": [{"type": "Counter"}]})
    assert (sent.answer.status, sent.lines) == (200, [])


# --- settings for analytics.js ---------------------------------------------------------------------------------------


def test_the_settings_make_this_collector_the_only_destination() -> None:
    sent = send(f"/v1/projects/{KEY}/settings", method="GET")
    assert sent.answer.status == 200
    assert sent.said["integrations"] == {
        "Segment.io": {"apiKey": KEY, "apiHost": "in.shop.example/collect/v1", "protocol": "https"}
    }
    assert sent.said["metrics"] == {"sampleRate": 0}
    assert sent.said["remotePlugins"] == []


@pytest.mark.parametrize("path", ["other/settings", "settings", "/settings", f"{KEY}/x/settings", f"{KEY}"])
def test_settings_of_no_project_are_not_found(path: str) -> None:
    assert send(f"/v1/projects/{path}", method="GET").answer.status == 404


def test_a_write_key_in_a_path_may_be_encoded() -> None:
    sent = send("/v1/projects/a%2Fb%20c/settings", method="GET", collector=OPEN)
    assert sent.said["integrations"]["Segment.io"]["apiKey"] == "a/b c"


# --- whatever is sent ------------------------------------------------------------------------------------------------

NAMES = sorted(
    {name for rows in ROWS.values() for row in rows for name in row.at.split(".")}
    | {row.field for rows in ROWS.values() for row in rows}
    | {"type", "name", "category", "traits", "library", "device", "platform", "integrations", "userAgentData", "app_id"}
)
KINDS = [*ROWS, "unheard", None, 5, ["track"]]


@some_examples
@given(payloads(NAMES), st.sampled_from([*ROWS]))
def test_nothing_of_a_call_is_dropped(said: dict[str, Any], kind: str) -> None:
    event = send(f"/v1/{kind}", said, headers=BASIC).event
    server_owned = {"collector_time", "headers", "app_id", "ip", "user_agent"}
    lost = {*leaves({k: v for k, v in said.items() if k not in server_owned})} - {*leaves(event)}
    assert not lost


@some_examples
@given(st.lists(st.tuples(payloads(NAMES), st.sampled_from(KINDS)), max_size=4), payloads(["release", "context"]))
def test_items_of_a_batch_are_the_same_alone(items: list[tuple[dict[str, Any], Any]], shared: dict[str, Any]) -> None:
    shared = {name: value for name, value in shared.items() if name not in {"batch", "writeKey"}}
    sent = [{**said, "type": kind} for said, kind in items]
    together = batch(*sent, **shared)
    assert together.lines == [line for one in sent for line in batch(one, **shared).lines]
    assert together.lines == batch(*sent, **shared).lines
    made = together.made
    assert len(made.rows) + len(made.failed) + made.ledger["duplicate"] == len(items)


@some_examples
@given(
    st.binary(max_size=60)
    | st.from_regex(r'\{("(batch|event|context|writeKey)":(\[|\{|1|"x"|\}|\]|,)*)*', fullmatch=True)
)
def test_no_bytes_break_the_collector(body: bytes | str) -> None:
    text = body if isinstance(body, bytes) else body.encode()
    for path in ("/v1/track", "/v1/batch"):
        assert send(path, text, headers=BASIC).answer.status in {200, 400, 415}


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_table_that_the_code_reads() -> None:
    kinds = {kind: set(rows) for kind, rows in ROWS.items()}
    expected = []
    for row in dict.fromkeys(row for rows in ROWS.values() for row in rows):
        own = [kind for kind in kinds if row in kinds[kind]]
        expected.append((row.at, row.field, "all" if len(own) == len(kinds) else ", ".join(own)))
    shown = re.findall(r"^\| `([\w.]+)` \| `(\w+)` \| ([\w, ]+) \|$", PAGE.read_text(), flags=re.MULTILINE)
    assert sorted(shown) == sorted(expected)


def test_the_page_names_each_library_and_each_route() -> None:
    text = PAGE.read_text()
    assert not [name for name in {**SERVER_LIBRARIES, **DEVICE_LIBRARIES} if f"`{name}`" not in text]
    assert not [route.path for route in segment.ROUTES if f"`{route.path}`" not in text]
    assert {route.path for route in segment.ROUTES} <= {route.path for route in ROUTES}


def test_a_request_is_read_the_same_whatever_it_calls_itself() -> None:
    """analytics.js says text/plain, so that the browser need not ask for leave."""
    bodies = [
        Request("POST", "/v1/t", headers={**BASIC, "content-type": kind}, body=b'{"event":"x","messageId":"m-1"}')
        for kind in ("text/plain", "application/json", "text/plain;charset=UTF-8", "")
    ]
    assert len({segment.ROUTES[0].read(request).events[0].text for request in bodies}) == 1
