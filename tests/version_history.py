"""What a versioned bucket must hold after any sequence of changes: a model that is a list, and a client that makes
random changes of both until the endpoint dies."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

# The versions of a key, the newest first: (id, body), None for the body of a delete marker. An id that nobody was told
# is "".
History = list[tuple[str, bytes | None]]


def with_version(history: History, version: str, body: bytes | None) -> History:
    """After a put, or a delete marker; there is only one version "null"."""
    return [(version, body), *(entry for entry in history if version != "null" or entry[0] != "null")]


def agree(told: History, history: History) -> bool:
    return len(told) == len(history) and all(
        body == expected and version in {"", id_}
        for (id_, body), (version, expected) in zip(told, history, strict=True)
    )


def read_history(s3: Any, bucket: str, key: str) -> History:
    """As ListObjectVersions, one version a page, and GetObject tell it."""
    told: History = []
    for page in s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=key, PaginationConfig={"PageSize": 1}
    ):
        for version in page.get("Versions", []) + page.get("DeleteMarkers", []):
            id_ = version["VersionId"]
            is_marker = "DeleteMarkers" in page
            body = None if is_marker else s3.get_object(Bucket=bucket, Key=key, VersionId=id_)["Body"].read()
            assert version["IsLatest"] is (not told)
            told.append((id_, body))
    return told


@dataclass
class VersionedWriter:
    """Changes the keys of a bucket of its own, one at a time, until the endpoint dies; remembers what each may be."""

    s3: Any
    bucket: str
    dice: random.Random
    status: str = "Enabled"
    possible: dict[str, list[History]] = field(default_factory=dict)

    def prepare(self) -> None:
        self.s3.create_bucket(Bucket=self.bucket)
        self._set_status()

    def run(self, changes: int = 1_000_000) -> None:
        for _ in range(changes):
            try:
                self._change()
            except (ClientError, BotoCoreError):
                return

    def _set_status(self) -> None:
        configuration = {"Status": self.status}
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration=configuration)

    def _change(self) -> None:
        drawn = self.dice.random()
        if drawn < 0.05:
            self.status = "Suspended" if self.status == "Enabled" else "Enabled"
            self._set_status()
            return
        key = f"key/{self.dice.randrange(4)}"
        (history,) = self.possible.setdefault(key, [[]])
        if history and drawn < 0.05 + 0.1 * len(history):
            self._delete_version(key, history)
            return
        version = "" if self.status == "Enabled" else "null"
        body = None if drawn > 0.85 else self.dice.randbytes(self.dice.choice((10, 10, 300_000)))
        self.possible[key] = [history, with_version(history, version, body)]
        place = {"Bucket": self.bucket, "Key": key}
        answer = self.s3.delete_object(**place) if body is None else self.s3.put_object(**place, Body=body)
        self.possible[key] = [with_version(history, answer.get("VersionId", "null"), body)]

    def _delete_version(self, key: str, history: History) -> None:
        version = self.dice.choice(history[:2])[0]
        rest = [entry for entry in history if entry[0] != version]
        self.possible[key] = [history, rest]
        self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version)
        self.possible[key] = [rest]

    def check(self, data_dir: Path) -> None:
        """Every key has one of its possible histories, its plain file is the newest version, and no file is left over."""
        self.status = self.s3.get_bucket_versioning(Bucket=self.bucket)["Status"]
        plain = {}
        for key, possible in self.possible.items():
            told = read_history(self.s3, self.bucket, key)
            assert any(agree(told, history) for history in possible), (key, _shapes([told]), _shapes(possible))
            self.possible[key] = [told]
            if told and told[0][1] is not None:
                plain[key] = told[0][1]
        directory = data_dir / "s3" / self.bucket
        on_disk = {str(p.relative_to(directory)): p.read_bytes() for p in directory.rglob("*") if p.is_file()}
        assert on_disk == plain

    def older(self) -> int:
        """How many versions have files that are not plain."""
        return sum(body is not None for (history,) in self.possible.values() for _, body in history[1:])


def _shapes(histories: list[History]) -> list[list[tuple[str, int]]]:
    return [[(version, -1 if body is None else len(body)) for version, body in history] for history in histories]
