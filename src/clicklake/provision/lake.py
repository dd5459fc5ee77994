"""The lake: one bucket with all zones, private, encrypted, with old versions and old objects expiring."""

from dataclasses import asdict
from typing import Any

from clicklake.pipeline import Pipeline
from clicklake.provision.stack import Stack, tls_only, unless_there

_PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
_OWNED = {"ObjectOwnership": "BucketOwnerEnforced"}
# No bucket key: it saves calls of KMS, and SSE-S3 makes none.
_ENCRYPTED = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}


def bucket_is_there(stack: Stack) -> bool:
    s3 = stack.client("s3")
    try:
        s3.head_bucket(Bucket=stack.names.bucket)
    except s3.exceptions.ClientError as e:
        if e.response["Error"]["Code"] != "404":
            raise
        return False
    return True


def make_bucket(stack: Stack) -> None:
    s3, bucket = stack.client("s3"), stack.names.bucket
    with unless_there():
        s3.create_bucket(Bucket=bucket, **_place(stack.region))
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [_OWNED]})
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [_ENCRYPTED]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": _lifecycle(stack.pipeline)})
    s3.put_bucket_policy(Bucket=bucket, Policy=tls_only("s3:*", stack.bucket_arn, f"{stack.bucket_arn}/*"))
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": stack.tag_list})


def _place(region: str) -> dict[str, Any]:
    """us-east-1 is S3's own default, and may not be named: API_CreateBucketConfiguration.html in S3's API reference."""
    return {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}


def _lifecycle(pipeline: Pipeline) -> list[dict[str, Any]]:
    """A zone that has no retention is kept. A replay overwrites, so old versions go after a month."""
    rules = [
        {
            "ID": f"expire-{zone}",
            "Status": "Enabled",
            "Filter": {"Prefix": getattr(pipeline.zones, zone)},
            "Expiration": {"Days": days},
        }
        for zone, days in asdict(pipeline.retention_days).items()
    ]
    tidy = {
        "ID": "tidy",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }
    return [*rules, tidy]


def make_trigger(stack: Stack) -> None:
    """Only raw objects start the function; what it writes itself lies in other zones."""
    with unless_there():
        stack.client("lambda").add_permission(
            FunctionName=stack.names.function,
            StatementId="AllowS3",
            Action="lambda:InvokeFunction",
            Principal="s3.amazonaws.com",
            SourceArn=stack.bucket_arn,
            SourceAccount=stack.account,
        )
    rules = [{"Name": "prefix", "Value": stack.pipeline.zones.raw}, {"Name": "suffix", "Value": ".gz"}]
    configuration = {
        "Id": "raw",
        "LambdaFunctionArn": stack.function_arn,
        "Events": ["s3:ObjectCreated:*"],
        "Filter": {"Key": {"FilterRules": rules}},
    }
    stack.client("s3").put_bucket_notification_configuration(
        Bucket=stack.names.bucket, NotificationConfiguration={"LambdaFunctionConfigurations": [configuration]}
    )
