"""clicklake.Producer and `clicklake send` into the endpoint, against what one writes with boto3: 500 events a call.

Events are dicts of 600 bytes of JSON without id and time for the producer, which makes both, and lines of a file for
`send`. The plain loop gets the same, and makes the same of it, or a retry could not be told from a new event. Client
and endpoint share the machine's cores.
"""

import io
import itertools
import json
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.measure import Endpoint, Row, endpoint
from clicklake import records
from clicklake.producer import Producer
from clicklake.send import send
from clicklake.target import Target, of_keys

EVENTS = 150_000
EVENT_BYTES = 600
BATCH = 500
STREAM = "bench"
ROUNDS = 3


def run() -> list[Row]:
    with endpoint("--bare") as ours, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        _create_stream(ours)
        return list(_rows(ours, Path(folder)))


def _rows(ours: Endpoint, folder: Path) -> Iterable[Row]:
    keys = ours.keys()
    target = of_keys(ours.url, keys["aws_access_key_id"], keys["aws_secret_access_key"], "us-east-1")
    events = [_event(number) for number in range(EVENTS)]
    file = b"".join(json.dumps(event).encode() + b"\n" for event in events)
    client = ours.client("firehose")
    ways: dict[str, Callable[[], float]] = {
        "loop of events": lambda: _seconds(lambda: _loop(client, map(_line, events))),
        "track": lambda: _produce(target, events, 1, spool=False),
        "track, spool": lambda: _produce(target, events, 1, spool=folder),
        "track_many": lambda: _produce(target, events, BATCH, spool=False),
        "track_many, spool": lambda: _produce(target, events, BATCH, spool=folder),
        "loop of lines": lambda: _seconds(lambda: _loop(client, file.splitlines(keepends=True))),
        "send": lambda: _seconds(lambda: send(target, STREAM, records.read(io.BytesIO(file), "file"))),
    }
    rates: dict[str, float] = {}
    for _, (name, way) in itertools.product(range(ROUNDS), ways.items()):  # in turns: the machine is not always as fast
        rates[name] = max(rates.get(name, 0.0), EVENTS / way())
    for name, baseline, what in (
        ("track", "loop of events", "Producer.track, events of 600 B, in memory"),
        ("track, spool", "loop of events", "the same with a spool"),
        ("track_many", "loop of events", "Producer.track_many, 500 events of 600 B, in memory"),
        ("track_many, spool", "loop of events", "the same with a spool"),
        ("send", "loop of lines", "clicklake send, lines of 600 B"),
    ):
        against = f"boto3, 500 a call: {rates[baseline]:,.0f} events/s"
        yield Row(what, f"{rates[name]:,.0f} events/s", against, rates[name] / rates[baseline], "3x", "")
    billed = _billed(target, events)
    one_each = sum(-(-len(json.dumps(event)) // 5120) * 5120 for event in events)
    what = "bytes that Firehose bills, events of 600 B packed by the producer"
    against = f"one event a record: {one_each:,}"
    yield Row(what, f"{billed:,}", against, one_each / billed, "7x", "")


def _event(number: int) -> dict[str, Any]:
    event: dict[str, Any] = {"event_type": "page_view", "anonymous_id": f"visitor-{number % 999}", "value": number}
    event |= {"page_url": "https://shop.example/product/1", "properties": {"plan": "free", "text": ""}}
    event["properties"]["text"] = "x" * (EVENT_BYTES - len(json.dumps(event, separators=(",", ":"))))
    return event


def _line(event: dict[str, Any]) -> bytes:
    whole = {"event_id": str(uuid.uuid4()), "event_time": int(time.time() * 1000), **event}
    return json.dumps(whole).encode() + b"\n"


def _loop(client: Any, lines: Iterable[bytes]) -> None:
    """What one writes first: as many as a call may have, one call after the other, and what was refused once more."""
    rest = iter(lines)
    while batch := [{"Data": line} for line in itertools.islice(rest, BATCH)]:
        while batch:
            answer = client.put_record_batch(DeliveryStreamName=STREAM, Records=batch)
            if not answer["FailedPutCount"]:
                break
            batch = [r for r, e in zip(batch, answer["RequestResponses"], strict=True) if "ErrorCode" in e]


def _seconds(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _produce(target: Target, events: list[dict[str, Any]], at_once: int, spool: Path | bool) -> float:
    """Until all of it is acknowledged. The loop's client is there beforehand, so the producer is too."""
    with Producer(STREAM, target=target, spool=spool, max_block=60.0) as producer:
        return _seconds(lambda: _track(producer, events, at_once))


def _track(producer: Producer, events: list[dict[str, Any]], at_once: int) -> None:
    if at_once == 1:
        for event in events:
            producer.track(event)
    else:
        for begin in range(0, len(events), at_once):
            producer.track_many(events[begin : begin + at_once])
    if not producer.flush(60):
        raise RuntimeError("not all of it was sent")


def _billed(target: Target, events: list[dict[str, Any]]) -> int:
    with Producer(STREAM, target=target, spool=False, max_block=60.0) as producer:
        _track(producer, events, BATCH)
        return producer.counters.billed_bytes


def _create_stream(ours: Endpoint) -> None:
    ours.client("s3").create_bucket(Bucket="bench-lake")
    destination = {"RoleARN": "arn:aws:iam::000000000000:role/bench", "BucketARN": "arn:aws:s3:::bench-lake"}
    buffer = {"BufferingHints": {"SizeInMBs": 128, "IntervalInSeconds": 300}, "CompressionFormat": "GZIP"}
    ours.client("firehose").create_delivery_stream(
        DeliveryStreamName=STREAM, ExtendedS3DestinationConfiguration=destination | buffer
    )
