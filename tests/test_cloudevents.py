"""CloudEvents become events: three modes, what arrives in which column, what is answered, and who spoke."""

import base64
import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clicklake.collector.collect import Collector
from clicklake.collector.dialects import cloudevents
from clicklake.collector.request import Request
from clicklake.collector.settings import Settings, Site
from collecting import ADDRESS, AGENT, KEY, NOW, OPEN, Sent, leaves, outcome, payloads, send, some_examples
from transforming import PIPELINE, transform

PAGE = Path(__file__).parent.parent / "docs" / "dialect-cloudevents.md"
PATH = "/v1/cloudevents"
ONE, MANY = "application/cloudevents+json", "application/cloudevents-batch+json"
ATTRIBUTES = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "com.example.order.paid"}
EVENT_ID = str(uuid.uuid5(uuid.NAMESPACE_URL, "/shop 1"))


def structured(*, origin: str = "", **said: Any) -> Sent:
    headers = {"content-type": f"{ONE}; charset=UTF-8"} | ({"origin": origin} if origin else {})
    return send(PATH, {**ATTRIBUTES, **said}, headers=headers, collector=OPEN)


def batched(*events: Any) -> Sent:
    return send(PATH, list(events), headers={"content-type": MANY}, collector=OPEN)


def binary(body: bytes = b"", kind: str = "", **attributes: str) -> Sent:
    headers = {f"ce-{name}": value for name, value in {**ATTRIBUTES, **attributes}.items() if value}
    return send(PATH, body, headers=headers | ({"content-type": kind} if kind else {}), collector=OPEN)


# --- what arrives where ----------------------------------------------------------------------------------------------


def test_attributes_and_data_fill_these_columns() -> None:
    sent = structured(
        time="2025-11-26T10:14:50.250Z",
        subject="o-1",
        dataschema="https://shop.example/order.json",
        datacontenttype="application/json",
        traceparent="00-1",
        sampled=3,
        data={
            "user_id": "u-1",
            "anonymous_id": "a-1",
            "session_id": "s-1",
            "page_url": "https://shop.example/pay",
            "value": 12.5,
            "currency": "EUR",
            "platform": "server",
            "ip": "203.0.113.7",
            "subject": "of the data",
            "items": [{"sku": "A-1"}],
            "event_type": "never over an attribute",
        },
    )
    assert (sent.answer.status, sent.answer.body) == (204, b"")
    row = sent.row
    assert row.pop("user_key")
    assert row == {
        "event_id": EVENT_ID,
        "event_type": "com.example.order.paid",
        "platform": "server",
        "event_ts": "2025-11-26 10:14:50.250",
        "event_ts_source": "event",
        "anonymous_id": "a-1",
        "visitor_id": "a-1",
        "session_id": "s-1",
        "page_url": "https://shop.example/pay",
        "page_host": "shop.example",
        "page_path": "/pay",
        "channel": "Direct",
        "traffic_type": "human",
        "ip_truncated": "203.0.113.0/24",
        "value": 12.5,
        "currency": "EUR",
        "properties": {
            "id": "1",
            "source": "/shop",
            "specversion": "1.0",
            "dataschema": "https://shop.example/order.json",
            "datacontenttype": "application/json",
            "traceparent": "00-1",
            "sampled": 3,
            "subject": "of the data",
            "_event.subject": "o-1",
            "items": [{"sku": "A-1"}],
            "event_type": "never over an attribute",
        },
    }


@pytest.mark.parametrize(
    ("said", "properties"),
    [
        ({"data": "<much wow=\"xml\"/>", "datacontenttype": "application/xml"}, {"data": "<much wow=\"xml\"/>"}),
        ({"data": [1, 2]}, {"data": [1, 2]}),
        ({"data": None}, {"data": None}),
        ({"data": {}}, {}),
        ({"data_base64": "AP8="}, {"data_base64": "AP8="}),
        ({"data_base64": base64.b64encode(b'{"a": 1}').decode()}, {"data_base64": "eyJhIjogMX0="}),
        ({"data_base64": base64.b64encode(b'{"a": 1}').decode(), "datacontenttype": "text/json; x=y"}, {"a": 1}),
        ({"data_base64": "!!", "datacontenttype": "application/json"}, {"data_base64": "!!"}),
        ({"data": {"properties": {"a": 1}, "a": 2, "b": 3}}, {"a": 1, "_event.a": 2, "b": 3}),
        ({"data": {"properties": 5}}, {"properties": 5}),
        ({"data": {"a": 1}, "data_base64": "AA=="}, {"data": {"a": 1}, "data_base64": "AA=="}),
    ],
)  # fmt: skip
def test_data_that_is_no_object_of_fields_is_kept_in_properties(
    said: dict[str, Any], properties: dict[str, Any]
) -> None:
    kept = structured(**said).row["properties"]
    assert {name: value for name, value in kept.items() if name not in {*ATTRIBUTES, "datacontenttype"}} == properties


def test_names_in_data_are_the_input_event_s() -> None:
    known = {name for field in PIPELINE.fields for name in field.names}
    made_here = {"event_id", "messageId", "event_type", "event_name", "event", "properties"}
    not_a_sender_s = {"headers", "collector_time"}
    assert known - made_here - not_a_sender_s == cloudevents.FIELDS


def test_an_id_is_unique_within_its_source_alone() -> None:
    sent = batched(ATTRIBUTES, {**ATTRIBUTES, "source": "/other"}, {**ATTRIBUTES, "id": "2"}, ATTRIBUTES)
    assert len({row["event_id"] for row in sent.made.rows}) == 3
    assert sent.made.ledger["duplicate"] == 1


def test_attributes_that_are_null_were_not_sent() -> None:
    assert "subject" not in structured(subject=None).event


# --- the three modes -------------------------------------------------------------------------------------------------


def test_the_three_modes_say_the_same() -> None:
    said = {**ATTRIBUTES, "time": "2025-11-26T10:14:50Z", "subject": "Schuhe & \U0001f600", "ext": "a b"}
    kind, data = "application/vnd.shop+json; charset=utf-8", {"value": 1, "title": "\u00fc"}
    as_json = structured(**said, datacontenttype=kind, data=data)
    as_headers = binary(json.dumps(data).encode(), kind, **{name: quote(value) for name, value in said.items()})
    assert as_headers.event == as_json.event == batched({**said, "datacontenttype": kind, "data": data}).event
    assert as_headers.answer == as_json.answer


@pytest.mark.parametrize(
    ("header", "text"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro \u20ac \U0001f600"),
        ("%e2%82%ac%41", "\u20acA"),
        ('"quoted \\"text\\" %20"', 'quoted "text"  '),
        ("50%", "50%"),
        ("100%25", "100%"),
        ("\u20ac".encode().decode("latin-1"), "\u20ac"),  # what senders do that encode nothing
    ],
)
def test_header_values_are_decoded_once(header: str, text: str) -> None:
    assert binary(subject=header).event["subject"] == text


@pytest.mark.parametrize("header", ["%C0%A0", "%ED%A0%BD", "\u00ff"])
def test_header_values_that_are_no_utf_8_are_refused(header: str) -> None:
    sent = binary(subject=header)
    assert (sent.answer.status, sent.lines) == (400, [])


@pytest.mark.parametrize(
    ("body", "kind", "properties"),
    [
        (b"text", "text/plain", {"data": "text"}),
        (b"\x00\xff", "application/octet-stream", {"data_base64": "AP8="}),
        (b'{"a": 1}', "", {"data": '{"a": 1}'}),
        (b'"a"', "application/json", {"data": "a"}),
        (b"", "application/json", None),
    ],
)
def test_a_binary_body_is_what_its_content_type_says(body: bytes, kind: str, properties: dict[str, Any] | None) -> None:
    event = binary(body, kind).event
    assert event.get("properties") == properties
    assert event.get("datacontenttype", "") == kind


@pytest.mark.parametrize("kind", ["application/json", "application/cloudevents+avro", "application/cloudevents", ""])
def test_what_is_no_cloudevent_that_we_can_read_is_no_supported_media_type(kind: str) -> None:
    sent = send(PATH, ATTRIBUTES, headers={"content-type": kind}, collector=OPEN)
    assert (sent.answer.status, sent.lines) == (415, [])


# --- wrong events ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        *({**ATTRIBUTES, name: value} for name in ATTRIBUTES for value in (None, "", 5, "\ud83d")),
        *({other: value for other, value in ATTRIBUTES.items() if other != name} for name in ATTRIBUTES),
        {**ATTRIBUTES, "specversion": "0.3"},
        {**ATTRIBUTES, "source": "", "event": "an alias of event_type"},
        5,
        None,
        [],
    ],
)
def test_what_is_no_cloudevent_becomes_a_failed_record_and_harms_no_neighbour(wrong: Any) -> None:
    sent = batched(ATTRIBUTES, wrong)
    assert sent.answer.status == 200
    assert sent.said["accepted"] == 1
    assert [problem["index"] for problem in sent.said["errors"]] == [1]
    assert [row["event_id"] for row in sent.made.rows] == [EVENT_ID]
    assert [failed["failure_type"] for failed in sent.made.failed] == ["missing_field"]
    alone = batched(wrong)
    assert (alone.answer.status, alone.said["failed"]) == (400, 1)
    assert len(alone.lines) == 1


def test_an_empty_batch_is_valid() -> None:
    sent = batched()
    assert (sent.answer.status, sent.lines) == (204, [])


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"5", b"\xff", b"[" * 100_000])
def test_a_batch_that_is_no_array_is_refused(body: bytes) -> None:
    sent = send(PATH, body, headers={"content-type": MANY}, collector=OPEN)
    assert (sent.answer.status, sent.lines) == (400, [])


# --- who -------------------------------------------------------------------------------------------------------------


def test_a_server_s_address_and_agent_are_not_the_visitor_s_but_a_page_s_are() -> None:
    assert {"ip", "user_agent"}.isdisjoint(structured().event)
    page = structured(origin="http://localhost:8000").event
    assert (page["ip"], page["user_agent"]) == (ADDRESS, AGENT)
    told = structured(origin="http://localhost:8000", data={"ipAddress": "203.0.113.7"}).event
    assert {"ip", "user_agent"}.isdisjoint(told)


def test_the_write_key_may_be_a_token_in_the_header_or_the_query() -> None:
    headers = {"content-type": ONE}
    by_header = send(PATH, ATTRIBUTES, headers={**headers, "authorization": f"Bearer {KEY}"})
    by_query = send(PATH, ATTRIBUTES, headers=headers, query={"access_token": KEY})
    assert by_header.lines == by_query.lines
    assert by_header.event["app_id"] == "shop"
    assert dict(by_query.answer.headers) == {"cache-control": "private", "vary": "origin"}
    assert send(PATH, ATTRIBUTES, headers=headers).answer.status == 401


@pytest.mark.parametrize(
    ("asking", "allowed"),
    [("events.partner.example", True), ("partner.example", True), ("partner.example.evil", False), ("x\r\ny", False)],
)
def test_the_webhook_handshake_names_senders_that_are_allowed(asking: str, allowed: bool) -> None:
    sites = (Site("shop", KEY, ("https://partner.example", "https://*.partner.example")),)
    collector = Collector(Settings(sites=sites), lambda: NOW, str)
    headers = {"webhook-request-origin": asking, "webhook-request-rate": "120"}
    answer = collector.admit(Request("OPTIONS", PATH, "", headers))
    assert answer is not None
    assert answer.status == 204
    found = dict(answer.headers)
    expected = {"webhook-allowed-origin": asking, "webhook-allowed-rate": "*", "allow": "POST, OPTIONS"}
    assert {name: found.get(name) for name in expected} == (expected if allowed else dict.fromkeys(expected))


# --- whatever is sent ------------------------------------------------------------------------------------------------

NAMES = [
    *ATTRIBUTES,
    "time",
    "subject",
    "data",
    "data_base64",
    "datacontenttype",
    "properties",
    "event_id",
    "url",
    "ip",
]
MAYBE = payloads(NAMES) | payloads(NAMES).map(lambda said: {**said, **ATTRIBUTES})


@some_examples
@given(payloads(NAMES))
def test_nothing_that_was_sent_is_dropped(said: dict[str, Any]) -> None:
    """But for `type`, which is the event_type, and what JSON in base64 is read to."""
    found = list(leaves(structured(**{**said, **ATTRIBUTES}).event))
    assert [leaf for leaf in leaves({**said, **ATTRIBUTES}) if leaf not in found] == []


@some_examples
@given(st.lists(MAYBE | st.integers() | st.text(), min_size=1, max_size=4))
def test_an_event_is_the_same_alone_and_among_others(events: list[Any]) -> None:
    together = batched(*events)
    assert together.lines == [line for event in events for line in batched(event).lines] == batched(*events).lines
    assert (
        len(together.lines)
        == len(transform(*together.lines).rows)
        + len(transform(*together.lines).failed)
        + (transform(*together.lines).ledger["duplicate"])
    )


_LEAF: st.SearchStrategy[Any] = st.sampled_from(
    ["some-text", "", "https://shop.example/?a=b#kim@mail.example", 7, 2**70, 7.5, None, True, ["x"], {}]
)
_DATA = st.dictionaries(
    st.sampled_from([*sorted(cloudevents.FIELDS), "sku", "type", "time", "data", "email"]), _LEAF, max_size=4
)
_ODD = st.dictionaries(
    st.sampled_from([*ATTRIBUTES, "subject", "event_id", "event_type", "event", "headers", "properties", "messageId"]),
    _LEAF,
    max_size=1,
)
_EVENTS = st.fixed_dictionaries(
    {"data": st.tuples(_DATA, st.just({}) | _ODD, st.just({}) | _DATA.map(lambda own: {"properties": own})).map(
        lambda three: {**three[0], **three[1], **three[2]}
    )},
    optional=dict.fromkeys(("time", "subject", "datacontenttype", "dataschema", "platform"), _LEAF),
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_EVENTS | _EVENTS.map(lambda said: {**said, "data": 7}), min_size=1, max_size=3), st.booleans())
def test_an_event_whose_data_are_not_written_anew_is_the_same_row(events: list[dict[str, Any]], by_page: bool) -> None:
    """An extension of no value is as if it had not been sent, but such an event is read the other way."""
    headers = {"content-type": MANY} | ({"origin": "https://shop.example"} if by_page else {})
    ways = [
        send(PATH, [{**ATTRIBUTES, **event, **odd} for event in events], headers=headers, collector=OPEN)
        for odd in ({}, {"nothing": None})
    ]
    assert outcome(ways[0]) == outcome(ways[1])


@pytest.mark.parametrize(
    "name", ["event_id", "messageId", "event_type", "event_name", "event", "collector_time", "id", "source", "type"]
)
def test_data_have_no_say_in_what_the_event_is(name: str) -> None:
    row = structured(data={name: "other"}).row
    assert (row["event_id"], row["event_type"]) == (EVENT_ID, ATTRIBUTES["type"])
    assert row["properties"][name] == "other"
    assert row["event_ts_source"] == "received"


def test_data_go_on_as_they_were_sent() -> None:
    data = b'{ "value" : 1.50,\n"big": 123456789012345678901234567890 }'
    said = json.dumps(ATTRIBUTES).encode()[:-1] + b', "data": %b}' % data
    for kind, body in ((ONE, said), (MANY, b"[%b]" % said)):
        sent = send(PATH, body, headers={"content-type": kind}, collector=OPEN)
        assert sent.lines[0].startswith(data[:-1].replace(b"\n", b" "))


@some_examples
@given(st.binary(max_size=60), st.sampled_from([ONE, MANY, "application/json", "text/plain", ""]), st.text(max_size=9))
def test_any_bytes_are_answered(body: bytes, kind: str, header: str) -> None:
    headers = {"content-type": kind, "ce-id": header, f"ce-{header}": header}
    assert send(PATH, body, headers=headers, collector=OPEN).answer.status in {200, 204, 400}


# --- the page --------------------------------------------------------------------------------------------------------


def test_the_page_names_what_the_code_maps() -> None:
    page = PAGE.read_text()
    rows = [f"| `{name}` | `{field}` |" for name, field in cloudevents.ATTRIBUTES.items()]
    assert [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 3] == rows
    listed = page.partition("<!-- fields -->")[2].partition("<!-- end -->")[0]
    assert {name.strip("`,.\n ") for name in listed.split()} == cloudevents.FIELDS


@some_examples
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_is_a_uuid_of_version_5(name: str) -> None:
    assert cloudevents._uuid5(name) == str(uuid.uuid5(uuid.NAMESPACE_URL, name))
