"""Send events with nothing but the standard library: a batch, tried again until it is taken."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from datetime import UTC, datetime

COLLECTOR = os.environ.get("COLLECTOR", "http://127.0.0.1:4566/collect")
WRITE_KEY = os.environ.get("WRITE_KEY", "demo")


def event(event_type: str, **fields: object) -> dict[str, object]:
    """Its id and time are made once: a batch that is sent again must stay the same."""
    made = {"event_id": str(uuid.uuid4()), "event_time": datetime.now(UTC).isoformat()}
    return {"event_type": event_type, "platform": "server", **made, **fields}


def send(events: list[dict[str, object]], tries: int = 8) -> None:
    """Returns when the collector has them all. Raises HTTPError if it never will. Waits longer after each try, and as
    long as an answer asks for (Retry-After)."""
    headers = {"X-Write-Key": WRITE_KEY, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{COLLECTOR}/v1/events", json.dumps(events).encode(), headers)  # noqa: S310 - our own URL
    for pause in (2**number / 4 for number in range(tries)):
        try:
            with urllib.request.urlopen(request, timeout=10):  # noqa: S310
                return
        except urllib.error.HTTPError as refused:
            if refused.code not in {408, 429, 500, 502, 503, 504}:
                raise
            asked = refused.headers.get("Retry-After", "")
            pause = max(pause, float(asked) if asked.isdecimal() else 0)  # noqa: PLW2901
        except OSError:  # nobody is there, or nobody answers
            pass
        time.sleep(pause)
    raise TimeoutError(f"{len(events)} events could not be sent")


# A server speaks for a visitor: `ip` and `user_agent` are the visitor's, from the request that the server got.
visitor = {"anonymous_id": "a-17", "user_id": "user-17", "ip": "203.0.113.7", "user_agent": "Mozilla/5.0"}
send(
    [
        event("page_view", page_url="https://shop.example/cart", page_title="Cart", **visitor),
        event("purchase", value=12.5, currency="EUR", properties={"order": "o-1"}, **visitor),
    ]
)
