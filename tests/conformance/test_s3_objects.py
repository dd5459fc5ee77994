"""S3 objects through boto3: bytes, ranges, conditions, metadata, checksums, tags, copies, deletion."""

import base64
import hashlib
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError

BUCKET = "objects"
TEXT = b"0123456789"
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def s3(aws: Client) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def digits(s3: Any) -> dict[str, str]:
    s3.put_object(Bucket=BUCKET, Key="digits", Body=TEXT)
    return {"Bucket": BUCKET, "Key": "digits"}


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, int]:
    """(code, status) of the error that a call ends with; a HEAD has its status for a code."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response: Any = refused.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_what_was_put_comes_back_with_its_headers_and_metadata(s3: Any) -> None:
    headers = {
        "ContentType": "text/csv",
        "CacheControl": "no-cache",
        "ContentDisposition": 'attachment; filename="a.csv"',
        "ContentEncoding": "gzip",
        "ContentLanguage": "de",
        "Metadata": {"origin": "test", "with-dash": "x y"},
    }
    put = s3.put_object(Bucket=BUCKET, Key="kept/ü + %.csv", Body=b"a,b", **headers)
    got = s3.get_object(Bucket=BUCKET, Key="kept/ü + %.csv")
    assert got["Body"].read() == b"a,b"
    assert got["ETag"] == put["ETag"] == f'"{hashlib.md5(b"a,b").hexdigest()}"'
    assert {name: got[name] for name in headers} == headers
    head = s3.head_object(Bucket=BUCKET, Key="kept/ü + %.csv")
    assert {name: head[name] for name in headers} == headers
    assert (head["ContentLength"], head["AcceptRanges"]) == (3, "bytes")
    assert datetime.now(UTC) - head["LastModified"] < timedelta(minutes=1)


def test_metadata_that_need_no_encoding_are_kept_without_it(s3: Any) -> None:
    encoded = {"plain": "=?UTF-8?B?YWJj?=", "needed": "=?UTF-8?Q?=C3=84?=", "broken": "=?UTF-8?B?=GGG?="}
    s3.put_object(Bucket=BUCKET, Key="rfc2047", Body=b"", Metadata=encoded)
    assert s3.head_object(Bucket=BUCKET, Key="rfc2047")["Metadata"] == encoded | {"plain": "abc"}


def test_an_object_without_a_content_type_is_binary(s3: Any, digits: dict[str, str]) -> None:
    assert s3.head_object(**digits)["ContentType"] == "binary/octet-stream"


def test_an_empty_object_is_an_object(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="empty", Body=b"")
    assert s3.get_object(Bucket=BUCKET, Key="empty")["Body"].read() == b""
    assert refusal(s3.get_object, Bucket=BUCKET, Key="empty", Range="bytes=0-0") == ("InvalidRange", 416)


def test_a_large_object_is_streamed_both_ways(s3: Any) -> None:
    body = bytes(range(256)) * (80 * 2**10)  # 20 MiB: spooled to a file on its way in
    s3.put_object(Bucket=BUCKET, Key="large", Body=body)
    got = s3.get_object(Bucket=BUCKET, Key="large", ChecksumMode="ENABLED")
    assert got["Body"].read() == body
    assert got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    assert got["ChecksumCRC32"] == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


@pytest.mark.parametrize(
    ("header", "part", "content_range"),
    [
        ("bytes=0-0", b"0", "bytes 0-0/10"),
        ("bytes=2-4", b"234", "bytes 2-4/10"),
        ("bytes=7-", b"789", "bytes 7-9/10"),
        ("bytes=-3", b"789", "bytes 7-9/10"),
        ("bytes=5-999", b"56789", "bytes 5-9/10"),
        ("bytes=-999", TEXT, "bytes 0-9/10"),
    ],
)
def test_a_range_is_partial_content(
    s3: Any, digits: dict[str, str], header: str, part: bytes, content_range: str
) -> None:
    got = s3.get_object(**digits, Range=header)
    assert got["Body"].read() == part
    assert (got["ContentRange"], got["ContentLength"]) == (content_range, len(part))
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert s3.head_object(**digits, Range=header)["ContentLength"] == len(part)


@pytest.mark.parametrize("header", ["bytes=4-2", "bytes=-", "0-4", "bytes=a-b", "bytes=0-1,4-5"])
def test_what_is_not_one_range_means_the_whole_object(s3: Any, digits: dict[str, str], header: str) -> None:
    got = s3.get_object(**digits, Range=header)
    assert (got["ResponseMetadata"]["HTTPStatusCode"], got["Body"].read()) == (200, TEXT)


@pytest.mark.parametrize("header", ["bytes=10-", "bytes=-0", "bytes=99-100"])
def test_a_range_outside_of_the_object_is_not_satisfiable(s3: Any, digits: dict[str, str], header: str) -> None:
    assert refusal(s3.get_object, **digits, Range=header) == ("InvalidRange", 416)


def test_conditions_on_reading(s3: Any, digits: dict[str, str]) -> None:
    head = s3.head_object(**digits)
    etag, at = head["ETag"], head["LastModified"]
    earlier, later = at - timedelta(hours=1), at + timedelta(hours=1)
    for good in (
        {"IfMatch": etag},
        {"IfNoneMatch": '"other"'},
        {"IfModifiedSince": earlier},
        {"IfUnmodifiedSince": later},
        {"IfMatch": etag, "IfUnmodifiedSince": earlier},  # If-Match decides (RFC 9110, 13.2.2)
        {"IfNoneMatch": '"other"', "IfModifiedSince": later},  # and so does If-None-Match
        {"IfModifiedSince": later},  # what lies ahead is ignored
    ):
        assert s3.get_object(**digits, **good)["Body"].read() == TEXT
    for unchanged in ({"IfNoneMatch": etag}, {"IfModifiedSince": at}):
        assert refusal(s3.get_object, **digits, **unchanged) == ("304", 304)
        assert refusal(s3.head_object, **digits, **unchanged) == ("304", 304)
    for failed in ({"IfMatch": '"other"'}, {"IfUnmodifiedSince": earlier}):
        assert refusal(s3.get_object, **digits, **failed) == ("PreconditionFailed", 412)


def test_conditions_on_writing(s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "guarded"}
    assert refusal(s3.put_object, **place, Body=b"1", IfMatch='"x"') == ("NoSuchKey", 404)
    etag = s3.put_object(**place, Body=b"1", IfNoneMatch="*")["ETag"]
    assert refusal(s3.put_object, **place, Body=b"2", IfNoneMatch="*") == ("PreconditionFailed", 412)
    assert refusal(s3.put_object, **place, Body=b"2", IfMatch='"x"') == ("PreconditionFailed", 412)
    assert s3.get_object(**place)["Body"].read() == b"1"
    s3.put_object(**place, Body=b"2", IfMatch=etag)
    assert refusal(s3.delete_object, **place, IfMatch=etag) == ("PreconditionFailed", 412)
    assert s3.get_object(**place)["Body"].read() == b"2"


@pytest.mark.parametrize(
    ("algorithm", "value"),
    [
        ("CRC32", base64.b64encode(zlib.crc32(TEXT).to_bytes(4, "big")).decode()),
        ("CRC32C", None),
        ("CRC64NVME", None),
        ("SHA1", base64.b64encode(hashlib.sha1(TEXT).digest()).decode()),
        ("SHA256", base64.b64encode(hashlib.sha256(TEXT).digest()).decode()),
    ],
)
def test_a_checksum_is_kept_and_shown_on_demand(s3: Any, algorithm: str, value: str | None) -> None:
    place = {"Bucket": BUCKET, "Key": f"checksum/{algorithm}"}
    member = f"Checksum{algorithm}"
    put = s3.put_object(**place, Body=TEXT, ChecksumAlgorithm=algorithm)
    assert value in {None, put[member]}
    got = s3.get_object(**place, ChecksumMode="ENABLED")
    assert (got[member], got["ChecksumType"], got["Body"].read()) == (put[member], "FULL_OBJECT", TEXT)
    assert member not in s3.head_object(**place)
    for header, is_told in (("bytes=0-", True), ("bytes=0-99", True), ("bytes=1-", False), ("bytes=9-5", True)):
        part = s3.head_object(**place, Range=header, ChecksumMode="ENABLED")  # a checksum is of all bytes, or none
        assert (member in part) == is_told
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=place["Key"])["Contents"][0]
    assert (listed["ChecksumAlgorithm"], listed["ChecksumType"]) == ([algorithm], "FULL_OBJECT")
    attributes = s3.get_object_attributes(**place, ObjectAttributes=["Checksum", "ETag", "ObjectSize", "StorageClass"])
    assert attributes["Checksum"] == {member: put[member], "ChecksumType": "FULL_OBJECT"}
    assert (attributes["ObjectSize"], attributes["StorageClass"]) == (10, "STANDARD")


def test_an_upload_without_a_checksum_gets_a_crc64nvme(aws: Client, s3: Any) -> None:
    quiet = aws("s3", request_checksum_calculation="when_required")
    quiet.put_object(Bucket=BUCKET, Key="checksum/none", Body=b"123456789")
    # The check value of CRC-64/NVME, reveng.sourceforge.io/crc-catalogue: 0xae8b14860a799888
    check = base64.b64encode(bytes.fromhex("ae8b14860a799888")).decode()
    head = s3.head_object(Bucket=BUCKET, Key="checksum/none", ChecksumMode="ENABLED")
    assert head["ChecksumCRC64NVME"] == check


def test_wrong_digests_are_refused_and_nothing_is_stored(s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "wrong"}
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    assert refusal(s3.put_object, **place, Body=TEXT, ContentMD5=other) == ("BadDigest", 400)
    assert refusal(s3.put_object, **place, Body=TEXT, ContentMD5="abc") == ("InvalidDigest", 400)
    assert refusal(s3.put_object, **place, Body=TEXT, ChecksumCRC32="AAAAAA==") == ("BadDigest", 400)
    assert refusal(s3.put_object, **place, Body=TEXT, ChecksumSHA1="AAAAAA==") == ("InvalidRequest", 400)
    assert refusal(s3.head_object, **place) == ("404", 404)


def test_tags(s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "tagged"}
    s3.put_object(**place, Body=b"", Tagging="team=data&note=a%20b")
    tags = [{"Key": "team", "Value": "data"}, {"Key": "note", "Value": "a b"}]
    assert s3.get_object_tagging(**place)["TagSet"] == tags
    assert s3.head_object(**place)["TagCount"] == 2
    s3.put_object_tagging(**place, Tagging={"TagSet": tags[:1]})
    assert s3.get_object_tagging(**place)["TagSet"] == tags[:1]
    s3.delete_object_tagging(**place)
    assert s3.get_object_tagging(**place)["TagSet"] == []
    many = {"TagSet": [{"Key": str(n), "Value": ""} for n in range(11)]}
    assert refusal(s3.put_object_tagging, **place, Tagging=many) == ("BadRequest", 400)
    for raw in ("a=1,b=2", "a=1&a=2"):
        assert refusal(s3.put_object, **place, Body=b"", Tagging=raw) == ("InvalidArgument", 400)
    twice = {"TagSet": [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]}
    assert refusal(s3.put_object_tagging, **place, Tagging=twice) == ("InvalidTag", 400)


def test_a_copy_has_the_bytes_metadata_and_tags_of_its_source(s3: Any) -> None:
    s3.create_bucket(Bucket="copies")
    s3.put_object(
        Bucket=BUCKET, Key="from/ä b", Body=TEXT, ContentType="text/plain", Metadata={"a": "1"}, Tagging="t=1"
    )
    copied = s3.copy_object(Bucket="copies", Key="to", CopySource={"Bucket": BUCKET, "Key": "from/ä b"})
    got = s3.get_object(Bucket="copies", Key="to")
    assert (got["Body"].read(), got["ContentType"], got["Metadata"], got["TagCount"]) == (
        TEXT,
        "text/plain",
        {"a": "1"},
        1,
    )
    assert copied["CopyObjectResult"]["ETag"] == got["ETag"]


def test_a_copy_can_replace_metadata_and_tags(s3: Any, digits: dict[str, str]) -> None:
    s3.copy_object(
        **digits,
        CopySource=digits,
        MetadataDirective="REPLACE",
        Metadata={"b": "2"},
        ContentType="text/html",
        TaggingDirective="REPLACE",
        Tagging="x=y",
    )
    got = s3.get_object(**digits)
    assert (got["Body"].read(), got["ContentType"], got["Metadata"]) == (TEXT, "text/html", {"b": "2"})
    assert s3.get_object_tagging(**digits)["TagSet"] == [{"Key": "x", "Value": "y"}]
    assert refusal(s3.copy_object, **digits, CopySource=digits) == ("InvalidRequest", 400)
    s3.copy_object(**digits, CopySource=digits, ServerSideEncryption="aws:kms")
    s3.copy_object(**digits, CopySource=digits)  # back to S3's own encryption
    assert s3.head_object(**digits)["ServerSideEncryption"] == "AES256"


def test_a_copy_can_be_conditional(s3: Any, digits: dict[str, str]) -> None:
    etag = s3.head_object(**digits)["ETag"]
    to = {"Bucket": BUCKET, "Key": "copy", "CopySource": digits}
    assert refusal(s3.copy_object, **to, CopySourceIfMatch='"x"') == ("PreconditionFailed", 412)
    assert refusal(s3.copy_object, **to, CopySourceIfNoneMatch=etag) == ("PreconditionFailed", 412)
    assert refusal(s3.copy_object, **to, IfMatch=etag) == ("NoSuchKey", 404)  # of the target
    s3.copy_object(**to, CopySourceIfMatch=etag)
    assert refusal(s3.copy_object, **to, IfNoneMatch="*") == ("PreconditionFailed", 412)
    missing = {**to, "CopySource": {"Bucket": BUCKET, "Key": "nowhere"}}
    assert refusal(s3.copy_object, **missing) == ("NoSuchKey", 404)


def test_deleting_what_is_not_there_is_no_error(s3: Any, digits: dict[str, str]) -> None:
    for _ in range(2):
        assert s3.delete_object(**digits)["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert refusal(s3.get_object, **digits) == ("NoSuchKey", 404)
    assert refusal(s3.head_object, **digits) == ("404", 404)


def test_many_are_deleted_at_once(s3: Any) -> None:
    for n in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"many/{n}&<>", Body=b"")
    wanted = [{"Key": f"many/{n}&<>"} for n in range(4)]
    assert s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted[:1], "Quiet": True}).get("Deleted") is None
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": wanted})
    assert [item["Key"] for item in answer["Deleted"]] == [item["Key"] for item in wanted]
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="many/")
    too_many = {"Objects": [{"Key": str(n)} for n in range(1001)]}
    assert refusal(s3.delete_objects, Bucket=BUCKET, Delete=too_many) == ("MalformedXML", 400)


def test_a_presigned_url_reads_and_can_override_headers(aws: Client, digits: dict[str, str]) -> None:
    overrides = {"ResponseContentType": "text/x", "ResponseContentDisposition": 'attachment; filename="ü.txt"'}
    url = aws("s3", signature_version="s3v4").generate_presigned_url("get_object", Params={**digits, **overrides})
    answer = requests.get(url, timeout=10)
    assert (answer.content, answer.headers["content-type"]) == (TEXT, "text/x")
    assert answer.headers["content-disposition"].startswith("attachment")


def test_a_presigned_url_writes(aws: Client, s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "presigned"}
    url = aws("s3", signature_version="s3v4").generate_presigned_url("put_object", Params=place)
    assert requests.put(url, data=b"sent", timeout=10).status_code == 200
    assert s3.get_object(**place)["Body"].read() == b"sent"


def test_what_is_not_there_is_named(s3: Any) -> None:
    assert refusal(s3.get_object, Bucket="no-such-bucket", Key="a") == ("NoSuchBucket", 404)
    assert refusal(s3.put_object, Bucket="no-such-bucket", Key="a", Body=b"") == ("NoSuchBucket", 404)
    assert refusal(s3.get_object_tagging, Bucket=BUCKET, Key="nowhere") == ("NoSuchKey", 404)


def test_what_is_not_done_is_refused_by_name(s3: Any, digits: dict[str, str]) -> None:
    not_done = ("NotImplemented", 501)
    assert refusal(s3.put_object, **digits, Body=b"", IfNoneMatch='"etag"') == not_done
    assert refusal(s3.put_object, **digits, Body=b"", IfMatch="*") == not_done
    assert refusal(s3.put_object, **digits, Body=b"", IfMatch='"etag"', IfNoneMatch="*") == not_done
