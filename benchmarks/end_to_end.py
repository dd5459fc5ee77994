"""HTTP in to queryable: batches of realistic events over plain sockets until the ledger accounts for every one of them.

The rate is events by the whole time, draining included. CLICKLAKE_BENCH_SECONDS sets how long it sends (default 30) and
CLICKLAKE_BENCH_RATE how many events a second. By default it sends as fast as they are taken: that is faster than they
are processed, so that much is left for the draining. The budget's ten minutes are 600 and 30000. The endpoint, its
workers and the client share the machine's cores.
"""

import base64
import gzip
import json
import os
import socket
import threading
import time
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.measure import Endpoint, Row, endpoint
from benchmarks.prepared import read_answer, signed
from clicklake.simulator.traffic import Plan, generate

SECONDS = float(os.environ.get("CLICKLAKE_BENCH_SECONDS", "30"))
RATE = float(os.environ.get("CLICKLAKE_BENCH_RATE", "inf"))
EVENTS = 100_000  # more than a buffer interval takes, so that no object has one twice
BATCH = 500
CONNECTIONS = 2
SIGNED_SECONDS = 240.0  # a signature holds for 15 minutes
STREAM, BUCKET = "clickstream-firehose-dev", "clickstream-lake-dev"


def run() -> list[Row]:
    with endpoint() as ours:
        bodies = _bodies()
        began = time.perf_counter()
        sent = _send(ours, bodies)
        sending = time.perf_counter() - began
        while _accounted(ours) < sent:
            time.sleep(0.2)
        total = time.perf_counter() - began
        memory = _peak_mib(ours.process.pid)
    measured = (
        f"{sent / total:,.0f} events/s ({sent:,} in {sending:.0f} s, all queryable {total - sending:.0f} s later)"
    )
    return [
        Row("end to end, HTTP in to queryable", measured, "", None, "30,000 events/s", "60,000 events/s"),
        Row("the endpoint's peak memory meanwhile", memory, "", None, "bounded", ""),
    ]


def _bodies() -> list[bytes]:
    """Requests made beforehand, so that making events is not measured; they are sent again and again."""
    start = datetime.now(UTC)
    records = (
        {"Data": base64.b64encode(record.data).decode()}
        for record in islice(generate(Plan(seed=1, start=start)), EVENTS)
    )
    batches = iter(lambda: list(islice(records, BATCH)), [])
    return [json.dumps({"DeliveryStreamName": STREAM, "Records": batch}).encode() for batch in batches]


def _send(ours: Endpoint, bodies: list[bytes]) -> int:
    began = time.perf_counter()
    stop = began + SECONDS
    sent = [0] * CONNECTIONS

    def run_one(number: int) -> None:
        host, _, port = ours.url.removeprefix("http://").partition(":")
        since, requests = -SIGNED_SECONDS, list[bytes]()
        with socket.create_connection((host, int(port))) as connection, connection.makefile("rb") as answers:
            while time.perf_counter() < stop:
                if time.perf_counter() - since > SIGNED_SECONDS:
                    requests = [
                        signed(ours.url, ours.keys(), "PutRecordBatch", body) for body in bodies[number::CONNECTIONS]
                    ]
                    since = time.perf_counter()
                for request in requests:
                    time.sleep(max(0.0, began + sent[number] * CONNECTIONS / RATE - time.perf_counter()))
                    connection.sendall(request)
                    read_answer(answers)
                    sent[number] += BATCH

    threads = [threading.Thread(target=run_one, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(sent)


_seen: dict[str, int] = {}


def _accounted(ours: Endpoint) -> int:
    """records_in of all ledger rows, each read once."""
    pages: Any = ours.client("s3").get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="ledger/")
    folder = ours.data_dir / "s3" / BUCKET
    for page in pages:
        for item in page.get("Contents", []):
            if item["Key"] not in _seen:
                row = json.loads(gzip.decompress((folder / item["Key"]).read_bytes()))
                _seen[item["Key"]] = row["records_in"]
    return sum(_seen.values())


def _peak_mib(pid: int) -> str:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(f"{int(line.split()[1]) / 1024:.0f} MiB" for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return "not known on this system"
