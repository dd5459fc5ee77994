"""A plugin for LocalStack's tests: the names by which they call buckets are names of this machine.

They call s3.localhost.localstack.cloud at port 4566, which LocalStack's owners have in public DNS; here it is
s3.localhost (RFC 6761: all of `localhost` is loopback, which not every resolver knows) at the endpoint's own port.
Loaded with `pytest -p` before LocalStack reads its constants.
"""

import os
import socket
from typing import Any

import localstack.constants  # type: ignore[import-not-found]  # the suite's own environment has it

_resolve = socket.getaddrinfo


def _resolve_localhost(host: Any, *arguments: Any, **more: Any) -> Any:
    is_ours = isinstance(host, str) and host.endswith(".localhost")
    return _resolve("127.0.0.1" if is_ours else host, *arguments, **more)


localstack.constants.LOCALHOST_HOSTNAME = "localhost"
localstack.constants.DEFAULT_PORT_EDGE = int(os.environ["TEST_AWS_ENDPOINT_URL"].rpartition(":")[2])
socket.getaddrinfo = _resolve_localhost
