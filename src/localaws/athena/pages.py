"""Lists a page at a time, and the error that Athena has for nearly everything."""

import re
from collections.abc import Sequence
from typing import Any

from localaws.errors import AwsError
from localaws.wire import Parameters

_PAGE = 50


def invalid(message: str, code: str = "INVALID_INPUT") -> AwsError:
    return AwsError("InvalidRequestException", message, AthenaErrorCode=code)


def number_of(token: str) -> int:
    """A NextToken that is a number. Raises InvalidRequestException."""
    if not re.fullmatch("[0-9]{1,19}", token) or int(token) >= 2**63:
        raise invalid("Invalid NextToken")
    return int(token)


def page(name: str, entries: Sequence[Any], p: Parameters, most: int = _PAGE) -> Parameters:
    """One page of a list; the token is the number of entries before the next page."""
    start = number_of(p.get("NextToken") or "0")
    end = start + min(p.get("MaxResults", most), most)
    more = {"NextToken": str(end)} if end < len(entries) else {}
    return {name: list(entries[start:end]), **more}
