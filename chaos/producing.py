"""A process with a producer, to be killed. What track() has returned for is in its file, an id a line."""

import itertools
import os
import random
import time
from pathlib import Path

import clicklake
from clicklake.producer import ProducerError
from clicklake.target import of_keys

_PAUSE = 0.004  # seconds between two events, on average


def produce(number: int, seed: int, url: str, keys: tuple[str, str], spool: Path, accepted: Path) -> None:
    """Track events for ever. Their ids say which process tried them, and in which order."""
    chance = random.Random(seed + number)
    producer = clicklake.Producer(
        target=of_keys(url, *keys, "us-east-1"), spool=spool, linger=0.05, call_bytes=102_400, max_memory=204_800
    )
    file = os.open(accepted, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for count in itertools.count():
        properties = {"text": "x" * chance.randrange(600)}
        event_id = f"producer-{number:03}-{count:08}"
        event = {"event_type": "tracked", "app_id": "producer", "event_id": event_id, "properties": properties}
        try:
            producer.track(event)
        except ProducerError:  # it was not accepted, and this process tries another
            continue
        os.write(file, f"{event_id}\n".encode())
        time.sleep(chance.expovariate(1 / _PAUSE))


def finish(url: str, keys: tuple[str, str], spool: Path, seconds: float) -> bool:
    """Send what others have left; False if that is not done in time."""
    deadline = time.monotonic() + seconds
    with clicklake.Producer(target=of_keys(url, *keys, "us-east-1"), spool=spool):
        while any(path.stat().st_size > 20 for path in spool.rglob("*.spool")):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
    return True
