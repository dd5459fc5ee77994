"""A request's body -> JSON. Compressed or not, one value or a line each; what is too large ends early.

An event stays as it was sent, to the byte: it is a slice of the body. What msgspec refuses and browsers do send (half
of a surrogate pair, from a title that was cut within an emoji; NaN from careless servers) is read by the standard
library's json instead, which takes longer; numbers that JSON or a double has not become text, as in the lake.
"""

import json
import math
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from clicklake.collector.request import MediaTypeError, Request, RequestError, TooLargeError

_any = msgspec.json.Decoder().decode
_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_values = msgspec.json.Decoder(msgspec.Raw).decode_lines  # a value each, whatever stands between
_PIECE = 64 * 1024
_MOST_MEMBERS = 100  # of a gzip; looking for the next one copies what is left
_MOST_DIGITS = 4000  # Python reads 4300 (sys.int_info.default_max_str_digits)
_DEEPEST = 100  # levels, as in the transform
MOST_EVENTS = 10_000  # of a request; what its largest body holds otherwise are three hundred thousand of nothing


def unpacked(request: Request, most: int) -> bytes:
    """The body without its Content-Encoding, `most` bytes at most. Raises RequestError."""
    body = request.body
    if len(body) > most:
        raise too_large(most)
    coding = request.header("content-encoding").strip().lower()
    if coding in {"", "identity"}:
        # Snowplow's and other beacons can't set headers: gzip says itself what it is (RFC 1952, 2.3.1).
        return _inflated(body, most) if body[:2] == b"\x1f\x8b" else body
    if coding not in {"gzip", "x-gzip", "deflate"}:
        raise MediaTypeError("the Content-Encoding is none of gzip, deflate", "send it as gzip, or as it is")
    return _inflated(body, most)


def _inflated(body: bytes, most: int) -> bytes:
    """gzip of one or more members, or zlib (RFC 1950), by the first byte."""
    pieces: list[bytes] = []
    size = 0
    try:
        for _ in range(_MOST_MEMBERS):
            inflate = zlib.decompressobj(wbits=47)
            while body and not inflate.eof:
                pieces.append(inflate.decompress(body, _PIECE))
                body = inflate.unconsumed_tail
                size += len(pieces[-1])
                if size > most:
                    raise too_large(most)
            pieces.append(inflate.flush())
            if not inflate.eof:
                raise RequestError("the compressed body is cut off", "send all of it")
            body = inflate.unused_data.lstrip(b"\x00")
            if not body:
                break
        else:
            raise RequestError(f"the compressed body has more than {_MOST_MEMBERS} members", "compress it at once")
    except zlib.error as e:
        raise RequestError("the body is no gzip", "leave Content-Encoding out for plain JSON") from e
    unpacked_ = b"".join(pieces)
    if len(unpacked_) > most:
        raise too_large(most)
    return unpacked_


def too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the body has more than {most:,} bytes", "send fewer events at once")


def check_count(events: Sequence[Any]) -> None:
    """Before anything is done for each of them. Raises TooLargeError."""
    if len(events) > MOST_EVENTS:
        raise TooLargeError(f"the request has {len(events):,} events", f"send {MOST_EVENTS:,} at once at most")


def too_deep() -> RequestError:
    return RequestError(f"the body is nested too deeply; {_DEEPEST} levels can be read", "flatten it")


def value(text: bytes | str) -> Any:
    """One JSON value. Raises RequestError."""
    try:
        return _any(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return _read(text)


def raws(text: bytes) -> list[bytes]:
    """What an array, NDJSON or one object holds, each as it was sent but for line ends. Raises RequestError."""
    text = text.removeprefix(b"\xef\xbb\xbf").strip()
    check_utf8(text)
    is_array = text[:1] == b"["
    try:
        found: Sequence[bytes | msgspec.Raw] = _array(text) if is_array else _values(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        found = _items(text) if is_array else _lines(text)
    if not found:
        raise RequestError("the body has no event", 'such as {"event_type": "page_view"}')
    check_count(found)
    return one_line(found, text)


def one_line(found: Iterable[bytes | msgspec.Raw], text: bytes) -> list[bytes]:
    """Slices of this text, without line ends; JSON has these between its values only."""
    if b"\n" not in text:
        return [*map(bytes, found)]
    return [bytes(raw).replace(b"\n", b" ").replace(b"\r", b" ") for raw in found]


def check_utf8(text: bytes) -> None:
    """Slices of it are not read, so they must be looked at here."""
    if not text.isascii():
        try:
            text.decode()
        except UnicodeDecodeError as e:
            raise _no_utf8(e) from e


def _items(text: bytes) -> list[bytes]:
    items = _read(text)
    check_count(items)
    return [_text(one) for one in items]


def _lines(text: bytes) -> list[bytes]:
    """One value may stand in several lines; several stand in one each."""
    lines = [line for line in map(bytes.strip, text.split(b"\n")) if line]
    try:
        return [_text(_read(text))]
    except RequestError:
        if len(lines) < 2:
            raise
    check_count(lines)
    found: list[bytes] = []
    for number, line in enumerate(lines, 1):
        try:
            found += map(bytes, _values(line))
        except (msgspec.MsgspecError, ValueError, RecursionError):
            try:
                found.append(_text(_read(line)))
            except RequestError as e:
                raise RequestError(f"line {number}: {e.problem}", "a JSON object in each line") from e
    return found


def _read(text: bytes | str) -> Any:
    """Slower, and more of what is no JSON. Raises RequestError."""
    try:
        return json.loads(text, parse_float=_float, parse_int=_int, parse_constant=str)
    except RecursionError as e:
        raise too_deep() from e
    except UnicodeDecodeError as e:
        raise _no_utf8(e) from e
    except json.JSONDecodeError as e:
        what = e.msg.removesuffix(" starting at")  # of a text: our words follow
        raise RequestError(f"the body is no JSON: {what} at character {e.pos}", "send a JSON object") from e


def _float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _int(text: str) -> int | str:
    return int(text) if len(text) <= _MOST_DIGITS else text


def _no_utf8(error: UnicodeDecodeError) -> RequestError:
    return RequestError(f"the body is no UTF-8 at byte {error.start}", "send UTF-8")


def _text(said: Any) -> bytes:
    try:
        return json.dumps(said, separators=(",", ":")).encode()
    except RecursionError as e:
        raise too_deep() from e
