"""A small lake for `verify` and `replay`: raw objects whose content is known, and the commands run on it."""

import gzip
import io
import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.session
import pytest

from clicklake import pipeline
from clicklake.cli import main
from clicklake.lake import Lake, milliseconds
from clicklake.reprocess import Processor
from clicklake.target import of_keys
from clicklake.transform.keys import Place, place
from endpoint_process import EndpointProcess, eventually

ROOT = Path(__file__).parent.parent
PIPELINE = pipeline.load(pipeline.FILE)
NAMES = PIPELINE.names()
BUCKET = NAMES.bucket
GOOD, BAD = 3, 1  # events, and records that are none, of every raw object


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class ProvenLake:
    endpoint: EndpointProcess

    def s3(self) -> Any:
        return self.endpoint.client("s3")

    @property
    def lake(self) -> Lake:
        own = self.endpoint.keys()
        target = of_keys(self.endpoint.url, own["aws_access_key_id"], own["aws_secret_access_key"], "us-east-1")
        return Lake(target, PIPELINE, NAMES, BUCKET)

    def put(self, day: str, name: str, body: bytes) -> Place:
        """A raw object of this day of November 2025; without .gz in its name nothing processes it by itself."""
        key = f"raw/year=2025/month=11/day={day}/clicks-1-2025-11-{day}-10-15-00-{name}"
        self.s3().put_object(Bucket=BUCKET, Key=key, Body=body)
        return self.place(key)

    def place(self, key: str) -> Place:
        (found,) = self.s3().list_objects_v2(Bucket=BUCKET, Prefix=key)["Contents"]
        return place(key, milliseconds(found["LastModified"]), PIPELINE)

    def process(self, places: list[Place]) -> None:
        outcomes = list(Processor(self.lake.target, NAMES, BUCKET, 1).run_all(where.raw_key for where in places))
        assert {outcome.status for outcome in outcomes} <= {"processed"}

    def put_and_wait(self, day: str, name: str, body: bytes = b"") -> Place:
        """One that S3 has processed; one after the other, so that one worker does them all."""
        where = self.put(day, name, body or content(name))
        assert eventually(lambda: where.ledger in self.keys("ledger/"))
        return where

    def keys(self, prefix: str) -> list[str]:
        pages = self.s3().get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=prefix)
        return [found["Key"] for page in pages for found in page.get("Contents", [])]

    def row(self, where: Place) -> dict[str, Any]:
        row = self.lake.ledger_row(where.ledger)
        assert row is not None
        return row

    def run(self, command: str) -> Said:
        """A command line that begins with `clicklake`, in this process."""
        program, *arguments = shlex.split(command)
        assert program == "clicklake"
        out, err = io.StringIO(), io.StringIO()
        with variables(self.endpoint.environment()), redirect_stdout(out), redirect_stderr(err):
            code = main(arguments)
        return Said(code, out.getvalue(), err.getvalue())


_LOADER = botocore.loaders.create_loader()


@contextmanager
def variables(wanted: dict[str, str]) -> Iterator[None]:
    """These and no others of AWS's and ours. The descriptions of AWS's services are read once, not by every command."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.session, "create_loader", lambda _: _LOADER)
        for name in [name for name in os.environ if name.startswith(("AWS_", "CLICKLAKE_"))]:
            patch.delenv(name)
        for name, value in wanted.items():
            patch.setenv(name, value)
        yield


@contextmanager
def forbidden(lake: ProvenLake, name: str) -> Iterator[None]:
    """The function can't read raw objects of this name, and fails for good."""
    s3 = lake.s3()
    policy = json.loads(s3.get_bucket_policy(Bucket=BUCKET)["Policy"])
    objects = f"arn:aws:s3:::{BUCKET}/raw/*-{name}.*"
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": objects}
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy | {"Statement": [*policy["Statement"], deny]}))
    yield
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(policy))


def content(name: str, **fields: Any) -> bytes:
    """GOOD events whose ids begin with `name`, and BAD lines that are none."""
    events = [{"event_type": "click", "event_id": f"{name}-{n}", **fields} for n in range(GOOD)]
    return gzip.compress(b"".join(json.dumps(event).encode() + b"\n" for event in events) + b"rubbish\n" * BAD)


def console(page: str) -> list[tuple[str, str]]:
    """(command, what it prints) of every block of a page in docs/ that shows what is typed behind `$`."""
    blocks = re.findall(
        r"^```console\n\$ (.*?)\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE
    )
    assert blocks
    return blocks
