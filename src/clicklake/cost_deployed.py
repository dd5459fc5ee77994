"""The settings that a bill depends on: those of the pipeline file, or those of the stack that is deployed.

of_pipeline(pipeline)                   what `clicklake up` and Terraform make of the file
of_stack(target, pipeline, names)       what is there, asked of each service
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from clicklake.errors import RefusedError
from clicklake.lake import open_lake
from clicklake.pipeline import Format, Names, Pipeline
from clicklake.target import Target, translated


@dataclass(frozen=True, slots=True)
class Settings:
    """`raw_days` and `failed_days` None: kept for ever. `source` says where they were read, in words; `region` is that
    of a stack on AWS."""

    source: str
    buffer_mib: float
    buffer_seconds: float
    raw_days: float | None
    failed_days: float | None
    noncurrent_days: float
    memory_mib: float
    architecture: str
    traced: bool
    form: Format
    alarms: int = 0
    dashboards: int = 0
    keys: int = 0
    region: str | None = None


def of_pipeline(pipeline: Pipeline) -> Settings:
    buffer, kept, function = pipeline.buffering.aws, pipeline.retention_days, pipeline.function
    return Settings(
        source="the pipeline file",
        buffer_mib=buffer.mib,
        buffer_seconds=buffer.seconds,
        raw_days=kept.raw,
        failed_days=kept.failed,
        noncurrent_days=30,
        memory_mib=function.memory_mib,
        architecture=function.architecture,
        traced=True,
        form=pipeline.processed_format,
    )


def of_stack(target: Target, pipeline: Pipeline, names: Names) -> Settings:
    """A laptop's stream delivers each second, which no stream on AWS should: there the buffer is the pipeline file's.
    Raises RefusedError if the stack is not there."""
    bucket = open_lake(target, pipeline, names).bucket
    with translated():
        destination = _destination(target.client("firehose"), names)
        function = target.client("lambda").get_function_configuration(FunctionName=names.function)
        rules = _lifecycle(target.client("s3"), bucket)
        serde = target.client("glue").get_table(DatabaseName=names.database, Name=pipeline.tables.events.name)
        alarms, dashboards = _watching(target, names)
    aws, hints = pipeline.buffering.aws, destination["BufferingHints"]
    buffer = (aws.mib, aws.seconds) if target.is_laptop else (hints["SizeInMBs"], hints["IntervalInSeconds"])
    elsewhere = ", its buffer from the pipeline file" if target.is_laptop else ""
    return Settings(
        source=f"the deployed stack{elsewhere}",
        buffer_mib=buffer[0],
        buffer_seconds=buffer[1],
        raw_days=_expiry(rules, pipeline.zones.raw),
        failed_days=_expiry(rules, pipeline.zones.failed),
        noncurrent_days=_noncurrent(rules),
        memory_mib=function["MemorySize"],
        architecture=function["Architectures"][0],
        traced=function.get("TracingConfig", {}).get("Mode") == "Active",
        form="parquet" if "parquet" in serde["Table"]["StorageDescriptor"]["InputFormat"].lower() else "json",
        alarms=alarms,
        dashboards=dashboards,
        region=None if target.is_laptop else target.session.region_name,
        keys=int("KMSEncryptionConfig" in destination.get("EncryptionConfiguration", {})),
    )


def _destination(firehose: Any, names: Names) -> dict[str, Any]:
    described = firehose.describe_delivery_stream(DeliveryStreamName=names.delivery_stream)
    found: dict[str, Any] = described["DeliveryStreamDescription"]["Destinations"][0][
        "ExtendedS3DestinationDescription"
    ]
    return found


def _lifecycle(s3: Any, bucket: str) -> list[dict[str, Any]]:
    try:
        rules: list[dict[str, Any]] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except s3.exceptions.ClientError as e:
        if e.response["Error"]["Code"] != "NoSuchLifecycleConfiguration":
            raise
        return []
    return [rule for rule in rules if rule["Status"] == "Enabled"]


def _expiry(rules: list[dict[str, Any]], zone: str) -> float | None:
    """The first that comes, of the rules whose prefix has the zone in it."""
    days = [
        days for rule in rules if zone.startswith(_prefix(rule)) and (days := rule.get("Expiration", {}).get("Days"))
    ]
    return min(days, default=None)


def _prefix(rule: dict[str, Any]) -> str:
    """A rule that asks for more than a prefix (tags, sizes) has none that any zone begins with."""
    found = rule.get("Filter", {})
    return str(found.get("Prefix", "")) if found.keys() <= {"Prefix"} else "\0"


def _noncurrent(rules: list[dict[str, Any]]) -> float:
    days = [
        rule["NoncurrentVersionExpiration"]["NoncurrentDays"] for rule in rules if "NoncurrentVersionExpiration" in rule
    ]
    return min(days, default=0)


def _watching(target: Target, names: Names) -> tuple[int, int]:
    """Terraform's alarms and dashboard of the stack; who may not look at them counts none."""
    client = target.client("cloudwatch")
    try:
        with translated():
            alarms = sum(1 for _ in _alarms(client, names.workgroup))
            boards = client.list_dashboards(DashboardNamePrefix=names.workgroup)["DashboardEntries"]
    except RefusedError:
        return 0, 0
    return alarms, len([board for board in boards if board["DashboardName"] == names.workgroup])


def _alarms(client: Any, stack: str) -> Iterator[Any]:
    for page in client.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{stack}-"):
        yield from page["MetricAlarms"]
