"""`/_clicklake/health`: is the endpoint well, and what of it is not? JSON without secrets, for people and for probes.

    200  {"status": "ok" | "degraded", "version": ..., "data_format": 1, "uptime_seconds": ..., "services": {...}}
    503  the same with "failing": a service can't be asked, so it can't answer either

A service is "degraded" when it works and something outside of it does not, such as a stream whose bucket is gone.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from localaws.wire import Response

Check = Callable[[], Mapping[str, Any]]
"""A service's own words; "status" among them, unless it is "ok". What it raises makes it "failing"."""

_WORST_FIRST = ("failing", "degraded", "ok")


def answer(checks: Mapping[str, Check], known: Mapping[str, Any]) -> Response:
    """`known` is said as it is. Checks may wait for a disk: call it on a thread."""
    services = {name: _asked(check) for name, check in checks.items()}
    found = {service["status"] for service in services.values()}
    status = next((word for word in _WORST_FIRST if word in found), "ok")
    body = json.dumps({"status": status, **known, "services": services}, indent=1).encode() + b"\n"
    return Response(503 if status == "failing" else 200, {"content-type": "application/json"}, body)


def _asked(check: Check) -> dict[str, Any]:
    try:
        return {"status": "ok", **check()}
    except Exception as e:
        return {"status": "failing", "reason": type(e).__name__}
