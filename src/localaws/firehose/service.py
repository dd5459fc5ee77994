"""Amazon Data Firehose, Direct PUT to S3 (docs.aws.amazon.com/firehose/latest/APIReference).

Done: every operation of the service. What AWS does in minutes (creating, updating, encrypting) is done when the call is
answered. Unlike AWS, deleting a stream first delivers what it has acknowledged, and what can't be delivered is kept and
not dropped after 24 hours. Encryption is answered and not done. Not done, and refused by name when a stream is created
or updated: other sources and destinations, dynamic partitioning, format conversion, processors other than
AppendDelimiterToRecord, S3 backup, ZIP and Snappy.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from localaws.durable import move_file, sync_directory
from localaws.errors import AwsError, StartError
from localaws.firehose import records
from localaws.firehose.constraints import checked
from localaws.firehose.courier import Admit, Destination, PutObject
from localaws.firehose.delivery import Delivery, Surroundings
from localaws.firehose.stats import Stats
from localaws.firehose.streams import Stream, Streams, not_found, places
from localaws.store import Store
from localaws.wire import Handler, Operation, Parameters, Request, Response, json_service

_MAX_STREAMS = 5000
_DELETE_DRAIN_SECONDS = 20.0
# A stream needs one at a time, and only while it waits for the disk.
_COMMITTING_THREADS = 32
_BACKLOG_VARIABLE = "CLICKLAKE_FIREHOSE_BACKLOG_BYTES"
_BACKLOG_LIMIT = 2 * 2**30

WriteLog = Callable[[str, str, str, list[str]], None]


def backlog_limit(environment: Mapping[str, str]) -> int:
    """Bytes of one stream, acknowledged and not yet in S3, above which it answers ServiceUnavailableException, as AWS
    does when it throttles: 2 GiB, or what the environment says. Raises StartError."""
    text = environment.get(_BACKLOG_VARIABLE) or str(_BACKLOG_LIMIT)
    if not text.isascii() or not text.isdigit():
        raise StartError(f"{_BACKLOG_VARIABLE} is {text!r}, which is no number of bytes", "give a number, or unset it")
    return int(text)


class Firehose:
    """`put_object(bucket, key, data)` is S3's; it returns when the object is durable, or raises AwsError.
    `write_log(role, group, stream, lines)` is CloudWatch Logs'; for `limit` see `backlog_limit`, for `delivered` and
    `admit` `Surroundings`."""

    def __init__(
        self,
        store: Store,
        root: Path,
        put_object: PutObject,
        write_log: WriteLog,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        otherwise: Handler,
        limit: int,
        delivered: Callable[[str, float], None],
        admit: Admit,
    ) -> None:
        arn = f"arn:aws:firehose:{region}:{account}:deliverystream/"
        self._streams = Streams(store, clock, arn, lambda name: name in self._running)
        self._root = root / "firehose"
        self._write_log = write_log
        self._ids = ids
        self._committing = ThreadPoolExecutor(_COMMITTING_THREADS, "firehose")
        self._surroundings = Surroundings(
            put_object, self._report, clock, ids, limit, self._committing, delivered, admit
        )
        self._running: dict[str, Delivery] = {}
        self._encrypted: set[str] = set()
        self._request_prefix = ids()
        self._request_count = 0
        operations: dict[str, Operation] = {
            "CreateDeliveryStream": self._create,
            "DeleteDeliveryStream": self._delete,
            "UpdateDestination": self._update,
            "StartDeliveryStreamEncryption": self._start_encryption,
            "StopDeliveryStreamEncryption": self._stop_encryption,
            **self._streams.operations,
        }
        self._control = json_service(
            "firehose", {name: checked(name, operation) for name, operation in operations.items()}, otherwise
        )

    async def handler(self, request: Request) -> Response:
        """The two hot operations take their own short way; msgspec checks them while it decodes."""
        match request.headers.get("x-amz-target", "").rpartition(".")[2]:
            case "PutRecord":
                request.span.operation = "PutRecord"
                return await self._put_record(request)
            case "PutRecordBatch":
                request.span.operation = "PutRecordBatch"
                return await self._put_record_batch(request)
        return await self._control(request)

    async def start(self) -> None:
        """Resume every stream, and deliver what was acknowledged before the last stop or crash."""
        for name, stream in self._streams.all():
            self._run(name, stream)

    async def stop(self) -> None:
        await asyncio.gather(*(delivery.stop() for delivery in self._running.values()))
        await asyncio.to_thread(self._committing.shutdown)

    def stats(self) -> dict[str, Stats]:
        """Every stream's, by name. To be called on the event loop."""
        return {name: delivery.stats() for name, delivery in self._running.items()}

    async def _put_record(self, request: Request) -> Response:
        name, data = records.one(request.body.read())
        delivery = self._delivery(name)
        request.span.resource = name
        if not await delivery.put((data,), len(data)):
            raise _throttled()
        delivery.counters.put_record_requests += 1
        delivery.counters.put_record_bytes += len(data)
        return records.answer_one(self._request_id(), name in self._encrypted)

    async def _put_record_batch(self, request: Request) -> Response:
        name, data, size = records.many(request.body.read())
        delivery = self._delivery(name)
        request.span.resource = name
        try:
            taken, refusal = await delivery.put(data, size), _throttled()
        except AwsError as error:  # the disk is full
            taken, refusal = 0, error
        refused = len(data) - taken
        counters = delivery.counters
        counters.put_record_batch_requests += bool(taken)
        counters.put_record_batch_records += taken
        counters.put_record_batch_bytes += sum(map(len, data[:taken])) if refused else size
        return records.answer_many(self._request_id(), taken, refused, refusal, name in self._encrypted)

    def _request_id(self) -> str:
        """Unique by a random prefix of this process and a counter; a uuid per record costs more than decoding it."""
        self._request_count += 1
        return f"{self._request_prefix}{self._request_count:012}"

    def _delivery(self, name: str) -> Delivery:
        if name not in self._running:
            raise not_found(name)
        return self._running[name]

    async def _create(self, call: Parameters) -> Parameters:
        name = call["DeliveryStreamName"]
        if not name.strip("."):
            raise AwsError("ValidationException", f"The delivery stream name {name!r} has nothing but dots")
        if len(self._running) >= _MAX_STREAMS:
            raise AwsError("LimitExceededException", f"You can have up to {_MAX_STREAMS} delivery streams")
        self._run(name, self._streams.create(call))
        return {"DeliveryStreamARN": self._streams.arn(name)}

    def _run(self, name: str, stream: Stream) -> None:
        destination, earlier = places(stream)
        delivery = Delivery(name, destination, earlier, self._root / name, self._surroundings)
        delivery.start()
        self._running[name] = delivery
        if stream["encryption"]:
            self._encrypted.add(name)

    async def _update(self, call: Parameters) -> Parameters:
        name = call["DeliveryStreamName"]
        delivery = self._running_or_refused(name)
        stream = self._streams.update(call, delivery.versions())
        delivery.switch(places(stream)[0])
        return {}

    def _running_or_refused(self, name: str) -> Delivery:
        self._streams.get(name)
        if name not in self._running:
            raise AwsError("ResourceInUseException", f"Firehose {name} under account is being deleted")
        return self._running[name]

    async def _start_encryption(self, call: Parameters) -> Parameters:
        key = call.get("DeliveryStreamEncryptionConfigurationInput") or {"KeyType": "AWS_OWNED_CMK"}
        self._streams.encrypt(call["DeliveryStreamName"], key)
        self._encrypted.add(call["DeliveryStreamName"])
        return {}

    async def _stop_encryption(self, call: Parameters) -> Parameters:
        self._streams.encrypt(call["DeliveryStreamName"], None)
        self._encrypted.discard(call["DeliveryStreamName"])
        return {}

    async def _delete(self, call: Parameters) -> Parameters:
        """AllowForceDelete is about grants of KMS keys, of which there are none."""
        name = call["DeliveryStreamName"]
        delivery = self._running_or_refused(name)
        del self._running[name]
        drained = await delivery.drain(_DELETE_DRAIN_SECONDS)
        await delivery.stop()
        folder = self._root / name
        if drained and not any(folder.iterdir()):
            folder.rmdir()
            sync_directory(self._root)
        else:  # nothing that was acknowledged is thrown away: the segments stay readable for a person
            move_file(folder, self._root / f"{name}.undelivered-{self._ids()}")
        self._streams.delete(name)  # last, or a stream of the same name might deliver what this one left
        self._encrypted.discard(name)
        return {}

    def _report(self, stream: str, destination: Destination, error: Exception) -> None:
        """What AWS writes of a failed delivery ("Monitor Firehose using CloudWatch Logs")."""
        if destination.log is None:
            return
        line = {
            "deliveryStreamARN": self._streams.arn(stream),
            "destination": f"arn:aws:s3:::{destination.bucket}",
            "deliveryStreamVersionId": destination.version,
            "message": str(error),
            "errorCode": f"S3.{error.code}" if isinstance(error, AwsError) else "InternalError",
        }
        self._write_log(destination.role, *destination.log, [json.dumps(line)])


def _throttled() -> AwsError:
    return AwsError("ServiceUnavailableException", "Slow down.", 503)
