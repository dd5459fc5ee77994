"""Lists a page at a time, and the error that Athena has for nearly everything."""

from collections.abc import Sequence
from typing import Any

from localaws.errors import AwsError
from localaws.wire import Parameters

_PAGE = 50


def invalid(message: str) -> AwsError:
    return AwsError("InvalidRequestException", message)


def page(name: str, entries: Sequence[Any], p: Parameters, most: int = _PAGE) -> Parameters:
    """One page of a list; the token is the number of entries before the next page."""
    token = p.get("NextToken") or "0"
    if not token.isdigit():
        raise invalid("Invalid NextToken")
    start, end = int(token), int(token) + min(p.get("MaxResults", most), most)
    more = {"NextToken": str(end)} if end < len(entries) else {}
    return {name: list(entries[start:end]), **more}
