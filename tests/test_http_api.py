"""HTTP APIs: signed-out requests through API Gateway to a function, as docs.aws.amazon.com/apigateway has it.

One API with one function does for most: what the function answers is what the test sent it.
"""

import base64
import json
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import deploy

ACCOUNT, REGION = "000000000000", "us-east-1"
SHOP = "https://shop.example"
SOURCE = """
import base64, json, time

def handler(event, context):
    path = event["rawPath"]
    if path.endswith("/answer"):
        return json.loads(event["body"])
    if path.endswith("/fail"):
        raise ValueError("no")
    if path.endswith("/slow"):
        time.sleep(1.0)
    return event
"""
ROUTES = (
    "GET /pets/dog/1",
    "GET /pets/dog/{id}",
    "GET /pets/{proxy+}",
    "ANY /pets/dog/1",
    "POST /v1/{proxy+}",
    "ANY /x",
    "GET /fail",
    "GET /forbidden",
    "POST /answer",
)

http = urllib3.PoolManager(retries=False, maxsize=20)


@dataclass(frozen=True)
class Api:
    """One API with the stage $default, which deploys itself; every route leads to the function `arn`."""

    gateway: Any
    id: str
    url: str
    arn: str
    integration: str

    def send(self, method: str, path: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return http.request(method, self.url + path, body=body, headers=named)

    def event(self, method: str, path: str, body: bytes | None = None, **headers: str) -> dict[str, Any]:
        """What the function got."""
        answer = self.send(method, path, body, **headers)
        assert answer.status == 200, answer.data
        got: dict[str, Any] = answer.json()
        return got

    def answered(self, said: Any) -> urllib3.BaseHTTPResponse:
        """The HTTP answer, if the function says so."""
        return self.send("POST", "/answer", json.dumps(said).encode(), content_type="application/json")

    def route(self, key: str, **settings: Any) -> str:
        target = f"integrations/{self.integration}"
        made = self.gateway.create_route(ApiId=self.id, RouteKey=key, Target=target, **settings)
        return str(made["RouteId"])


@pytest.fixture(scope="module")
def new_api(aws: Callable[..., Any]) -> Callable[..., Api]:
    def make(arn: str, **settings: Any) -> Api:
        gateway = aws("apigatewayv2")
        made = gateway.create_api(Name="collector", ProtocolType="HTTP", **settings)
        kind = {"IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0"}
        integration = gateway.create_integration(ApiId=made["ApiId"], IntegrationUri=arn, **kind)["IntegrationId"]
        gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
        return Api(gateway, made["ApiId"], made["ApiEndpoint"], arn, integration)

    return make


@pytest.fixture(scope="module")
def arn(aws: Callable[..., Any]) -> str:
    """A function that any API may call."""
    name = deploy(aws("lambda"), SOURCE)
    allow(aws("lambda"), name, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*")
    return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"


def allow(functions: Any, name: str, source: str, **more: Any) -> None:
    functions.add_permission(
        FunctionName=name,
        StatementId="gateway",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=source,
        **more,
    )


@pytest.fixture(scope="module")
def api(new_api: Callable[..., Api], arn: str) -> Api:
    made = new_api(arn)
    for key in ROUTES:
        made.route(key)
    return made


def message(answer: urllib3.BaseHTTPResponse) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/json"
    return answer.status, answer.json()["message"]


# The event


def test_a_function_gets_payload_format_2_0(api: Api, endpoint: EndpointProcess) -> None:
    before = time.time()
    sent = {"Content-Type": "application/json", "X-Two": "a", "Cookie": "a=1; b=2", "X-Forwarded-For": "203.0.113.9"}
    event = api.event("POST", "/v1/t%C3%BCr/2?q=1&q=%262&flag", b'{"a":1}', **sent, user_agent="shop/1")
    context = event["requestContext"]
    assert before - 1 <= context.pop("timeEpoch") / 1000 <= time.time()
    assert time.strptime(context.pop("time"), "%d/%b/%Y:%H:%M:%S +0000")
    assert len(context.pop("requestId")) == 16
    assert context == {
        "accountId": ACCOUNT,
        "apiId": api.id,
        "domainName": f"{api.id}.execute-api.{REGION}.amazonaws.com",
        "domainPrefix": api.id,
        "http": {
            "method": "POST",
            "path": "/v1/tür/2",
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": "shop/1",
        },
        "routeKey": "POST /v1/{proxy+}",
        "stage": "$default",
    }
    headers = event["headers"]
    assert headers.pop("x-amzn-trace-id").startswith("Root=1-")
    assert headers.pop("accept-encoding")
    assert headers == {
        "content-length": "7",
        "content-type": "application/json",
        "host": endpoint.url.removeprefix("http://"),
        "user-agent": "shop/1",
        "x-forwarded-for": "203.0.113.9, 127.0.0.1",
        "x-forwarded-port": str(endpoint.port),
        "x-forwarded-proto": "http",
        "x-two": "a",
    }
    assert {name: event[name] for name in event if name not in {"headers", "requestContext"}} == {
        "version": "2.0",
        "routeKey": "POST /v1/{proxy+}",
        "rawPath": "/v1/tür/2",
        "rawQueryString": "q=1&q=%262&flag",
        "cookies": ["a=1", "b=2"],
        "queryStringParameters": {"q": "1,&2", "flag": ""},
        "pathParameters": {"proxy": "tür/2"},
        "body": '{"a":1}',
        "isBase64Encoded": False,
    }


def test_what_a_request_does_not_have_is_not_in_the_event(api: Api) -> None:
    event = api.event("GET", "/x")
    optional = {"cookies", "queryStringParameters", "pathParameters", "stageVariables", "body"}
    assert not optional & event.keys()
    assert event["rawQueryString"] == ""
    assert event["isBase64Encoded"] is False


@pytest.mark.parametrize(
    ("kind", "is_text"),
    [
        ("text/plain;charset=UTF-8", True),
        ("application/json; charset=utf-8", True),
        ("application/xml", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("application/x-ndjson", False),
        ("application/octet-stream", False),
        ("", False),
    ],
)
def test_a_body_is_text_for_the_types_that_aws_calls_text(api: Api, kind: str, is_text: bool) -> None:
    event = api.event("POST", "/v1/a", "ä=1".encode(), **({"Content-Type": kind} if kind else {}))
    assert event["isBase64Encoded"] is not is_text
    assert event["body"] == ("ä=1" if is_text else base64.b64encode("ä=1".encode()).decode())


def test_a_body_that_is_no_text_is_base64_whatever_it_says(api: Api) -> None:
    event = api.event("POST", "/v1/a", b"\xff\x00", content_type="text/plain")
    assert base64.b64decode(event["body"]) == b"\xff\x00"
    assert event["isBase64Encoded"] is True


# Routes and stages


@pytest.mark.parametrize(
    ("method", "path", "key", "parameters"),
    [
        ("GET", "/pets/dog/1", "GET /pets/dog/1", None),
        ("GET", "/pets/dog/2?id=1", "GET /pets/dog/{id}", {"id": "2"}),
        ("GET", "/pets/cat/1", "GET /pets/{proxy+}", {"proxy": "cat/1"}),
        ("GET", "/pets/", "GET /pets/{proxy+}", {"proxy": ""}),
        ("POST", "/pets/dog/1", "ANY /pets/dog/1", None),
        ("DELETE", "/x", "ANY /x", None),
        ("OPTIONS", "/x", "ANY /x", None),
    ],
)
def test_the_most_specific_route_is_taken(
    api: Api, method: str, path: str, key: str, parameters: dict[str, str] | None
) -> None:
    event = api.event(method, path)
    assert event["routeKey"] == event["requestContext"]["routeKey"] == key
    assert event.get("pathParameters") == parameters


@pytest.mark.parametrize(("method", "path"), [("POST", "/pets/dog/2"), ("GET", "/pets"), ("GET", "/x/"), ("GET", "/")])
def test_a_request_without_a_route_is_not_found(api: Api, method: str, path: str) -> None:
    assert message(api.send(method, path)) == (404, "Not Found")


def test_an_api_that_is_not_there_is_not_found(api: Api, endpoint: EndpointProcess) -> None:
    assert message(http.request("GET", f"{endpoint.url}/_execute-api/nobody/x")) == (404, "Not Found")


def test_a_path_that_is_none_is_not_found(api: Api, endpoint: EndpointProcess) -> None:
    with socket.create_connection(("127.0.0.1", endpoint.port)) as connection:
        host = f"Host: {api.id}.execute-api.localhost\r\n".encode()
        connection.sendall(b"OPTIONS * HTTP/1.1\r\n" + host + b"Connection: close\r\n\r\n")
        assert connection.makefile("rb").readline().split()[1] == b"404"


def test_the_default_route_takes_what_no_other_does(new_api: Callable[..., Api], arn: str) -> None:
    api = new_api(arn)
    api.route("$default")
    api.route("GET /named")
    assert api.event("PATCH", "/any/thing")["routeKey"] == "$default"
    assert api.event("GET", "/named")["routeKey"] == "GET /named"


@pytest.mark.parametrize("domain", [f"execute-api.{REGION}.amazonaws.com", "execute-api.localhost"])
def test_an_api_answers_under_its_host_too(api: Api, endpoint: EndpointProcess, domain: str) -> None:
    answer = http.request("GET", f"{endpoint.url}/x", headers={"Host": f"{api.id}.{domain}:{endpoint.port}"})
    assert answer.json()["requestContext"]["domainName"] == f"{api.id}.{domain}"
    assert answer.json()["rawPath"] == "/x"


def test_a_stage_serves_what_was_deployed_under_its_name(new_api: Callable[..., Api], arn: str) -> None:
    api = new_api(arn)
    first = api.route("GET /first")
    gateway = api.gateway
    gateway.create_stage(ApiId=api.id, StageName="prod", StageVariables={"table": "events"})
    assert message(api.send("GET", "/prod/first")) == (404, "Not Found")
    gateway.create_deployment(ApiId=api.id, StageName="prod")
    gateway.delete_route(ApiId=api.id, RouteId=first)
    api.route("GET /second")
    event = api.event("GET", "/prod/first")
    assert event["rawPath"] == event["requestContext"]["http"]["path"] == "/prod/first"
    assert event["requestContext"]["stage"] == "prod"
    assert event["stageVariables"] == {"table": "events"}
    assert message(api.send("GET", "/prod/second")) == (404, "Not Found")
    assert api.event("GET", "/second")["requestContext"]["stage"] == "$default"
    assert message(api.send("GET", "/first")) == (404, "Not Found")


# Answers

INFERRED = ("application/json", 200)
PLAIN = "text/plain;charset=UTF-8"


@pytest.mark.parametrize(
    ("said", "status", "kind", "body"),
    [
        ({"a": 1}, 200, "application/json", b'{"a": 1}'),
        ("Hello", 200, "application/json", b"Hello"),
        ([1], 200, "application/json", b"[1]"),
        ({"statusCode": 202}, 202, PLAIN, b""),
        ({"statusCode": "201", "body": "ü"}, 201, PLAIN, "ü".encode()),
        ({"statusCode": 200, "body": "R0lG", "isBase64Encoded": True}, 200, PLAIN, b"GIF"),
        ({"statusCode": 200, "headers": {"Content-Type": "image/gif"}, "body": "x"}, 200, "image/gif", b"x"),
        ({"statusCode": 500, "body": "mine"}, 500, PLAIN, b"mine"),
    ],
)
def test_a_functions_answer_is_the_http_answer(api: Api, said: Any, status: int, kind: str, body: bytes) -> None:
    answer = api.answered(said)
    assert (answer.status, answer.headers["content-type"], answer.data) == (status, kind, body)
    assert answer.headers["apigw-requestid"]


def test_headers_and_cookies_of_an_answer_are_sent(api: Api) -> None:
    said = {
        "statusCode": 200,
        "headers": {"X-Number": 7, "X-Split": "a\r\nSet-Cookie: evil=1", "Connection": "close", "Content-Length": "9"},
        "cookies": ["id=1; Path=/", "b=2"],
        "body": "x",
    }
    answer = api.answered(said)
    assert answer.headers["x-number"] == "7"
    assert answer.headers.getlist("set-cookie") == ["id=1; Path=/", "b=2"]
    assert answer.headers["content-length"] == "1"
    assert "connection" not in answer.headers


@pytest.mark.parametrize(
    "said",
    [
        {"statusCode": "many"},
        {"statusCode": 99},
        {"statusCode": 200, "body": {"a": 1}},
        {"statusCode": 200, "body": "%", "isBase64Encoded": True},
        {"statusCode": 200, "headers": {"a b": "c"}},
        {"statusCode": 200, "headers": ["a"]},
    ],
)
def test_an_answer_that_is_none_is_an_internal_server_error(api: Api, said: Any) -> None:
    assert message(api.answered(said)) == (500, "Internal Server Error")


def test_a_function_that_fails_is_an_internal_server_error(api: Api) -> None:
    assert message(api.send("GET", "/fail")) == (500, "Internal Server Error")


def test_a_function_that_takes_longer_than_the_integration_allows_is_unavailable(
    new_api: Callable[..., Api], arn: str
) -> None:
    api = new_api(arn)
    api.route("GET /slow")
    api.gateway.update_integration(ApiId=api.id, IntegrationId=api.integration, TimeoutInMillis=50)
    assert message(api.send("GET", "/slow")) == (503, "Service Unavailable")


def test_a_function_without_free_concurrency_is_unavailable(
    new_api: Callable[..., Api], aws: Callable[..., Any]
) -> None:
    name = deploy(aws("lambda"), SOURCE)
    allow(aws("lambda"), name, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*")
    aws("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    api = new_api(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    api.route("GET /x")
    assert message(api.send("GET", "/x")) == (503, "Service Unavailable")


def test_a_route_that_the_functions_policy_does_not_name_may_not_call_it(
    new_api: Callable[..., Api], aws: Callable[..., Any]
) -> None:
    """And the policy that counts is the alias's, if the integration names one."""
    functions = aws("lambda")
    name = deploy(functions, SOURCE)
    version = functions.publish_version(FunctionName=name)["Version"]
    alias = functions.create_alias(FunctionName=name, Name="live", FunctionVersion=version)["AliasArn"]
    prefix = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions"
    api = new_api(f"{prefix}/{alias}/invocations")
    for key in ("GET /x", "GET /y"):
        api.route(key)
    assert message(api.send("GET", "/x")) == (500, "Internal Server Error")
    allow(functions, name, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api.id}/*/GET/x", Qualifier="live")
    assert api.event("GET", "/x")["routeKey"] == "GET /x"
    assert message(api.send("GET", "/y")) == (500, "Internal Server Error")


def test_slow_requests_do_not_hold_up_others(api: Api, new_api: Callable[..., Api], aws: Callable[..., Any]) -> None:
    name = deploy(aws("lambda"), SOURCE)
    allow(aws("lambda"), name, f"arn:aws:execute-api:{REGION}:{ACCOUNT}:*")
    slow = new_api(f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}")
    slow.route("GET /slow")
    slow.gateway.update_integration(ApiId=slow.id, IntegrationId=slow.integration, TimeoutInMillis=1500)
    with ThreadPoolExecutor(20) as threads:
        waiting = [threads.submit(slow.send, "GET", "/slow") for _ in range(20)]
        began = time.monotonic()
        assert [api.event("GET", "/x")["rawPath"] for _ in range(5)] == ["/x"] * 5
        assert time.monotonic() - began < 1.5
        assert {future.result().status for future in waiting} <= {200, 503}


# Limits


def test_a_body_over_10_mb_is_too_large(api: Api) -> None:
    answer = api.send("POST", "/v1/a", bytes(10 * 2**20 + 1), content_type="text/plain")
    assert message(answer) == (413, "Request Entity Too Large")


def test_an_event_over_what_lambda_takes_is_an_internal_server_error(api: Api) -> None:
    assert message(api.send("POST", "/v1/a", bytes(7 * 2**20))) == (500, "Internal Server Error")


def test_a_route_is_throttled_by_its_bucket(new_api: Callable[..., Api], arn: str) -> None:
    """The stage's settings are every route's that has none of its own; changed ones count at once."""
    api = new_api(arn)
    for key in ("GET /x", "GET /y"):
        api.route(key)
    settings = {
        "DefaultRouteSettings": {"ThrottlingRateLimit": 0.1, "ThrottlingBurstLimit": 2},
        "RouteSettings": {"GET /y": {"ThrottlingRateLimit": 0.0, "ThrottlingBurstLimit": 0}},
    }
    api.gateway.update_stage(ApiId=api.id, StageName="$default", **settings)
    assert [api.send("GET", "/x").status for _ in range(3)] == [200, 200, 429]
    assert message(api.send("GET", "/y")) == (429, "Too Many Requests")
    api.gateway.delete_route_settings(ApiId=api.id, StageName="$default", RouteKey="GET /y")
    assert api.send("GET", "/y").status == 200


# Browsers


@pytest.fixture(scope="module")
def shared(new_api: Callable[..., Api], arn: str) -> Api:
    cors = {
        "AllowOrigins": [SHOP, "http://*"],
        "AllowMethods": ["GET", "POST"],
        "AllowHeaders": ["content-type", "authorization"],
        "ExposeHeaders": ["date"],
        "AllowCredentials": True,
        "MaxAge": 300,
    }
    made = new_api(arn, CorsConfiguration=cors)
    for key in ("GET /x", "POST /answer"):
        made.route(key)
    return made


def told(answer: urllib3.BaseHTTPResponse) -> dict[str, str]:
    prefix = "access-control-"
    return {k.removeprefix(prefix): v for k, v in answer.headers.items() if k.startswith(prefix)}


@pytest.mark.parametrize("path", ["/x", "/nowhere"])
def test_the_gateway_answers_a_preflight(shared: Api, path: str) -> None:
    answer = shared.send("OPTIONS", path, origin=SHOP, access_control_request_method="POST")
    assert (answer.status, answer.data) == (204, b"")
    assert told(answer) == {
        "allow-origin": SHOP,
        "allow-credentials": "true",
        "allow-methods": "GET,POST",
        "allow-headers": "content-type,authorization",
        "max-age": "300",
    }


def test_an_origin_that_is_not_on_the_list_is_answered_without_permission(shared: Api) -> None:
    other = "https://elsewhere.example"
    preflight = shared.send("OPTIONS", "/x", origin=other, access_control_request_method="GET")
    assert (preflight.status, told(preflight)) == (204, {})
    answer = shared.send("GET", "/x", origin=other)
    assert (answer.status, told(answer)) == (200, {})


@pytest.mark.parametrize(("path", "status"), [("/x", 200), ("/nowhere", 404)])
def test_every_answer_to_an_allowed_origin_says_so(shared: Api, path: str, status: int) -> None:
    answer = shared.send("GET", path, origin="http://any.example:8000")
    assert answer.status == status
    allowed = {"allow-origin": "http://any.example:8000", "allow-credentials": "true", "expose-headers": "date"}
    assert told(answer) == allowed
    assert told(shared.send("GET", path)) == {}


def test_cors_headers_of_the_function_are_ignored_where_the_api_has_its_own(shared: Api, api: Api) -> None:
    said = {"statusCode": 200, "headers": {"Access-Control-Allow-Origin": "*"}}
    assert told(shared.answered(said)) == {}
    assert told(api.answered(said)) == {"allow-origin": "*"}


def test_without_credentials_every_origin_may_be_told_alike(new_api: Callable[..., Api], arn: str) -> None:
    api = new_api(arn, CorsConfiguration={"AllowOrigins": ["*"]})
    api.route("GET /x")
    assert told(api.send("GET", "/x", origin=SHOP)) == {"allow-origin": "*"}
    api.gateway.delete_cors_configuration(ApiId=api.id)
    answer = api.send("GET", "/x", origin=SHOP)
    assert (answer.status, told(answer)) == (200, {})  # the endpoint's gate lets every page's request in


# Access logs


def test_a_stage_logs_each_request_in_its_format(
    new_api: Callable[..., Api], arn: str, aws: Callable[..., Any]
) -> None:
    logs = aws("logs")
    logs.create_log_group(logGroupName="/http-api/access")
    api = new_api(arn)
    for key in ("GET /x", "GET /fail"):
        api.route(key)
    fields = ("routeKey", "status", "httpMethod", "path", "identity.userAgent", "integrationStatus", "authorizer.x")
    form = json.dumps({name: f"$context.{name}" for name in fields})
    arn_of_group = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/http-api/access"
    settings = {"DestinationArn": arn_of_group, "Format": form}
    api.gateway.update_stage(ApiId=api.id, StageName="$default", AccessLogSettings=settings)
    api.send("GET", "/x", user_agent='"quoted", \\ and more')
    api.send("GET", "/fail", user_agent="b")
    api.send("GET", "/nowhere%0A%7B%7D", user_agent="b")

    def lines() -> list[dict[str, str]]:
        found = logs.filter_log_events(logGroupName="/http-api/access")["events"]
        return [json.loads(event["message"]) for event in found] if len(found) == 3 else []

    assert [tuple(line[name] for name in fields) for line in eventually(lines)] == [
        ("GET /x", "200", "GET", "/x", '"quoted", \\ and more', "200", "-"),
        ("GET /fail", "500", "GET", "/fail", "b", "200", "-"),
        ("-", "404", "GET", "/nowhere\n{}", "b", "-", "-"),
    ]


def test_cloudwatch_has_the_apis_metrics(new_api: Callable[..., Api], arn: str, aws: Callable[..., Any]) -> None:
    api = new_api(arn)
    for key in ("GET /x", "GET /fail"):
        api.route(key)
    for path in ("/x", "/x", "/fail", "/nowhere"):
        api.send("GET", path)
    now = datetime.now(UTC)

    def points(metric: str, statistic: str) -> list[float]:
        asked = {
            "Namespace": "AWS/ApiGateway",
            "MetricName": metric,
            "Dimensions": [{"Name": "ApiId", "Value": api.id}, {"Name": "Stage", "Value": "$default"}],
            "StartTime": now - timedelta(minutes=2),
            "EndTime": now + timedelta(minutes=2),
            "Period": 60,
            "Statistics": [statistic],
        }
        return [each[statistic] for each in aws("cloudwatch").get_metric_statistics(**asked)["Datapoints"]]

    assert [sum(points(metric, "Sum")) for metric in ("Count", "4xx", "5xx")] == [4, 1, 1]
    assert sum(points("Latency", "SampleCount")) == 4
    assert sum(points("IntegrationLatency", "SampleCount")) == 3


# The control plane


def test_what_is_set_is_answered_and_can_be_changed(new_api: Callable[..., Api], arn: str) -> None:
    api = new_api(arn, Description="in", Tags={"a": "1"})
    gateway, id_ = api.gateway, {"ApiId": api.id}
    gateway.update_api(**id_, Name="other", Description="")
    found = gateway.get_api(**id_)
    assert (found["Name"], found.get("Description"), found["Tags"]) == ("other", None, {"a": "1"})
    assert found["ApiEndpoint"] in [each["ApiEndpoint"] for each in gateway.get_apis()["Items"]]
    resource = f"arn:aws:apigateway:{REGION}::/apis/{api.id}"
    for tagged in (resource, f"{resource}/stages/$default"):
        gateway.tag_resource(ResourceArn=tagged, Tags={"b": "2"})
        gateway.untag_resource(ResourceArn=tagged, TagKeys=["a"])
        assert gateway.get_tags(ResourceArn=tagged)["Tags"] == {"b": "2"}
    route = api.route("GET /x")
    gateway.update_route(**id_, RouteId=route, RouteKey="GET /y")
    assert [each["RouteKey"] for each in gateway.get_routes(**id_)["Items"]] == ["GET /y"]
    assert api.event("GET", "/y")["routeKey"] == "GET /y"
    gateway.update_stage(**id_, StageName="$default", StageVariables={"a": "1", "b": "2"})
    gateway.update_stage(**id_, StageName="$default", StageVariables={"a": ""}, Description="s")
    stage = gateway.get_stage(**id_, StageName="$default")
    assert (stage["StageVariables"], stage["Description"], stage["AutoDeploy"]) == ({"b": "2"}, "s", True)
    assert gateway.get_deployment(**id_, DeploymentId=stage["DeploymentId"])["AutoDeployed"] is True
    gateway.delete_api(**id_)
    assert message(api.send("GET", "/y")) == (404, "Not Found")
    assert api.id not in [each["ApiId"] for each in gateway.get_apis()["Items"]]


@pytest.mark.parametrize(
    ("operation", "settings", "code"),
    [
        ("create_route", {"RouteKey": "ANY /x"}, "ConflictException"),
        ("create_route", {"RouteKey": "GET /a/"}, "BadRequestException"),
        ("create_route", {"RouteKey": "FETCH /a"}, "BadRequestException"),
        ("create_route", {"RouteKey": "GET /{a+}/b"}, "BadRequestException"),
        ("create_route", {"RouteKey": "GET /a", "Target": "integrations/none"}, "BadRequestException"),
        ("create_stage", {"StageName": "$default"}, "ConflictException"),
        ("create_stage", {"StageName": "a", "RouteSettings": {"GET /no": {}}}, "NotFoundException"),
        ("create_stage", {"StageName": "a", "DeploymentId": "none"}, "NotFoundException"),
        ("create_stage", {"StageName": "a", "DefaultRouteSettings": {"LoggingLevel": "INFO"}}, "BadRequestException"),
        ("get_integration", {"IntegrationId": "none"}, "NotFoundException"),
        (
            "update_api",
            {"CorsConfiguration": {"AllowOrigins": ["*"], "AllowCredentials": True}},
            "BadRequestException",
        ),
    ],
)
def test_what_aws_refuses_is_refused(api: Api, operation: str, settings: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as e:
        getattr(api.gateway, operation)(ApiId=api.id, **settings)
    assert e.value.response["Error"]["Code"] == code


def test_an_integration_that_a_route_leads_to_stays(api: Api) -> None:
    with pytest.raises(ClientError, match="ConflictException"):
        api.gateway.delete_integration(ApiId=api.id, IntegrationId=api.integration)


PROXY = {"IntegrationType": "HTTP_PROXY", "IntegrationUri": "https://example.com", "PayloadFormatVersion": "1.0"}


@pytest.mark.parametrize(
    ("operation", "settings", "named"),
    [
        ("create_api", {"Name": "a", "ProtocolType": "WEBSOCKET"}, "WebSocket APIs"),
        ("create_api", {"Name": "a", "ProtocolType": "HTTP", "Target": "arn"}, "quick create"),
        ("create_integration", {**PROXY, "IntegrationMethod": "POST"}, "other integrations than AWS_PROXY"),
        ("create_integration", {**PROXY, "IntegrationType": "AWS_PROXY", "ConnectionType": "VPC_LINK"}, "VPC links"),
        ("create_integration", {**PROXY, "IntegrationType": "AWS_PROXY"}, "payload format 1.0"),
        ("create_route", {"RouteKey": "GET /j", "AuthorizationType": "JWT"}, "authorizers"),
        ("create_authorizer", {"AuthorizerType": "JWT", "IdentitySource": ["a"], "Name": "a"}, "authorizers"),
        ("create_vpc_link", {"Name": "a", "SubnetIds": ["s"]}, "VPC links"),
        ("create_domain_name", {"DomainName": "a.example"}, "mutual TLS"),
    ],
)
def test_what_can_not_be_done_here_is_refused_by_name(
    api: Api, operation: str, settings: dict[str, Any], named: str
) -> None:
    of_an_api = {} if operation in {"create_api", "create_vpc_link", "create_domain_name"} else {"ApiId": api.id}
    with pytest.raises(ClientError, match="localaws has no") as e:
        getattr(api.gateway, operation)(**of_an_api, **settings)
    assert named in e.value.response["Error"]["Message"]


def test_an_operation_on_what_can_not_be_there_is_refused_by_name(api: Api) -> None:
    with pytest.raises(ClientError, match="localaws does not do GetVpcLink of HTTP APIs"):
        api.gateway.get_vpc_link(VpcLinkId="a")


def test_an_api_survives_a_crash(api: Api, endpoint: EndpointProcess) -> None:
    """The last test: the endpoint's first requests after it are slow."""
    before = api.gateway.get_api(ApiId=api.id), api.gateway.get_stages(ApiId=api.id)["Items"]
    endpoint.kill()
    endpoint.start()
    gateway = endpoint.client("apigatewayv2")
    after = gateway.get_api(ApiId=api.id), gateway.get_stages(ApiId=api.id)["Items"]
    for answer in (before[0], after[0]):
        del answer["ResponseMetadata"]
    assert after == before
    assert api.event("GET", "/x")["routeKey"] == "ANY /x"
