"""A delivery stream goes on, whatever its destination or its folder does to it."""

import asyncio
import sqlite3
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

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
    numbers = count()
    return Surroundings(put_object, lambda *_: None, lambda: 0.0, lambda: f"id-{next(numbers)}", 2**30)


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
