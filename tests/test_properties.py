"""What holds for any bytes at all.

`CLICKLAKE_EXAMPLES=100000 pytest tests/test_properties.py` looks for longer.
"""

import base64
import gzip
import json
import os
import random
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import fuzz
from clicklake.transform.base64text import BEGINNING
from clicklake.transform.decode import Read, decode
from clicklake.transform.event import Failed
from clicklake.transform.extent import extent
from clicklake.transform.gunzip import MAGIC, Plain
from clicklake.transform.process import Settings
from transforming import KEY, PIPELINE, event, transform, transform_raw

EXAMPLES = int(os.environ.get("CLICKLAKE_EXAMPLES", "25"))

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["event_type", "event_id", "userId", "user_id", "ip", "event_time", "sent_time", "value", "url",
                         "properties", "headers", "app_id", "x"])  # fmt: skip
objects = st.dictionaries(names, values, max_size=6)
objects_in_bytes = objects.map(lambda value: json.dumps(value).encode())
pieces = st.one_of(
    objects_in_bytes,
    objects.map(lambda value: json.dumps(value, indent=1).encode()),
    objects_in_bytes.map(base64.b64encode),
    objects_in_bytes.flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
    st.binary(max_size=12),
    st.sampled_from(
        [b"\n", b"\r\n", b"[", b"]", b",", b" ", b"{", b"}", b'"', b"\xef\xbb\xbf", b"eyJ", b"\0", b"=", b"1"]
    ),
)
streams = st.lists(pieces, max_size=12).map(b"".join)


@given(streams | st.binary(max_size=200))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_bytes_keep_every_rule(raw: bytes) -> None:
    """Accounting, order, both formats, any chunks, neighbours, time: fuzz.check says how."""
    fuzz.check(raw)


@given(st.randoms(use_true_random=False))
@settings(max_examples=EXAMPLES, deadline=None)
def test_mutants_of_the_golden_cases_keep_every_rule(chance: random.Random) -> None:
    fuzz.check(fuzz.mutated(chance, chance.choice(fuzz.SEEDS)))


@given(streams | st.binary(max_size=200), st.integers(1, 20))
@settings(max_examples=4 * EXAMPLES, deadline=None)
@example(b'{""""\n,"":"{"""}', 3)  # a string with a brace, cut off behind a mistake
@example(b'{"",\n"{":}', 1)
@example(b'{\n"","":"]"}', 5)
@example(b'{"a":"\xff"}', 1)
def test_chunks_never_show(raw: bytes, chunk_size: int) -> None:
    for stored in (raw, gzip.compress(raw)[:-5]):
        assert list(decode(Plain(stored, chunk_size))) == list(decode(Plain(stored)))


@given(streams)
@settings(max_examples=4 * EXAMPLES, deadline=None)
def test_every_byte_is_in_exactly_one_record_or_is_punctuation(raw: bytes) -> None:
    """Offsets are exact and ascend. (Records in base64 text lie at the characters that hold them.)"""
    assume(not BEGINNING.search(raw) and not raw.startswith(MAGIC))
    end = 0
    for offset, text, _ in decode(Plain(raw)):
        assert text
        assert offset >= end
        assert raw[offset : offset + len(text)] == text
        assert is_punctuation(raw[end:offset])
        end = offset + len(text)
    assert is_punctuation(raw[end:])


def is_punctuation(between: bytes) -> bool:
    return not between.replace(b"\xef\xbb\xbf", b"").strip(b" \t\r\n,[]")


@given(streams)
@settings(max_examples=EXAMPLES, deadline=None)
def test_every_byte_outside_of_base64_text_is_in_a_record_or_is_punctuation(raw: bytes) -> None:
    covered = bytearray(raw)
    last = -1
    for offset, text, _ in decode(Plain(raw)):
        assert offset >= last
        last = offset
        if raw[offset : offset + len(text)] == text:
            covered[offset : offset + len(text)] = b" " * len(text)
    assert not bytes(covered).translate(None, b" \t\r\n,[]\xef\xbb\xbf+/=" + bytes(range(48, 58)) + _LETTERS)


_LETTERS = bytes([*range(65, 91), *range(97, 123)])


@given(st.lists(objects, min_size=1, max_size=5), streams | st.binary(max_size=80), st.data())
@settings(max_examples=4 * EXAMPLES, deadline=None)
def test_broken_bytes_between_lines_never_change_the_lines(
    good: list[dict[str, Any]], bad: bytes, data: st.DataObject
) -> None:
    lines = [json.dumps(value).encode() + b"\n" for value in good]
    at = data.draw(st.integers(0, len(lines)))
    before, behind = b"".join(lines[:at]), b"".join(lines[at:])
    found = list(decode(Plain(before + bad + b"\n" + behind)))
    moved = len(before) + len(bad) + 1
    assert [record for record in found if record[0] < len(before)] == list(decode(Plain(before)))
    assert [(offset - moved, text, value) for offset, text, value in found if offset >= moved] == list(
        decode(Plain(behind))
    )


def decoded(raw: bytes) -> list[Any]:
    return [value for _, _, value in decode(Plain(raw)) if not isinstance(value, Failed)]


@given(st.lists(objects, min_size=2, max_size=4), st.sampled_from([b"{", b"?", b"\x1e", b'{"a":', b'{"a":"b', b"1,2"]))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_left_open_without_a_line_end_takes_one_object_at_most(good: list[dict[str, Any]], bad: bytes) -> None:
    """`{"a":` takes the next object for its value; the others before and behind stay what they are."""
    text = b"".join(json.dumps(value).encode() for value in good)
    found, alone = decoded(text + bad + text), decoded(text)
    assert found[: len(good)] == alone
    assert found[1 - len(good) :] == alone[1:]


@given(objects)
@settings(max_examples=EXAMPLES, deadline=None)
def test_the_extent_of_an_object_is_the_object(value: dict[str, Any]) -> None:
    for text in (
        json.dumps(value).encode(),
        json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "replace"),
    ):
        assert extent(text + b' {"more"', 0, len(text) + 8).end == len(text)
        for cut in range(1, len(text)):
            assert extent(text, 0, cut).stop == cut, "an object that is cut off may always go on"


@given(st.lists(objects, min_size=2, max_size=6))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_an_event_becomes_does_not_depend_on_the_events_before_it(sent: list[dict[str, Any]]) -> None:
    """Nothing that the transform remembers shows: ids apart, each event is what it is alone."""
    events = [value | {"event_type": "x", "event_id": f"{nth}"} for nth, value in enumerate(sent)]
    remembering = Settings(PIPELINE, KEY)
    for value in events[::-1]:
        transform(value, settings=remembering)
    together = transform(*events, settings=remembering)
    alone = [transform(value, settings=Settings(PIPELINE, KEY)) for value in events]
    assert [fuzz.without_place(row) for row in together.rows] == [fuzz.without_place(made.row) for made in alone]


@given(values, values)
@settings(max_examples=EXAMPLES, deadline=None)
def test_private_values_never_get_through(planted: Any, other: Any) -> None:
    secret = "s3cr3t-value"
    nested = {"a": [{"userId": [secret, planted]}, {"b": {"ip": secret}}], "user_id": secret, "headers": {"x": secret}}
    made = transform_raw(json.dumps(event(properties=nested, user_id=[secret], ip={"v": secret}, more=other)).encode())
    assert secret not in str(made.rows) + str(made.ledger)


class Thorough(Settings):
    """The same, with every record read the thorough way."""

    @property
    def read(self) -> Read:  # type: ignore[override]
        return lambda _line: None


near = st.fixed_dictionaries(
    {"event_type": st.sampled_from(["view", "", "é\u0000"])},
    optional={
        "event_id": st.text(max_size=3) | st.integers(-(2**70), 2**70),
        "event_time": st.sampled_from(["2025-11-26T10:00:00.123Z", "", "soon", 1764151200, 1e300, -1, None]),
        "user_id": st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=3),
        "value": st.floats() | st.integers(-(2**70), 2**70) | st.booleans() | st.none(),
        "page_url": st.sampled_from(["https://a.example/?x=1&utm_source=b", "", None, 1]),
        "headers": st.dictionaries(st.sampled_from(["accept-language", "cookie"]), scalars, max_size=2),
        "properties": st.dictionaries(st.text(max_size=4), values | st.integers(-(2**70), 2**70), max_size=3)
        | st.none()
        | st.just(""),
        "userId": st.text(max_size=2),
        "_event.x": scalars,
    },
)


@given(st.lists(near, min_size=1, max_size=6))
@settings(max_examples=4 * EXAMPLES, deadline=None)
def test_the_fast_way_and_the_thorough_way_give_the_same_rows(events: list[dict[str, Any]]) -> None:
    fast, thorough = (transform(*events, settings=kind(PIPELINE, KEY)) for kind in (Settings, Thorough))
    assert fast.ledger == thorough.ledger
    assert fast.rows == thorough.rows
