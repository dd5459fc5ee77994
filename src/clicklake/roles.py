"""Who may do what in the stack: IAM policies as pure functions. terraform/modules/clickstream says the same in HCL."""

import json
from dataclasses import dataclass
from typing import Any

from clicklake.pipeline import Names, Pipeline

# The log stream that Firehose's console chooses for failed deliveries.
DELIVERY_LOG_STREAM = "DestinationDelivery"


@dataclass(frozen=True, slots=True)
class Role:
    """`policy` is the role's one inline policy, under the role's own name."""

    name: str
    description: str
    trust: str
    policy: str


def roles(pipeline: Pipeline, names: Names, account: str, region: str, user_key_parameter: str) -> tuple[Role, Role]:
    """The delivery stream's role and the function's: exact actions, each on the zones that it works in."""
    here = f"{region}:{account}"
    # As docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#firehose-assume-role says that Firehose does.
    own_account = {"StringEquals": {"sts:ExternalId": account}}
    parameter = _statement("Allow", ["ssm:GetParameter"], [f"arn:aws:ssm:{here}:parameter{user_key_parameter}"])
    delivery, processing = _deliver(pipeline, names, here), [*_process(pipeline, names, here), parameter]
    trusted = _trust("firehose", {"Condition": own_account}), _trust("lambda", {})
    return (
        Role(names.delivery_stream, "What the delivery stream may do.", trusted[0], _policy(delivery)),
        Role(names.function, "What the processor may do.", trusted[1], _policy(processing)),
    )


def _deliver(pipeline: Pipeline, names: Names, here: str) -> list[dict[str, Any]]:
    """What docs.aws.amazon.com/firehose/latest/dev/controlling-access.html#using-iam-s3 lists, those of objects on the
    stream's own zones only."""
    lake, zones = f"arn:aws:s3:::{names.bucket}", pipeline.zones
    objects = [f"{lake}/{zone}*" for zone in (zones.raw, zones.delivery_errors)]
    log = f"arn:aws:logs:{here}:log-group:{names.delivery_logs}:log-stream:{DELIVERY_LOG_STREAM}"
    return [
        _statement("Allow", ["s3:PutObject", "s3:AbortMultipartUpload", "s3:GetObject"], objects),
        _statement("Allow", ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [lake]),
        _statement("Allow", ["logs:PutLogEvents"], [log]),
    ]


_PARTITIONS = ["glue:GetTable", "glue:CreatePartition", "glue:GetPartition", "glue:UpdatePartition"]


def _process(pipeline: Pipeline, names: Names, here: str) -> list[dict[str, Any]]:
    lake, zones = f"arn:aws:s3:::{names.bucket}", pipeline.zones
    raw, processed, failed, ledger = (
        f"{lake}/{zone}*" for zone in (zones.raw, zones.processed, zones.failed, zones.ledger)
    )
    tables = [f"arn:aws:glue:{here}:table/{names.database}/{table.name}" for table in pipeline.tables]
    catalog = [f"arn:aws:glue:{here}:catalog", f"arn:aws:glue:{here}:database/{names.database}"]
    logs = f"arn:aws:logs:{here}:log-group:{names.function_logs}:*"
    failures = f"arn:aws:sqs:{here}:{names.failure_queue}"
    return [
        _statement("Allow", ["s3:GetObject"], [raw]),
        # Without it S3 says AccessDenied, not NoSuchKey, of a raw object that is gone.
        _statement("Allow", ["s3:ListBucket"], [lake]),
        _statement("Allow", ["s3:PutObject"], [processed, failed, ledger]),
        # A run removes what an earlier version wrote of the same raw object and it does not.
        _statement("Allow", ["s3:DeleteObject"], [processed, failed]),
        _statement("Deny", ["s3:PutObject", "s3:DeleteObject"], [raw]),
        _statement("Allow", _PARTITIONS, [*catalog, *tables]),
        _statement("Allow", ["logs:CreateLogStream", "logs:PutLogEvents"], [logs]),
        # Lambda reports an invocation that failed for good in the function's name.
        _statement("Allow", ["sqs:SendMessage"], [failures]),
        # X-Ray has no resources: docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        _statement("Allow", ["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]),
    ]


def _statement(effect: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": resources}


def _trust(service: str, more: dict[str, Any]) -> str:
    principal = {"Service": f"{service}.amazonaws.com"}
    return _policy([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}])


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
