"""Fixtures: a real endpoint in its own process, and real clients for it.

endpoint    `clicklake up --bare`, shared by the modules that one worker runs, for a start costs seconds; one in `ALONE`
            has an empty one of its own. `endpoint.kill()` and `endpoint.start()` are real, and what was made stays
aws         aws("s3") -> a boto3 client of `endpoint`
stack       a default stack (`clicklake up`) for each module; those in `SHARE_A_STACK` have one together, for they look at
            nothing but what they made themselves
stack_copy  stack_copy(data_dir) makes a data directory with the default stack, for a test that starts its own endpoint
"""

import gc
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from endpoint_process import EndpointProcess, running
from stack_template import copy_of_a_stack

# Modules whose tests need an account in which nobody else made anything.
ALONE = {
    "test_athena_api",
    "test_athena_tables",
    "test_aws_runs",
    "test_glue",
    "test_metrics",
    "test_restart",
    "test_s3_cli",
    "test_s3_durability",
    "test_terraform",
    "test_terraform_pipeline",
}
# Modules that use a stack, and neither change it nor mind what others sent to it.
SHARE_A_STACK = {"test_processor", "test_schema", "test_send"}


@pytest.fixture(scope="session")
def shared_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    """Its streams' backlog ends at 10 MiB, where a test can reach it."""
    data_dir = tmp_path_factory.mktemp("shared") / "data"
    yield from running(data_dir, "--bare", CLICKLAKE_FIREHOSE_BACKLOG_BYTES=str(10 * 2**20))


@pytest.fixture(scope="module")
def endpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    if request.path.stem in ALONE:
        yield from running(tmp_path_factory.mktemp("endpoint") / "data", "--bare")
    else:
        shared: EndpointProcess = request.getfixturevalue("shared_endpoint")
        shared.revive()
        yield shared


@pytest.fixture(scope="session")
def shared_stack(
    tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]
) -> Iterator[EndpointProcess]:
    yield from running(stack_copy(tmp_path_factory.mktemp("shared") / "data"))


@pytest.fixture(scope="module")
def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stack_copy: Callable[[Path], Path]
) -> Iterator[EndpointProcess]:
    if request.path.stem in SHARE_A_STACK:
        shared: EndpointProcess = request.getfixturevalue("shared_stack")
        shared.revive()
        yield shared
    else:
        yield from running(stack_copy(tmp_path_factory.mktemp("stack") / "data"))


@pytest.fixture(scope="session")
def stack_copy(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    of_this_worker = tmp_path_factory.getbasetemp()
    of_all = of_this_worker.parent if "PYTEST_XDIST_WORKER" in os.environ else of_this_worker
    return lambda data_dir: copy_of_a_stack(of_all / "stack", data_dir)


@pytest.fixture(scope="module")
def aws(endpoint: EndpointProcess) -> Callable[..., Any]:
    return endpoint.client


def pytest_configure() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and so would all that the tests start."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """What was collected stays: the garbage collector need not look through it again and again."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


# Those that wait most begin first, so that no worker is left alone with them at the end. A file not named here follows.
SLOWEST = (
    "terraform_complete",
    "terraform_pipeline",
    "pages",
    "aws_runs",
    "terraform_mutants",
    "terraform",
    "terraform_offline",
    "chaos",
    "collector_kills",
    "rebuild",
    "verify",
    "replay",
    "own_columns",
    "properties",
    "privacy",
    "seed",
    "demo",
    "clients",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {f"test_{name}": at for at, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
