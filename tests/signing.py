"""S3 requests signed by botocore's own signer, at another time or with another word for the body if a test wants it."""

import datetime
import http.client
from dataclasses import dataclass
from typing import Any

import botocore.auth
import botocore.awsrequest
import botocore.credentials

from endpoint_process import EndpointProcess


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes


class Signer(botocore.auth.S3SigV4Auth):  # type: ignore[misc]
    """botocore's, with the word of x-amz-content-sha256 to choose."""

    word: str | None = None

    def payload(self, request: Any) -> Any:
        return self.word or super().payload(request)


def s3_signer(endpoint: EndpointProcess, word: str | None = None) -> Signer:
    keys = endpoint.keys()
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    signer = Signer(credentials, "s3", "us-east-1")
    signer.word = word
    return signer


def signed(
    endpoint: EndpointProcess,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    age: float = 0,
    word: str | None = None,
    headers: dict[str, str] | None = None,
) -> Answer:
    """A request signed by botocore's own S3 signer, `age` seconds ago; `word` stands for the payload's hash."""
    request = botocore.awsrequest.AWSRequest(method, endpoint.url + path, headers or {}, body)
    signer = s3_signer(endpoint, word)
    sign_as_of(age, signer, request)
    return send(endpoint, method, path, body, dict(request.headers))


def sign_as_of(age: float, signer: Any, request: botocore.awsrequest.AWSRequest) -> None:
    """Sign it `age` seconds ago."""
    then = datetime.datetime.now(datetime.UTC).replace(tzinfo=None) - datetime.timedelta(seconds=age)
    original = botocore.auth.get_current_datetime
    botocore.auth.get_current_datetime = lambda: then
    try:
        signer.add_auth(request)
    finally:
        botocore.auth.get_current_datetime = original


def send(endpoint: EndpointProcess, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    answer = Answer(response.status, response.read())
    connection.close()
    return answer
