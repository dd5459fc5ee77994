"""S3's promises about its files: plain, whole, inside of their bucket, and there after a kill -9."""

import hashlib
import random
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from endpoint_process import EndpointProcess
from version_history import VersionedWriter

Client = Callable[..., Any]
BUCKET = "durable"


@pytest.fixture(scope="module")
def s3(aws: Client) -> Any:
    client = aws("s3", max_pool_connections=16)
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture
def files(endpoint: EndpointProcess) -> Path:
    return endpoint.data_dir / "s3" / BUCKET


def plain_files(directory: Path) -> dict[str, bytes]:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_an_object_is_a_plain_file_under_its_key(s3: Any, files: Path) -> None:
    key = "raw/year=2025/ü.json"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"one")
    assert (files / key).read_bytes() == b"one"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"two")
    assert (files / key).read_bytes() == b"two"
    s3.delete_object(Bucket=BUCKET, Key=key)
    assert not (files / "raw").exists()


ODD_KEYS = [
    *[
        "..",
        ".",
        "../escaped",
        "../../escaped",
        "a/../../../escaped",
        "./a",
        "a/./b",
        "/rooted",
        "//",
        "a//b",
        "trailing/",
    ],
    *[
        "\\..\\a",
        "x" * 1024,
        "s" * 255 + "/" + "t" * 256,
        "nul\0byte",
        "line\nbreak\r",
        "tab\t&<>\"'",
        "%2e%2e/a",
        "~",
        "*?[]{}",
    ],
    *[
        ".localaws",
        ".localaws/deadbeef",
        ".LocalAWS/x",
        "\U0001f600" * 100,
        "Case",
        "case",
        "e\u0301",
        "\u00e9",
        "CON",
        "a:b",
    ],
]


def test_any_key_works_and_none_leaves_its_bucket(endpoint: EndpointProcess, s3: Any, files: Path) -> None:
    s3.put_object(Bucket=BUCKET, Key="a", Body=b"a")  # beside a/b and the like
    for key in ODD_KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    for key in ODD_KEYS:
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == key.encode(), key
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert listed == sorted([*ODD_KEYS, "a"], key=str.encode)
    assert len(plain_files(files)) == len(ODD_KEYS) + 1
    assert not list(endpoint.data_dir.rglob("escaped*"))
    for key in [*ODD_KEYS, "a"]:
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert plain_files(files) == {}


segments = st.sampled_from(
    ["a", "A", "b", "", ".", "..", "...", "~", "é", "e\u0301", "\0", "\\", ".localaws", "s" * 255, "ß" * 128, "\n"]
)
keys = st.lists(segments, min_size=1, max_size=5).map("/".join).filter(lambda key: 0 < len(key.encode()) <= 1024)


@given(st.lists(keys, min_size=1, max_size=6, unique=True))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_set_of_keys_gets_in_its_own_way_or_out_of_the_bucket(
    endpoint: EndpointProcess, s3: Any, files: Path, keys: list[str]
) -> None:
    for left in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=left["Key"])
    for key in keys:
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    assert [s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys] == [key.encode() for key in keys]
    listed = [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert listed == sorted(keys, key=str.encode)
    assert sorted(plain_files(files).values()) == sorted(key.encode() for key in keys)
    assert [path.name for path in files.parent.iterdir() if path.is_file()] == []
    for key in keys:
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert plain_files(files) == {}


def test_a_key_and_keys_below_it_live_side_by_side(s3: Any, files: Path) -> None:
    for key in ("d/e", "d", "f", "f/g", "f/g/h"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=key.encode())
    assert {(files / "d/e").read_bytes(), (files / "f").read_bytes()} == {b"d/e", b"f"}
    for key in ("d/e", "d", "f", "f/g", "f/g/h"):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"again " + key.encode())
        assert s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"again " + key.encode()
        s3.delete_object(Bucket=BUCKET, Key=key)
    assert plain_files(files) == {}


def test_keys_that_are_too_long_or_no_text_are_refused(s3: Any) -> None:
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=BUCKET, Key="x" * 1025, Body=b"")
    assert refused.value.response["Error"]["Code"] == "KeyTooLongError"


def test_a_file_that_somebody_else_put_there_is_left_alone(s3: Any, files: Path) -> None:
    files.mkdir(parents=True, exist_ok=True)
    (files / "notes.txt").write_text("mine")
    s3.put_object(Bucket=BUCKET, Key="notes.txt", Body=b"the object's")
    assert s3.get_object(Bucket=BUCKET, Key="notes.txt")["Body"].read() == b"the object's"
    s3.delete_object(Bucket=BUCKET, Key="notes.txt")
    assert (files / "notes.txt").read_text() == "mine"
    (files / "notes.txt").unlink()


def test_readers_and_writers_of_one_key_see_whole_objects(s3: Any, files: Path) -> None:
    """Every answer's bytes, ETag and metadata are of one and the same put; so is what stays in the end."""
    until = time.monotonic() + 1

    def write(writer: int) -> None:
        while time.monotonic() < until:
            body = random.randbytes(random.randrange(1, 40_000))
            md5 = hashlib.md5(body).hexdigest()
            s3.put_object(Bucket=BUCKET, Key="hot", Body=body, Metadata={"md5": md5})
            if writer == 0:
                s3.delete_object(Bucket=BUCKET, Key="hot")

    def read(_: int) -> int:
        seen = 0
        while time.monotonic() < until:
            try:
                got = s3.get_object(Bucket=BUCKET, Key="hot")
            except s3.exceptions.NoSuchKey:
                continue
            md5 = hashlib.md5(got["Body"].read()).hexdigest()
            assert (got["Metadata"]["md5"], got["ETag"]) == (md5, f'"{md5}"')
            seen += 1
        return seen

    with ThreadPoolExecutor(6) as pool:
        writers, readers = pool.map(write, range(3)), pool.map(read, range(3))
        list(writers)
        assert sum(readers) > 10
    s3.put_object(Bucket=BUCKET, Key="hot", Body=b"last")
    assert (files / "hot").read_bytes() == b"last"


def test_of_many_who_create_a_key_one_succeeds(s3: Any) -> None:
    def create(n: int) -> int:
        try:
            s3.put_object(Bucket=BUCKET, Key="only", Body=str(n).encode(), IfNoneMatch="*")
        except ClientError:
            return -1
        return n

    with ThreadPoolExecutor(8) as pool:
        (winner,) = {n for n in pool.map(create, range(24)) if n >= 0}
    assert s3.get_object(Bucket=BUCKET, Key="only")["Body"].read() == str(winner).encode()


@dataclass
class Writer:
    """Changes keys of its own, one at a time, until the endpoint dies; remembers what each may be now."""

    s3: Any
    number: int
    possible: dict[str, set[bytes | None]] = field(default_factory=dict)

    def run(self) -> None:
        dice = random.Random(self.number)
        while True:
            key = f"client{self.number}/{dice.randrange(8)}"
            body = None if dice.random() < 0.3 else dice.randbytes(dice.choice((10, 100_000, 9_000_000)))
            known = self.possible.setdefault(key, {None})
            known.add(body)
            try:
                self._change(key, body)
            except (ClientError, BotoCoreError):
                return
            self.possible[key] = {body}

    def _change(self, key: str, body: bytes | None) -> None:
        place = {"Bucket": BUCKET, "Key": key}
        if body is None:
            self.s3.delete_object(**place)
        elif len(body) == 100_000:
            upload = {**place, "UploadId": self.s3.create_multipart_upload(**place)["UploadId"]}
            etag = self.s3.upload_part(**upload, PartNumber=1, Body=body)["ETag"]
            part = {"PartNumber": 1, "ETag": etag}
            self.s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [part]})
        else:
            self.s3.put_object(**place, Body=body)


def test_kill_minus_nine_loses_nothing_that_was_acknowledged(endpoint: EndpointProcess, s3: Any, files: Path) -> None:
    def client() -> Any:
        return endpoint.client("s3", retries={"total_max_attempts": 1})

    clients = [Writer(client(), n) for n in range(4)]
    versioned = [VersionedWriter(client(), f"durable-versions-{n}", random.Random()) for n in range(2)]
    for writer in versioned:
        writer.prepare()
    for _ in range(2):
        runs = [*(plain.run for plain in clients), *(writer.run for writer in versioned)]
        threads = [threading.Thread(target=run) for run in runs]
        for thread in threads:
            thread.start()
        time.sleep(random.uniform(0.2, 0.8))
        endpoint.kill()
        for thread in threads:
            thread.join()
        endpoint.start()
        listed = {item["Key"]: item for item in s3.list_objects_v2(Bucket=BUCKET, Prefix="client")["Contents"]}
        for plain in clients:
            for key, possible in plain.possible.items():
                body = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() if key in listed else None
                assert body in possible, key
                plain.possible[key] = {body}
        on_disk = plain_files(files)
        assert {name for name in on_disk if name.startswith("client")} == set(listed)
        assert all(len(on_disk[key]) == item["Size"] for key, item in listed.items())
        for writer in versioned:
            writer.check(endpoint.data_dir)
        older = sum(writer.older() for writer in versioned)
        assert len(list((endpoint.data_dir / "s3-versions").iterdir())) == older
    in_progress = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    staged = list((endpoint.data_dir / "s3-staging").iterdir())
    assert len(staged) <= len(in_progress)


def test_everything_about_a_bucket_is_there_after_a_restart(endpoint: EndpointProcess, s3: Any) -> None:
    s3.create_bucket(Bucket="restarted")
    target = {"QueueArn": "arn:aws:sqs:us-east-1:000000000000:q", "Events": ["s3:ObjectRemoved:*"], "Id": "gone"}
    s3.put_bucket_notification_configuration(
        Bucket="restarted",
        NotificationConfiguration={"QueueConfigurations": [target]},
        SkipDestinationValidation=True,
    )
    s3.put_object(Bucket="restarted", Key="k", Body=b"v", Metadata={"a": "b"}, Tagging="t=1")
    upload = s3.create_multipart_upload(Bucket="restarted", Key="m")["UploadId"]
    etag = s3.upload_part(Bucket="restarted", Key="m", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    endpoint.kill()
    endpoint.start()
    got = s3.get_object(Bucket="restarted", Key="k")
    assert (got["Body"].read(), got["Metadata"], got["TagCount"]) == (b"v", {"a": "b"}, 1)
    assert s3.get_bucket_notification_configuration(Bucket="restarted")["QueueConfigurations"] == [target]
    parts = {"Parts": [{"PartNumber": 1, "ETag": etag}]}
    s3.complete_multipart_upload(Bucket="restarted", Key="m", UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(Bucket="restarted", Key="m")["Body"].read() == b"part"


def test_a_full_disk_is_said_to_be_full_and_takes_objects_again_when_it_is_not(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("needs to mount a tmpfs")
    endpoint = EndpointProcess(disk / "data", ("--bare",))
    try:
        endpoint.start()
        s3 = endpoint.client("s3", retries={"total_max_attempts": 1})
        s3.create_bucket(Bucket=BUCKET)
        for body in (bytes(8 * 2**20), bytes(8 * 2**20 + 1)):  # staged from memory, and spooled
            with pytest.raises(ClientError) as refused:
                s3.put_object(Bucket=BUCKET, Key="k", Body=body)
            assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
            assert "full" in refused.value.response["Error"]["Message"]
        s3.put_object(Bucket=BUCKET, Key="k", Body=b"small")
        assert "Traceback" not in endpoint.log.read_text()
    finally:
        endpoint.kill()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
