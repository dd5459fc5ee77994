"""Lambda's lists come in pages of 50 at most; the marker is where the next one begins."""

import base64
from typing import Any

from localaws.functions.config import invalid
from localaws.wire import Parameters

_PAGE = 50


def page(name: str, items: list[dict[str, Any]], parameters: Parameters) -> Parameters:
    start = _offset(parameters.get("Marker"))
    end = start + min(parameters.get("MaxItems", _PAGE), _PAGE)
    more = {"NextMarker": base64.b64encode(str(end).encode()).decode()} if end < len(items) else {}
    return {name: items[start:end], **more}


def _offset(marker: str | None) -> int:
    try:
        return int(base64.b64decode(marker or "MA==", validate=True))
    except ValueError as e:
        raise invalid("Invalid pagination token") from e
