"""Base64 text among records (RFC 4648, section 4).

Version 1 of the aws CLI encodes `Data` itself, so the documented command, which encodes too, delivers base64 text:
docs.aws.amazon.com/cli/latest/userguide/cliv2-migration-changes.html, "binary parameters". Several in a row split at
padding; without padding (a multiple of three bytes) they decode as one, because every four characters stand alone.
Lines of wrapped text (GNU base64 wraps at 76 columns) belong together until one looks like a new beginning.
"""

import binascii
import re
from dataclasses import dataclass

# `{` or `[`, then a space, a quote or a bracket; or a byte order mark: how the base64 of a record can begin.
BEGINNING = re.compile(rb"[eW][wy3][0-9A-Za-z+/]|77u/")
LONGEST_BEGINNING = 6  # bytes that tell whether the next line belongs to a text: CR, LF and a beginning
_NEXT_LINE = rb"\r?\n(?!" + BEGINNING.pattern + rb")[0-9A-Za-z+/]++(?=[=\r\n]|\Z)"
_TEXT = re.compile(rb"[0-9A-Za-z+/]{4,}+(?>(?:" + _NEXT_LINE + rb")*)={0,2}+")
_LINE_END = re.compile(rb"[\r\n]")
MOST_BEGINNINGS = 64  # tries at finding the next text after a broken one; beyond, the whole run is broken


@dataclass(frozen=True, slots=True)
class Base64Text:
    """The text between `start` and `end` and what it decodes to."""

    start: int
    end: int
    decoded: bytes
    line_ends: tuple[int, ...]

    def offset(self, inner: int) -> int:
        """The offset of the four characters that hold the decoded byte `inner`."""
        at = self.start + inner // 3 * 4
        for line_end in self.line_ends:
            at += line_end <= at
        return min(at, self.end)


def base64_text(data: bytes, start: int, limit: int) -> Base64Text | None:
    """The base64 text that begins a record at `start`; missing padding is added, an odd character is left over."""
    found = _TEXT.match(data, start, limit) if BEGINNING.match(data, start, limit) else None
    if not found:
        return None
    text = _LINE_END.sub(b"", found[0]).rstrip(b"=")
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    decoded = binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    line_ends = tuple(start + m.start() for m in _LINE_END.finditer(found[0]))
    return Base64Text(start, found.end(), decoded, line_ends)


def beginnings(data: bytes, start: int, end: int) -> list[int]:
    """Where, after `start`, another base64 text may begin."""
    found: list[int] = []
    for match in BEGINNING.finditer(data, start + 1, end):
        found.append(match.start())
        if len(found) == MOST_BEGINNINGS:
            break
    return found
