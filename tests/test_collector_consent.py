"""What is left of an event whose visitor asks for privacy, where the settings say `anonymise`: nothing that tells the
visitor apart, in none of the dialects. Through the pure Collector: a request in, lines and an answer out."""

import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from clicklake import pipeline
from clicklake.collector import anonymise
from clicklake.collector import settings as told
from clicklake.collector.collect import Collected, Collector
from clicklake.collector.dialects import cloudevents, ga4, segment_rows, snowplow_rows
from clicklake.collector.request import Request
from collecting import send

MARK = "kim4711"
GPC = {"sec-gpc": "1"}
IDENTIFYING = {"user_id", "anonymous_id", "session_id", "ip", "user_agent"}
TP2 = "/com.snowplowanalytics.snowplow/tp2"


def collect(body: Any, path: str = "/v1/events", headers: dict[str, str] | None = None, **settings: Any) -> Collected:
    one = Collector(told.read(json.dumps({"consent": "anonymise"} | settings)), lambda: 1.0, lambda: "made-anew")
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return one.collect(Request("POST", path, body=text, headers=GPC | (headers or {}), base="http://c.example"))


def left(body: Any, path: str = "/v1/events", headers: dict[str, str] | None = None, **settings: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(collect(body, path, headers, **settings).lines)
    return found


def nested(at: str, value: Any) -> dict[str, Any]:
    first, _, rest = at.partition(".")
    return {first: nested(rest, value) if rest else value}


NATIVE = [
    *("userid", "User-ID", "USER_ID", "email", "phone", "client_ip", "x_forwarded_for", "cookie", "user.id"),
    *(
        "user[id]",
        "traits[email]",
        "_event.user_id",
        "advertisingId",
        "idfa",
        "IDFV",
        "mac",
        "_ga",
        "_ga_G0X1",
        "gclid",
    ),
]


@pytest.mark.parametrize("name", NATIVE)
def test_a_private_name_is_gone_in_any_spelling_and_at_any_depth(name: str) -> None:
    text = json.dumps({"a": [{name: MARK}]})
    said = {
        name: MARK,
        "properties": {"sku": "A-1", "deep": [{"er": {name: {"b": MARK}}}], "text": text, "twice": json.dumps([text])},
    }
    found = left({"event_type": "click", "event_id": "e-1"} | said)
    assert MARK not in json.dumps(found)
    assert (found["event_type"], found["event_id"], found["properties"]["sku"]) == ("click", "e-1", "A-1")


OBJECTS = [
    {"user": {"id": MARK}},
    {"device": {"id": MARK, "name": f"{MARK}s phone", "token": MARK}},
    {"session": {"id": MARK}},
    {"key": "user_id", "value": MARK},
    {f"{MARK}@mail.example": 1},
    {"note": f"from {MARK}@mail.example"},
    {"token": "eyJ" + base64.b64encode(f'"sub":"{MARK}"'.encode()).decode()},
    {"encoded": base64.b64encode(json.dumps({"user_id": MARK}).encode()).decode()},
    {"cut": json.dumps({"user_id": MARK})[:-2]},
    {"escaped": json.dumps({"user_id": MARK}).replace("_", "\\u005f")},
    {"xml": f"<user id='{MARK}'/>"},
    {"link": f"/en/?customer={MARK}&utm_source=a"},
]


@pytest.mark.parametrize("said", OBJECTS)
def test_so_is_what_an_object_around_a_name_or_a_text_hides(said: dict[str, Any]) -> None:
    assert MARK not in collect({"event_type": "click", "properties": {"list": [said]}}).lines.decode()
    assert MARK not in collect({"event_type": "click", "data": said}).lines.decode()


def test_of_addresses_the_campaign_stays_alone() -> None:
    page = "https://kim:pw@shop.example/a;jsessionid=1?utm_source=mail&user_id=4711&gclid=x&q=kim#token=1"
    found = left({"event_type": "page_view", "page_url": page, "referrer": "shop.example/;s=4711?u=4711"})
    redacted = "https://shop.example/a;jsessionid=redacted?utm_source=mail&user_id=redacted&gclid=redacted&q=redacted"
    assert found["page_url"] == redacted + "#token=redacted"
    assert found["referrer"] == "shop.example/;s=redacted?u=redacted"


DIALECTS: list[tuple[str, Any, dict[str, str]]] = [
    ("/mp/collect", {"app_instance_id": MARK, "events": [{"name": "a", "params": {"ga_session_id": MARK}}]}, {}),
    ("/mp/collect", {"client_id": MARK, "user_data": {"sha256_email_address": MARK}, "events": [{"name": "a"}]}, {}),
    ("/mp/collect", {"user_location": {"city": MARK}, "ip_override": MARK, "events": [{"name": "a"}]}, {}),
    ("/v1/track", {"event": "a", "context": {"userAgent": MARK, "device": {"id": MARK, "advertisingId": MARK}}}, {}),
    ("/v1/track", {"event": "a", "context": {"externalIds": [{"id": MARK}], "location": {"city": MARK}}}, {}),
    ("/v1/track", {"event": "a", "integrations": {"GA": {"clientId": MARK, "sessionId": MARK}}}, {}),
    ("/v1/alias", {"previousId": MARK, "userId": MARK}, {}),
    ("/v1/group", {"groupId": MARK, "traits": {"name": MARK}}, {}),
    ("/v1/batch", {"batch": [{"type": "track", "event": "a", "anonymousId": MARK, "context": {"ip": MARK}}]}, {}),
    (TP2, {"e": "pv", "co": base64.b64encode(f'{{"user_id":"{MARK}'.encode()).decode()}, {}),
    (TP2, {"e": "pv", "cx": MARK, "ue_pr": MARK, "ue_px": MARK, "mac": MARK, "fp": MARK, "nuid": MARK}, {}),
    ("/v1/cloudevents", {"userid": MARK, "subject": MARK, "data": {"user_id": MARK}}, {}),
    ("/v1/cloudevents", {"data_base64": base64.b64encode(MARK.encode()).decode()}, {}),
    ("/v1/events", [MARK], {}),
    ("/v1/events", [[MARK]], {}),
    ("/v1/cloudevents", {"specversion": "0.3", "subject": MARK}, {}),
    ("/v1/events", {"event_type": "a"}, {"cookie": f"clid={MARK}", "user-agent": MARK, "accept-language": MARK}),
]


@pytest.mark.parametrize(("path", "body", "headers"), DIALECTS)
def test_each_dialects_ids_are_gone(path: str, body: Any, headers: dict[str, str]) -> None:
    if path.endswith("cloudevents"):
        body = {"specversion": "1.0", "id": "1", "source": "/s", "type": "a"} | body
        headers = {"content-type": "application/cloudevents+json"}
    found = collect(body, path, headers, cookie={"name": "clid"})
    assert found.count == 1
    assert MARK not in found.lines.decode()


ENTITIES = [
    ("com.snowplowanalytics.snowplow/mobile_context", {"appleIdfa": MARK, "appleIdfv": MARK, "androidIdfa": MARK}),
    (
        "com.snowplowanalytics.snowplow/client_session",
        {"userId": MARK, "previousSessionId": MARK, "firstEventId": MARK},
    ),
    ("com.snowplowanalytics.snowplow/geolocation_context", {"latitude": MARK}),
    ("com.google.analytics/cookies", {"_ga": MARK, "__utma": MARK}),
    ("com.google.ga4/cookies", {"session_cookies": [{"session_cookie": MARK}]}),
    ("org.ietf/http_cookie", {"name": "sid", "value": MARK}),
    ("org.ietf/http_header", {"name": "X-Forwarded-For", "value": MARK}),
]


@pytest.mark.parametrize(("schema", "data"), ENTITIES)
@pytest.mark.parametrize("place", ["co", "cx"])
def test_entities_about_a_visitor_are_gone_and_others_stay(schema: str, data: dict[str, Any], place: str) -> None:
    other = {"schema": "iglu:com.example/product/jsonschema/1-0-0", "data": {"sku": "A-1"}}
    text = json.dumps({"data": [other, {"schema": f"iglu:{schema}/jsonschema/1-0-0", "data": data}]})
    found = left({"e": "pv", place: text if place == "co" else base64.b64encode(text.encode()).decode()}, TP2)
    assert MARK not in json.dumps(found)
    assert found["contexts"]["data"][0] == other


def test_a_pixels_query_is_read_as_any_other_event() -> None:
    query = urlencode({"e": "pv", "duid": MARK, "url": f"https://a.example/?id={MARK}", "aid": "shop", "ua": MARK})
    asked = Request("GET", "/i", query, GPC, base="http://c.example")
    found = Collector(told.read('{"consent": "anonymise"}'), lambda: 1.0, lambda: "made-anew").collect(asked).lines
    assert MARK not in found.decode()
    assert json.loads(found)["page_url"] == "https://a.example/?id=redacted"


def places() -> list[str]:
    """Where dialects, and the lake itself, find who somebody is."""
    mapped = (*ga4.ROWS, *(row for rows in segment_rows.ROWS.values() for row in rows))
    fields = {field.name: (field.name, *field.aliases) for field in pipeline.load().fields}
    return sorted(
        {row.at for row in mapped if row.field in IDENTIFYING}
        | {row.at for row in snowplow_rows.ROWS if row.name in IDENTIFYING}
        | {name for field in (*IDENTIFYING, "headers") for name in fields[field]}
        | {*pipeline.load().private_names}
    )


@pytest.mark.parametrize("at", places())
def test_whatever_a_table_makes_an_id_of_is_gone_wherever_it_stands(at: str) -> None:
    said = {"event_type": "a"} | nested(at, MARK) | {"properties": nested(at, [MARK])}
    assert MARK not in collect(said).lines.decode()


def test_the_campaigns_parameters_are_among_those_that_the_lake_keeps() -> None:
    assert {*anonymise.KEPT_PARAMETERS} <= {*pipeline.load().kept_query_parameters}
    assert {name for name in cloudevents.FIELDS if "user" in name.lower()} == {"user_id", "userId", "user_agent"}


def test_what_says_nothing_of_anybody_stays_as_it_was() -> None:
    said = {
        "event_type": "purchase",
        "event_id": "https://a.example/?order=1",
        "page_url": "https://shop.example/shoes?utm_source=mail",
        "page_title": '"Trail" shoes',
        "value": 129.9,
        "currency": "EUR",
        "locale": "de-DE",
        "properties": {"items": [{"sku": "A-1", "name": "[Sale] shoe", "big": 2**70}], "json": '{"a": [1, null]}'},
    }
    assert left(said) == said | {"collector_time": 1000, "headers": None}


def test_the_lake_makes_no_visitor_of_it() -> None:
    one = Collector(told.read('{"consent": "anonymise"}'), lambda: 1_795_422_337.5, lambda: "made-anew")
    said = {"event_type": "a", "user_id": MARK, "anonymous_id": MARK, "session_id": MARK, "user_agent": MARK}
    telling = {"visitor_id", "anonymous_id", "session_id", "ip_truncated", "user_agent"}
    assert telling <= send("/v1/events", said, collector=one).row.keys()
    assert not telling & send("/v1/events", said, collector=one, headers=GPC).row.keys()


def test_names_of_ones_own_are_gone_if_the_settings_name_them() -> None:
    said = {"event_type": "a", "properties": {"loyaltyCard": "L-1", "tier": "gold"}}
    assert left(said)["properties"] == said["properties"]
    assert left(said, private_names=["loyalty_card"])["properties"] == {"tier": "gold"}


@pytest.mark.parametrize("depth", [105, 300])
def test_what_is_too_deep_stays_so_harms_no_neighbour_and_keeps_nothing(depth: int) -> None:
    deep = b'{"event_type":"a","a":' + b"[" * depth + b'{"user_id":"kim4711"}' + b"]" * depth + b"}"
    found = collect(b'{"event_type":"b"}\n' + deep)
    assert (found.count, found.failing) == (2, 1)
    assert MARK.encode() not in found.lines
    assert json.loads(found.lines.splitlines()[0])["event_type"] == "b"


@pytest.mark.parametrize("consent", ["anonymise", "refuse"])
def test_an_old_cookie_is_forgotten(consent: str) -> None:
    found = collect({"event_type": "a"}, headers={"cookie": "clid=kept-before"}, cookie={}, consent=consent)
    assert [value for name, value in found.answer.headers if name == "set-cookie"] == [
        "clid=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"
    ]
    without = collect({"event_type": "a"}, cookie={}, consent=consent)
    assert not [name for name, _ in without.answer.headers if name == "set-cookie"]


def test_a_long_name_around_many_is_not_read_again_with_each() -> None:
    """It would take minutes."""
    names = ",".join(f'"a{n}":1' for n in range(20_000))
    body = b'{"event_type":"a","properties":{"%b":{%b}}}' % (b"x." * 200_000, names.encode())
    start = time.process_time()
    assert collect(body).count == 1
    assert time.process_time() - start < 5
