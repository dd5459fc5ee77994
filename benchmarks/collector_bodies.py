"""Requests of ten events each as real clients write them, to the byte ready to be sent (recorded from the clients of
tests/clients, with other names): what a browser's trackers send in one request, with the headers that a browser sends.
"""

import base64
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from clicklake.collector.dialects import ROUTES

BATCH = 10
VARIANTS = 20  # different requests of each dialect
KEY = "bench-write-key"
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
_BROWSER = {
    "Connection": "keep-alive",
    "sec-ch-ua-platform": '"Linux"',
    "User-Agent": _AGENT,
    "sec-ch-ua": '"Not:A-Brand";v="8", "Chromium";v="156"',
    "sec-ch-ua-mobile": "?0",
    "Accept": "*/*",
    "Origin": "http://127.0.0.1:8077",
    "Sec-Fetch-Site": "same-site",
    "Sec-Fetch-Mode": "cors",
    "Sec-Fetch-Dest": "empty",
    "Referer": "http://127.0.0.1:8077/",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.9",
    "Cookie": "theme=dark; _sp_ses.dc78=*; _sp_id.dc78=139e485d-d14d-4dbe-8db2-b402faef605e.1795434034.1.1795434034..1",
}
_PAGE = "https://shop.example/collections/outdoor/products/tent-for-two?variant=409213&utm_source=newsletter"
_REFERRER = "https://shop.example/collections/outdoor?sort=price&page=2"
_TITLE = "Tent for two | A shop with three trackers"
_SNOWPLOW = "iglu:com.snowplowanalytics.snowplow"


def _json(said: Any) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()


def _uuid(number: int) -> str:
    return str(uuid.UUID(int=number * 0x9E3779B97F4A7C15F39CC0605CEDC834 % (1 << 128), version=4))


def _event(number: int) -> dict[str, Any]:
    """Ours: what examples/web sends, with some properties."""
    return {
        "event_id": _uuid(number),
        "event_type": "product_viewed",
        "event_time": "2026-11-23T11:40:33.800Z",
        "platform": "web",
        "anonymous_id": _uuid(number // 10),
        "session_id": _uuid(number // 10 + 1),
        "page_url": _PAGE,
        "page_title": _TITLE,
        "referrer": _REFERRER,
        "locale": "en-US",
        "properties": {
            "sku": "TENT-2-GREEN",
            "price": 249.9,
            "currency": "EUR",
            "in_stock": True,
            "variants": [409213, 409214],
        },
        "sent_time": "2026-11-23T11:40:33.901Z",
    }


def _segment(number: int) -> dict[str, Any]:
    page = {"path": "/collections/outdoor", "referrer": _REFERRER, "search": "", "title": _TITLE, "url": _PAGE}
    brands = [{"brand": "Not:A-Brand", "version": "8"}, {"brand": "Chromium", "version": "156"}]
    kind = {"type": "page", "properties": page}
    if number % 2:
        product = {"product_id": "409213", "sku": "TENT-2-GREEN", "value": 249.9, "currency": "EUR", "quantity": 1}
        kind = {"type": "track", "event": "Product Viewed", "properties": product}
    return {
        "timestamp": "2026-11-23T11:40:33.854Z",
        "integrations": {"Segment.io": True},
        **kind,
        "context": {
            "page": page,
            "userAgent": _AGENT,
            "userAgentData": {"brands": brands, "mobile": False, "platform": "Linux"},
            "locale": "en-US",
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
            "timezone": "Europe/Berlin",
        },
        "messageId": f"ajs-next-1795434033854-{_uuid(number)}",
        "anonymousId": _uuid(number // 10),
        "userId": None,
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
    }


def _snowplow(number: int) -> dict[str, Any]:
    session = {
        "userId": _uuid(number // 10),
        "sessionId": _uuid(number // 10 + 1),
        "eventIndex": 1 + number % 10,
        "sessionIndex": 1,
        "previousSessionId": None,
        "storageMechanism": "COOKIE_1",
        "firstEventId": _uuid(number // 10 * 10),
        "firstEventTimestamp": "2026-11-23T11:40:33.801Z",
    }
    entities = [
        {"schema": f"{_SNOWPLOW}/web_page/jsonschema/1-0-0", "data": {"id": _uuid(number // 5)}},
        {"schema": f"{_SNOWPLOW}/client_session/jsonschema/1-0-2", "data": session},
    ]
    contexts = _json({"schema": f"{_SNOWPLOW}/contexts/jsonschema/1-0-0", "data": entities})
    kind = {"e": "pv", "page": _TITLE, "refr": _REFERRER}
    if number % 2:
        kind = {"e": "se", "se_ca": "shop", "se_ac": "add_to_cart", "se_la": "TENT-2", "se_va": "249.9"}
    return {
        **kind,
        "url": _PAGE,
        "eid": _uuid(number),
        "tv": "js-4.10.1",
        "tna": "sp",
        "aid": "bench",
        "p": "web",
        "cookie": "1",
        "cs": "UTF-8",
        "lang": "en-US",
        "res": "1920x1080",
        "cd": "24",
        "tz": "Europe/Berlin",
        "dtm": "1795434033801",
        "co": contexts.decode(),  # so does the browser's tracker when it POSTs; a pixel has base64
        "vp": "1280x720",
        "ds": "1280x4033",
        "vid": "1",
        "sid": session["sessionId"],
        "duid": session["userId"],
        "stm": "1795434033814",
    }


def _ga4(number: int) -> dict[str, Any]:
    item = {"item_id": "TENT-2-GREEN", "item_name": "Tent for two", "item_category": "outdoor", "price": 249.9}
    return {
        "name": "add_to_cart" if number % 2 else "page_view",
        "params": {
            "session_id": str(1795434033 + number // 10),
            "engagement_time_msec": 1200,
            "page_location": _PAGE,
            "page_title": _TITLE,
            "page_referrer": _REFERRER,
            "language": "en-us",
            "currency": "EUR",
            "value": 249.9,
            "items": [item | {"quantity": 1}, item | {"item_id": "PEGS-12", "quantity": 2}],
        },
        "timestamp_micros": 1795434033801000 + number,
    }


_SAID = {"event_id", "event_type", "event_time"}  # by attributes


def _cloudevent(number: int) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": _uuid(number),
        "source": "https://shop.example/checkout",
        "type": "com.example.shop.product_viewed",
        "subject": "TENT-2-GREEN",
        "time": "2026-11-23T11:40:33.800Z",
        "datacontenttype": "application/json",
        "data": {name: value for name, value in _event(number).items() if name not in _SAID},
    }


def _ten(make: Callable[[int], dict[str, Any]], variant: int) -> list[dict[str, Any]]:
    return [make(variant * BATCH + place) for place in range(BATCH)]


@dataclass(frozen=True, slots=True)
class Way:
    """A dialect's request; `body(n)` is the n-th of its variants."""

    name: str
    path: str
    content_type: str
    body: Callable[[int], bytes]
    query: str = ""


_BASIC = {"Authorization": f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"}
_WAYS = (
    Way("events, an array", "/v1/events", "text/plain;charset=UTF-8", lambda n: _json(_ten(_event, n))),
    Way("events, NDJSON", "/v1/events", "application/x-ndjson", lambda n: b"\n".join(map(_json, _ten(_event, n)))),
    Way(
        "segment",
        "/v1/batch",
        "text/plain",
        lambda n: _json({"writeKey": KEY, "batch": _ten(_segment, n), "sentAt": "2026-11-23T11:40:33.865Z"}),
    ),
    Way(
        "snowplow",
        "/com.snowplowanalytics.snowplow/tp2",
        "application/json; charset=UTF-8",
        lambda n: _json({"schema": f"{_SNOWPLOW}/payload_data/jsonschema/1-0-4", "data": _ten(_snowplow, n)}),
    ),
    Way(
        "ga4",
        "/mp/collect",
        "application/json",
        lambda n: _json(
            {
                "client_id": f"{_uuid(n)}.1795434033",
                "user_properties": {"plan": {"value": "free"}},
                "events": _ten(_ga4, n),
            }
        ),
        f"measurement_id=G-BENCH&api_secret={KEY}",
    ),
    Way(
        "cloudevents",
        "/v1/cloudevents",
        "application/cloudevents-batch+json",
        lambda n: _json(_ten(_cloudevent, n)),
    ),
)
WAYS = tuple(way for way in _WAYS if any(way.path == route.path for route in ROUTES))


def event_bytes(way: Way) -> int:
    """The size of one of its events, as it is sent."""
    return sum(len(way.body(n)) for n in range(VARIANTS)) // VARIANTS // BATCH


def requests(way: Way, host: str) -> list[bytes]:
    """Whole HTTP requests."""
    key = f"write_key={KEY}" if way.name.startswith("events") or way.name == "cloudevents" else ""
    query = "&".join(filter(None, (way.query, key)))
    basic = _BASIC if way.name == "segment" else {}
    made = []
    for number in range(VARIANTS):
        body = way.body(number)
        headers = {
            "Host": host,
            **_BROWSER,
            **basic,
            "Content-Type": way.content_type,
            "Content-Length": str(len(body)),
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        made.append(f"POST {way.path}{'?' + query if query else ''} HTTP/1.1\r\n{head}\r\n".encode() + body)
    return made
