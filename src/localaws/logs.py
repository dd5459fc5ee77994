"""CloudWatch Logs, for the lines that functions and deliveries write.

Done: DescribeLogStreams, GetLogEvents, FilterLogEvents (logs_pattern.py), DeleteLogStream and DeleteLogGroup for groups
whose lines are ours (logs_files.py); a group is made in the control plane at its first line, as on AWS. The other
operations, and groups and streams that clients write themselves, are moto's. Lines are kept until their group is
deleted: a retention policy is stored and does not act, and a metric filter is and publishes nothing.
"""

import base64
import heapq
import itertools
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from localaws import logs_pattern
from localaws.errors import AwsError
from localaws.logs_files import Files, Line, Place, lines, span
from localaws.wire import Handler, Parameters, Request, Response, json_response, json_service

# A page is 1 MB or 10,000 events (API_FilterLogEvents.html in the API reference of CloudWatch Logs).
_PAGE, _PAGE_BYTES = 10_000, 1 << 20
_STREAMS = 50


class Logs:
    """`made(group)` is told, on a thread, of a group's first line ever."""

    def __init__(
        self,
        root: Path,
        clock: Callable[[], float],
        account: str,
        region: str,
        otherwise: Handler,
        made: Callable[[str], None] = lambda _group: None,
    ) -> None:
        self._files = Files(root / "logs", clock, made)
        self._arn = f"arn:aws:logs:{region}:{account}:log-group:"
        self._otherwise = otherwise
        self._own = json_service(
            "logs",
            {
                "DescribeLogStreams": self._describe_streams,
                "GetLogEvents": self._get_events,
                "FilterLogEvents": self._filter_events,
                "DeleteLogStream": self._delete_stream,
                "DeleteLogGroup": self._delete_group,
            },
            otherwise,
        )
        self.write = self._files.write
        self.start = self._files.start
        self.stop = self._files.stop

    async def handler(self, request: Request) -> Response:
        try:
            return await self._own(request)
        except _NotOursError as e:
            response = await self._otherwise(request)
            return json_response({}) if e.deleted and response.status >= 400 else response

    def _streams(self, call: Parameters) -> dict[str, Path]:
        streams = self._files.streams(_group(call))
        if not streams:
            raise _NotOursError
        return streams

    def _describe_streams(self, call: Parameters) -> Parameters:
        prefix = call.get("logStreamNamePrefix", "")
        found = [
            self._described(call, name, file) for name, file in self._streams(call).items() if name.startswith(prefix)
        ]
        by_time = call.get("orderBy") == "LastEventTime"
        found.sort(key=lambda stream: str(stream["logStreamName"]))
        if by_time:
            found.sort(key=lambda stream: int(stream["lastEventTimestamp"]))
        if call.get("descending"):
            found.reverse()
        start = _number(call.get("nextToken", "0"))
        page = found[start : start + call.get("limit", _STREAMS)]
        more = {"nextToken": str(start + len(page))} if start + len(page) < len(found) else {}
        return {"logStreams": page, **more}

    def _described(self, call: Parameters, name: str, file: Path) -> Parameters:
        first, last = span(file)
        return {
            "logStreamName": name,
            "creationTime": first,
            "firstEventTimestamp": first,
            "lastEventTimestamp": last,
            "lastIngestionTime": last,
            "arn": f"{self._arn}{_group(call)}:log-stream:{name}",
            "storedBytes": 0,
        }

    def _get_events(self, call: Parameters) -> Parameters:
        """A page begins where `f/` says or ends where `b/` says; without a token it is the first one or the last."""
        name, end = call["logStreamName"], call.get("endTime", 2**63)
        streams = self._streams(call)
        if name not in streams:
            raise _NotOursError
        found = [line for line in lines(name, streams[name], call.get("startTime", 0)) if line.place.time < end]
        default = "f/0" if call.get("startFromHead") else f"b/{len(found)}"
        direction, _, position = call.get("nextToken", default).partition("/")
        at = min(_number(position), len(found))
        if direction == "f":
            page, _ = _take(found[at:], call.get("limit", _PAGE))
            start = at
        else:
            page = _take(reversed(found[:at]), call.get("limit", _PAGE))[0][::-1]
            start = at - len(page)
        return {
            "events": [_event(line) for line in page],
            "nextForwardToken": f"f/{start + len(page)}",
            "nextBackwardToken": f"b/{start}",
        }

    def _filter_events(self, call: Parameters) -> Parameters:
        """All streams in one order of time; a page's token is the place of its last event."""
        after = _place(call["nextToken"]) if call.get("nextToken") else None
        start = max(call.get("startTime", 0), after.time if after else 0)
        matches = logs_pattern.compiled(call.get("filterPattern", ""))
        every = heapq.merge(
            *(lines(name, file, start) for name, file in self._wanted(call)), key=lambda line: line.place
        )
        until = itertools.takewhile(lambda line: line.place.time <= call.get("endTime", 2**63), every)
        found = (line for line in until if (after is None or line.place > after) and matches(line.text))
        page, is_more = _take(found, call.get("limit", _PAGE))
        more = {"nextToken": _token(page[-1].place)} if is_more else {}
        return {"events": [_filtered(line) for line in page], "searchedLogStreams": [], **more}

    def _wanted(self, call: Parameters) -> list[tuple[str, Path]]:
        names, prefix = set(call.get("logStreamNames", [])), call.get("logStreamNamePrefix", "")
        if names and prefix:
            text = "logStreamNames and logStreamNamePrefix can't be given together"
            raise AwsError("InvalidParameterException", text)
        return [
            (name, file)
            for name, file in self._streams(call).items()
            if name.startswith(prefix) and (not names or name in names)
        ]

    def _delete_stream(self, call: Parameters) -> Parameters:
        if call["logStreamName"] not in self._streams(call):
            raise _NotOursError
        self._files.delete(_group(call), call["logStreamName"])
        return {}

    def _delete_group(self, call: Parameters) -> Parameters:
        """The group itself is the control plane's."""
        self._streams(call)
        self._files.delete(_group(call))
        raise _NotOursError(deleted=True)


def _group(call: Parameters) -> str:
    """By name or ARN, which may end in `:*`."""
    identifier = call.get("logGroupName") or call.get("logGroupIdentifier", "")
    return str(identifier).rpartition(":log-group:")[2].removesuffix(":*")


def _take(found: Iterable[Line], limit: int) -> tuple[list[Line], bool]:
    """As much as a page may hold, and whether there is more."""
    page: list[Line] = []
    size = 0
    for line in found:
        size += len(line.text)
        if len(page) == limit or (page and size > _PAGE_BYTES):
            return page, True
        page.append(line)
    return page, False


def _event(line: Line) -> Parameters:
    return {"timestamp": line.place.time, "message": line.text, "ingestionTime": line.place.time}


def _filtered(line: Line) -> Parameters:
    where = line.place
    return {**_event(line), "logStreamName": where.stream, "eventId": f"{where.time}:{where.stream}:{where.offset}"}


def _token(place: Place) -> str:
    return base64.urlsafe_b64encode(json.dumps([place.time, place.stream, place.offset]).encode()).decode()


def _place(token: str) -> Place:
    try:
        time, stream, offset = json.loads(base64.b64decode(token.encode(), altchars=b"-_", validate=True))
        return Place(int(time), str(stream), int(offset))
    except (ValueError, TypeError) as e:
        raise _bad_token() from e


def _number(token: str) -> int:
    if not re.fullmatch("[0-9]{1,18}", token):
        raise _bad_token()
    return int(token)


def _bad_token() -> AwsError:
    return AwsError("InvalidParameterException", "The specified nextToken is invalid.")


class _NotOursError(Exception):
    """No function has written to this log group; or what it wrote is `deleted` now, and the group is left."""

    def __init__(self, deleted: bool = False) -> None:
        super().__init__()
        self.deleted = deleted
