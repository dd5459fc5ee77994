"""Worker processes: how many there are, what they may take, when they are used again, and when they end."""

import base64
import concurrent.futures
import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from lambda_functions import call, deploy, failure, package


def processes(mark: str) -> str:
    return subprocess.run(["pgrep", "-f", mark], capture_output=True, text=True).stdout


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
    assert eventually(lambda: processes(name))
    endpoint.kill()
    try:
        assert eventually(lambda: not processes(name))
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
