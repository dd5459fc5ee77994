"""GA4's Measurement Protocol becomes events: what arrives in which column, and what is answered."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clicklake.collector.dialects import ga4
from clicklake.collector.dialects.mapping import Row
from collecting import KEY, OPEN, Sent, leaves, outcome, payloads, send, some_examples

PAGE = Path(__file__).parent.parent / "docs" / "dialect-ga4.md"
QUERY = {"measurement_id": "G-1", "api_secret": KEY}


def collect(*events: Any, **said: Any) -> Sent:
    return send("/mp/collect", {"client_id": "17.42", "events": list(events), **said}, query=QUERY)


def validate(said: Any) -> list[tuple[str, str]]:
    sent = send("/debug/mp/collect", said, query=QUERY)
    assert (sent.answer.status, sent.lines) == (200, [])
    return [(message["fieldPath"], message["validationCode"]) for message in sent.said["validationMessages"]]


# --- what arrives where ----------------------------------------------------------------------------------------------


def test_a_purchase_fills_these_columns() -> None:
    sent = send(
        "/mp/collect",
        {
            "client_id": "17.42",
            "user_id": "u-17",
            "timestamp_micros": 1764152090123456,
            "user_properties": {"plan": {"value": "gold"}},
            "consent": {"ad_user_data": "DENIED"},
            "non_personalized_ads": False,
            "user_location": {"city": "Hamburg", "country_id": "DE"},
            "device": {"category": "mobile", "language": "de-de"},
            "ip_override": "203.0.113.7",
            "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0",
            "events": [
                {
                    "name": "purchase",
                    "params": {
                        "session_id": 1764152000,
                        "engagement_time_msec": 100,
                        "page_location": "https://shop.example/done?lang=de",
                        "page_title": "Done",
                        "page_referrer": "https://www.google.com/",
                        "value": 12.5,
                        "currency": "EUR",
                        "transaction_id": "t-1",
                        "items": [{"item_id": "A-1"}],
                    },
                }
            ],
        },
        query=QUERY,
    )
    assert (sent.answer.status, sent.answer.body) == (204, b"")
    row = sent.row
    assert len(row.pop("user_key")) == len(row.pop("event_id")) * 2 == 64
    assert row == {
        "event_type": "purchase",
        "app_id": "shop",
        "platform": "server",
        "event_ts": "2025-11-26 10:14:50.123",
        "event_ts_source": "event",
        "anonymous_id": "17.42",
        "visitor_id": "17.42",
        "session_id": "1764152000",
        "page_url": "https://shop.example/done?lang=de",
        "page_host": "shop.example",
        "page_path": "/done",
        "page_title": "Done",
        "referrer": "https://www.google.com/",
        "referrer_host": "www.google.com",
        "referrer_class": "search",
        "channel": "Organic Search",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0",
        "browser": "Chrome",
        "browser_version": "156.0.0.0",
        "os": "Linux",
        "device_type": "desktop",
        "traffic_type": "human",
        "ip_truncated": "203.0.113.0/24",
        "locale": "de-de",
        "value": 12.5,
        "currency": "EUR",
        "properties": {
            "session_id": 1764152000,
            "engagement_time_msec": 100,
            "page_location": "https://shop.example/done?lang=de",
            "page_title": "Done",
            "page_referrer": "https://www.google.com/",
            "value": 12.5,
            "currency": "EUR",
            "transaction_id": "t-1",
            "items": [{"item_id": "A-1"}],
            "user_properties": {"plan": {"value": "gold"}},
            "consent": {"ad_user_data": "DENIED"},
            "non_personalized_ads": False,
            "user_location": {"city": "Hamburg", "country_id": "DE"},
            "device": {"category": "mobile", "language": "de-de"},
            "client_app_id": "G-1",
        },
    }


@pytest.mark.parametrize("row", ga4.ROWS)
def test_each_row_of_the_table_fills_a_field_and_what_is_within_an_object_stays_there_too(row: Row) -> None:
    value = {"value": 7.5, "event_time": 1764152090123456}.get(row.field, "some-value")
    said: Any = value
    for name in reversed(row.at.split(".")):
        said = {name: said}
    in_query = row.at in {"measurement_id", "firebase_app_id"}
    query = {"api_secret": KEY, **(said if in_query else {})}
    event = send("/mp/collect", {"events": [{"name": "x"} | ({} if in_query else said)]}, query=query).event
    assert event[row.field] == (value if row.field != "app_id" else "shop")
    outer, *inner = row.at.split(".")
    if inner:
        assert event["properties" if outer == "params" else outer] == said[outer]
    elif row.at != row.field:
        assert row.at not in event


def test_what_the_request_says_holds_for_each_event_that_does_not_say_it_itself() -> None:
    first, second = collect(
        {"name": "a", "timestamp_micros": 1764152000000000, "params": {"value": 1}},
        {"name": "b"},
        timestamp_micros="1764152090000000",
        user_id="u-17",
    ).events
    assert (first["event_time"], second["event_time"]) == (1764152000000000, "1764152090000000")
    assert first["user_id"] == second["user_id"] == "u-17"
    assert (first["properties"], "value" in second) == ({"value": 1}, False)


def test_the_stream_is_the_app_where_no_site_is() -> None:
    def app_of(**query: str) -> str:
        event = send("/mp/collect", {"events": [{"name": "x"}]}, query=query, collector=OPEN).event
        return str(event["app_id"])

    assert app_of(measurement_id="G-1", api_secret="any") == "G-1"
    assert app_of(firebase_app_id="1:2:web:3", api_secret="any") == "1:2:web:3"


@pytest.mark.parametrize("name", ["measurement_id", "firebase_app_id"])
def test_the_stream_of_the_query_counts_and_another_in_the_body_is_kept_beside(name: str) -> None:
    for odd in ({}, {"timestamp_micros": True}):  # both ways of reading
        said = {name: "G-2", "events": [{"name": "x", **odd}]}
        event = send("/mp/collect", said, query={name: "G-1"}, collector=OPEN).event
        assert (event["app_id"], event[f"_event.{name}"]) == ("G-1", "G-2")
        same = send("/mp/collect", {**said, name: "G-1"}, query={name: "G-1"}, collector=OPEN).event
        assert (same["app_id"], f"_event.{name}" in same) == ("G-1", False)


@pytest.mark.parametrize("odd", [0, False, [], {}])
def test_a_value_that_is_false_is_a_value(odd: Any) -> None:
    assert collect({"name": "x"}, platform=odd).event["platform"] == odd
    assert collect({"name": "x", "platform": odd}).event["platform"] == odd


def test_an_app_instance_is_the_visitor_of_an_app() -> None:
    sent = send("/mp/collect", {"app_instance_id": "app-1", "events": [{"name": "x"}]}, query=QUERY)
    assert sent.event["anonymous_id"] == "app-1"


def test_nothing_is_read_from_the_request_of_a_server() -> None:
    for said in ({}, {"user_agent": "Own"}, {"platform": "web"}):
        event = collect({"name": "x", **said}).event
        assert (event.get("ip"), event.get("user_agent")) == (None, said.get("user_agent"))
        assert event["platform"] == said.get("platform", "server")


def test_the_secret_is_kept_nowhere() -> None:
    assert KEY.encode() not in collect({"name": "x"}).lines[0]


def test_an_id_in_the_params_makes_a_second_try_a_repeat_and_without_one_it_is_another_row() -> None:
    def rows_of_two_tries(params: dict[str, Any]) -> int:
        first, again = (collect({"name": "x", "params": params}) for _ in range(2))
        return len(Sent(first.answer, [*first.lines, *again.lines]).made.rows)

    assert rows_of_two_tries({"event_id": "e-1"}) == 1
    assert rows_of_two_tries({}) == 2


def test_more_events_than_google_takes_are_taken() -> None:
    assert len(collect(*[{"name": "x"}] * 26).lines) == 26


@pytest.mark.parametrize("wrong", [{}, {"name": ""}, {"name": 5}, {"params": {"name": "x"}}, "text", 7, None, ["x"]])
def test_a_wrong_event_is_failed_alone(wrong: Any) -> None:
    good = {"name": "x", "params": {"event_id": "e"}}
    sent = collect(good, wrong, good)
    assert [sent.lines[0], sent.lines[2]] == collect(good, good).lines
    assert sent.answer.status == 204
    assert [row["record_index"] for row in sent.made.failed] == [1]


# --- two ways, one row -----------------------------------------------------------------------------------------------

# Mostly what is written without being written anew, and some of all that is not.
_LEAF = st.sampled_from(
    ["some-text", "", "https://shop.example/?a=b", 7, 2**70, 7.5, 1e300, None, True, ["x"], {"a": 1}]
)
_OF_PARAMS = [row.at.partition(".")[2] for row in ga4.ROWS if row.at.startswith("params.")]
_EVENTS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"name": st.sampled_from(["x", "x", "x", "", 5, None])},
    optional={
        "params": st.dictionaries(st.sampled_from([*_OF_PARAMS, "items", "email", "device", "name"]), _LEAF)
        | st.sampled_from([None, [], "text"]),
        "timestamp_micros": st.sampled_from([1764152090123456, "1764152080000000", "soon", "", None, 1.5, []]),
    },
) | st.dictionaries(st.sampled_from(["name", "device", "page_url", "properties", "platform", "user_id"]), _LEAF)
_SHARED = st.dictionaries(
    st.sampled_from(
        ["user_id", "timestamp_micros", "device", "user_properties", "ip_override", "user_agent", "locale"]
    ),
    _LEAF | st.just({"language": "de", "category": "mobile"}),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_EVENTS, min_size=1, max_size=3), _SHARED)
def test_an_event_that_is_not_written_anew_is_the_same_row(
    events: list[dict[str, Any]], shared: dict[str, Any]
) -> None:
    """A request that says NaN of all is read the other way."""
    said = {"client_id": "17.42", **shared, "validation_behavior": 0, "events": events}
    text = json.dumps(said).replace('"validation_behavior": 0', '"validation_behavior": NaN')
    fast = send("/mp/collect", {**said, "validation_behavior": "NaN"}, query=QUERY)
    slow = send("/mp/collect", text.encode(), query=QUERY)
    assert outcome(fast) == outcome(slow)


def test_params_go_on_as_they_were_sent() -> None:
    params = b'{ "value" : 1.50, "big": 123456789012345678901234567890, "cut": "\\u00e9" }'
    sent = send("/mp/collect", b'{"events": [{"name": "x", "params": %b}]}' % params, query=QUERY)
    assert params in sent.lines[0]


# --- answers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"", b"{", [], 7, {}, {"events": {}}, {"events": None}, b"\xff"])
def test_what_is_no_request_of_the_protocol_is_refused(body: Any) -> None:
    sent = send("/mp/collect", body, query=QUERY)
    assert (sent.answer.status, sent.lines) == (400, [])
    assert [message["validationCode"] for message in sent.said["validationMessages"]] == ["VALUE_INVALID"]


@pytest.mark.parametrize("path", ["/mp/collect", "/debug/mp/collect"])
def test_without_a_sites_secret_nothing_is_taken(path: str) -> None:
    for secret in ("other", "shop"):  # an app_id is none
        sent = send(path, {"events": [{"name": "x"}]}, query={"measurement_id": "G-1", "api_secret": secret})
        assert (sent.answer.status, sent.lines) == (401, [])
        assert sent.said["validationMessages"][0]["fieldPath"] == "api_secret"


def test_what_the_request_says_of_all_does_not_grow_into_gigabytes() -> None:
    sent = collect(*[{"name": "x"}] * 1000, user_properties={"a": {"value": "x" * 100_000}})
    assert (sent.answer.status, sent.lines) == (413, [])


# --- validation ------------------------------------------------------------------------------------------------------


def test_a_right_request_has_no_messages() -> None:
    params = {"session_id": "1", "engagement_time_msec": 100, "value": 1.5, "ga_session_id": 1}
    said = {"client_id": "1.2", "timestamp_micros": "1764152090123456", "events": [{"name": "login", "params": params}]}
    assert validate(said) == []


@pytest.mark.parametrize(
    ("said", "path", "code"),
    [
        ({"events": [{"name": "x"}]}, "client_id", "VALUE_REQUIRED"),
        ({"client_id": "1"}, "events", "VALUE_REQUIRED"),
        ({"client_id": "1", "events": []}, "events", "VALUE_REQUIRED"),
        ({"client_id": "1", "events": [{}]}, "events", "VALUE_REQUIRED"),
        ({"client_id": "1", "events": [5]}, "events", "VALUE_REQUIRED"),
        ({"client_id": "1", "events": [{"name": "_badEventName"}]}, "events", "NAME_INVALID"),
        ({"client_id": "1", "events": [{"name": "with space"}]}, "events", "NAME_INVALID"),
        ({"client_id": "1", "events": [{"name": "x" * 41}]}, "events", "NAME_INVALID"),
        ({"client_id": "1", "events": [{"name": "session_start"}]}, "events", "NAME_RESERVED"),
        ({"client_id": "1", "events": [{"name": "x"}] * 26}, "events", "EXCEEDED_MAX_ENTITIES"),
        ({"client_id": "1", "events": [{"name": "x", "params": []}]}, "events[0].params", "VALUE_INVALID"),
        ({"client_id": "1", "events": [{"name": "x", "params": {"1a": 1}}]}, "events[0].params", "NAME_INVALID"),
        ({"client_id": "1", "events": [{"name": "x", "params": {"ga_a": 1}}]}, "events[0].params", "NAME_RESERVED"),
        ({"client_id": "1", "user_properties": {"a" * 25: {}}, "events": [{"name": "x"}]}, "user_properties", "NAME_INVALID"),
        ({"client_id": "1", "timestamp_micros": "soon", "events": [{"name": "x"}]}, "timestamp_micros", "VALUE_INVALID"),
        (b"{", "", "VALUE_INVALID"),
        (b'{"client_id":"1","events":[{"name":"\\ud800"}]}', "events", "NAME_INVALID"),
    ],
)  # fmt: skip
def test_the_validation_says_what_is_wrong(said: Any, path: str, code: str) -> None:
    assert validate(said) == [(path, code)]


def test_the_first_hundred_messages_are_listed_and_the_rest_is_counted() -> None:
    said = {"client_id": "1", "events": [{"name": "x", "params": {"1a": 1}}] * 125 + [{"name": "1" * 90_000}]}
    messages = send("/debug/mp/collect", said, query=QUERY).said["validationMessages"]
    assert [message["fieldPath"] for message in messages] == ["events", *(f"events[{n}].params" for n in range(99)), ""]
    assert messages[-1]["description"] == "27 more problems; the first 100 are listed."


def test_the_message_of_googles_own_example_is_googles() -> None:
    said = {"client_id": "1", "events": [{"name": "_badEventName", "params": {}}]}
    assert send("/debug/mp/collect", said, query=QUERY).said["validationMessages"] == [
        {
            "fieldPath": "events",
            "description": "Event at index: [0] has invalid name [_badEventName]. Names must start with an alphabetic "
            "character.",
            "validationCode": "NAME_INVALID",
        }
    ]


# --- whatever is sent ------------------------------------------------------------------------------------------------

NAMES = sorted(
    {name for row in ga4.ROWS for name in row.at.split(".")}
    | {row.field for row in ga4.ROWS}
    | {"properties", "platform", "consent", "user_location", "items"}
)


@some_examples
@given(st.lists(payloads(NAMES), min_size=1, max_size=3), payloads(["consent", "device", "user_id", "release"]))
def test_nothing_is_dropped_and_no_event_harms_another(events: list[dict[str, Any]], shared: dict[str, Any]) -> None:
    shared.pop("events", None)
    sent = collect(*events, **shared)
    assert sent.lines == [line for event in events for line in collect(event, **shared).lines]
    server_owned = {"collector_time", "headers", "app_id", "measurement_id", "firebase_app_id"}
    for said, made in zip(events, sent.events, strict=True):
        assert not {*leaves({k: v for k, v in said.items() if k not in server_owned})} - {*leaves(made)}
    missing = {name: value for name, value in shared.items() if all(e.get(name) is None for e in events)}
    assert not {*leaves(missing)} - {*leaves(sent.events)} - {*leaves({"c": shared.get("client_id")})}


@some_examples
@given(st.binary(max_size=60) | payloads([*NAMES, "events", "user_properties"]).map(lambda v: json.dumps(v).encode()))
def test_no_bytes_break_the_collector(body: bytes) -> None:
    assert send("/mp/collect", body, query=QUERY).answer.status in {204, 400, 415}
    assert send("/debug/mp/collect", body, query=QUERY).answer.status in {200, 400, 415}


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_shows_the_table_that_the_code_reads() -> None:
    shown = re.findall(r"^\| `([\w.]+)` \| `(\w+)` \|$", PAGE.read_text(), flags=re.MULTILINE)
    assert shown == [(row.at, row.field) for row in ga4.ROWS]
