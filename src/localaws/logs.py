"""Functions' log lines: plain files that `tail -f` reads, answered as CloudWatch Logs.

DATA_DIR/logs/<group>/<stream>.log, one `<epoch ms> <text>` a line; a "/" in a stream's name is kept as "%2F".
Done: DescribeLogStreams, GetLogEvents, FilterLogEvents (a plain-text or `"quoted"` pattern) for groups that functions
write; the other operations, and groups that clients write themselves, are moto's.
"""

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from localaws.errors import AwsError
from localaws.wire import Handler, Parameters, Request, Response, json_service

_PAGE = 10_000
_LONGEST_NAME = 200  # of a file; file systems take 255 bytes


class Logs:
    def __init__(self, root: Path, clock: Callable[[], float], account: str, region: str, otherwise: Handler) -> None:
        self._root = root / "logs"
        self._clock = clock
        self._arn = f"arn:aws:logs:{region}:{account}:log-group:"
        self._lock = threading.Lock()
        self._otherwise = otherwise
        self._own = json_service(
            "logs",
            {
                "DescribeLogStreams": self._describe_streams,
                "GetLogEvents": self._get_events,
                "FilterLogEvents": self._filter_events,
            },
            otherwise,
        )

    async def handler(self, request: Request) -> Response:
        try:
            return await self._own(request)
        except _NotOursError:
            return await self._otherwise(request)

    def write(self, group: str, stream: str, lines: list[str]) -> None:
        """Append lines under the current time; a line end inside a line begins a new one."""
        stamp = int(self._clock() * 1000)
        text = "".join(f"{stamp} {part}\n" for line in lines for part in line.splitlines() or [""])
        file = self._folder(group) / (quote(stream, safe="") + ".log")
        with self._lock:
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("a", encoding="utf-8") as log:
                log.write(text)

    def _folder(self, group: str) -> Path:
        return self._root.joinpath(*(_file_name(part) for part in group.strip("/").split("/")))

    def _streams(self, call: Parameters) -> dict[str, Path]:
        name = call.get("logGroupName") or call.get("logGroupIdentifier", "").rpartition("log-group:")[2]
        folder = self._folder(name)
        files = sorted(folder.glob("*.log")) if folder.is_dir() else []
        if not files:
            raise _NotOursError
        return {unquote(file.stem): file for file in files}

    def _describe_streams(self, call: Parameters) -> Parameters:
        prefix = call.get("logStreamNamePrefix", "")
        found = [
            self._described(call, name, file) for name, file in self._streams(call).items() if name.startswith(prefix)
        ]
        if call.get("orderBy") == "LastEventTime":
            found.sort(key=lambda stream: int(stream["lastEventTimestamp"]), reverse=bool(call.get("descending")))
        return {"logStreams": found[: call.get("limit", 50)]}

    def _described(self, call: Parameters, name: str, file: Path) -> Parameters:
        stamps = [stamp for stamp, _ in _events(file)] or [0]
        return {
            "logStreamName": name,
            "creationTime": stamps[0],
            "firstEventTimestamp": stamps[0],
            "lastEventTimestamp": stamps[-1],
            "lastIngestionTime": stamps[-1],
            "arn": f"{self._arn}{call.get('logGroupName', '')}:log-stream:{name}",
        }

    def _get_events(self, call: Parameters) -> Parameters:
        name = call["logStreamName"]
        streams = self._streams(call)
        if name not in streams:
            raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
        events = [
            {"timestamp": t, "message": m, "ingestionTime": t} for t, m in _events(streams[name]) if _within(t, call)
        ]
        token = call.get("nextToken", "")
        start = _offset(token[2:]) if token[:2] in {"f/", "b/"} else 0
        page = events[start : start + call.get("limit", _PAGE)]
        return {
            "events": page,
            "nextForwardToken": f"f/{start + len(page)}",
            "nextBackwardToken": f"b/{start}",
        }

    def _filter_events(self, call: Parameters) -> Parameters:
        wanted = set(call.get("logStreamNames", []))
        prefix = call.get("logStreamNamePrefix", "")
        pattern = call.get("filterPattern", "").strip('"')
        found: list[dict[str, Any]] = [
            {"logStreamName": name, "timestamp": t, "message": m, "ingestionTime": t, "eventId": f"{name}:{i}"}
            for name, file in self._streams(call).items()
            if name.startswith(prefix) and (not wanted or name in wanted)
            for i, (t, m) in enumerate(_events(file))
            if _within(t, call) and pattern in m
        ]
        found.sort(key=lambda event: int(event["timestamp"]))
        start = _offset(call.get("nextToken", "0"))
        page = found[start : start + call.get("limit", _PAGE)]
        more = {"nextToken": str(start + len(page))} if start + len(page) < len(found) else {}
        return {"events": page, "searchedLogStreams": [], **more}


def _file_name(part: str) -> str:
    """A part of a log group's name as a file's: it can't lead out of the directory, and it is not too long for one."""
    quoted = quote(part, safe="")
    plain = quoted.strip(".") and len(quoted) <= _LONGEST_NAME
    return quoted if plain else "%." + hashlib.sha256(part.encode()).hexdigest()


def _offset(token: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", token):
        raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
    return int(token)


class _NotOursError(Exception):
    """No function has written to this log group."""


def _events(file: Path) -> Iterator[tuple[int, str]]:
    with file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            stamp, _, text = line.rstrip("\n").partition(" ")
            if stamp.isdecimal():  # else a crash has torn the line
                yield int(stamp), text


def _within(stamp: int, call: Parameters) -> bool:
    return bool(call.get("startTime", 0) <= stamp < call.get("endTime", 2**63))
