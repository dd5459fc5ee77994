"""The stack under test, as its tests see it: names, boto3 clients, SQL. It is on AWS, or on the laptop's endpoint."""

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from clicklake import pipeline, query
from clicklake.pipeline import Names
from clicklake.target import Target, choose


@dataclass(frozen=True)
class Lake:
    environment: str
    bucket: str

    @staticmethod
    def read(file: Path) -> "Lake":
        return Lake(**json.loads(file.read_text()))

    def write(self, file: Path) -> None:
        file.write_text(json.dumps({"environment": self.environment, "bucket": self.bucket}))

    @cached_property
    def names(self) -> Names:
        return pipeline.load().names(self.environment)

    @cached_property
    def target(self) -> Target:
        return choose()

    @property
    def on_aws(self) -> bool:
        return self.target.endpoint_url is None

    @property
    def seconds(self) -> float:
        """How long a delivery may take, a cold start included."""
        return 300 if self.on_aws else 60

    def client(self, service: str) -> Any:
        return self.target.client(service)

    def sql(self, statement: str) -> list[tuple[str | None, ...]]:
        return query.run(self.target, statement, self.names.workgroup, self.names.database).rows

    def keys(self, prefix: str) -> list[str]:
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def body(self, key: str) -> bytes:
        body: bytes = self.client("s3").get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def ledger(self) -> list[dict[str, Any]]:
        """Its rows, read as plain objects: waiting costs no query."""
        return [
            json.loads(line) for key in self.keys("ledger/") for line in gzip.decompress(self.body(key)).splitlines()
        ]

    def invoke(self, key: str) -> dict[str, Any]:
        """The function's answer to S3's event about a key, and whether it failed."""
        record = {"s3": {"bucket": {"name": self.bucket}, "object": {"key": key}}}
        payload = json.dumps({"Records": [record]})
        answer = self.client("lambda").invoke(FunctionName=self.names.function, Payload=payload)
        return {"failed": "FunctionError" in answer, **json.load(answer["Payload"])}
