"""Token buckets: "API Gateway uses the token bucket algorithm, where a token counts for a request"
(docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html). The settings of a stage are every
route's, unless the route has its own; each route has a bucket of its own. The account's own limit is what counts where
nothing is set."""

from collections.abc import Callable

ACCOUNT_RATE, ACCOUNT_BURST = 10_000.0, 5_000
"""Requests a second, and at once (docs.aws.amazon.com/apigateway/latest/developerguide/limits.html)."""


class Bucket:
    """Full at first. `clock` in seconds; asked on one thread."""

    def __init__(self, rate: float, burst: int, clock: Callable[[], float]) -> None:
        self._rate = rate
        self._burst = burst
        self._clock = clock
        self._tokens = float(burst)
        self._at = clock()

    def take(self) -> bool:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
