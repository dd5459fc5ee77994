"""AWS's own runtime interface client, awslambdaric, runs against our Runtime API, and ours does what it does."""

import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from localaws.functions import sdk
from localaws.functions.runtime_api import Invocation
from localaws.functions.spec import Spec
from localaws.functions.workers import BOOTSTRAP, Outcome, Worker

pytest.importorskip("awslambdaric", reason="AWS builds wheels of awslambdaric for Linux only")

AWS = (sys.executable, "-m", "awslambdaric")
ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"

SOURCE = """
import decimal, json, logging, os, sys

def inner():
    raise ValueError("bad \\u00e9")

def echo(event, context): return {"got": event, "name": "Zo\\u00eb", "number": decimal.Decimal("1.5")}
def fail(event, context): inner()
def chain(event, context):
    try:
        inner()
    except ValueError as e:
        raise KeyError("second") from e
def unserialisable(event, context): return {"a": object()}
def leave(event, context): os._exit(3)
def large(event, context): return "x" * 7_000_000
def nothing(event, context): pass
def talk(event, context):
    print("to stdout")
    logging.getLogger().warning("from logging")
    logging.getLogger("own").error("with %s", "arguments")
def told(event, context):
    return {
        "id": context.aws_request_id, "name": context.function_name, "version": context.function_version,
        "arn": context.invoked_function_arn, "memory": context.memory_limit_in_mb, "group": context.log_group_name,
        "stream": context.log_stream_name, "identity": context.identity.cognito_identity_id,
        "custom": context.client_context.custom, "env": context.client_context.env,
        "title": context.client_context.client.app_title, "trace": os.environ["_X_AMZN_TRACE_ID"],
        "left": 0 < context.get_remaining_time_in_millis() <= 10_000, "tenant": context.tenant_id,
    }
"""


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Sequence[str], str], Worker]]:
    """Starts a worker with a runtime client and a handler."""
    home = tmp_path_factory.mktemp("worker")
    (home / "app.py").write_text(SOURCE)
    (home / "broken.py").write_text("def handler(:")
    (home / "failing.py").write_text("raise OSError('at import')")
    sdk.link(home / "sdk")
    workers: list[Worker] = []

    def worker(command: Sequence[str], handler: str) -> Worker:
        spec = Spec(
            "f", "$LATEST", "1", "python3.13", handler, home, 256, 10, 512, home / "sdk", "/aws/lambda/f", "", {}
        )
        scratch = home / "scratch" / str(len(workers))
        workers.append(Worker(spec, scratch, "stream", lambda _lines: None, time.time, command))
        return workers[-1]

    yield worker
    for one in workers:
        one.stop()


def run(worker: Worker, payload: Any) -> Outcome:
    context = '{"custom": {"k": 1}, "env": {"e": "v"}, "client": {"app_title": "t"}}'
    return worker.run(Invocation("request-1", json.dumps(payload).encode(), ARN, context, "Root=1-5-6;Sampled=0"))


def said(outcome: Outcome) -> tuple[bool, Any]:
    return outcome.failed, json.loads(outcome.payload)


def printed(outcome: Outcome) -> list[str]:
    """The log without the platform's lines and without times."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", outcome.log_tail.decode())
    platform = r"INIT_START|START|END|REPORT|RequestId:|Runtime\.\w+$|.*LAMBDA_WARNING|.*LAMBDA_RUNTIME Failed"
    return [line for line in text.splitlines() if not re.match(platform, line)]


HANDLERS = (
    "echo",
    "fail",
    "chain",
    "unserialisable",
    "leave",
    "large",
    "nothing",
    "talk",
    "told",
    "missing",
)


# awslambdaric gives up when it is told that its answer is too large, and may or may not have said so by then; ours goes on.
ENDING = ("app.large",)


@pytest.mark.parametrize(
    "handler",
    [*(f"app.{name}" for name in HANDLERS), "broken.handler", "failing.handler", "app", "sys.exit", "folder/nothing.f"],
)
def test_our_runtime_client_does_what_awss_does(start: Callable[[Sequence[str], str], Worker], handler: str) -> None:
    ours, theirs = start(BOOTSTRAP, handler), start(AWS, handler)
    for payload in ({"a": "é"}, [1, None]):
        mine, aws = run(ours, payload), run(theirs, payload)
        assert said(mine) == said(aws)
        if handler in ENDING:
            break
        assert printed(mine) == printed(aws)
        if not ours.alive:
            break
    assert handler in ENDING or ours.alive == theirs.alive
