"""S3 multipart uploads through boto3."""

import base64
import hashlib
import io
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess

BUCKET = "multipart"
PIECES = [bytes([n]) * (5 * 2**20) for n in (1, 2)] + [b"end"]
WHOLE = b"".join(PIECES)
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def s3(aws: Client) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    return client


def begin(s3: Any, key: str, **more: Any) -> dict[str, str]:
    """A new upload, as the parameters that name it."""
    created = s3.create_multipart_upload(Bucket=BUCKET, Key=key, **more)
    return {"Bucket": BUCKET, "Key": key, "UploadId": created["UploadId"]}


def send(s3: Any, upload: dict[str, str], number: int, body: bytes, **more: Any) -> dict[str, Any]:
    """One part, as CompleteMultipartUpload names it: with its checksum if the upload has an algorithm (`more`)."""
    sent = s3.upload_part(**upload, PartNumber=number, Body=body, **more)
    member = f"Checksum{more.get('ChecksumAlgorithm')}"
    checksums = {member: sent[member]} if more else {}
    return {"PartNumber": number, "ETag": sent["ETag"], **checksums}


def complete(s3: Any, upload: dict[str, str], parts: list[dict[str, Any]], **more: Any) -> Any:
    return s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **more)


def refusal(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    code: str = refused.value.response["Error"]["Code"]
    return code


def test_parts_become_one_object(s3: Any) -> None:
    upload = begin(s3, "whole", ContentType="text/plain", Metadata={"a": "b"}, Tagging="t=1")
    parts = [send(s3, upload, number, piece) for number, piece in ((1, PIECES[0]), (4, PIECES[1]), (9, PIECES[2]))]
    listed = s3.list_parts(**upload, MaxParts=2)
    assert [(p["PartNumber"], p["Size"]) for p in listed["Parts"]] == [(1, 5 * 2**20), (4, 5 * 2**20)]
    assert (sorted(listed["Owner"]), sorted(listed["Initiator"])) == (["ID"], ["DisplayName", "ID"])
    assert (listed["IsTruncated"], listed["NextPartNumberMarker"]) == (True, 4)
    assert [p["PartNumber"] for p in s3.list_parts(**upload, PartNumberMarker=4)["Parts"]] == [9]
    etag = complete(s3, upload, parts)["ETag"]
    md5s = b"".join(hashlib.md5(piece).digest() for piece in PIECES)
    assert etag == f'"{hashlib.md5(md5s).hexdigest()}-3"'
    got = s3.get_object(Bucket=BUCKET, Key="whole")
    assert (got["Body"].read() == WHOLE, got["ETag"], got["ContentType"]) == (True, etag, "text/plain")
    assert (got["Metadata"], got["TagCount"]) == ({"a": "b"}, 1)
    assert refusal(s3.list_parts, **upload) == "NoSuchUpload"


def test_completing_again_answers_the_same(s3: Any) -> None:
    upload = begin(s3, "again")
    parts = [send(s3, upload, 1, b"one")]
    first = complete(s3, upload, parts, ChecksumCRC32="AAAAAA==")  # nobody asked for one at the beginning: ignored
    assert first["ETag"] == complete(s3, upload, parts)["ETag"]
    assert "ChecksumCRC64NVME" not in s3.head_object(Bucket=BUCKET, Key="again", PartNumber=1, ChecksumMode="ENABLED")


def test_of_completing_aborting_and_sending_at_once_each_gets_a_plain_answer(
    s3: Any, endpoint: EndpointProcess
) -> None:
    """Whoever completes has the object; whoever comes too late is told that there is no such upload."""
    before = set((endpoint.data_dir / "s3-staging").iterdir())
    uploads = [begin(s3, f"race/{n}") for n in range(6)]
    parts = [[send(s3, upload, 1, PIECES[0]), send(s3, upload, 2, b"end")] for upload in uploads]

    def code(call: Callable[..., Any], **parameters: Any) -> str:
        try:
            call(**parameters)
        except ClientError as e:
            return str(e.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(8) as pool:
        asked = []
        for upload, named in zip(uploads, parts, strict=True):
            whole = {"MultipartUpload": {"Parts": named}}
            completing = [pool.submit(code, s3.complete_multipart_upload, **upload, **whole) for _ in range(2)]
            sending = pool.submit(code, s3.upload_part, **upload, PartNumber=2, Body=b"END")
            aborting = pool.submit(code, s3.abort_multipart_upload, **upload)
            asked.append((completing, sending, aborting))
    for upload, (completing, sending, aborting) in zip(uploads, asked, strict=True):
        completed = {answer.result() for answer in completing}
        assert completed <= {"", "NoSuchUpload", "InvalidPart"}
        assert {sending.result(), aborting.result()} <= {"", "NoSuchUpload"}
        there = code(s3.head_object, Bucket=BUCKET, Key=upload["Key"]) == ""
        assert there == ("" in completed) == (aborting.result() == "NoSuchUpload")
    assert set((endpoint.data_dir / "s3-staging").iterdir()) <= before


def test_a_buckets_uploads_go_with_it(s3: Any, endpoint: EndpointProcess) -> None:
    s3.create_bucket(Bucket="gone")
    id_ = s3.create_multipart_upload(Bucket="gone", Key="a")["UploadId"]
    s3.upload_part(Bucket="gone", Key="a", UploadId=id_, PartNumber=1, Body=b"part")
    before = len(list((endpoint.data_dir / "s3-staging").iterdir()))
    s3.delete_bucket(Bucket="gone")
    assert len(list((endpoint.data_dir / "s3-staging").iterdir())) == before - 1
    s3.create_bucket(Bucket="gone")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="gone")


def test_a_part_of_the_object_can_be_read(s3: Any) -> None:
    upload = begin(s3, "parts")
    complete(s3, upload, [send(s3, upload, 1, PIECES[0]), send(s3, upload, 2, b"end")])
    got = s3.get_object(Bucket=BUCKET, Key="parts", PartNumber=2)
    assert (got["Body"].read(), got["PartsCount"]) == (b"end", 2)
    assert got["ContentRange"] == f"bytes {5 * 2**20}-{5 * 2**20 + 2}/{5 * 2**20 + 3}"
    assert refusal(s3.get_object, Bucket=BUCKET, Key="parts", PartNumber=3) == "InvalidPartNumber"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256"])
def test_a_composite_checksum_is_that_of_the_parts_checksums(s3: Any, algorithm: str) -> None:
    upload = begin(s3, f"composite-{algorithm}", ChecksumAlgorithm=algorithm)
    member = f"Checksum{algorithm}"
    parts = [send(s3, upload, n, piece, ChecksumAlgorithm=algorithm) for n, piece in ((1, PIECES[0]), (2, b"end"))]
    done = complete(s3, upload, parts)
    assert done["ChecksumType"] == "COMPOSITE"
    if algorithm.startswith("SHA"):
        raw = b"".join(base64.b64decode(part[member]) for part in parts)
        assert done[member] == base64.b64encode(hashlib.new(algorithm, raw).digest()).decode() + "-2"
    attributes = s3.get_object_attributes(
        Bucket=BUCKET, Key=upload["Key"], ObjectAttributes=["Checksum", "ObjectParts", "ETag"]
    )
    assert attributes["Checksum"] == {member: done[member].removesuffix("-2"), "ChecksumType": "COMPOSITE"}  # as AWS
    part = s3.head_object(Bucket=BUCKET, Key=upload["Key"], PartNumber=2, ChecksumMode="ENABLED")
    assert part[member] == parts[1][member]
    assert [part[member] for part in attributes["ObjectParts"]["Parts"]] == [part[member] for part in parts]
    assert s3.get_object(Bucket=BUCKET, Key=upload["Key"])["Body"].read() == PIECES[0] + b"end"


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_full_checksum_is_that_of_all_bytes(s3: Any, algorithm: str) -> None:
    member = f"Checksum{algorithm}"
    body = PIECES[0] + b"end"
    single = s3.put_object(Bucket=BUCKET, Key="single", Body=body, ChecksumAlgorithm=algorithm)[member]
    upload = begin(s3, "full", ChecksumAlgorithm=algorithm, ChecksumType="FULL_OBJECT")
    parts = [send(s3, upload, n, piece, ChecksumAlgorithm=algorithm) for n, piece in ((1, PIECES[0]), (2, b"end"))]
    wrong = {member: base64.b64encode(bytes(len(base64.b64decode(single)))).decode(), "ChecksumType": "FULL_OBJECT"}
    assert refusal(complete, s3=s3, upload=upload, parts=parts, **wrong) == "BadDigest"
    other = {"ChecksumSHA256": base64.b64encode(hashlib.sha256(body).digest()).decode(), "ChecksumType": "FULL_OBJECT"}
    assert refusal(complete, s3=s3, upload=upload, parts=parts, **other) == "BadDigest"
    if algorithm != "CRC64NVME":  # whose own kind is the full object
        assert refusal(complete, s3=s3, upload=upload, parts=parts, **{member: single}) == "BadDigest"
    done = complete(s3, upload, parts, **{member: single, "ChecksumType": "FULL_OBJECT"})
    part = s3.head_object(Bucket=BUCKET, Key="full", PartNumber=2, ChecksumMode="ENABLED")
    assert member not in part
    assert (done[member], done["ChecksumType"]) == (single, "FULL_OBJECT")
    if algorithm == "CRC32":
        assert single == base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def test_what_does_not_fit_is_refused_and_the_upload_goes_on(s3: Any) -> None:
    upload = begin(s3, "refused")
    one, two = send(s3, upload, 1, b"small"), send(s3, upload, 2, b"last")
    for parts, code in (
        ([two, one], "InvalidPartOrder"),
        ([one, one], "InvalidPartOrder"),
        ([one, two], "EntityTooSmall"),
        ([one, {**two, "ETag": one["ETag"]}], "InvalidPart"),
        ([one, {**two, "PartNumber": 3}], "InvalidPart"),
        ([{**two, "ChecksumCRC32": "AAAAAA=="}], "InvalidPart"),  # the upload has no algorithm
        ([], "MalformedXML"),
    ):
        assert refusal(complete, s3=s3, upload=upload, parts=parts) == code
    assert refusal(s3.upload_part, **upload, PartNumber=10_001, Body=b"") == "InvalidArgument"
    assert refusal(s3.upload_part, **{**upload, "UploadId": "none"}, PartNumber=1, Body=b"") == "NoSuchUpload"
    assert complete(s3, upload, [two])["ETag"].endswith('-1"')


def test_a_part_that_is_sent_again_replaces_the_first(s3: Any) -> None:
    upload = begin(s3, "resent")
    send(s3, upload, 1, b"first")
    complete(s3, upload, [send(s3, upload, 1, b"second")])
    assert s3.get_object(Bucket=BUCKET, Key="resent")["Body"].read() == b"second"


def test_parts_can_be_copied(s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key="source", Body=WHOLE)
    upload = begin(s3, "copied")
    source = {"Bucket": BUCKET, "Key": "source"}
    first = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source, CopySourceRange=f"bytes=0-{5 * 2**20 - 1}")
    second = s3.upload_part_copy(
        **upload, PartNumber=2, CopySource=source, CopySourceRange=f"bytes={5 * 2**20}-{len(WHOLE) - 1}"
    )
    beyond = {"PartNumber": 3, "CopySource": source, "CopySourceRange": f"bytes=0-{len(WHOLE)}"}
    assert refusal(s3.upload_part_copy, **upload, **beyond) == "InvalidArgument"
    etags = [answer["CopyPartResult"]["ETag"] for answer in (first, second)]
    complete(s3, upload, [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)])
    assert s3.get_object(Bucket=BUCKET, Key="copied")["Body"].read() == WHOLE


def test_uploads_are_listed_until_they_end(s3: Any) -> None:
    s3.create_bucket(Bucket="uploads")
    ids: dict[str, list[str]] = {}
    for key in ("a/1", "a/2", "b", "b", "c"):
        answer = s3.create_multipart_upload(Bucket="uploads", Key=key)
        ids.setdefault(key, []).append(answer["UploadId"])

    def listed(**parameters: Any) -> list[tuple[str, str]]:
        pages = s3.get_paginator("list_multipart_uploads").paginate(Bucket="uploads", **parameters)
        return [(upload["Key"], upload["UploadId"]) for page in pages for upload in page.get("Uploads", [])]

    everything = [(key, id_) for key in ("a/1", "a/2", "b", "c") for id_ in ids[key]]
    assert listed() == everything
    for size in (1, 2, 3):
        assert listed(PaginationConfig={"PageSize": size}) == everything
    assert listed(Prefix="a/") == everything[:2]
    grouped = s3.list_multipart_uploads(Bucket="uploads", Delimiter="/")
    assert [prefix["Prefix"] for prefix in grouped["CommonPrefixes"]] == ["a/"]
    assert [upload["Key"] for upload in grouped["Uploads"]] == ["b", "b", "c"]
    for key, id_ in everything:
        s3.abort_multipart_upload(Bucket="uploads", Key=key, UploadId=id_)
    assert listed() == []
    assert refusal(s3.abort_multipart_upload, Bucket="uploads", Key="c", UploadId=ids["c"][0]) == "NoSuchUpload"


def test_the_transfer_manager_uploads_in_parts_and_downloads_in_ranges(s3: Any) -> None:
    config = TransferConfig(multipart_threshold=5 * 2**20, multipart_chunksize=5 * 2**20)
    s3.upload_fileobj(io.BytesIO(WHOLE), BUCKET, "managed", Config=config)
    assert s3.head_object(Bucket=BUCKET, Key="managed")["ETag"].endswith('-3"')
    back = io.BytesIO()
    s3.download_fileobj(BUCKET, "managed", back, Config=config)
    assert back.getvalue() == WHOLE


def test_completing_can_be_conditional(s3: Any) -> None:
    """On AWS, the condition is that nobody has written the key since the upload began, too."""
    place = {"Bucket": BUCKET, "Key": "there"}
    etag = s3.put_object(**place, Body=b"")["ETag"]

    def begun() -> tuple[dict[str, str], list[dict[str, Any]]]:
        upload = begin(s3, "there")
        return upload, [send(s3, upload, 1, b"one")]

    upload, parts = begun()
    assert refusal(complete, s3=s3, upload=upload, parts=parts, IfNoneMatch="*") == "PreconditionFailed"
    assert refusal(complete, s3=s3, upload=upload, parts=parts, IfMatch='"other"') == "PreconditionFailed"
    s3.put_object(**place, Body=b"")
    assert refusal(complete, s3=s3, upload=upload, parts=parts, IfMatch=etag) == "ConditionalRequestConflict"
    upload, parts = begun()
    s3.delete_object(**place)
    assert refusal(complete, s3=s3, upload=upload, parts=parts, IfNoneMatch="*") == "ConditionalRequestConflict"
    upload, parts = begun()
    complete(s3, upload, parts, IfNoneMatch="*")
    assert s3.get_object(**place)["Body"].read() == b"one"


def test_who_aborts_all_uploads_page_by_page_misses_none(s3: Any) -> None:
    """The last upload of a page, which is the next page's marker, is gone by then."""
    s3.create_bucket(Bucket="aborted")
    for key in ("a", "a", "a", "b"):
        s3.create_multipart_upload(Bucket="aborted", Key=key)
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket="aborted", PaginationConfig={"PageSize": 1}):
        for upload in page["Uploads"]:
            s3.abort_multipart_upload(Bucket="aborted", Key=upload["Key"], UploadId=upload["UploadId"])
    assert "Uploads" not in s3.list_multipart_uploads(Bucket="aborted")
    bad = {"KeyMarker": "a", "UploadIdMarker": "none"}
    assert refusal(s3.list_multipart_uploads, Bucket="aborted", **bad) == "InvalidArgument"
