"""Who may do what in the stack: IAM policies as pure functions. terraform/modules/clickstream says the same in HCL."""

import json
from dataclasses import dataclass
from typing import Any

from clicklake.pipeline import Names, Pipeline


@dataclass(frozen=True, slots=True)
class Role:
    """`policy` is the role's one inline policy, under the role's own name."""

    name: str
    trust: str
    policy: str


def roles(pipeline: Pipeline, names: Names, account: str, region: str, user_key_parameter: str) -> tuple[Role, Role]:
    """The delivery stream's role and the function's: exact actions, each on the zones that it works in."""
    here = f"{region}:{account}"
    own_account = {"StringEquals": {"aws:SourceAccount": account}}
    parameter = _statement("Allow", ["ssm:GetParameter"], [f"arn:aws:ssm:{here}:parameter{user_key_parameter}"])
    return (
        Role(names.delivery_stream, _trust("firehose", {"Condition": own_account}), _policy(_deliver(pipeline, names))),
        Role(names.function, _trust("lambda", {}), _policy([*_process(pipeline, names, here), parameter])),
    )


def _deliver(pipeline: Pipeline, names: Names) -> list[dict[str, Any]]:
    lake, zones = f"arn:aws:s3:::{names.bucket}", pipeline.zones
    objects = [f"{lake}/{zone}*" for zone in (zones.raw, zones.delivery_errors)]
    return [
        _statement("Allow", ["s3:PutObject", "s3:AbortMultipartUpload"], objects),
        _statement("Allow", ["s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads"], [lake]),
    ]


_PARTITIONS = ["glue:GetTable", "glue:CreatePartition", "glue:GetPartition", "glue:UpdatePartition"]


def _process(pipeline: Pipeline, names: Names, here: str) -> list[dict[str, Any]]:
    lake, zones = f"arn:aws:s3:::{names.bucket}", pipeline.zones
    raw, processed, failed, ledger = (
        f"{lake}/{zone}*" for zone in (zones.raw, zones.processed, zones.failed, zones.ledger)
    )
    tables = [f"arn:aws:glue:{here}:table/{names.database}/{table.name}" for table in pipeline.tables]
    catalog = [f"arn:aws:glue:{here}:catalog", f"arn:aws:glue:{here}:database/{names.database}"]
    logs = f"arn:aws:logs:{here}:log-group:/aws/lambda/{names.function}:*"
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
    ]


def _statement(effect: str, actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": effect, "Action": actions, "Resource": resources}


def _trust(service: str, more: dict[str, Any]) -> str:
    principal = {"Service": f"{service}.amazonaws.com"}
    return _policy([{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}])


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
