"""Base64 text among records (RFC 4648, section 4).

Version 1 of the aws CLI encodes `Data` itself, so the documented command, which encodes too, delivers base64 text:
docs.aws.amazon.com/cli/latest/userguide/cliv2-migration-changes.html, "binary parameters". Several in a row split at
padding; without padding (a multiple of three bytes) they decode as one, because every four characters stand alone.
Lines of wrapped text (GNU base64 wraps at 76 columns) belong together until one looks like a new beginning.
"""

import binascii
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

# `{` or `[` and then a space, a quote or a bracket; or these behind one space or line end; or a byte order mark: how
# the base64 of a record can begin.
BEGINNING = re.compile(rb"[eW][wy3][0-9A-Za-z+/]|W1t|IHs|IFt|Cns|Clt|CXs|CVt|DQp[7b]|77u/")
LONGEST_BEGINNING = 6  # bytes that tell whether the next line belongs to a text: CR, LF and a beginning
_LETTER = rb"[0-9A-Za-z+/]"
_NEXT_LINE = rb"\r?\n(?!" + BEGINNING.pattern + rb")" + _LETTER + rb"++(?=[=\r\n]|\Z)"
_NEXT_LINES = rb"(?>(?:" + _NEXT_LINE + rb")*)={0,2}+"
_TEXT = re.compile(_LETTER + rb"{3,}+" + _NEXT_LINES)
_BEGINNING_LINE = re.compile(rb"\r?\n" + _LETTER + rb"{3,}+" + _NEXT_LINES)
_LINE_END = re.compile(rb"[\r\n]")
_NO_BEGINNING = rb"(?>(?:(?!" + BEGINNING.pattern + rb")" + _LETTER + rb")*)"
_TO_BEGINNING = re.compile(_LETTER + _NO_BEGINNING + rb"(?=" + BEGINNING.pattern + rb")")
NARROWEST = 60  # characters of a wrapped line; 64 in PEM (RFC 7468), 76 in MIME (RFC 2045)
MOST_BEGINNINGS = 64  # tries at finding the next text after a broken one


@dataclass(frozen=True, slots=True)
class Base64Text:
    """The text between `start` and `end`, what it decodes to, and where the bytes of its line ends lie."""

    start: int
    end: int
    decoded: bytes
    line_ends: tuple[int, ...]

    def offset(self, inner: int) -> int:
        """The offset of the four characters that hold the decoded byte `inner`."""
        return self._at(inner // 3 * 4)

    def behind(self, inner: int) -> int:
        """The offset behind the characters that hold the first `inner` decoded bytes."""
        return self.end if inner == len(self.decoded) else self._at(-(-inner * 4 // 3))

    def aligned(self, at: int) -> bool:
        """Whether four characters that stand alone begin there."""
        return (at - self.start - bisect_left(self.line_ends, at)) % 4 == 0

    @property
    def may_be_wrapped(self) -> bool:
        """Whether more of the text may follow on the next line: its last line is long and as long as the others."""
        first = min(self.line_ends, default=self.end) - self.start
        last = self.end - max(self.line_ends, default=self.start - 1) - 1
        return first == last >= NARROWEST

    def _at(self, character: int) -> int:
        order = range(len(self.line_ends))
        before = bisect_right(order, character, key=lambda nth: self.line_ends[nth] - self.start - nth)
        return min(self.start + character + before, self.end)


def base64_text(data: bytes, start: int, limit: int, joined: int = 0) -> Base64Text | None:
    """The base64 text that begins a record at `start`; missing padding is added, an odd character is left over.
    So many further lines are `joined` to it that look like new beginnings; None if there are not so many."""
    found = _TEXT.match(data, start, limit) if BEGINNING.match(data, start, limit) else None
    for _ in range(joined):
        if not found or data.endswith(b"=", start, found.end()):
            return None
        found = _BEGINNING_LINE.match(data, found.end(), limit)
    return _decoded(data, start, found.end()) if found else None


def unaligned_text(data: bytes, start: int, limit: int) -> Base64Text | None:
    """The text from `start` to the first beginning on its line that is not at one of its four-character boundaries:
    whole if several texts without their padding stand in a row."""
    at = start
    while (at - start) % 4 == 0:
        found = _TO_BEGINNING.match(data, at, limit)
        if not found:
            return None
        at = found.end()
    return _decoded(data, start, at) if (at - start) % 4 != 1 else None


def _decoded(data: bytes, start: int, end: int) -> Base64Text:
    raw = data[start:end]
    text = _LINE_END.sub(b"", raw).rstrip(b"=")
    whole = text[: len(text) - 1] if len(text) % 4 == 1 else text
    decoded = binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    line_ends = tuple(start + match.start() for match in _LINE_END.finditer(raw))
    return Base64Text(start, end, decoded, line_ends)


def other_beginnings(text: Base64Text, data: bytes, start: int, end: int) -> Iterator[int]:
    """Where, from `start` on, another base64 text may begin that has other boundaries than `text`."""
    tries = (match.start() for match in BEGINNING.finditer(data, start, end))
    return islice((at for at in tries if not text.aligned(at)), MOST_BEGINNINGS)
