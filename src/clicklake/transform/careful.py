"""The slow and thorough half of decode: one careful step at a time through what is no object on a line of its own."""

import re
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import NamedTuple

import orjson

from clicklake.transform.base64text import LONGEST_BEGINNING, Base64Text, base64_text, beginnings
from clicklake.transform.event import Failed, Record
from clicklake.transform.extent import SCALAR, Extent, extent
from clicklake.transform.parse import parse

LARGEST = 1 << 20  # bytes of a record; Firehose itself takes 1,000 KiB
LOOKAHEAD = 8 << 20  # bytes; rubbish without an end is cut there
BRACE = 0x7B

_BETWEEN = re.compile(rb"(?>(?:[ \t\r\n,\[\]]++|\xef\xbb\xbf)*)")
_BRACE = re.compile(rb"(?=\{)")
_BRACE_AFTER_BRACE = re.compile(rb"\}[ \t\r\n,]*+(?=\{)")
_AFTER_SCALAR = re.compile(rb"[ \t\r\n,\[\]{]|\Z")


class End(NamedTuple):
    """Where a stream ends, and the broken record that reaches to there, if there is one."""

    offset: int
    tail: Record | None


class _StarvedError(Exception):
    """More data could change the decision."""


Step = tuple[int, list[Record]]
"""Where reading goes on, and the records before that; never none."""


class Careful:
    """Steps through the buffers of one stream; `split` reads what base64 text decodes to, None leaves such text alone.

    After `to_the_next_line`, `starved` says that more data are needed, and `tail` is the broken record at the
    stream's very end.
    """

    def __init__(self, split: Callable[..., Generator[Record, None, End]] | None) -> None:
        self.split = split
        self.data, self.base, self.final = b"", 0, False
        self.starved = False
        self.tail: Record | None = None
        self._line_end = -1  # the next one, or -1
        self._broken: dict[int, int] = {}  # where an object broke that begins here: see _extent

    def to_the_next_line(self, data: bytes, base: int, final: bool, at: int) -> Generator[Record, None, int]:
        """Yields the records of `data` (from offset `base` of the stream on) from `at` on; returns the beginning of
        the next line, or the end of what can be decided."""
        self.data, self.base, self.final, self.starved = data, base, final, False
        size = len(data)
        line_end, join = data.find(b"\n", at), -1
        self._line_end = line_end
        while True:
            at = _end(_BETWEEN, data, at)
            if at == size or 0 <= line_end < at:
                return at
            if join < at:
                join = data.find(b"}{", at, line_end if line_end >= 0 else size)
                join = size if join < 0 else join
            try:
                end, records = self._joined(at, join) or self._step(at)
            except _StarvedError:
                self.starved = True
                return at
            if end == size and final and isinstance(records[-1][2], Failed):
                self.tail = records.pop()
            yield from records
            at = end

    def _joined(self, at: int, join: int) -> Step | None:
        """`{..}{..}`: an object that ends where the next begins, the form that Firehose makes by itself."""
        if self.data[at] != BRACE or join + 1 - at > LARGEST or join == len(self.data):
            return None
        text = self.data[at : join + 1]
        try:
            return join + 1, [(self.base + at, text, orjson.loads(text))]
        except orjson.JSONDecodeError:
            return None

    def _step(self, at: int) -> Step:
        if self.data[at] == BRACE:
            return self._object(at)
        return self._scalar(at) or self._base64(at) or self._rubbish(at, at, -1)

    def _object(self, at: int) -> Step:
        found = self._extent(at)
        if found.end < 0:
            return self._rubbish(at, found.stop, found.child)
        text = self.data[at : found.end]
        return found.end, [(self.base + at, text, parse(text) if len(text) <= LARGEST else _TOO_LARGE)]

    def _extent(self, at: int) -> Extent:
        """As `extent`. What was still open where an object broke breaks there too, so it is not scanned again: else
        a few bytes of nested openings would take minutes."""
        stop = self._broken.get(self.base + at)
        if stop is not None:
            return Extent(-1, min(stop - self.base, len(self.data)), -1, [])
        found = extent(self.data, at, self._limit(at))
        if found.end < 0:
            self._need_more_if(found.stop == self._limit(at), at)
            self._broken = {self.base + begin: self.base + found.stop for begin in found.open}
        return found

    def _scalar(self, at: int) -> Step | None:
        limit = self._limit(at)
        scalar = SCALAR.match(self.data, at, limit)
        if not scalar or not _AFTER_SCALAR.match(self.data, scalar.end(), limit):
            return None
        self._need_more_if(scalar.end() == limit, at)
        return scalar.end(), [self._failed(at, scalar.end(), Failed("not_an_object", "$", "JSON, but no object"))]

    def _base64(self, at: int) -> Step | None:
        """The records in base64 text: all of it, or as far as it is whole and then where another may begin."""
        limit = self._limit(at)
        text = base64_text(self.data, at, limit) if self.split else None
        if not text:
            return None
        self._need_more_if(text.end + LONGEST_BEGINNING > limit, at)
        records, broken = self._decoded(text)
        if broken == text.end:
            return (text.end, records) if records else None
        end = next((b for b in beginnings(self.data, broken, text.end) if self._begins_base64(b, limit)), text.end)
        if not records and end == text.end:
            return None
        failed = self._failed(broken, end, Failed("decode_error", "$", "base64 of what is not JSON"))
        return end, [*records, failed]

    def _decoded(self, text: Base64Text) -> tuple[list[Record], int]:
        """The whole records in the text, and where the first broken one begins (the text's end if none is)."""
        assert self.split
        records: list[Record] = []
        for offset, inner, value in _with_tail(self.split([text.decoded], base64=False)):
            at = text.offset(offset)
            if isinstance(value, Failed) and value.type == "decode_error":
                return records, at
            records.append((self.base + at, inner, value))
        return records, text.end

    def _begins_base64(self, at: int, limit: int) -> bool:
        text = base64_text(self.data, at, limit)
        return text is not None and text.decoded[:1] == b"{" and extent(text.decoded, 0, len(text.decoded)).end > 0

    def _rubbish(self, at: int, stop: int, child: int) -> Step:
        """Skip what breaks at `stop`; `child` is the first whole object inside it, or -1."""
        limit = self._limit(at)
        line_end = self._line_end if self._line_end < limit else -1
        self._need_more_if(stop == limit or line_end < 0, at)
        if line_end >= 0:
            end = self._next_object(_BRACE_AFTER_BRACE, at, stop, line_end)
        elif stop == limit:
            end = limit  # cut off in the middle of an object: what is inside belongs to it
        else:
            end = child if child >= 0 else self._next_object(_BRACE, at, stop, limit)
        return end, [self._failed(at, end, Failed("decode_error", "$", f"not JSON at byte {stop - at}"))]

    def _next_object(self, pattern: re.Pattern[bytes], at: int, stop: int, bound: int) -> int:
        """The first place from `stop` on where a whole object begins; `bound` if there is none before that."""
        for candidate in self._candidates(pattern, at, stop, bound):
            if candidate < stop:
                continue  # inside an object that broke: it would break there too
            found = self._extent(candidate)
            if found.end >= 0:
                return candidate
            if pattern is _BRACE and found.child >= 0:
                return found.child
            stop = found.stop
        return bound

    def _candidates(self, pattern: re.Pattern[bytes], at: int, stop: int, bound: int) -> Iterator[int]:
        if at < stop < bound and self.data[stop] == BRACE:
            yield stop
        yield from (match.end() for match in pattern.finditer(self.data, max(stop, at + 1), bound))

    def _limit(self, at: int) -> int:
        return min(len(self.data), at + LOOKAHEAD)

    def _need_more_if(self, undecided: bool, at: int) -> None:
        if undecided and not self.final and len(self.data) - at < LOOKAHEAD:
            raise _StarvedError

    def _failed(self, at: int, end: int, why: Failed) -> Record:
        return self.base + at, self.data[at:end], why if end - at <= LARGEST else _TOO_LARGE


_TOO_LARGE = Failed("too_large", "$", f"more than {LARGEST} bytes")


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    assert match is not None  # these patterns match nothing, too
    return match.end()


def _with_tail(records: Generator[Record, None, End]) -> Iterable[Record]:
    end = yield from records
    if end.tail:
        yield end.tail
