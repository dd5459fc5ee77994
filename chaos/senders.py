"""Who sends what, and what was acknowledged.

Every event has an id that nothing else has, and its number of tries is known. Some records are no events: their ids are
in them all the same, and they must be found among the failed ones.
"""

import json
import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ConnectionError, HTTPClientError  # noqa: A004

from clicklake.target import Target

_BATCH = 100
_PAUSE = 0.02  # seconds between two batches of a sender: some thousand events a second
_PAUSE_OF_ONE_REFUSED = 0.1
_MALFORMED = 0.01
_FAILURES = (ClientError, ConnectionError, HTTPClientError)
# Cut off, of no type, no object, no JSON at all.
_NO_EVENTS = ('{{"event_id": "{}", "event_type": "cut', '{{"event_id": "{}"}}', '["{}"]', "what is {}?")


@dataclass
class Sent:
    """Ids. `events` and `malformed` were sent; of both, `acknowledged` have a RecordId, and `once` are those that no
    client has sent a second time."""

    events: set[str] = field(default_factory=set)
    malformed: set[str] = field(default_factory=set)
    acknowledged: set[str] = field(default_factory=set)
    once: set[str] = field(default_factory=set)

    def __ior__(self, other: "Sent") -> "Sent":
        self.events |= other.events
        self.malformed |= other.malformed
        self.acknowledged |= other.acknowledged
        self.once |= other.once
        return self


class Sender(threading.Thread):
    """Sends batch after batch while the gate is open, until it is told to stop. With `retries` it sends each batch
    until all of it is acknowledged, else once."""

    def __init__(self, number: int, seed: int, target: Target, stream: str, *, retries: bool) -> None:
        super().__init__(name=f"sender {number}", daemon=True)
        self.sent = Sent()
        self._number = number
        self._chance = random.Random(seed + number)
        self._client = target.client("firehose", retries={"total_max_attempts": 1}, read_timeout=10)
        self._stream = stream
        self._retries = retries
        self._gate = threading.Event()
        self._turn = threading.Lock()
        self._stopping = threading.Event()
        self._count = 0

    def open(self) -> None:
        self._gate.set()

    def close(self) -> None:
        """Returns when no request is under way."""
        self._gate.clear()
        with self._turn:
            pass

    def stop(self) -> None:
        """After the batch in hand."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        while not self._stopping.is_set():
            left = self._batch()
            while left:
                with self._when_open():
                    left = self._send(left)
                pause = _PAUSE_OF_ONE_REFUSED if left else _PAUSE
                left = left if self._retries else {}
                self._stopping.wait(pause * self._chance.uniform(0.5, 1.5))

    @contextmanager
    def _when_open(self) -> Iterator[None]:
        while True:
            self._gate.wait()
            with self._turn:
                if self._gate.is_set():
                    yield
                    return

    def _batch(self) -> dict[str, bytes]:
        """Id -> record, of new ids."""
        batch = {}
        for _ in range(self._chance.randrange(1, _BATCH)):
            self._count += 1
            bad = self._chance.random() < _MALFORMED
            id_ = f"{'malformed' if bad else 'event'}-{self._number}-{self._count:08}"
            (self.sent.malformed if bad else self.sent.events).add(id_)
            if not self._retries:
                self.sent.once.add(id_)
            batch[id_] = f"{self._no_event(id_) if bad else self._event(id_)}\n".encode()
        return batch

    def _event(self, id_: str) -> str:
        properties = {"text": "x" * self._chance.randrange(200)}
        return json.dumps({"event_id": id_, "event_type": "page_view", "app_id": "chaos", "properties": properties})

    def _no_event(self, id_: str) -> str:
        return self._chance.choice(_NO_EVENTS).format(id_)

    def _send(self, batch: dict[str, bytes]) -> dict[str, bytes]:
        """What was not acknowledged."""
        records = [{"Data": data} for data in batch.values()]
        try:
            answer = self._client.put_record_batch(DeliveryStreamName=self._stream, Records=records)
        except _FAILURES:
            return batch
        # Killed between head and body: botocore takes that for an empty answer.
        results: list[dict[str, Any]] = answer.get("RequestResponses") or [{}] * len(batch)
        taken = {id_ for id_, result in zip(batch, results, strict=True) if "RecordId" in result}
        self.sent.acknowledged |= taken
        return {id_: data for id_, data in batch.items() if id_ not in taken}
