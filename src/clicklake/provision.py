"""The default stack of pipeline.json, made through boto3: what Terraform makes on AWS, for a laptop in one second.

Every step is idempotent and the stream comes last, so `clicklake up` runs them at every start: what a crash cut
off is made up for, and a changed function or table is brought up to date.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import botocore.exceptions

from clicklake import catalog
from clicklake.errors import UsageError
from clicklake.glue_tables import bring_up_to_date
from clicklake.pipeline import Buffer, Names, Pipeline
from clicklake.roles import roles
from clicklake.target import Target, translated

# What a service says when a thing is already there.
_EXISTS = {
    "AlreadyExistsException",
    "BucketAlreadyOwnedByYou",
    "EntityAlreadyExists",
    "ParameterAlreadyExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
    "ResourceInUseException",
}

_LOG_DAYS = 30


@dataclass(frozen=True, slots=True)
class Stack:
    """What to make and where."""

    target: Target
    pipeline: Pipeline
    names: Names
    environment: str
    buffer: Buffer
    account: str

    def client(self, service: str) -> Any:
        return self.target.client(service)

    @property
    def region(self) -> str:
        return str(self.target.session.region_name)

    def role_arn(self, role: str) -> str:
        return f"arn:aws:iam::{self.account}:role/{role}"

    @property
    def bucket_arn(self) -> str:
        return f"arn:aws:s3:::{self.names.bucket}"

    @property
    def function_arn(self) -> str:
        return f"arn:aws:lambda:{self.region}:{self.account}:function:{self.names.function}"

    @property
    def user_key_parameter(self) -> str:
        return f"/clicklake/{self.environment}/user-key"


def provision(
    target: Target, pipeline: Pipeline, package: Path, buffer: Buffer, environment: str | None = None
) -> None:
    """Make or update everything; `package` is the function's zip, `buffer` the stream's buffering hints.

    Raises UsageError, before anything is touched, if the lake has data in another format than the pipeline's.
    """
    environment = environment or pipeline.environment
    with translated():
        account = target.client("sts").get_caller_identity()["Account"]
        stack = Stack(target, pipeline, pipeline.names(environment), environment, buffer, account)
        _refuse_other_format(stack)
        if not _is_complete(stack):
            _bucket(stack)
            _roles(stack)
            _user_key(stack)
            _log_group(stack)
        _catalog(stack)
        _workgroup(stack)
        _function(stack, package.read_bytes())
        _trigger(stack)
        _stream(stack)


def _is_complete(stack: Stack) -> bool:
    """The stream comes last, so what can't change any more (bucket, roles, key) need not be looked at again."""
    names = stack.client("firehose").list_delivery_streams(Limit=10000)["DeliveryStreamNames"]
    return stack.names.delivery_stream in names


def _refuse_other_format(stack: Stack) -> None:
    """A table has one format: with files of two, every query of it would fail."""
    glue, events = stack.client("glue"), stack.pipeline.tables.events
    try:
        table = glue.get_table(DatabaseName=stack.names.database, Name=events.name)["Table"]
    except glue.exceptions.EntityNotFoundException:
        return
    there = catalog.format_of(table["StorageDescriptor"])
    if there == events.format or not _has_objects(stack, stack.pipeline.prefix(events)):
        return
    raise UsageError(
        f"{stack.names.database}.{events.name} holds {there}, and the pipeline file says {events.format}",
        f'keep "processed_format": "{there}" until you have run: clicklake rebuild --format {events.format}',
    )


def _has_objects(stack: Stack, prefix: str) -> bool:
    s3 = stack.client("s3")
    try:
        return "Contents" in s3.list_objects_v2(Bucket=stack.names.bucket, Prefix=prefix, MaxKeys=1)
    except s3.exceptions.NoSuchBucket:
        return False


@contextmanager
def _unless_there() -> Iterator[None]:
    try:
        yield
    except botocore.exceptions.ClientError as e:
        if e.response["Error"]["Code"] not in _EXISTS:
            raise


def _bucket(stack: Stack) -> None:
    s3, bucket = stack.client("s3"), stack.names.bucket
    with _unless_there():
        s3.create_bucket(Bucket=bucket)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=_PRIVATE)
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls={"Rules": [_OWNED]})
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [_ENCRYPTED]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": _lifecycle(stack.pipeline)})


_PRIVATE = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True)
_ENCRYPTED = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
_OWNED = {"ObjectOwnership": "BucketOwnerEnforced"}


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
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }
    return [*rules, tidy]


def _roles(stack: Stack) -> None:
    iam = stack.client("iam")
    for role in roles(stack.pipeline, stack.names, stack.account, stack.region, stack.user_key_parameter):
        with _unless_there():
            iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=role.trust)
        iam.put_role_policy(RoleName=role.name, PolicyName=role.name, PolicyDocument=role.policy)


def _user_key(stack: Stack) -> None:
    """The key of user_key: made here on a laptop; on AWS its owner makes it outside of Terraform (docs/deploy.md)."""
    if not stack.target.is_laptop:
        return
    with _unless_there():
        stack.client("ssm").put_parameter(
            Name=stack.user_key_parameter, Value=secrets.token_hex(32), Type="SecureString", Overwrite=False
        )


def _catalog(stack: Stack) -> None:
    glue, database = stack.client("glue"), stack.names.database
    with _unless_there():
        glue.create_database(DatabaseInput={"Name": database, "Description": "The clickstream lake."})
    inputs = [catalog.table_input(stack.pipeline, table, stack.names.bucket) for table in stack.pipeline.tables]
    inputs.append(catalog.unique_view_input(stack.pipeline, database, stack.names.unique_view))
    for wanted in inputs:
        bring_up_to_date(glue, database, wanted)


def _workgroup(stack: Stack) -> None:
    athena = stack.client("athena")
    if any(group["Name"] == stack.names.workgroup for group in athena.list_work_groups()["WorkGroups"]):
        return
    location = f"s3://{stack.names.bucket}/{stack.pipeline.zones.query_results}"
    configuration = {
        "ResultConfiguration": {"OutputLocation": location},
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
    }
    athena.create_work_group(Name=stack.names.workgroup, Configuration=configuration)


def _function(stack: Stack, code: bytes) -> None:
    client, name, function = stack.client("lambda"), stack.names.function, stack.pipeline.function
    wanted = {
        "Role": stack.role_arn(name),
        "Handler": function.handler,
        "Runtime": function.runtime,
        "MemorySize": function.memory_mib,
        "Timeout": function.timeout_seconds,
        "Environment": {"Variables": _variables(stack)},
    }
    try:
        found = client.get_function_configuration(FunctionName=name)
    except client.exceptions.ResourceNotFoundException:
        architectures = [function.architecture]
        client.create_function(FunctionName=name, Architectures=architectures, Code={"ZipFile": code}, **wanted)
        return
    if found["CodeSha256"] != base64.b64encode(hashlib.sha256(code).digest()).decode():
        client.update_function_code(FunctionName=name, ZipFile=code)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)
    if any(found.get(key) != value for key, value in wanted.items()):
        client.update_function_configuration(FunctionName=name, **wanted)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)


def _variables(stack: Stack) -> dict[str, str]:
    """The function's environment; processor.py documents it."""
    variables = {"CLICKLAKE_ENVIRONMENT": stack.environment, "CLICKLAKE_USER_KEY_PARAMETER": stack.user_key_parameter}
    if geo_database := os.environ.get("CLICKLAKE_GEO_DATABASE"):
        variables["CLICKLAKE_GEO_DATABASE"] = str(Path(geo_database).absolute())
    return variables


def _log_group(stack: Stack) -> None:
    """Made here and not by the first invocation, so that it has a retention."""
    logs, name = stack.client("logs"), f"/aws/lambda/{stack.names.function}"
    with _unless_there():
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=_LOG_DAYS)


def _trigger(stack: Stack) -> None:
    with _unless_there():
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


def _stream(stack: Stack) -> None:
    delivery = stack.pipeline.delivery
    configuration = {
        "RoleARN": stack.role_arn(stack.names.delivery_stream),
        "BucketARN": stack.bucket_arn,
        "Prefix": delivery.prefix,
        "ErrorOutputPrefix": delivery.error_prefix,
        "BufferingHints": {"SizeInMBs": stack.buffer.mib, "IntervalInSeconds": stack.buffer.seconds},
        "CompressionFormat": "GZIP",
        "ProcessingConfiguration": {"Enabled": True, "Processors": [{"Type": "AppendDelimiterToRecord"}]},
    }
    with _unless_there():
        stack.client("firehose").create_delivery_stream(
            DeliveryStreamName=stack.names.delivery_stream,
            DeliveryStreamType="DirectPut",
            ExtendedS3DestinationConfiguration=configuration,
        )
