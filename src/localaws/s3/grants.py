"""Access lists of objects: get and put."""

from dataclasses import replace

from localaws.s3 import access as s3_access
from localaws.s3 import acl as s3_acl
from localaws.s3 import versions as s3_versions
from localaws.s3.buckets import Buckets
from localaws.s3.objects import Objects
from localaws.wire import Parameters


class ObjectAccess:
    def __init__(self, buckets: Buckets, objects: Objects) -> None:
        self._buckets = buckets
        self._objects = objects

    def get_object_acl(self, p: Parameters) -> Parameters:
        stored = self._objects.get(p["Bucket"], p["Key"], s3_versions.wanted(p))
        bucket = self._buckets.get(p["Bucket"])
        grants = s3_access.object_grants(bucket, stored)
        return s3_acl.answer(grants, s3_access.object_owner(bucket, stored))

    def put_object_acl(self, p: Parameters) -> Parameters:
        version = s3_versions.wanted(p)
        bucket, stored = self._buckets.get(p["Bucket"]), self._objects.get(p["Bucket"], p["Key"], version)
        owner = s3_access.object_owner(bucket, stored)
        grants = s3_acl.of_request(p, owner, bucket.owner)
        s3_access.check_supported(bucket, p)
        s3_access.check_list(bucket.settings, grants, owner, "AccessControlListNotSupported")
        access = {"Owner": owner, "Grants": grants}
        put = "ObjectAcl:Put"
        self._objects.describe(p["Bucket"], p["Key"], version, lambda old: replace(old, access=access), put)
        return {}
