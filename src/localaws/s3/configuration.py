"""Operations on buckets: made, listed and removed here; configured partly here, mostly by the control plane.

The control plane (moto) makes its own shadow of a bucket when it is first configured, so a bucket that has no special
wishes costs it nothing.
"""

import asyncio
import json
from collections.abc import Callable

from botocore.model import StructureShape

from localaws.errors import AwsError
from localaws.s3 import notifications as s3_notifications
from localaws.s3 import xml as s3_xml
from localaws.s3.buckets import Buckets
from localaws.s3.disk import Disk
from localaws.s3.keys import check_bucket_name
from localaws.s3.listing import OWNER
from localaws.s3.objects import Objects
from localaws.wire import Body, Caller, Handler, Parameters, Request, Response, service_model

_MOST_BUCKETS = 10_000
_HOME = "us-east-1"  # the region whose name is never written as a location
_OLD_NAMES = {"EU": "eu-west-1"}
# Members of CreateBucket that the control plane must keep, and the headers that carry them.
_WISHES = {
    "ACL": "x-amz-acl",
    "GrantFullControl": "x-amz-grant-full-control",
    "GrantRead": "x-amz-grant-read",
    "GrantReadACP": "x-amz-grant-read-acp",
    "GrantWrite": "x-amz-grant-write",
    "GrantWriteACP": "x-amz-grant-write-acp",
    "ObjectLockEnabledForBucket": "x-amz-bucket-object-lock-enabled",
    "ObjectOwnership": "x-amz-object-ownership",
}

_model = service_model("s3")


class Configuration:
    def __init__(
        self,
        buckets: Buckets,
        objects: Objects,
        disk: Disk,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        control: Handler,
    ) -> None:
        self._buckets = buckets
        self._objects = objects
        self._disk = disk
        self._clock = clock
        self._ids = ids
        self._caller = Caller("localaws", f"arn:aws:iam::{account}:root")
        self._region = region
        self._control = control

    async def forward(self, request: Request, bucket: str) -> Response:
        """What the control plane knows of the bucket. Raises NoSuchBucket: which there are is known here alone."""
        await asyncio.to_thread(self._buckets.get, bucket)
        if request.method == "PUT" and request.body.size:
            await asyncio.to_thread(_check_document, request)
        return await self._control(request)

    async def _tell(self, method: str, bucket: str, query: str, headers: dict[str, str], body: bytes = b"") -> None:
        request = Request(method, f"/{bucket}", query, headers, Body(body, None, len(body)), self._caller)
        response = await self._control(request)
        assert isinstance(response.body, bytes)
        if response.status >= 400 and response.status not in {404, 409}:  # it is gone, or there, already
            raise AwsError("InternalError", response.body.decode("utf-8", "replace"), 500)

    async def create_bucket(self, p: Parameters) -> Parameters:
        name = p["Bucket"]
        check_bucket_name(name)
        wanted = p.get("CreateBucketConfiguration", {})
        region = self._location(wanted.get("LocationConstraint"))
        wishes = {header: _text(p[member]) for member, header in _WISHES.items() if p.get(member)}
        if await asyncio.to_thread(self._buckets.find, name) is None:
            if wishes:
                await self._tell("PUT", name, "", wishes, _location_document(region))
            if wanted.get("Tags"):
                await self._tell("PUT", name, "tagging", {}, _tagging_document(wanted["Tags"]))
        await asyncio.to_thread(self._create, name, region)
        return {"Location": f"/{name}", "BucketArn": f"arn:aws:s3:::{name}"}

    def _location(self, constraint: str | None) -> str:
        """The region of a new bucket."""
        if constraint is None:
            if self._region != _HOME:
                text = (
                    "The unspecified location constraint is incompatible for the region specific endpoint this request "
                )
                raise AwsError("IllegalLocationConstraintException", text + "was sent to.")
            return _HOME
        shape = _model().shape_for("BucketLocationConstraint")
        if constraint not in shape.metadata["enum"]:
            text = "The specified location-constraint is not valid"
            raise AwsError("InvalidLocationConstraint", text, 400, LocationConstraint=constraint)
        region = _OLD_NAMES.get(constraint, constraint)
        if self._region not in {_HOME, region}:
            text = (
                f"The {constraint} location constraint is incompatible for the region specific endpoint this request "
            )
            raise AwsError("IllegalLocationConstraintException", text + "was sent to.")
        return region

    def _create(self, name: str, region: str) -> None:
        self._buckets.create(name, region, self._clock())
        self._disk.make_bucket(name)

    async def delete_bucket(self, p: Parameters) -> Parameters:
        """The control plane forgets first: a crash in between must not leave an old configuration to a new bucket."""
        await asyncio.to_thread(self._objects.check_empty, p["Bucket"])
        await self._tell("DELETE", p["Bucket"], "tagging", {})  # moto would keep the tags for the next of this name
        await self._tell("DELETE", p["Bucket"], "", {})
        await asyncio.to_thread(self._objects.delete_bucket, p["Bucket"])
        return {}

    def head_bucket(self, p: Parameters) -> Parameters:
        bucket = self._buckets.get(p["Bucket"])
        return {"BucketRegion": bucket.region, "BucketArn": f"arn:aws:s3:::{bucket.name}", "AccessPointAlias": False}

    def get_bucket_location(self, p: Parameters) -> Parameters:
        region = self._buckets.get(p["Bucket"]).region
        return {"LocationConstraint": "" if region == _HOME else region}

    def list_buckets(self, p: Parameters) -> Parameters:
        limit = p.get("MaxBuckets", _MOST_BUCKETS)
        if not 1 <= limit <= _MOST_BUCKETS:
            text = f"Argument max-buckets must be an integer between 1 and {_MOST_BUCKETS}"
            raise AwsError("InvalidArgument", text, 400, ArgumentName="max-buckets", ArgumentValue=str(limit))
        buckets = self._buckets.page(p.get("Prefix", ""), p.get("ContinuationToken", ""), limit + 1)
        listed = [bucket for bucket in buckets[:limit] if bucket.region == p.get("BucketRegion", bucket.region)]
        # S3 tells a bucket's region only to those who page or filter.
        asked = any(name in p for name in ("MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion"))
        return {
            "Owner": OWNER,
            "Buckets": [
                {"Name": b.name, "CreationDate": b.created, "BucketRegion": b.region if asked else None} for b in listed
            ],
            "Prefix": p.get("Prefix"),
            "ContinuationToken": buckets[limit - 1].name if len(buckets) > limit else None,
        }

    def put_notifications(self, p: Parameters) -> Parameters:
        """Durable on return. Whether a target exists is not checked; an event for one that doesn't is tried in vain."""
        self._buckets.get(p["Bucket"])
        if "NotificationConfiguration" not in p:
            raise s3_xml.malformed()
        checked = s3_notifications.checked(p["NotificationConfiguration"], self._ids)
        self._buckets.set_notifications(p["Bucket"], checked)
        return {}


def _check_document(request: Request) -> None:
    """The control plane takes what it can't read; AWS does not. A bucket's policy is JSON, all else is XML."""
    if "policy" not in request.parameters():
        s3_xml.check(request.body.read())
        return
    try:
        good = isinstance(json.loads(request.body.read()), dict)
    except (ValueError, RecursionError):
        good = False
    if not good:
        raise AwsError("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")


def _text(value: str | bool) -> str:
    return value if isinstance(value, str) else str(value).lower()


def _location_document(region: str) -> bytes:
    if region == _HOME:
        return b""
    return _document("CreateBucketConfiguration", "CreateBucketConfiguration", {"LocationConstraint": region})


def _tagging_document(tags: list[Parameters]) -> bytes:
    return _document("Tagging", "Tagging", {"TagSet": tags})


def _document(root: str, shape_name: str, content: Parameters) -> bytes:
    shape = _model().shape_for(shape_name)
    assert isinstance(shape, StructureShape)
    return s3_xml.render(root, shape, content)
