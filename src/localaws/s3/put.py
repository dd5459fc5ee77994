"""Changing objects: put, copy, delete, tags."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO
from urllib.parse import unquote_to_bytes

from localaws.errors import AwsError
from localaws.s3 import checksums as s3_checksums
from localaws.s3 import conditions as s3_conditions
from localaws.s3 import description as s3_description
from localaws.s3 import lock as s3_lock
from localaws.s3 import versions as s3_versions
from localaws.s3.access import ACCESS, REFUSED
from localaws.s3.customer_keys import Cipher, key_for_reading, key_of
from localaws.s3.disk import Disk
from localaws.s3.keys import check_key
from localaws.s3.listing import MOST
from localaws.s3.objects import NOT_ALLOWED, Deletion, Objects
from localaws.s3.rows import Description, Stored
from localaws.s3.succession import Deleted, New
from localaws.s3.xml import malformed
from localaws.wire import Body, Parameters

_LARGEST = 5 * 2**30  # what one PutObject, UploadPart or CopyObject may carry


class Put:
    def __init__(self, objects: Objects, disk: Disk) -> None:
        self._objects = objects
        self._disk = disk

    def put_object(self, p: Parameters) -> Parameters:
        return self._put(p, "ObjectCreated:Put")

    def post_object(self, p: Parameters) -> Parameters:
        """A form's upload (post.py)."""
        return self._put(p, "ObjectCreated:Post")

    def _put(self, p: Parameters, event: str) -> Parameters:
        check_key(p["Key"])
        s3_conditions.check_writing(p)
        tags = s3_description.tags_of_header(p.get("Tagging"))
        description = Description(s3_description.fields_of(p), tags=tags, access=p.get(ACCESS, {}))
        measured = s3_checksums.measure(p["Body"], [s3_checksums.wanted(p)])
        s3_checksums.verify(p, measured)
        staged = self._disk.staging.stage(p["Body"])
        stored = self._commit(p, staged, measured, description, event)
        return _written(stored) | {"ETag": f'"{stored.etag}"'}

    def _commit(
        self, p: Parameters, staged: str, measured: s3_checksums.Measured, description: Description, event: str
    ) -> Stored:
        key = key_of(p)
        etag = measured.md5.hex() if key is None else self._disk.staging.seal(staged, measured.size, key)
        sealed = () if key is None else ((measured.size, etag),)
        description = replace(description, checksums=measured.checksums, sealed=sealed)
        new = New(p["Bucket"], p["Key"], staged, measured.size, etag, description, event)
        return self._objects.put(new, lambda old: s3_conditions.check_write(p, old.etag if old else None))

    def copy_object(self, p: Parameters) -> Parameters:
        check_key(p["Key"])
        s3_conditions.check_writing(p)
        bucket, key, version = source_of(p)
        stored, file = open_source(self._objects, bucket, key, version)
        with file:
            s3_conditions.check_source(p, stored.etag, stored.modified, self._objects.now())
            if stored.size > _LARGEST:
                raise AwsError("InvalidRequest", "The specified copy source is larger than the maximum allowable size")
            algorithm = s3_checksums.of_copy(p, stored.description.checksums)
            description = _copied(p, stored, (bucket, key, version) == (p["Bucket"], p["Key"], None))
            key_of_source = key_for_reading(p, stored.description.fields, "CopySource")
            staged = self._disk.staging.stage_slices([(file, 0, stored.size)])
        if key_of_source is not None:
            self._disk.staging.rewrite(staged, Cipher(key_of_source, stored.description.sealed))
        body = Body(file=self._disk.staging.file(staged), size=stored.size)
        measured = s3_checksums.measure(body, [algorithm])
        copy = self._commit(p, staged, measured, description, "ObjectCreated:Copy")
        answer = {"ETag": f'"{copy.etag}"', "LastModified": copy.modified}
        checksums = s3_checksums.fields(copy.description.checksums, copy.description.checksum_type)
        versions = {
            "VersionId": self._objects.shown_version(p["Bucket"], copy),
            "CopySourceVersionId": s3_versions.told(stored.version),
        }
        return s3_description.encryption(copy.description.fields) | versions | {"CopyObjectResult": answer | checksums}

    def delete_object(self, p: Parameters) -> Parameters:
        (done,) = self._objects.delete(p["Bucket"], [_deletion(p, p.get("IfMatch"), p)])
        if isinstance(done, AwsError):
            raise done
        return {"VersionId": done.marker or p.get("VersionId"), "DeleteMarker": done.marker is not None or None}

    def delete_objects(self, p: Parameters) -> Parameters:
        if "Delete" not in p or not 0 < len(p["Delete"].get("Objects", ())) <= MOST:
            raise malformed()
        wanted: list[tuple[Parameters, Deletion]] = []
        errors = []
        for item in p["Delete"]["Objects"]:
            try:
                if REFUSED in item:
                    raise item[REFUSED]
                wanted.append((item, _deletion(item, item.get("ETag"), p)))
            except AwsError as e:
                errors.append(_not_deleted(item, e))
        deleted = []
        for (item, _), done in zip(
            wanted, self._objects.delete(p["Bucket"], [deletion for _, deletion in wanted]), strict=True
        ):
            if isinstance(done, AwsError):
                errors.append(_not_deleted(item, done))
            else:
                deleted.append(_deleted(item, done))
        return {"Deleted": [] if p["Delete"].get("Quiet") else deleted, "Errors": errors}

    def get_object_tagging(self, p: Parameters) -> Parameters:
        with _markers_have_no_tags():
            stored = self._objects.get(p["Bucket"], p["Key"], s3_versions.wanted(p))
        tags = [{"Key": name, "Value": value} for name, value in stored.description.tags.items()]
        return {"TagSet": tags, "VersionId": self._objects.shown_version(p["Bucket"], stored)}

    def put_object_tagging(self, p: Parameters) -> Parameters:
        if "Tagging" not in p:
            raise malformed()
        return self._tag(p, s3_description.tags_of_document(p["Tagging"]), "ObjectTagging:Put")

    def delete_object_tagging(self, p: Parameters) -> Parameters:
        return self._tag(p, {}, "ObjectTagging:Delete")

    def _tag(self, p: Parameters, tags: dict[str, str], event: str) -> Parameters:
        version = s3_versions.wanted(p)
        with _markers_have_no_tags():
            stored = self._objects.describe(p["Bucket"], p["Key"], version, lambda old: replace(old, tags=tags), event)
        return {"VersionId": self._objects.shown_version(p["Bucket"], stored)}


def _deletion(p: Parameters, etag: str | None, request: Parameters) -> Deletion:
    """Conditions are of the current version (docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html);
    those of size and time are for directory buckets: to ignore one would delete what shall stay."""
    if any(p.get(name) is not None for name in ("IfMatchLastModifiedTime", "IfMatchSize", "LastModifiedTime", "Size")):
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    condition: Parameters = {"Key": p["Key"]} | ({"IfMatch": etag} if etag is not None else {})
    return Deletion(
        p["Key"],
        s3_versions.wanted(p),
        lambda old: s3_conditions.check_write(condition, old.etag if old else None),
        bool(request.get("BypassGovernanceRetention")),
    )


def _deleted(item: Parameters, done: Deleted) -> Parameters:
    marker = {"DeleteMarker": True, "DeleteMarkerVersionId": done.marker} if done.marker is not None else {}
    return {"Key": item["Key"], "VersionId": item.get("VersionId"), **marker}


def _not_deleted(item: Parameters, error: AwsError) -> Parameters:
    """A batch names a version that can't be one as one that is not there."""
    code, message = error.code, error.message
    if code == "InvalidArgument" and item.get("VersionId"):
        code, message = "NoSuchVersion", "The specified version does not exist."
    return {"Key": item["Key"], "VersionId": item.get("VersionId"), "Code": code, "Message": message}


@contextmanager
def _markers_have_no_tags() -> Iterator[None]:
    """S3 says of tags that the delete marker which is the latest has none, not that no key is there."""
    try:
        yield
    except AwsError as e:
        if e.code != "NoSuchKey" or "x-amz-delete-marker" not in e.headers:
            raise
        raise AwsError("MethodNotAllowed", NOT_ALLOWED, 405, ResourceType="DeleteMarker") from e


def source_of(p: Parameters) -> tuple[str, str, str | None]:
    """(bucket, key, version) of x-amz-copy-source: `[/]bucket/key[?versionId=...]`, URL-encoded."""
    path, _, version = p["CopySource"].partition("?versionId=")
    try:
        bucket, _, key = unquote_to_bytes(path).decode().removeprefix("/").partition("/")
    except UnicodeDecodeError as e:
        raise _bad_source() from e
    if not bucket or not key:
        raise _bad_source()
    return bucket, key, s3_versions.wanted({"VersionId": version or None})


def open_source(objects: Objects, bucket: str, key: str, version: str | None) -> tuple[Stored, IO[bytes]]:
    """Raises NoSuchBucket, NoSuchKey, NoSuchVersion, InvalidRequest for a delete marker."""
    try:
        return objects.open(bucket, key, version)
    except AwsError as e:
        if e.code != "MethodNotAllowed":
            raise
        text = "The source of a copy request may not specifically refer to a delete marker by version id."
        raise AwsError("InvalidRequest", text) from e


def _bad_source() -> AwsError:
    text = "Invalid copy source object key"
    return AwsError("InvalidArgument", text, 400, ArgumentName="x-amz-copy-source", ArgumentValue="x-amz-copy-source")


def _copied(p: Parameters, source: Stored, to_itself: bool) -> Description:
    """The copy's description: the source's, or that of the request with the REPLACE directives."""
    directives = {name: p.get(name, "COPY") for name in ("MetadataDirective", "TaggingDirective")}
    for name, directive in directives.items():
        if directive not in {"COPY", "REPLACE"}:
            raise AwsError("InvalidArgument", f"Unknown {name.removesuffix('Directive').lower()} directive.")
    changes = ("StorageClass", "WebsiteRedirectLocation", "ChecksumAlgorithm", *s3_description.ENCRYPTION)
    changed = any(p.get(name) for name in changes) or s3_description.is_sealed_anew(p, source.description.fields)
    if to_itself and "REPLACE" not in directives.values() and not changed:
        text = "This copy request is illegal because it is trying to copy an object to itself without changing the "
        rest = "object's metadata, storage class, website redirect location or encryption attributes."
        raise AwsError("InvalidRequest", text + rest)
    fields = s3_description.fields_of(p)
    if directives["MetadataDirective"] == "COPY":
        not_copied = {*changes, *s3_lock.FIELDS}
        own = {name: fields[name] for name in not_copied if name in fields}
        kept = {name: value for name, value in source.description.fields.items() if name not in not_copied}
        fields = kept | own
    replaced = directives["TaggingDirective"] == "REPLACE"
    tags = s3_description.tags_of_header(p.get("Tagging")) if replaced else source.description.tags
    return Description(fields, tags=tags, access=p.get(ACCESS, {}))


def _written(stored: Stored) -> Parameters:
    """What PutObject answers of what was stored."""
    description = stored.description
    checksums = s3_checksums.fields(description.checksums, description.checksum_type)
    return s3_description.encryption(description.fields) | checksums | {"VersionId": s3_versions.told(stored.version)}
