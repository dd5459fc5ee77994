"""Events of our own dialect go on as they came: one, an array or NDJSON, however they are packed and whatever they hold."""

import gzip
import json
import re
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clicklake.collector.collect import Collector
from clicklake.collector.dialects import ROUTES, Route
from clicklake.collector.settings import Cookie, Settings, Site
from collecting import ADDRESS, AGENT, KEY, NOW, OPEN, Sent, send, some_examples
from transforming import Made

DOCS = Path(__file__).parent.parent / "docs"
PATH = "/v1/events"
A, B = b'{"event_type": "a", "n": 1.50}', b'{"event_type":"b"}'
ENDS = b',"collector_time":%d' % (NOW * 1000)


def take(body: Any, *, collector: Collector = OPEN, **headers: str) -> Sent:
    return send(
        PATH, body, collector=collector, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


def begins(sent: Sent) -> list[bytes]:
    """The events as they came, without what is added."""
    return [line.partition(ENDS)[0] + b"}" for line in sent.lines]


# --- how events are packed -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "events"),
    [
        (A, [A]),
        (b"[" + A + b" ,\n" + B + b"]", [A, B]),
        (A + b"\n" + B + b"\n", [A, B]),
        (A + b"\r\n\r\n \t\n" + B, [A, B]),
        (A + B, [A, B]),
        (b"\xef\xbb\xbf" + A, [A]),
        (b"\xef\xbb\xbf[" + A + b"]", [A]),
        (b" \r\n\t" + A + b" \r\n\x0b\x0c ", [A]),
        (b'{\n  "event_type": "a",\r\n  "n": [\n1]\n}', [b'{   "event_type": "a",    "n": [ 1] }']),
        (b'[\n {\n"event_type": "a"}\n]', [b'{ "event_type": "a"}']),
        (b'{"event_type":"a"}\n{\n"event_type":\n"b"}', [b'{"event_type":"a"}', b'{ "event_type": "b"}']),
    ],
)
def test_one_event_an_array_and_ndjson_go_on_byte_by_byte(body: bytes, events: list[bytes]) -> None:
    sent = take(body)
    assert begins(sent) == events
    assert sent.said == {"accepted": len(events), "failed": 0}
    assert len(sent.made.rows) == len(events)


def raw_deflate(body: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(body) + packer.flush()


@pytest.mark.parametrize(
    ("body", "coding"),
    [
        (gzip.compress(A, mtime=0), "gzip"),
        (gzip.compress(A, mtime=0), " X-GZIP "),
        (gzip.compress(A, mtime=0), ""),  # a beacon can't set the header
        (gzip.compress(A[:5], mtime=0) + gzip.compress(A[5:], mtime=0) + b"\x00" * 9, "gzip"),
        (zlib.compress(A), "deflate"),
        (A, "identity"),
    ],
)
def test_a_body_may_be_compressed(body: bytes, coding: str) -> None:
    assert begins(take(body, content_encoding=coding, content_type="text/plain;charset=UTF-8")) == [A]


@pytest.mark.parametrize(
    ("body", "coding", "status"),
    [
        (gzip.compress(A, mtime=0)[:-9], "gzip", 400),
        (gzip.compress(A, mtime=0)[:9], "", 400),
        (gzip.compress(A, mtime=0) + b"more", "gzip", 400),
        (A, "gzip", 400),
        (b"", "gzip", 400),
        (raw_deflate(A), "deflate", 400),
        (A, "br", 415),
        (A, "gzip, gzip", 415),
        (gzip.compress(b" " * 1_000_001, mtime=0), "gzip", 413),
        (zlib.compress(b"0" * 200_000_000, 1), "deflate", 413),
        (b" " * 1_000_001, "", 413),
    ],
)
def test_a_body_that_is_cut_off_or_too_large_or_packed_otherwise_is_refused(
    body: bytes, coding: str, status: int
) -> None:
    sent = take(body, content_encoding=coding)
    assert (sent.answer.status, sent.lines) == (status, [])
    assert sent.said["error"]["message"]


def test_a_text_without_an_end_is_said_where_it_begins() -> None:
    assert take(b'{"a').said["error"]["message"] == "the body is no JSON: Unterminated string at character 1"


def test_a_gzip_of_a_hundred_thousand_members_costs_nothing() -> None:
    body = gzip.compress(b"", mtime=0) * 49_000
    begin = time.process_time()
    assert take(body, content_encoding="gzip").answer.status == 400
    assert time.process_time() - begin < 0.2


EMPTY, CUT = b"{}", b'{"a":"\\ud83d"}'  # the second is read another way


def _of_each_dialect(count: int, one: bytes) -> list[tuple[str, bytes]]:
    """Paths and bodies of so many events."""
    items = b"[" + b",".join([one] * count) + b"]"
    return [
        (PATH, items),
        (PATH, b"\n".join([one] * count)),
        ("/v1/batch", b'{"batch":%b}' % items),
        ("/v1/batch", b'{"batch":%b,"a":1}' % items),
        ("/com.snowplowanalytics.snowplow/tp2", items),
        ("/com.snowplowanalytics.snowplow/tp2", b'{"data":%b}' % items),
        ("/mp/collect", b'{"events":%b}' % items),
        ("/debug/mp/collect", b'{"events":%b}' % items),
        ("/v1/cloudevents", items),
    ]


@pytest.mark.parametrize("one", [EMPTY, CUT])
def test_a_request_of_too_many_events_is_refused_before_anything_is_done_for_each(one: bytes) -> None:
    """Measured: 60 ms at most; to read each of them would take a second."""
    for path, body in _of_each_dialect(60_000, one):
        begin = time.process_time()
        sent = send(path, body, collector=OPEN, headers={"content-type": "application/cloudevents-batch+json"})
        assert (sent.answer.status, sent.lines) == (413, []), path
        assert time.process_time() - begin < 0.5, path


@pytest.mark.parametrize("one", [EMPTY, CUT])
def test_ten_thousand_events_are_as_many_lines_and_the_answer_is_short(one: bytes) -> None:
    for path, body in _of_each_dialect(10_000, one):
        headers = {"content-type": "application/cloudevents-batch+json", "user-agent": ""}
        sent = send(path, body, collector=OPEN, headers=headers)
        assert len(sent.lines) == (0 if path.startswith("/debug") else 10_000), path
        assert sent.answer.status in {200, 204, 400}, path
        assert len(sent.answer.body) < 20_000, path
        if b"errors" in sent.answer.body:
            assert (sent.said["failed"], [e["index"] for e in sent.said["errors"]]) == (10_000, [*range(100)]), path


# --- what they hold --------------------------------------------------------------------------------------------------


def test_every_digit_is_kept() -> None:
    digits = b"1234567890123456789012345678901234567890"
    body = b'[{"event_type":"a","int":%b,"point":0.%b,"big":1e400,"value":1.0}]' % (digits, digits)
    sent = take(body)
    assert begins(sent) == [body[1:-1]]
    assert json.loads(sent.made.row["properties"])["int"] == digits.decode()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (b'{"event_type":"a","t":"\\ud83d cut"}', {"t": "\ud83d cut"}),
        (b'{"event_type":"a","app_id":"\\ud83d"}', {"app_id": "\ud83d"}),
        (b'{"event_type":"a","n":NaN,"m":-Infinity,"ip":NaN}', {"n": "NaN", "m": "-Infinity", "ip": "NaN"}),
        (b'{"event_type":"a","app_id":1e999,"n":NaN}', {"app_id": "1e999", "n": "NaN"}),
        (b'{"event_type":"a","n":NaN,"m":%b}' % (b"9" * 5000), {"n": "NaN", "m": "9" * 5000}),
        (b'{"event_type":"a","event_type":"b"}', {"event_type": "b"}),
        (b'{"event_type":"a","\\u0070":1}', {"p": 1}),
    ],
)
def test_what_strict_readers_refuse_is_taken_and_harms_no_neighbour(text: bytes, kept: dict[str, Any]) -> None:
    for body in (text, b"[" + B + b"," + text + b"]", B + b"\n" + text):
        sent = take(body)
        assert sent.said["failed"] == 0
        assert sent.events[-1].items() >= kept.items()
        assert [row["event_type"] for row in sent.made.rows][:-1] == ["b"] * (len(sent.lines) - 1)


@pytest.mark.parametrize(
    "text", [b"{}", b"{ }", b"{\n\t  \n         }", b'{"a": 1}', b'{"event_type": ""}', b'{"event": 5}']
)
def test_an_event_without_a_type_becomes_a_failed_record_and_says_so(text: bytes) -> None:
    alone, among = take(text), take(b"[" + A + b"," + text + b"]")
    assert (alone.answer.status, alone.said["accepted"]) == (400, 0)
    assert (among.answer.status, among.said["accepted"], among.said["errors"][0]["index"]) == (200, 1, 1)
    assert [len(among.made.rows), len(among.made.failed), len(alone.made.failed)] == [1, 1, 1]


@pytest.mark.parametrize("text", [b"1", b'"a"', b"null", b"[1]", b"[]"])
def test_what_is_no_object_becomes_a_failed_record(text: bytes) -> None:
    sent = take(b"[" + A + b"," + text + b"]")
    assert (sent.said["accepted"], sent.said["failed"]) == (1, 1)
    assert len(sent.made.rows) == len(sent.made.failed) == 1
    assert sent.events[1]["not_an_event"] == json.loads(text)


def test_the_problems_said_are_the_transform_s() -> None:
    """An alias with a text counts where the name before it has none."""
    said: list[dict[str, Any]] = [
        {"event_type": 5, "event_name": "a"},
        {"event_type": None, "event": "a"},
        {"event_type": "", "event_name": "", "event": ""},
        {"event_type": ["a"]},
        {"Event_Type": "a"},
    ]
    for event in said:
        sent = take(event)
        assert sent.said["failed"] == len(sent.made.failed), event


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b" \n", b"[]", b"{", b"a", b'[{"event_type":"a"},]', b'{"a":"\xff"}', b"\xff\xfe{"),
        *(A + b"\n{", A + b"\nnot JSON\n" + B),
        *(b"[" * 100_000, b'{"a":' * 100_000, b"[" + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"]"),
    ],
)
def test_what_is_no_json_in_utf_8_is_refused_as_a_whole(body: bytes) -> None:
    sent = take(body)
    assert (sent.answer.status, sent.lines) == (400, [])
    assert sent.said["error"]["code"] == "bad_request"


@pytest.mark.parametrize("name", ["properties", "other"])
@pytest.mark.parametrize(("begin", "end"), [(b'{"a":', b"}"), (b"[", b"]"), (b'[{"a":', b"}]")])
def test_an_event_that_is_nested_too_deeply_says_so_as_the_transform_does(name: str, begin: bytes, end: bytes) -> None:
    for times in (40, 49, 50, 51, 97, 98, 99, 100, 101, 400):
        inner = begin * times + b"1" + end * times
        inner = inner if begin[:1] == b"{" or name == "other" else b'{"b":%b}' % inner
        sent = take(b'[{"event_type":"a","%b":%b},%b]' % (name.encode(), inner, B))
        assert (sent.said["failed"], len(sent.made.rows)) == (len(sent.made.failed), 2 - len(sent.made.failed)), times


@pytest.mark.parametrize("route", [route for route in ROUTES if route.method == "POST"], ids=lambda route: route.path)
def test_what_is_nested_as_deeply_as_can_just_be_read_is_answered(route: Route) -> None:
    """Reading, changing and writing run out of stack at depths of their own."""
    content_type = {"content-type": "application/cloudevents+json"}
    for depth in range(920, 1010):
        deep = b'{"a":' * depth + b'"\\ud83d"' + b"}" * depth
        body = b'{"event":"a","e":"pv","specversion":"1.0","id":"1","source":"s","type":"track","data":%b}' % deep
        assert send(route.path, body, collector=OPEN, headers=content_type).answer.status < 500


# --- what is added ---------------------------------------------------------------------------------------------------


def test_what_the_collector_says_is_not_the_sender_s_to_say() -> None:
    said = {"event_type": "a", "collector_time": 1, "headers": {"cookie": "c", "cf-ipcountry": "DE"}}
    sent = send(PATH, {**said, "app_id": "other"}, headers={"x-write-key": KEY, "accept-language": "de"})
    assert sent.event == {
        "event_type": "a",
        "app_id": "shop",
        "client_app_id": "other",
        "collector_time": NOW * 1000,
        "ip": ADDRESS,
        "user_agent": AGENT,
        "headers": {"accept-language": "de"},
    }
    escaped = send(PATH, b'{"event_type":"a","\\u0061pp_id":"other"}', headers={"x-write-key": KEY})
    assert escaped.made.row["app_id"] == "shop"


@pytest.mark.parametrize(
    ("said", "added"),
    [
        ({}, {"ip": ADDRESS, "user_agent": AGENT, "headers": {"accept-language": "de"}}),
        ({"user_agent": "Own/1"}, {"ip": ADDRESS, "user_agent": "Own/1", "headers": {"accept-language": "de"}}),
        ({"ip": "203.0.113.7"}, {"ip": "203.0.113.7", "headers": None}),
        ({"ipAddress": "203.0.113.7"}, {"headers": None}),
        ({"platform": "server"}, {"headers": None}),
    ],
)
def test_who_speaks_for_another_visitor_is_not_taken_for_it(said: dict[str, Any], added: dict[str, Any]) -> None:
    event = take({"event_type": "a", **said}, accept_language="de").event
    assert {name: event[name] for name in ("ip", "user_agent", "headers") if name in event} == added


def test_a_cookie_is_the_anonymous_id_of_events_that_have_none() -> None:
    collector = Collector(Settings(cookie=Cookie()), lambda: NOW, lambda: "new-id-1")
    events = [{"event_type": "a"}, {"event_type": "a", "anonymousId": "own"}, {"event_type": "a", "platform": "server"}]
    sent = take(events, collector=collector, cookie="clid=old-id-1")
    assert [event.get("anonymous_id") for event in sent.events] == ["old-id-1", None, None]


@pytest.mark.parametrize("signal", ["dnt", "sec_gpc"])
def test_who_asks_for_privacy_loses_ids_at_any_depth_and_keeps_the_event(signal: str) -> None:
    collector = Collector(Settings(consent="anonymise"), lambda: NOW, str)
    said = {"event_type": "a", "user_id": "u", "properties": {"a": [{"userId": "u", "b": 1}], "traits": {"c": 1}}}
    sent = take([said, {"event_type": "b", "t": "\ud83d"}], collector=collector, **{signal: "1"})
    assert sent.events == [
        {"event_type": "a", "properties": {"a": [{"b": 1}]}, "collector_time": NOW * 1000, "headers": None},
        {"event_type": "b", "t": "\ud83d", "collector_time": NOW * 1000, "headers": None},
    ]


# --- whatever is sent ------------------------------------------------------------------------------------------------

TEXTS = st.sampled_from(["a", "", "\ud83d", "\n", '"', "\u2028", "\x00"]) | st.text(max_size=4)
VALUES = st.recursive(
    TEXTS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["event_type", "event", "app_id", "ip", "anonymous_id", "platform", "collector_time"]) | TEXTS
EVENTS = st.dictionaries(NAMES, VALUES, max_size=5).map(lambda said: {**said, "event_type": "a"}) | VALUES
STRICT = Collector(
    Settings(sites=(Site("shop", KEY),), consent="anonymise", cookie=Cookie()), lambda: NOW, lambda: "id-1"
)


def summed(made: Made) -> int:
    return len(made.rows) + len(made.failed) + int(made.ledger["duplicate"])


@some_examples
@given(st.lists(EVENTS, min_size=1, max_size=3), st.booleans(), st.sampled_from([None, 1]))
def test_every_event_is_one_record_whatever_its_neighbours_are(
    events: list[Any], escaped: bool, indent: int | None
) -> None:
    def dumped(said: Any) -> bytes:
        return json.dumps(said, ensure_ascii=escaped, indent=indent).encode("utf-8", "replace")

    together, alone = take(dumped(events)), [take(dumped([said])) for said in events]
    assert together.events == [sent.event for sent in alone]
    made = together.made
    assert summed(made) == len(events)
    assert together.said["failed"] == len(made.failed)


@some_examples
@given(
    st.binary(max_size=40) | EVENTS.map(lambda said: json.dumps([said, said]).encode()),
    st.integers(0, 40),
    st.sampled_from([b"\n", b"\xff", b"\\", b"NaN", b'"', b"{", b"}", b",", b"\x1f\x8b", b"1e999", b"\x00"]),
    st.sampled_from(["", "gzip", "deflate"]),
)
def test_any_bytes_are_lines_or_refused(body: bytes, place: int, broken: bytes, coding: str) -> None:
    body = body[:place] + broken + body[place:]
    for collector, headers in ((OPEN, {}), (STRICT, {"x-write-key": KEY, "dnt": "1"})):
        sent = send(PATH, body, collector=collector, headers={**headers, "content-encoding": coding})
        assert sent.answer.status in ({200, 400} if sent.lines else {400, 413, 415})
        assert all(line.endswith(b"}\n") and line.count(b"\n") == 1 for line in sent.lines)
        if sent.lines:
            assert summed(sent.made) == len(sent.lines)


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", sorted(DOCS.glob("dialect-*.md")), ids=lambda page: page.stem)
def test_a_page_s_routes_and_requests_are_the_collector_s(page: Path) -> None:
    text = page.read_text()
    paths = {route.path for route in ROUTES}
    for url, said in re.findall(r"curl http://127\.0\.0\.1:4566/collect(/\S+) (.*?)\n```", text, re.DOTALL):
        headers = {name.lower(): value for name, value in re.findall(r"-H '([^:]+): ([^']+)'", said)}
        sent = send(url, re.findall(r"-d '(.*)'", said, re.DOTALL)[0].encode(), collector=OPEN, headers=headers)
        assert (sent.answer.status in {200, 204}, len(sent.made.rows)) == (True, 1)
    assert any(path in text for path in paths)
