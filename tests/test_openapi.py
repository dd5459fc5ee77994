"""The collector's description of itself is OpenAPI 3.1, and says what the routes do."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis import openapi as schemathesis_openapi

from clicklake.collector import settings as told
from clicklake.collector.collect import Collector
from clicklake.collector.dialects import ROUTES
from clicklake.collector.request import Answer, Request

SITES = '{"sites": [{"app_id": "shop", "write_key": "key-of-the-shop"}]}'


def asked(base: str = "http://127.0.0.1:4580", settings: str = SITES) -> Any:
    answer = ask(Request("GET", "/openapi.json", base=base), settings)
    assert answer.status == 200
    assert answer.content_type == "application/json"
    return json.loads(answer.body)


def ask(request: Request, settings: str = SITES) -> Answer:
    collector = Collector(told.read(settings), lambda: 0.0, lambda: "id")
    return collector.admit(request) or collector.collect(request).answer


@pytest.fixture(scope="module")
def document() -> Any:
    return asked()


def schemas(said: Any) -> Iterator[Any]:
    if isinstance(said, dict):
        if "schema" in said:
            yield said["schema"]
        for value in said.values():
            yield from schemas(value)
    elif isinstance(said, list):
        for value in said:
            yield from schemas(value)


def test_it_is_openapi_3_1_and_nobody_needs_a_key_to_read_it(document: Any) -> None:
    assert document["openapi"].startswith("3.1")
    schema = schemathesis_openapi.from_dict(document)
    schema.validate()  # against the specification's own JSON Schema
    described = {(method.upper(), path) for path, said in document["paths"].items() for method in said}
    assert described == {(route.method, route.path) for route in ROUTES} | {("GET", "/openapi.json")}


def test_every_json_schema_in_it_is_one(document: Any) -> None:
    found = list(schemas(document["paths"]))
    assert len(found) > len(ROUTES)
    for schema in found:
        Draft202012Validator.check_schema(schema)


def test_its_server_is_where_it_was_asked_for() -> None:
    assert asked("https://shop.example/collect")["servers"] == [{"url": "https://shop.example/collect"}]
    assert asked("")["servers"] == [{"url": "/"}]


def test_every_route_that_takes_events_says_how_it_refuses(document: Any) -> None:
    for route in ROUTES:
        if route.is_public:
            continue
        said = document["paths"][route.path][route.method.lower()]
        assert {"413", "429", "503"} <= said["responses"].keys(), route.path
        for status in ("429", "503"):
            assert "Retry-After" in said["responses"][status]["headers"], route.path
        assert {"basic": []} in said["security"]
        assert said["summary"]


def test_operations_have_names_of_their_own(document: Any) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


def test_a_foreign_page_may_not_read_it() -> None:
    assert ask(Request("GET", "/openapi.json", headers={"origin": "https://elsewhere.example"})).status == 403
