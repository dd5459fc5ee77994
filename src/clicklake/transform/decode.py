"""Raw bytes to records: nothing is lost, and a broken record never touches its neighbours.

Firehose puts what senders wrote one after the other with no delimiter of its own, so a raw object may hold lines,
`{..}{..}`, pretty-printed objects, arrays, base64 text (what version 1 of the aws CLI makes of its input) and rubbish,
in any order. One loop reads the common form, an object a line. Whatever it can't read takes one careful step at a
time (careful.py): `{` opens an object; `[`, `]` and `,` between records are punctuation, so an array's items are
records; base64 text is decoded and read by the same rules. Anything else is broken, and one failed record:

- an object with a small mistake, such as `{"a": tru}`, up to its own closing brace;
- else all up to the next line; or before it up to the next object that is no part of another (careful._BRACE_BESIDE);
- in text without lines up to such an object, or else to the next `{` from which a whole object parses.

No decision looks further ahead than careful.LOOKAHEAD, so the size of the chunks never shows in the result.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from typing import Any

import orjson

from clicklake.transform.careful import BRACE, LARGEST, Careful, End
from clicklake.transform.event import Failed, Record, Values
from clicklake.transform.gunzip import Plain

Read = Callable[[bytes], dict[str, Any] | Values | None]


def decode(plain: Plain, read: Read = lambda _: None) -> Iterator[Record]:
    """The records of a raw object in their order. Any bytes give records, never an exception.

    `read` may make more of a line than a dict; None if it can't.
    """
    end = yield from _split(plain, read=read)
    if not plain.damage:
        if end.tail:
            yield end.tail
        return
    reason, rest = Failed("decode_error", "$", plain.damage.reason), plain.damage.rest
    if end.tail and not rest:
        yield end.tail[0], end.tail[1], reason
        return
    if end.tail:
        yield end.tail
    yield end.offset, rest, reason


def _split(feed: Iterable[bytes], base64: bool = True, read: Read = lambda _: None) -> Generator[Record, None, End]:
    """The records of a stream of bytes; a broken record at its very end is returned instead."""
    source, loads = iter(feed), orjson.loads
    careful = Careful(_split if base64 else None)
    data, base, at, final = b"", 0, 0, False
    while True:
        # The measured hot loop: whole objects, one a line. orjson refuses anything after the object.
        begin, line_end = at, data.find(b"\n", at)
        while line_end >= 0 and data[at] == BRACE and line_end - at <= LARGEST:
            line = data[at:line_end].rstrip(b" \t\r")
            value = read(line)
            if value is None:
                try:
                    value = loads(line)
                except orjson.JSONDecodeError:
                    break
            yield base + at, line, value
            at = line_end + 1
            line_end = data.find(b"\n", at)
        careful.in_list &= at == begin
        at = yield from careful.to_the_next_line(data, base, final, at)
        if careful.tail or (final and at == len(data)):
            return End(base + at, careful.tail)
        if careful.starved or at == len(data):
            # As much again as is waiting, so that the same bytes are not looked at over and over, however small the
            # chunks are.
            chunks, missing = [data[at:]], max(1, len(data) - at)
            while missing > 0 and not final:
                chunk = next(source, None)
                final = chunk is None
                chunks.append(chunk or b"")
                missing -= len(chunks[-1])
            data, base, at = b"".join(chunks), base + at, 0
