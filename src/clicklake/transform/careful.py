"""The slow and thorough half of decode: one careful step at a time through what is no object on a line of its own."""

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple

import orjson

from clicklake.transform.base64text import (
    LONGEST_BEGINNING,
    Base64Text,
    base64_text,
    other_beginnings,
    unaligned_text,
)
from clicklake.transform.event import Failed, Record
from clicklake.transform.extent import SCALAR, Extent, extent
from clicklake.transform.parse import parse

LARGEST = 1 << 20  # bytes of a record; Firehose itself takes 1,000 KiB
LOOKAHEAD = 8 << 20  # bytes; rubbish without an end is cut there
MOST_REMEMBERED = 100_000  # places; many more than can be open at once
MOST_RESTARTS = 16  # within one base64 text; beyond, all that is left of it is broken
MOST_JOINED = 3  # lines of one base64 text that look like the beginning of another
BRACE = 0x7B

_BETWEEN = re.compile(rb"(?>(?:[ \t\r\n,\[\]]++|\xef\xbb\xbf)*)")
# Where an object may begin: the brace, and a name or the end behind it.
_OBJECT = rb"(?=\{[ \t\r\n]*+(?:[\"}]|\Z))"
_BRACE = re.compile(_OBJECT)
# Before a value in an object or a list stands a colon, a comma or a bracket, so what stands behind something else is no
# part of another object; behind a quote it may be, as JSON in a string whose quotes nobody escaped.
_BRACE_BESIDE = re.compile(rb"[^:,\[\" \t\r\n][ \t\r\n]*+" + _OBJECT)
_BRACE_BESIDE_IN_LIST = re.compile(rb"(?:[^:,\[\" \t\r\n]|\}[ \t\r\n]*+,)[ \t\r\n]*+" + _OBJECT)
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
        self.in_list = False  # whether a comma or a bracket stands between the last record and what follows
        self.tail: Record | None = None
        self._line_end = -1  # the next one, or -1
        self._closed = False  # whether a step ended at an object's closing brace, so that nothing is missing behind it
        self._broken: dict[int, int] = {}  # where an object broke that begins here: see _extent
        self._hopeless: dict[int, int] = {}  # the same of forgiving scans
        self._barren = 0  # no whole object begins beside another one between here and ...: see _beside
        self._runs: Counter[int] = Counter()  # how often broken base64 was taken up again, by the text's end

    def to_the_next_line(self, data: bytes, base: int, final: bool, at: int) -> Generator[Record, None, int]:
        """Yields the records of `data` (from offset `base` of the stream on) from `at` on; returns the beginning of
        the next line, or the end of what can be decided."""
        self.data, self.base, self.final, self.starved = data, base, final, False
        size = len(data)
        line_end, join = data.find(b"\n", at), -1
        self._line_end = line_end
        while True:
            at = self._between(at)
            if at == size or 0 <= line_end < at:
                return at
            if join < at:
                join = data.find(b"}{", at, line_end if line_end >= 0 else size)
                join = size if join < 0 else join
            self._closed = False
            try:
                end, records = self._joined(at, join) or self._step(at)
            except _StarvedError:
                self.starved = True
                return at
            if end == size and final and not self._closed and isinstance(records[-1][2], Failed):
                self.tail = records.pop()
            yield from records
            at, self.in_list = end, False

    def _between(self, at: int) -> int:
        end = _end(_BETWEEN, self.data, at)
        if end > at and not self.in_list:
            self.in_list = self.data.find(b",", at, end) >= 0 or self.data.find(b"[", at, end) >= 0
        return end

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
        end = found.end if found.end >= 0 else self._forgiven(at, found.stop)
        self._closed = end >= 0
        if end < 0:
            return self._rubbish(at, found.stop, found.child)
        text = self.data[at:end]
        if found.end < 0 or len(text) > LARGEST:
            return end, [self._failed(at, end, _broken_at(found.stop - at))]
        return end, [(self.base + at, text, parse(text))]

    def _extent(self, at: int) -> Extent:
        """As `extent`. What was still open where an object broke breaks there too, so it is not scanned again: else
        a few bytes of nested openings would take minutes."""
        stop = self._broken.get(self.base + at)
        if stop is not None:
            return Extent(-1, min(stop - self.base, len(self.data)), -1, [])
        found = extent(self.data, at, self._limit(at))
        if found.end < 0:
            self._need_more_if(found.stop == self._limit(at), at)
            self._remember(self._broken, found, at)
        return found

    def _forgiven(self, at: int, stop: int) -> int:
        """The end of an object with a small mistake at `stop`; -1 if it has greater ones."""
        limit = self._limit(at)
        if stop == limit or self.base + at in self._hopeless:
            return -1
        found = extent(self.data, at, limit, forgiving=True)
        if found.end < 0:
            self._need_more_if(found.stop == limit, at)
            self._remember(self._hopeless, found, at)
        return found.end

    def _remember(self, memory: dict[int, int], found: Extent, at: int) -> None:
        if len(found.open) > 1:
            if len(memory) > MOST_REMEMBERED:
                for begin in [begin for begin in memory if begin < self.base + at]:
                    del memory[begin]
            memory.update((self.base + begin, self.base + found.stop) for begin in found.open[1:])

    def _scalar(self, at: int) -> Step | None:
        limit = self._limit(at)
        scalar = SCALAR.match(self.data, at, limit)
        if not scalar or not _AFTER_SCALAR.match(self.data, scalar.end(), limit):
            return None
        self._need_more_if(scalar.end() == limit, at)
        return scalar.end(), [self._failed(at, scalar.end(), Failed("not_an_object", "$", "JSON, but no object"))]

    def _base64(self, at: int) -> Step | None:
        """The records in base64 text, as far as it is one text and not several that stand in a row."""
        if not self.split:
            return None
        limit = self._limit(at)
        text = unaligned_text(self.data, at, limit)
        records = self._inside(text) if text else []
        if text and records and not any(map(_is_broken, records)):
            return text.end, [(self.base + text.offset(offset), inner, value) for offset, inner, value in records]
        text = base64_text(self.data, at, limit)
        if not text:
            return None
        self._need_more_if(text.end + LONGEST_BEGINNING > limit, at)
        records = self._inside(text)
        if not records:
            return None
        text, records = self._rewrapped(text, records, limit)
        end, records = self._outside(text, records)
        return None if end == text.end and all(map(_is_broken, records)) else (end, records)

    def _inside(self, text: Base64Text) -> list[Record]:
        assert self.split
        return list(_with_tail(self.split([text.decoded], base64=False)))

    def _rewrapped(self, text: Base64Text, records: list[Record], limit: int) -> tuple[Base64Text, list[Record]]:
        """The text with as many of the next lines, if they only look like new texts, as the last record in it needs."""
        begin, _, _ = records[-1]
        if not _is_broken(records[-1]) or not text.may_be_wrapped or text.decoded[begin] != BRACE:
            return text, records
        for joined in range(1, MOST_JOINED + 1):
            longer = base64_text(self.data, text.start, limit, joined)
            if not longer:
                break
            self._need_more_if(longer.end + LONGEST_BEGINNING > limit, text.start)
            found = extent(longer.decoded, begin, len(longer.decoded))
            if found.end >= 0:
                return longer, self._inside(longer)
            if found.stop < len(longer.decoded):
                break
        return text, records

    def _outside(self, text: Base64Text, records: list[Record]) -> Step:
        """The records with their places in the stream. Where one is broken, another text may begin at once."""
        done: list[Record] = []
        ends = [text.offset(offset) for offset, _, _ in records[1:]]
        for record, end in zip(records, [*ends, text.end], strict=True):
            offset, inner, value = record
            behind = text.behind(offset)
            other = self._other_text(behind, end, text) if _is_broken(record) else -1
            if other >= 0:
                return other, [*done, self._failed(behind, other, _NOT_BASE64)] if other > behind else done
            if _is_broken(record) and end == text.end:
                done.append(self._failed(behind, end, _NOT_BASE64))
            else:
                done.append((self.base + text.offset(offset), inner, value))
        return text.end, done

    def _other_text(self, at: int, end: int, text: Base64Text) -> int:
        """Where in a broken record another text begins that a whole object opens, or -1."""
        if self._runs[self.base + text.end] == MOST_RESTARTS:
            return -1
        for begin in other_beginnings(text, self.data, at, end):
            other = base64_text(self.data, begin, end)
            if other and other.decoded[:1] == b"{" and extent(other.decoded, 0, len(other.decoded)).end > 0:
                self._runs[self.base + text.end] += 1
                return begin
        return -1

    def _rubbish(self, at: int, stop: int, child: int) -> Step:
        """Skip what breaks at `stop`; `child` is the first whole object inside it, or -1."""
        limit = self._limit(at)
        line_end = self._line_end if self._line_end < limit else -1
        self._need_more_if(stop == limit or line_end < 0, at)
        if line_end >= 0:
            end = self._beside(at, line_end)
        elif stop == limit:
            end = limit  # cut off in the middle of an object: what is inside belongs to it
        else:
            end = self._beside(max(at, self._barren - self.base), limit)
            if end == limit:
                self._barren = self.base + limit
                end = child if child >= 0 else self._next_object(stop, limit)
        return end, [self._failed(at, end, _broken_at(stop - at))]

    def _beside(self, at: int, bound: int) -> int:
        """The first place behind `at` where a whole object begins that is no part of another one; else `bound`."""
        pattern = _BRACE_BESIDE_IN_LIST if self.in_list else _BRACE_BESIDE
        candidates = (match.end() for match in pattern.finditer(self.data, at, bound))
        return next((candidate for candidate in candidates if self._extent(candidate).end >= 0), bound)

    def _next_object(self, stop: int, bound: int) -> int:
        """The first place from `stop` on where a whole object begins; `bound` if there is none before that."""
        for match in _BRACE.finditer(self.data, stop, bound):
            candidate = match.start()
            if candidate < stop:
                continue  # inside an object that broke: it would break there too
            found = self._extent(candidate)
            if found.end >= 0:
                return candidate
            if found.child >= 0:
                return found.child
            stop = found.stop
        return bound

    def _limit(self, at: int) -> int:
        return min(len(self.data), at + LOOKAHEAD)

    def _need_more_if(self, undecided: bool, at: int) -> None:
        if undecided and not self.final and len(self.data) - at < LOOKAHEAD:
            raise _StarvedError

    def _failed(self, at: int, end: int, why: Failed) -> Record:
        return self.base + at, self.data[at:end], why if end - at <= LARGEST else _TOO_LARGE


_TOO_LARGE = Failed("too_large", "$", f"more than {LARGEST} bytes")
_NOT_BASE64 = Failed("decode_error", "$", "base64 of what is not JSON")


def _broken_at(byte: int) -> Failed:
    return Failed("decode_error", "$", f"not JSON at byte {byte}")


def _is_broken(record: Record) -> bool:
    return isinstance(record[2], Failed) and record[2].type == "decode_error"


def _end(pattern: re.Pattern[bytes], data: bytes, at: int) -> int:
    match = pattern.match(data, at)
    assert match is not None  # these patterns match nothing, too
    return match.end()


def _with_tail(records: Generator[Record, None, End]) -> Iterable[Record]:
    end = yield from records
    if end.tail:
        yield end.tail
