"""What pages and servers send, unsigned, to a collector on AWS's terms, until SQL has it; for any stack that has one.

Its site is `shop` with the write key KEY, whose pages are of ORIGIN; it trusts one proxy, and honours Sec-GPC.
"""

import gzip
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import urllib3

from clicklake import pipeline
from endpoint_process import eventually
from seed_walk import Walk, ledger_rows

KEY, ORIGIN = "an-example-key", "https://shop.example"
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE: dict[str, Any] = {
    "origin": ORIGIN,
    "user-agent": AGENT,
    "x-forwarded-for": "203.0.113.77",
}  # as a distribution hands it on

http = urllib3.PoolManager(retries=False, maxsize=20)


def send(url: str, body: bytes | None = None, method: str = "POST", **headers: str) -> urllib3.BaseHTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return http.request(method, url, body=body, headers=named)


def walk(url: str, client: Callable[[str], Any], bucket: str, mark: str) -> None:
    """`mark` begins the ids of what is sent."""
    before = sum(ledger_rows(client, bucket))
    a_page_asks_for_leave(url)
    what_is_wrong_is_refused(url)
    what_is_right_is_taken(url, mark)
    assert eventually(lambda: sum(ledger_rows(client, bucket)) == before + RECORDS, 60)
    names = pipeline.load().names("dev")
    ask = Walk({}, "", names, client).asked
    sql = (
        "SELECT anonymous_id, event_type, app_id, browser, ip_truncated, page_path, user_key, properties "
        f"FROM clickstream_events_unique WHERE anonymous_id LIKE '{mark}%' OR event_type = '{mark}'"
    )
    _, *rows = ask(sql)
    found = {row[0].removeprefix(mark) or row[1]: row[2:6] for row in rows}
    assert found == {who or mark: [value or "" for value in row] for who, row in EXPECTED.items()}
    properties = {row[0].removeprefix(mark): json.loads(row[7]) for row in rows}
    assert properties["-segment"]["plan"] == "pro"
    assert properties["-native"]["cart"] == {"items": 3}
    assert not [row for row in rows if "somebody" in "".join(row)], "who asks for privacy has it"


# By what follows the mark: app, browser, network, path.
EXPECTED: dict[str, list[str | None]] = {
    "-native": ["shop", "Firefox", "203.0.113.0/24", "/cart"],
    "-below": ["shop", "Firefox", "203.0.113.0/24", None],
    "-segment": ["shop", None, "198.51.100.0/24", "/pricing"],
    "-pixel": ["shop", "Firefox", "203.0.113.0/24", "/pixel"],
    "": ["shop", None, None, None],
}
RECORDS = len(EXPECTED) + 1  # one is no event


def a_page_asks_for_leave(url: str) -> None:
    asked: dict[str, Any] = {"origin": ORIGIN, "access_control_request_method": "POST"}
    leave = send(f"{url}/v1/events", method="OPTIONS", **asked, access_control_request_headers="content-type")
    assert leave.status == 204
    assert leave.headers["access-control-allow-origin"] == ORIGIN
    assert leave.headers["access-control-allow-credentials"] == "true"
    assert leave.headers["access-control-max-age"] == "86400"
    assert "content-type" in leave.headers["access-control-allow-headers"]
    foreign = send(f"{url}/v1/events", method="OPTIONS", **(asked | {"origin": "https://else.example"}))
    assert foreign.status == 403
    assert "access-control-allow-origin" not in foreign.headers


def what_is_wrong_is_refused(url: str) -> None:
    event = json.dumps({"event_type": "page_view"}).encode()
    wrong = send(f"{url}/v1/events?write_key=another-key", event, origin=ORIGIN)
    assert (wrong.status, wrong.json()["error"]["code"]) == (401, "unknown_write_key")
    assert wrong.headers["access-control-allow-origin"] == ORIGIN, "a page may read why"
    assert send(f"{url}/v1/events?write_key={KEY}", event, origin="https://else.example").status == 403
    assert send(f"{url}/v1/events?write_key={KEY}", b"{", content_type="application/json").status == 400
    assert send(f"{url}/v1/events?write_key={KEY}", gzip.compress(b" " * 1_000_001)).status == 413
    nothing = send(f"{url}/v1/nothing", event)
    assert (nothing.status, nothing.json()) == (404, {"message": "Not Found"}), "the API's word, not the function's"
    assert send(f"{url}/collect/v1/nothing", event).status == 404


def what_is_right_is_taken(url: str, mark: str) -> None:
    event = {"event_type": "view_cart", "anonymous_id": f"{mark}-native", "cart": {"items": 3}}
    event |= {"page_url": "https://shop.example/cart"}
    native = send(f"{url}/v1/events?write_key={KEY}", json.dumps(event).encode(), content_type="text/plain", **PAGE)
    assert (native.status, native.json()) == (200, {"accepted": 1, "failed": 0})
    assert native.headers["access-control-allow-origin"] == ORIGIN

    below = json.dumps([{"event_type": "x", "anonymous_id": f"{mark}-below"}, {"anonymous_id": f"{mark}-no-type"}])
    some = send(f"{url}/collect/v1/events", gzip.compress(below.encode()), x_write_key=KEY, **PAGE)
    assert (some.status, some.json()["failed"], some.json()["errors"][0]["index"]) == (200, 1, 1)

    call = {"type": "track", "event": "Signed Up", "anonymousId": f"{mark}-segment", "properties": {"plan": "pro"}}
    call |= {"context": {"ip": "198.51.100.9", "page": {"url": "https://shop.example/pricing"}}}
    batch = json.dumps({"batch": [call]}).encode()
    basic = urllib3.make_headers(basic_auth=f"{KEY}:")["authorization"]
    segment = send(f"{url}/v1/batch", batch, authorization=basic, content_type="application/json")
    assert (segment.status, segment.json()) == (200, {"success": True})

    asked = {"e": "pv", "p": "web", "tv": "js-4", "aid": "shop", "url": "https://shop.example/pixel"}
    pixel = send(f"{url}/i?{urlencode(asked | {'duid': f'{mark}-pixel'})}", method="GET", **PAGE)
    assert (pixel.status, pixel.headers["content-type"], pixel.data[:4]) == (200, "image/gif", b"GIF8")

    private = {"event_type": mark, "user_id": "somebody", "anonymous_id": "somebody"}
    refused = send(f"{url}/v1/events?write_key={KEY}", json.dumps(private).encode(), sec_gpc="1", **PAGE)
    assert refused.status == 200
