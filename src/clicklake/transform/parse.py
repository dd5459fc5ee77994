"""The bytes of one JSON object to a dict; tolerant where it loses nothing.

orjson is strict and fast. What it refuses is read again by the standard library: NaN and Infinity (Python and
JavaScript senders write them), numbers beyond 64 bits and lone surrogates become text, so that no digit is lost and
everything can be written again. Of repeated keys the last one wins in both.
"""

import json
import re
from typing import Any

import orjson

from clicklake.transform.event import Failed

DEEPEST = 100  # levels of nesting in an event
TOO_DEEP = Failed("decode_error", "$", f"nested deeper than {DEEPEST} levels")

_SURROGATE = re.compile("[\ud800-\udfff]")
_STRING_OR_BRACKET = re.compile(rb'"(?>(?:[^"\\]++|\\.)*)"|[\[{]|[\]}]', re.DOTALL)


def parse(text: bytes) -> dict[str, Any] | Failed:
    """`text` is one JSON object, or nearly."""
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return parse_exactly(text)
    return value if type(value) is dict else _no_json(0)


def parse_exactly(text: bytes) -> dict[str, Any] | Failed:
    """As `parse`, but every integer that 64 bits can't hold is kept, digit by digit, as text."""
    if _depth(text) > DEEPEST:
        return TOO_DEEP  # json recurses; how deep it gets depends on the version of Python and on the caller's depth
    try:
        value = json.loads(text.decode("utf-8"), parse_int=_integer, parse_float=_real, parse_constant=str)
        clean = json.dumps(value, ensure_ascii=False)
    except UnicodeDecodeError as e:
        return Failed("decode_error", "$", f"not UTF-8 at byte {e.start}")
    except json.JSONDecodeError as e:
        return _no_json(e.pos)
    if _SURROGATE.search(clean):
        value = json.loads(_SURROGATE.sub("\ufffd", clean))
    return value if type(value) is dict else _no_json(0)


def _depth(text: bytes) -> int:
    """The levels of nesting of JSON text."""
    depth = deepest = 0
    for match in _STRING_OR_BRACKET.finditer(text):
        depth += (match[0] in b"[{") - (match[0] in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _no_json(at: int) -> Failed:
    return Failed("decode_error", "$", f"not JSON at character {at}")


def _integer(digits: str) -> int | str:
    if len(digits) > 20:
        return digits
    value = int(digits)
    return value if -(1 << 63) <= value < 1 << 64 else digits


def _real(digits: str) -> float | str:
    value = float(digits)
    return value if abs(value) != float("inf") else digits
