"""How many invocations may be under way: a function's reserved share, or what the account has left for all others.

As docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html has it; an invocation that waits for a worker counts
too, for on AWS it would run.
"""

import threading
from collections import Counter
from collections.abc import Callable

from localaws.errors import AwsError

# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, "Concurrent executions"; what must stay unreserved.
ACCOUNT = 1000
LEAST_UNRESERVED = 100

_LOOK_SECONDS = 0.25


class Concurrency:
    """Whoever `enter`s a share must `leave` it; "" is the unreserved share."""

    def __init__(self) -> None:
        self._busy: Counter[str] = Counter()
        self._changed = threading.Condition()

    def busy(self, share: str) -> int:
        return self._busy[share]

    def enter(self, share: str, limit: int, patient: Callable[[], bool]) -> None:
        """TooManyRequestsException if the share is full and whoever comes is not `patient`, or not any more."""
        with self._changed:
            while self._busy[share] >= limit:
                if limit == 0 or not patient():
                    raise _throttled(share)
                self._changed.wait(_LOOK_SECONDS)
            self._busy[share] += 1

    def leave(self, share: str) -> None:
        with self._changed:
            self._busy[share] -= 1
            self._changed.notify_all()


def check_reserved(wanted: int, reserved_by_others: int) -> None:
    if ACCOUNT - reserved_by_others - wanted < LEAST_UNRESERVED:
        raise AwsError(
            "InvalidParameterValueException",
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution "
            f"below its minimum value of [{LEAST_UNRESERVED}].",
        )


def _throttled(share: str) -> AwsError:
    reason = "ReservedFunctionConcurrentInvocationLimitExceeded" if share else "ConcurrentInvocationLimitExceeded"
    return AwsError("TooManyRequestsException", "Rate Exceeded.", 429, Type="User", Reason=reason)
