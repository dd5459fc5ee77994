"""Power loss at any answer: what was acknowledged is on the disk by then, and not in the kernel's memory alone.

An endpoint runs under strace while one client makes one call after the other. When the first byte of an answer goes
out, nothing in the data directory may be at risk; and what is surely on the disk at the last answer must be all that a
new endpoint needs to give everything back. Mutants that leave out an fsync show that this would be noticed.
"""

import io
import json
import os
import sys
import zipfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from endpoint_process import eventually
from kept_disk import Disk, File
from traced_calls import Call, can_trace
from traced_endpoint import LINKS, Answers, Client, Traced, at_risk, restored, traced

pytestmark = pytest.mark.skipif(not can_trace(), reason="needs strace, and to be allowed to trace")

REFUSALS, MOST_ROUNDS = 25, 150  # of calls to a disk that fails; it does so later the more threads there are
BUCKET, VERSIONED = "durable", "versioned"
LARGE = os.urandom(8 * 2**20 + 1)  # more than a request's body may have in memory
PART = b"part" * 1000


def make_calls(aws: Client, answers: Answers) -> None:
    """One after the other, of every service that keeps something."""
    _control(aws, answers)
    _objects(aws("s3"), answers)
    _catalog(aws, answers)
    _records(aws("firehose"), answers)


def _control(aws: Client, answers: Answers) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    answers["CreateRole"] = aws("iam").create_role(RoleName="r", AssumeRolePolicyDocument=json.dumps(trust))
    answers["CreateQueue"] = aws("sqs").create_queue(QueueName="q")
    answers["SendMessage"] = aws("sqs").send_message(QueueUrl=answers["CreateQueue"]["QueueUrl"], MessageBody="hello")
    answers["PutParameter"] = aws("ssm").put_parameter(Name="p", Value="v", Type="SecureString")


def _objects(s3: Any, answers: Answers) -> None:
    answers["CreateBucket"] = s3.create_bucket(Bucket=BUCKET)
    answers["PutObject"] = s3.put_object(Bucket=BUCKET, Key="a/b/small", Body=b"small")
    answers["PutObject, large"] = s3.put_object(Bucket=BUCKET, Key="a/large", Body=LARGE)
    answers["CopyObject"] = s3.copy_object(Bucket=BUCKET, Key="a/copy", CopySource=f"{BUCKET}/a/b/small")
    answers["PutObject, again"] = s3.put_object(Bucket=BUCKET, Key="a/b/small", Body=b"small again")
    place = {"Bucket": BUCKET, "Key": "joined"}
    answers["CreateMultipartUpload"] = s3.create_multipart_upload(**place)
    upload = place | {"UploadId": answers["CreateMultipartUpload"]["UploadId"]}
    answers["UploadPart"] = s3.upload_part(**upload, PartNumber=1, Body=PART)
    parts = {"Parts": [{"PartNumber": 1, "ETag": answers["UploadPart"]["ETag"]}]}
    answers["CompleteMultipartUpload"] = s3.complete_multipart_upload(**upload, MultipartUpload=parts)
    s3.put_object(Bucket=BUCKET, Key="gone", Body=b"gone")
    answers["DeleteObject"] = s3.delete_object(Bucket=BUCKET, Key="gone")
    many = [f"many/{n}/{n}" for n in range(130)]
    for key in many:  # and their end are more changes than S3 leaves for later
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    listed = {"Objects": [{"Key": key} for key in many]}
    answers["DeleteObjects"] = s3.delete_objects(Bucket=BUCKET, Delete=listed)
    _versions(s3, answers)


def _versions(s3: Any, answers: Answers) -> None:
    place = {"Bucket": VERSIONED, "Key": "v/k"}
    s3.create_bucket(Bucket=VERSIONED)
    s3.put_object(**place, Body=b"null")
    configuration = {"Status": "Enabled"}
    answers["PutBucketVersioning"] = s3.put_bucket_versioning(Bucket=VERSIONED, VersioningConfiguration=configuration)
    answers["PutObject, second"] = s3.put_object(**place, Body=b"second")
    answers["PutObject, third"] = s3.put_object(**place, Body=b"third")
    answers["DeleteObject, marker"] = s3.delete_object(**place)


def _catalog(aws: Client, answers: Answers) -> None:
    glue = aws("glue")
    answers["CreateDatabase"] = glue.create_database(DatabaseInput={"Name": "d"})
    answers["CreateTable"] = glue.create_table(DatabaseName="d", TableInput={"Name": "t"})
    answers["CreateFunction"] = create_function(aws("lambda"), "f")
    answers["UpdateFunctionConfiguration"] = aws("lambda").update_function_configuration(FunctionName="f", Timeout=7)
    answers["CreateLogGroup"] = aws("logs").create_log_group(logGroupName="g")
    answers["CreateNamedQuery"] = aws("athena").create_named_query(Name="n", Database="d", QueryString="SELECT 1")


def _records(firehose: Any, answers: Answers) -> None:
    hints = {"IntervalInSeconds": 900, "SizeInMBs": 128}
    role, bucket = "arn:aws:iam::000000000000:role/r", f"arn:aws:s3:::{BUCKET}"
    destination = {"RoleARN": role, "BucketARN": bucket, "Prefix": "raw/", "BufferingHints": hints}
    answers["CreateDeliveryStream"] = firehose.create_delivery_stream(
        DeliveryStreamName="s", ExtendedS3DestinationConfiguration=destination
    )
    stream = {"DeliveryStreamName": "s"}
    which = {"CurrentDeliveryStreamVersionId": "1", "DestinationId": "destinationId-000000000001"}
    answers["UpdateDestination"] = firehose.update_destination(
        **stream, **which, ExtendedS3DestinationUpdate={"CompressionFormat": "UNCOMPRESSED"}
    )
    answers["TagDeliveryStream"] = firehose.tag_delivery_stream(**stream, Tags=[{"Key": "k", "Value": "v"}])
    answers["PutRecord"] = firehose.put_record(**stream, Record={"Data": b"one\n"})
    answers["PutRecordBatch"] = firehose.put_record_batch(**stream, Records=[{"Data": b"two\n"}, {"Data": b"three\n"}])


def create_function(functions: Any, name: str) -> dict[str, Any]:
    code = {"ZipFile": package({"pack/age.py": "def handler(event, context): ...", "pack/__init__.py": ""})}
    role = "arn:aws:iam::000000000000:role/r"
    made: dict[str, Any] = functions.create_function(
        FunctionName=name, Runtime="python3.13", Role=role, Handler="pack.age.handler", Code=code
    )
    return made


def package(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Traced:
    return traced(tmp_path_factory.mktemp("traced"), make_calls)


def test_the_trace_tells_what_is_on_the_disk(endpoint: Traced) -> None:
    """The trace is understood: followed to its end it gives every byte of every file that is really there."""
    disk = Disk(endpoint.data_dir, LINKS)
    for call in endpoint.calls:
        disk.follow(call)
    root = endpoint.data_dir
    paths = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    found = {name: path.read_bytes() for name, path in paths.items() if not name.startswith(LINKS)}
    followed = disk.live()
    assert followed.keys() == found.keys()
    assert [path for path in found if path != "state.db-shm" and found[path] != followed[path]] == []


def test_when_an_answer_goes_out_all_that_its_call_wrote_is_on_the_disk(endpoint: Traced) -> None:
    risks = {label: at_risk(disk) for label, disk in endpoint.answered()}
    assert risks == {label: {} for label in endpoint.answers}


def test_what_is_on_the_disk_stays_there_at_every_moment(endpoint: Traced) -> None:
    """Also between two fsyncs, while files get other names."""
    disk, before = Disk(endpoint.data_dir, LINKS), set[File]()
    for call in endpoint.calls:
        disk.follow(call)
        if call.ended and call.name in {"fsync", "fdatasync"}:
            now = disk.named(kept=True)
            assert not (before - now) & disk.named(kept=False), call
            before = now


def test_what_is_on_the_disk_at_the_last_answer_is_all_that_is_needed(endpoint: Traced, tmp_path: Path) -> None:
    with restored(endpoint, tmp_path / "data") as aws:
        check_everything(aws, endpoint.answers)


def check_everything(aws: Client, answers: Answers) -> None:
    assert aws("iam").get_role(RoleName="r")["Role"]["RoleId"] == answers["CreateRole"]["Role"]["RoleId"]
    messages = aws("sqs").receive_message(QueueUrl=answers["CreateQueue"]["QueueUrl"])["Messages"]
    assert [message["MessageId"] for message in messages] == [answers["SendMessage"]["MessageId"]]
    assert aws("ssm").get_parameter(Name="p", WithDecryption=True)["Parameter"]["Value"] == "v"
    s3 = aws("s3")
    objects = {"a/b/small": b"small again", "a/large": LARGE, "a/copy": b"small", "joined": PART}
    raw = eventually(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="raw/").get("Contents"))
    assert raw is not None
    objects[raw[0]["Key"]] = b"one\ntwo\nthree\n"
    assert {item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]} == objects.keys()
    assert {key: s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in objects} == objects
    versions = s3.list_object_versions(Bucket=VERSIONED)
    assert [marker["VersionId"] for marker in versions["DeleteMarkers"]] == [
        answers["DeleteObject, marker"]["VersionId"]
    ]
    ids = {
        item["VersionId"]: {"Bucket": VERSIONED, "Key": "v/k", "VersionId": item["VersionId"]}
        for item in versions["Versions"]
    }
    found = {version: s3.get_object(**place)["Body"].read() for version, place in ids.items()}
    second, third = (answers[f"PutObject, {which}"]["VersionId"] for which in ("second", "third"))
    assert found == {"null": b"null", second: b"second", third: b"third"}
    assert [table["Name"] for table in aws("glue").get_tables(DatabaseName="d")["TableList"]] == ["t"]
    invoked = aws("lambda").invoke(FunctionName="f")
    assert aws("lambda").get_function_configuration(FunctionName="f")["Timeout"] == 7
    assert [
        group["logGroupName"] for group in aws("logs").describe_log_groups(logGroupNamePrefix="g")["logGroups"]
    ] == ["g"]
    assert (invoked["Payload"].read(), "FunctionError" in invoked) == (b"null", False)
    named = aws("athena").get_named_query(NamedQueryId=answers["CreateNamedQuery"]["NamedQueryId"])
    assert named["NamedQuery"]["QueryString"] == "SELECT 1"


@pytest.mark.parametrize(
    ("left_out", "noticed", "kind"),
    [
        ("state.db-wal", "CreateTable", "bytes"),
        ("control.journal", "CreateRole", "bytes"),
        (".log", "PutRecord", "bytes"),
        ("/firehose/s", "PutRecord", "entry"),
        ("/firehose", "PutRecord", "entry"),
        ("/s3-staging", "PutObject", "entry"),
    ],
)
def test_an_fsync_that_was_left_out_would_be_noticed(endpoint: Traced, left_out: str, noticed: str, kind: str) -> None:
    def without(call: Call) -> bool:
        return call.name in {"fsync", "fdatasync"} and call.fds[0][1].endswith(left_out)

    disk = next(disk for label, disk in endpoint.answered(without) if label == noticed)
    assert kind in set().union(*at_risk(disk).values())


MUTANT = """
import sys
from localaws import durable

for name in ("sync_directory", "flush_data"):
    setattr(durable, name, lambda _: None)  # before anybody has imported it
from clicklake.__main__ import main

sys.exit(main())
"""


def test_an_endpoint_that_does_not_sync_is_found_out(tmp_path: Path) -> None:
    def make(aws: Client, answers: Answers) -> None:
        aws("s3").create_bucket(Bucket=BUCKET)
        answers["PutObject"] = aws("s3").put_object(Bucket=BUCKET, Key="k", Body=b"v")
        _records(aws("firehose"), answers)

    mutant = traced(tmp_path, make, sys.executable, "-c", MUTANT)
    risks = {label: set().union(*at_risk(disk).values()) for label, disk in mutant.answered()}
    assert risks["PutObject"] == {"entry"}
    assert risks["PutRecord"] == {"entry", "bytes"}


def test_what_was_acknowledged_while_every_third_fsync_failed_is_on_the_disk(tmp_path: Path) -> None:
    """A disk whose writes fail now and then: a call is refused, or durable. What the kernel believes to be written after
    an fsync that failed is not."""
    endpoint = traced(tmp_path, calls_of_which_some_fail, failing="60+3")
    made = {kind: {label for label in endpoint.answers if label.startswith(kind)} for kind in "krtmf"}
    assert all(len(made[kind]) > 10 for kind in "krtm"), made
    with restored(endpoint, tmp_path / "restored") as aws:
        s3, url = aws("s3"), aws("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        assert {s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode() for key in made["k"]} == made["k"]
        raw = [item["Key"] for item in eventually(lambda: s3.list_objects_v2(Bucket=BUCKET, Prefix="raw/"))["Contents"]]
        records = Counter(
            b"".join(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in raw).decode().split()
        )
        assert made["r"] <= records.keys()
        assert set(records.values()) == {1}
        pages = aws("glue").get_paginator("get_tables").paginate(DatabaseName="d")
        assert {table["Name"] for page in pages for table in page["TableList"]} >= made["t"]
        depth = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert int(depth["ApproximateNumberOfMessages"]) >= len(made["m"])
        assert made["f"] <= {function["FunctionName"] for function in aws("lambda").list_functions()["Functions"]}


def calls_of_which_some_fail(aws: Client, answers: Answers) -> None:
    s3, firehose, glue, sqs = (aws(service) for service in ("s3", "firehose", "glue", "sqs"))
    s3.create_bucket(Bucket=BUCKET)
    url = sqs.create_queue(QueueName="q")["QueueUrl"]
    glue.create_database(DatabaseInput={"Name": "d"})
    _records(firehose, {})
    refused = 0
    for n in range(MOST_ROUNDS):
        calls: dict[str, Callable[[str], dict[str, Any]]] = {
            f"k{n}": lambda label: s3.put_object(Bucket=BUCKET, Key=label, Body=label.encode()),
            f"r{n}": lambda label: firehose.put_record(DeliveryStreamName="s", Record={"Data": f"{label}\n".encode()}),
            f"t{n}": lambda label: glue.create_table(DatabaseName="d", TableInput={"Name": label}),
            f"m{n}": lambda label: sqs.send_message(QueueUrl=url, MessageBody=label),
        }
        if n % 10 == 0:
            calls[f"f{n}"] = lambda label: create_function(aws("lambda"), label)
        for label, call in calls.items():
            try:
                answers[label] = call(label)
            except ClientError:
                refused += 1
        if refused >= REFUSALS:
            return
    pytest.fail(f"only {refused} calls were refused")
