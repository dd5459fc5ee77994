"""S3 listings through boto3: order, prefixes, delimiters, pages, encodings."""

from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

from localaws.s3 import listing as s3_listing

Client = Callable[..., Any]
# In byte order; UTF-16 order would put the last two the other way round.
KEYS = ["A", "a", "a b+c", "a/1", "a/2", "a/b/3", "a0", "b//c", "b/c", "ä", "\uffee", "\U0001f600"]


@pytest.fixture(scope="module")
def s3(aws: Client) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket="listing")
    for key in reversed(KEYS):
        client.put_object(Bucket="listing", Key=key, Body=key.encode())
    return client


def names(answer: Any) -> tuple[list[str], list[str]]:
    """(keys, common prefixes) of a listing."""
    keys = [item["Key"] for item in answer.get("Contents", [])]
    return keys, [item["Prefix"] for item in answer.get("CommonPrefixes", [])]


def test_keys_come_in_byte_order(s3: Any) -> None:
    assert names(s3.list_objects_v2(Bucket="listing"))[0] == KEYS
    assert names(s3.list_objects(Bucket="listing"))[0] == KEYS


@pytest.mark.parametrize(
    ("parameters", "keys", "prefixes"),
    [
        ({"Prefix": "a"}, ["a", "a b+c", "a/1", "a/2", "a/b/3", "a0"], []),
        ({"Prefix": "a/"}, ["a/1", "a/2", "a/b/3"], []),
        ({"Prefix": "a/", "Delimiter": "/"}, ["a/1", "a/2"], ["a/b/"]),
        ({"Prefix": "b", "Delimiter": "/"}, [], ["b/"]),
        ({"Prefix": "b/", "Delimiter": "/"}, ["b/c"], ["b//"]),
        ({"Prefix": "a", "Delimiter": " b"}, ["a", "a/1", "a/2", "a/b/3", "a0"], ["a b"]),
        ({"Prefix": "nothing"}, [], []),
        ({"Prefix": "ä"}, ["ä"], []),
        ({"StartAfter": "a/b/3", "Prefix": "a"}, ["a0"], []),
        ({"MaxKeys": 0}, [], []),
    ],
)
def test_prefix_and_delimiter(s3: Any, parameters: dict[str, Any], keys: list[str], prefixes: list[str]) -> None:
    answer = s3.list_objects_v2(Bucket="listing", **parameters)
    assert names(answer) == (keys, prefixes)
    assert answer["KeyCount"] == len(keys) + len(prefixes)
    assert not answer["IsTruncated"]


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("delimiter", ["", "/"])
@pytest.mark.parametrize("operation", ["list_objects", "list_objects_v2", "list_object_versions"])
def test_pages_add_up_to_the_whole(s3: Any, operation: str, delimiter: str, size: int) -> None:
    whole = names(s3.list_objects_v2(Bucket="listing", Delimiter=delimiter))
    pages = s3.get_paginator(operation).paginate(
        Bucket="listing", Delimiter=delimiter, PaginationConfig={"PageSize": size}
    )
    listed = "Versions" if operation == "list_object_versions" else "Contents"
    keys, prefixes = [], []
    for page in pages:
        assert len(page.get(listed, [])) + len(page.get("CommonPrefixes", [])) <= size
        keys += [item["Key"] for item in page.get(listed, [])]
        prefixes += [item["Prefix"] for item in page.get("CommonPrefixes", [])]
    assert (keys, prefixes) == whole


def test_a_token_decides_over_start_after(s3: Any) -> None:
    token = s3.list_objects_v2(Bucket="listing", MaxKeys=2)["NextContinuationToken"]
    answer = s3.list_objects_v2(Bucket="listing", ContinuationToken=token, StartAfter="b")
    assert (names(answer)[0], "StartAfter" in answer) == (KEYS[2:], False)


def test_an_entry_has_what_aws_tells(s3: Any) -> None:
    plain = s3.list_objects_v2(Bucket="listing", Prefix="a0")["Contents"][0]
    assert set(plain) == {
        "Key", "LastModified", "ETag", "ChecksumAlgorithm", "ChecksumType", "Size", "StorageClass"
    }  # fmt: skip
    assert (plain["Size"], plain["StorageClass"], plain["LastModified"].microsecond) == (2, "STANDARD", 0)
    owned = s3.list_objects_v2(Bucket="listing", Prefix="a0", FetchOwner=True)["Contents"][0]
    assert len(owned["Owner"]["ID"]) == 64
    assert s3.list_objects(Bucket="listing", Prefix="a0")["Contents"][0]["Owner"] == owned["Owner"]


def test_an_etags_quotes_are_written_as_aws_writes_them(s3: Any) -> None:
    """XML has three ways to write them; DuckDB's httpfs knows this one, and fails otherwise."""
    url = s3.generate_presigned_url("list_objects_v2", Params={"Bucket": "listing", "Prefix": "a0"})
    assert "<ETag>&quot;" in requests.get(url, timeout=10).text


def test_every_object_is_its_one_version(s3: Any) -> None:
    versions = s3.list_object_versions(Bucket="listing", Prefix="a/")["Versions"]
    assert [(v["Key"], v["VersionId"], v["IsLatest"]) for v in versions] == [
        ("a/1", "null", True),
        ("a/2", "null", True),
        ("a/b/3", "null", True),
    ]


@pytest.mark.parametrize(
    "parameters",
    [{"MaxKeys": -1}, {"EncodingType": "base64"}, {"ContinuationToken": "no token"}, {"ContinuationToken": ""}],
)
def test_bad_arguments_are_refused(s3: Any, parameters: dict[str, Any]) -> None:
    with pytest.raises(ClientError) as refused:
        s3.list_objects_v2(Bucket="listing", **parameters)
    assert refused.value.response["Error"]["Code"] == "InvalidArgument"


@dataclass(frozen=True)
class Named:
    key: str


def test_a_page_costs_what_is_on_it_not_what_lies_under_it() -> None:
    """Listing four prefixes must not walk the keys in them: after each of them the walk begins anew behind it."""
    keys = [f"{prefix}/{n:03}".encode() for prefix in "wxyz" for n in range(1000)]
    read = []

    def scan(start: bytes, stop: bytes | None, limit: int) -> Iterator[Named]:
        for key in keys[bisect_left(keys, start) :][:limit]:
            if stop is None or key < stop:
                read.append(key)
                yield Named(key.decode())

    whole = s3_listing.page(scan, prefix="", delimiter="/", after="", limit=1000)
    assert (whole.prefixes, whole.truncated, len(read)) == (["w/", "x/", "y/", "z/"], False, 4)
    read.clear()
    first = s3_listing.page(scan, prefix="x/", delimiter="", after="x/100", limit=10)
    assert ([item.key for item in first.found][::9], first.truncated, len(read)) == (["x/101", "x/110"], True, 11)
