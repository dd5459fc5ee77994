"""Broken requests for a running endpoint: none may be answered with a 500, hang, or leave anything behind.

Two kinds, drawn by a seed. The torn ones are real signed requests whose bytes were damaged on the way: heads, lengths,
chunks, ends. The odd ones are whole and rightly signed, so they reach the services: operations of botocore's own models
with values that fit their types, nearly or not at all.

    python tests/fuzz_wire.py [REQUESTS [SEED]]     on an endpoint of its own; exit 1 and the requests that did it
"""

import base64
import contextlib
import random
import socket
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import botocore.loaders
import botocore.model
import botocore.serialize

from endpoint_process import EndpointProcess, running
from fuzz_values import NAME, ROLE, Values
from signing import Signer

_SECONDS = 20.0
_CHUNKED = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

# The services by botocore's names, with the names that their requests are signed for.
SERVICES = {
    "firehose": "firehose",
    "s3": "s3",
    "glue": "glue",
    "athena": "athena",
    "lambda": "lambda",
    "logs": "logs",
    "sts": "sts",
    "iam": "iam",
    "sqs": "sqs",
    "sns": "sns",
    "ssm": "ssm",
    "kms": "kms",
    "cloudwatch": "monitoring",
    "events": "events",
}
# The data plane, which moto has no part in, comes twice as often.
_OURS = ("firehose", "s3", "glue", "athena", "lambda", "logs", "cloudwatch", "sts")
# What waits because it was asked to, or makes so much that the run would be about that.
_LEFT_OUT = {"SelectObjectContent", "InvokeWithResponseStream", "StartLiveTail", "GetObjectTorrent"}

_TORN = [b"", b"\x00", b"\xff", b"\r\n", b"\n", b" ", b":", b"9" * 400, b"%", b"a" * 70_000, b"HTTP/1.1", b"\r\nTransfer-Encoding: chunked", b"\r\nContent-Length: 5", b"-1", b"0"]  # fmt: skip


@dataclass(frozen=True)
class Sent:
    """A request on the wire, and what it was meant to be."""

    what: str
    data: bytes


@dataclass
class Report:
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[Sent, str]] = field(default_factory=list)


class Fuzzer:
    def __init__(self, endpoint: EndpointProcess, seed: int) -> None:
        self._endpoint = endpoint
        self._chance = random.Random(seed)
        keys = endpoint.keys()
        self._credentials = botocore.credentials.Credentials(keys["aws_access_key_id"], keys["aws_secret_access_key"])
        self._models = {name: _model(name) for name in SERVICES}
        self._values = Values(self._chance)
        self._refused: set[str] = set()
        self.report = Report()

    def run(self, requests: int) -> Report:
        for number in range(requests):
            if number % 500 == 0:
                self._furnish()
            sent = self._odd()
            if self._chance.random() < 0.2:
                sent = self._torn(sent)
            said = self._send(sent)
            self.report.answers[said] += 1
            if said == "501" and not sent.what.startswith("torn"):
                self._refused.add(sent.what.partition(" ")[0])
            if said in {"500", "hang"}:
                self.report.wrong.append((sent, said))
        return self.report

    def _furnish(self) -> None:
        """What the requests are about; some of them delete it."""
        client = self._endpoint.client
        partitions = [{"Name": "day", "Type": "string"}]
        destination = {"BucketARN": f"arn:aws:s3:::{NAME}", "RoleARN": ROLE}
        makes: tuple[Callable[[], Any], ...] = (
            lambda: client("s3").create_bucket(Bucket=NAME),
            lambda: client("s3").put_object(Bucket=NAME, Key="x", Body=b"body"),
            lambda: client("glue").create_database(DatabaseInput={"Name": NAME}),
            lambda: client("glue").create_table(
                DatabaseName=NAME, TableInput={"Name": NAME, "PartitionKeys": partitions}
            ),
            lambda: client("firehose").create_delivery_stream(
                DeliveryStreamName=NAME, ExtendedS3DestinationConfiguration=destination
            ),
            lambda: client("sqs").create_queue(QueueName=NAME),
            lambda: client("sns").create_topic(Name="fuzz"),
            lambda: client("logs").create_log_group(logGroupName="fuzz"),
        )
        for make in makes:
            with contextlib.suppress(botocore.exceptions.ClientError):
                make()

    def _odd(self) -> Sent:
        while True:
            name = self._chance.choice((*SERVICES, *_OURS))
            model = self._models[name]
            operation = model.operation_model(self._chance.choice(model.operation_names))
            is_refused = f"{name}.{operation.name}" in self._refused
            if operation.name in _LEFT_OUT or (is_refused and self._chance.random() < 0.95):
                continue
            # A value of the wrong type may have no form on the wire.
            with contextlib.suppress(Exception):
                return self._signed(name, operation)

    def _signed(self, name: str, operation: botocore.model.OperationModel) -> Sent:
        shape = operation.input_shape
        parameters = self._values.of(shape)
        protocol = operation.service_model.metadata["protocol"]
        made = botocore.serialize.create_serializer(protocol, False).serialize_to_request(parameters, operation)
        query = urlencode(made["query_string"], doseq=True) if made["query_string"] else ""
        path = made["url_path"] + (("&" if "?" in made["url_path"] else "?") + query if query else "")
        body = made["body"] if isinstance(made["body"], bytes | str) else urlencode(made["body"])
        data = body.encode() if isinstance(body, str) else body
        if self._chance.random() < 0.1:
            data = self._damaged(data)
        headers = {key: str(value) for key, value in made["headers"].items()}
        word = None
        if operation.name in {"PutObject", "UploadPart"} and self._chance.random() < 0.5:
            word, data = _CHUNKED, self._damaged(_framed(data))
            headers |= {"Content-Encoding": "aws-chunked", "X-Amz-Trailer": "x-amz-checksum-crc32"}
            headers["X-Amz-Decoded-Content-Length"] = self._chance.choice(["1", "0", "", "x", "9" * 30])
        if protocol == "query":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = botocore.awsrequest.AWSRequest(made["method"], self._endpoint.url + path, headers, data)
        signer = (Signer if name == "s3" else botocore.auth.SigV4Auth)(self._credentials, SERVICES[name], "us-east-1")
        signer.word = word
        signer.add_auth(request)
        prepared = request.prepare()
        lines = [f"{made['method']} {prepared.url.removeprefix(self._endpoint.url)} HTTP/1.1"]
        lines += [f"Host: 127.0.0.1:{self._endpoint.port}", "Connection: close"]
        for key, value in prepared.headers.items():
            lines.append(f"{key}: {value.decode('latin-1') if isinstance(value, bytes) else value}")
        if "content-length" not in {key.lower() for key in prepared.headers}:
            lines.append(f"Content-Length: {len(data)}")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return Sent(f"{name}.{operation.name} {parameters!r:.300}", head + data)

    def _torn(self, sent: Sent) -> Sent:
        return Sent(f"torn {sent.what}", self._damaged(sent.data))

    def _damaged(self, data: bytes) -> bytes:
        """One to three places of it cut, replaced or repeated; mostly near its beginning, where the head is."""
        for _ in range(self._chance.randint(1, 3)):
            start = (
                self._chance.randint(0, min(len(data), 600))
                if self._chance.random() < 0.8
                else self._chance.randint(0, len(data))
            )
            end = min(len(data), start + self._chance.choice((0, 1, 4, 40)))
            data = data[:start] + self._chance.choice((*_TORN, data[start:end] * 2)) + data[end:]
        return data[: self._chance.randint(0, len(data))] if self._chance.random() < 0.2 else data

    def _send(self, sent: Sent) -> str:
        """The status; "closed" without one. What is incomplete is ended by us, as a client that goes away."""
        with socket.create_connection(("127.0.0.1", self._endpoint.port), timeout=_SECONDS) as client:
            try:
                client.sendall(sent.data)
                if sent.what.startswith("torn"):
                    client.shutdown(socket.SHUT_WR)
                said = client.recv(64)
            except TimeoutError:
                return "hang"
            except OSError:
                return "closed"
            parts = said.split(b" ", 2)
            return parts[1].decode("latin-1") if said.startswith(b"HTTP/") and len(parts) > 1 else "closed"


def _framed(data: bytes) -> bytes:
    """As SDKs send it by default, in one chunk."""
    checksum = base64.b64encode(zlib.crc32(data).to_bytes(4, "big"))
    chunk = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
    return chunk + b"0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % checksum


def _model(name: str) -> botocore.model.ServiceModel:
    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model(name, "service-2"), name)


@dataclass(frozen=True)
class Footprint:
    """What a leak would show in, of the endpoint's own process (proc(5))."""

    threads: int
    files: int
    megabytes: int

    @classmethod
    def of(cls, pid: int) -> "Footprint":
        lines = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
        )
        files = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return cls(int(lines["Threads"]), files, int(lines["VmRSS"].split()[0]) // 1024)


def tracebacks(log: str) -> Iterator[str]:
    """Each to the first line behind it that is none of its own."""
    for part in log.split("Traceback (most recent call last):\n")[1:]:
        lines = part.split("\n")
        end = next((n for n, line in enumerate(lines) if not line.startswith(" ")), len(lines) - 1)
        yield "\n".join(lines[: end + 1])


def main(arguments: list[str]) -> int:
    requests, seed = (*map(int, arguments), *(10_000, 1)[len(arguments) :])
    with tempfile.TemporaryDirectory() as folder:
        for endpoint in running(Path(folder) / "data", "--bare"):
            fuzzer = Fuzzer(endpoint, seed)
            fuzzer.run(requests // 10)
            assert endpoint.process is not None
            before = Footprint.of(endpoint.process.pid)
            report = fuzzer.run(requests - requests // 10)
            after = Footprint.of(endpoint.process.pid)
            broken = list(tracebacks(endpoint.log.read_text()))
            is_there = bool(endpoint.client("sts").get_caller_identity()["Arn"])
    print(dict(report.answers.most_common()), before, after, f"{len(broken)} tracebacks")  # noqa: T201
    for sent, said in report.wrong[:40]:
        print(said, sent.what)  # noqa: T201
    for text in sorted(set(broken))[:20]:
        print("---", text)  # noqa: T201
    return 0 if is_there and not report.wrong and not broken else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
