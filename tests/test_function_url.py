"""Function URLs: a function's own address, as docs.aws.amazon.com/lambda/latest/dg/lambda-urls.html has it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from lambda_functions import code_of, deploy

SHOP = "https://shop.example"
SOURCE = """
import json

def handler(event, context):
    if event["rawPath"] == "/answer":
        return json.loads(event["body"])
    if event["rawPath"] == "/fail":
        raise ValueError("no")
    return event
"""
FORBIDDEN = (
    "Forbidden. For troubleshooting Function URL authorization issues, see: "
    "https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html"
)
http = urllib3.PoolManager(retries=False)


@pytest.fixture(scope="module")
def functions(aws: Callable[..., Any]) -> Any:
    return aws("lambda")


def open_to_all(functions: Any, name: str, **more: Any) -> None:
    """Both permissions that AWS asks for."""
    everybody = {"FunctionName": name, "Principal": "*", **more}
    url = {"StatementId": "url", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    functions.add_permission(**everybody, **url)
    run = {"StatementId": "run", "Action": "lambda:InvokeFunction", "InvokedViaFunctionUrl": True}
    functions.add_permission(**everybody, **run)


@pytest.fixture(scope="module")
def url(functions: Any) -> str:
    name = deploy(functions, SOURCE)
    open_to_all(functions, name)
    cors = {"AllowOrigins": [SHOP], "AllowMethods": ["POST"], "AllowCredentials": True, "MaxAge": 60}
    made = functions.create_function_url_config(FunctionName=name, AuthType="NONE", Cors=cors)
    return str(made["FunctionUrl"]).removesuffix("/")


def send(method: str, url: str, body: bytes | None = None, **headers: str) -> urllib3.BaseHTTPResponse:
    return http.request(method, url, body=body, headers={name.replace("_", "-"): v for name, v in headers.items()})


def test_the_function_gets_payload_format_2_0_with_the_path_as_it_was_sent(url: str) -> None:
    event = send("POST", f"{url}/a%20b?x=1", b"t", content_type="text/plain", cookie="a=1").json()
    context = event["requestContext"]
    assert (event["version"], event["routeKey"], event["rawPath"]) == ("2.0", "$default", "/a%20b")
    assert (event["body"], event["isBase64Encoded"], event["cookies"]) == ("t", False, ["a=1"])
    assert (context["accountId"], context["stage"], context["http"]["method"]) == ("anonymous", "$default", "POST")
    assert context["apiId"] == url.rpartition("/")[2]
    assert context["domainName"] == f"{context['apiId']}.lambda-url.us-east-1.on.aws"


def test_it_answers_under_its_host_too(url: str, endpoint: EndpointProcess) -> None:
    host = f"{url.rpartition('/')[2]}.lambda-url.us-east-1.localhost"
    assert send("GET", f"{endpoint.url}/x", host=host).json()["rawPath"] == "/x"


def test_a_functions_answer_is_the_http_answer(url: str) -> None:
    said = {"statusCode": 201, "body": "mine", "cookies": ["a=1"]}
    answer = send("POST", f"{url}/answer", json.dumps(said).encode(), content_type="application/json")
    assert (answer.status, answer.data, answer.headers["set-cookie"]) == (201, b"mine", "a=1")
    assert answer.headers["content-type"] == "application/json"


def test_a_function_that_fails_is_a_bad_gateway(url: str) -> None:
    answer = send("GET", f"{url}/fail")
    assert (answer.status, answer.data) == (502, b"Internal Server Error")


def test_browsers_are_told_what_is_configured(url: str) -> None:
    preflight = send("OPTIONS", f"{url}/x", origin=SHOP, access_control_request_method="POST")
    assert preflight.status == 200
    assert preflight.headers["access-control-allow-origin"] == SHOP
    assert preflight.headers["access-control-allow-methods"] == "POST"
    assert preflight.headers["access-control-max-age"] == "60"
    assert send("GET", f"{url}/x", origin=SHOP).headers["access-control-allow-credentials"] == "true"
    other = send("GET", f"{url}/x", origin="https://elsewhere.example")
    assert other.status == 200
    assert "access-control-allow-origin" not in other.headers


def test_a_url_that_is_not_there_is_denied(url: str) -> None:
    answer = send("GET", f"{url}0/x")
    assert (answer.status, answer.json()) == (403, {"Message": None})


def test_both_permissions_are_needed_and_a_function_has_one_url(functions: Any) -> None:
    name = deploy(functions, SOURCE)
    made = functions.create_function_url_config(FunctionName=name, AuthType="NONE")
    only = {"StatementId": "a", "Action": "lambda:InvokeFunctionUrl", "FunctionUrlAuthType": "NONE"}
    functions.add_permission(FunctionName=name, Principal="*", **only)
    answer = send("GET", made["FunctionUrl"])
    assert (answer.status, answer.json()) == (403, {"Message": FORBIDDEN})
    functions.remove_permission(FunctionName=name, StatementId="a")
    open_to_all(functions, name)
    assert send("GET", made["FunctionUrl"]).status == 200
    with pytest.raises(ClientError) as e:
        functions.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert code_of(e) == ("ResourceConflictException", 409)


def test_an_alias_has_a_url_of_its_own_until_it_is_deleted(functions: Any) -> None:
    name = deploy(functions, SOURCE)
    functions.create_alias(FunctionName=name, Name="live", FunctionVersion="$LATEST")
    of_alias = {"FunctionName": name, "Qualifier": "live"}
    made = functions.create_function_url_config(**of_alias, AuthType="NONE")
    open_to_all(functions, name, Qualifier="live")
    plain = functions.create_function_url_config(FunctionName=name, AuthType="NONE")
    assert made["FunctionArn"].endswith(f"{name}:live")
    assert "InvokeMode" not in made
    assert functions.get_function_url_config(**of_alias)["InvokeMode"] == "BUFFERED"
    assert send("GET", made["FunctionUrl"]).status == 200
    assert send("GET", plain["FunctionUrl"]).json() == {"Message": FORBIDDEN}
    listed = functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    assert [each["FunctionArn"] for each in listed] == [plain["FunctionArn"], made["FunctionArn"]]
    changed = functions.update_function_url_config(**of_alias, Cors={"AllowOrigins": ["*"]})
    assert (changed["FunctionUrl"], changed["Cors"]) == (made["FunctionUrl"], {"AllowOrigins": ["*"]})
    assert send("GET", made["FunctionUrl"], origin=SHOP).headers["access-control-allow-origin"] == "*"
    functions.delete_alias(FunctionName=name, Name="live")
    assert send("GET", made["FunctionUrl"]).json() == {"Message": None}
    functions.delete_function(FunctionName=name)
    assert send("GET", plain["FunctionUrl"]).json() == {"Message": None}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"AuthType": "AWS_IAM"}, "localaws has no function URLs with AWS_IAM"),
        ({"AuthType": "NONE", "InvokeMode": "RESPONSE_STREAM"}, "localaws has no response streaming"),
        ({"AuthType": "NONE", "Qualifier": "1"}, "Value '1' at 'qualifier' failed"),
    ],
)
def test_what_can_not_be_had_is_refused_by_name(functions: Any, settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ClientError, match=words):
        functions.create_function_url_config(FunctionName=deploy(functions, SOURCE), **settings)


def test_no_url_is_not_found(functions: Any) -> None:
    name = deploy(functions, SOURCE)
    with pytest.raises(ClientError) as e:
        functions.get_function_url_config(FunctionName=name)
    assert code_of(e) == ("ResourceNotFoundException", 404)
    functions.create_function_url_config(FunctionName=name, AuthType="NONE")
    functions.delete_function_url_config(FunctionName=name)
    with pytest.raises(ClientError, match="The resource you requested does not exist"):
        functions.delete_function_url_config(FunctionName=name)
