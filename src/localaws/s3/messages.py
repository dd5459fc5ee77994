"""What an S3 event says. Pure.

To Lambda, SQS and SNS: docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html;
to EventBridge: docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

from localaws.s3.origin import Origin

Message = dict[str, Any]

# "It uses version 2.3 for S3 Lifecycle, S3 Intelligent-Tiering, object ACL, object tagging" (the first page above).
_VERSIONS = {"ObjectTagging": "2.3", "ObjectAcl": "2.3"}
# Event -> EventBridge's detail-type, and what its detail says beside.
_DETAILS: dict[str, tuple[str, dict[str, str]]] = {
    "ObjectCreated:Put": ("Object Created", {"reason": "PutObject"}),
    "ObjectCreated:Post": ("Object Created", {"reason": "POST Object"}),
    "ObjectCreated:Copy": ("Object Created", {"reason": "CopyObject"}),
    "ObjectCreated:CompleteMultipartUpload": ("Object Created", {"reason": "CompleteMultipartUpload"}),
    "ObjectRemoved:Delete": ("Object Deleted", {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}),
    "ObjectRemoved:DeleteMarkerCreated": (
        "Object Deleted",
        {"reason": "DeleteObject", "deletion-type": "Delete Marker Created"},
    ),
    "ObjectTagging:Put": ("Object Tags Added", {}),
    "ObjectTagging:Delete": ("Object Tags Deleted", {}),
    "ObjectAcl:Put": ("Object ACL Updated", {}),
}


@dataclass(frozen=True, slots=True)
class Event:
    """What happened to an object. `name` without "s3:", `at` in epoch seconds; "" and None for what is not told."""

    name: str
    bucket: str
    region: str
    account: str
    at: float
    origin: Origin
    key: str
    etag: str = ""
    size: int | None = None
    version: str = ""
    sequencer: str = ""


def notification(event: Event, owner: str, configuration_id: str) -> Message:
    """`owner` is the bucket owner's principal id."""
    origin = event.origin
    record = {
        "eventVersion": _VERSIONS.get(event.name.partition(":")[0], "2.1"),
        "eventSource": "aws:s3",
        "awsRegion": event.region,
        "eventTime": _moment(event.at),
        "eventName": event.name,
        "userIdentity": {"principalId": f"AWS:{origin.principal}"},
        "requestParameters": {"sourceIPAddress": origin.address},
        "responseElements": {"x-amz-request-id": origin.request_id, "x-amz-id-2": origin.request_id},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {"name": event.bucket, "ownerIdentity": {"principalId": owner}, "arn": _arn(event.bucket)},
            # AWS leaves the slashes (github.com/minio/minio/issues/11665 compares)
            "object": _told(event, quote_plus(event.key, safe="/"), "eTag", "versionId"),
        },
    }
    return {"Records": [record]}


def bridged(event: Event, id_: str) -> Message:
    """`id_` is the event's own."""
    kind, more = _DETAILS[event.name]
    detail = {
        "version": "0",
        "bucket": {"name": event.bucket},
        "object": _told(event, event.key, "etag", "version-id"),
        "request-id": event.origin.request_id,
        "requester": event.origin.account or event.account,
        "source-ip-address": event.origin.address,
        **more,
    }
    return {
        "version": "0",
        "id": id_,
        "detail-type": kind,
        "source": "aws.s3",
        "account": event.account,
        "time": datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": event.region,
        "resources": [_arn(event.bucket)],
        "detail": detail,
    }


def trial(bucket: str, request_id: str, at: float) -> Message:
    """What a queue or topic gets when it becomes a target."""
    who = {"Bucket": bucket, "RequestId": request_id, "HostId": request_id}
    return {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": _moment(at), **who}


def _told(event: Event, key: str, etag: str, version: str) -> dict[str, Any]:
    fields = {
        "key": key,
        "size": event.size,
        etag: event.etag or None,
        version: event.version or None,
        "sequencer": event.sequencer or None,
    }
    return {name: value for name, value in fields.items() if value is not None}


def _arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
