"""`/_clicklake/health`: is the endpoint well, and what of it is not? JSON without secrets, for people and for probes.

    200  {"status": "ok" | "degraded", "version": ..., "data_format": 1, "uptime_seconds": ..., "services": {...}}
    503  the same with "failing": a service can't be asked, so it can't answer either

A service is "degraded" when it works and something that it needs does not, such as a stream whose bucket is gone.
"""

import json
import logging
import shutil
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from localaws.store import Store
from localaws.wire import Response

_log = logging.getLogger("localaws.health")

Check = Callable[[], Awaitable[Mapping[str, Any]]]
"""A service's own words; "status" among them, unless it is "ok". What it raises makes it "failing"."""

_WORST_FIRST = ("failing", "degraded", "ok")
_LITTLE_SPACE = 256 * 2**20


async def answer(checks: Mapping[str, Check], known: Mapping[str, Any]) -> Response:
    """`known` is said as it is."""
    services = {name: await _asked(name, check) for name, check in checks.items()}
    found = {service["status"] for service in services.values()}
    status = next(word for word in _WORST_FIRST if word in found | {"ok"})
    body = json.dumps({"status": status, **known, "services": services}, indent=1).encode() + b"\n"
    headers = {"content-type": "application/json", "cache-control": "no-store"}
    return Response(503 if status == "failing" else 200, headers, body)


async def _asked(name: str, check: Check) -> dict[str, Any]:
    try:
        return {"status": "ok", **await check()}
    except Exception as e:
        _log.exception("%s can't be asked how it is", name)
        return {"status": "failing", "reason": type(e).__name__}


def store(database: Store) -> dict[str, Any]:
    """Can it be read?"""
    database.read().execute("SELECT name FROM sqlite_master LIMIT 1").fetchone()
    return {}


def disk(root: Path) -> dict[str, Any]:
    """Is there room for what will be put?"""
    free = shutil.disk_usage(root).free
    return {"status": "ok" if free > _LITTLE_SPACE else "degraded", "free_bytes": free}
