"""The delivery streams as the control plane knows them: what is kept of each, and what the API says and changes of it.

A stream's document: `destination` as Describe answers it, its `version`, `created` and `updated` (epoch seconds),
`tags`, `encryption` (None: off), `encrypted_at` (the calls that switched it), `source`, and `earlier`: destinations by
version that records may still be on their way to.
"""

from collections.abc import Callable, Iterable
from typing import Any

from localaws.errors import AwsError
from localaws.firehose import destination as destinations
from localaws.firehose.courier import Destination
from localaws.store import Documents, Store
from localaws.wire import Operation, Parameters

DESTINATION_ID = "destinationId-000000000001"
_MAX_TAGS = 50
_MAX_ENCRYPTION_CALLS = 25
_DAY = 24 * 3600

Stream = dict[str, Any]


class Streams:
    """`is_running(name)` is False for a stream that is being deleted."""

    def __init__(self, store: Store, clock: Callable[[], float], arn: str, is_running: Callable[[str], bool]) -> None:
        self._store = store
        self._documents = Documents(store, "firehose.stream")
        self._clock = clock
        self._arn = arn
        self._is_running = is_running
        self.operations: dict[str, Operation] = {
            "DescribeDeliveryStream": self._describe,
            "ListDeliveryStreams": self._list,
            "TagDeliveryStream": self._tag,
            "UntagDeliveryStream": self._untag,
            "ListTagsForDeliveryStream": self._list_tags,
        }

    def all(self) -> list[tuple[str, Stream]]:
        return self._documents.items()

    def get(self, name: str) -> Stream:
        stream = self._documents.get(name)
        if stream is None:
            raise not_found(name)
        return stream

    def delete(self, name: str) -> None:
        self._documents.delete(name)

    def arn(self, name: str) -> str:
        return self._arn + name

    def create(self, call: Parameters) -> Stream:
        name = call["DeliveryStreamName"]
        encryption = call.get("DeliveryStreamEncryptionConfigurationInput")
        stream = {
            "destination": destinations.requested(call),
            "created": self._clock(),
            "version": 1,
            "tags": _tagged({}, call.get("Tags", [])),
            "encryption": _key(encryption) if encryption else None,
            "source": call.get("DirectPutSourceConfiguration"),
        }
        if self._documents.get(name) is not None:
            raise AwsError("ResourceInUseException", f"Firehose {name} under account already exists")
        self._documents.put(name, stream)
        return stream

    def update(self, call: Parameters, in_use: Iterable[int]) -> Stream:
        """UpdateDestination. `in_use`: the versions of the configuration that records may still be delivered under."""
        name, given = call["DeliveryStreamName"], call["CurrentDeliveryStreamVersionId"]

        def change(stream: Stream) -> Parameters:
            version = stream["version"]
            if given != str(version):
                known = f"current version id: {version} and specified version id: {given}"
                text = f"Cannot update firehose: {name} since the {known} do not match"
                raise AwsError("ConcurrentModificationException", text)
            if call["DestinationId"] != DESTINATION_ID:
                raise AwsError("InvalidArgumentException", f"Destination Id {call['DestinationId']} not found")
            places = {**stream.get("earlier", {}), str(version): stream["destination"]}
            return {
                "destination": destinations.updated(stream["destination"], call),
                "version": version + 1,
                "updated": self._clock(),
                "earlier": {number: places[number] for number in map(str, in_use) if number in places},
            }

        return self._change(name, change)

    def _describe(self, call: Parameters) -> Parameters:
        name = call["DeliveryStreamName"]
        stream = self.get(name)
        description = {
            "DeliveryStreamName": name,
            "DeliveryStreamARN": self.arn(name),
            "DeliveryStreamStatus": "ACTIVE" if self._is_running(name) else "DELETING",
            "DeliveryStreamEncryptionConfiguration": _encryption(stream["encryption"]),
            "DeliveryStreamType": "DirectPut",
            "VersionId": str(stream["version"]),
            "CreateTimestamp": stream["created"],
            "Destinations": [_place(stream)] if call.get("ExclusiveStartDestinationId", "") < DESTINATION_ID else [],
            "HasMoreDestinations": False,
        }
        if "updated" in stream:
            description["LastUpdateTimestamp"] = stream["updated"]
        if stream.get("source"):
            description["Source"] = {"DirectPutSourceDescription": stream["source"]}
        return {"DeliveryStreamDescription": description}

    def _list(self, call: Parameters) -> Parameters:
        after = call.get("ExclusiveStartDeliveryStreamName", "")
        limit = call.get("Limit", 10)
        kind = call.get("DeliveryStreamType", "DirectPut")
        names = [name for name, _ in self._documents.items() if name > after and kind == "DirectPut"]
        return {"DeliveryStreamNames": names[:limit], "HasMoreDeliveryStreams": len(names) > limit}

    def _change(self, name: str, change: Callable[[Stream], Parameters]) -> Stream:
        with self._store.write():  # nobody else changes it in between
            stream = self.get(name)
            changed = stream | change(stream)
            self._documents.put(name, changed)
        return changed

    def _tag(self, call: Parameters) -> Parameters:
        self._change(call["DeliveryStreamName"], lambda stream: {"tags": _tagged(stream["tags"], call["Tags"])})
        return {}

    def _untag(self, call: Parameters) -> Parameters:
        gone = set(call["TagKeys"])
        self._change(
            call["DeliveryStreamName"],
            lambda stream: {"tags": {key: value for key, value in stream["tags"].items() if key not in gone}},
        )
        return {}

    def _list_tags(self, call: Parameters) -> Parameters:
        tags = sorted(self.get(call["DeliveryStreamName"])["tags"].items())
        left = [{"Key": key, "Value": value} for key, value in tags if key > call.get("ExclusiveStartTagKey", "")]
        limit = call.get("Limit", _MAX_TAGS)
        return {"Tags": left[:limit], "HasMoreTags": len(left) > limit}

    def encrypt(self, name: str, key: Parameters | None) -> None:
        """StartDeliveryStreamEncryption and, without a key, StopDeliveryStreamEncryption."""
        now = self._clock()

        def change(stream: Stream) -> Parameters:
            calls = [at for at in stream.get("encrypted_at", []) if at > now - _DAY]
            if len(calls) >= _MAX_ENCRYPTION_CALLS:
                text = f"Encryption can be started and stopped {_MAX_ENCRYPTION_CALLS} times in 24 hours"
                raise AwsError("LimitExceededException", text)
            return {"encryption": _key(key) if key else None, "encrypted_at": [*calls, now]}

        self._change(name, change)


def places(stream: Stream) -> tuple[Destination, list[Destination]]:
    """The destination, and the earlier ones."""
    earlier = [destinations.destination(described, int(n)) for n, described in stream.get("earlier", {}).items()]
    return destinations.destination(stream["destination"], stream["version"]), earlier


def not_found(name: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"Firehose {name} under account not found.")


def _place(stream: Stream) -> Parameters:
    destination = stream["destination"]
    basic = {name: value for name, value in destination.items() if name not in destinations.EXTENDED_ONLY}
    return {
        "DestinationId": DESTINATION_ID,
        "S3DestinationDescription": basic,
        "ExtendedS3DestinationDescription": destination,
    }


def _tagged(tags: dict[str, str], given: list[Parameters]) -> dict[str, str]:
    tagged = tags | {tag["Key"]: tag.get("Value", "") for tag in given}
    if len(tagged) > _MAX_TAGS:
        raise AwsError("LimitExceededException", f"A delivery stream can have up to {_MAX_TAGS} tags")
    return tagged


def _key(given: Parameters) -> Parameters:
    """What encrypts the stream. Nothing is really encrypted at rest here; the calls are kept and answered."""
    if given["KeyType"] == "CUSTOMER_MANAGED_CMK" and "KeyARN" not in given:
        raise AwsError("InvalidArgumentException", "KeyARN must be specified with the key type CUSTOMER_MANAGED_CMK")
    if given["KeyType"] == "AWS_OWNED_CMK" and "KeyARN" in given:
        raise AwsError("InvalidArgumentException", "KeyARN can't be specified with the key type AWS_OWNED_CMK")
    return given


def _encryption(key: Parameters | None) -> Parameters:
    return {"Status": "ENABLED", **key} if key else {"Status": "DISABLED"}
