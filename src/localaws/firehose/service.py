"""Amazon Data Firehose, Direct PUT to S3 (docs.aws.amazon.com/firehose/latest/APIReference).

Done: Create, Describe, List, DeleteDeliveryStream, PutRecord, PutRecordBatch, tags. Unlike AWS, deleting a stream first
delivers what it has acknowledged. Not done, and refused by name when the stream is created: other sources and
destinations, dynamic partitioning, format conversion, Lambda transformation, S3 backup.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from localaws.errors import AwsError
from localaws.firehose import destination as destinations
from localaws.firehose.delivery import Delivery, PutObject
from localaws.firehose.stats import Stats
from localaws.store import Documents, Store
from localaws.wire import Handler, Parameters, Request, Response, json_service

MAX_RECORD = 1000 * 2**10
MAX_BATCH_RECORDS = 500
MAX_BATCH = 4 * 2**20
_NAME = re.compile(r"(?!\.+$)[a-zA-Z0-9_.-]{1,64}")
T = TypeVar("T")
_DELETE_DRAIN_SECONDS = 20.0
_REFUSED_PROCESSORS = {
    "Lambda",
    "RecordDeAggregation",
    "Decompression",
    "CloudWatchLogProcessing",
    "MetadataExtraction",
}


class _Record(msgspec.Struct):
    """msgspec decodes base64 into `bytes` strictly, three times as fast as json and base64."""

    Data: bytes


class _PutRecord(msgspec.Struct):
    DeliveryStreamName: str
    Record: _Record


class _PutRecordBatch(msgspec.Struct):
    DeliveryStreamName: str
    Records: list[_Record]


@dataclass(frozen=True, slots=True)
class _Stream:
    name: str
    delivery: Delivery


class Firehose:
    """`put_object(bucket, key, data)` is S3's; it returns when the object is durable, or raises AwsError."""

    def __init__(
        self,
        store: Store,
        root: Path,
        put_object: PutObject,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        otherwise: Handler,
    ) -> None:
        self._streams = Documents(store, "firehose.stream")
        self._root = root / "firehose"
        self._put_object = put_object
        self._clock = clock
        self._ids = ids
        self._arn = f"arn:aws:firehose:{region}:{account}:deliverystream/"
        self._running: dict[str, Delivery] = {}
        self._records = ids()
        self._record_count = 0
        self._control = json_service(
            "firehose",
            {
                "CreateDeliveryStream": self._create,
                "DescribeDeliveryStream": self._describe,
                "ListDeliveryStreams": self._list,
                "DeleteDeliveryStream": self._delete,
                "TagDeliveryStream": self._tag,
                "UntagDeliveryStream": self._untag,
                "ListTagsForDeliveryStream": self._list_tags,
            },
            otherwise,
        )

    async def handler(self, request: Request) -> Response:
        """The two hot operations take their own short way; msgspec checks them while it decodes."""
        match request.headers.get("x-amz-target", "").rpartition(".")[2]:
            case "PutRecord":
                request.span.operation = "PutRecord"
                return await self._put_record(request.body.read())
            case "PutRecordBatch":
                request.span.operation = "PutRecordBatch"
                return await self._put_record_batch(request.body.read())
        return await self._control(request)

    async def start(self) -> None:
        """Resume every stream, and deliver what was acknowledged before the last stop or crash."""
        for name, stream in self._streams.items():
            self._run(name, stream)

    async def stop(self) -> None:
        for delivery in self._running.values():
            await delivery.stop()

    def stats(self) -> dict[str, Stats]:
        """Every stream's, by name. To be called on the event loop."""
        return {name: delivery.stats() for name, delivery in self._running.items()}

    async def _put_record(self, body: bytes) -> Response:
        call = _decode(body, _PutRecord)
        delivery = self._delivery(call.DeliveryStreamName)
        _check_record(call.Record.Data)
        await delivery.put([call.Record.Data])
        delivery.counters.put_record_requests += 1
        delivery.counters.put_record_bytes += len(call.Record.Data)
        return _json(b'{"RecordId":"%b","Encrypted":false}' % self._record_ids(1)[0])

    async def _put_record_batch(self, body: bytes) -> Response:
        call = _decode(body, _PutRecordBatch)
        delivery = self._delivery(call.DeliveryStreamName)
        records = [record.Data for record in call.Records]
        _check_batch(records)
        try:
            await delivery.put(records)
        except AwsError as refusal:
            one = msgspec.json.encode({"ErrorCode": refusal.code, "ErrorMessage": refusal.message})
            return _batch_answer(len(records), [one] * len(records))
        counters = delivery.counters
        counters.put_record_batch_requests += 1
        counters.put_record_batch_records += len(records)
        counters.put_record_batch_bytes += sum(map(len, records))
        return _batch_answer(0, [b'{"RecordId":"%b"}' % number for number in self._record_ids(len(records))])

    def _record_ids(self, count: int) -> list[bytes]:
        """Unique by a random prefix of this process and a counter; a uuid per record costs more than decoding it."""
        first = self._record_count
        self._record_count += count
        return [b"%b%012d" % (self._records.encode(), first + i) for i in range(count)]

    def _delivery(self, name: str) -> Delivery:
        if name not in self._running:
            raise _not_found(name)
        return self._running[name]

    async def _create(self, call: Parameters) -> Parameters:
        name = call["DeliveryStreamName"]
        if not _NAME.fullmatch(name):
            raise AwsError("ValidationException", f"The delivery stream name {name!r} does not match {_NAME.pattern}")
        if self._streams.get(name) is not None:
            raise AwsError("ResourceInUseException", f"Firehose {name} under account already exists")
        stream = {
            "destination": destinations.described(destinations.requested(call)),
            "created": self._clock(),
            "version": 1,
            "tags": {tag["Key"]: tag.get("Value", "") for tag in call.get("Tags", [])},
            "encryption": call.get("DeliveryStreamEncryptionConfigurationInput"),
        }
        self._streams.put(name, stream)
        self._run(name, stream)
        return {"DeliveryStreamARN": self._arn + name}

    def _run(self, name: str, stream: dict[str, Any]) -> None:
        destination = destinations.destination(stream["destination"])
        folder = self._root / name
        version = str(stream["version"])
        delivery = Delivery(name, version, destination, folder, self._put_object, self._clock, self._ids)
        delivery.start()
        self._running[name] = delivery

    def _describe(self, call: Parameters) -> Parameters:
        name = call["DeliveryStreamName"]
        stream = self._stream(name)
        destination = stream["destination"]
        basic = {k: v for k, v in destination.items() if k not in destinations.EXTENDED_ONLY}
        description = {
            "DeliveryStreamName": name,
            "DeliveryStreamARN": self._arn + name,
            "DeliveryStreamStatus": "ACTIVE",
            "DeliveryStreamEncryptionConfiguration": _encryption(stream["encryption"]),
            "DeliveryStreamType": "DirectPut",
            "VersionId": str(stream["version"]),
            "CreateTimestamp": stream["created"],
            "Destinations": [
                {
                    "DestinationId": "destinationId-000000000001",
                    "S3DestinationDescription": basic,
                    "ExtendedS3DestinationDescription": destination,
                }
            ],
            "HasMoreDestinations": False,
        }
        return {"DeliveryStreamDescription": description}

    def _list(self, call: Parameters) -> Parameters:
        after = call.get("ExclusiveStartDeliveryStreamName", "")
        limit = call.get("Limit", 10)
        kind = call.get("DeliveryStreamType", "DirectPut")
        names = [name for name, _ in self._streams.items() if name > after and kind == "DirectPut"]
        return {"DeliveryStreamNames": names[:limit], "HasMoreDeliveryStreams": len(names) > limit}

    async def _delete(self, call: Parameters) -> Parameters:
        name = call["DeliveryStreamName"]
        self._stream(name)
        delivery = self._running.pop(name, None)
        if delivery is None:
            raise AwsError("ResourceInUseException", f"Firehose {name} under account is being deleted")
        drained = await delivery.stop(drain_seconds=_DELETE_DRAIN_SECONDS)
        folder = self._root / name
        self._streams.delete(name)
        if drained and not any(folder.iterdir()):
            folder.rmdir()
        else:  # nothing that was acknowledged is thrown away: the segments stay readable for a person
            folder.rename(self._root / f"{name}.undelivered-{self._ids()}")
        return {}

    def _stream(self, name: str) -> dict[str, Any]:
        stream = self._streams.get(name)
        if stream is None:
            raise _not_found(name)
        return stream

    def _tag(self, call: Parameters) -> Parameters:
        stream = self._stream(call["DeliveryStreamName"])
        tags = stream["tags"] | {tag["Key"]: tag.get("Value", "") for tag in call["Tags"]}
        self._streams.put(call["DeliveryStreamName"], stream | {"tags": tags})
        return {}

    def _untag(self, call: Parameters) -> Parameters:
        stream = self._stream(call["DeliveryStreamName"])
        tags = {key: value for key, value in stream["tags"].items() if key not in call["TagKeys"]}
        self._streams.put(call["DeliveryStreamName"], stream | {"tags": tags})
        return {}

    def _list_tags(self, call: Parameters) -> Parameters:
        tags = self._stream(call["DeliveryStreamName"])["tags"]
        return {"Tags": [{"Key": key, "Value": value} for key, value in tags.items()], "HasMoreTags": False}


def _decode(body: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as e:
        raise AwsError("SerializationException", f"{e}") from e
    except (msgspec.DecodeError, RecursionError) as e:
        raise AwsError("SerializationException", "The request body is not valid JSON") from e


def _check_record(data: bytes) -> None:
    if len(data) > MAX_RECORD:
        at = (
            "Value at 'record.data' failed to satisfy constraint: Member must have length less than or equal to 1024000"
        )
        raise AwsError("ValidationException", f"1 validation error detected: {at}")


def _check_batch(records: list[bytes]) -> None:
    if not 1 <= len(records) <= MAX_BATCH_RECORDS:
        at = "Member must have length less than or equal to 500 and greater than or equal to 1"
        raise AwsError("ValidationException", f"1 validation error detected: Value at 'records' failed: {at}")
    for data in records:
        _check_record(data)
    if sum(map(len, records)) > MAX_BATCH:
        raise AwsError("InvalidArgumentException", "Records size exceeds 4 MB limit")


def _not_found(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Firehose {name} under account not found.")


def _json(body: bytes) -> Response:
    return Response(200, {"content-type": "application/x-amz-json-1.1"}, body)


def _batch_answer(failed: int, answers: list[bytes]) -> Response:
    return _json(b'{"FailedPutCount":%d,"Encrypted":false,"RequestResponses":[%b]}' % (failed, b",".join(answers)))


def _encryption(asked: Parameters | None) -> Parameters:
    return {"Status": "ENABLED", **asked} if asked else {"Status": "DISABLED"}
