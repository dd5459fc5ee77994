"""The collector as a Lambda function: payload format 2.0 in and out, and the walk of unsigned requests to SQL through an HTTP
API, from the very zip that is deployed."""

import base64
import json
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

import collector_walk
from clicklake import package
from clicklake.collector.collect import Collector
from clicklake.collector.direct import Direct
from clicklake.collector.function import Function, request_of
from clicklake.collector.settings import Cookie, Settings, Site
from clicklake.errors import RefusedError
from clicklake.producer.stream import Answer
from collector_walk import KEY, ORIGIN, send
from endpoint_process import EndpointProcess
from terraform_source import MODULE

ACCOUNT, REGION, NAME = "000000000000", "us-east-1", "collector"
SETTINGS = {
    "sites": [{"app_id": "shop", "write_key": KEY, "origins": [ORIGIN]}],
    "trusted_proxies": 1,
    "consent": "anonymise",
}


# --- payload 2.0 -----------------------------------------------------------------------------------------------------


def event(path: str = "/v1/events", body: str = "", *, stage: str = "$default", **more: Any) -> dict[str, Any]:
    """As docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html shows one."""
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "write_key=k",
        "headers": {"host": "a1.execute-api.eu-central-1.amazonaws.com", "x-forwarded-proto": "https"},
        "requestContext": {
            "domainName": "a1.execute-api.eu-central-1.amazonaws.com",
            "http": {"method": "POST", "path": path, "sourceIp": "192.0.2.1"},
            "stage": stage,
        },
        "body": body,
        "isBase64Encoded": False,
    } | more


@pytest.mark.parametrize(
    ("path", "stage", "found", "below"),
    [
        ("/v1/events", "$default", "/v1/events", ""),
        ("/prod/v1/events", "prod", "/v1/events", "/prod"),
        ("/collect/v1/events", "$default", "/v1/events", "/collect"),
        ("/prod/collect/v1/events", "prod", "/v1/events", "/prod/collect"),
        ("/production/v1/events", "prod", "/production/v1/events", ""),
        ("/collector", "$default", "/collector", ""),
        ("/prod", "prod", "/", "/prod"),
    ],
)
def test_a_path_is_read_without_its_stage_and_without_collect(path: str, stage: str, found: str, below: str) -> None:
    request = request_of(event(path, stage=stage))
    assert request.path == found
    assert request.base == f"https://a1.execute-api.eu-central-1.amazonaws.com{below}"


@pytest.mark.parametrize(
    ("forwarded", "left"),
    [
        ("192.0.2.1", ""),
        ("203.0.113.7,192.0.2.1", "203.0.113.7"),
        ("203.0.113.7, 198.51.100.2, 192.0.2.1", "203.0.113.7, 198.51.100.2"),
        ("203.0.113.7", "203.0.113.7"),
    ],
)
def test_the_gateways_own_hop_is_no_hop_of_a_proxy(forwarded: str, left: str) -> None:
    request = request_of(event(headers={"x-forwarded-for": forwarded}))
    assert request.peer == "192.0.2.1"
    assert request.header("x-forwarded-for") == left


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({"body": "héllo"}, "héllo".encode()),
        ({"body": base64.b64encode(b"\x1f\x8b\x00").decode(), "isBase64Encoded": True}, b"\x1f\x8b\x00"),
        ({"body": None}, b""),
    ],
)
def test_a_body_is_the_bytes_that_were_sent(more: dict[str, Any], body: bytes) -> None:
    assert request_of(event(**more)).body == body


def test_cookies_are_one_header_and_names_are_in_lower_case() -> None:
    request = request_of(event(cookies=["a=1", "b=2"], headers={"User-Agent": "x", "Host": "in.shop.example"}))
    assert request.headers["cookie"] == "a=1; b=2"
    assert request.headers["user-agent"] == "x"
    assert request.base == "https://in.shop.example"


def test_a_cookie_is_set_and_known_again() -> None:
    settings = Settings(sites=(Site("shop", "k"),), cookie=Cookie(domain="shop.example"))
    stream = Throttled(0, takes=0)
    function = Function(Collector(settings, lambda: 1e9, lambda: "0190-new-id"), Direct(stream))
    for cookies, known in ([], "0190-new-id"), (["a=b", "clid=0190-old-id"], "0190-old-id"):
        said = function.answer(event(body='{"event_type": "x"}', cookies=cookies), 10)
        (cookie,) = said["cookies"]
        assert cookie.startswith(f"clid={known}; ")
        assert {"Secure", "HttpOnly", "Domain=shop.example"} <= set(cookie.split("; "))
        assert "set-cookie" not in said["headers"]
        assert json.loads(stream.taken[-1])["anonymous_id"] == known


class Throttled:
    """A stream that for so many `calls` takes the first `takes` records, and asks for patience for the rest."""

    def __init__(self, calls: int, takes: int) -> None:
        self.left, self.takes, self.taken, self.now = calls, takes, list[bytes](), 0.0

    def put(self, records: Sequence[bytes]) -> Answer:
        self.now += 0.05
        taken = self.takes if self.left else len(records)
        self.taken += records[:taken]
        if taken >= len(records):
            return Answer()
        self.left -= 1
        error = RefusedError("ServiceUnavailableException: Slow down.", code="ServiceUnavailableException")
        return Answer(range(taken, len(records)), error, too_fast=True)

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def asked(stream: Throttled, seconds: float) -> dict[str, Any]:
    """Of a function that may run for so long, with a batch of several records."""
    direct = Direct(stream, clock=lambda: stream.now, sleep=stream.sleep, jitter=lambda: 1.0)
    collector = Collector(Settings(sites=(Site("shop", KEY),)), lambda: 1e9, lambda: "id")
    lines = "".join(json.dumps({"event_type": "x", "event_id": str(n), "pad": "p" * 60_000}) + "\n" for n in range(9))
    return Function(collector, direct).answer(event(body=lines, rawQueryString=f"write_key={KEY}"), seconds)


def test_what_firehose_did_not_take_is_put_again_and_nothing_else() -> None:
    stream = Throttled(2, takes=1)
    assert asked(stream, 10)["statusCode"] == 200
    ids = [json.loads(line)["event_id"] for record in stream.taken for line in record.splitlines()]
    assert sorted(ids) == [str(n) for n in range(9)]


@pytest.mark.parametrize("seconds", [10, 6, 1, 0])
def test_patience_ends_before_the_function_does(seconds: float) -> None:
    stream = Throttled(10_000, takes=0)
    said = asked(stream, seconds)
    assert said["statusCode"] == 429
    assert int(said["headers"]["retry-after"]) >= 1
    assert stream.now <= max(seconds - 4, 1)


# --- deployed --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return package.build(out=tmp_path_factory.mktemp("package") / "collector.zip", contents=package.COLLECTOR)


@pytest.fixture(scope="module")
def stream(stack: EndpointProcess) -> str:
    (name,) = stack.client("firehose").list_delivery_streams()["DeliveryStreamNames"]
    return str(name)


@pytest.fixture(scope="module")
def url(stack: EndpointProcess, built: Path, stream: str) -> str:
    """The function behind an API that has the module's routes."""
    arn = deploy(stack.client("lambda"), NAME, built, stream)
    gateway = stack.client("apigatewayv2")
    api = gateway.create_api(Name="collector", ProtocolType="HTTP")
    kind = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
    integration = gateway.create_integration(ApiId=api["ApiId"], IntegrationUri=arn, **kind)["IntegrationId"]
    for key in ("POST /v1/events", "POST /v1/batch", "GET /i", "POST /collect/{proxy+}", "OPTIONS /{proxy+}"):
        gateway.create_route(ApiId=api["ApiId"], RouteKey=key, Target=f"integrations/{integration}")
    gateway.create_stage(ApiId=api["ApiId"], StageName="$default", AutoDeploy=True)
    return str(api["ApiEndpoint"])


def deploy(functions: Any, name: str, zipped: Path, stream: str) -> str:
    variables = {"CLICKLAKE_DELIVERY_STREAM": stream, "CLICKLAKE_COLLECTOR": json.dumps(SETTINGS)}
    made = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=f"arn:aws:iam::{ACCOUNT}:role/function",
        Handler="clicklake.collector.function.handler",
        Code={"ZipFile": zipped.read_bytes()},
        Timeout=10,
        Environment={"Variables": variables},
    )
    functions.add_permission(
        FunctionName=name,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*",
    )
    return str(made["FunctionArn"])


def test_what_is_sent_unsigned_is_a_row(url: str, stack: EndpointProcess) -> None:
    collector_walk.walk(url, stack.client, "clickstream-lake-dev", "walk")


def test_a_function_url_answers_as_the_api_does(url: str, stack: EndpointProcess) -> None:
    functions = stack.client("lambda")
    door = functions.create_function_url_config(FunctionName=NAME, AuthType="NONE")["FunctionUrl"].rstrip("/")
    for action, only in (
        ("lambda:InvokeFunctionUrl", {"FunctionUrlAuthType": "NONE"}),
        ("lambda:InvokeFunction", {"InvokedViaFunctionUrl": True}),
    ):
        statement = {"StatementId": action.partition(":")[2], "Action": action, "Principal": "*"}
        functions.add_permission(FunctionName=NAME, **statement, **only)
    body = b'{"event_type": "page_view"}'
    for base in (door, url):
        taken = send(f"{base}/v1/events?write_key={KEY}", body, **collector_walk.PAGE)
        assert (taken.status, taken.json()) == (200, {"accepted": 1, "failed": 0})
        assert taken.headers["access-control-allow-origin"] == ORIGIN
        assert send(f"{base}/v1/events", body).status == 401
    assert send(f"{door}/health", method="HEAD").status == 200


def test_a_stream_that_is_not_there_is_503_and_nothing_of_the_event_is_logged(
    url: str, stack: EndpointProcess, built: Path
) -> None:
    """Nobody would know that it is lost otherwise."""
    functions = stack.client("lambda")
    functions.update_function_configuration(
        FunctionName=NAME,
        Environment={"Variables": {"CLICKLAKE_DELIVERY_STREAM": "none", "CLICKLAKE_COLLECTOR": json.dumps(SETTINGS)}},
    )
    body = json.dumps({"event_type": "a-secret-event", "user_id": "somebody"}).encode()
    answer = send(f"{url}/v1/events?write_key={KEY}", body, origin=ORIGIN)
    assert (answer.status, answer.json()["error"]["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    logged = "".join(
        line["message"] for line in stack.client("logs").filter_log_events(logGroupName=f"/aws/lambda/{NAME}")["events"]
    )
    assert "ResourceNotFoundException" in logged
    assert not [secret for secret in ("a-secret-event", "somebody", KEY, "127.0.0.1") if secret in logged]


def test_a_payload_of_another_format_is_refused_with_what_to_do(stack: EndpointProcess, url: str) -> None:
    said = stack.client("lambda").invoke(FunctionName=NAME, Payload=json.dumps({"version": "1.0", "path": "/"}))
    assert json.load(said["Payload"])["statusCode"] == 500
    assert "FunctionError" not in said


# --- as it is deployed -----------------------------------------------------------------------------------------------


def test_the_module_has_a_route_for_every_path_that_a_dialect_has() -> None:
    from clicklake.collector.dialects import ROUTES

    text = (MODULE / "collector.tf").read_text()
    _, _, listed = text.partition("collector_routes = toset([")
    lines = listed.partition("])")[0]
    named = {part for line in lines.splitlines() for part in line.partition(" #")[0].split('"')[1::2]}
    wanted = {f"{route.method} {route.path}" for route in ROUTES} | {"GET /health", "GET /openapi.json"}
    assert {key for key in named if "{proxy+}" not in key} == wanted
    assert {key for key in named if "{proxy+}" in key} == {
        *(f"{method} /collect/{{proxy+}}" for method in ("GET", "POST")),
        "OPTIONS /{proxy+}",
    }


def test_a_start_loads_neither_asyncio_nor_the_lake(built: Path, tmp_path: Path) -> None:
    """Each start is somebody's request that waits."""
    with zipfile.ZipFile(built) as archive:
        archive.extractall(tmp_path)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import clicklake.collector.function as f; "
        f"assert f.__file__.startswith({str(tmp_path)!r}), f.__file__; print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    assert not loaded & {
        "asyncio",
        "uvicorn",
        "clicklake.producer.producer",
        "clicklake.pipeline",
    }
    transform = {name for name in loaded if name.startswith("clicklake.transform")}
    assert transform == {"clicklake.transform", "clicklake.transform.redact"}
