"""What the services ask of IAM before they do something. It is alone here, so that nothing else need be loaded while
nobody's policies count."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from localaws.sigv4 import Protocol
from localaws.wire import Caller, Request


def _allow(*_: str) -> None:
    pass


def _may(*_: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Guard:
    """Each raises AwsError for what may not be done, or says so. As it is here, policies don't count.

    Of a caller: `admit(request, service, protocol)` for any service but S3, `judge(caller, action, what it is about,
    condition keys, the bucket's policy)` for S3. Of a role, by its ARN: `admit_delivery(role, bucket, key)` of a
    stream's object, `admit_function(role, function)` of a function's process, `admit_report(role, function, arn)` of
    what became of an asynchronous invocation, `may_log_delivery(role, group, stream)`; and `may_log(access_key, group,
    stream)` by the key of a function's process."""

    admit: Callable[[Request, str, Protocol], Awaitable[None]] | None = None
    judge: Callable[[Caller, str, dict[str, Any], Mapping[str, Any], Mapping[str, Any] | None], None] | None = None
    admit_delivery: Callable[[str, str, str], None] = _allow
    admit_function: Callable[[str, str], None] = _allow
    admit_report: Callable[[str, str, str], None] = _allow
    may_log_delivery: Callable[[str, str, str], bool] = _may
    may_log: Callable[[str, str, str], bool] = _may
