"""Who may send to the collector, and what a request tells of its visitor: settings, origins, keys, proxies, consent,
the cookie. Through the pure Collector: a request in, lines and an answer out."""

import json
import re
import tracemalloc
from dataclasses import MISSING, asdict, fields
from pathlib import Path
from typing import Any

import pytest

from clicklake.collector import settings as told
from clicklake.collector import wire
from clicklake.collector.collect import Collected, Collector
from clicklake.collector.dialects import ROUTES
from clicklake.collector.request import Answer, Request, RequestError
from clicklake.errors import UsageError

NOW = 1_795_422_337.5
ID = "0190a1b2-made-here"
SITES = [
    {"app_id": "shop", "write_key": "k-shop", "origins": ["https://shop.example", "https://*.shop.example"]},
    {"app_id": "blog", "write_key": "k-blog", "origins": ["https://blog.example:8443"]},
]
EVENT = b'{"event_type": "click"}'


def collector(**settings: Any) -> Collector:
    return Collector(told.read(json.dumps(settings)), lambda: NOW, lambda: ID)


def request(body: bytes = EVENT, path: str = "/v1/events", peer: str = "192.0.2.7", **more: Any) -> Request:
    headers = {name.replace("_", "-"): value for name, value in more.pop("headers", {}).items()}
    return Request("POST", path, body=body, peer=peer, headers=headers, base="http://c.example", **more)


def sent(collected: Collected) -> dict[str, Any]:
    (line,) = collected.lines.splitlines()
    found: dict[str, Any] = json.loads(line)
    return found


def event(asked: Request, **settings: Any) -> dict[str, Any]:
    return sent(collector(**settings).collect(asked))


def answer(one: Collector, asked: Request) -> Answer:
    """As the edges do it."""
    try:
        return one.admit(asked) or one.collect(asked).answer
    except RequestError as error:
        return one.refused(asked, error)


# --- origins and keys ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "key", "status"),
    [
        ("", "k-shop", 200),
        ("https://shop.example", "k-shop", 200),
        ("https://SHOP.example", "k-shop", 200),
        ("https://www.shop.example", "k-shop", 200),
        ("https://a.b.shop.example", "k-shop", 200),
        ("https://blog.example:8443", "k-blog", 200),
        ("http://localhost:3000", "k-blog", 200),
        ("https://blog.example:8443", "k-shop", 403),
        ("https://shop.example", "k-blog", 403),
        ("http://shop.example", "k-shop", 403),
        ("https://shop.example:444", "k-shop", 403),
        ("https://shop.example.evil.example", "k-shop", 403),
        ("https://evilshop.example", "k-shop", 403),
        ("https://shop.example@evil.example", "k-shop", 403),
        ("https://shop.example, https://evil.example", "k-shop", 403),
        ("https://x\n.shop.example", "k-shop", 403),
        ("https://" + "a." * 200 + "shop.example", "k-shop", 403),
        ("null", "k-shop", 403),
        ("https://shop.example", "k-unknown", 401),
        ("https://shop.example", "", 401),
    ],
)
def test_a_page_may_send_from_the_origins_of_its_site_and_is_told_so_by_its_very_name(
    origin: str, key: str, status: int
) -> None:
    headers = {"origin": origin} if origin else {}
    said = answer(collector(sites=SITES), request(headers=headers | ({"x_write_key": key} if key else {})))
    assert said.status == status
    named = dict(said.headers)
    listed = not any(word in origin for word in ("evil", "null", "http://s", ":444", "\n", "a.a.")) and bool(origin)
    assert named.get("access-control-allow-origin") == (origin if listed else None)
    assert named.get("access-control-allow-credentials") == ("true" if listed else None)
    assert named["vary"] == "origin"  # a cache must not give one origin's answer, or none's, to another


def test_a_preflight_is_answered_for_allowed_origins_alone_and_may_be_remembered() -> None:
    one = collector(sites=SITES, preflight_seconds=600)

    def ask(origin: str) -> Answer:
        asked = Request("OPTIONS", "/v1/batch", headers={"origin": origin, "access-control-request-method": "POST"})
        return answer(one, asked)

    allowed, refused = ask("https://shop.example"), ask("https://evil.example")
    named = dict(allowed.headers)
    assert (allowed.status, refused.status) == (204, 403)
    assert "POST" in named["access-control-allow-methods"]
    assert named["access-control-max-age"] == "600"
    wanted = {"authorization", "content-type", "x-retry-count", "sp-anonymous", "x-write-key"}
    assert wanted <= {*named["access-control-allow-headers"].split(", ")}
    assert not [name for name, _ in refused.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"x_write_key": "k-shop"}, ""),
        ({"authorization": "Basic ay1zaG9wOg=="}, ""),
        ({"authorization": "basic ay1zaG9wOnNlY3JldA=="}, ""),
        ({"authorization": "Bearer k-shop"}, ""),
        ({}, "write_key=k-shop"),
        ({}, "a=b&write_key=k%2Dshop"),
    ],
)
def test_a_key_may_stand_in_each_place_where_clients_have_one(headers: dict[str, str], query: str) -> None:
    asked = request(headers=headers, query=query)
    found = event(asked, sites=SITES)
    assert found["app_id"] == "shop"
    assert "k-shop" not in json.dumps(found)


@pytest.mark.parametrize(
    "given", ["Basic", "Basic !!!", "Basic /////w==", "Bearer", "Digest a=b", "", "Basic " + "A" * 9]
)
def test_a_key_that_cant_be_read_is_no_key(given: str) -> None:
    assert answer(collector(sites=SITES), request(headers={"authorization": given})).status == 401


@pytest.mark.parametrize("path", [route.path for route in ROUTES if route.method == "POST" and not route.is_public])
def test_a_key_in_the_head_is_judged_before_the_body_is_looked_at(path: str) -> None:
    places = [({"x_write_key": "%s"}, ""), ({}, "write_key=%s"), ({}, "")]
    places += [({}, "api_secret=%s")] if path.endswith("/mp/collect") else []
    has_it_in_the_body = path.endswith("/tp2") or (
        path.startswith("/v1/") and path not in {"/v1/events", "/v1/cloudevents"}
    )
    for headers, query in places:
        statuses = []
        for key in ("k-unknown", "k-shop"):
            named = {name: value % key for name, value in headers.items()} | {"content_encoding": "br"}
            asked = request(b"no br", path, query=query and query % key, headers=named)
            statuses.append(answer(collector(sites=SITES), asked).status)
        names_one = bool(headers or query)
        assert statuses == [401, 415] if names_one else [415 if has_it_in_the_body else 401] * 2


def test_the_app_id_is_the_sites_and_another_one_is_kept_beside_it() -> None:
    found = event(request(b'{"event_type": "a", "app_id": "other"}', headers={"x_write_key": "k-blog"}), sites=SITES)
    assert (found["app_id"], found["client_app_id"]) == ("blog", "other")
    assert event(request(b'{"event_type": "a", "app_id": "mine"}'))["app_id"] == "mine"


# --- the visitor's address -------------------------------------------------------------------------------------------

FORWARDED = {"x_forwarded_for": "198.51.100.1, 203.0.113.5, 10.1.1.1"}


@pytest.mark.parametrize(
    ("proxies", "peer", "headers", "address"),
    [
        (0, "192.0.2.7", {}, "192.0.2.7"),
        (0, "192.0.2.7", FORWARDED, "192.0.2.7"),
        (1, "10.0.0.1", FORWARDED, "10.1.1.1"),
        (2, "10.0.0.1", FORWARDED, "203.0.113.5"),
        (9, "10.0.0.1", FORWARDED, "198.51.100.1"),
        (1, "10.0.0.1", {}, None),
        (["10.0.0.0/8"], "10.0.0.1", FORWARDED, "203.0.113.5"),
        (["10.0.0.0/8"], "192.0.2.7", FORWARDED, "192.0.2.7"),
        (["10.0.0.0/8", "203.0.113.0/24"], "10.0.0.1", FORWARDED, "198.51.100.1"),
        (["::1/128"], "::1", {"x_forwarded_for": "2001:db8::5"}, "2001:db8::5"),
        (1, "::1", {"x_forwarded_for": "[2001:db8::5]:4711"}, "2001:db8::5"),
        (1, "::1", {"x_forwarded_for": "203.0.113.5:4711"}, "203.0.113.5"),
        (1, "::1", {"x_forwarded_for": "unknown"}, None),
        (1, "::1", {"x_forwarded_for": "203.0.113.5; DROP TABLE"}, None),
        (0, "::ffff:203.0.113.5", {}, "203.0.113.5"),
        (0, "fe80::1%eth0", {}, "fe80::1"),
        (0, "", {}, None),
    ],
)
def test_the_address_is_what_the_outermost_trusted_proxy_saw(
    proxies: Any, peer: str, headers: dict[str, str], address: str | None
) -> None:
    assert event(request(peer=peer, headers=headers), trusted_proxies=proxies).get("ip") == address


def test_a_server_that_speaks_for_a_visitor_speaks_for_all_of_it() -> None:
    headers = {"user_agent": "python-requests", "accept_language": "de"}
    for said in ({"ip": "203.0.113.9"}, {"ip_address": "203.0.113.9"}, {"platform": "server"}):
        body = json.dumps({"event_type": "click"} | said).encode()
        found = event(request(body, headers=headers))
        assert found.get("ip") == said.get("ip")
        assert "user_agent" not in found
        assert found["headers"] is None
    own = event(request(b'{"event_type": "click", "user_agent": "Mine"}', headers=headers))
    assert (own["user_agent"], own["ip"], own["headers"]) == ("Mine", "192.0.2.7", {"accept-language": "de"})


# --- headers ---------------------------------------------------------------------------------------------------------


def test_headers_are_kept_by_the_list_and_those_of_the_edge_from_a_proxy_alone() -> None:
    headers = {
        "accept_language": "de",
        "sec_ch_ua_mobile": "?0",
        "cloudfront_viewer_country": "DE",
        "cloudfront_viewer_city": "MÃ¼nchen",
        "cookie": "a=b",
        "x_tenant": "t",
        "sec_ch_ua": "x" * 1025,
        "user_agent": "y" * 1025,
    }
    seen = {"accept-language": "de", "sec-ch-ua-mobile": "?0"}
    edge = {"cloudfront-viewer-country": "DE", "cloudfront-viewer-city": "München"}
    assert event(request(headers=headers))["headers"] == seen
    assert "user_agent" not in event(request(headers=headers))
    assert event(request(headers=headers), trusted_proxies=1)["headers"] == seen | edge
    assert event(request(headers=headers), headers=["x-tenant"])["headers"] == {"x-tenant": "t"}
    assert event(request(b'{"event_type": "a", "headers": {"cf-ipcountry": "XX"}}'))["headers"] is None


@pytest.mark.parametrize("long", ["origin", "name", "key"])
def test_what_a_stranger_sends_is_not_remembered_at_length(long: str) -> None:
    one = collector(sites=SITES)

    def ask(number: int) -> None:
        text = f"{number:05}" * 12_000
        odd = {"origin": {"origin": "https://" + text}, "name": {"x" + text: "1"}, "key": {"x_write_key": text}}
        answer(one, request(headers={"x_write_key": "k-shop"} | odd[long]))

    ask(0)
    tracemalloc.start()
    for number in range(1, 50):
        ask(number)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 200_000


# --- consent and the cookie ------------------------------------------------------------------------------------------

PERSONAL = json.dumps(
    {
        "event_type": "click",
        "event_id": "e",
        "user_id": "u-1",
        "anonymousId": "a-1",
        "session_id": "s-1",
        "ip": "203.0.113.9",
        "user_agent": "Mine",
        "traits": {"email": "a@b.example"},
        "properties": {"sku": "A-1"},
    }
).encode()


@pytest.mark.parametrize("signal", [{"sec_gpc": "1"}, {"dnt": "1"}])
@pytest.mark.parametrize("path", ["/v1/events", "/v1/track"])
def test_who_asks_for_privacy_gets_what_the_settings_say(signal: dict[str, str], path: str) -> None:
    asked = request(PERSONAL, path, headers=signal | {"user_agent": "Browser"})
    cookie = {"name": "clid"}
    kept = collector(cookie=cookie).collect(asked)
    anonymised = collector(cookie=cookie, consent="anonymise").collect(asked)
    refused = collector(cookie=cookie, consent="refuse").collect(asked)
    assert b"u-1" in kept.lines
    for word in (b"u-1", b"a-1", b"s-1", b"203.0", b"192.0", b"Mine", b"Browser", b"a@b"):
        assert word not in anonymised.lines, word
    assert b"A-1" in anonymised.lines
    assert (refused.lines, refused.answer.status) == (b"", 200)
    assert (refused.count, refused.unwanted, anonymised.unwanted) == (0, 1, 0)
    assert [any(name == "set-cookie" for name, _ in one.answer.headers) for one in (anonymised, refused)] == [False] * 2
    for no in ("0", "", "11"):
        same = request(PERSONAL, path, headers=dict.fromkeys(signal, no))
        assert b"u-1" in collector(consent="refuse").collect(same).lines


def test_without_the_setting_there_is_no_cookie() -> None:
    found = collector().collect(request(headers={"cookie": "clid=0123456789"}))
    assert "anonymous_id" not in sent(found)
    assert not [name for name, _ in found.answer.headers if name == "set-cookie"]


@pytest.mark.parametrize(
    ("cookie", "known"),
    [
        ("clid=kept-before", "kept-before"),
        ('odd={"a": 1}; x; =; clid=kept-before; y=z', "kept-before"),
        ("", ID),
        ("xclid=kept-before", ID),
        ("clid=short", ID),
        ("clid=" + "x" * 65, ID),
        ("clid=a b c d e f g", ID),
        ("clid=evil%0d%0aX: y", ID),
    ],
)
def test_the_cookies_id_becomes_the_anonymous_id_of_events_without_one_and_lives_on(cookie: str, known: str) -> None:
    one = collector(cookie={"name": "clid", "days": 30, "domain": "shop.example"})
    found = one.collect(request(headers={"cookie": cookie} if cookie else {}))
    assert sent(found)["anonymous_id"] == known
    expected = f"clid={known}; Max-Age=2592000; Path=/; HttpOnly; Domain=shop.example; SameSite=Lax"
    assert dict(found.answer.headers)["set-cookie"] == expected
    own = one.collect(request(b'{"event_type": "a", "anonymousId": "own"}'))
    assert "anonymous_id" not in sent(own)
    server = one.collect(request(b'{"event_type": "a", "platform": "server"}'))
    assert "anonymous_id" not in sent(server)


COOKIE = {"name": "clid"}
FIRST = b'{"event_type": "a", "event_id": "0b6b4f7e-5a0e-4a52-9d3c-2f3a1f2f6f10", "event_time": 1764152098000}'


def made_of(body: bytes, path: str = "/v1/events", key: str = "k-shop") -> str:
    """The id that a visitor without a cookie gets; it is in the answer's cookie and in each line alike."""
    found = collector(cookie=COOKIE, sites=SITES).collect(request(body, path, headers={"x_write_key": key}))
    value = dict(found.answer.headers)["set-cookie"].partition(";")[0].removeprefix("clid=")
    assert {json.loads(line)["anonymous_id"] for line in found.lines.splitlines()} == {value}
    return value


def test_a_try_whose_answer_was_lost_and_the_next_one_are_of_the_same_visitor() -> None:
    made = made_of(FIRST)
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", made)
    assert made_of(FIRST.replace(b"}", b', "sent_time": 1764152099000}')) == made
    assert made_of(b"[%b, %b]" % (EVENT, FIRST)) == made  # of the first that has an id
    assert made_of(FIRST.replace(b"event_time", b"timestamp").replace(b"event_id", b"messageId")) == made
    assert made_of(FIRST.replace(b'"a"', b'"\\ud83d"')) == made
    others = [
        made_of(FIRST, key="k-blog"),
        made_of(FIRST.replace(b"6f10", b"6f11")),
        made_of(FIRST.replace(b"8000", b"8001")),
    ]
    assert len({made, *others}) == 4


@pytest.mark.parametrize("said", ["1", "page-1", "", None, 17, {"a": 1}])
def test_an_id_that_another_visitor_may_have_too_makes_none(said: Any) -> None:
    assert made_of(json.dumps({"event_type": "a", "event_id": said, "event_time": 1764152098000}).encode()) == ID


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/t", b'{"event": "x", "messageId": "ajs-next-1764152098000-0b6b4f7e", "sentAt": %d}'),
        ("/v1/b", b'{"batch": [{"type": "page", "messageId": "ajs-next-1764152098000-0b6b4f7e"}], "sentAt": %d}'),
        (
            "/com.snowplowanalytics.snowplow/tp2",
            b'{"data": [{"e": "pv", "eid": "c08496a0-57b7-447d-8183", "stm": "%d"}]}',
        ),
    ],
)
def test_a_call_that_is_tried_again_without_the_cookie_is_of_the_same_visitor(path: str, body: bytes) -> None:
    context = b'"context": {"direct": true}, "messageId"'
    first, again = (body.replace(b'"messageId"', context) % moment for moment in (1764152098000, 1764152099000))
    assert made_of(first, path) == made_of(again, path) != ID


@pytest.mark.parametrize("consent", ["ignore", "anonymise", "refuse"])
def test_an_answer_that_may_be_kept_has_no_cookie(consent: str) -> None:
    headers = {"cookie": "clid=kept-before", "sec-gpc": "1"}
    for more in ({}, {"origin": "https://shop.example"}):
        asked = Request("GET", "/v1/projects/k-shop/settings", headers=headers | more, base="https://c.example")
        named = dict(answer(collector(cookie=COOKIE, sites=SITES, consent=consent), asked).headers)
        assert "set-cookie" not in named
        assert (named["cache-control"], named["vary"]) == ("private, max-age=120", "origin")
    none = request(b'{"batch": []}', "/v1/batch", headers={"x_write_key": "k-shop"})
    assert "set-cookie" not in dict(answer(collector(cookie=COOKIE, sites=SITES), none).headers)


@pytest.mark.parametrize(
    ("proxies", "peer", "scheme"),
    [
        (0, "192.0.2.7", "http"),
        (1, "192.0.2.7", "https"),
        (["10.0.0.0/8"], "10.0.0.1", "https"),
        (["10.0.0.0/8"], "192.0.2.7", "http"),
    ],
)
def test_what_a_trusted_proxy_was_asked_by_https_is_secure(proxies: Any, peer: str, scheme: str) -> None:
    one = collector(trusted_proxies=proxies, cookie={"name": "clid"})
    scope = {
        "method": "POST",
        "scheme": "http",
        "raw_path": b"/collect/v1/events",
        "query_string": b"",
        "client": (peer, 4711),
        "headers": [
            (b"host", b"c.example"),
            (b"x-forwarded-proto", b"https"),
            (b"cookie", b"a=b"),
            (b"cookie", b"c=d"),
        ],
    }
    asked = wire.head(scope, one.is_proxy)
    assert (asked.base, asked.path) == (f"{scheme}://c.example/collect", "/v1/events")
    assert asked.header("cookie") == "a=b; c=d"
    cookie = dict(one.collect(asked.with_body(EVENT)).answer.headers)["set-cookie"]
    assert cookie.endswith("SameSite=None; Secure" if scheme == "https" else "SameSite=Lax")


# --- settings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"origin": []}',
        '{"sites": [{"app": "a"}]}',
        '{"sites": [{"app_id": ""}]}',
        '{"sites": [{"app_id": "a", "key": "b"}]}',
        '{"sites": [{"app_id": "a", "write_key": "k"}, {"app_id": "b", "write_key": "k"}]}',
        '{"origins": ["*"]}',
        '{"origins": ["https://*"]}',
        '{"origins": ["https://shop.example/"]}',
        '{"origins": ["https://shop.*.example"]}',
        '{"origins": "https://shop.example"}',
        '{"trusted_proxies": -1}',
        '{"trusted_proxies": ["10.0.0.1/8"]}',
        '{"trusted_proxies": ["any"]}',
        '{"headers": ["*"]}',
        '{"headers": ["cookie"]}',
        '{"headers": ["auth*"]}',
        '{"headers": ["x-forwarded-*"]}',
        '{"headers": ["Accept-Language"]}',
        '{"consent": "maybe"}',
        '{"cookie": {"name": "a b"}}',
        '{"cookie": {"days": 401}}',
        '{"cookie": {"domain": "a;b"}}',
        '{"cookie": {"path": "/"}}',
        '{"max_bytes": 1000001}',
        '{"max_bytes": 0}',
        '{"max_waiting_bytes": 1000}',
        '{"max_spool_bytes": 1}',
        '{"preflight_seconds": 86401}',
        '{"retry_after_seconds": 0}',
    ],
)
def test_settings_that_are_wrong_are_refused_with_what_is_wrong(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        told.read(text)
    assert refused.value.hint


PAGE = (Path(__file__).parent.parent / "docs" / "collector.md").read_text()


def test_the_page_lists_every_setting_with_its_default() -> None:
    table = PAGE.partition("| setting |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE))
    assert list(rows) == [field.name for field in fields(told.Settings)]
    for field in fields(told.Settings):
        assert field.default is not MISSING
        assert rows[field.name] == shown(field.default), field.name


def test_the_page_says_what_a_setting_may_be() -> None:
    table = PAGE.partition("| setting |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \|(.*)$", table, re.MULTILINE))
    assert [name for name, least, most in told.LIMITS if f"; {least:,} to {most:,} |" not in rows[name]] == []


def shown(default: Any) -> str:
    if isinstance(default, tuple):
        return ", ".join(f"`{one}`" for one in default) or "none"
    return f"`{default}`" if isinstance(default, str) else "null" if default is None else f"{default:,}"


def test_the_pages_example_can_be_read_and_its_cookie_is_the_default_one() -> None:
    example = PAGE.partition("```json\n")[2].partition("```")[0]
    assert [site.app_id for site in told.read(example).sites] == ["shop", "app"]
    assert json.loads(re.findall(r"\| `cookie` \| null \| `(\{.*?\})`", PAGE)[0]) == asdict(told.Cookie())
