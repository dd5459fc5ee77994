"""A request's body -> JSON. Compressed or not, one value or a line each; what is too large ends early.

A line stays as it was sent, to the byte: `Raw` values are slices of the body. What msgspec refuses and browsers do send
(half of a surrogate pair, from a title that was cut within an emoji; NaN from careless servers) is read by the standard
library's json instead, which takes longer.
"""

import json
import zlib
from collections.abc import Callable
from typing import Any

import msgspec

from clicklake.collector.request import MediaTypeError, Request, RequestError, TooLargeError

Raw = bytes | msgspec.Raw

_any = msgspec.json.Decoder().decode
_raws = msgspec.json.Decoder(list[msgspec.Raw]).decode
_PIECE = 64 * 1024
_DEEPEST = 100  # levels, as in the transform


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
    """gzip of any number of members, or zlib (RFC 1950), by the first byte."""
    pieces: list[bytes] = []
    size = 0
    try:
        while body:
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
    except zlib.error as e:
        raise RequestError("the body is no gzip", "leave Content-Encoding out for plain JSON") from e
    unpacked_ = b"".join(pieces)
    if len(unpacked_) > most:
        raise too_large(most)
    return unpacked_


def too_large(most: int) -> TooLargeError:
    return TooLargeError(f"the body has more than {most:,} bytes", "send fewer events at once")


def value(text: bytes | str) -> Any:
    """One JSON value. Raises RequestError."""
    return _read(_any, text, _strict_enough)


def raws(text: bytes) -> list[Raw]:
    """What one object, an array or NDJSON holds, each as it was sent but for line ends. Raises RequestError."""
    start = text.lstrip(b" \t\r\n\xef\xbb\xbf")
    found = list(_read(_raws, start, _slow_raws)) if start[:1] == b"[" else _lines(start)
    if not found:
        raise RequestError("the body has no event", 'such as {"event_type": "page_view"}')
    return [raw.replace(b"\n", b" ").replace(b"\r", b" ") if b"\n" in raw else raw for raw in map(bytes, found)]


def _lines(text: bytes) -> list[Raw]:
    """One value may stand in several lines; several stand in one each."""
    try:
        _any(text)
        return [text.rstrip()]
    except (msgspec.MsgspecError, ValueError, RecursionError):
        pass
    lines = [line.strip() for line in text.split(b"\n") if line.strip()]
    if len(lines) == 1:
        return [_text(_strict_enough(lines[0]))]
    for number, line in enumerate(lines, 1):
        try:
            value(line)
        except RequestError as e:
            raise RequestError(f"line {number}: {e.problem}", "a JSON object in each line") from e
    return list(lines)


def _read(fast: Callable[[Any], Any], text: bytes | str, slow: Callable[[bytes | str], Any]) -> Any:
    try:
        return fast(text)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return slow(text)


def _strict_enough(text: bytes | str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as e:
        raise RequestError(f"the body is nested too deeply; {_DEEPEST} levels can be read", "flatten it") from e
    except UnicodeDecodeError as e:
        raise RequestError(f"the body is no UTF-8 at byte {e.start}", "send UTF-8") from e
    except json.JSONDecodeError as e:
        raise RequestError(f"the body is no JSON: {e.msg} at character {e.pos}", "send a JSON object") from e
    except ValueError as e:  # numbers of thousands of digits
        raise RequestError("the body has a number that can't be read", "send it as text") from e


def _slow_raws(text: bytes | str) -> list[Raw]:
    return [_text(one) for one in _strict_enough(text)]


def _text(said: Any) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
