"""Synchronous invocations: the function is a process of its own, and its failures are told as AWS tells them."""

import base64
import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess
from lambda_functions import call, deploy, failure, package


def test_the_handlers_value_is_the_answer(functions: Any) -> None:
    name = deploy(functions, "def handler(event, context): return {'got': event, 'name': 'Zoë'}")
    answer = functions.invoke(FunctionName=name, Payload='{"a": "é"}'.encode())
    assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in answer
    assert json.load(answer["Payload"]) == {"got": {"a": "é"}, "name": "Zoë"}


def test_no_payload_is_an_empty_object(functions: Any) -> None:
    name = deploy(functions, "def handler(event, context): return event")
    assert json.load(functions.invoke(FunctionName=name)["Payload"]) == {}


def test_the_context_has_the_documented_attributes(functions: Any) -> None:
    source = """
def handler(event, context):
    return {
        "id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "left": context.get_remaining_time_in_millis(),
        "identity": context.identity.cognito_identity_id, "custom": context.client_context.custom,
    }
"""
    name = deploy(functions, source, Timeout=20, MemorySize=256)
    client_context = base64.b64encode(b'{"custom": {"k": "\\u00e9"}}').decode()
    said = call(functions, name, ClientContext=client_context)
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", said["id"])
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", said["stream"])
    assert 15_000 < said["left"] <= 20_000
    assert (said["name"], said["version"], said["memory"]) == (name, "$LATEST", "256")
    assert said["arn"] == f"arn:aws:lambda:us-east-1:000000000000:function:{name}"
    assert said["group"] == f"/aws/lambda/{name}"
    assert (said["identity"], said["custom"]) == (None, {"k": "é"})


def test_the_environment_is_the_functions_own_and_awss(functions: Any, endpoint: EndpointProcess) -> None:
    source = "import os\ndef handler(event, context): return dict(os.environ)"
    name = deploy(functions, source, Environment={"Variables": {"STAGE": "dev", "TZ": "Europe/Paris"}})
    environment = call(functions, name)
    assert (environment["STAGE"], environment["TZ"]) == ("dev", "Europe/Paris")
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == name
    assert environment["_HANDLER"] == "app.handler"
    assert environment["AWS_ENDPOINT_URL"] == endpoint.url
    assert environment["AWS_REGION"] == "us-east-1"
    assert Path(environment["TMPDIR"]).is_relative_to(endpoint.data_dir)
    assert set(environment) <= {k for k in environment if k.startswith(("AWS_", "LAMBDA_", "_", "LC_"))} | {
        "STAGE", "TZ", "PATH", "HOME", "LANG", "TMPDIR"
    }  # fmt: skip


def test_an_exception_is_told_with_its_stack(functions: Any) -> None:
    source = "def inner():\n    raise ValueError('bad é')\n\ndef handler(event, context):\n    inner()\n"
    name = deploy(functions, source)
    document = failure(functions, name)
    assert (document["errorMessage"], document["errorType"]) == ("bad é", "ValueError")
    assert re.fullmatch(r"[0-9a-f-]{36}", document["requestId"])
    assert [re.sub(r'File ".*/', 'File "', frame) for frame in document["stackTrace"]] == [
        '  File "app.py", line 5, in handler\n    inner()\n',
        "  File \"app.py\", line 2, in inner\n    raise ValueError('bad é')\n",
    ]


def test_the_log_says_if_a_package_was_built_for_another_machine(functions: Any, aws: Callable[..., Any]) -> None:
    files = {"app.py": "import fast\ndef handler(event, context): pass", "fast.cpython-313-riscv64-linux-gnu.so": ""}
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    name = deploy(functions, "", Code={"ZipFile": data.getvalue()})
    assert failure(functions, name)["errorMessage"] == "Unable to import module 'app': No module named 'fast'"
    lines = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    (said,) = [line["message"] for line in lines if line["message"].startswith("localaws: ")]
    assert "this package has libraries for cpython-313-riscv64-linux-gnu; functions run here on cpython-3" in said


@pytest.mark.parametrize(
    ("source", "handler", "kind", "message"),
    [
        ("import no_such_module", "app.handler", "Runtime.ImportModuleError", "Unable to import module 'app': No module"),
        ("x = 1", "app.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'app'"),
        ("def f(:", "app.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'app'"),
        ("x = 1", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler'"),
        ("raise KeyError('at import')", "app.handler", "KeyError", "'at import'"),
        ("import os; os._exit(7)", "app.handler", "Runtime.ExitError", "Runtime exited with error: exit status 7"),
        ("def handler(e, c): return object()", "app.handler", "Runtime.MarshalError", "Unable to marshal response"),
        ("def handler(e, c): return 'x' * 7_000_000", "app.handler", "Function.ResponseSizeTooLarge", "maximum allowed"),
        ("import os\ndef handler(e, c): os._exit(3)", "app.handler", "Runtime.ExitError", "exit status 3"),
        ("import os\ndef handler(e, c): os._exit(0)", "app.handler", "Runtime.ExitError", "without providing a reason"),
        ("import os\ndef handler(e, c): os.kill(os.getpid(), 9)", "app.handler", "Runtime.ExitError", "signal: killed"),
    ],
)  # fmt: skip
def test_failures_have_awss_types(functions: Any, source: str, handler: str, kind: str, message: str) -> None:
    document = failure(functions, deploy(functions, source, Handler=handler))
    assert document["errorType"] == kind
    assert message in document["errorMessage"]


def test_a_function_finds_the_sdk_and_nothing_else_that_is_installed_here(functions: Any) -> None:
    source = """
import importlib.util
def handler(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    name = deploy(functions, source)
    asked = ["json", "boto3", "botocore", "urllib3", "dateutil", "localaws", "clicklake", "duckdb", "moto", "pip"]
    assert call(functions, name, asked) == ["json", "boto3", "botocore", "urllib3", "dateutil"]


def test_a_dry_run_runs_nothing(functions: Any) -> None:
    name = deploy(functions, "raise SystemExit")
    assert functions.invoke(FunctionName=name, InvocationType="DryRun")["StatusCode"] == 204


@pytest.mark.parametrize(
    ("kind", "payload", "code", "status"),
    [
        ("RequestResponse", b"not json", "InvalidRequestContentException", 400),
        ("Event", b"{", "InvalidRequestContentException", 400),
        ("RequestResponse", b'"' + b"x" * 6 * 1024 * 1024 + b'"', "RequestTooLargeException", 413),
        ("Event", b'"' + b"x" * 1024 * 1024 + b'"', "RequestTooLargeException", 413),
    ],
)
def test_bad_payloads_are_refused(functions: Any, kind: str, payload: bytes, code: str, status: int) -> None:
    name = deploy(functions, "def handler(event, context): return 1")
    with pytest.raises(ClientError) as error:
        functions.invoke(FunctionName=name, InvocationType=kind, Payload=payload)
    response = error.value.response
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)


def test_nothing_is_written_beside_a_functions_code(functions: Any, endpoint: EndpointProcess) -> None:
    """A compiled module that a full disk cuts off would have it fail ever after. On AWS the folder is read-only."""
    code = {"ZipFile": package("import other\ndef handler(event, context): return other.NAME", other="NAME = 'other'")}
    name = deploy(functions, "", Code=code)
    assert json.loads(functions.invoke(FunctionName=name)["Payload"].read()) == "other"
    folder = endpoint.data_dir / "functions" / name
    assert sorted(path.name for path in folder.rglob("*.py*")) == ["app.py", "other.py"]
