"""What completes a multipart upload: which parts the client names, and what they add up to. Pure.

docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html.
"""

import itertools
from collections.abc import Mapping
from urllib.parse import quote

from localaws.errors import AwsError
from localaws.s3 import checksums as s3_checksums
from localaws.s3 import description as s3_description
from localaws.s3 import versions as s3_versions
from localaws.s3.rows import Description, Stored
from localaws.s3.uploads import Part, Upload
from localaws.s3.xml import malformed
from localaws.wire import Parameters

_SMALLEST_PART = 5 * 2**20


def chosen(p: Parameters, upload: Upload, parts: Mapping[int, Part]) -> list[Part]:
    """The parts that the client names, if they are the ones that it sent."""
    named = p["MultipartUpload"]["Parts"]
    if any("PartNumber" not in part or "ETag" not in part for part in named):
        raise malformed()
    _check_kind(p, upload)
    numbers = [part["PartNumber"] for part in named]
    if any(one >= two for one, two in itertools.pairwise(numbers)):
        text = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise AwsError("InvalidPartOrder", text, 400, UploadId=upload.id)
    chosen = [_same(named_part, parts.get(named_part["PartNumber"]), upload) for named_part in named]
    for part in chosen[:-1]:
        if part.size < _SMALLEST_PART:
            details = {"ETag": part.md5.hex(), "MinSizeAllowed": str(_SMALLEST_PART), "PartNumber": str(part.number)}
            text = "Your proposed upload is smaller than the minimum allowed size"
            raise AwsError("EntityTooSmall", text, 400, **details, ProposedSize=str(part.size))
    return chosen


def _same(named: Parameters, part: Part | None, upload: Upload) -> Part:
    """The part, if it is the one that was sent, and has the checksum that the client names."""
    given = {name: named[field] for name, field in s3_checksums.FIELDS.items() if named.get(field) is not None}
    own = given.pop(upload.algorithm or s3_checksums.DEFAULT, None)
    is_known = part is not None and part.md5.hex() == named["ETag"].strip('"') and own in {None, part.checksum}
    if part is None or not is_known or (given and not upload.algorithm):
        text = "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
        text += "specified entity tag may not match the part's entity tag."
        details = {"PartNumber": str(named["PartNumber"]), "ETag": named["ETag"].strip('"')}
        raise AwsError("InvalidPart", text, 400, UploadId=upload.id, **details)
    if given:
        text = f"The {next(iter(given)).lower()} you specified for part {part.number} did not match what we received."
        raise AwsError("BadDigest", text)
    if own is None and upload.algorithm and upload.checksum_type == "COMPOSITE":
        text = f"The upload was created using a {upload.algorithm.lower()} checksum. The complete request must include "
        rest = f"the checksum for each part. It was missing for part {part.number} in the request."
        raise AwsError("InvalidRequest", text + rest)
    return part


def _check_kind(p: Parameters, upload: Upload) -> None:
    mode = upload.checksum_type if upload.algorithm else "null"
    if p.get("ChecksumType", mode) != mode:
        text = f"The upload was created using the {mode} checksum mode. The complete request must use "
        raise AwsError("InvalidRequest", text + "the same checksum mode.")


def _check_value(p: Parameters, upload: Upload, algorithm: str, checksum: str) -> None:
    """The checksum that the client names is of the algorithm's default kind unless it says otherwise, and of no other
    algorithm."""
    given = {name: p[field] for name, field in s3_checksums.FIELDS.items() if p.get(field) is not None}
    if not upload.algorithm:
        given = {name: value for name, value in given.items() if name == algorithm}  # S3 ignores the others
    kind = p.get("ChecksumType", s3_checksums.TYPES[algorithm][0])
    right = {name: value.partition("-")[0] for name, value in given.items()} == {algorithm: checksum.partition("-")[0]}
    if given and not (right and kind == upload.checksum_type):
        text = f"The {algorithm.lower()} you specified did not match the calculated checksum."
        raise AwsError("BadDigest", text)


def description(p: Parameters, upload: Upload, parts: list[Part]) -> Description:
    """The object's description; the size and checksum that the client names must be what the parts add up to."""
    size = sum(part.size for part in parts)
    if p.get("MpuObjectSize", size) != size:
        text = f"The provided 'x-amz-mp-object-size' header value {p['MpuObjectSize']} does not match what was "
        raise AwsError("InvalidRequest", f"{text}computed: {size}")
    algorithm = upload.algorithm or s3_checksums.DEFAULT
    checksum = s3_checksums.of_parts(algorithm, upload.checksum_type, [(part.checksum, part.size) for part in parts])
    _check_value(p, upload, algorithm, checksum)
    field = s3_checksums.FIELDS[algorithm]
    own = [{field: part.checksum} if upload.algorithm else {} for part in parts]
    listed = [{"PartNumber": part.number, "Size": part.size} | told for part, told in zip(parts, own, strict=True)]
    is_sealed = "SSECustomerKeyMD5" in upload.fields
    return Description(
        upload.fields,
        {algorithm: checksum},
        upload.checksum_type,
        upload.tags,
        listed,
        upload.id,
        upload.access,
        [(part.size, part.md5.hex()) for part in parts] if is_sealed else (),
    )


def completed(p: Parameters, stored: Stored) -> Parameters:
    description = stored.description
    return {
        "Location": f"https://{p['Bucket']}.s3.amazonaws.com/{quote(stored.key)}",
        "Bucket": p["Bucket"],
        "Key": stored.key,
        "ETag": f'"{stored.etag}"',
        **s3_checksums.fields(description.checksums, description.checksum_type),
        **s3_description.encryption(description.fields),
        "VersionId": s3_versions.told(stored.version),
    }
