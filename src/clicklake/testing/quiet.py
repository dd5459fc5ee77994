"""Is anything still on its way through the endpoint? Its own numbers say so (docs/observability.md).

What was acknowledged moves one way: a stream's backlog -> S3's notifications -> functions' queues. Where it goes next,
it is before it has left where it was; but the numbers are not read in that order, so only the second look in a row that
finds nothing says that there is nothing.
"""

import http.client
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from clicklake.errors import UnreachableError

_LOOKS = 2
_FIRST_PAUSE, _LONGEST_PAUSE = 0.005, 0.1
_WAITING = {
    "clicklake_firehose_backlog_bytes": "bytes in the stream",
    "clicklake_events_queued": "notifications of S3",
    "clicklake_lambda_async_queued": "events for the function",
}
_LINE = re.compile(rf'^({"|".join(_WAITING)})(?:{{\w+="([^"]*)"}})? (\S+)$', re.MULTILINE)


def wait(url: str, seconds: float, sleep: Callable[[float], None] = time.sleep) -> tuple[str, ...]:
    """Wait until nothing is on its way, but not longer than `seconds`; then it says what still is, if anything."""
    deadline, quiet, pause = time.monotonic() + seconds, 0, _FIRST_PAUSE
    while True:
        left = under_way(url)
        quiet = 0 if left else quiet + 1
        if quiet == _LOOKS or time.monotonic() > deadline:
            return left
        if left:
            sleep(pause)
            pause = min(_LONGEST_PAUSE, pause * 1.5)


def under_way(url: str) -> tuple[str, ...]:
    """`3 events for the function clickstream-raw-to-processed-dev`, ...; raises UnreachableError."""
    found = _LINE.findall(_page(url, "/_clicklake/metrics"))
    return tuple(f"{number} {_WAITING[name]} {of}".strip() for name, of, number in found if float(number))


def _page(url: str, path: str) -> str:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)  # it knows no proxies
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as e:
        raise UnreachableError(f"the test's endpoint at {url} does not answer ({e})") from e
    finally:
        connection.close()
