"""Bytes to records: every form that senders and Firehose make, and rubbish that stays alone."""

import base64
import gzip
import json
import time
from typing import Any

import pytest

from clicklake.transform.decode import decode
from clicklake.transform.event import Failed
from clicklake.transform.extent import extent
from clicklake.transform.gunzip import Plain

ONE, TWO, THREE = b'{"n":1}', b'{"n":2}', b'{"n":3}'
GOOD = [{"n": 1}, {"n": 2}, {"n": 3}]


def encoded(text: bytes) -> bytes:
    return base64.b64encode(text)


def decoded(raw: bytes, chunk_size: int = 1 << 20) -> list[Any]:
    """Objects as they are, failures as their type."""
    return [value.type if isinstance(value, Failed) else value for _, _, value in decode(Plain(raw, chunk_size))]


FORMS = {
    "an object a line": b"\n".join([ONE, TWO, THREE]) + b"\n",
    "no end of the last line": b"\n".join([ONE, TWO, THREE]),
    "windows lines": b"\r\n".join([ONE, TWO, THREE]) + b"\r\n",
    "blank lines": b"\n\n" + ONE + b"\n \n" + TWO + b"\n\t\n" + THREE,
    "indented lines": b"  " + ONE + b"  \n\t" + TWO + b"\n " + THREE,
    "one after the other": ONE + TWO + THREE,
    "one after the other with spaces": ONE + b" " + TWO + b"  " + THREE,
    "one after the other, then lines": ONE + TWO + b"\n" + THREE + b"\n",
    "an array": b"[" + b",".join([ONE, TWO, THREE]) + b"]",
    "an array over lines": b"[\n" + b",\n".join([ONE, TWO, THREE]) + b"\n]\n",
    "arrays": b"[" + ONE + b"]\n[" + TWO + b"," + THREE + b"]",
    "an empty array": b"[]" + ONE + TWO + THREE,
    "lines with commas": b",\n".join([ONE, TWO, THREE]) + b"\n",
    "pretty-printed": b"\n".join(json.dumps(value, indent=2).encode() for value in GOOD),
    "pretty-printed with tabs": b"".join(json.dumps(value, indent="\t").encode() for value in GOOD),
    "a byte order mark": b"\xef\xbb\xbf" + ONE + b"\n" + TWO + b"\n" + THREE,
    "a byte order mark in the middle": ONE + b"\n\xef\xbb\xbf" + TWO + THREE,
    "base64 a line": b"\n".join(map(encoded, [ONE, TWO, THREE])),
    "base64 one after the other, padded": b"".join(map(encoded, [ONE, TWO, THREE])),
    "base64 one after the other, unpadded": b"".join(encoded(text + b" " * (-len(text) % 3)) for text in (ONE, TWO, THREE)),
    "base64 without its padding": b"\n".join(encoded(text).rstrip(b"=") for text in (ONE, TWO, THREE)),
    "base64 of lines": encoded(ONE + b"\n" + TWO + b"\n" + THREE + b"\n"),
    "base64 of an array": encoded(b"[" + ONE + b"," + TWO + b"," + THREE + b"]"),
    "base64 of pretty-printed objects": encoded(b"\n".join(json.dumps(value, indent=2).encode() for value in GOOD)),
    "base64 with a byte order mark": encoded(b"\xef\xbb\xbf" + ONE + TWO + THREE),
    "base64 beside JSON": ONE + encoded(TWO) + THREE,
    "wrapped base64": base64.encodebytes(ONE + b" " * 60 + TWO + b" " * 60) + THREE,
    "plain bytes, not gzip": ONE + TWO + THREE,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_records(form: str) -> None:
    assert decoded(FORMS[form]) == GOOD
    assert decoded(gzip.compress(FORMS[form])) == GOOD


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("chunk_size", [1, 2, 5, 64])
def test_the_size_of_the_chunks_never_shows(form: str, chunk_size: int) -> None:
    whole, pieces = list(decode(Plain(FORMS[form]))), list(decode(Plain(FORMS[form], chunk_size)))
    assert pieces == whole


BROKEN: dict[str, tuple[bytes, list[Any]]] = {
    "a line that is no JSON": (b"rubbish\n", ["decode_error"]),
    "a line cut off in a string": (b'{"n":"x\n', ["decode_error"]),
    "a line cut off behind a comma": (b'{"n":1,\n', ["decode_error"]),
    "a line cut off in a list": (b'{"n":[1,\n', ["decode_error"]),
    "a closing brace too many": (b'{"n":9}}\n', [{"n": 9}, "decode_error"]),
    "single quotes": (b"{'n':1}\n", ["decode_error"]),
    "a comment": (b'{"n":1 /* one */}\n', ["decode_error"]),
    "a trailing comma": (b'{"n":1,}\n', ["decode_error"]),
    "invalid UTF-8": (b'{"n":"\xff\xfe"}\n', ["decode_error"]),
    "a NUL byte": (b"\0\n", ["decode_error"]),
    "a control character in a string": (b'{"n":"\x01"}\n', ["decode_error"]),
    "openings": (b"{" * 5000 + b"\n", ["decode_error"]),
    "a nesting bomb": (b'{"n":' * 5000 + b"1" + b"}" * 5000 + b"\n", ["decode_error"]),
    "a number": (b"17\n", ["not_an_object"]),
    "a string": (b'"text"\n', ["not_an_object"]),
    "a literal": (b"null\n", ["not_an_object"]),
    "an array of numbers": (b"[1,2]\n", ["not_an_object", "not_an_object"]),
    "base64 of rubbish": (encoded(b"rubbish, and more of it") + b"\n", ["decode_error"]),
    "base64 of a cut off object": (encoded(b'{"n":1,"more') + b"\n", ["decode_error"]),
    "words that look like base64": (b"eyes wide open\n", ["decode_error"]),
    "more than a mebibyte": (b'{"n":"' + b"x" * (1 << 20) + b'"}\n', ["too_large"]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_record_fails_alone_between_lines(name: str) -> None:
    raw, expected = BROKEN[name]
    assert decoded(ONE + b"\n" + raw + TWO + b"\n") == [{"n": 1}, *expected, {"n": 2}]


@pytest.mark.parametrize("name", [name for name in BROKEN if "cut off" not in name and name != "openings"])
def test_a_broken_record_fails_alone_in_an_undelimited_stream(name: str) -> None:
    raw, _ = BROKEN[name]
    assert {"n": 2} in decoded(ONE + raw.rstrip(b"\n") + b"}" + TWO + THREE)


def test_after_an_error_reading_goes_on_behind_the_next_line_end() -> None:
    assert decoded(b'{"a":tru,"inner":{"n":9}}\n' + ONE) == ["decode_error", {"n": 1}]


def test_without_lines_reading_goes_on_at_the_next_whole_object() -> None:
    assert decoded(ONE + b'{"a":tru}' + TWO + b"???" + THREE) == [
        {"n": 1}, "decode_error", {"n": 2}, "decode_error", {"n": 3},
    ]  # fmt: skip


def test_an_object_behind_a_broken_one_on_the_same_line_is_kept() -> None:
    assert decoded(b'{"a":tru}' + ONE + b"\n" + TWO) == ["decode_error", {"n": 1}, {"n": 2}]


def test_base64_behind_broken_base64_is_found_at_another_boundary() -> None:
    assert decoded(encoded(b'{"lost":true}')[:-5] + encoded(TWO) + b"\n" + THREE) == [
        "decode_error",
        {"n": 2},
        {"n": 3},
    ]


def test_the_skipped_bytes_are_one_record_with_their_offset() -> None:
    records = list(decode(Plain(ONE + b"\n" + b"rubbish, exactly so\n" + TWO)))
    assert [(offset, text) for offset, text, _ in records] == [(0, ONE), (8, b"rubbish, exactly so"), (28, TWO)]


def test_each_record_knows_its_byte_offset() -> None:
    raw = b"\xef\xbb\xbf  " + ONE + b"\r\n[" + TWO + b", " + THREE + b"]\n" + encoded(ONE)
    assert [offset for offset, _, _ in decode(Plain(raw))] == [5, 15, 24, 33]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'{"n":NaN}', "NaN"),
        (b'{"n":-Infinity}', "-Infinity"),
        (b'{"n":1e999}', "1e999"),
        (b'{"n":"\\ud800"}', "\ufffd"),
        (b'{"n":18446744073709551615}', 18446744073709551615),
        (b'{"n":1,"n":2}', 2),
        (b'{"\\u006e":"x"}', "x"),
    ],
)
def test_what_strict_parsers_refuse_is_kept_without_loss(text: bytes, value: object) -> None:
    assert decoded(text) == [{"n": value}]


def test_several_gzip_members_are_one_stream() -> None:
    assert decoded(gzip.compress(ONE + b'\n{"n":') + gzip.compress(b"2}\n") + gzip.compress(THREE)) == GOOD


def test_zeros_behind_the_last_member_are_padding() -> None:
    assert decoded(gzip.compress(ONE) + b"\0" * 512) == [{"n": 1}]


def damaged() -> list[Any]:
    many = b"".join(b'{"n":%d}\n' % n for n in range(20000))
    packed = gzip.compress(many, 6)
    flipped = bytearray(packed)
    flipped[len(packed) // 2] ^= 0xFF
    return [
        pytest.param(packed[: len(packed) // 2], id="cut off"),
        pytest.param(packed[:-4], id="cut off in the trailer"),
        pytest.param(packed[:-8] + bytes(8), id="wrong checksum"),
        pytest.param(bytes(flipped), id="a flipped byte"),
        pytest.param(packed + b"rubbish", id="rubbish behind"),
    ]


@pytest.mark.parametrize("raw", damaged())
def test_of_a_damaged_gzip_all_that_is_readable_is_kept_and_the_rest_is_one_failed_record(raw: bytes) -> None:
    *good, last = decoded(raw)
    in_order = [value for value in good if isinstance(value, dict)]
    assert len(in_order) > 5000
    assert in_order[:5000] == [{"n": n} for n in range(5000)]
    assert last == "decode_error"
    assert decoded(raw, 999) == [*good, last]


def test_a_gzip_cut_off_between_records_says_so_too() -> None:
    packed = gzip.compress(ONE + b"\n")
    *_, (offset, text, why) = decode(Plain(packed[:-8]))
    assert (offset, text) == (8, b"")
    assert isinstance(why, Failed)
    assert "cut off" in why.message


def test_an_empty_object_holds_no_records() -> None:
    assert decoded(b"") == decoded(gzip.compress(b"")) == decoded(b"\n\n") == []


@pytest.mark.parametrize(
    "piece",
    [b'{"a":\n', b'{"a":[\n', b"{", b"}{", b"{}x", b'{"a":', b"eyJ", b"eyJhIjox\n", b'"', b'{"a":1,\n'],
    ids=repr,
)
def test_rubbish_costs_its_length_and_no_more(piece: bytes) -> None:
    raw = piece * (200_000 // len(piece))
    began = time.process_time()
    records = decoded(raw)
    assert time.process_time() - began < 10, "seconds; what grows faster takes minutes"
    assert records


def test_the_end_of_an_object_is_found_behind_nested_containers() -> None:
    """Debian 12's Python 3.11.2 got this wrong with possessive groups."""
    for text in (b'{"a":1,"p":{"b":1}}', b'{"a":[1,2,{"c":"}"}],"d":"\\"","e":[]}', b'{"p":{"q":{}},"r":1}'):
        assert extent(text + b' {"next":1}', 0, len(text) + 11).end == len(text)
