"""Fixtures that several modules here share.

send        what tests of bad input send with; `unharmed`: that it did no harm
functions   a client of Lambda
s3          a client of S3, with the bucket `lake`
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from endpoint_process import EndpointProcess
from sender import STREAM, Sender, furnish


@pytest.fixture(scope="session")
def send(shared_endpoint: EndpointProcess) -> Sender:
    furnish(shared_endpoint.client)
    return Sender(shared_endpoint)


@pytest.fixture
def unharmed(endpoint: EndpointProcess, aws: Callable[..., Any], send: Sender) -> Iterator[None]:
    """Whatever is sent meanwhile: no traceback in the log, and a record is still taken."""
    before = endpoint.log.stat().st_size
    yield
    assert aws("firehose").put_record(DeliveryStreamName=STREAM, Record={"Data": b"still here\n"})["RecordId"]
    said = endpoint.log.read_bytes()[before:]
    assert b"Traceback" not in said, said.decode()


@pytest.fixture(scope="module")
def functions(aws: Callable[..., Any]) -> Any:
    return aws("lambda")


@pytest.fixture(scope="module")
def s3(aws: Callable[..., Any]) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket="lake")
    return client
