"""Multipart uploads: the operations. Completing one joins its parts into one object.

docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. A completed upload may be completed again with the same
answer (the client may not have heard the first one), as long as its object is there.
"""

from collections.abc import Callable, Iterator
from typing import IO

from localaws.errors import AwsError
from localaws.s3 import checksums as s3_checksums
from localaws.s3 import completion as s3_completion
from localaws.s3 import conditions as s3_conditions
from localaws.s3 import description as s3_description
from localaws.s3 import versions as s3_versions
from localaws.s3.access import ACCESS, BUCKET_OWNER
from localaws.s3.accounts import initiator, owner
from localaws.s3.buckets import Buckets
from localaws.s3.customer_keys import Cipher, key_for_part, key_for_reading, key_of
from localaws.s3.disk import Disk
from localaws.s3.keys import check_key
from localaws.s3.listing import limit_of, page, text_of
from localaws.s3.objects import Objects
from localaws.s3.put import open_source, source_of
from localaws.s3.rows import Stored
from localaws.s3.succession import New
from localaws.s3.uploads import Part, Upload, Uploads
from localaws.s3.xml import malformed
from localaws.wire import Body, Parameters

_MOST_PARTS = 10_000


class Multipart:
    def __init__(
        self,
        uploads: Uploads,
        disk: Disk,
        buckets: Buckets,
        objects: Objects,
        clock: Callable[[], float],
        ids: Callable[[], str],
    ) -> None:
        self._uploads = uploads
        self._disk = disk
        self._buckets = buckets
        self._objects = objects
        self._clock = clock
        self._ids = ids

    # One upload

    def create_multipart_upload(self, p: Parameters) -> Parameters:
        check_key(p["Key"])
        algorithm, kind = _checksum_kind(p)
        fields, tags = s3_description.fields_of(p), s3_description.tags_of_header(p.get("Tagging"))
        now = int(self._clock() * 1e6)
        id_ = s3_versions.new_id(now, self._ids)  # tells its time, so that a listing can go on behind one that is gone
        there = self._objects.find(p["Bucket"], p["Key"])
        before = there.change if there else None
        upload = Upload(id_, p["Bucket"], p["Key"], now / 1e6, fields, tags, algorithm, kind, before, p.get(ACCESS, {}))
        self._uploads.create(upload)
        names = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.id}
        return names | s3_description.encryption(fields) | _told(upload)

    def upload_part(self, p: Parameters) -> Parameters:
        s3_description.refuse_unsupported(p)
        upload, number = self._upload(p), _number(p)
        key = key_for_part(p, upload.fields)
        given = s3_checksums.wanted(p)
        kept = upload.algorithm or s3_checksums.DEFAULT
        has_value = p.get(s3_checksums.FIELDS[given]) is not None
        if has_value and given != kept and upload.algorithm:
            text = f"Checksum Type mismatch occurred, expected checksum Type: {kept.lower()}, "
            raise AwsError("InvalidRequest", text + f"actual checksum Type: {given.lower()}")
        measured = s3_checksums.measure(p["Body"], {given, kept})
        s3_checksums.verify(p, measured)
        part = self._add(upload, number, self._disk.staging.stage(p["Body"]), measured, key)
        told = s3_checksums.fields({given: measured.checksums[given]}) if has_value else {}
        return {"ETag": part.etag} | s3_description.encryption(upload.fields) | told

    def upload_part_copy(self, p: Parameters) -> Parameters:
        s3_description.refuse_unsupported(p)
        upload, number = self._upload(p), _number(p)
        source, file = open_source(self._objects, *source_of(p))
        source_fields = source.description.fields
        with file:
            s3_conditions.check_source(p, source.etag, source.modified, self._objects.now())
            start, length = s3_conditions.copy_slice(p.get("CopySourceRange"), source.size)
            key, key_of_source = key_for_part(p, upload.fields), key_for_reading(p, source_fields, "CopySource")
            staged = self._disk.staging.stage_slices([(file, start, length)])
        if key_of_source is not None:
            cipher = Cipher(key_of_source, source.description.sealed)
            self._disk.staging.rewrite(staged, lambda position, piece: cipher(start + position, piece))
        algorithm = upload.algorithm or s3_checksums.DEFAULT
        measured = s3_checksums.measure(Body(file=self._disk.staging.file(staged), size=length), [algorithm])
        part = self._add(upload, number, staged, measured, key)
        answer = {"ETag": part.etag, "LastModified": part.modified, **_checksum_of(part, upload)}
        version = {"CopySourceVersionId": s3_versions.told(source.version)}
        return s3_description.encryption(upload.fields) | version | {"CopyPartResult": answer}

    def _add(
        self, upload: Upload, number: int, staged: str, measured: s3_checksums.Measured, key: bytes | None
    ) -> Part:
        checksum = measured.checksums[upload.algorithm or s3_checksums.DEFAULT]
        md5 = measured.md5 if key is None else bytes.fromhex(self._disk.staging.seal(staged, measured.size, key))
        part = Part(number, staged, measured.size, md5, self._clock(), checksum)
        try:
            self._disk.staging.discard(self._uploads.add(upload, part))
        except AwsError:
            self._disk.staging.discard(staged)
            raise
        return part

    def abort_multipart_upload(self, p: Parameters) -> Parameters:
        for name in self._uploads.end(self._upload(p)):
            self._disk.staging.discard(name)
        return {}

    def complete_multipart_upload(self, p: Parameters) -> Parameters:
        s3_conditions.check_writing(p)
        try:
            upload = self._upload(p)
            if upload.algorithm or key_of(p) is not None:  # who asked for no checksum need not send the key again
                key_for_part(p, upload.fields)
            if "MultipartUpload" not in p:
                raise AwsError("InvalidRequest", "You must specify at least one part")
            if not p["MultipartUpload"].get("Parts"):
                raise malformed()
            return s3_completion.completed(p, self._complete(p, upload))
        except AwsError as e:
            before = self._objects.find(p["Bucket"], p["Key"]) if e.code == "NoSuchUpload" else None
            if before is None or before.description.upload != p["UploadId"]:
                raise
            return s3_completion.completed(p, before)

    def _complete(self, p: Parameters, upload: Upload) -> Stored:
        parts = self._chosen(p, upload)
        description = s3_completion.description(p, upload, parts)
        try:
            staged = self._disk.staging.stage_slices(self._slices(parts))
        except FileNotFoundError:
            self._upload(p)  # it may have ended meanwhile,
            self._chosen(p, upload)  # or a part may have come anew
            raise
        size, etag = sum(part.size for part in parts), s3_checksums.etag_of_parts([part.md5 for part in parts])
        event = "ObjectCreated:CompleteMultipartUpload"
        new = New(upload.bucket, upload.key, staged, size, etag, description, event)
        leftovers: list[str] = []
        stored = self._objects.put(
            new,
            lambda old: _check(p, upload, old),
            also=lambda: leftovers.extend(self._uploads.end(upload)),
        )
        for name in leftovers:
            self._disk.staging.discard(name)
        return stored

    def _chosen(self, p: Parameters, upload: Upload) -> list[Part]:
        return s3_completion.chosen(p, upload, {part.number: part for part in self._uploads.parts(upload)})

    def _slices(self, parts: list[Part]) -> Iterator[tuple[IO[bytes], int, int]]:
        """One file is open at a time: there may be 10,000."""
        for part in parts:
            with self._disk.staging.file(part.staged).open("rb", buffering=0) as file:
                yield file, 0, part.size

    def _upload(self, p: Parameters) -> Upload:
        return self._uploads.get(p["UploadId"], p["Bucket"], p["Key"])

    # Listings

    def list_parts(self, p: Parameters) -> Parameters:
        upload = self._upload(p)
        marker, limit = p.get("PartNumberMarker", 0), limit_of(p, "MaxParts")
        left = [part for part in self._uploads.parts(upload) if part.number > marker]
        listed = left[:limit]
        return {
            "Bucket": upload.bucket,
            "Key": upload.key,
            "UploadId": upload.id,
            "PartNumberMarker": marker,
            "NextPartNumberMarker": listed[-1].number if listed else 0,
            "MaxParts": limit,
            "IsTruncated": len(left) > len(listed),
            "Parts": [_shown(part, upload) for part in listed],
            "Initiator": initiator(_account(upload, p)),
            "Owner": owner(_account(upload, p)),
            "StorageClass": upload.fields.get("StorageClass", "STANDARD"),
            **_told(upload),
        }

    def list_multipart_uploads(self, p: Parameters) -> Parameters:
        self._buckets.get(p["Bucket"])
        limit, text = limit_of(p, "MaxUploads"), text_of(p)
        after = p.get("KeyMarker", "")
        marker = p.get("UploadIdMarker", "") if after else ""  # which alone says nothing
        behind = self._behind(p, marker) if marker else None

        def scan(start: bytes, stop: bytes | None, most: int) -> Iterator[Upload]:
            return self._uploads.scan(p["Bucket"], start, stop, behind if start == after.encode() else None, most)

        got = page(scan, p.get("Prefix", ""), p.get("Delimiter", ""), after, limit, within=marker != "")
        ended_in_key = bool(got.found) and got.found[-1].key == got.last
        return {
            "Bucket": p["Bucket"],
            "KeyMarker": text(after),
            "UploadIdMarker": marker,
            "NextKeyMarker": text(got.last) if got.found or got.truncated else "",
            "NextUploadIdMarker": got.found[-1].id if ended_in_key else "",
            "Prefix": text(p["Prefix"]) if p.get("Prefix") else None,
            "Delimiter": text(p["Delimiter"]) if p.get("Delimiter") else None,
            "EncodingType": p.get("EncodingType"),
            "MaxUploads": limit,
            "IsTruncated": got.truncated,
            "Uploads": [_listed(upload, text, p) for upload in got.found],
            "CommonPrefixes": [{"Prefix": text(prefix)} for prefix in got.prefixes],
        }

    def _behind(self, p: Parameters, marker: str) -> tuple[float, str]:
        """Where the listing goes on: behind the upload `marker`, which may have ended since."""
        at = s3_versions.change_of(marker)
        if at is None or self._uploads.find(marker) not in {None, (p["Bucket"], p["KeyMarker"])}:
            text = "Invalid uploadId marker"
            raise AwsError("InvalidArgument", text, 400, ArgumentName="upload-id-marker", ArgumentValue=marker)
        return at / 1e6, marker


def _checksum_kind(p: Parameters) -> tuple[str, str]:
    """(algorithm, type) that CreateMultipartUpload asks for; ("", ...) for none."""
    if not p.get("ChecksumAlgorithm"):
        if p.get("ChecksumType"):
            text = "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            raise AwsError("InvalidRequest", text)
        return "", s3_checksums.TYPES[s3_checksums.DEFAULT][0]
    algorithm = str(p["ChecksumAlgorithm"]).upper()
    if algorithm not in s3_checksums.TYPES:
        valid = ", ".join(s3_checksums.TYPES)
        text = f"Checksum algorithm provided is unsupported. Please try again with any of the valid types: [{valid}]"
        raise AwsError("InvalidRequest", text)
    kinds = s3_checksums.TYPES[algorithm]
    kind = p.get("ChecksumType", kinds[0])
    if kind not in {"COMPOSITE", "FULL_OBJECT"}:
        raise AwsError("InvalidRequest", "Value for x-amz-checksum-type header is invalid.")
    if kind not in kinds:
        text = f"The {kind} checksum type cannot be used with the {algorithm.lower()} checksum algorithm."
        raise AwsError("InvalidRequest", text)
    return algorithm, kind


def _number(p: Parameters) -> int:
    number: int = p["PartNumber"]
    if not 1 <= number <= _MOST_PARTS:
        text = f"Part number must be an integer between 1 and {_MOST_PARTS}, inclusive"
        raise AwsError("InvalidArgument", text, 400, ArgumentName="partNumber", ArgumentValue=str(number))
    return number


def _check(p: Parameters, upload: Upload, there: Stored | None) -> None:
    s3_conditions.check_write(p, there.etag if there else None)
    s3_conditions.check_undisturbed(p, upload.before, there.change if there else None)


def _told(upload: Upload) -> Parameters:
    """Which checksum the upload will have, if the client asked for one."""
    chosen = {"ChecksumAlgorithm": upload.algorithm, "ChecksumType": upload.checksum_type}
    return chosen if upload.algorithm else {}


def _checksum_of(part: Part, upload: Upload) -> Parameters:
    return s3_checksums.fields({upload.algorithm: part.checksum} if upload.algorithm else {})


def _shown(part: Part, upload: Upload) -> Parameters:
    identity = {"PartNumber": part.number, "LastModified": part.modified, "ETag": part.etag, "Size": part.size}
    return identity | _checksum_of(part, upload)


def _listed(upload: Upload, text: Callable[[str], str], p: Parameters) -> Parameters:
    return {
        "UploadId": upload.id,
        "Key": text(upload.key),
        "Initiated": upload.initiated,
        "StorageClass": upload.fields.get("StorageClass", "STANDARD"),
        "Owner": owner(_account(upload, p)),
        "Initiator": initiator(_account(upload, p)),
        **_told(upload),
    }


def _account(upload: Upload, p: Parameters) -> str:
    """Who began it, as far as accounts go."""
    account: str = upload.access.get("Owner", p[BUCKET_OWNER])
    return account
