"""Versions of objects through boto3: what is kept, read, listed and deleted."""

import json
import random
import threading
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import EndpointProcess, eventually
from version_history import VersionedWriter

BUCKET = "versions"
Client = Callable[..., Any]


@pytest.fixture(scope="module")
def s3(aws: Client) -> Any:
    client = aws("s3")
    client.create_bucket(Bucket=BUCKET)
    set_status(client, "Enabled")
    return client


def set_status(s3: Any, status: str, bucket: str = BUCKET) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


@pytest.fixture
def suspended(s3: Any, request: pytest.FixtureRequest) -> str:
    """A bucket of its own whose versioning is suspended, with "id" under an id and "null" from before."""
    bucket: str = request.node.name.replace("_", "-")[:50]
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="null", Body=b"before")
    set_status(s3, "Enabled", bucket)
    s3.put_object(Bucket=bucket, Key="id", Body=b"versioned")
    set_status(s3, "Suspended", bucket)
    return bucket


def refusal(call: Callable[..., Any], **parameters: Any) -> Any:
    """(code, status, delete marker?) of the error that a call ends with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    response: Any = refused.value.response
    headers = response["ResponseMetadata"]["HTTPHeaders"]
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    return response["Error"]["Code"], status, headers.get("x-amz-delete-marker") == "true"


def put(s3: Any, key: str, *bodies: bytes, bucket: str = BUCKET) -> list[str]:
    """The ids of the versions, the oldest first."""
    return [s3.put_object(Bucket=bucket, Key=key, Body=body)["VersionId"] for body in bodies]


def read(s3: Any, key: str, version: str | None = None, bucket: str = BUCKET) -> bytes:
    body: bytes = s3.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))["Body"].read()
    return body


def listed(s3: Any, prefix: str = "", bucket: str = BUCKET, **more: Any) -> list[tuple[str, str, str]]:
    """(key, version, what: "latest", "old", "marker" or "old marker"), page by page, as the pages are ordered."""
    entries = []
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix, **more)
    for page in pages:
        both = [(v, "latest" if v["IsLatest"] else "old") for v in page.get("Versions", [])]
        both += [(v, "marker" if v["IsLatest"] else "old marker") for v in page.get("DeleteMarkers", [])]
        entries += sorted([(v["Key"], v["VersionId"], what) for v, what in both], key=lambda entry: entry[0].encode())
    return entries


def test_a_bucket_tells_its_status(s3: Any) -> None:
    s3.create_bucket(Bucket="status")
    assert "Status" not in s3.get_bucket_versioning(Bucket="status")
    assert "VersionId" not in s3.put_object(Bucket="status", Key="a", Body=b"")
    for status in ("Suspended", "Enabled", "Suspended"):
        set_status(s3, status, "status")
        assert s3.get_bucket_versioning(Bucket="status")["Status"] == status
    for configuration, code in (
        ({"Status": "enabled"}, "MalformedXML"),
        ({}, "IllegalVersioningConfigurationException"),
        ({"Status": "Enabled", "MFADelete": "Enabled"}, "NotImplemented"),
    ):
        assert refusal(s3.put_bucket_versioning, Bucket="status", VersioningConfiguration=configuration)[0] == code


def test_every_put_is_kept_and_the_plain_file_is_the_last(endpoint: EndpointProcess, s3: Any) -> None:
    ids = put(s3, "kept/a", b"one", b"two", b"three")
    assert all(len(id_) == 32 and id_.replace(".", "").replace("_", "").isalnum() for id_ in ids)
    assert len(set(ids)) == 3
    assert [read(s3, "kept/a", id_) for id_ in ids] == [b"one", b"two", b"three"]
    assert s3.head_object(Bucket=BUCKET, Key="kept/a")["VersionId"] == ids[2]
    assert s3.head_object(Bucket=BUCKET, Key="kept/a", VersionId=ids[0])["ContentLength"] == 3
    files = [path for path in (endpoint.data_dir / "s3" / BUCKET).rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in files if path.name == "a"] == [b"three"]
    assert [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="kept/")["Contents"]] == ["kept/a"]


def test_a_deletion_marks_and_the_marker_can_be_taken_away(s3: Any) -> None:
    (id_,) = put(s3, "marked", b"body")
    marker = s3.delete_object(Bucket=BUCKET, Key="marked")
    assert marker["DeleteMarker"] is True
    assert refusal(s3.get_object, Bucket=BUCKET, Key="marked") == ("NoSuchKey", 404, True)
    assert refusal(s3.head_object, Bucket=BUCKET, Key="marked") == ("404", 404, True)
    by_id = {"Bucket": BUCKET, "Key": "marked", "VersionId": marker["VersionId"]}
    assert refusal(s3.get_object, **by_id) == ("MethodNotAllowed", 405, True)
    assert refusal(s3.get_object_tagging, Bucket=BUCKET, Key="marked")[:2] == ("MethodNotAllowed", 405)
    assert read(s3, "marked", id_) == b"body"
    assert "Contents" not in s3.list_objects_v2(Bucket=BUCKET, Prefix="marked")
    assert listed(s3, "marked") == [("marked", id_, "old"), ("marked", marker["VersionId"], "marker")]
    assert s3.delete_object(**by_id)["DeleteMarker"] is True
    assert read(s3, "marked") == b"body"
    assert listed(s3, "marked") == [("marked", id_, "latest")]


def test_what_is_not_there_gets_a_marker_too(s3: Any) -> None:
    ids = [s3.delete_object(Bucket=BUCKET, Key="nothing/here")["VersionId"] for _ in range(2)]
    assert listed(s3, "nothing/") == [("nothing/here", ids[1], "marker"), ("nothing/here", ids[0], "old marker")]
    (id_,) = put(s3, "nothing/here", b"now")
    assert read(s3, "nothing/here") == b"now"
    s3.delete_object(Bucket=BUCKET, Key="nothing/here", VersionId=id_)
    assert refusal(s3.get_object, Bucket=BUCKET, Key="nothing/here") == ("NoSuchKey", 404, True)


def test_without_its_latest_version_a_key_is_what_it_was_before(endpoint: EndpointProcess, s3: Any) -> None:
    ids = put(s3, "back", b"one", b"two", b"three")
    place = endpoint.data_dir / "s3" / BUCKET / "back"
    for body, gone in ((b"two", ids[2]), (b"one", ids[1])):
        s3.delete_object(Bucket=BUCKET, Key="back", VersionId=gone)
        assert read(s3, "back") == place.read_bytes() == body
    (again,) = put(s3, "back", b"four")
    assert read(s3, "back", ids[0]) == b"one"
    assert listed(s3, "back") == [("back", again, "latest"), ("back", ids[0], "old")]
    for id_ in (ids[0], again):
        s3.delete_object(Bucket=BUCKET, Key="back", VersionId=id_)
    assert refusal(s3.get_object, Bucket=BUCKET, Key="back") == ("NoSuchKey", 404, False)
    assert not place.exists()


def test_versions_that_are_not_there_are_named(s3: Any) -> None:
    (id_,) = put(s3, "named", b"body")
    place = {"Bucket": BUCKET, "Key": "named"}
    s3.delete_object(**place, VersionId=id_)
    assert s3.delete_object(**place, VersionId=id_)["VersionId"] == id_  # once more does no harm
    assert refusal(s3.get_object, **place, VersionId=id_)[:2] == ("NoSuchVersion", 404)
    assert refusal(s3.get_object, **place, VersionId="null")[:2] == ("NoSuchVersion", 404)
    for bad in ("HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD", "abc", "../x"):
        assert refusal(s3.get_object, **place, VersionId=bad)[:2] == ("InvalidArgument", 400)
        assert refusal(s3.delete_object, **place, VersionId=bad)[:2] == ("InvalidArgument", 400)


def test_an_object_from_before_is_the_version_null(s3: Any) -> None:
    s3.create_bucket(Bucket="before")
    s3.put_object(Bucket="before", Key="a", Body=b"old")
    assert "VersionId" not in s3.head_object(Bucket="before", Key="a", VersionId="null")
    set_status(s3, "Enabled", "before")
    assert s3.head_object(Bucket="before", Key="a")["VersionId"] == "null"
    (id_,) = put(s3, "a", b"new", bucket="before")
    assert (read(s3, "a", "null", "before"), read(s3, "a", None, "before")) == (b"old", b"new")
    assert listed(s3, bucket="before") == [("a", id_, "latest"), ("a", "null", "old")]


def test_in_a_suspended_bucket_null_is_overwritten_and_ids_stay(s3: Any, suspended: str) -> None:
    bucket = suspended
    for body in (b"one", b"two"):
        for key in ("id", "null"):
            assert "VersionId" not in s3.put_object(Bucket=bucket, Key=key, Body=body)
    versions = listed(s3, bucket=bucket)
    assert [(key, what) for key, _, what in versions] == [("id", "latest"), ("id", "old"), ("null", "latest")]
    assert [version == "null" for _, version, _ in versions] == [True, False, True]
    assert read(s3, "id", versions[1][1], bucket) == b"versioned"
    assert read(s3, "id", "null", bucket) == read(s3, "null", None, bucket) == b"two"


def test_in_a_suspended_bucket_a_deletion_takes_null_away_and_leaves_a_null_marker(s3: Any, suspended: str) -> None:
    bucket = suspended
    for key in ("id", "null"):
        assert s3.delete_object(Bucket=bucket, Key=key)["VersionId"] == "null"
    entries = listed(s3, bucket=bucket)
    assert sorted((key, what) for key, _, what in entries) == [("id", "marker"), ("id", "old"), ("null", "marker")]
    s3.put_object(Bucket=bucket, Key="null", Body=b"again")  # replaces the marker: both are the version null
    assert [what for key, _, what in listed(s3, bucket=bucket) if key == "null"] == ["latest"]
    assert s3.delete_object(Bucket=bucket, Key="id", VersionId="null")["DeleteMarker"] is True
    assert read(s3, "id", None, bucket) == b"versioned"


def test_versions_have_tags_and_attributes_of_their_own(s3: Any) -> None:
    ids = [
        s3.put_object(Bucket=BUCKET, Key="tagged", Body=b"1" * n, Tagging=f"n={n}", Metadata={"n": str(n)})["VersionId"]
        for n in (1, 2)
    ]
    old = {"Bucket": BUCKET, "Key": "tagged", "VersionId": ids[0]}
    s3.put_object_tagging(**old, Tagging={"TagSet": [{"Key": "n", "Value": "first"}]})
    assert s3.get_object_tagging(**old)["TagSet"] == [{"Key": "n", "Value": "first"}]
    newest = s3.get_object_tagging(Bucket=BUCKET, Key="tagged")
    assert (newest["TagSet"], newest["VersionId"]) == ([{"Key": "n", "Value": "2"}], ids[1])
    s3.delete_object_tagging(**old)
    head = s3.head_object(**old)
    assert (head["Metadata"], head["VersionId"], "TagCount" in head) == ({"n": "1"}, ids[0], False)
    attributes = s3.get_object_attributes(**old, ObjectAttributes=["ObjectSize"])
    assert (attributes["ObjectSize"], attributes["VersionId"]) == (1, ids[0])


def test_a_copy_can_take_an_older_version(s3: Any) -> None:
    ids = put(s3, "source", b"old", b"new")
    source = {"Bucket": BUCKET, "Key": "source"}
    copied = s3.copy_object(Bucket=BUCKET, Key="copy", CopySource=source | {"VersionId": ids[0]})
    assert (copied["CopySourceVersionId"], read(s3, "copy", copied["VersionId"])) == (ids[0], b"old")
    restored = s3.copy_object(**source, CopySource=source | {"VersionId": ids[0]})  # onto itself: brings it back
    assert (read(s3, "source"), len(listed(s3, "source"))) == (b"old", 3)
    upload = {**source, "UploadId": s3.create_multipart_upload(**source)["UploadId"]}
    part = s3.upload_part_copy(**upload, PartNumber=1, CopySource=source | {"VersionId": ids[1]})
    assert part["CopySourceVersionId"] == ids[1]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
    done = s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    assert read(s3, "source", done["VersionId"]) == read(s3, "source") == b"new"
    assert read(s3, "source", restored["VersionId"]) == b"old"
    marker = s3.delete_object(**source)["VersionId"]
    of_a_marker = {"Bucket": BUCKET, "Key": "x", "CopySource": source | {"VersionId": marker}}
    assert refusal(s3.copy_object, **of_a_marker)[:2] == ("InvalidRequest", 400)


def test_conditions_see_the_current_version(s3: Any) -> None:
    place = {"Bucket": BUCKET, "Key": "guarded"}
    etag = s3.put_object(**place, Body=b"1", IfNoneMatch="*")["ETag"]
    s3.put_object(**place, Body=b"2", IfMatch=etag)
    assert refusal(s3.delete_object, **place, IfMatch=etag)[:2] == ("PreconditionFailed", 412)
    s3.delete_object(**place)
    assert refusal(s3.put_object, **place, Body=b"3", IfMatch=etag)[:2] == ("NoSuchKey", 404)
    s3.put_object(**place, Body=b"3", IfNoneMatch="*")  # behind a delete marker there is nothing


def test_many_versions_are_deleted_at_once(s3: Any) -> None:
    ids = put(s3, "many", b"1", b"2")
    delete = [{"Key": "many"}, {"Key": "many", "VersionId": ids[0]}, {"Key": "many", "VersionId": "abc"}]
    answer = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": delete})
    marker = answer["Deleted"][0]["DeleteMarkerVersionId"]
    assert answer["Deleted"] == [
        {"Key": "many", "DeleteMarker": True, "DeleteMarkerVersionId": marker},
        {"Key": "many", "VersionId": ids[0]},
    ]
    assert [(e["VersionId"], e["Code"]) for e in answer["Errors"]] == [("abc", "NoSuchVersion")]
    gone = s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "many", "VersionId": marker}]})
    assert gone["Deleted"][0]["DeleteMarkerVersionId"] == gone["Deleted"][0]["VersionId"] == marker
    assert read(s3, "many") == b"2"


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_pages_of_versions_add_up_to_the_whole(s3: Any, size: int) -> None:
    if size == 1:
        for key in ("pages/a", "pages/b/1", "pages/b/2", "pages/c"):
            put(s3, key, b"1", b"2", b"3")
            s3.delete_object(Bucket=BUCKET, Key=key)
    whole = s3.list_object_versions(Bucket=BUCKET, Prefix="pages/")
    count = len(whole["Versions"]), len(whole["DeleteMarkers"])
    assert count == (12, 4)
    entries = listed(s3, "pages/", PaginationConfig={"PageSize": size})
    assert sorted(entries) == sorted(listed(s3, "pages/"))
    by_key: dict[str, list[str]] = defaultdict(list)
    for version in whole["Versions"]:
        by_key[version["Key"]].append(version["VersionId"])
    for key, ids in by_key.items():  # the newest first
        assert ids == [id_ for k, id_, what in entries if k == key and what == "old"]
        assert [read(s3, key, id_) for id_ in ids] == [b"3", b"2", b"1"]
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=BUCKET, Prefix="pages/", Delimiter="/", PaginationConfig={"PageSize": size}
    )
    grouped = list(pages)
    assert [p["Prefix"] for page in grouped for p in page.get("CommonPrefixes", [])] == ["pages/b/"]
    assert sum(len(page.get("Versions", [])) + len(page.get("DeleteMarkers", [])) for page in grouped) == 8


def test_who_empties_a_bucket_page_by_page_misses_nothing(s3: Any) -> None:
    """As `terraform destroy` with force_destroy does: a page is deleted, and its last entry is the next page's marker."""
    s3.create_bucket(Bucket="emptied")
    s3.put_object(Bucket="emptied", Key="a", Body=b"null")
    set_status(s3, "Enabled", "emptied")
    for key in ("a", "b"):
        put(s3, key, b"1", b"2", b"3", bucket="emptied")
        s3.delete_object(Bucket="emptied", Key=key)
    assert refusal(s3.delete_bucket, Bucket="emptied")[:2] == ("BucketNotEmpty", 409)
    pages = s3.get_paginator("list_object_versions").paginate(Bucket="emptied", PaginationConfig={"PageSize": 2})
    for page in pages:
        found = page.get("Versions", []) + page.get("DeleteMarkers", [])
        objects = [{"Key": item["Key"], "VersionId": item["VersionId"]} for item in found]
        s3.delete_objects(Bucket="emptied", Delete={"Objects": objects})
    s3.delete_bucket(Bucket="emptied")


def test_bad_markers_are_refused(s3: Any) -> None:
    for bad in ({"VersionIdMarker": "null"}, {"KeyMarker": "a", "VersionIdMarker": "no id"}):
        assert refusal(s3.list_object_versions, Bucket=BUCKET, **bad)[:2] == ("InvalidArgument", 400)


def test_events_name_the_version(endpoint: EndpointProcess, aws: Client, s3: Any) -> None:
    sqs = aws("sqs")
    queue = sqs.create_queue(QueueName="versions")["QueueUrl"]
    events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
    target = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:versions", "Events": events}
    s3.create_bucket(Bucket="told")
    set_status(s3, "Enabled", "told")
    s3.put_bucket_notification_configuration(
        Bucket="told", NotificationConfiguration={"QueueConfigurations": [target]}, SkipDestinationValidation=True
    )
    (id_,) = put(s3, "key", b"1", bucket="told")
    marker = s3.delete_object(Bucket="told", Key="key")["VersionId"]
    s3.delete_object(Bucket="told", Key="key", VersionId=id_)
    s3.delete_object(Bucket="told", Key="key", VersionId=marker)
    told: list[Any] = []

    def receive() -> bool:
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            told.extend(json.loads(message["Body"]).get("Records", []))  # s3:TestEvent has none
        return len(told) >= 4

    assert eventually(receive)
    told.sort(key=lambda record: record["s3"]["object"]["sequencer"])
    seen = [(r["eventName"], r["s3"]["object"]["versionId"], set(r["s3"]["object"])) for r in told]
    common = {"key", "versionId", "sequencer"}
    assert seen == [
        ("ObjectCreated:Put", id_, common | {"size", "eTag"}),
        ("ObjectRemoved:DeleteMarkerCreated", marker, common | {"eTag"}),
        ("ObjectRemoved:Delete", id_, common),
        ("ObjectRemoved:Delete", marker, common),
    ]


def test_any_sequence_of_changes_leaves_what_it_must(endpoint: EndpointProcess, aws: Client) -> None:
    """Puts, delete markers, deletions of versions and changes of the status, by two clients at once."""
    writers = [VersionedWriter(aws("s3"), f"sequence-{n}", random.Random(n)) for n in range(2)]
    for writer in writers:
        writer.prepare()
    threads = [threading.Thread(target=writer.run, args=(60,)) for writer in writers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for writer in writers:
        writer.check(endpoint.data_dir)
