"""Requests for a collector that nobody means well: what real clients send, damaged as JSON and as bytes; huge, deep and
compressed bodies; heads and chunks that are no HTTP; and line ends wherever an answer or a log might repeat them.
"""

import base64
import gzip
import json
import random
import zlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

MARK = "x-injected"
KEY = "key-of-fuzz"
ORIGIN = "https://fuzz.example"
_BASIC = f"Basic {base64.b64encode(f'{KEY}:'.encode()).decode()}"
_CONTEXTS = json.dumps({"schema": "iglu:contexts/1-0-0", "data": [{"schema": "iglu:a/1-0-0", "data": {"id": "1"}}]})
_CX = base64.urlsafe_b64encode(_CONTEXTS.encode()).decode().rstrip("=")


@dataclass(frozen=True)
class Asked:
    """A request but for its bytes. `events`: how many are in it, if that is plain to see."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    events: int | None = None

    def bytes(self) -> bytes:
        lines = [f"{self.method} {self.target} HTTP/1.1", "Host: fuzz", *(f"{n}: {v}" for n, v in self.headers)]
        if self.body or self.method == "POST":
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join((*lines, "", "")).encode("utf-8", "surrogateescape") + self.body


_SHAPES: tuple[tuple[str, dict[str, str], Any], ...] = (
    ("/v1/events", {"Content-Type": "text/plain", "X-Write-Key": KEY}, {"event_type": "a", "event_id": "1", "event_time": "2026-11-23T11:40:33.8Z", "anonymous_id": "b", "value": 1.5, "properties": {"c": [1, {"d": None}]}}),
    (f"/v1/events?write_key={KEY}", {"Content-Type": "application/json"}, [{"event_type": "a"}, {"event_type": "b", "ip": "192.0.2.1"}]),
    ("/v1/batch", {"Authorization": _BASIC}, {"writeKey": KEY, "sentAt": "2026-11-23T11:40:33.8Z", "context": {"ip": "192.0.2.1"}, "batch": [{"type": "track", "event": "Bought", "messageId": "1", "anonymousId": "a", "properties": {"value": 3, "url": "https://x.example/"}, "context": {"page": {"url": "https://x.example/", "title": "t"}, "library": {"name": "analytics.js"}}}, {"type": "page", "name": "n"}, {"type": "identify", "traits": {"a": 1}}]}),
    ("/v1/t", {"Authorization": _BASIC, "Content-Type": "text/plain"}, {"type": "track", "event": "e", "userId": None, "timestamp": "2026-11-23T11:40:33.8Z", "writeKey": KEY, "_metadata": {"bundled": ["Segment.io"]}}),
    ("/com.snowplowanalytics.snowplow/tp2", {"Content-Type": "application/json; charset=UTF-8"}, {"schema": "iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4", "data": [{"e": "pv", "url": "https://x.example/", "page": "t", "eid": "c", "aid": KEY, "p": "web", "dtm": "1795434033801", "stm": "1795434033814", "cx": _CX, "res": "1x1", "vp": "800x600", "vid": "1", "duid": "d"}, {"e": "se", "se_ca": "a", "se_ac": "b", "se_va": "1.5", "aid": KEY, "p": "srv"}, {"e": "ue", "ue_px": _CX, "aid": KEY}]}),
    (f"/mp/collect?measurement_id=G-1&api_secret={KEY}", {}, {"client_id": "1.2", "timestamp_micros": "1795434033801000", "user_properties": {"a": {"value": 1}}, "events": [{"name": "purchase", "params": {"value": 1, "currency": "EUR", "items": [{"item_id": "x"}], "session_id": "1"}}]}),
    (f"/debug/mp/collect?measurement_id=G-1&api_secret={KEY}", {}, {"client_id": "1.2", "events": [{"name": "a", "params": {}}]}),
    ("/v1/cloudevents", {"Content-Type": "application/cloudevents+json", "X-Write-Key": KEY}, {"specversion": "1.0", "id": "1", "source": "/a", "type": "b", "time": "2026-11-23T11:40:33Z", "data": {"value": 1}}),
    ("/v1/cloudevents", {"Content-Type": "application/cloudevents-batch+json", "X-Write-Key": KEY}, [{"specversion": "1.0", "id": "1", "source": "/a", "type": "b", "data_base64": "eHg="}]),
    ("/v1/cloudevents", {"Content-Type": "application/json", "X-Write-Key": KEY, "ce-id": "1", "ce-source": "/a%20b", "ce-type": "c", "ce-specversion": "1.0", "ce-x": "%F0%9F%98%80"}, {"a": 1}),
)  # fmt: skip
_PIXEL = {"e": "pv", "url": "https://x.example/?a=b&c", "page": "t", "aid": KEY, "cx": _CX, "dtm": "1795434033801"}

# What stands where a value of some other kind is expected.
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 1e308, -1e-320, 10**18, 10**40, -(10**400), "", " ", "0", "x" * 3000, "\x00", "\r\n", f"a\r\n{MARK}: 1", "\ud800", "\udfff\ud800", "\u2028", "﻿", "é" * 200, "😀" * 50,
    "2026-99-99T99:99:99Z", "99999999999999999999", "-1", "NaN", "Infinity", "1e999", "%00", "%ff%", "=?", "AAAA", "e30=", "e30", "[[[[", '{"a":', "1x", "x1", "1x99999999999999999999", "::1", "999.1.1.1", "192.0.2.1, 10.0.0.1",
    [], {}, [[]], [None], {"": ""}, {"a": {"a": {"a": []}}}, [1, "2", {"3": 4}], {"event_type": "x"}, {"__proto__": 1, "constructor": 2}, {"collector_time": 1, "headers": {"a": "b"}, "ip": [1]},
)  # fmt: skip
_TORN = (b"", b"\x00", b"\xff\xfe", b"\r\n", b"{", b"}", b"[", b'"', b"\\", b"\\ud800", b",", b":", b"9" * 400, b"1e400", b"NaN", b"-Infinity", b"\xef\xbb\xbf", b"null", b"\xed\xa0\x80", b"/*", b"  \n")  # fmt: skip
_VALUES = ("", " ", "\t", "a" * 5000, f"a\r\n{MARK}: 1", f"a\n{MARK}: 1", f"a\r{MARK}: 1", f"%0d%0a{MARK}:1", "\x00", "\x7f\x1b[31m", "é", "\udcff\udcfe", "ﬀ", "null", "*", "gzip", "br", "identity", "gzip, gzip", "chunked", "-1", "5", "99999999999999999999", "1", "Basic", "Basic ====", "Basic /", "Bearer", f"Bearer {KEY}", _BASIC, "application/json", "application/json;charset=utf-16", ";", "multipart/form-data", "https://fuzz.example", "https://fuzz.example:99999", "null", "https://evil.example", "http://[", "192.0.2.1, ::1", "for=a", "clid=abcdefgh12", "clid=\"a\\\"; Path=/", "=;=;")  # fmt: skip
_NAMES = ("Origin", "Referer", "Cookie", "User-Agent", "X-Write-Key", "Authorization", "Content-Type", "Content-Encoding", "X-Forwarded-For", "X-Forwarded-Proto", "Accept-Language", "Sec-CH-UA", "Sec-CH-UA-Platform", "DNT", "Sec-GPC", "SP-Anonymous", "WebHook-Request-Origin", "WebHook-Request-Rate", "WebHook-Request-Callback", "Access-Control-Request-Method", "Access-Control-Request-Headers", "ce-id", "ce-type", "ce-source", "ce-specversion", "ce-time", "ce-x", "Expect", "Connection", "TE", "Upgrade", "Range", "Host", "X-Retry-Count", "CloudFront-Viewer-Country", "X-HTTP-Method-Override", "A\xa0b", "")  # fmt: skip
_METHODS = ("POST",) * 12 + (
    "GET",
    "GET",
    "OPTIONS",
    "OPTIONS",
    "HEAD",
    "PUT",
    "DELETE",
    "PATCH",
    "TRACE",
    "QUERY",
    "A" * 40,
)
_TARGETS = ("/", "/collect", "/collect/", "/health", "/metrics", "/openapi.json", f"/v1/projects/{KEY}/settings", "/v1/projects/%0d%0aX/settings", "/v1/projects//settings", "/v1/m", "/i", "/v1/events/", "//v1/events", "/v1/../v1/events", "/v1/events%00", "/v1/events?" + "a=b&" * 3000, "/v1/%F0%28", f"/{MARK}", "*", "http://evil.example/v1/events", "/v1/events#a", "/v1/events?write_key=%0d%0a")  # fmt: skip


class Requests:
    """Draws them, by a seed."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def asked(self) -> Asked:
        """One that is whole, as HTTP."""
        chance = self._chance
        target, headers, said = chance.choice(_SHAPES)
        said = deepcopy(said)
        for _ in range(chance.choice((0, 1, 1, 2, 5))):
            said = self._odd(said)
        method = chance.choice(_METHODS) if chance.random() < 0.3 else "POST"
        named = {"Origin": ORIGIN} | headers if chance.random() < 0.7 else dict(headers)
        if chance.random() < 0.12:
            target, method = f"/i?{self._query()}", "GET"
        elif chance.random() < 0.1:
            target = chance.choice(_TARGETS)
        elif chance.random() < 0.2:
            target = f"/collect{target}"
        for _ in range(chance.choice((0, 0, 0, 1, 1, 3))):
            named[chance.choice(_NAMES)] = chance.choice(_VALUES)
        body = self._body(said, named) if method not in {"GET", "HEAD"} or chance.random() < 0.1 else b""
        return Asked(method, target, tuple(named.items()), body, _count(method, target, body))

    def torn(self) -> bytes:
        """One that is damaged on its way."""
        data = self.asked().bytes()
        end = data.find(b"\r\n\r\n") + 4
        for _ in range(self._chance.choice((1, 1, 2, 4))):
            at = self._chance.randrange(end if self._chance.random() < 0.8 else len(data))
            data = data[:at] + self._chance.choice((*_TORN, b"\r\n\r\n", b" ", b":", b"a" * 70_000)) + data[at + self._chance.choice((0, 0, 1, 4, 40)) :]  # fmt: skip
        return data

    def _body(self, said: Any, named: dict[str, str]) -> bytes:
        chance = self._chance
        try:
            body = json.dumps(said, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
        except ValueError:  # a number of hundreds of digits
            body = b"{}"
        if chance.random() < 0.15:
            body = b"\n".join(chance.choice((body, b"", b"{}", b"7", body[:-1])) for _ in range(5))
        while chance.random() < 0.15:
            at = chance.randrange(len(body) + 1)
            body = body[:at] + chance.choice(_TORN) + body[at + chance.choice((0, 1, 3)) :]
        if chance.random() < 0.15:
            named["Content-Encoding"] = chance.choice(("gzip", "gzip", "deflate", "x-gzip", "br"))
            body = chance.choice((gzip.compress, zlib.compress, bytes))(body)
            body = body[: chance.choice((len(body), len(body), 10, len(body) - 4))]
        return body

    def _odd(self, said: Any) -> Any:
        """The same with one value changed, left out, or put besides."""
        chance = self._chance
        if not isinstance(said, dict | list) or not said or chance.random() < 0.1:
            return chance.choice(_ODD)
        place: Any = chance.choice(list(said) if isinstance(said, dict) else range(len(said)))
        if isinstance(said[place], dict | list) and chance.random() < 0.75:
            said[place] = self._odd(said[place])
        elif chance.random() < 0.15:
            del said[place]
        elif isinstance(said, dict) and chance.random() < 0.2:
            said[chance.choice(("ip", "event_type", "properties", "context", "data", "", "_metadata", "é\x00", "a" * 500))] = chance.choice(_ODD)  # fmt: skip
        else:
            said[place] = chance.choice(_ODD)
        return said

    def _query(self) -> str:
        pairs = list(_PIXEL.items())
        for _ in range(self._chance.choice((0, 1, 2))):
            name = self._chance.choice((*_PIXEL, "ip", "ua", "tz", "co", "ue_pr", "stm", "%00", ""))
            pairs.append((name, self._chance.choice(("", "%", "%zz", "%0d%0a" + MARK, "%ff%fe", "+", "1", "a" * 2000, "%7B%22a", "null"))))  # fmt: skip
        self._chance.shuffle(pairs)
        return self._chance.choice(("&", "&", "&", ";", "&&")).join(f"{n}={v}".replace(" ", "+") for n, v in pairs)


def _count(method: str, target: str, body: bytes) -> int | None:
    """As few as possible of its own ideas: an array's length, where an array belongs."""
    place = {"/v1/batch": "batch", "/com.snowplowanalytics.snowplow/tp2": "data", "/mp/collect": "events"}
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return None
    path = target.partition("?")[0].removeprefix("/collect")
    if method != "POST" or path not in {*place, "/v1/events", "/v1/t", "/v1/cloudevents"}:
        return None
    inner = said.get(place[path]) if path in place and isinstance(said, dict) else said
    if (path in place and not isinstance(inner, list)) or (path == "/v1/cloudevents" and isinstance(said, list)):
        return None  # an array may be one event's data there
    return len(inner) if isinstance(inner, list) else 1


def _post(path: str, body: bytes, **headers: str) -> bytes:
    named = {"X-Write-Key": KEY, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Asked("POST", path, tuple(named.items()), body).bytes()


def heavy() -> Iterator[tuple[str, bytes]]:
    """What would fill the memory, or the time; each within the megabyte that a body may have."""
    most = 999_999
    bomb = gzip.compress(b"0" * 20_000_000)
    tiny, deep = b'{"event_type":"a"}', 400_000
    yield "gzip bomb", _post("/v1/events", bomb, Content_Encoding="gzip")
    yield "gzip bomb that grows to a megabyte", _post("/v1/events", gzip.compress(b"[" * most), Content_Encoding="gzip")
    yield "gzip of many members", _post("/v1/events", gzip.compress(b"") * 40_000, Content_Encoding="gzip")
    yield "gzip of many small objects", _post("/v1/events", gzip.compress(b"[" + b"{}," * 300_000 + b"{}]"), Content_Encoding="gzip")  # fmt: skip
    for path in ("/v1/events", "/v1/batch", "/com.snowplowanalytics.snowplow/tp2", f"/mp/collect?api_secret={KEY}&measurement_id=G-1", "/v1/cloudevents"):  # fmt: skip
        kind = "application/cloudevents-batch+json" if path == "/v1/cloudevents" else "application/json"
        for what, body in (
            ("brackets", b"[" * most),
            ("braces", b'{"a":' * (most // 5)),
            ("deep and whole", b"[" * deep + b"]" * deep),
            ("nested 1,000 times", b'{"event_type":"a","b":' + b"[" * 1000 + b"]" * 1000 + b"}"),
            ("digits", b"9" * most),
            ("digits of a value", b'{"event_type":"a","value":' + b"9" * (most - 30) + b"}"),
            ("exponent", b'[{"event_type":"a","value":1e999999999}]'),
            ("as many events as there may be", b"[" + b",".join([tiny] * 10_000) + b"]"),
            ("tiny events", b"[" + b",".join([tiny] * 50_000) + b"]"),
            ("tinier events", b"[" + b",".join([b"{}"] * 100_000) + b"]"),
            ("numbers for events", b"[" + b",".join([b"7"] * 100_000) + b"]"),
            ("one long text", b'{"event_type":"' + b"x" * (most - 20) + b'"}'),
            ("escapes", b'{"event_type":"' + b"\\u0000" * 160_000 + b'"}'),
            ("the same name", b"{" + b",".join([b'"event_type":"a"'] * 50_000) + b"}"),
            ("many names", b"{" + b",".join(b'"%d":0' % n for n in range(80_000)) + b"}"),
            ("lone surrogates", b'[{"event_type":"' + b"\\ud800" * 100_000 + b'"}]'),
            ("half a megabyte of lines", b"\n".join([tiny] * 40_000)),
        ):
            yield f"{what} to {path.partition('?')[0]}", _post(path, body, Content_Type=kind)
    tp2 = f"/com.snowplowanalytics.snowplow/tp2?aid={KEY}&a={'x' * 6000}"
    yield "a query for each of many events", _post(tp2, b"[" + b",".join([b"{}"] * 10_000) + b"]")
    zeros = b'{"events":[' + b",".join([b"0"] * 10_000) + b"]}"
    yield "a message for each of many events", _post(f"/debug/mp/collect?api_secret={KEY}", zeros)
    items = b'{"type":"track","event":"a"}'
    yield "a large Segment batch", _post("/v1/batch", b'{"batch":[' + b",".join([items] * 10_000) + b"]}")
    context = b'"context":{' + b'"x":"' + b"y" * 400_000 + b'"}'
    yield "a Segment context that is inherited", _post("/v1/batch", b"{" + context + b',"batch":[' + b",".join([items] * 10_000) + b"]}")  # fmt: skip
    params = b'"user_properties":{"a":{"value":"' + b"y" * 400_000 + b'"}}'
    events = b",".join([b'{"name":"a"}'] * 25)
    yield "GA4 user properties", _post(f"/mp/collect?api_secret={KEY}&measurement_id=G-1", b'{"client_id":"1",' + params + b',"events":[' + events + b"]}")  # fmt: skip
    cx = base64.b64encode(zlib.compress(b"0" * 1000) + b"[" * 500_000)
    yield "base64 of brackets", _post("/com.snowplowanalytics.snowplow/tp2", b'{"data":[{"e":"pv","aid":"%b","cx":"%b"}]}' % (KEY.encode(), cx))  # fmt: skip
    small = base64.b64encode(b"[" * 90 + b"]" * 90)
    many = b",".join([b'{"e":"pv","aid":"%b","cx":"%b"}' % (KEY.encode(), small)] * 3000)
    yield "base64 of much", _post("/com.snowplowanalytics.snowplow/tp2", b'{"data":[' + many + b"]}")


_CHUNKED = (
    b"POST /v1/events HTTP/1.1\r\nHost: a\r\nX-Write-Key: " + KEY.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_EVENT = b'{"event_type":"chunk"}'


def broken() -> Iterator[tuple[str, bytes]]:
    """What is no HTTP, or nearly."""
    for size in (b"", b"-1", b"+16", b"0x16", b"16 ", b" 16", b"g", b"1" * 40, b"FFFFFFFFFFFFFFFF", b"16;ext=\"a\r\n\"", b"\x00", b"16;" + b"a" * 70_000):  # fmt: skip
        yield f"chunk of {size[:20]!r}", _CHUNKED + size + b"\r\n" + _EVENT + b"\r\n0\r\n\r\n"
    yield "chunk that is longer", _CHUNKED + b"5\r\n" + _EVENT + b"\r\n0\r\n\r\n"
    yield "chunk that is shorter", _CHUNKED + b"50\r\n" + _EVENT + b"\r\n0\r\n\r\n"
    yield "no last chunk", _CHUNKED + b"16\r\n" + _EVENT + b"\r\n"
    yield "trailers", _CHUNKED + b"16\r\n" + _EVENT + b"\r\n0\r\n" + MARK.encode() + b": 1\r\n\r\n"
    yield "a million chunks", _CHUNKED + b"1\r\n[\r\n" * 100_000 + b"0\r\n\r\n"
    head = b"POST /v1/events HTTP/1.1\r\nHost: a\r\n"
    for lines in (
        b"Content-Length: 5\r\nContent-Length: 6", b"Content-Length: 5, 5", b"Content-Length: -5", b"Content-Length: +5", b"Content-Length: 5\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked, gzip", b"Transfer-Encoding: gzip, chunked",
        b"Transfer-Encoding:\x0bchunked", b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", b"Content-Length : 5", b" folded: a", b"a: b\r\n c: d", b"no colon", b": no name", b"a\x00b: c", b"a: b\x00c", b"a: \xff\xfe", b"\xff: a", b"a" * 70_000 + b": b", b"a: " + b"b" * 70_000,
        b"\r\n".join(b"a%d: b" % n for n in range(5_000)), b"Cookie: " + b"a=b; " * 5_000, b"X-Forwarded-For: " + b"1.1.1.1, " * 5_000, b"Expect: 100-continue\r\nContent-Length: 2000000", b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: a\r\nSec-WebSocket-Version: 13", b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: a",
    ):  # fmt: skip
        yield f"head with {lines[:40]!r}", head + lines + b"\r\n\r\nabcde"
    for line in (b"", b"\r\n", b"GET", b"GET /", b"GET / HTTP/9.9", b"GET / HTTP/1.1 x", b"GET  / HTTP/1.1", b"G\x00T / HTTP/1.1", b"GET /\x00 HTTP/1.1", b"GET /\xff HTTP/1.1", b"GET /" + b"a" * 70_000 + b" HTTP/1.1", b"GET /?" + b"%" * 70_000 + b" HTTP/1.1", b"POST /v1/events HTTP/1.0", b"POST /v1/events", b"PRI * HTTP/2.0", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"CONNECT a:1 HTTP/1.1", b"OPTIONS * HTTP/1.1", b"GET http://a/v1/events HTTP/1.1"):  # fmt: skip
        yield f"line {line[:40]!r}", line + b"\r\nHost: a\r\n\r\n"
