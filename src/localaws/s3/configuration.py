"""Operations on buckets: made, listed, configured and removed."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

from localaws.errors import AwsError
from localaws.s3 import access as s3_access
from localaws.s3 import acl as s3_acl
from localaws.s3 import policy as s3_policy
from localaws.s3 import settings as s3_settings
from localaws.s3 import xml as s3_xml
from localaws.s3.access import CALLER
from localaws.s3.accounts import owner
from localaws.s3.buckets import Bucket, Buckets, owned_already
from localaws.s3.disk import Disk
from localaws.s3.keys import check_bucket_name
from localaws.s3.objects import Objects
from localaws.s3.settings import SETTINGS, Setting
from localaws.s3.wire import STATUS
from localaws.wire import Operation, Parameters, service_model

_MOST_BUCKETS = 10_000
_HOME = "us-east-1"  # the region whose name is never written as a location
_OLD_NAMES = {"EU": "eu-west-1"}
# Settings of versioned buckets alone: the error's code and status, and what they are called in it.
_VERSIONED = {
    "object-lock": ("InvalidBucketState", 409, "Object Lock"),
    "replication": ("InvalidRequest", 400, "replication"),
}
_SIZE = ("TransitionDefaultMinimumObjectSize",)  # a header of the lifecycle's operations, not of its document
_DEFAULT_SIZE = "all_storage_classes_128K"

_model = service_model("s3")


class Configuration:
    """`with_acls`: new buckets are as S3 made them until April 2023: access lists count, nothing is blocked."""

    def __init__(
        self,
        buckets: Buckets,
        objects: Objects,
        disk: Disk,
        clock: Callable[[], float],
        ids: Callable[[], str],
        region: str,
        with_acls: bool,
    ) -> None:
        self._buckets = buckets
        self._objects = objects
        self._disk = disk
        self._clock = clock
        self._ids = ids
        self._region = region
        self._with_acls = with_acls

    def create_bucket(self, p: Parameters) -> Parameters:
        name = p["Bucket"]
        check_bucket_name(name)
        wanted = p.get("CreateBucketConfiguration", {})
        region = self._location(wanted.get("LocationConstraint"))
        settings = self._wishes(p, wanted.get("Tags", []))
        if wanted.get("Tags") and (old := self._buckets.find(name)) is not None:
            raise owned_already(old, p[CALLER])
        self._buckets.create(name, region, self._clock(), p[CALLER], settings)
        if p.get("ObjectLockEnabledForBucket"):
            self._buckets.set_versioning(name, "Enabled")
        self._disk.make_bucket(name)
        return {"Location": f"/{name}", "BucketArn": f"arn:aws:s3:::{name}"}

    def _wishes(self, p: Parameters, tags: list[Parameters]) -> Parameters:
        """The settings that a bucket begins with."""
        settings = {} if self._with_acls else dict(s3_settings.NEW_BUCKET)
        if "ObjectOwnership" in p:
            settings["ownershipControls"] = s3_settings.ownership_at_creation(p["ObjectOwnership"])
        if tags:
            settings["tagging"] = s3_settings.tags_at_creation(tags)
        if p.get("ObjectLockEnabledForBucket"):
            settings["object-lock"] = {"ObjectLockEnabled": "Enabled"}
        grants = s3_acl.of_headers(p, p[CALLER], p[CALLER])
        if grants is not None:
            s3_access.check_list(settings, grants, p[CALLER], "InvalidBucketAclWithObjectOwnership")
            settings["acl"] = {"Grants": grants}
        return settings

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

    def delete_bucket(self, p: Parameters) -> Parameters:
        self._objects.delete_bucket(p["Bucket"])
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
        buckets = self._buckets.page(p[CALLER], p.get("Prefix", ""), p.get("ContinuationToken", ""), limit + 1)
        listed = [bucket for bucket in buckets[:limit] if bucket.region == p.get("BucketRegion", bucket.region)]
        # S3 tells a bucket's region only to those who page or filter.
        asked = any(name in p for name in ("MaxBuckets", "ContinuationToken", "Prefix", "BucketRegion"))
        return {
            "Owner": owner(p[CALLER]),
            "Buckets": [
                {"Name": b.name, "CreationDate": b.created, "BucketRegion": b.region if asked else None} for b in listed
            ],
            "Prefix": p.get("Prefix"),
            "ContinuationToken": buckets[limit - 1].name if len(buckets) > limit else None,
        }

    # Settings

    def operations(self) -> dict[str, Operation]:
        """Of every setting: put, get and delete."""
        found: dict[str, Operation] = {}
        for setting in SETTINGS:
            found[setting.put] = functools.partial(self._put, setting)
            found[setting.get] = functools.partial(self._get, setting)
            if setting.delete:
                found[setting.delete] = functools.partial(self._delete, setting.subresource)
        found["DeleteBucketPolicy"] = functools.partial(self._delete, "policy")
        return found

    def _put(self, setting: Setting, p: Parameters) -> Parameters:
        """Durable on return."""
        self._buckets.get(p["Bucket"])
        member = s3_settings.payload(setting)
        if member not in p:
            raise s3_xml.malformed()
        document = s3_settings.checked(setting, p[member], self._ids)
        default_size = {name: p.get(name, _DEFAULT_SIZE) for name in _SIZE if setting.subresource == "lifecycle"}

        if setting.subresource == "tagging" and not document["TagSet"]:
            return self._delete("tagging", p) | {STATUS: 204}

        def change(bucket: Bucket) -> Mapping[str, Any]:
            self._check_state(setting, document, bucket)
            return {**bucket.settings, setting.subresource: document | default_size}

        self._buckets.set(p["Bucket"], change)
        return {STATUS: 204} if setting.subresource == "tagging" else default_size

    def _check_state(self, setting: Setting, document: Parameters, bucket: Bucket) -> None:
        """What a setting needs of the bucket's other ones."""
        if setting.subresource in _VERSIONED and bucket.versioning != "Enabled":
            code, status, what = _VERSIONED[setting.subresource]
            text = f"Versioning must be 'Enabled' on the bucket to apply a {what} configuration"
            raise AwsError(code, text, status)
        if setting.subresource == "ownershipControls":
            grants = bucket.settings.get("acl", {}).get("Grants", s3_acl.private(bucket.owner))
            settings = {setting.subresource: document}
            s3_access.check_list(settings, grants, bucket.owner, "InvalidBucketAclWithObjectOwnership")
        target = document.get("LoggingEnabled", {}).get("TargetBucket") if setting.subresource == "logging" else None
        if target is not None and self._buckets.find(target) is None:
            text = "The target bucket for logging does not exist"
            raise AwsError("InvalidTargetBucketForLogging", text, 400, TargetBucket=target)

    def _get(self, setting: Setting, p: Parameters) -> Parameters:
        settings = self._buckets.get(p["Bucket"]).settings
        is_older = self._with_acls and setting.subresource == "encryption"  # every bucket has one since January 2023
        document = settings.get(setting.subresource, None if is_older else setting.default)
        if document is None:
            raise s3_settings.absent(setting, p["Bucket"])
        return s3_settings.answer(setting, document)

    def _delete(self, name: str, p: Parameters) -> Parameters:
        def change(bucket: Bucket) -> Mapping[str, Any]:
            return {kept: document for kept, document in bucket.settings.items() if kept != name}

        self._buckets.set(p["Bucket"], change)
        return {}

    # Access

    def get_bucket_acl(self, p: Parameters) -> Parameters:
        bucket = self._buckets.get(p["Bucket"])
        return s3_acl.answer(s3_access.grants_of(bucket), bucket.owner)

    def put_bucket_acl(self, p: Parameters) -> Parameters:
        bucket = self._buckets.get(p["Bucket"])
        grants = s3_acl.of_request(p, bucket.owner, bucket.owner)
        s3_access.check_supported(bucket, p)

        def change(bucket: Bucket) -> Mapping[str, Any]:
            s3_access.check_list(bucket.settings, grants, bucket.owner, "AccessControlListNotSupported")
            return {**bucket.settings, "acl": {"Grants": grants}}

        self._buckets.set(p["Bucket"], change)
        return {}

    def get_bucket_policy(self, p: Parameters) -> Parameters:
        policy = self._buckets.get(p["Bucket"]).settings.get("policy")
        if policy is None:
            text = "The bucket policy does not exist"
            raise AwsError("NoSuchBucketPolicy", text, 404, BucketName=p["Bucket"])
        return {"Policy": policy["Text"].encode()}

    def put_bucket_policy(self, p: Parameters) -> Parameters:
        self._buckets.get(p["Bucket"])
        text = p.get("Policy", "")
        policy = s3_policy.checked(text, p["Bucket"])

        def change(bucket: Bucket) -> Mapping[str, Any]:
            if s3_access.blocks(bucket.settings, "BlockPublicPolicy") and s3_policy.is_public(policy):
                raise s3_access.denied("the policy is public, which the bucket's public access block prevents")
            return {**bucket.settings, "policy": {"Text": text}}

        self._buckets.set(p["Bucket"], change)
        return {STATUS: 204}

    def get_bucket_policy_status(self, p: Parameters) -> Parameters:
        bucket = self._buckets.get(p["Bucket"])
        return {"PolicyStatus": {"IsPublic": s3_access.is_public(bucket)}}
