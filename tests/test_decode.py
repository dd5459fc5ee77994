"""Bytes to records: every form that senders and Firehose make, and rubbish that stays alone."""

import base64
import gzip
import json
import time
from collections.abc import Callable
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
    "base64 one after the other, without its padding": b"".join(encoded(text).rstrip(b"=") for text in (ONE, TWO, THREE)),
    "base64 behind a line end or a space": encoded(b"\n" + ONE) + encoded(b" " + TWO) + encoded(b"\r\n" + THREE),
    "base64 of an array in an array": encoded(b"[[" + ONE + b"]]") + TWO + THREE,
    "base64 beside JSON": ONE + encoded(TWO) + THREE,
    "lines that end with CR alone": ONE + b"\r" + TWO + b"\r" + THREE,
    "arrays in arrays": b"[[" + ONE + b"],[[" + TWO + b"]]]" + THREE,
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


@pytest.mark.parametrize(
    "bad", [b"rubbish", b"\x1e", b"\0", b"\xef\xbb", b'{"n":"cut off', b'{"n":[1,2', b'{"a":{"b":1},"c']
)
@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_good_record_survives_a_bad_one_before_it_without_a_delimiter(bad: bytes, end: bytes) -> None:
    """What one sender leaves open must not take the next sender's record with it."""
    assert decoded(ONE + bad + TWO + end + THREE + end) == [{"n": 1}, "decode_error", {"n": 2}, {"n": 3}]


PARTS_OF_BROKEN_OBJECTS = {
    "items of a list": b'{"a":tru,"items":[{"event_type":"x"},{"event_type":"y"}]}',
    "a value": b'{"a":tru,"b":{"event_type":"x"},"c":{}}',
    "in a value behind the mistake": b'{"a":{"b":{"c":1,,"d":{"event_type":"x"}}}}',
    "a mistake in a list": b'{"a":[1,x,{"event_type":"x"}],"b":{"event_type":"y"}}',
    "a name without quotes": b'{a:1,"b":{"event_type":"x"}}',
    "single quotes": b'{\'a\':\'x, y\',"b":{"event_type":"x"}}',
    "a control character": b'{"a":"x\x01y","b":{"event_type":"x"}}',
    "a quote in a string": b'{"a":"say "hi" twice","b":[{"event_type":"x"},{"event_type":"y"}]}',
    "pretty-printed": b'{\n  "a": tru,\n  "b": {"event_type": "x"},\n  "c": [\n    {"d": 1}\n  ],\n  "e": fals\n}',
}


@pytest.mark.parametrize("form", PARTS_OF_BROKEN_OBJECTS)
@pytest.mark.parametrize("end", [b"\n", b""])
def test_no_part_of_a_broken_object_becomes_a_record(form: str, end: bytes) -> None:
    broken = PARTS_OF_BROKEN_OBJECTS[form]
    raw = ONE + end + broken + end + TWO
    assert decoded(raw) == [{"n": 1}, "decode_error", {"n": 2}]
    (_, (offset, text, _), _) = decode(Plain(raw))
    assert (offset, text) == (len(ONE + end), broken)


@pytest.mark.parametrize("broken", [b'{"a":"say "hi","b":[{"n":8},{"n":9}]}', b'{"a":"{"n":9}"}', b'{"a":{"n":9}'])
def test_where_quotes_or_braces_do_not_pair_the_line_ends_the_broken_record(broken: bytes) -> None:
    assert decoded(ONE + b"\n" + broken + b"\n" + TWO) == [{"n": 1}, "decode_error", {"n": 2}]


def test_a_broken_item_of_an_array_takes_no_other_one_with_it() -> None:
    for broken in (b'{"a":tru}', b'{"a":"x"y"}', b'{"a":"\xff"}'):
        for end in (b"\n", b""):
            raw = b"[" + ONE + b"," + broken + b"," + TWO + b", " + THREE + b"]" + end
            assert decoded(raw) == [{"n": 1}, "decode_error", {"n": 2}, {"n": 3}]


def test_a_broken_record_within_base64_text_takes_no_other_one_with_it() -> None:
    for end in (b"\n", b""):
        for broken in (b'{"a":tru}', b"rubbish", b"\xff"):
            assert decoded(encoded(ONE + end + broken + end + TWO + end) + end + THREE) == [
                {"n": 1}, "decode_error", {"n": 2}, {"n": 3},
            ]  # fmt: skip


def test_a_nested_object_at_the_beginning_of_a_line_of_wrapped_base64_splits_nothing() -> None:
    """57 bytes make 76 characters, so the second line looks like the beginning of another text."""
    for depth in (1, 2, 3):
        text = b'{"n":"' + b"x" * 44
        for _ in range(depth):
            text += b" " * (-(len(text) + len(b'","p":')) % 57 + 57) + b'","p":'
            assert len(text) % 57 == 0
            text += b'{"n":"'
        text += b'"}' + b"}" * depth
        assert decoded(base64.encodebytes(text) + ONE) == [json.loads(text), {"n": 1}]


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
        (b'{"n":-9223372036854775808}', -9223372036854775808),
        (b'{"n":-1e999}', "-1e999"),
        (b'{"n":[{"a":Infinity}]}', [{"a": "Infinity"}]),
        (b'{"n":"\\u0000"}', "\0"),
        (b'{"n":NaN,"n":1}', 1),
        (b'{"n":{"ip":1},"n":{}}', {}),
        pytest.param(b'{"n":NaN,"m":1,"n":' + b"1" * 5000 + b"}", "1" * 5000, id="5,000 digits"),
    ],
)
def test_what_strict_parsers_refuse_is_kept_without_loss(text: bytes, value: object) -> None:
    (record,) = decoded(text)
    assert record["n"] == value


@pytest.mark.parametrize(("depth", "fails"), [(99, False), (100, True), (900, True)])
def test_how_deep_is_too_deep_does_not_depend_on_the_parser(depth: int, fails: bool) -> None:
    """NaN sends a record to the standard library's parser, which recurses: a limit of its own would show."""
    text = b'{"n":' + b"[" * depth + b"NaN" + b"]" * depth + b"}"
    assert (decoded(text) == ["decode_error"]) == fails


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


@pytest.mark.parametrize("last", [b'{"n":"\xff"}', b'{"n":tru}', b'{"n":', b"rubbish", b"1", encoded(b'{"n":tru}')])
def test_what_is_cut_off_in_the_middle_of_a_record_fails_with_it_and_else_by_itself(last: bytes) -> None:
    """However the bytes come."""
    raw = gzip.compress(ONE + b"\n" + last)[:-3]
    records = [(offset, text, value) for offset, text, value in decode(Plain(raw))]
    whole = last.endswith(b"}")
    assert [text for _, text, _ in records] == [ONE, last, *([b""] if whole else [])]
    assert "cut off" in str(records[-1][2])
    for chunk_size in (1, 3, 13):
        assert list(decode(Plain(raw, chunk_size))) == records


def test_an_empty_object_holds_no_records() -> None:
    assert decoded(b"") == decoded(gzip.compress(b"")) == decoded(b"\n\n") == []


HOSTILE = [
    b'{"a":\n', b'{"a":[\n', b"{", b"}{", b"{}x", b'{"a":', b"eyJ", b"eyJhIjox\n", b'"', b'{"a":1,\n', b'":":","', b'{"x{":":","',
    b'{"n":"x', b'{"n":"x\n', b'{"a":x,"b":[\n', b'{"n":1}{"n":1}{"a":x,"b":[', b'{"a":"x"y"},', b"x{", b'{"b x{":{\n', b'{"n":1}x',
    b"eyJuIjoxfQ", b"77u/eyJuIjoxfQAAAA", b"eyJe30=", b"\neyJ", b"e30=AAAA", b"[", b"\xef\xbb\xbf", b"\r\n{",
]  # fmt: skip


@pytest.mark.parametrize("wrap", [bytes, encoded, base64.encodebytes], ids=["plain", "base64", "wrapped base64"])
@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_rubbish_costs_its_length_and_no_more(piece: bytes, wrap: Callable[[bytes], bytes]) -> None:
    def seconds(length: int) -> float:
        raw = wrap(piece * (length // len(piece)))
        began = time.process_time()
        for _ in decode(Plain(raw)):
            pass
        return time.process_time() - began

    assert seconds(20_000) < 1, "seconds; what grows faster than its length takes many"


def test_many_small_gzip_members_cost_their_length_and_no_more() -> None:
    for text in (b"", b"x", b"{", ONE):
        raw = gzip.compress(text) * 5_000
        began = time.process_time()
        assert b"".join(record[1] for record in decode(Plain(raw))) == text * 5_000
        assert time.process_time() - began < 3


def test_the_end_of_an_object_is_found_behind_nested_containers() -> None:
    """Debian 12's Python 3.11.2 got this wrong with possessive groups."""
    for text in (b'{"a":1,"p":{"b":1}}', b'{"a":[1,2,{"c":"}"}],"d":"\\"","e":[]}', b'{"p":{"q":{}},"r":1}'):
        assert extent(text + b' {"next":1}', 0, len(text) + 11).end == len(text)
