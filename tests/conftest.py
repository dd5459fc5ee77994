"""Fixtures: a real endpoint in its own process, and real clients for it.

endpoint    an empty one (`clicklake up --bare`), one per test module; `endpoint.kill()` and `endpoint.start()` are real
aws         aws("s3") -> a boto3 client of `endpoint`
stack       like `endpoint`, with the default stack provisioned (`clicklake up`)
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from endpoint_process import EndpointProcess, running


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    yield from running(tmp_path_factory.mktemp("endpoint") / "data", "--bare")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    yield from running(tmp_path_factory.mktemp("stack") / "data")


@pytest.fixture(scope="module")
def aws(endpoint: EndpointProcess) -> Callable[..., Any]:
    return endpoint.client


# Those that wait most begin first, so that no worker is left alone with them at the end. A file not named here follows.
SLOWEST = ("terraform", "terraform_pipeline", "kill", "rebuild", "own_columns", "properties", "privacy", "seed", "demo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    order = {f"test_{name}": at for at, name in enumerate(SLOWEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
