"""Requests exactly as a test wants them, rightly signed, for a shared endpoint that has one of each to be asked about."""

import http.client
import json
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from endpoint_process import EndpointProcess

BUCKET = STREAM = "bad-input"
ROLE = "arn:aws:iam::000000000000:role/any"
BOMB = b"""<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]><d>&b;</d>"""


def furnish(aws: Callable[..., Any]) -> None:
    """What the bad requests are about, and moto loaded."""
    aws("s3").create_bucket(Bucket=BUCKET)
    aws("s3").put_object(Bucket=BUCKET, Key="there", Body=b"body")
    aws("glue").create_database(DatabaseInput={"Name": "bad_input"})
    keys = [{"Name": "day", "Type": "string"}]
    aws("glue").create_table(DatabaseName="bad_input", TableInput={"Name": "t", "PartitionKeys": keys})
    destination = {"BucketARN": f"arn:aws:s3:::{BUCKET}", "RoleARN": ROLE}
    aws("firehose").create_delivery_stream(DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination)
    aws("iam").list_roles()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class _S3Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
    """botocore's, with the word of x-amz-content-sha256 that the test chose."""

    word: str | None = None

    def payload(self, request: Any) -> Any:
        return self.word or super().payload(request)


@dataclass
class Sender:
    """Signed requests, exactly as given; header names in lower case."""

    endpoint: EndpointProcess
    region: str = "us-east-1"

    def __call__(
        self, service: str, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        return self.raw(method, path, body, self.signed(service, method, path, body, headers or {}))

    def signed(self, service: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        keys = self.endpoint.keys()
        credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
        signer = (_S3Signer if service == "s3" else botocore.auth.SigV4Auth)(credentials, service, self.region)
        signer.word = headers.get("x-amz-content-sha256")
        request = botocore.awsrequest.AWSRequest(method, self.endpoint.url + path, headers, body)
        signer.add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}

    def raw(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.endpoint.port, timeout=20)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        connection.close()
        return answer

    def json(self, service: str, target: str, body: bytes) -> tuple[int, str]:
        """(status, code) of an AWS JSON operation."""
        headers = {"x-amz-target": target, "content-type": "application/x-amz-json-1.1"}
        answer = self(service, "POST", "/", body, headers)
        return answer.status, str(json.loads(answer.body).get("__type"))

    def connection(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.endpoint.port), timeout=20)
