"""What is to be made, and where: its names, ARNs and tags."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import botocore.exceptions

from clicklake.pipeline import Buffer, Names, Pipeline
from clicklake.target import Target

# What a service says when a thing is already there.
_EXISTS = {
    "AlreadyExistsException",
    "BucketAlreadyOwnedByYou",
    "EntityAlreadyExists",
    "ParameterAlreadyExists",
    "QueueAlreadyExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
    "ResourceInUseException",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """One environment's."""

    target: Target
    pipeline: Pipeline
    names: Names
    environment: str
    buffer: Buffer
    account: str

    def client(self, service: str) -> Any:
        return self.target.client(service)

    @property
    def region(self) -> str:
        return str(self.target.session.region_name)

    @property
    def tags(self) -> dict[str, str]:
        """terraform/main.tf's default_tags, but for who made it."""
        return {"Project": "clicklake", "Environment": self.environment, "ManagedBy": "clicklake"}

    @property
    def tag_list(self) -> list[dict[str, str]]:
        """The same, in the form that most services take."""
        return [{"Key": key, "Value": value} for key, value in self.tags.items()]

    def arn(self, service: str, what: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{what}"

    def role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{role}"

    @property
    def bucket_arn(self) -> str:
        return f"arn:aws:s3:::{self.names.bucket}"

    @property
    def function_arn(self) -> str:
        return self.arn("lambda", f"function:{self.names.function}")

    @property
    def failure_queue_arn(self) -> str:
        return self.arn("sqs", self.names.failure_queue)

    @property
    def user_key_parameter(self) -> str:
        return f"/clicklake/{self.environment}/user-key"


def tls_only(actions: str, *resources: str) -> str:
    """A resource's policy that denies whoever comes without TLS; JSON."""
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": actions,
        "Resource": list(resources) if len(resources) > 1 else resources[0],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@contextmanager
def unless_there() -> Iterator[None]:
    try:
        yield
    except botocore.exceptions.ClientError as e:
        if e.response["Error"]["Code"] not in _EXISTS:
            raise
