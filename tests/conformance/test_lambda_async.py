"""Asynchronous invocations: accepted durably, at least once, retried as AWS does, and never lost in silence."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from endpoint_process import EndpointProcess, eventually
from lambda_functions import deploy
from localaws.functions.async_invocations import Again, Event, Concluded, next_step
from localaws.functions.settings import RetryPolicy

Client = Callable[..., Any]

# Appends the request's id to the file that it is given, then fails if that is asked for.
RECORDER = """
def handler(event, context):
    with open(event["file"], "a") as file:
        file.write(context.aws_request_id + "\\n")
    if event.get("fail"):
        raise RuntimeError("as asked")
"""

# Waits until the file "go" is beside the one that it is given.
WAITER = """
import pathlib, time
def handler(event, context):
    file = pathlib.Path(event["file"])
    file.with_name("begun").touch()
    while not file.with_name("go").exists():
        time.sleep(0.01)
    file.write_text("done")
"""


@pytest.fixture(scope="module")
def functions(aws: Client) -> Any:
    return aws("lambda")


def send(functions: Any, name: str, **event: Any) -> None:
    answer = functions.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps(event))
    assert (answer["StatusCode"], answer["Payload"].read()) == (202, b"")


def lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []


def failed(endpoint: EndpointProcess, name: str) -> list[dict[str, Any]]:
    """The invocation records that were kept of `name`."""
    db = sqlite3.connect(endpoint.data_dir / "state.db")
    try:
        rows = [json.loads(body) for (body,) in db.execute("SELECT body FROM queue WHERE queue = 'lambda.failed'")]
    finally:
        db.close()
    return [row for row in rows if f":{name}:" in row["requestContext"]["functionArn"]]


def test_an_event_is_accepted_at_once_and_runs(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, RECORDER)
    for _ in range(5):
        send(functions, name, file=str(tmp_path / "out"))
    assert eventually(lambda: len(lines(tmp_path / "out")) == 5)
    assert len(set(lines(tmp_path / "out"))) == 5


def test_a_failing_event_is_tried_three_times_and_then_kept(
    functions: Any, endpoint: EndpointProcess, tmp_path: Path
) -> None:
    name = deploy(functions, RECORDER)
    send(functions, name, file=str(tmp_path / "out"), fail=True)
    (record,) = eventually(lambda: failed(endpoint, name))
    assert lines(tmp_path / "out") == [record["requestContext"]["requestId"]] * 3
    assert record["requestContext"]["condition"] == "RetriesExhausted"
    assert record["requestContext"]["approximateInvokeCount"] == 3
    assert record["requestPayload"]["fail"] is True
    assert record["responsePayload"]["errorMessage"] == "as asked"


def test_a_function_can_ask_for_no_retries(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, RECORDER)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    send(functions, name, file=str(tmp_path / "out"), fail=True)
    assert eventually(lambda: failed(endpoint, name))
    assert len(lines(tmp_path / "out")) == 1


def test_a_throttled_event_waits(functions: Any, tmp_path: Path) -> None:
    name = deploy(functions, RECORDER)
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    send(functions, name, file=str(tmp_path / "out"))
    functions.delete_function_concurrency(FunctionName=name)
    assert eventually(lambda: lines(tmp_path / "out"))


def test_events_of_a_deleted_function_are_kept(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=60)
    for _ in range(4):
        send(functions, name, file=str(tmp_path / "out"))
    assert eventually((tmp_path / "begun").exists)
    functions.delete_function(FunctionName=name)
    assert [r["requestContext"]["condition"] for r in failed(endpoint, name)] == ["FunctionDeleted"] * 4


def test_an_accepted_event_survives_a_kill(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    waiter = deploy(functions, WAITER, Timeout=60)
    recorder = deploy(functions, RECORDER)
    send(functions, waiter, file=str(tmp_path / "out"))
    assert eventually((tmp_path / "begun").exists)
    send(functions, recorder, file=str(tmp_path / "more"))
    endpoint.kill()
    (tmp_path / "begun").unlink()
    endpoint.start()
    assert eventually((tmp_path / "begun").exists)
    assert not (tmp_path / "out").exists()
    (tmp_path / "go").touch()
    assert eventually((tmp_path / "out").exists)
    assert eventually(lambda: lines(tmp_path / "more"))


def test_a_stop_is_no_failed_attempt(functions: Any, endpoint: EndpointProcess, tmp_path: Path) -> None:
    name = deploy(functions, WAITER, Timeout=60)
    functions.put_function_event_invoke_config(FunctionName=name, MaximumRetryAttempts=0)
    send(functions, name, file=str(tmp_path / "out"))
    assert eventually((tmp_path / "begun").exists)
    endpoint.stop()
    endpoint.start()
    (tmp_path / "go").touch()
    assert eventually((tmp_path / "out").exists)
    assert failed(endpoint, name) == []


@pytest.mark.parametrize(
    ("attempts", "throttles", "throttled", "now", "expected"),
    [
        (0, 0, False, 1000.0, 1001.0),
        (1, 0, False, 1001.0, 1003.0),
        (2, 0, False, 1003.0, "RetriesExhausted"),
        (0, 0, True, 1000.0, 1001.0),
        (0, 3, True, 1000.0, 1008.0),
        (0, 30, True, 1000.0, 1300.0),
        (2, 0, True, 1000.0, 1001.0),
        (0, 0, True, 1000.0 + 6 * 3600, "EventAgeExceeded"),
        (0, 0, False, 1000.0 + 6 * 3600, "EventAgeExceeded"),
    ],
)
def test_errors_are_retried_twice_and_throttles_until_the_event_is_too_old(
    attempts: int, throttles: int, throttled: bool, now: float, expected: float | str
) -> None:
    event = Event("id", "{}", "$LATEST", accepted=1000.0, attempts=attempts, throttles=throttles)
    match next_step(event, throttled, RetryPolicy(), now, (1.0, 2.0)):
        case Again(_, due):
            assert due == expected
        case Concluded(_, condition):
            assert condition == expected
