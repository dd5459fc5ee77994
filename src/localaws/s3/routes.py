"""Which operation a request of S3 is, by its method, level and subresource."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from localaws.s3.reports import KINDS
from localaws.s3.settings import SETTINGS

Level = Literal["service", "bucket", "object"]


@dataclass(frozen=True, slots=True)
class Route:
    """`root`: the root element of an answer that has a document."""

    operation: str
    root: str = ""


# (method, level, subresource)
ROUTES: Mapping[tuple[str, Level, str], Route] = {
    **{("PUT", "bucket", setting.subresource): Route(setting.put) for setting in SETTINGS},
    **{("GET", "bucket", setting.subresource): Route(setting.get, setting.root) for setting in SETTINGS},
    **{("DELETE", "bucket", setting.subresource): Route(setting.delete) for setting in SETTINGS if setting.delete},
    **{
        ("GET", "bucket", kind.subresource): Route(f"ListBucket{kind.member}s", f"List{kind.member}sResult")
        for kind in KINDS
    },
    **{("GET", "bucket", f"{kind.subresource} id"): Route(f"GetBucket{kind.member}", kind.member) for kind in KINDS},
    **{("PUT", "bucket", f"{kind.subresource} id"): Route(f"PutBucket{kind.member}") for kind in KINDS},
    **{("DELETE", "bucket", f"{kind.subresource} id"): Route(f"DeleteBucket{kind.member}") for kind in KINDS},
    ("GET", "bucket", "acl"): Route("GetBucketAcl", "AccessControlPolicy"),
    ("PUT", "bucket", "acl"): Route("PutBucketAcl"),
    ("GET", "bucket", "policy"): Route("GetBucketPolicy"),
    ("PUT", "bucket", "policy"): Route("PutBucketPolicy"),
    ("DELETE", "bucket", "policy"): Route("DeleteBucketPolicy"),
    ("GET", "bucket", "policyStatus"): Route("GetBucketPolicyStatus", "PolicyStatus"),
    ("GET", "service", ""): Route("ListBuckets", "ListAllMyBucketsResult"),
    ("PUT", "bucket", ""): Route("CreateBucket"),
    ("HEAD", "bucket", ""): Route("HeadBucket"),
    ("DELETE", "bucket", ""): Route("DeleteBucket"),
    ("GET", "bucket", "location"): Route("GetBucketLocation", "LocationConstraint"),
    ("GET", "bucket", "notification"): Route("GetBucketNotificationConfiguration", "NotificationConfiguration"),
    ("PUT", "bucket", "notification"): Route("PutBucketNotificationConfiguration"),
    ("GET", "bucket", "versioning"): Route("GetBucketVersioning", "VersioningConfiguration"),
    ("PUT", "bucket", "versioning"): Route("PutBucketVersioning"),
    ("GET", "bucket", ""): Route("ListObjects", "ListBucketResult"),
    ("GET", "bucket", "list-type"): Route("ListObjectsV2", "ListBucketResult"),
    ("GET", "bucket", "versions"): Route("ListObjectVersions", "ListVersionsResult"),
    ("GET", "bucket", "uploads"): Route("ListMultipartUploads", "ListMultipartUploadsResult"),
    ("POST", "bucket", "delete"): Route("DeleteObjects", "DeleteResult"),
    ("PUT", "object", ""): Route("PutObject"),
    ("PUT", "object", "copy"): Route("CopyObject", "CopyObjectResult"),
    ("GET", "object", ""): Route("GetObject"),
    ("HEAD", "object", ""): Route("HeadObject"),
    ("DELETE", "object", ""): Route("DeleteObject"),
    ("GET", "object", "legal-hold"): Route("GetObjectLegalHold", "LegalHold"),
    ("PUT", "object", "legal-hold"): Route("PutObjectLegalHold"),
    ("GET", "object", "retention"): Route("GetObjectRetention", "Retention"),
    ("PUT", "object", "retention"): Route("PutObjectRetention"),
    ("GET", "object", "attributes"): Route("GetObjectAttributes", "GetObjectAttributesResponse"),
    ("GET", "object", "tagging"): Route("GetObjectTagging", "Tagging"),
    ("PUT", "object", "tagging"): Route("PutObjectTagging"),
    ("DELETE", "object", "tagging"): Route("DeleteObjectTagging"),
    ("GET", "object", "acl"): Route("GetObjectAcl", "AccessControlPolicy"),
    ("PUT", "object", "acl"): Route("PutObjectAcl"),
    ("POST", "object", "uploads"): Route("CreateMultipartUpload", "InitiateMultipartUploadResult"),
    ("PUT", "object", "uploadId"): Route("UploadPart"),
    ("PUT", "object", "uploadId copy"): Route("UploadPartCopy", "CopyPartResult"),
    ("GET", "object", "uploadId"): Route("ListParts", "ListPartsResult"),
    ("POST", "object", "uploadId"): Route("CompleteMultipartUpload", "CompleteMultipartUploadResult"),
    ("DELETE", "object", "uploadId"): Route("AbortMultipartUpload"),
}
