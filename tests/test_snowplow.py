"""Snowplow's tracker protocol becomes events: what arrives in which column, what is answered, and who spoke."""

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clicklake.collector.collect import Collector
from clicklake.collector.dialects import snowplow, snowplow_usual
from clicklake.collector.dialects.snowplow_rows import EVENT_TYPES, PLATFORMS, ROWS, Row
from clicklake.collector.settings import Cookie, Settings
from collecting import (
    AGENT,
    BLOG_KEY,
    COLLECTOR,
    KEY,
    NOW,
    OPEN,
    TWO_SITES,
    Sent,
    leaves,
    payloads,
    send,
    some_examples,
)
from transforming import transform

PAGE = Path(__file__).parent.parent / "docs" / "dialect-snowplow.md"
TP2 = "/com.snowplowanalytics.snowplow/tp2"
IGLU = "iglu:com.snowplowanalytics.snowplow"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
HAPPENED, SENT = str((NOW - 60) * 1000 + 250), str(NOW * 1000)
BROWSER = {
    "eid": "c08496a0-57b7-447d-8183-274c57b8ddef",
    "aid": "shop",
    "p": "web",
    "tna": "sp",
    "tv": "js-4.10.1",
    "cookie": "1",
    "cs": "UTF-8",
    "lang": "de-DE",
    "res": "1920x1080",
    "vp": "800x600",
    "ds": "800x3000",
    "cd": "24",
    "tz": "Europe/Berlin",
    "vid": "2",
    "sid": "s-1",
    "duid": "a-1",
    "url": "https://shop.example/cart?utm_source=news",
    "refr": "https://www.google.com/",
    "dtm": HAPPENED,
    "stm": SENT,
}
BESIDES = {
    "name_tracker": "sp",
    "v_tracker": "js-4.10.1",
    "br_cookies": True,
    "doc_charset": "UTF-8",
    "dvce_screenwidth": 1920,
    "dvce_screenheight": 1080,
    "br_viewwidth": 800,
    "br_viewheight": 600,
    "doc_width": 800,
    "doc_height": 3000,
    "br_colordepth": "24",
    "os_timezone": "Europe/Berlin",
    "domain_sessionidx": 2,
}
LOGIN = {
    "schema": f"{IGLU}/unstruct_event/jsonschema/1-0-0",
    "data": {"schema": "iglu:com.example/log_in/jsonschema/1-0-0", "data": {"plan": "frei \u00fc \U0001f600?>"}},
}


def envelope(*events: Any) -> dict[str, Any]:
    return {"schema": f"{IGLU}/payload_data/jsonschema/1-0-4", "data": list(events)}


def post(*events: Any, headers: dict[str, str] | None = None, collector: Collector = OPEN) -> Sent:
    said = {"content-type": "application/json; charset=UTF-8", **(headers or {})}
    return send(TP2, envelope(*events), headers=said, collector=collector)


def pixel(said: dict[str, str], collector: Collector = OPEN) -> Sent:
    return send("/i", method="GET", query=said, collector=collector)


def exactly(sent: Sent) -> list[Any]:
    """Numbers digit by digit."""
    return [json.loads(line, parse_int=str, parse_float=str) for line in sent.lines]


def one(**said: Any) -> dict[str, Any]:
    """The event that these parameters become."""
    return post({"e": "pv", **said}).event


def encoded(said: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(said, ensure_ascii=False).encode()).decode()


def session(**said: str) -> dict[str, Any]:
    entity = {"schema": f"{IGLU}/client_session/jsonschema/1-0-2", "data": said}
    page = {"schema": f"{IGLU}/web_page/jsonschema/1-0-0", "data": {"id": "p-1"}}
    return {"schema": f"{IGLU}/contexts/jsonschema/1-0-0", "data": [page, entity]}


# --- what arrives where ----------------------------------------------------------------------------------------------


def test_a_page_view_of_the_browser_s_tracker_fills_these_columns() -> None:
    sent = send(
        TP2,
        envelope({**BROWSER, "e": "pv", "page": "Cart", "uid": "u-1", "co": json.dumps(session(userId="a-1"))}),
        headers={"content-type": "application/json; charset=UTF-8", "user-agent": CHROME, "accept-language": "de"},
    )
    row = sent.row
    assert row.pop("user_key")
    assert row == {
        "event_id": BROWSER["eid"],
        "event_type": "page_view",
        "app_id": "shop",
        "platform": "web",
        "event_ts": "2025-11-26 10:13:58.250",
        "event_ts_source": "event",
        "clock_skew_ms": 0,
        "anonymous_id": "a-1",
        "visitor_id": "a-1",
        "session_id": "s-1",
        "page_url": "https://shop.example/cart?utm_source=news",
        "page_host": "shop.example",
        "page_path": "/cart",
        "page_title": "Cart",
        "referrer": "https://www.google.com/",
        "referrer_host": "www.google.com",
        "referrer_class": "search",
        "utm_source": "news",
        "channel": row["channel"],
        "user_agent": CHROME,
        "browser": "Chrome",
        "browser_version": row["browser_version"],
        "os": "Linux",
        "device_type": "desktop",
        "traffic_type": "human",
        "ip_truncated": "198.51.100.0/24",
        "locale": "de-DE",
        "properties": {
            **BESIDES,
            "contexts": {
                "schema": f"{IGLU}/contexts/jsonschema/1-0-0",
                "data": [
                    {"schema": f"{IGLU}/web_page/jsonschema/1-0-0", "data": {"id": "p-1"}},
                    {"schema": f"{IGLU}/client_session/jsonschema/1-0-2", "data": {}},  # userId is private
                ],
            },
        },
    }


@pytest.mark.parametrize(
    ("sent", "made"),
    [
        ({"e": "pp", "pp_mix": "0", "pp_max": "10", "pp_miy": "-5", "pp_may": "900"},
         {"event_type": "page_ping", "pp_xoffset_min": 0, "pp_xoffset_max": 10, "pp_yoffset_min": -5, "pp_yoffset_max": 900}),
        ({"e": "se", "se_ca": "shop", "se_ac": "add", "se_la": "A-1", "se_pr": "red", "se_va": "12.5"},
         {"event_type": "event", "se_category": "shop", "se_action": "add", "se_label": "A-1", "se_property": "red", "value": 12.5}),
        ({"e": "ev", "ev_ca": "shop", "ev_ac": "add", "ev_va": "3"},
         {"event_type": "event", "se_category": "shop", "se_action": "add", "value": 3}),
        ({"e": "tr", "tr_id": "o-1", "tr_tt": "99.90", "tr_tx": "19", "tr_sh": "4.5", "tr_cu": "EUR", "tr_ci": "Ulm", "tr_st": "BW",
          "tr_co": "DE", "tr_af": "web", "tid": "7"},
         {"event_type": "transaction", "tr_orderid": "o-1", "value": 99.9, "tr_tax": 19, "tr_shipping": 4.5, "currency": "EUR",
          "tr_city": "Ulm", "tr_state": "BW", "tr_country": "DE", "tr_affiliation": "web", "txn_id": 7}),
        ({"e": "ti", "ti_id": "o-1", "ti_sk": "A-1", "ti_na": "Shoe", "ti_ca": "shoes", "ti_pr": "49.95", "ti_qu": "2", "ti_cu": "EUR"},
         {"event_type": "transaction_item", "ti_orderid": "o-1", "ti_sku": "A-1", "ti_name": "Shoe", "ti_category": "shoes",
          "ti_price": 49.95, "ti_quantity": 2, "currency": "EUR"}),
        ({"e": "ue", "ue_pr": json.dumps(LOGIN)}, {"event_type": "log_in", "unstruct_event": LOGIN}),
        ({"e": "ue", "ue_px": encoded(LOGIN)}, {"event_type": "log_in", "unstruct_event": LOGIN}),
        ({"e": "ue", "ue_px": encoded(LOGIN).rstrip("=")}, {"event_type": "log_in", "unstruct_event": LOGIN}),
        ({"e": "ue", "ue_px": base64.b64encode(json.dumps(LOGIN).encode()).decode()}, {"event_type": "log_in", "unstruct_event": LOGIN}),
        ({"e": "pv", "cx": encoded({"data": []})}, {"event_type": "page_view", "contexts": {"data": []}}),
        ({"e": "pv", "nuid": "n-1", "fp": "f-1"}, {"event_type": "page_view", "network_userid": "n-1", "user_fingerprint": "f-1"}),
        ({"e": "pv", "nuid": "n-1", "tnuid": "n-2"}, {"event_type": "page_view", "network_userid": "n-2", "nuid": "n-1"}),
        ({"e": "pv", "ip": "203.0.113.7, 10.0.0.1", "ua": "A"}, {"event_type": "page_view", "ip": "203.0.113.7", "user_agent": "A"}),
        ({"e": "pv", "f_pdf": "0", "f_java": "1"}, {"event_type": "page_view", "br_features_pdf": False, "br_features_java": True}),
        ({"e": "pv", "own": "x"}, {"event_type": "page_view", "own": "x"}),
        ({"e": "pv", "ttm": "", "dtm": "5", "stm": ""}, {"event_type": "page_view", "event_time": "5"}),
        # Not what the row says: it stays, and the event is taken.
        ({"e": "se", "se_va": "12,5"}, {"event_type": "event", "se_va": "12,5"}),
        ({"e": "pv", "vid": "+1", "res": "wide", "cookie": "yes"}, {"event_type": "page_view", "vid": "+1", "res": "wide", "cookie": "yes"}),
        ({"e": "ue", "ue_px": "e30", "co": "[1]"}, {"event_type": "unstruct", "unstruct_event": {}, "co": "[1]"}),
        ({"e": "ue", "ue_pr": '{"schema'}, {"event_type": "unstruct", "ue_pr": '{"schema'}),
        ({"e": "ue", "ue_px": "!!", "ue_pr": json.dumps(LOGIN)}, {"event_type": "log_in", "unstruct_event": LOGIN, "ue_px": "!!"}),
        ({"e": "xx"}, {"event_type": "xx"}),
        ({"e": "ue", "unstruct_event": "{}", "contexts": "x"}, {"event_type": "unstruct", "unstruct_event": "{}", "contexts": "x"}),
        # Of several for one name the first of the table has it.
        ({"e": "pv", "tr_tt": "1", "ev_va": "2", "se_va": "x"}, {"event_type": "page_view", "tr_tt": "1", "ev_va": "2", "se_va": "x"}),
        ({"e": "pv", "tr_tt": "1", "ev_va": "2"}, {"event_type": "page_view", "tr_tt": "1", "value": 2}),
        ({"e": "pv", "ti_cu": "EUR", "tr_cu": "USD"}, {"event_type": "page_view", "ti_cu": "EUR", "currency": "USD"}),
        # A name of ours that is sent as it is never takes the place of the parameter's.
        ({"e": "pv", "url": "https://a.example/", "page_url": "b"},
         {"event_type": "page_view", "page_url": "https://a.example/", "_event.page_url": "b"}),
        ({"e": "pv", "event_type": "a", "_event.event_type": "b", "res": "1x2", "dvce_screenwidth": "c"},
         {"event_type": "page_view", "_event._event.event_type": "a", "_event.event_type": "b", "dvce_screenwidth": 1,
          "dvce_screenheight": 2, "_event.dvce_screenwidth": "c"}),
    ],
)  # fmt: skip
def test_each_parameter_gets_the_name_of_a_field_or_of_the_canonical_model(
    sent: dict[str, str], made: dict[str, Any]
) -> None:
    stamps = {"collector_time", "ip", "user_agent", "headers"} - made.keys()
    for way in (post(sent), pixel(sent)):
        assert {name: value for name, value in way.event.items() if name not in stamps} == made


@pytest.mark.parametrize(("code", "platform"), [*PLATFORMS.items(), ("tv", "tv"), ("iot", "iot"), ("x", "x")])
def test_a_platform_is_a_word_of_ours_or_snowplow_s(code: str, platform: str) -> None:
    assert one(p=code)["platform"] == platform


def test_digits_of_a_number_are_kept_as_they_were_sent() -> None:
    digits = "1234567890123456789012345678901234567890.10"
    assert f'"value":{digits}'.encode() in post({"e": "se", "se_va": digits}).lines[0]
    inside = '{"data":{"schema":"iglu:a/b/jsonschema/1-0-0","data":{"n":' + digits + "}}}"
    assert inside.encode() in post({"e": "ue", "ue_pr": inside}).lines[0]


def test_half_of_a_surrogate_pair_costs_neither_the_name_nor_the_event() -> None:
    cut = '{"data":{"schema":"iglu:a/b/jsonschema/1-0-0","data":{"t":"\\ud83d"}}}'
    sent = post({"e": "ue", "ue_pr": cut, "page": "\ud83d", "se_va": "1.5"}, {"e": "pv"})
    assert [row["event_type"] for row in sent.made.rows] == ["b", "page_view"]
    assert sent.events[0]["value"] == 1.5


# --- times -----------------------------------------------------------------------------------------------------------


def test_an_event_that_waited_offline_is_dated_by_its_own_clock_corrected_by_the_collector_s() -> None:
    """derived_tstamp: collector_tstamp - (dvce_sent_tstamp - dvce_created_tstamp)."""
    wrong = 3_600_000
    sent = post({"e": "pv", "dtm": str((NOW - 7200) * 1000 + wrong), "stm": str(NOW * 1000 + wrong)})
    assert (sent.row["event_ts"], sent.row["event_ts_source"]) == ("2025-11-26 08:14:58.000", "derived")


def test_a_true_time_is_taken_as_it_is() -> None:
    sent = post({"e": "pv", "ttm": str(NOW * 1000 - 5), "dtm": "1764000000000", "stm": "1764000060000"})
    assert (sent.row["event_ts"], sent.row["event_ts_source"]) == ("2025-11-26 10:14:57.995", "event")
    assert sent.row["properties"] == {"dvce_created_tstamp": "1764000000000"}


def test_a_clock_that_sent_before_it_created_was_cut_to_seconds() -> None:
    sent = post({"e": "pv", "dtm": f"{NOW}632", "stm": f"{NOW}000"})
    assert sent.row["event_ts"] == "2025-11-26 10:14:58.000"  # the collector's time, as Snowplow has it


@pytest.mark.parametrize("times", [{"dtm": HAPPENED}, {"ttm": HAPPENED, "dtm": HAPPENED}])
def test_a_retry_is_a_duplicate_of_the_first_try(times: dict[str, str]) -> None:
    said = {"e": "pv", "eid": "e-1", **times}
    first, again = post({**said, "stm": SENT}), post({**said, "stm": f"{SENT[:-3]}999"}, headers={"user-agent": "B/2"})
    assert transform(*first.lines, *again.lines).ledger["duplicate"] == 1


# --- who -------------------------------------------------------------------------------------------------------------


def test_a_mobile_tracker_s_version_tells_the_platform_and_its_session_the_visitor() -> None:
    said = {"p": "mob", "tv": "ios-6.0.0", "co": json.dumps(session(userId="device-1", sessionId="s-9"))}
    event = one(**said)
    assert (event["platform"], event["anonymous_id"], event["session_id"]) == ("ios", "device-1", "s-9")
    assert one(p="mob", tv="andr-6.0.0")["platform"] == "android"
    assert one(**{**said, "tv": "rn-2", "duid": "own"})["anonymous_id"] == "own"


def test_visitors_who_asked_not_to_be_told_apart_are_not_one_visitor() -> None:
    nobody = json.dumps(session(userId="00000000-0000-0000-0000-000000000000"))
    assert "anonymous_id" not in one(p="web", co=nobody)


def test_a_server_s_own_address_and_agent_are_not_the_visitor_s() -> None:
    event = one(p="srv", tv="py-1.1.0")
    assert {"ip", "user_agent"}.isdisjoint(event)
    event = one(p="srv", ip="203.0.113.7", ua="Visitor/1")
    assert (event["ip"], event["user_agent"]) == ("203.0.113.7", "Visitor/1")


def test_server_side_anonymisation_keeps_no_address_no_place_and_no_cookie() -> None:
    collector = Collector(Settings(cookie=Cookie(), trusted_proxies=1), lambda: NOW, lambda: "new-id-1")
    headers = {"cookie": "clid=old-id-1; other=1", "cloudfront-viewer-city": "Ulm", "accept-language": "de"}
    known = post({"e": "pv"}, collector=collector, headers=headers)
    assert known.event["anonymous_id"] == "old-id-1"
    assert known.event["headers"] == {"accept-language": "de", "cloudfront-viewer-city": "Ulm"}
    hidden = post({"e": "pv", "uid": "u-1"}, collector=collector, headers={**headers, "sp-anonymous": "*"})
    assert hidden.event == {
        "event_type": "page_view",
        "user_id": "u-1",  # what the tracker says itself is its own to leave out
        "collector_time": NOW * 1000,
        "user_agent": AGENT,
        "headers": {"accept-language": "de"},
    }
    assert dict(hidden.answer.headers)["set-cookie"].startswith("clid=; Max-Age=0;")


@pytest.mark.parametrize("said", ["shop", KEY])
def test_the_site_is_known_by_the_app_id_which_may_hold_the_write_key(said: str) -> None:
    sent = post({"e": "pv", "aid": said}, collector=COLLECTOR)
    assert sent.answer.status == 200
    assert (sent.row["app_id"], sent.row["properties"]) == ("shop", {})


@pytest.mark.parametrize("said", [{}, {"aid": "other"}, {"aid": 5}])
def test_an_app_id_of_no_site_is_refused(said: dict[str, Any]) -> None:
    sent = post({"e": "pv", **said}, collector=COLLECTOR)
    assert (sent.answer.status, sent.lines) == (401, [])


def test_a_batch_of_two_sites_is_refused_unless_a_key_in_the_head_says_whose_it_is() -> None:
    first, second, odd = {"e": "pv", "aid": "shop"}, {"e": "pv", "aid": BLOG_KEY}, {"e": "pv", "aid": "part"}
    for more in ({}, {"co": "cut {"}):  # both ways of reading
        assert post(first, second | more, collector=TWO_SITES).answer.status == 400
        assert post(first, odd | more, first | {"aid": KEY}, collector=TWO_SITES).answer.status == 200
        keyed = post(first, second | more, collector=TWO_SITES, headers={"x-write-key": KEY})
        assert [event.get("client_app_id") for event in keyed.events] == [None, BLOG_KEY]


# --- requests and answers --------------------------------------------------------------------------------------------


def test_a_post_is_answered_ok_whatever_its_events_are() -> None:
    sent = post({"e": "pv"}, {"url": "https://a.example/"}, "no event", collector=OPEN)
    assert (sent.answer.status, sent.answer.body, sent.answer.content_type) == (200, b"ok", "text/plain")
    assert len(sent.made.rows) == 1
    assert [failed["failure_type"] for failed in sent.made.failed] == ["missing_field", "missing_field"]


@pytest.mark.parametrize(
    "body", [{"e": "pv", "eid": "1"}, [{"e": "pv", "eid": "1"}], envelope({"e": "pv", "eid": "1"})]
)
def test_an_envelope_an_array_and_one_event_are_read_alike(body: Any) -> None:
    plain = send(TP2, body, collector=OPEN)
    assert plain.event["event_id"] == "1"
    assert send(TP2, gzip.compress(json.dumps(body).encode()), collector=OPEN).lines == plain.lines


def test_what_stands_in_the_query_of_a_post_is_every_event_s() -> None:
    sent = send(TP2, envelope({"e": "pv", "p": "web"}, {"e": "pp"}), query={"p": "tv", "write_key": KEY})
    assert [(event["platform"], "write_key" in event) for event in sent.events] == [("tv", False), ("tv", False)]


def test_what_stands_in_the_query_does_not_grow_into_gigabytes() -> None:
    sent = send(TP2, [{}] * 1000, query={"a": "x" * 6000}, collector=OPEN)
    assert (sent.answer.status, sent.lines, sent.said["error"]["code"]) == (413, [], "too_large")
    assert len(send(TP2, [{}] * 100, query={"a": "x" * 6000}, collector=OPEN).lines) == 100


def test_a_pixel_is_answered_with_a_pixel_that_nobody_keeps() -> None:
    said = {**BROWSER, "e": "ue", "ue_px": encoded(LOGIN), "page": "Schuhe & mehr"}
    for method in ("GET", "HEAD"):
        sent = send("/i", method=method, query=said)
        assert (sent.answer.status, sent.answer.content_type, len(sent.answer.body)) == (200, "image/gif", 43)
        assert sent.answer.body.startswith(b"GIF89a")
        assert "no-store" in dict(sent.answer.headers)["cache-control"]
        assert sent.row["event_type"] == "log_in"
        assert sent.events == post(said, collector=COLLECTOR).events


def test_a_pixel_without_a_query_is_no_event() -> None:
    sent = send("/i", method="GET", collector=OPEN)
    assert (sent.answer.status, sent.lines) == (200, [])


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"data": []}', b"\xff\xfe", b"[" * 100_000])
def test_a_body_that_holds_nothing_is_refused(body: bytes) -> None:
    sent = send(TP2, body, collector=OPEN)
    assert (sent.answer.status, sent.lines) == (400, [])


# --- whatever is sent ------------------------------------------------------------------------------------------------

NAMES = [*(row.at for row in ROWS), "event_type", "page_url", "value", "_event.value"]
JSONS = st.sampled_from([json.dumps(LOGIN), encoded(LOGIN), json.dumps(session(userId="1"))]) | st.text(max_size=8)
EVENTS = st.dictionaries(
    st.sampled_from(NAMES), JSONS | st.sampled_from(["", "1", "1.50", "08x9", "ue", "se", "srv", "mob"]), max_size=12
)

OF_KIND: dict[str, st.SearchStrategy[str]] = {
    "text": st.text(max_size=4) | st.sampled_from(["1", "2", "10"]),
    "number": st.sampled_from(["", "0", "-1.50", "1e400", "9" * 30]),
    "yes or no": st.sampled_from(["0", "1"]),
    "size": st.sampled_from(["0x0", "08x9", "1920x1080"]),
    "platform": st.sampled_from([*PLATFORMS, "tv", "\x00"]),
    "address": st.sampled_from(["", "203.0.113.7", "203.0.113.7, 10.0.0.1"]),
    "event": st.sampled_from(["", json.dumps(LOGIN), encoded(LOGIN), "e30", ' {\n"data": 1e400}']),
    "entities": st.sampled_from(["", "{}", encoded({"data": [[]]})])
    | st.builds(lambda who: json.dumps(session(userId=who, sessionId="s-9")), st.text(max_size=3)),
    "code": st.sampled_from(["", *EVENT_TYPES, "\u00fc"]),
}


@some_examples
@given(payloads(NAMES))
def test_nothing_that_was_sent_is_dropped(said: dict[str, Any]) -> None:
    """But for `stm` beside a true time."""
    found = list(leaves(snowplow.event(said)))
    assert [leaf for leaf in leaves({**said, "stm": None}) if leaf not in found] == []


@some_examples
@given(st.lists(EVENTS | st.integers() | st.none() | st.lists(st.text()), min_size=1, max_size=4))
def test_an_event_is_the_same_alone_and_among_others(events: list[Any]) -> None:
    together = post(*events)
    assert exactly(together) == [one for event in events for one in exactly(post(event))]
    assert together.lines == post(*events).lines
    assert all(line.count(b"\n") == 1 and isinstance(json.loads(line), dict) for line in together.lines)


@some_examples
@given(st.fixed_dictionaries({}, optional={row.at: OF_KIND[row.kind] for row in ROWS if not row.is_rare}))
def test_what_is_usual_is_read_as_everything_else(said: dict[str, str]) -> None:
    """A query is never read as the usual envelopes are; a null makes one unusual."""
    expected = exactly(post(said, {"e": None}))[:1]
    assert exactly(post(said)) == expected
    assert exactly(pixel({"e": "", **said})) == expected or not said


TEXTS = (
    "",
    "1",
    "0",
    "-1.50",
    "08x9",
    "9" * 30,
    "mob",
    "ue",
    "a, b",
    '{"data":\n1e400}',
    "e30",
    "e30=",
    "W10",
    "{",
    "\u00fc",
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.at)
def test_each_row_is_the_same_both_ways(row: Row) -> None:
    for text in TEXTS:
        for besides in ({}, {"e": "ue", "tv": "ios-1", "dtm": "2", "stm": "1"}):
            said = {**besides, row.at: text}
            assert exactly(post(said)) == exactly(post(said, {"e": None}))[:1]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.at)
def test_a_title_that_was_cut_within_an_emoji_changes_nothing_beside_it(row: Row) -> None:
    for text in (*TEXTS, "1920x1080", "1.50"):
        said = {"e": "ue", "ue_pr": '{"data":{"a":1.50}}', row.at: text}
        for name in ("own", "page", "\ud83d"):
            whole, cut = exactly(post({**said, name: "whole"}))[0], exactly(post({**said, name: "\ud83d"}))[0]
            assert {n: v if v != "whole" else "\ud83d" for n, v in whole.items()} == cut


@pytest.mark.parametrize(
    "said",
    [{"contexts": "x"}, {"contexts": 5}, {"unstruct_event": 5}, {"contexts": [5]}, {"unstruct_event": {"data": 5}}],
)
def test_canonical_names_that_are_sent_as_they_are_are_kept_whatever_they_hold(said: dict[str, Any]) -> None:
    for cut in ({}, {"page": "\ud83d"}):
        assert one(e="ue", **said, **cut).items() >= {"event_type": "unstruct", **said}.items()


@pytest.mark.parametrize(
    "said",
    [
        {"e": "pv", "page": "Cart \U0001f600\n", "co": json.dumps(session(userId="a-1"))},
        {"e": "pp", "pp_mix": "0", "pp_max": "0", "pp_miy": "0", "pp_may": "75", "cx": encoded(session(userId="\u00fc?>"))},
        {"e": "se", "se_ca": "shop", "se_ac": "add", "se_la": "A-1", "se_pr": "red", "se_va": "12.5", "uid": "u-1"},
        {"e": "ue", "ue_pr": json.dumps(LOGIN)},
        {"e": "ue", "ue_px": encoded(LOGIN), "ip": "203.0.113.7", "ua": "A", "p": "srv"},
        {"e": "pv", "p": "mob", "tv": "ios-6.0.0", "sid": "", "duid": "", "co": json.dumps(session(userId="d-1"))},
    ],
)  # fmt: skip
def test_what_trackers_send_is_usual(said: dict[str, str]) -> None:
    body = json.dumps(envelope({**BROWSER, **said})).encode()
    assert snowplow_usual.events(body) is not None
    assert exactly(send(TP2, body, collector=OPEN)) == exactly(pixel({**BROWSER, **said}))


@some_examples
@given(st.binary() | EVENTS.map(lambda said: json.dumps(envelope(said)).encode()[:-3]), st.text())
def test_any_bytes_are_answered(body: bytes, query: str) -> None:
    assert send(TP2, body, collector=OPEN).answer.status in {200, 400}
    assert send("/i", method="GET", query={"e": query, "ue_px": query}, collector=OPEN).answer.status == 200


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_s_table_is_the_code_s() -> None:
    rows = [
        f"| `{row.at}` | {', '.join(f'`{name}`' for name in row.name.split())} | {row.kind} |"
        + (f" `{row.then}` |" if row.then else " |")
        for row in ROWS
    ]
    assert [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and line.count("|") == 5] == rows
    kinds = [f"| `{code}` | `{name}` |" for code, name in (*EVENT_TYPES.items(), *PLATFORMS.items())]
    assert [line for line in PAGE.read_text().splitlines() if line.startswith("| `") and line.count("|") == 3] == kinds
