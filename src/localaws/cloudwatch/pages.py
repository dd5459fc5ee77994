"""Pages of answers: a token says what came last, so a page is right whatever was added meanwhile."""

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from localaws.cloudwatch.series import Metric
from localaws.errors import AwsError


def after(metrics: Sequence[Metric], token: str | None, size: int) -> tuple[list[Metric], str | None]:
    """The page after `token`, and the next one's token if there is more. `metrics` are in their order."""
    last = _read(token, "InvalidParameterValue") if token else None
    if last is not None and not all(isinstance(part, str) for part in last):
        raise _invalid("InvalidParameterValue")
    rest = [metric for metric in metrics if last is None or _key(metric) > last]
    page = list(rest[:size])
    return page, _token(_key(page[-1])) if len(rest) > size else None


def of_results(results: Sequence[Mapping[str, Any]], token: str | None, size: int) -> tuple[list[Any], str | None]:
    """`size` of the results' `points` after `token`, as MetricDataResults. The points are in the order to give them."""
    number, last = _place(token) if token else (0, None)
    page: list[dict[str, Any]] = []
    left = size
    for index, result in enumerate(results):
        if index < number:
            continue
        points = _behind(result["points"], last if index == number else None)
        part = points[:left]
        left -= len(part)
        page.append(_result(result, part, whole=len(part) == len(points)))
        if len(part) < len(points):
            at = part[-1][0] if part else (last if index == number else None)
            return page, _token([index, at])
        if left == 0 and any(later["points"] for later in results[index + 1 :]):
            return page, _token([index + 1, None])
    return page, None


def _behind(points: Sequence[tuple[int, float]], last: int | None) -> Sequence[tuple[int, float]]:
    if last is None or len(points) == 0:
        return points
    descending = len(points) > 1 and points[0][0] > points[1][0]
    return [point for point in points if (point[0] < last if descending else point[0] > last)]


def _result(result: Mapping[str, Any], part: Sequence[tuple[int, float]], *, whole: bool) -> dict[str, Any]:
    answer = {
        "Id": result["Id"],
        "Label": result["Label"],
        "Timestamps": [time for time, _ in part],
        "Values": [value for _, value in part],
        "StatusCode": "Complete" if whole else "PartialData",
    }
    return answer | ({"Messages": result["Messages"]} if result["Messages"] else {})


def _key(metric: Metric) -> list[str]:
    return [metric.namespace, metric.name, *(text for pair in metric.dimensions for text in pair)]


def _place(token: str) -> tuple[int, int | None]:
    """Which result, and the time of its last point that was given."""
    match _read(token, "InvalidNextToken"):
        case [int(number), int() | None as last]:
            return number, last
    raise _invalid("InvalidNextToken")


def _token(value: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _read(token: str, code: str) -> list[Any]:
    try:
        value = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, RecursionError) as e:
        raise _invalid(code) from e
    if not isinstance(value, list):
        raise _invalid(code)
    return value


def _invalid(code: str) -> AwsError:
    return AwsError(code, "Request parameter NextToken is invalid")
