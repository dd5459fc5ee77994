"""S3: durable objects as plain files under DATA_DIR/s3/<bucket>/<key>.

In the order of a request's walk:

    cors, wire, routes, xml      HTTP <-> operation and parameters; post for browsers' forms
    conditions                   which bytes, and only if
    description, checksums       headers, metadata and tags that are kept with the bytes, and what those add up to
    access, rules, acl, policy   who may
    put, multipart, get, listing change objects; read them
    configuration, settings      makes, configures and removes buckets
    versions                     their ids, and which buckets have them
    objects, uploads, buckets    what changes in one transaction
    rows                         what is kept of each version of an object
    disk, keys                   the bytes: staged, committed, moved to their place, and which place that is
    destinations, notifications  whom a bucket tells
    announcements, messages      what it tells

Not done: select, torrents, static websites, and what settings.py says is kept and answered only.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from localaws.credentials import Key
from localaws.s3 import cors as s3_cors
from localaws.s3 import listing as s3_listing
from localaws.s3.access import Access, Judge
from localaws.s3.announcements import Announcements, Tell
from localaws.s3.buckets import Buckets
from localaws.s3.configuration import Configuration
from localaws.s3.cors import Rules, with_cors
from localaws.s3.customer_keys import key_for_reading
from localaws.s3.destinations import Destinations, PolicyOf
from localaws.s3.disk import Disk
from localaws.s3.get import Get
from localaws.s3.grants import ObjectAccess
from localaws.s3.locks import Locks
from localaws.s3.multipart import Multipart
from localaws.s3.objects import Objects, StoredFile
from localaws.s3.post import Forms
from localaws.s3.put import Put
from localaws.s3.reports import Reports
from localaws.s3.rows import Stored, Version
from localaws.s3.rules import WRITE
from localaws.s3.uploads import Uploads
from localaws.s3.versions import Versioning
from localaws.s3.wire import check_upload, rest_xml_service, target_of
from localaws.sigv4 import Head
from localaws.store import Store
from localaws.wire import Body, Caller, Handler, Operation, Parameters, Request


class S3:
    """`root` is the data directory; `tell` takes what happened, `policies` are those of its targets. For `judge` see
    `Access`.

    What was committed and not finished when the endpoint died is finished here.
    """

    def __init__(
        self,
        store: Store,
        root: Path,
        clock: Callable[[], float],
        ids: Callable[[], str],
        account: str,
        region: str,
        tell: Tell,
        policies: Mapping[str, PolicyOf],
        find_key: Callable[[str], Key | None],
        with_acls: bool,
        judge: Judge | None,
    ) -> None:
        self._ids = ids
        self._clock = clock
        self._buckets = Buckets(store)
        self._disk = Disk(store, root, ids)
        announce = Announcements(account, clock, ids, tell)
        self._destinations = Destinations(self._buckets, account, clock, ids, policies, tell)
        uploads = Uploads(store, self._buckets)
        self._objects = Objects(store, self._disk, self._buckets, clock, ids, announce)
        self._get = Get(self._objects)
        self._put = Put(self._objects, self._disk)
        self._versioning = Versioning(self._buckets)
        self._multipart = Multipart(uploads, self._disk, self._buckets, self._objects, clock, ids)
        self._configuration = Configuration(self._buckets, self._objects, self._disk, clock, ids, region, with_acls)
        self._access = access = Access(self._buckets, self._objects.find_version, clock, judge)
        self._disk.recover(uploads.staged())
        forms = Forms(self._put.post_object, access, find_key, clock)
        handle = rest_xml_service(self._operations(), forms.upload, access)
        self.handler: Handler = with_cors(handle, target_of, self._cors_rules)

    def _operations(self) -> Mapping[str, Operation]:
        get, put, multipart, configuration = self._get, self._put, self._multipart, self._configuration
        object_access = ObjectAccess(self._buckets, self._objects)
        locks = Locks(self._buckets, self._objects, self._clock)
        reports = Reports(self._buckets)
        return (
            configuration.operations()
            | reports.operations()
            | {
                "GetObjectRetention": locks.get_object_retention,
                "PutObjectRetention": locks.put_object_retention,
                "GetObjectLegalHold": locks.get_object_legal_hold,
                "PutObjectLegalHold": locks.put_object_legal_hold,
                "GetBucketAcl": configuration.get_bucket_acl,
                "PutBucketAcl": configuration.put_bucket_acl,
                "GetBucketPolicy": configuration.get_bucket_policy,
                "PutBucketPolicy": configuration.put_bucket_policy,
                "GetBucketPolicyStatus": configuration.get_bucket_policy_status,
                "ListBuckets": configuration.list_buckets,
                "CreateBucket": configuration.create_bucket,
                "HeadBucket": configuration.head_bucket,
                "DeleteBucket": configuration.delete_bucket,
                "GetBucketLocation": configuration.get_bucket_location,
                "GetBucketNotificationConfiguration": self._destinations.get,
                "PutBucketNotificationConfiguration": self._destinations.put,
                "GetBucketVersioning": self._versioning.get_bucket_versioning,
                "PutBucketVersioning": self._versioning.put_bucket_versioning,
                "ListObjects": lambda p: s3_listing.list_objects(p, self._scan(p)),
                "ListObjectsV2": lambda p: s3_listing.list_objects_v2(p, self._scan(p)),
                "ListObjectVersions": self._list_object_versions,
                "PutObject": put.put_object,
                "CopyObject": put.copy_object,
                "DeleteObject": put.delete_object,
                "DeleteObjects": put.delete_objects,
                "GetObject": get.get_object,
                "HeadObject": get.head_object,
                "GetObjectAttributes": get.get_object_attributes,
                "GetObjectTagging": put.get_object_tagging,
                "PutObjectTagging": put.put_object_tagging,
                "DeleteObjectTagging": put.delete_object_tagging,
                "GetObjectAcl": object_access.get_object_acl,
                "PutObjectAcl": object_access.put_object_acl,
                "CreateMultipartUpload": multipart.create_multipart_upload,
                "UploadPart": multipart.upload_part,
                "UploadPartCopy": multipart.upload_part_copy,
                "CompleteMultipartUpload": multipart.complete_multipart_upload,
                "AbortMultipartUpload": multipart.abort_multipart_upload,
                "ListParts": multipart.list_parts,
                "ListMultipartUploads": multipart.list_multipart_uploads,
            }
        )

    # For the other services

    def put_object(
        self, bucket: str, key: str, data: bytes, content_type: str = "application/octet-stream", **more: str
    ) -> str:
        """What PutObject does, with `more` of its parameters: durable on return, with its event. The ETag. Raises
        AwsError (NoSuchBucket ...)."""
        return self._put_body(bucket, key, Body(data, None, len(data)), content_type, more)

    def put_file(
        self, bucket: str, key: str, file: Path, content_type: str = "application/octet-stream", **more: str
    ) -> str:
        """The same of a file of the data directory, which is moved and not copied."""
        return self._put_body(bucket, key, Body(file=file, size=file.stat().st_size), content_type, more)

    def _put_body(self, bucket: str, key: str, body: Body, content_type: str, more: Mapping[str, str]) -> str:
        p = {"Bucket": bucket, "Key": key, "Body": body, "ContentType": content_type, **more}
        self._access.inherit(p, self._buckets.get(bucket))
        answer = self._put.put_object(p)
        etag: str = answer["ETag"]
        return etag

    def admit_put(self, caller: Caller, bucket: str, key: str) -> None:
        """Raises AccessDenied if a service may not put the object in the name of `caller`."""
        request = Request("PUT", f"/{bucket}/{key}", "", {}, Body(), caller)
        self._access.check(request, self._buckets.get(bucket), WRITE, {"Bucket": bucket, "Key": key})

    def open_object(self, bucket: str, key: str) -> bytes:
        """The whole object. Raises NoSuchBucket, NoSuchKey, InvalidRequest for one whose key only its client has."""
        stored, file = self._objects.open(bucket, key)
        with file:
            key_for_reading({}, stored.description.fields)
            return file.read()

    def files(self, bucket: str, prefix: str) -> list[StoredFile]:
        """Every object under `prefix`, in the order of the keys. Raises NoSuchBucket."""
        self._buckets.get(bucket)
        return self._objects.files(bucket, prefix)

    def tells(self, bucket: str, arn: str) -> bool:
        """Whether the bucket names the target for anything at all."""
        return self._destinations.tells(bucket, arn)

    def check_admitted(self, bucket: str, arn: str) -> None:
        """Raises AccessDenied if the policy of a target does not let S3 tell it of the bucket any more."""
        self._destinations.check_admitted(bucket, arn)

    async def admits(self, bucket: str, head: Head) -> bool:
        """Whether a page of another origin may send this: the bucket's CORS rules say so."""
        return s3_cors.admits(await asyncio.to_thread(self._cors_rules, bucket), head.method, head.headers)

    async def may_upload(self, request: Request) -> None:
        """Raises AccessDenied. Asked of what nobody signed, before its body is read."""
        await asyncio.to_thread(check_upload, request, self._access)

    def _cors_rules(self, bucket: str) -> Rules | None:
        found = self._buckets.find(bucket)
        rules: Rules | None = found.settings.get("cors", {}).get("CORSRules") if found else None
        return rules

    def _list_object_versions(self, p: Parameters) -> Parameters:
        bucket = self._buckets.get(p["Bucket"]).name

        def versions(start: bytes, stop: bytes | None, before: int | None, limit: int) -> Iterator[Version]:
            return self._objects.scan_versions(bucket, start, stop, before, limit)

        def change_of(key: str, version: str) -> int | None:
            return self._objects.change_of(bucket, key, version)

        return s3_listing.list_object_versions(p, versions, change_of)

    def _scan(self, p: Parameters) -> s3_listing.Scan[Stored]:
        bucket = self._buckets.get(p["Bucket"]).name

        def scan(start: bytes, stop: bytes | None, limit: int) -> Iterator[Stored]:
            return self._objects.scan(bucket, start, stop, limit)

        return scan
