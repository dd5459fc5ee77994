"""A delivery stream goes on, whatever its destination or its folder does to it."""

import asyncio
import contextlib
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from localaws.errors import AwsError
from localaws.firehose.courier import Destination, PutObject
from localaws.firehose.delivery import Delivery, Surroundings
from localaws.firehose.log import frame

DESTINATION = Destination(1, "bucket", "raw/", 1, 0, False, "", "UTC", b"")


class Bucket:
    """Takes objects, but first fails as often as there are errors in `failures`."""

    def __init__(self, *failures: Exception) -> None:
        self.objects: list[bytes] = []
        self._failures = list(failures)

    def put(self, _bucket: str, _key: str, data: bytes) -> None:
        if self._failures:
            raise self._failures.pop()
        self.objects.append(data)


def surroundings(put_object: PutObject) -> Surroundings:
    numbers, committing = count(), ThreadPoolExecutor(1)
    return Surroundings(put_object, lambda *_: None, lambda: 0.0, lambda: f"id-{next(numbers)}", 2**30, committing)


def delivered(folder: Path, bucket: Bucket, destination: Destination, act: Callable[[Delivery], None]) -> None:
    """A stream that gets two records, one before `act` and one after."""

    async def run() -> None:
        delivery = Delivery("s", destination, (), folder, surroundings(bucket.put))
        delivery.start()
        await delivery.put([b"first"], 5)
        act(delivery)
        await delivery.put([b"second"], 6)
        assert await delivery.drain(5)
        await delivery.stop()

    asyncio.run(run())


@pytest.mark.parametrize("failure", [sqlite3.OperationalError("disk is full"), OSError(28, "full"), KeyError("bug")])
def test_what_was_acknowledged_is_delivered_after_any_failure(tmp_path: Path, failure: Exception) -> None:
    bucket = Bucket(failure)
    delivered(tmp_path / "s", bucket, DESTINATION, lambda _: None)
    assert b"".join(bucket.objects) == b"firstsecond"
    assert not list((tmp_path / "s").iterdir())


def test_a_failure_that_can_not_be_told_stops_no_stream(tmp_path: Path) -> None:
    bucket = Bucket(OSError(5, "away"))

    def report(*_: object) -> None:
        raise sqlite3.OperationalError("disk is full")

    async def run() -> None:
        delivery = Delivery("s", DESTINATION, (), tmp_path / "s", replace(surroundings(bucket.put), report=report))
        delivery.start()
        await delivery.put([b"record"], 6)
        assert await delivery.drain(5)
        await delivery.stop()

    asyncio.run(run())
    assert bucket.objects == [b"record"]


def test_a_segment_that_somebody_deletes_does_not_stop_the_stream(tmp_path: Path) -> None:
    folder, buffering = tmp_path / "s", Destination(1, "bucket", "raw/", 2**20, 900, False, "", "UTC", b"")

    def delete(_: Delivery) -> None:
        for file in folder.iterdir():
            file.unlink()

    delivered(folder, Bucket(), buffering, delete)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x05\x00", b"\x05\x00\x00\x00????hello", b"\xff" * 40, bytes(16)],
    ids=["none", "head", "crc", "junk", "zeros"],
)
def test_a_torn_segment_is_delivered_up_to_the_tear_and_kept(tmp_path: Path, damage: bytes) -> None:
    folder, bucket = tmp_path / "s", Bucket()
    folder.mkdir()
    left = folder / "1000-left.log"
    left.write_bytes(frame(b"whole") + damage)
    delivered(folder, bucket, DESTINATION, lambda _: None)
    assert b"".join(bucket.objects) == b"wholefirstsecond"
    assert [file.name for file in folder.iterdir()] == (["1000-left.torn"] if damage else [])


def test_a_damaged_frame_costs_itself_alone(tmp_path: Path) -> None:
    folder, bucket = tmp_path / "s", Bucket()
    folder.mkdir()
    left = folder / "1000-left.log"
    left.write_bytes(frame(b"whole") + frame(b"damaged").replace(b"dam", b"xxx") + frame(b"behind it"))
    delivered(folder, bucket, DESTINATION, lambda _: None)
    assert b"".join(bucket.objects) == b"wholebehind itfirstsecond"
    assert [file.name for file in folder.iterdir()] == ["1000-left.torn"]


def test_records_without_bytes_are_taken_and_leave_nothing(tmp_path: Path) -> None:
    bucket = Bucket()

    async def run() -> None:
        delivery = Delivery("s", DESTINATION, (), tmp_path / "s", surroundings(bucket.put))
        delivery.start()
        await delivery.put([b"", b""], 0)
        assert await delivery.drain(5)
        await delivery.stop()

    asyncio.run(run())
    assert bucket.objects == []


def test_while_the_bucket_is_away_the_open_segment_grows_on(tmp_path: Path) -> None:
    """Nobody wants thousands of small objects when it is back."""
    bucket = Bucket()
    away = [True]

    def put(bucket_name: str, key: str, data: bytes) -> None:
        if away:
            raise OSError(5, "away")
        bucket.put(bucket_name, key, data)

    async def run() -> None:
        delivery = Delivery("s", replace(DESTINATION, size=2**20), (), tmp_path / "s", surroundings(put))
        delivery.start()
        for number in range(30):
            await delivery.put([b"%02d" % number], 2)
            await asyncio.sleep(0.01)
        away.clear()
        assert await delivery.drain(5)
        await delivery.stop()

    asyncio.run(run())
    assert b"".join(bucket.objects) == b"".join(b"%02d" % number for number in range(30))
    assert len(bucket.objects) == 2


def test_to_stop_is_to_wait_for_the_object_that_is_being_put(tmp_path: Path) -> None:
    """S3 is closed afterwards."""
    began, goes_on, done = threading.Event(), threading.Event(), threading.Event()

    def put(_bucket: str, _key: str, _data: bytes) -> None:
        began.set()
        goes_on.wait(5)
        done.set()

    async def run() -> None:
        delivery = Delivery("s", DESTINATION, (), tmp_path / "s", surroundings(put))
        delivery.start()
        await delivery.put([b"record"], 6)
        await asyncio.to_thread(began.wait, 5)
        asyncio.get_running_loop().call_later(0.05, goes_on.set)
        await delivery.stop()
        assert done.is_set()

    asyncio.run(run())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("needs to mount a tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_refuses_records_and_loses_none_that_it_took(small_disk: Path) -> None:
    """The bucket is on the same disk, so delivery fails too until there is room."""
    objects = small_disk / "objects"
    objects.mkdir()

    def put(_bucket: str, key: str, data: bytes) -> None:
        (objects / key.replace("/", "_")).write_bytes(data)

    async def run() -> list[bytes]:
        delivery = Delivery("s", DESTINATION, (), small_disk / "s", surroundings(put))
        delivery.start()
        taken: list[bytes] = []
        (small_disk / "filler").write_bytes(bytes(150 * 1024))
        for number in range(40):
            record = b"%03d" % number * 1000
            with contextlib.suppress(AwsError):
                taken += [record] * await delivery.put([record], len(record))
        assert 0 < len(taken) < 40
        (small_disk / "filler").unlink()
        assert await delivery.drain(20)
        await delivery.stop()
        return taken

    taken = asyncio.run(run())
    assert sorted(b"".join(file.read_bytes() for file in sorted(objects.iterdir()))) == sorted(b"".join(taken))
