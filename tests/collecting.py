"""The collector as the tests of dialects see it: a request in, lines and rows out. No server, no waiting."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from clicklake.collector.collect import Collector
from clicklake.collector.request import Answer, Request, RequestError
from clicklake.collector.settings import Settings, Site
from transforming import Made, transform

KEY = "key-1"
NOW = 1_764_152_098  # 2025-11-26 10:14:58, two seconds before the object that transform() makes is received
ADDRESS = "198.51.100.77"
AGENT = "Agent/1.0 of the request"
BASE = "https://in.shop.example/collect"
COLLECTOR = Collector(Settings(sites=(Site("shop", KEY),)), lambda: NOW, lambda: "new-id")
BLOG_KEY, OLD_KEY = "key-blog", "key-0"
TWO_SITES = Collector(
    Settings(sites=(Site("shop", KEY), Site("shop", OLD_KEY), Site("blog", BLOG_KEY))), lambda: NOW, lambda: "new-id"
)
OPEN = Collector(Settings(), lambda: NOW, lambda: "new-id")
LINEAGE = {"raw_key", "raw_offset", "record_index", "processor_version", "received_ts", "event_date", "late_by_seconds"}


@dataclass(frozen=True)
class Sent:
    """What a request became."""

    answer: Answer
    lines: list[bytes]

    @property
    def said(self) -> Any:
        return json.loads(self.answer.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines]

    @property
    def event(self) -> dict[str, Any]:
        (event,) = self.events
        return event

    @property
    def made(self) -> Made:
        return transform(*self.lines)

    @property
    def row(self) -> dict[str, Any]:
        """Without what every row has of its object; `properties` read."""
        row = {name: value for name, value in self.made.row.items() if name not in LINEAGE}
        return {**row, "properties": json.loads(row["properties"])}


def send(
    path: str,
    body: Any = b"",
    *,
    method: str = "POST",
    query: dict[str, str] | None = None,
    collector: Collector = COLLECTOR,
    headers: dict[str, str] | None = None,
) -> Sent:
    """A body that is no bytes is sent as JSON. A refusal has no lines."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    asked = urlencode(query) if query else ""
    request = Request(method, path, asked, {"user-agent": AGENT, **(headers or {})}, text, ADDRESS, BASE)
    refused = collector.admit(request)
    if refused is not None:
        return Sent(refused, [])
    try:
        collected = collector.collect(request)
    except RequestError as error:
        return Sent(collector.refused(request, error), [])
    return Sent(collected.answer, collected.lines.splitlines(keepends=True))


def outcome(sent: Sent) -> Any:
    """What arrives in the lake, but for where in the raw object it stood."""
    made = sent.made
    rows = [{name: value for name, value in row.items() if name not in LINEAGE} for row in made.rows]
    failed = [(row["record_index"], row["failure_type"], row["errors"]) for row in made.failed]
    return sent.answer.status, rows, failed, made.ledger["dropped_values"], made.ledger["misplaced_values"]


# For what is cheap, on a machine that is busy.
some_examples = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])

# --- random payloads -------------------------------------------------------------------------------------------------


def payloads(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects that have mostly these names at every depth; no two of their leaves are equal."""
    leaves = st.one_of(st.text(max_size=3), st.integers(), st.floats(allow_nan=False), st.booleans(), st.none())
    keys = st.sampled_from(names) | st.text(max_size=3)
    values = st.recursive(
        leaves, lambda v: st.lists(v, max_size=3) | st.dictionaries(keys, v, max_size=5), max_leaves=8
    )
    return st.dictionaries(keys, values, max_size=8).map(numbered)


def numbered(value: Any) -> Any:
    """The same with leaves of its own: texts and numbers tell which they were."""
    count = iter(range(1000, 10**9))

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: walk(inner) for name, inner in value.items()}
        if isinstance(value, list):
            return [walk(inner) for inner in value]
        if isinstance(value, str):
            return f"text-{next(count)}" if value else value
        if value is None or isinstance(value, bool):
            return value
        return next(count) + (0.5 if isinstance(value, float) else 0)

    return walk(value)


def leaves(value: Any) -> Iterator[Any]:
    """Every text and number but the empty ones, at any depth."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        if value not in ("", None) and not isinstance(value, bool):
            yield value
        return
    for inner in value:
        yield from leaves(inner)
