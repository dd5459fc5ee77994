"""Firehose requests that are signed beforehand, for a plain socket: so it is the server that is measured, not boto3."""

import re
from typing import BinaryIO

import botocore.auth
import botocore.awsrequest
import botocore.credentials

_REFUSED = re.compile(rb'"FailedPutCount": ?[1-9]')


def signed(url: str, keys: dict[str, str], operation: str, body: bytes) -> bytes:
    """The whole HTTP request; its signature holds for 15 minutes."""
    headers = {
        "Host": url.removeprefix("http://"),
        "X-Amz-Target": f"Firehose_20150804.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
    }
    request = botocore.awsrequest.AWSRequest("POST", url + "/", headers, body)
    credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
    botocore.auth.SigV4Auth(credentials, "firehose", "us-east-1").add_auth(request)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return f"POST / HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def read_answer(answers: BinaryIO) -> bool:
    """Read one answer to its end; True if the connection stays open. A status other than 200, or a record that was
    refused, ends the benchmark."""
    status, headers = answers.readline(), {}
    if b" 200 " not in status:
        raise RuntimeError(f"the server answered {status!r}")
    while (line := answers.readline()) != b"\r\n":
        name, _, value = line.partition(b":")
        headers[name.lower()] = value.strip().lower()
    body = answers.read(int(headers[b"content-length"]))
    if _REFUSED.search(body):
        raise RuntimeError(f"the server refused records: {body[:200]!r}")
    return headers.get(b"connection") != b"close"
