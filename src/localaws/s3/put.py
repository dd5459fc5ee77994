"""Changing objects: put, copy, delete, tags."""

from dataclasses import replace
from urllib.parse import unquote_to_bytes

from localaws.errors import AwsError
from localaws.s3 import checksums as s3_checksums
from localaws.s3 import conditions as s3_conditions
from localaws.s3 import description as s3_description
from localaws.s3.disk import Disk
from localaws.s3.get import check_version
from localaws.s3.keys import check_key
from localaws.s3.listing import MOST, OWNER
from localaws.s3.objects import Description, New, Objects, Stored
from localaws.s3.xml import malformed
from localaws.wire import Body, Parameters

_LARGEST = 5 * 2**30  # what one PutObject, UploadPart or CopyObject may carry


class Put:
    def __init__(self, objects: Objects, disk: Disk) -> None:
        self._objects = objects
        self._disk = disk

    def put_object(self, p: Parameters) -> Parameters:
        check_key(p["Key"])
        description = Description(s3_description.fields_of(p), tags=s3_description.tags_of_header(p.get("Tagging")))
        measured = s3_checksums.measure(p["Body"], [s3_checksums.wanted(p)])
        s3_checksums.verify(p, measured)
        staged = self._disk.stage(p["Body"])
        stored = self._commit(p, staged, measured, description, "ObjectCreated:Put")
        return _written(stored) | {"ETag": f'"{stored.etag}"'}

    def _commit(
        self, p: Parameters, staged: str, measured: s3_checksums.Measured, description: Description, event: str
    ) -> Stored:
        description = replace(description, checksums=measured.checksums)
        etag = measured.md5.hex()
        new = New(p["Bucket"], p["Key"], staged, measured.size, etag, description, event)
        return self._objects.put(new, lambda old: s3_conditions.check_write(p, old.etag if old else None))

    def copy_object(self, p: Parameters) -> Parameters:
        check_key(p["Key"])
        bucket, key = source_of(p)
        stored, file = self._objects.open(bucket, key)
        with file:
            s3_conditions.check_source(p, stored.etag, stored.modified)
            if stored.size > _LARGEST:
                raise AwsError("InvalidRequest", "The specified copy source is larger than the maximum allowable size")
            description = _copied(p, stored, (bucket, key) == (p["Bucket"], p["Key"]))
            staged = self._disk.stage_slices([(file, 0, stored.size)])
        algorithm = str(p.get("ChecksumAlgorithm") or next(iter(stored.description.checksums), s3_checksums.DEFAULT))
        s3_checksums.wanted({"ChecksumAlgorithm": algorithm})
        measured = s3_checksums.measure(Body(file=self._disk.staged(staged), size=stored.size), [algorithm.upper()])
        copy = self._commit(p, staged, measured, description, "ObjectCreated:Copy")
        answer = {"ETag": f'"{copy.etag}"', "LastModified": copy.modified}
        checksums = s3_checksums.fields(copy.description.checksums, copy.description.checksum_type)
        return s3_description.encryption(copy.description.fields) | {"CopyObjectResult": answer | checksums}

    def delete_object(self, p: Parameters) -> Parameters:
        check_version(p)
        conditional: Parameters = {name: p[name] for name in ("IfMatch", "Key") if name in p}
        refused = self._objects.delete(
            p["Bucket"], [p["Key"]], lambda old: s3_conditions.check_write(conditional, old.etag if old else None)
        )
        if refused:
            raise refused[p["Key"]]
        return {}

    def delete_objects(self, p: Parameters) -> Parameters:
        if "Delete" not in p or not 0 < len(p["Delete"].get("Objects", ())) <= MOST:
            raise malformed()
        keys = {}
        errors = []
        for item in p["Delete"]["Objects"]:
            try:
                check_version(item)
                keys[item["Key"]] = item.get("VersionId")
            except AwsError as e:
                errors.append({**item, "Code": e.code, "Message": e.message})
        self._objects.delete(p["Bucket"], list(keys), lambda _: None)
        deleted = [{"Key": key, "VersionId": version} for key, version in keys.items()]
        return {"Deleted": [] if p["Delete"].get("Quiet") else deleted, "Errors": errors}

    def get_object_tagging(self, p: Parameters) -> Parameters:
        check_version(p)
        tags = self._objects.get(p["Bucket"], p["Key"]).description.tags
        return {"TagSet": [{"Key": name, "Value": value} for name, value in tags.items()]}

    def put_object_tagging(self, p: Parameters) -> Parameters:
        check_version(p)
        if "Tagging" not in p:
            raise malformed()
        tags = s3_description.tags_of_document(p["Tagging"])
        self._objects.describe(p["Bucket"], p["Key"], lambda old: replace(old, tags=tags))
        return {}

    def delete_object_tagging(self, p: Parameters) -> Parameters:
        check_version(p)
        self._objects.describe(p["Bucket"], p["Key"], lambda old: replace(old, tags={}))
        return {}

    def get_object_acl(self, p: Parameters) -> Parameters:
        """Every object is its owner's alone; other access lists can't be put."""
        check_version(p)
        self._objects.get(p["Bucket"], p["Key"])
        grantee = {"Type": "CanonicalUser", **OWNER}
        return {"Owner": OWNER, "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}

    def put_object_acl(self, p: Parameters) -> Parameters:
        check_version(p)
        self._objects.get(p["Bucket"], p["Key"])
        if p.get("ACL") not in {"private", "bucket-owner-full-control"}:
            raise AwsError("NotImplemented", "Access lists of objects other than private are not implemented", 501)
        return {}


def source_of(p: Parameters) -> tuple[str, str]:
    """(bucket, key) of x-amz-copy-source: `[/]bucket/key[?versionId=null]`, URL-encoded."""
    path, _, version = p["CopySource"].partition("?versionId=")
    try:
        bucket, _, key = unquote_to_bytes(path).decode().removeprefix("/").partition("/")
    except UnicodeDecodeError as e:
        raise _bad_source(p) from e
    if not bucket or not key:
        raise _bad_source(p)
    check_version({"Key": key, "VersionId": version or None})
    return bucket, key


def _bad_source(p: Parameters) -> AwsError:
    text = "Invalid copy source object key"
    return AwsError("InvalidArgument", text, 400, ArgumentName="x-amz-copy-source", ArgumentValue=p["CopySource"])


def _copied(p: Parameters, source: Stored, to_itself: bool) -> Description:
    """The copy's description: the source's, or that of the request with the REPLACE directives."""
    directives = {name: p.get(name, "COPY") for name in ("MetadataDirective", "TaggingDirective")}
    for name, directive in directives.items():
        if directive not in {"COPY", "REPLACE"}:
            raise AwsError("InvalidArgument", f"Unknown {name.removesuffix('Directive').lower()} directive.")
    changes = ("StorageClass", "ServerSideEncryption", "WebsiteRedirectLocation", "ChecksumAlgorithm")
    if to_itself and "REPLACE" not in directives.values() and not any(p.get(name) for name in changes):
        text = "This copy request is illegal because it is trying to copy an object to itself without changing the "
        rest = "object's metadata, storage class, website redirect location or encryption attributes."
        raise AwsError("InvalidRequest", text + rest)
    fields = s3_description.fields_of(p)
    if directives["MetadataDirective"] == "COPY":
        own = {name: fields[name] for name in changes if name in fields}
        kept = {name: value for name, value in source.description.fields.items() if name not in changes}
        fields = kept | own
    replaced = directives["TaggingDirective"] == "REPLACE"
    tags = s3_description.tags_of_header(p.get("Tagging")) if replaced else source.description.tags
    return Description(fields, tags=tags)


def _written(stored: Stored) -> Parameters:
    """What PutObject answers of what was stored."""
    description = stored.description
    checksums = s3_checksums.fields(description.checksums, description.checksum_type)
    return s3_description.encryption(description.fields) | checksums
