"""Which route a request takes. Pure.

"API Gateway selects the route with the most-specific match": a whole match before one with a path variable, that before
a greedy one, and `$default` last (docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html).
Of two routes of one path the one that names the method goes before ANY. A trailing slash counts: `GET /pets` is not
`/pets/`, which `GET /pets/{proxy+}` takes, with nothing in the variable.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT = "$default"
METHODS = ("ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
_KEY = re.compile(rf"(?P<method>{'|'.join(METHODS)}) (?P<path>/|(/[^/{{}}\s]+|/\{{[\w.-]+\}})*(/\{{[\w.-]+\+\}})?)")
_STATIC, _VARIABLE, _GREEDY = range(3)


@dataclass(frozen=True, slots=True)
class Route:
    """`segments`: (kind, text or name) of each. `integration`: None if nothing is attached to it."""

    key: str
    method: str
    segments: tuple[tuple[int, str], ...]
    integration: Any


def is_key(text: str) -> bool:
    return text == DEFAULT or (_KEY.fullmatch(text) is not None and not text.endswith(" "))


def route(key: str, integration: Any) -> Route:
    """Of a key that `is_key`."""
    method, _, path = key.partition(" ")
    return Route(key, method, tuple(map(_segment, path[1:].split("/"))), integration)


def _segment(text: str) -> tuple[int, str]:
    if not text.startswith("{"):
        return _STATIC, text
    name = text[1:-1]
    return (_GREEDY, name[:-1]) if name.endswith("+") else (_VARIABLE, name)


def chosen(routes: Iterable[Route], method: str, path: str) -> tuple[Route, Mapping[str, str]] | None:
    """The route, and its path variables' values. `path` is decoded and begins with a slash."""
    parts = path[1:].split("/")
    best: tuple[tuple[Any, ...], Route, dict[str, str]] | None = None
    default = None
    for each in routes:
        if each.key == DEFAULT:
            default = each
        elif each.method in {method, "ANY"}:
            values = _match(each.segments, parts)
            rank = (tuple(kind for kind, _ in each.segments), each.method == "ANY")
            if values is not None and (best is None or rank < best[0]):
                best = rank, each, values
    if best is not None:
        return best[1], best[2]
    return (default, {}) if default is not None else None


def _match(segments: tuple[tuple[int, str], ...], parts: list[str]) -> dict[str, str] | None:
    values: dict[str, str] = {}
    for at, (kind, text) in enumerate(segments):
        if at >= len(parts):
            return None
        if kind == _GREEDY:
            return values | {text: "/".join(parts[at:])}
        if kind == _VARIABLE and parts[at]:
            values[text] = parts[at]
        elif kind == _VARIABLE or parts[at] != text:
            return None
    return values if len(segments) == len(parts) else None
