"""A short run of tests/fuzz_wire.py (`make fuzz` makes the long one): broken requests harm nothing."""

from collections.abc import Iterator

import pytest

from endpoint_process import EndpointProcess, eventually, running
from fuzz_wire import Footprint, Fuzzer, tracebacks


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    """One of its own: what is sent deletes whatever it names."""
    yield from running(tmp_path_factory.mktemp("fuzz") / "data", "--bare")


def test_broken_requests_are_refused_and_leave_nothing_behind(endpoint: EndpointProcess) -> None:
    assert endpoint.process is not None
    fuzzer = Fuzzer(endpoint, seed=4)
    fuzzer.run(100)
    before = Footprint.of(endpoint.process.pid)
    report = fuzzer.run(400)
    after = Footprint.of(endpoint.process.pid)
    assert report.wrong == []
    assert list(tracebacks(endpoint.log.read_text())) == []
    assert after.megabytes < before.megabytes + 100
    assert after.threads <= before.threads + 8
    assert eventually(lambda: Footprint.of(endpoint.process.pid).files <= before.files + 8)  # type: ignore[union-attr]
    assert eventually(lambda: not list((endpoint.data_dir / "tmp").iterdir()))
    assert endpoint.client("sts").get_caller_identity()["Arn"]
    assert sum(report.answers.values()) == 500
    assert report.answers["200"] > 30  # it reached the services
