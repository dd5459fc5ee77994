"""What holds for any bytes at all.

`CLICKLAKE_EXAMPLES=100000 pytest tests/test_properties.py` looks for longer.
"""

import base64
import gzip
import json
import os
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from clicklake.transform.decode import decode
from clicklake.transform.event import Failed
from clicklake.transform.extent import extent
from clicklake.transform.gunzip import Plain
from transforming import event, transform_raw

EXAMPLES = int(os.environ.get("CLICKLAKE_EXAMPLES", "60"))

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
def test_any_bytes_balance(raw: bytes) -> None:
    for stored in (raw, gzip.compress(raw), gzip.compress(raw)[:-5]):
        made = transform_raw(stored)
        ledger = made.ledger
        assert ledger["records_in"] == ledger["good"] + ledger["duplicate"] + ledger["failed"]
        assert (ledger["good"], ledger["failed"]) == (len(made.rows), len(made.failed))
        indexes = [row["record_index"] for row in (*made.rows, *made.failed)]
        assert len(set(indexes)) == len(indexes)
        assert all(0 <= index < ledger["records_in"] for index in indexes)


@given(streams | st.binary(max_size=200), st.integers(1, 20))
@settings(max_examples=EXAMPLES, deadline=None)
def test_chunks_never_show(raw: bytes, chunk_size: int) -> None:
    assert list(decode(Plain(raw, chunk_size))) == list(decode(Plain(raw)))


@given(streams)
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_byte_is_lost_and_order_is_kept(raw: bytes) -> None:
    """Records lie in the order of their bytes, and what is in none of them is punctuation, or base64."""
    covered = bytearray(raw)
    last = -1
    for offset, text, _ in decode(Plain(raw)):
        assert offset >= last
        last = offset
        if raw[offset : offset + len(text)] == text:
            covered[offset : offset + len(text)] = b" " * len(text)
    assert not bytes(covered).translate(None, b" \t\r\n,[]\xef\xbb\xbf+/=" + bytes(range(48, 58)) + _LETTERS)


_LETTERS = bytes([*range(65, 91), *range(97, 123)])


@given(st.lists(objects, min_size=1, max_size=5), st.binary(max_size=40).filter(lambda b: b"\n" not in b), st.data())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_bad_line_never_changes_its_neighbours(good: list[dict[str, Any]], bad: bytes, data: st.DataObject) -> None:
    lines = [json.dumps(value).encode() for value in good]
    at = data.draw(st.integers(0, len(lines)))
    found = iter(decoded(b"\n".join([*lines[:at], b"?" + bad, *lines[at:]])))
    assert all(value in found for value in decoded(b"\n".join(lines))), "in their order, with nothing else changed"


def decoded(raw: bytes) -> list[Any]:
    return [value for _, _, value in decode(Plain(raw)) if not isinstance(value, Failed)]


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


@given(values, values)
@settings(max_examples=EXAMPLES, deadline=None)
def test_private_values_never_get_through(planted: Any, other: Any) -> None:
    secret = "s3cr3t-value"
    nested = {"a": [{"userId": [secret, planted]}, {"b": {"ip": secret}}], "user_id": secret, "headers": {"x": secret}}
    made = transform_raw(json.dumps(event(properties=nested, user_id=[secret], ip={"v": secret}, more=other)).encode())
    assert secret not in str(made.rows) + str(made.ledger)
