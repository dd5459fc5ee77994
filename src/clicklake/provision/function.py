"""The processor: its log group, the queue of what it failed at, and the function itself."""

import base64
import hashlib
import os
from pathlib import Path

from clicklake.provision.stack import Stack, tls_only, unless_there

_LOG_DAYS = 30
_QUEUE_SECONDS = 14 * 24 * 3600  # the longest that SQS keeps a message
_MESSAGE_BYTES = 256 * 1024  # Terraform's provider's default; the record of an event of S3 has one or two KiB


def make_log_group(stack: Stack, name: str) -> None:
    """Made here and not by the first line, so that it has a retention."""
    logs = stack.client("logs")
    with unless_there():
        logs.create_log_group(logGroupName=name)
    logs.put_retention_policy(logGroupName=name, retentionInDays=_LOG_DAYS)
    logs.tag_resource(resourceArn=stack.arn("logs", f"log-group:{name}"), tags=stack.tags)


def make_failure_queue(stack: Stack) -> None:
    """Where the event of an invocation goes that failed for good."""
    sqs = stack.client("sqs")
    attributes = {
        "MessageRetentionPeriod": str(_QUEUE_SECONDS),
        "MaximumMessageSize": str(_MESSAGE_BYTES),
        "SqsManagedSseEnabled": "true",
        "Policy": tls_only("sqs:*", stack.failure_queue_arn),
    }
    with unless_there():  # with other attributes
        sqs.create_queue(QueueName=stack.names.failure_queue, Attributes=attributes, tags=stack.tags)
        return
    url = sqs.get_queue_url(QueueName=stack.names.failure_queue)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=attributes)
    sqs.tag_queue(QueueUrl=url, Tags=stack.tags)


def function_is_there(stack: Stack) -> bool:
    client = stack.client("lambda")
    try:
        client.get_function_configuration(FunctionName=stack.names.function)
    except client.exceptions.ResourceNotFoundException:
        return False
    return True


def make_function(stack: Stack, code: bytes) -> None:
    client, name, function = stack.client("lambda"), stack.names.function, stack.pipeline.function
    wanted = {
        "Role": stack.role_arn(name),
        "Handler": function.handler,
        "Runtime": function.runtime,
        "MemorySize": function.memory_mib,
        "Timeout": function.timeout_seconds,
        "TracingConfig": {"Mode": "Active"},
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
    variables = {
        "CLICKLAKE_ENVIRONMENT": stack.environment,
        # The table's, even if the package was built with another file.
        "CLICKLAKE_PROCESSED_FORMAT": stack.pipeline.processed_format,
        "CLICKLAKE_USER_KEY_PARAMETER": stack.user_key_parameter,
    }
    if geo_database := os.environ.get("CLICKLAKE_GEO_DATABASE"):
        variables["CLICKLAKE_GEO_DATABASE"] = str(Path(geo_database).absolute())
    return variables


def make_retries(stack: Stack) -> None:
    """How often and how long S3's invocations are tried, and where they go then."""
    client, name, function = stack.client("lambda"), stack.names.function, stack.pipeline.function
    client.put_function_event_invoke_config(
        FunctionName=name,
        MaximumRetryAttempts=function.maximum_retry_attempts,
        MaximumEventAgeInSeconds=function.maximum_event_age_seconds,
        DestinationConfig={"OnFailure": {"Destination": stack.failure_queue_arn}},
    )
    client.tag_resource(Resource=stack.function_arn, Tags=stack.tags)
