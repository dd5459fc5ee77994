"""Where a JSON object ends, in bytes that may hold anything (RFC 8259).

A scanner without recursion, so nesting bombs only cost their length, and the answer is the same in every Python. It
is for text that one line doesn't frame: pretty-printed, concatenated or broken. It takes NaN and Infinity, which
many senders write, for numbers, and leaves the fine print of strings and numbers to the parser.

A forgiving scan also steps over what is no JSON within a line, such as `tru` or `'x'`, as long as no bracket or brace
stands in it: so what is nested behind a small mistake still belongs to the object that holds the mistake.
"""

import re
from typing import NamedTuple

DEEPEST = 1000  # levels; orjson reads 1,024
OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST, COMMA = b"{}[],"

# Groups are repeated within (?>...), never as (?:...)*+: in Python 3.11.2, Debian 12's, a possessive group that fails
# half-way stays in the middle of its last try.
_SPACE = rb"[ \t\r\n]*+"
_STRING = rb'"(?>(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*)"'
_SCALAR = rb"(?:" + _STRING + rb"|-?[0-9][0-9.eE+-]*+|true|false|null|NaN|-?Infinity)"
_MEMBER = _SPACE + _STRING + _SPACE + b":" + _SPACE + _SCALAR + _SPACE

SCALAR = re.compile(_SCALAR)
# Runs of flat members and items are swallowed by one match; what a run ends with is looked at one by one.
_MEMBERS = re.compile(rb"(?>(?:" + _MEMBER + rb",)*)(?>(?:" + _MEMBER + rb")?)" + _SPACE)
_ITEM = _SPACE + _SCALAR + _SPACE
_ITEMS = re.compile(rb"(?>(?:" + _ITEM + rb",)*)(?:(" + _ITEM + rb")|)" + _SPACE)
_NAME = re.compile(_STRING + _SPACE + b":" + _SPACE)
_COMMA = re.compile(_SPACE + rb"(?:(,)" + _SPACE + rb")?")
# What is no value, on one line and without brackets, braces and commas; these may not even stand within quotes, because
# where a quote is missing every other one ends what it should begin.
_RUBBISH_STRING = rb'"(?>(?:[^"\\\n{}\[\]]++|\\[^\n])*)'
_RUBBISH = re.compile(rb'(?>(?:[^"{}\[\],\n]++|' + _RUBBISH_STRING + rb'")*)' + _SPACE)
_PART_OF_RUBBISH = re.compile(rb"(?>(?:" + _RUBBISH_STRING + rb"\\?)?)")
# What may stand at the end of data that are only cut off: part of a member or of a scalar.
_PART = re.compile(
    _SPACE + rb"(?>(?:" + _STRING + _SPACE + rb":?" + _SPACE + rb")?)"
    rb'(?:"(?>(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*)\\?|[-+.0-9A-Za-z]*+)'
)


class Extent(NamedTuple):
    """`end` is the offset behind the object, or -1; then `stop` is where it can't go on (the end of the data if it
    may only be cut off), `child` the first smaller object inside that is whole, or -1, and `open` where the containers
    begin that are still open at `stop`."""

    end: int
    stop: int
    child: int
    open: list[int]


def extent(data: bytes, start: int, limit: int, forgiving: bool = False) -> Extent:
    """Scan the object that opens at `data[start]`, reading nothing from `limit` on."""
    opened, in_object, more = [start], True, True
    at, child = start + 1, -1
    while True:
        at, takes_container = _skip_scalars(data, at, limit, in_object) if more else (at, False)
        byte = data[at] if at < limit else 0
        if byte == (CLOSE_OBJECT if in_object else CLOSE_LIST):
            begin = opened.pop()
            at += 1
            if not opened:
                return Extent(at, at, -1, opened)
            if in_object and (child < 0 or begin < child):
                child = begin
            comma = _COMMA.match(data, at, limit)
            assert comma is not None  # it matches nothing, too
            at, more = comma.end(), comma[1] is not None
        elif takes_container and byte in (OPEN_OBJECT, OPEN_LIST) and len(opened) < DEEPEST:
            opened.append(at)
            at, more = at + 1, True
        elif forgiving and (over := _over_rubbish(data, at, limit, in_object)) > 0:
            at, more = over, True
        else:
            return Extent(-1, limit if _cut_off(data, at, limit, forgiving) else at, child, opened)
        in_object = data[opened[-1]] == OPEN_OBJECT


def _over_rubbish(data: bytes, at: int, limit: int, in_object: bool) -> int:
    """Behind what is no value and the comma after it, or at the end of the object or list that it stands in; -1 if
    something else follows it."""
    at = _end(_RUBBISH, data, at, limit)
    byte = data[at] if at < limit else 0
    if byte == COMMA:
        return at + 1
    return at if byte == (CLOSE_OBJECT if in_object else CLOSE_LIST) else -1


def _cut_off(data: bytes, at: int, limit: int, forgiving: bool) -> bool:
    """Whether more data might make whole what stands from `at` to `limit`."""
    if _PART.fullmatch(data, at, limit):
        return True
    return forgiving and _PART_OF_RUBBISH.fullmatch(data, _end(_RUBBISH, data, at, limit), limit) is not None


def _skip_scalars(data: bytes, at: int, limit: int, in_object: bool) -> tuple[int, bool]:
    """Swallow flat members or items; then whether a container may stand here (in an object only behind a name)."""
    if not in_object:
        items = _ITEMS.match(data, at, limit)
        assert items is not None  # it matches nothing, too
        return items.end(), items[1] is None
    at = _end(_MEMBERS, data, at, limit)
    name = _NAME.match(data, at, limit)
    return (name.end(), True) if name else (at, False)


def _end(pattern: re.Pattern[bytes], data: bytes, at: int, limit: int) -> int:
    match = pattern.match(data, at, limit)
    return match.end() if match else at
