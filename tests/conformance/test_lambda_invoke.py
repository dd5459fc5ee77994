"""Synchronous invocations: the function is a process of its own, and its failures are told as AWS tells them."""

import base64
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import deploy, package

Client = Callable[..., Any]


@pytest.fixture(scope="module")
def functions(aws: Client) -> Any:
    return aws("lambda")


def call(functions: Any, name: str, event: Any = None, **more: Any) -> Any:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event), **more)
    return json.load(answer["Payload"])


def failure(functions: Any, name: str, event: Any = None) -> dict[str, Any]:
    answer = functions.invoke(FunctionName=name, Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    document: dict[str, Any] = json.load(answer["Payload"])
    return document


def processes(mark: str) -> str:
    return subprocess.run(["pgrep", "-f", mark], capture_output=True, text=True).stdout


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


def test_a_function_that_takes_too_long_is_killed_with_its_children_and_the_next_call_works(functions: Any) -> None:
    source = """
import subprocess, time
def handler(event, context):
    if event:
        subprocess.Popen(["sh", "-c", "sleep 987; echo " + context.function_name])
    time.sleep(event)
    return "awake"
"""
    name = deploy(functions, source, Timeout=1)
    document = failure(functions, name, 30)
    assert document["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in document["errorMessage"]
    assert eventually(lambda: not processes(f"echo {name}"))
    assert call(functions, name, 0) == "awake"


@pytest.mark.parametrize(
    "taker",
    [
        "x = bytearray(400_000_000)",
        "subprocess.run([sys.executable, '-c', 'import time; x = bytearray(400_000_000); time.sleep(9)'])",
    ],
)
def test_a_function_that_takes_too_much_memory_is_killed_though_it_may_have_answered(
    functions: Any, taker: str
) -> None:
    source = f"import subprocess, sys\ndef handler(event, context):\n    {taker}\n    return 1"
    name = deploy(functions, source, MemorySize=128, Timeout=20)
    answer = functions.invoke(FunctionName=name, LogType="Tail")
    document = json.load(answer["Payload"])
    assert document["errorType"] == "Runtime.ExitError"
    assert document["errorMessage"].endswith("Error: Runtime exited with error: signal: killed")
    assert "Status: error\tError Type: Runtime.ExitError" in base64.b64decode(answer["LogResult"]).decode()


def test_a_function_finds_the_sdk_and_nothing_else_that_is_installed_here(functions: Any) -> None:
    source = """
import importlib.util
def handler(event, context):
    return [name for name in event if importlib.util.find_spec(name)]
"""
    name = deploy(functions, source)
    asked = ["json", "boto3", "botocore", "urllib3", "dateutil", "localaws", "clicklake", "duckdb", "moto", "pip"]
    assert call(functions, name, asked) == ["json", "boto3", "botocore", "urllib3", "dateutil"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets one process limit another's files")
def test_no_file_is_larger_than_the_ephemeral_storage(functions: Any) -> None:
    source = """
import tempfile
def handler(event, context):
    with tempfile.TemporaryFile() as file:
        file.seek(event << 20)
        file.write(b"x")
"""
    name = deploy(functions, source, EphemeralStorage={"Size": 512})
    assert call(functions, name, 511) is None
    assert failure(functions, name, 512)["errorType"] == "OSError"


def test_a_process_that_ended_while_it_was_idle_fails_nobodys_call_and_leaves_nothing(
    functions: Any, endpoint: EndpointProcess
) -> None:
    name = deploy(functions, "import os\ndef handler(event, context):\n    return os.getpid()")
    seen = [call(functions, name)]
    before = open_files(endpoint)
    for _ in range(6):
        subprocess.run(["kill", "-9", str(seen[-1])], check=True)
        assert eventually(lambda: subprocess.run(["ps", "-p", str(seen[-1])], capture_output=True).returncode)
        seen.append(call(functions, name))
    assert len(set(seen)) == 7
    assert eventually(lambda: open_files(endpoint) < before + 6)


def open_files(endpoint: EndpointProcess) -> float:
    with urllib.request.urlopen(f"{endpoint.url}/_clicklake/metrics") as page:
        found = re.search(r"^process_open_fds (\S+)$", page.read().decode(), re.MULTILINE)
    assert found is not None
    return float(found[1])


def test_a_warm_worker_is_used_again_and_new_code_gets_a_new_one(functions: Any) -> None:
    source = "import os\ncalls = 0\ndef handler(event, context):\n    global calls\n    calls += 1\n    return calls"
    name = deploy(functions, source)
    assert [call(functions, name) for _ in range(3)] == [1, 2, 3]
    functions.update_function_code(FunctionName=name, ZipFile=package(source + " * 100"))
    assert call(functions, name) == 100


# Says that it has begun, waits for another file, answers with its version.
WAITER = """
import pathlib, time
def handler(event, context):
    pathlib.Path(event["begun"]).touch()
    while not pathlib.Path(event["go"]).exists():
        time.sleep(0.01)
    return "old"
"""


def test_calls_run_at_the_same_time(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=20)
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        events = [{"begun": one, "go": other}, {"begun": other, "go": one}]
        assert list(threads.map(lambda event: call(functions, name, event), events)) == ["old", "old"]


def test_an_update_lets_the_running_call_finish(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=20)
    begun, go = tmp_path / "begun", tmp_path / "go"
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        running = threads.submit(call, functions, name, {"begun": str(begun), "go": str(go)})
        assert eventually(begun.exists)
        functions.update_function_code(FunctionName=name, ZipFile=package("def handler(e, c): return 'new'"))
        assert call(functions, name) == "new"
        go.touch()
        assert running.result() == "old"


def test_no_reserved_concurrency_means_no_calls(functions: Any) -> None:
    name = deploy(functions, "def handler(event, context): return 1")
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as error:
        functions.invoke(FunctionName=name)
    assert error.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 429
    functions.delete_function_concurrency(FunctionName=name)
    assert call(functions, name) == 1


def test_reserved_concurrency_is_a_limit_and_must_leave_some_for_others(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=20)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)
    begun, go = tmp_path / "begun", tmp_path / "go"
    with concurrent.futures.ThreadPoolExecutor(1) as threads:
        running = threads.submit(call, functions, name, {"begun": str(begun), "go": str(go)})
        assert eventually(begun.exists)
        with pytest.raises(ClientError) as error:
            call(functions, name)
        go.touch()
        assert running.result() == "old"
    assert error.value.response["Error"]["Code"] == "TooManyRequestsException"
    assert error.value.response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    left = functions.get_account_settings()["AccountLimit"]["UnreservedConcurrentExecutions"]
    with pytest.raises(ClientError, match=r"below its minimum value of \[100\]") as error:
        functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=left - 98)
    assert error.value.response["Error"]["Code"] == "InvalidParameterValueException"


def test_a_call_made_by_a_function_needs_no_free_worker(functions: Any, tmp_path: Path) -> None:
    """Its caller may be what keeps the workers busy."""
    name = deploy(functions, WAITER, Timeout=20)
    go = str(tmp_path / "go")
    trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Lineage=a87bd80c:1"
    functions.meta.events.register(
        "before-sign.lambda", lambda request, **_: request.headers.add_header("X-Amzn-Trace-Id", trace), "trace"
    )
    many = max(2, os.cpu_count() or 1) + 1
    with concurrent.futures.ThreadPoolExecutor(many) as threads:
        events = [{"begun": str(tmp_path / str(number)), "go": go} for number in range(many)]
        running = [threads.submit(call, functions, name, event) for event in events]
        try:
            assert eventually(lambda: all(Path(event["begun"]).exists() for event in events))
        finally:
            functions.meta.events.unregister("before-sign.lambda", unique_id="trace")
            Path(go).touch()
        assert [one.result() for one in running] == ["old"] * many


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


def test_the_log_tail_has_what_was_printed_between_awss_lines(functions: Any) -> None:
    source = """
import logging, subprocess, sys
def handler(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger().warning("from logging")
    subprocess.run(["echo", "from a child"])
    sys.stdout.write("no newline")
"""
    name = deploy(functions, source, MemorySize=256)
    answer = functions.invoke(FunctionName=name, LogType="Tail")
    id_ = answer["ResponseMetadata"]["RequestId"]
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    request = re.escape(id_)
    report = (
        rf"REPORT RequestId: {request}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 256 MB\t"
        r"Max Memory Used: \d+ MB\tInit Duration: [\d.]+ ms"
    )
    expected = [
        rf"START RequestId: {request} Version: \$LATEST",
        "to stdout",
        "to stderr",
        rf"\[WARNING\]\t\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z\t{request}\tfrom logging",
        "from a child",
        "no newline",
        rf"END RequestId: {request}",
        report,
    ]
    assert len(lines) == len(expected), lines
    for line, pattern in zip(lines, expected, strict=True):
        assert re.fullmatch(pattern, line), line


def test_the_log_is_in_cloudwatch_logs_and_in_a_file(functions: Any, aws: Client, endpoint: EndpointProcess) -> None:
    name = deploy(functions, "def handler(event, context): print('a line of mine')")
    call(functions, name)
    events = aws("logs").filter_log_events(logGroupName=f"/aws/lambda/{name}")["events"]
    assert "a line of mine" in [event["message"] for event in events]
    (file,) = (endpoint.data_dir / "logs" / "aws" / "lambda" / name).rglob("*.log")
    assert "a line of mine" in file.read_text()


def test_log_events_of_all_streams_come_in_pages_and_in_order(functions: Any, aws: Client) -> None:
    """As `aws logs tail` reads them."""
    logs = aws("logs")
    name = deploy(
        functions, "def handler(event, context):\n    for i in range(event): print(context.function_version, i)"
    )
    functions.publish_version(FunctionName=name)
    for version in ("$LATEST", "1", "$LATEST"):
        functions.invoke(FunctionName=name, Qualifier=version, Payload=b"20")
    ask = {"logGroupName": f"/aws/lambda/{name}", "filterPattern": '?"1 " ?LATEST -START -RequestId'}
    pages = list(logs.get_paginator("filter_log_events").paginate(**ask, PaginationConfig={"PageSize": 7}))
    events = [event for page in pages for event in page["events"]]
    expected = [f"{version} {i}" for version in ("$LATEST", "1", "$LATEST") for i in range(20)]
    assert sorted(event["message"] for event in events) == sorted(expected)
    assert [event["timestamp"] for event in events] == sorted(event["timestamp"] for event in events)
    assert len({event["eventId"] for event in events}) == len(expected)
    assert {len(page["events"]) for page in pages} == {7, len(expected) % 7}
    latest = logs.filter_log_events(**ask, startTime=events[-1]["timestamp"])["events"]
    assert latest[-1] == events[-1]
    streams = logs.describe_log_streams(logGroupName=ask["logGroupName"], orderBy="LastEventTime", descending=True)
    (newest, oldest) = (stream["logStreamName"] for stream in streams["logStreams"])
    assert ("[$LATEST]" in newest, "[1]" in oldest) == (True, True)
    back = logs.get_log_events(logGroupName=ask["logGroupName"], logStreamName=newest, limit=1)
    assert back["events"][0]["message"].startswith("REPORT")
    before = {"logStreamName": newest, "nextToken": back["nextBackwardToken"], "limit": 1}
    assert logs.get_log_events(logGroupName=ask["logGroupName"], **before)["events"][0]["message"].startswith("END")


def test_a_functions_log_group_is_made_at_its_first_line_and_deleted_with_its_lines(
    functions: Any, aws: Client
) -> None:
    logs, name = aws("logs"), deploy(functions, "def handler(event, context): print('a line of mine')")
    call(functions, name)
    group = {"logGroupName": f"/aws/lambda/{name}"}
    assert eventually(lambda: logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{name}")["logGroups"])
    logs.delete_log_group(**group)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        logs.filter_log_events(**group)
    call(functions, name)
    assert logs.filter_log_events(**group, filterPattern='"a line"')["events"]


def test_the_scratch_folder_is_the_functions_own_and_goes_with_it(functions: Any, endpoint: EndpointProcess) -> None:
    source = "import tempfile\ndef handler(event, context): return tempfile.mkstemp()[1]"
    name = deploy(functions, source)
    file = Path(call(functions, name))
    assert file.is_relative_to(endpoint.data_dir)
    assert file.exists()
    functions.delete_function(FunctionName=name)
    assert eventually(lambda: not file.parent.exists())


def test_workers_and_their_children_die_with_the_endpoint(functions: Any, endpoint: EndpointProcess) -> None:
    source = """
import subprocess, time
def handler(event, context):
    subprocess.Popen(["sh", "-c", "sleep 987654; echo " + context.function_name])
    open(event, "w").close()
    time.sleep(60)
"""
    name = deploy(functions, source, Timeout=100)
    mark = endpoint.data_dir / "running"
    functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(str(mark)))
    assert eventually(mark.exists)
    assert processes(f"echo {name}") or eventually(lambda: processes(name))
    endpoint.kill()
    try:
        assert eventually(lambda: not processes(name), 5)
        assert not processes(str(endpoint.data_dir / "functions"))
    finally:
        endpoint.start()
        functions.delete_function(FunctionName=name)


def test_calls_of_a_function_that_is_deleted_end(functions: Any, tmp_path: Path) -> None:
    """Those that run are killed, those that wait for a worker are told that it is gone."""
    name = deploy(functions, WAITER, Timeout=100)

    def outcome(number: int) -> str:
        try:
            event = {"begun": str(tmp_path / str(number)), "go": str(tmp_path / "never")}
            return str(failure(functions, name, event)["errorType"])
        except ClientError as e:
            return str(e.response["Error"]["Code"])

    workers = max(2, os.cpu_count() or 1)
    with concurrent.futures.ThreadPoolExecutor(workers + 2) as threads:
        calls = [threads.submit(outcome, number) for number in range(workers + 2)]
        assert eventually(lambda: len(list(tmp_path.iterdir())) == workers)
        functions.delete_function(FunctionName=name)
        outcomes = sorted(call.result() for call in calls)
    assert outcomes == ["ResourceNotFoundException"] * 2 + ["Runtime.ExitError"] * workers


def test_the_aws_command_invokes_and_shows_the_log(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, "def handler(event, context):\n    print('said', event['a'])\n    return event")
    command = ["aws", "lambda", "invoke", "--function-name", name, "--payload", '{"a": "b"}', "--log-type", "Tail"]
    run = subprocess.run([*command, str(tmp_path / "out")], env=endpoint.environment(), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert json.loads((tmp_path / "out").read_text()) == {"a": "b"}
    assert "said b" in base64.b64decode(json.loads(run.stdout)["LogResult"]).decode()


def test_nothing_is_written_beside_a_functions_code(functions: Any, endpoint: EndpointProcess) -> None:
    """A compiled module that a full disk cuts off would have it fail ever after. On AWS the folder is read-only."""
    code = {"ZipFile": package("import other\ndef handler(event, context): return other.NAME", other="NAME = 'other'")}
    name = deploy(functions, "", Code=code)
    assert json.loads(functions.invoke(FunctionName=name)["Payload"].read()) == "other"
    folder = endpoint.data_dir / "functions" / name
    assert sorted(path.name for path in folder.rglob("*.py*")) == ["app.py", "other.py"]
