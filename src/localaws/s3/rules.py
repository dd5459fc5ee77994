"""Which permission an operation of S3 needs. Pure.

docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html and, for access lists,
.../acl-overview.html#acl-access-policy-permission-mapping.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from localaws.s3.acl import HEADERS
from localaws.wire import Parameters


class Rule(NamedTuple):
    """`bucket` and `object`: the permission in an access list that suffices; `versioned`: the action on a version."""

    action: str
    bucket: str = ""
    object: str = ""
    versioned: str = ""


READ = Rule("s3:GetObject", object="READ", versioned="s3:GetObjectVersion")
WRITE = Rule("s3:PutObject", bucket="WRITE")
LIST = Rule("s3:ListBucket", bucket="READ")
# Any other operation needs the action of its own name, and no access list suffices.
RULES: Mapping[str, Rule] = {
    "AbortMultipartUpload": Rule("s3:AbortMultipartUpload", bucket="WRITE"),
    "CompleteMultipartUpload": WRITE,
    "CopyObject": WRITE,
    "CreateMultipartUpload": WRITE,
    "DeleteBucketCors": Rule("s3:PutBucketCORS"),
    "DeleteBucketEncryption": Rule("s3:PutEncryptionConfiguration"),
    "DeleteBucketLifecycle": Rule("s3:PutLifecycleConfiguration"),
    "DeleteBucketOwnershipControls": Rule("s3:PutBucketOwnershipControls"),
    "DeleteBucketReplication": Rule("s3:PutReplicationConfiguration"),
    "DeleteBucketTagging": Rule("s3:PutBucketTagging"),
    "DeleteObject": Rule("s3:DeleteObject", bucket="WRITE", versioned="s3:DeleteObjectVersion"),
    "DeleteObjectTagging": Rule("s3:DeleteObjectTagging", versioned="s3:DeleteObjectVersionTagging"),
    "DeletePublicAccessBlock": Rule("s3:PutBucketPublicAccessBlock"),
    "GetBucketAccelerateConfiguration": Rule("s3:GetAccelerateConfiguration"),
    "GetBucketAcl": Rule("s3:GetBucketAcl", bucket="READ_ACP"),
    "GetBucketCors": Rule("s3:GetBucketCORS"),
    "GetBucketEncryption": Rule("s3:GetEncryptionConfiguration"),
    "GetBucketLifecycleConfiguration": Rule("s3:GetLifecycleConfiguration"),
    "GetBucketNotificationConfiguration": Rule("s3:GetBucketNotification"),
    "GetBucketReplication": Rule("s3:GetReplicationConfiguration"),
    "GetObject": READ,
    "GetObjectAcl": Rule("s3:GetObjectAcl", object="READ_ACP", versioned="s3:GetObjectVersionAcl"),
    "GetObjectAttributes": READ,
    "GetObjectLegalHold": Rule("s3:GetObjectLegalHold"),
    "GetObjectLockConfiguration": Rule("s3:GetBucketObjectLockConfiguration"),
    "GetObjectTagging": Rule("s3:GetObjectTagging", versioned="s3:GetObjectVersionTagging"),
    "GetPublicAccessBlock": Rule("s3:GetBucketPublicAccessBlock"),
    "HeadBucket": LIST,
    "HeadObject": READ,
    "ListMultipartUploads": Rule("s3:ListBucketMultipartUploads", bucket="READ"),
    "ListObjectVersions": Rule("s3:ListBucketVersions", bucket="READ"),
    "ListObjects": LIST,
    "ListObjectsV2": LIST,
    "ListParts": Rule("s3:ListMultipartUploadParts"),
    "PutBucketAccelerateConfiguration": Rule("s3:PutAccelerateConfiguration"),
    "PutBucketAcl": Rule("s3:PutBucketAcl", bucket="WRITE_ACP"),
    "PutBucketCors": Rule("s3:PutBucketCORS"),
    "PutBucketEncryption": Rule("s3:PutEncryptionConfiguration"),
    "PutBucketLifecycleConfiguration": Rule("s3:PutLifecycleConfiguration"),
    "PutBucketNotificationConfiguration": Rule("s3:PutBucketNotification"),
    "PutBucketReplication": Rule("s3:PutReplicationConfiguration"),
    "PutObject": WRITE,
    "PutObjectAcl": Rule("s3:PutObjectAcl", object="WRITE_ACP", versioned="s3:PutObjectVersionAcl"),
    "PutObjectLockConfiguration": Rule("s3:PutBucketObjectLockConfiguration"),
    "PutObjectTagging": Rule("s3:PutObjectTagging", versioned="s3:PutObjectVersionTagging"),
    "PutPublicAccessBlock": Rule("s3:PutBucketPublicAccessBlock"),
    "UploadPart": WRITE,
    "UploadPartCopy": WRITE,
    **{
        operation: Rule(f"s3:{access}{kind}Configuration")
        for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
        for operation, access in (
            (f"DeleteBucket{kind}Configuration", "Put"),
            (f"GetBucket{kind}Configuration", "Get"),
            (f"ListBucket{kind}Configurations", "Get"),
            (f"PutBucket{kind}Configuration", "Put"),
        )
    },
}
OF_ACCOUNT: Mapping[str, Rule] = {"CreateBucket": Rule("s3:CreateBucket"), "ListBuckets": Rule("s3:ListAllMyBuckets")}
"""Operations that are about no bucket that is there."""
UPLOADS = frozenset({"CopyObject", "CreateMultipartUpload", "PutObject"})
# What a header of an upload asks for besides (docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html).
_BROUGHT = {
    "Tagging": Rule("s3:PutObjectTagging"),
    "ObjectLockMode": Rule("s3:PutObjectRetention"),
    "ObjectLockLegalHoldStatus": Rule("s3:PutObjectLegalHold"),
    **dict.fromkeys(("ACL", *HEADERS), Rule("s3:PutObjectAcl")),
}
_ATTRIBUTES = Rule("s3:GetObjectAttributes", versioned="s3:GetObjectVersionAttributes")


def further(operation: str, p: Parameters) -> Iterator[Rule]:
    """What an operation needs of IAM besides."""
    if operation in UPLOADS:
        yield from (rule for member, rule in _BROUGHT.items() if p.get(member))
    elif operation == "GetObjectAttributes":
        yield _ATTRIBUTES
