"""What a delivery stream has done and has left to do, for whoever watches it."""

from dataclasses import dataclass


@dataclass(slots=True)
class Counters:
    """Since the endpoint started, counted by the delivery itself. Records and bytes in: those that were acknowledged,
    bytes before base64 and compression. Of a segment that an earlier run left, the records are not known: it counts as
    an object with its bytes."""

    put_record_requests: int = 0
    put_record_bytes: int = 0
    put_record_batch_requests: int = 0
    put_record_batch_records: int = 0
    put_record_batch_bytes: int = 0
    throttled_records: int = 0
    delivered_objects: int = 0
    delivered_records: int = 0
    delivered_bytes: int = 0
    failed_attempts: int = 0

    @property
    def records_in(self) -> int:
        return self.put_record_requests + self.put_record_batch_records

    @property
    def bytes_in(self) -> int:
        return self.put_record_bytes + self.put_record_batch_bytes


@dataclass(frozen=True, slots=True)
class Stats:
    """One look at a stream. `backlog_bytes`: acknowledged and not yet in S3. `oldest_arrival`: when the oldest record
    among those arrived, epoch seconds; None if there is none. `is_failing`: the last attempt to deliver was in vain."""

    counters: Counters
    backlog_bytes: int
    oldest_arrival: float | None
    is_failing: bool
