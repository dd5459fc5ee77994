"""An HTTP API made by Terraform with the real AWS provider: it answers anybody, and the second plan is empty."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import urllib3

from endpoint_process import EndpointProcess, eventually, running
from lambda_functions import package
from terraform_stack import ROOT, Terraform, offline

pytestmark = [pytest.mark.terraform, pytest.mark.minutes, pytest.mark.timeout(300)]

SOURCE = "def handler(event, context):\n    return {'route': event['routeKey'], 'body': event.get('body')}\n"
_UNCHANGED = 0  # plan -detailed-exitcode: 2 means that there is something to do
http = urllib3.PoolManager(retries=False)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    yield from running(tmp_path_factory.mktemp("endpoint") / "data", "--bare")


@pytest.fixture(scope="module")
def terraform(tmp_path_factory: pytest.TempPathFactory, endpoint: EndpointProcess) -> Terraform:
    root: Path = tmp_path_factory.mktemp("terraform")
    shutil.copytree(ROOT / "tests/terraform_http_api", root / "api")
    (root / "api/function.zip").write_bytes(package(SOURCE))
    made = offline(root, "api")
    made = replace(made, environment={**endpoint.environment(), **made.environment})
    made.must("apply", "-auto-approve", seconds=200)
    return made


def send(url: str, method: str, path: str, **headers: str) -> urllib3.BaseHTTPResponse:
    return http.request(method, url + path, headers=headers)


def test_what_terraform_makes_answers_a_signed_out_request(terraform: Terraform, endpoint: EndpointProcess) -> None:
    url = terraform.outputs()["url"]
    assert url.startswith(endpoint.url)
    answer = http.request("POST", f"{url}/v1/track", body=b"{}", headers={"Content-Type": "text/plain"})
    assert (answer.status, answer.json()) == (200, {"route": "POST /v1/{proxy+}", "body": "{}"})
    assert send(url, "PUT", "/health").json()["route"] == "ANY /health"
    assert send(url, "GET", "/nowhere").status == 404
    allowed = send(url, "GET", "/i", Origin="https://shop.example")
    assert allowed.headers["access-control-allow-origin"] == "https://shop.example"
    logs = endpoint.client("logs")
    found = eventually(lambda: logs.filter_log_events(logGroupName="/http-api/terraform")["events"])
    assert found[0]["message"] == '{"route":"POST /v1/{proxy+}","status":"200"}'


def test_a_function_url_answers_too(terraform: Terraform) -> None:
    answer = http.request(
        "POST", terraform.outputs()["function_url"], body=b"x", headers={"Content-Type": "text/plain"}
    )
    assert (answer.status, answer.json()) == (200, {"route": "$default", "body": "x"})


def test_the_second_plan_is_empty(terraform: Terraform) -> None:
    done = terraform.run("plan", "-detailed-exitcode")
    assert done.returncode == _UNCHANGED, done.stdout


def test_the_plan_is_empty_after_a_crash_and_the_api_answers(terraform: Terraform, endpoint: EndpointProcess) -> None:
    endpoint.kill()
    endpoint.start()
    done = terraform.run("plan", "-detailed-exitcode")
    assert done.returncode == _UNCHANGED, done.stdout
    assert send(terraform.outputs()["url"], "GET", "/i").status == 200


def test_a_change_is_applied_and_counts_at_once(terraform: Terraform) -> None:
    changes = ("-var", "burst=0", "-var", 'origins=["https://other.example"]')
    terraform.must("apply", "-auto-approve", *changes)
    url = terraform.outputs()["url"]
    assert send(url, "PUT", "/health").status == 429
    answer = send(url, "GET", "/i", Origin="https://other.example")
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, "https://other.example")
    done = terraform.run("plan", "-detailed-exitcode", *changes)
    assert done.returncode == _UNCHANGED, done.stdout


def test_destroy_leaves_nothing(terraform: Terraform, endpoint: EndpointProcess) -> None:
    terraform.must("destroy", "-auto-approve")
    assert endpoint.client("apigatewayv2").get_apis()["Items"] == []
