"""The delivery stream that clients send to, and the mark on it that says what the stack was made from."""

from typing import Any

from clicklake.errors import UsageError
from clicklake.provision.stack import Stack, unless_there
from clicklake.roles import DELIVERY_LOG_STREAM

_MARK = "clicklake:made-from"
_ENCRYPTION = {"KeyType": "AWS_OWNED_CMK"}


def make_stream(stack: Stack) -> None:
    firehose, name, wanted = stack.client("firehose"), stack.names.delivery_stream, _destination(stack)
    with unless_there():
        stack.client("logs").create_log_stream(
            logGroupName=stack.names.delivery_logs, logStreamName=DELIVERY_LOG_STREAM
        )
    with unless_there():
        firehose.create_delivery_stream(
            DeliveryStreamName=name,
            DeliveryStreamType="DirectPut",
            DeliveryStreamEncryptionConfigurationInput=_ENCRYPTION,
            ExtendedS3DestinationConfiguration=wanted,
            Tags=stack.tag_list,
        )
        return
    _bring_up_to_date(firehose, name, wanted)
    firehose.tag_delivery_stream(DeliveryStreamName=name, Tags=stack.tag_list)


def _destination(stack: Stack) -> dict[str, Any]:
    delivery = stack.pipeline.delivery
    return {
        "RoleARN": stack.role_arn(stack.names.delivery_stream),
        "BucketARN": stack.bucket_arn,
        "Prefix": delivery.prefix,
        "ErrorOutputPrefix": delivery.error_prefix,
        "BufferingHints": {"SizeInMBs": stack.buffer.mib, "IntervalInSeconds": stack.buffer.seconds},
        "CompressionFormat": "GZIP",
        "CloudWatchLoggingOptions": {
            "Enabled": True,
            "LogGroupName": stack.names.delivery_logs,
            "LogStreamName": DELIVERY_LOG_STREAM,
        },
        "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]},
        "DataFormatConversionConfiguration": {"Enabled": False},
    }


def _bring_up_to_date(firehose: Any, name: str, wanted: dict[str, Any]) -> None:
    stream = firehose.describe_delivery_stream(DeliveryStreamName=name)["DeliveryStreamDescription"]
    (destination,) = stream["Destinations"]
    found = destination["ExtendedS3DestinationDescription"]
    if any(found.get(key) != value for key, value in wanted.items()):
        firehose.update_destination(
            DeliveryStreamName=name,
            CurrentDeliveryStreamVersionId=stream["VersionId"],
            DestinationId=destination["DestinationId"],
            ExtendedS3DestinationUpdate=wanted,
        )
    if stream["DeliveryStreamEncryptionConfiguration"]["Status"] != "ENABLED":
        firehose.start_delivery_stream_encryption(
            DeliveryStreamName=name, DeliveryStreamEncryptionConfigurationInput=_ENCRYPTION
        )


def mark(stack: Stack) -> str | None:
    """What the stack was made from, by the mark; None before it was made whole. Raises UsageError for one that is not
    ours: Terraform's, by its tag or, where the module's user has no such tag, by the bucket."""
    firehose = stack.client("firehose")
    try:
        found = firehose.list_tags_for_delivery_stream(DeliveryStreamName=stack.names.delivery_stream)["Tags"]
    except firehose.exceptions.ResourceNotFoundException:
        return None
    tags = {tag["Key"]: tag["Value"] for tag in found}
    if tags.get("ManagedBy") == "terraform":
        raise UsageError(f"{stack.names.delivery_stream} is Terraform's", "leave it so: clicklake up --bare")
    if tags.get("ManagedBy") != stack.tags["ManagedBy"] and (bucket := _bucket_of(firehose, stack)) != stack.bucket_arn:
        elsewhere = bucket.rpartition(":")[2]
        whose = f"{stack.names.delivery_stream} is somebody else's, for it delivers to {elsewhere}"
        raise UsageError(whose, "leave it so: clicklake up --bare")
    return tags.get(_MARK)


def _bucket_of(firehose: Any, stack: Stack) -> str:
    found = firehose.describe_delivery_stream(DeliveryStreamName=stack.names.delivery_stream)
    (destination,) = found["DeliveryStreamDescription"]["Destinations"]
    return str(destination["S3DestinationDescription"]["BucketARN"])


def put_mark(stack: Stack, made_from: str) -> None:
    tags = [{"Key": _MARK, "Value": made_from}]
    stack.client("firehose").tag_delivery_stream(DeliveryStreamName=stack.names.delivery_stream, Tags=tags)
