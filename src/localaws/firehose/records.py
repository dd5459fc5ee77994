"""PutRecord and PutRecordBatch on the wire: a request's records in, the answer out. Pure, and the hot path.

msgspec decodes base64 into `bytes` strictly and checks while it decodes; what it refuses is looked at again, slowly,
for the error that AWS gives.
"""

import json
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from localaws.errors import AwsError
from localaws.wire import Response

MAX_RECORD = 1000 * 2**10
MAX_BATCH_RECORDS = 500
MAX_BATCH = 4 * 2**20
_PLACES = tuple(f"{place:03}" for place in range(MAX_BATCH_RECORDS))
_JSON = {"content-type": "application/x-amz-json-1.1"}
T = TypeVar("T")


class Record(msgspec.Struct, gc=False):
    Data: bytes


class PutRecord(msgspec.Struct):
    DeliveryStreamName: str
    Record: Record


class PutRecordBatch(msgspec.Struct):
    DeliveryStreamName: str
    Records: list[Record]


_one = msgspec.json.Decoder(PutRecord)
_many = msgspec.json.Decoder(PutRecordBatch)


def one(body: bytes) -> tuple[str, bytes]:
    """The stream's name and the record."""
    call = _decoded(body, _one)
    data = call.Record.Data
    if len(data) > MAX_RECORD:
        raise _invalid([_too_long("record.data", MAX_RECORD)])
    return call.DeliveryStreamName, data


def many(body: bytes) -> tuple[str, list[bytes], int]:
    """The stream's name, the records and their bytes together."""
    call = _decoded(body, _many)
    records = [record.Data for record in call.Records]
    sizes = list(map(len, records))
    if not records:
        raise _invalid([_failed("records", "have length greater than or equal to 1")])
    if len(records) > MAX_BATCH_RECORDS:
        raise _invalid([_too_long("records", MAX_BATCH_RECORDS)])
    if max(sizes) > MAX_RECORD:
        numbers = [number for number, size in enumerate(sizes, 1) if size > MAX_RECORD]
        raise _invalid([_too_long(f"records.{number}.member.data", MAX_RECORD) for number in numbers])
    if sum(sizes) > MAX_BATCH:
        raise AwsError("InvalidArgumentException", "Records size exceeds 4 MB limit")
    return call.DeliveryStreamName, records, sum(sizes)


def answer_one(request: str, encrypted: bool) -> Response:
    """`request` is unique; a record's id is that and its place in the request."""
    return Response(200, _JSON, b'{"RecordId":"%b000","Encrypted":%b}' % (request.encode(), _boolean(encrypted)))


def answer_many(request: str, taken: int, refused: int, refusal: AwsError, encrypted: bool) -> Response:
    """Ids for the first `taken` records, `refusal` for the `refused` others."""
    answers = []
    if taken:  # one join for all: an id written by itself for each costs a tenth of the request
        answers.append(f'{{"RecordId":"{request}' + f'"}},{{"RecordId":"{request}'.join(_PLACES[:taken]) + '"}')
    answers += [json.dumps({"ErrorCode": refusal.code, "ErrorMessage": refusal.message})] * refused
    text = b'{"FailedPutCount":%d,"Encrypted":%b,"RequestResponses":[%b]}'
    return Response(200, _JSON, text % (refused, _boolean(encrypted), ",".join(answers).encode()))


def _boolean(value: bool) -> bytes:
    return b"true" if value else b"false"


def _decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as e:
        if "missing required field" in str(e) or "got `null`" in str(e):
            raise _invalid(_missing(body, _FIELDS[decoder.type])) from e
        raise AwsError("SerializationException", f"{e}") from e
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise AwsError("SerializationException", "The request body is not valid JSON") from e


# The fields that must be there, and those of what is inside of one.
_FIELDS: dict[object, tuple[str, ...]] = {
    PutRecord: ("DeliveryStreamName", "Record"),
    PutRecordBatch: ("DeliveryStreamName", "Records"),
}


def _missing(body: bytes, names: tuple[str, ...]) -> list[str]:
    """What AWS says of each field that is not there."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError) as e:  # msgspec may not have come to what is no JSON
        raise AwsError("SerializationException", "The request body is not valid JSON") from e
    if call is None:
        raise AwsError("SerializationException", "The request body must be a JSON object")
    absent = [_lower(name) for name in names if call.get(name) is None]
    records = call.get("Records")
    places = [("record", call.get("Record"))]
    places += [(f"records.{i}.member", record) for i, record in enumerate(records if type(records) is list else (), 1)]
    absent += [f"{place}.data" for place, record in places if isinstance(record, dict) and record.get("Data") is None]
    return [f"Value null at '{place}' failed to satisfy constraint: Member must not be null" for place in absent]


def _lower(name: str) -> str:
    return name[0].lower() + name[1:]


def _too_long(place: str, limit: int) -> str:
    return _failed(place, f"have length less than or equal to {limit}")


def _failed(place: str, constraint: str) -> str:
    return f"Value at '{place}' failed to satisfy constraint: Member must {constraint}"


def _invalid(broken: Sequence[str]) -> AwsError:
    errors = "error" if len(broken) == 1 else "errors"
    return AwsError("ValidationException", f"{len(broken)} validation {errors} detected: {'; '.join(broken)}")
