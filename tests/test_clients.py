"""Real clients, unmodified, as npm and PyPI have them, against `clicklake up`: all that they say they sent is in the lake,
once, with the right fields. Where Node, its packages or Chromium are absent they are skipped, and say so (real_clients.py).
"""

import http.server
import json
import re
import shutil
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, ClassVar

import pytest

from athena_client import Queries
from collector_process import CollectorProcess
from endpoint_process import EndpointProcess, eventually, running
from real_clients import EXAMPLES, ROOT, chromium, copy_of_examples, free_port, has_node, node, run, served

Row = dict[str, Any]
COLUMNS = (
    "app_id, event_id, event_type, platform, event_ts, anonymous_id, user_key, session_id, page_url, page_title, "
    "referrer, utm_source, user_agent, browser, ip_truncated, locale, value, currency, properties"
)
SHOP = "shop"  # the site with the page
ALONE = "alone"  # the site of a collector of its own


def write_key(app_id: str) -> str:
    return f"key-of-{app_id}"


def sites(*app_ids: str) -> list[dict[str, str]]:
    named = [{"app_id": app_id, "write_key": write_key(app_id)} for app_id in app_ids]
    return [*named, {"app_id": "demo", "write_key": "demo"}]  # docs/sending.md's


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]) -> Iterator[EndpointProcess]:
    """A site for each sender, so that its rows can be told from the others'."""
    data_dir = stack_copy(tmp_path_factory.mktemp("clients") / "data")
    yield from running(data_dir, CLICKLAKE_COLLECTOR=json.dumps({"sites": sites(SHOP, *SENT, *VARIANTS)}))


@pytest.fixture(scope="module")
def collector(lake: EndpointProcess) -> str:
    return f"{lake.url}/collect"


def rows(lake: EndpointProcess, condition: str, count: int) -> list[Row]:
    """Of the table without repeats, once there are `count` of them, or after 20 seconds."""
    queries = Queries(lake.client("athena"), "clickstream_db")
    sql = f"SELECT {COLUMNS} FROM clickstream_events_unique WHERE {condition} ORDER BY event_ts, event_type"
    names = COLUMNS.split(", ")
    there: list[Row] = []

    def are_all_there() -> bool:
        there[:] = [dict(zip(names, row, strict=True)) for row in queries.rows(sql, WorkGroup="clickstream-dev")]
        return len(there) >= count

    eventually(are_all_there)
    return [row | {"properties": json.loads(row["properties"] or "{}")} for row in there]


def time_of(row: Row) -> datetime:
    return datetime.fromisoformat(row["event_ts"]).replace(tzinfo=UTC)


# --- a browser -------------------------------------------------------------------------------------------------------

# What each tracker calls it, and what it is in the lake.
TYPES = {
    "plain": {"page_view": "page_view", "add_to_cart": "add_to_cart", "identify": "identify"},
    "segment": {"page": "page_view", "Product Added": "Product Added", "identify": "identify"},
    "snowplow": {"pv": "page_view", "se": "event", "ue": "login"},
}


Change = tuple[str, str, str]  # a file in examples/web, what stands there, and what instead


def walk(lake: EndpointProcess, folder: Path, app_id: str, *changes: Change, port: int = 0) -> dict[str, Any]:
    """What Chromium, led by tests/clients/walk.mjs, says of its visit to examples/web. Between the page and the collector
    is a wire that can be cut: `wire` is its end at the page, `port` the other, `lake`'s if it is not told."""
    programs = [node(), chromium()]
    near, far = str(free_port()), str(port or lake.port)
    wire = f"http://127.0.0.1:{near}"
    examples = copy_of_examples(folder / "examples", f"{wire}/collect", write_key(app_id))
    for name, old, new in changes:
        text = (examples / "web" / name).read_text()
        assert old in text
        (examples / "web" / name).write_text(text.replace(old, new))
    shutil.copy(ROOT / "tests/clients/walk.mjs", examples)
    with served(examples) as url:
        done = run(programs[0], "walk.mjs", url, programs[1], near, far, cwd=examples)
        assert done.returncode == 0, done.stderr
        said: dict[str, Any] = json.loads(done.stdout)
        return said | {"url": url, "wire": wire}


def told_and_kept(lake: EndpointProcess, visit: dict[str, Any], app_id: str) -> list[tuple[Row, Row]]:
    """Each event that the page says it tracked, with its row; there is no other row, and none lacks."""
    found = rows(lake, f"app_id = '{app_id}'", len(visit["said"]))
    tracked = sorted(event["event_id"] for event in visit["said"])
    assert sorted(row["event_id"] for row in found) == tracked
    by_id = {row["event_id"]: row for row in found}
    return [(event, by_id[event["event_id"]]) for event in visit["said"]]


@pytest.fixture(scope="module")
def visit(lake: EndpointProcess, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return walk(lake, tmp_path_factory.mktemp("web"), SHOP)


@pytest.fixture(scope="module")
def of_the_page(lake: EndpointProcess, visit: dict[str, Any]) -> list[tuple[Row, Row]]:
    return told_and_kept(lake, visit, SHOP)


def test_every_event_that_the_page_tracked_is_one_row_and_there_is_no_other(of_the_page: list[tuple[Row, Row]]) -> None:
    """Through navigation, page hide and an absent network."""
    assert len(of_the_page) == 27
    for event, row in of_the_page:
        assert row["event_type"] == TYPES[event["tracker"]][event["event_type"]]
        assert abs(time_of(row) - datetime.fromisoformat(event["time"])) < timedelta(seconds=3)


# Other ways in which these trackers can be set up.
KEEPALIVE = "{ config: { keepalive: true } }"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data:; connect-src http://127.0.0.1:*"
)
CSP = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
VARIANTS: dict[str, Change] = {
    "segment-batches": ("segment.js", KEEPALIVE, '{ strategy: "batching", config: { size: 3, timeout: 500 } }'),
    "segment-by-its-settings": ("segment.js", "apiHost: `${address}/v1`,", ""),
    "segment-without-keepalive": ("segment.js", KEEPALIVE, "{}"),
    "with-a-content-security-policy": ("index.html", '<meta charset="utf-8">', f'<meta charset="utf-8">{CSP}'),
    "snowplow-pixel": ("snowplow.js", "keepalive: true,", 'eventMethod: "get",'),
    "snowplow-without-keepalive": ("snowplow.js", "keepalive: true,", ""),
}


@pytest.mark.minutes
@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_lost_however_the_trackers_are_set_up(variant: str, lake: EndpointProcess, tmp_path: Path) -> None:
    visit = walk(lake, tmp_path, variant, VARIANTS[variant])
    assert len(told_and_kept(lake, visit, variant)) == 27
    assert visit["refused"] == []


def test_the_page_asks_nobody_but_its_own_server_and_the_collector(visit: dict[str, Any]) -> None:
    assert {f"http://{host}" for host in visit["hosts"]} == {visit["url"].rstrip("/"), visit["wire"]}
    assert visit["refused"] == []
    assert visit["errors"] == []


def test_a_row_says_who_where_and_with_what(visit: dict[str, Any], of_the_page: list[tuple[Row, Row]]) -> None:
    for event, row in of_the_page:
        assert row["platform"] == "web"
        assert row["page_url"].startswith(visit["url"])
        assert row["user_agent"] == visit["user_agent"]
        assert row["browser"] == "HeadlessChrome"
        assert row["ip_truncated"] == "127.0.0.0/24"
        assert row["locale"] == "en-US"
        if row["event_type"] == "page_view" or event["tracker"] != "snowplow":  # which names it with page views alone
            assert row["page_title"] == visit["title"]
        is_cart = "utm_source" in event["page"]
        assert row["utm_source"] == ("newsletter" if is_cart else None)
        assert row["referrer"] == (visit["url"] if is_cart else None)


def test_a_visitor_is_one_for_each_tracker_and_the_user_the_same_for_all(
    visit: dict[str, Any], of_the_page: list[tuple[Row, Row]]
) -> None:
    visitors = {(event["tracker"], row["anonymous_id"]) for event, row in of_the_page}
    assert len(visitors) == 3
    assert ("plain", visit["anonymous_id"]) in visitors
    assert None not in {anonymous_id for _, anonymous_id in visitors}
    logins = {row["user_key"] for _, row in of_the_page if row["event_type"] in {"identify", "login"}}
    assert len(logins) == 1
    assert {row["user_key"] for _, row in of_the_page} == {None, *logins}
    for tracker, types in TYPES.items():
        first, *later = [row for event, row in of_the_page if event["tracker"] == tracker]
        assert first["user_key"] is None
        if tracker != "snowplow":  # whose user is to be set on each page
            assert {row["user_key"] for row in later[2:]} == logins, types


def test_what_was_told_of_an_event_is_in_its_properties(of_the_page: list[tuple[Row, Row]]) -> None:
    (plain, *_), (segment, *_), (snowplow, *_) = (
        [row for event, row in of_the_page if (event["tracker"], event["event_type"]) == told]
        for told in (("plain", "add_to_cart"), ("segment", "Product Added"), ("snowplow", "se"))
    )
    assert plain["properties"] == {"sku": "A-1"}
    assert segment["properties"]["sku"] == "A-1"
    for row in (plain, segment):
        assert (row["value"], row["currency"]) == ("12.5", "EUR")
    assert "A-1" in json.dumps(snowplow["properties"])
    logins = [row for event, row in of_the_page if event["event_type"] in {"identify", "ue"}]
    assert len(logins) == 3
    for row in logins:
        assert '"plan": "free"' in json.dumps(row["properties"])


@pytest.mark.minutes
def test_a_page_whose_events_are_refused_waits_and_keeps_what_may_be_taken_later(tmp_path: Path) -> None:
    """Pauses are every page's: without them, it would be a request a tenth of a second. Two modules of the page send."""
    programs = [node(), chromium()]
    port = str(free_port())
    examples = copy_of_examples(tmp_path / "examples", f"http://127.0.0.1:{port}/collect", "key")
    shutil.copy(ROOT / "tests/clients/refused.mjs", examples)
    with served(examples) as url:
        done = run(programs[0], "refused.mjs", url, programs[1], port, cwd=examples)
    assert done.returncode == 0, done.stderr
    asked, unasked, unreadable = json.loads(done.stdout)
    assert 1 <= asked["posts"] <= 2
    assert 1 <= unasked["posts"] <= 6
    assert (asked["left"], unasked["left"], unreadable["left"]) == (500, 500, 0)
    assert unreadable["largest"] <= 60_000


# --- servers ---------------------------------------------------------------------------------------------------------

CART = {"page_url": "https://shop.example/cart", "page_title": "Cart"}
PAID = {"value": "12.5", "currency": "EUR"}
VISITOR = {"anonymous_id": "a-17"}
SPOKEN_FOR = {**VISITOR, "user_agent": "Mozilla/5.0", "ip_truncated": "203.0.113.0/24", "platform": "server"}
_PLAIN = [("page_view", CART | SPOKEN_FOR), ("purchase", PAID | SPOKEN_FOR)]
_SEGMENT = [("Order Completed", PAID | SPOKEN_FOR), ("identify", SPOKEN_FOR), ("page_view", CART | SPOKEN_FOR)]
_SNOWPLOW = [("event", {"value": "12.5"} | SPOKEN_FOR), ("login", SPOKEN_FOR), ("page_view", CART | SPOKEN_FOR)]
# By example (the / is a - in its app_id): the rows that it makes, by event_type.
SENT: dict[str, list[tuple[str, Row]]] = {
    "curl-events.sh": [("page_view", CART | VISITOR), ("purchase", PAID | VISITOR)],
    "curl-segment.sh": [("Order Completed", CART | PAID | VISITOR)],
    "curl-snowplow.sh": [("page_view", CART | VISITOR)],
    "curl-ga4.sh": [("page_view", CART | VISITOR | {"session_id": "123"}), ("purchase", PAID | VISITOR)],
    "curl-cloudevents.sh": [("example.shop.order", {})],
    "python-plain.py": _PLAIN,
    "python-segment_sdk.py": _SEGMENT,
    "python-snowplow_sdk.py": _SNOWPLOW,
    "node-plain.mjs": _PLAIN,
    "node-segment.mjs": _SEGMENT,
    "node-snowplow.mjs": _SNOWPLOW,
}
PROGRAMS: dict[str, Callable[[], str]] = {".sh": lambda: "bash", ".py": lambda: sys.executable, ".mjs": node}


@pytest.fixture(scope="module")
def ran(collector: str) -> dict[str, "CompletedProcess[str]"]:
    """All examples but those whose program is not there, one after the other."""
    there = [app_id for app_id in SENT if not app_id.endswith(".mjs") or has_node()]
    return {app_id: run_example(app_id, collector, write_key(app_id)) for app_id in there}


def run_example(name: str, collector: str, key: str) -> "CompletedProcess[str]":
    file = EXAMPLES / name.replace("-", "/", 1)
    program = PROGRAMS[file.suffix]()
    return run(program, file, cwd=EXAMPLES, COLLECTOR=collector, WRITE_KEY=key)


@pytest.mark.parametrize("app_id", SENT)
def test_what_an_example_sends_is_in_the_lake(
    app_id: str, lake: EndpointProcess, ran: dict[str, "CompletedProcess[str]"]
) -> None:
    if app_id not in ran:
        node()  # says why not
    assert ran[app_id].returncode == 0, ran[app_id]
    found = sorted(rows(lake, f"app_id = '{app_id}'", len(SENT[app_id])), key=lambda row: str(row["event_type"]))
    assert [row["event_type"] for row in found] == [event_type for event_type, _ in SENT[app_id]]
    for row, (_, fields) in zip(found, SENT[app_id], strict=True):
        assert {name: row[name] for name in fields} == fields
        assert timedelta(seconds=-2) < datetime.now(UTC) - time_of(row) < timedelta(minutes=2)


class Impatient(http.server.BaseHTTPRequestHandler):
    """Refuses the first two tries, in ways that ask for another one."""

    came: ClassVar[list[float]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.came.append(time.monotonic())
        self.send_response((408, 429, 200)[len(self.came) - 1])
        self.send_header("Retry-After", "1")
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.mark.parametrize("name", ["python-plain.py", "node-plain.mjs"])
def test_an_example_that_is_asked_to_come_back_waits_as_long_as_it_is_told(name: str) -> None:
    Impatient.came.clear()
    with http.server.HTTPServer(("127.0.0.1", 0), Impatient) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run_example(name, f"http://127.0.0.1:{server.server_port}", "key")
        server.shutdown()
    first, second, third = Impatient.came
    assert (done.returncode, second - first >= 1, third - second >= 1) == (0, True, True)


def test_every_example_is_run() -> None:
    files = [file for folder in ("curl", "python", "node") for file in (EXAMPLES / folder).iterdir() if file.is_file()]
    names = {f"{file.parent.name}-{file.name}" for file in files}
    assert names == {*SENT, "python-producer.py"}


def test_the_producers_example_needs_no_collector(lake: EndpointProcess, tmp_path: Path) -> None:
    spool = {"CLICKLAKE_SPOOL": str(tmp_path)}
    done = run(sys.executable, EXAMPLES / "python/producer.py", cwd=tmp_path, **lake.environment(), **spool)
    assert done.returncode == 0, done.stderr
    found = rows(lake, "app_id IS NULL AND anonymous_id = 'a-17'", 2)
    assert sorted(row["event_type"] for row in found) == ["page_view", "purchase"]


def test_a_user_is_the_same_whoever_sends(lake: EndpointProcess, ran: dict[str, "CompletedProcess[str]"]) -> None:
    assert ran
    keys = {row["user_key"] for row in rows(lake, "user_key IS NOT NULL", 12)}
    assert len(keys) == 1


def test_a_page_may_ask_for_what_segments_client_sends_when_it_tries_again(collector: str) -> None:
    names = "authorization,x-retry-count"
    asked = {"Origin": "http://127.0.0.1:8000", "Access-Control-Request-Method": "POST"}
    request = urllib.request.Request(
        f"{collector}/v1/t", headers=asked | {"Access-Control-Request-Headers": names}, method="OPTIONS"
    )
    with urllib.request.urlopen(request) as answer:
        allowed = set(answer.headers["access-control-allow-headers"].split(", "))
    assert set(names.split(",")) <= allowed


@pytest.mark.minutes
def test_a_collector_of_ones_own_has_its_routes_at_the_root(lake: EndpointProcess, tmp_path: Path) -> None:
    """As on AWS: a URL without a path, which each client has to join with its own."""
    collector = CollectorProcess(
        tmp_path / "collector", {"sites": sites(ALONE)}, endpoint_url=lake.url, variables=lake.environment()
    )
    collector.start()
    try:
        names = [*SENT]
        done = [run_example(name, collector.url, write_key(ALONE)) for name in names]
        assert [name for name, one in zip(names, done, strict=True) if one.returncode] == []
        visit = walk(lake, tmp_path, ALONE, ("settings.js", "/collect", ""), port=collector.port)
        assert visit["refused"] == []
        count = sum(map(len, SENT.values()))
        assert len(rows(lake, f"app_id = '{ALONE}'", 27 + count)) == 27 + count
    finally:
        collector.stop()


# --- docs/sending.md -------------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs/sending.md").read_text()


def test_the_pages_commands_are_answered(lake: EndpointProcess, collector: str) -> None:
    blocks = re.findall(r"^```bash\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(blocks) == 4
    script = "".join(blocks).replace("http://127.0.0.1:4566/collect", collector)
    done = run("bash", "-euo", "pipefail", "-c", script, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('{"accepted":1,"failed":0}')
    found = rows(lake, "app_id = 'demo'", 3)
    assert sorted(row["event_type"] for row in found) == ["example.shop.order", "page_view", "page_view"]


def test_the_pages_snippets_are_pieces_of_the_examples() -> None:
    snippets = re.findall(r"^```(?:js|python)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    assert len(snippets) >= 6
    files = [file for folder in EXAMPLES.iterdir() if folder.name != "node_modules" for file in folder.rglob("*.*")]
    texts = [file.read_text() for file in files]
    assert [snippet for snippet in snippets if not any(snippet in text for text in texts)] == []
